"""prompt_toolkit's renderer for a person at the far end of a line.

It draws nothing while the last frame is still on its way, so that a slow line shows the newest
state and never a queue of old ones; it sends what changed, as one write; and it shares what is
known about styles with every session in the same theme.
"""

from __future__ import annotations

from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.data_structures import Point, Size
from prompt_toolkit.filters import FilterOrBool
from prompt_toolkit.layout import Layout
from prompt_toolkit.layout.screen import Screen, WritePosition
from prompt_toolkit.renderer import Renderer
from prompt_toolkit.styles import DynamicStyle

from tuihost.errors import MisuseError
from tuihost.tui.defaults import share_defaults
from tuihost.tui.rendering._difference import draw_difference
from tuihost.tui.rendering._styles import AppStyle, StyleSource
from tuihost.tui.rendering.frame import FrameScreen, MouseRegions
from tuihost.tui.server_actions import refuse_server_actions
from tuihost.tui.terminal.output import TerminalOutput, WritableTerminal

REDRAW_INTERVAL = 0.02
"""Seconds between two frames of one app, at least."""

_ESCAPE_WAIT = 0.05  # seconds until a lone Escape counts as one
_SEQUENCE_WAIT = 0.3  # seconds until the first keys of a longer binding count by themselves


class HostRenderer(Renderer):
    """Draws one Application on one terminal. Thread: the app's."""

    output: TerminalOutput

    def __init__(
        self,
        terminal: WritableTerminal,
        output: TerminalOutput,
        style: StyleSource,
        *,
        full_screen: bool,
        mouse_support: FilterOrBool,
    ) -> None:
        self._terminal = terminal
        self._last_screen: FrameScreen | None = None
        self._app_style = AppStyle(style)
        self._waits = False
        self.frames = 0
        """Frames that were drawn."""
        self.skipped = 0
        """Frames that were not, since the person's line was full."""
        super().__init__(
            DynamicStyle(lambda: self._app_style.style),
            output,
            full_screen=full_screen,
            mouse_support=mouse_support,
            cpr_not_supported_callback=None,  # its default writes a warning over the app
        )

    # ---------------------------------------------------------------- drawing

    def render(self, app: Application[Any], layout: Layout, is_done: bool = False) -> None:
        """Draws what differs from the last frame, but only once the line is free."""
        if not is_done and self._terminal.congested:
            self.skipped += 1
            self._draw_when_drained(app)
            return
        self.frames += 1
        self._switch_modes()
        size = self.output.get_size()
        screen, mouse = FrameScreen(size.columns), MouseRegions()
        screen.show_cursor = False
        height = self._height(layout, size, is_done)
        if self._app_style.update(app) or self._last_size != size:
            self._forget_last()
        layout.container.write_to_screen(
            screen,
            mouse,
            WritePosition(xpos=0, ypos=0, width=size.columns, height=height),
            parent_style="",
            erase_bg=False,
            z_index=None,
        )
        screen.draw_all_floats()
        if app.exit_style:
            screen.append_style_to_content(app.exit_style)
        self._write(app, screen, size, is_done)
        self._forget_last()
        self._last_screen, self._last_size = screen, size
        self.mouse_handlers = mouse
        layout.visible_windows = screen.visible_windows
        if is_done:
            self.reset()

    def _draw_when_drained(self, app: Application[Any]) -> None:
        if self._waits:
            return
        self._waits = True

        def drained() -> None:
            self._waits = False
            app.invalidate()

        self._terminal.on_drain(drained)

    def _switch_modes(self) -> None:
        """Tells the terminal what it must know before the first frame, and if the mouse changes."""
        output = self.output
        if self.full_screen and not self._in_alternate_screen:
            self._in_alternate_screen = True
            output.enter_alternate_screen()
        if not self._bracketed_paste_enabled:
            self._bracketed_paste_enabled = True
            output.enable_bracketed_paste()
        if not self._cursor_key_mode_reset:
            self._cursor_key_mode_reset = True
            output.reset_cursor_key_mode()
        mouse = self.mouse_support()
        if mouse != self._mouse_support_enabled:
            self._mouse_support_enabled = mouse
            if mouse:
                output.enable_mouse_support()
            else:
                output.disable_mouse_support()

    def _height(self, layout: Layout, size: Size, is_done: bool) -> int:
        """How many rows the frame has: all, or as many as an app between lines of text prefers."""
        if self.full_screen:
            return size.rows
        preferred = layout.container.preferred_height(size.columns, size.rows).preferred
        if not is_done:
            last = self._last_screen.height if self._last_screen else 0
            preferred = max(self._min_available_height, last, preferred)
        return min(preferred, size.rows)

    def _write(self, app: Application[Any], screen: Screen, size: Size, is_done: bool) -> None:
        """Sends the frame, all of it in one flush."""
        assert self._app_style.codes is not None
        self._cursor_pos = draw_difference(
            self.output,
            self._last_screen,
            screen,
            styles=self._app_style.codes,
            size=size,
            position=self._cursor_pos,
            cursor=screen.get_cursor_position(app.layout.current_window),
            absolute=self.full_screen,
            done=is_done,
        )
        shape = app.cursor.get_cursor_shape(app)
        if shape != self._last_cursor_shape:
            self._last_cursor_shape = shape
            self.output.set_cursor_shape(shape)
        self.output.flush()

    # ---------------------------------------------------------------- starting over

    def repaint(self) -> None:
        """The next frame draws everything, without leaving or clearing the screen before."""
        self._forget_last()

    def attached(self) -> None:
        """The output is at another terminal now, of which nothing is known: nothing is said to
        the one before, and the next frame sets up the new one. Invalidate the app after it."""
        self._in_alternate_screen = False
        self._mouse_support_enabled = False
        self._bracketed_paste_enabled = False
        self._cursor_key_mode_reset = False
        self._waits = False
        self._forget_last()
        self._last_size = self._last_cursor_shape = None
        self._cursor_pos = Point(x=0, y=0)

    def reset(self, _scroll: bool = False, leave_alternate_screen: bool = True) -> None:
        """Begins anew: the constructor calls it, and the end of an Application does."""
        self._forget_last()
        super().reset(_scroll, leave_alternate_screen)

    def let_go(self) -> None:
        """The Application has ended, and draws no more."""
        self._forget_last()
        self.mouse_handlers = MouseRegions()

    def _forget_last(self) -> None:
        """The last frame is not needed any more. prompt_toolkit's windows leave it in a circle,
        which the collector finds late: its cells need not wait for that."""
        if self._last_screen is not None:
            self._last_screen.data_buffer.clear()
            self._last_screen = None

    def erase(self, leave_alternate_screen: bool = True) -> None:
        """Takes the app off the screen. For a resize, which stays on the alternate screen, the
        next frame does that itself, in the same write."""
        if self.full_screen and self._in_alternate_screen and not leave_alternate_screen:
            self.repaint()
            return
        with self.output.held():
            super().erase(leave_alternate_screen)
        if leave_alternate_screen:
            self.output.flush()

    def clear(self) -> None:
        """Draws everything again on an empty screen."""
        if self.full_screen:
            self.repaint()
            return
        with self.output.held():
            super().clear()
        self.output.flush()


# ------------------------------------------------------------------------------------- install


def install(
    application: Application[Any], terminal: WritableTerminal, style: StyleSource
) -> HostRenderer:
    """Prepares an Application for a person behind a line, before it runs.

    `application` was made while a `TerminalOutput` was the output of the AppSession. `style` is
    the theme's, or says which one it is at the moment; the Application's own style goes over it.
    Only what the author left at prompt_toolkit's defaults is changed.

    Raises MisuseError for an Application that was made for another output.
    """
    output = application.output
    if not isinstance(output, TerminalOutput):
        raise MisuseError(
            "the Application was not made inside this session: build a fresh one each time"
        )
    share_defaults()
    refuse_server_actions()
    renderer = HostRenderer(
        terminal,
        output,
        style,
        full_screen=application.full_screen,
        mouse_support=application.mouse_support,
    )
    application.renderer = renderer
    application._merged_style = renderer.style
    application.terminal_size_polling_interval = None  # a resize is an event here
    if application.ttimeoutlen == 0.5:
        application.ttimeoutlen = _ESCAPE_WAIT
    if application.timeoutlen == 1.0:
        application.timeoutlen = _SEQUENCE_WAIT
    if application.min_redraw_interval is None:
        application.min_redraw_interval = REDRAW_INTERVAL
    if application.full_screen:
        application.erase_when_done = True  # or the last frame is drawn once more, for nobody
    return renderer
