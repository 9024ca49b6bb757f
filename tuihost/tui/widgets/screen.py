"""The frame around every app: a title line, the app itself, a line of keys, and what floats above.

screen = Screen(session, "Notes", ListView(session, notes, label=str), keys=keys)
return screen.application()

if await screen.confirm("Delete this note?"): ...
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from prompt_toolkit.application import get_app
from prompt_toolkit.application.application import Application
from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings
from prompt_toolkit.layout import Layout
from prompt_toolkit.layout.containers import (
    AnyContainer,
    Container,
    DynamicContainer,
    Float,
    FloatContainer,
    to_container,
)

from tuihost.session.session import Session
from tuihost.tui.layout.rows import RowWindow
from tuihost.tui.layout.splits import HSplit
from tuihost.tui.widgets._bars import KeyBar, Text, TitleBar, clock_shown
from tuihost.tui.widgets._toast import Kind, Toasts
from tuihost.tui.widgets._too_small import TooSmall
from tuihost.tui.widgets.dialogs import (
    Dialog,
    choose_dialog,
    confirm_dialog,
    message_dialog,
    prompt_dialog,
)
from tuihost.tui.widgets.help import help_dialog
from tuihost.tui.widgets.keymap import Keymap, live_hints, typing

Value = TypeVar("Value")


class Screen:
    """Three zones around `body`, which is any container of prompt_toolkit or any widget.

    `title` and `status` are texts or callables that give one. `keys` are the screen's own keys;
    `?`, `q` and the way back to the menu come by themselves. `leave` is called for them instead of
    ending the Application with 0; `quits=False` leaves `q` and Esc alone. `min_size` is the
    smallest window in which the work can be done, in columns and rows.

    Thread: the session's.
    """

    def __init__(
        self,
        session: Session,
        title: Text,
        body: AnyContainer,
        *,
        keys: Keymap | None = None,
        status: Text = "",
        leave: Callable[[], None] | None = None,
        quits: bool = True,
        help_text: str = "",
        min_size: tuple[int, int] = (20, 5),
    ) -> None:
        self.session = session
        self.body: Container = to_container(body)
        self.keys = keys or Keymap(group="Here")
        self.help_text = help_text
        self.title_bar = TitleBar(session, title, status)
        self.key_bar = KeyBar(session)
        self.toasts = Toasts(session)
        self._leave = leave
        self._minute: asyncio.TimerHandle | None = None
        self._floats: list[Float] = []
        own = self._own_keys(quits).bindings
        self._main = HSplit(
            [
                RowWindow(self.title_bar, height=self.title_bar.row_count, focusable=False),
                DynamicContainer(lambda: self.body),
                self.toasts.container,
                RowWindow(self.key_bar, height=self.key_bar.row_count, focusable=False),
            ],
            style="class:text",
            key_bindings=merge_key_bindings([own, self.keys.bindings]),
        )
        floats = FloatContainer(self._main, floats=self._floats)
        self.container = TooSmall(session, floats, min_size, self.leave)

    # ------------------------------------------------------------------ running

    def application(
        self, *, focus: Any = None, mouse: bool = True, **more: Any
    ) -> Application[Any]:
        """A full-screen Application of this screen. `focus` is what has the keys at first, the
        first that can take them by default; `more` goes to `Application`. It has no style: the
        host gives it the session's theme, which may change while it runs."""
        if self.session.preferences.get("mouse", "on") == "off":
            mouse = False
        layout = Layout(self.container, focused_element=focus or self.body)
        # prompt_toolkit does this after each frame; the line of keys needs it for the first.
        layout.update_parents_relations()
        self._minute = None
        application: Application[Any] = Application(
            layout=layout,
            key_bindings=more.pop("key_bindings", None) or KeyBindings(),
            include_default_pygments_style=False,
            full_screen=True,
            mouse_support=mouse,
            **more,
        )
        application.after_render += self._keep_time
        return application

    def _keep_time(self, application: Application[Any]) -> None:
        """Draws the title line again when the minute has passed."""
        if self._minute is None and clock_shown(self.session):
            left = 60 - self.session.host.now() % 60
            loop = asyncio.get_running_loop()
            self._minute = loop.call_later(left, self._minute_passed, application)

    def _minute_passed(self, application: Application[Any]) -> None:
        self._minute = None
        application.invalidate()

    def show(self, body: AnyContainer, *, title: Text | None = None, focus: Any = None) -> None:
        """Puts another body between the two lines and gives it the keys. Toasts that were about the
        body before go with it: those that have been drawn, except those of success."""
        before, self.body = self.body, to_container(body)
        if self.body is not before:
            self.toasts.left()
        if title is not None:
            self.title_bar.title = title
        app = get_app()
        app.layout.update_parents_relations()
        app.layout.focus(focus or self.body)
        app.invalidate()

    def leave(self, result: Any = 0) -> None:
        """Ends the screen: by `leave` where one was given, else the Application with `result`."""
        if self._leave is not None:
            self._leave()
        else:
            self.exit(result)

    def exit(self, result: Any = 0) -> None:
        """Ends the Application. A second call does nothing."""
        app = get_app()
        if app.is_running and app.future is not None and not app.future.done():
            app.exit(result=result)

    # ------------------------------------------------------------------ what floats above

    async def open(self, dialog: Dialog[Value]) -> Value | None:
        """Shows `dialog` until it is closed; None if the person cancelled. The keys go to it
        alone meanwhile, and back to where they were afterwards."""
        app = get_app()
        layout = app.layout
        before = layout.current_window
        above = Float(dialog.panel, z_index=10 + len(self._floats))
        self._floats.append(above)
        try:
            layout.update_parents_relations()
            layout.focus(dialog.focus)
            app.invalidate()
            return await dialog.answered()
        finally:
            self._floats.remove(above)
            layout.update_parents_relations()
            if before in layout.find_all_windows():
                layout.focus(before)
            app.invalidate()

    async def message(self, title: str, text: str) -> None:
        """Shows a text until it has been read."""
        dialog = message_dialog(self.session, title, text)
        await self.open(dialog)

    async def confirm(
        self,
        question: str,
        *,
        detail: str = "",
        yes: str = "Yes",
        no: str = "No",
        default: bool = False,
    ) -> bool:
        """Asks for a yes or a no; Esc is a no. `default` is what Enter says at first."""
        dialog = confirm_dialog(self.session, question, detail, yes=yes, no=no, default=default)
        return await self.open(dialog) is True

    async def prompt(
        self,
        label: str,
        *,
        default: str = "",
        placeholder: str = "",
        detail: str = "",
        hidden: bool = False,
        validate: Callable[[str], str | None] | None = None,
    ) -> str | None:
        """Asks for one line; None for Esc. `validate` gives what is wrong with a text, or None;
        `hidden` shows dots instead of what is typed. `detail` is a sentence below the line."""
        return await self.open(
            prompt_dialog(
                self.session,
                label,
                default=default,
                placeholder=placeholder,
                detail=detail,
                hidden=hidden,
                validate=validate,
            )
        )

    async def choose(
        self,
        title: str,
        options: Sequence[Value],
        *,
        label: Callable[[Value], str] = str,
        description: Callable[[Value], str] | None = None,
        selected: Value | None = None,
        on_change: Callable[[Value], None] | None = None,
    ) -> Value | None:
        """Asks for one of `options`; None for Esc. Typing filters. `on_change` is called for
        each option that the person moves to, to show what choosing it would do."""
        return await self.open(
            choose_dialog(
                self.session,
                title,
                options,
                label=label,
                description=description,
                selected=selected,
                on_change=on_change,
            )
        )

    def toast(self, text: str, kind: Kind = "info", seconds: float = 3.0) -> None:
        """Shows a note above the line of keys for a few seconds, longer if it takes longer to read.
        It covers nothing and never takes the keys. `show` ends it sooner."""
        self.toasts.show(text, kind, seconds)

    async def help(self) -> None:
        """Shows what every key does at this moment."""
        hints = live_hints(get_app())
        await self.open(help_dialog(self.session, hints, self.help_text))

    # ------------------------------------------------------------------ the keys of every screen

    def _own_keys(self, quits: bool) -> Keymap:
        keys = Keymap(group="Everywhere")

        @keys.add("?", "f1", label="keys", rank=90, before_typing=True)
        async def _help(event: Any) -> None:
            await self.help()

        if quits:

            @keys.add("q", "c-c", label="leave", rank=95)
            def _leave(event: Any) -> None:
                self.leave()

            @keys.add("escape", label="leave", show=False, when=self._can_go_back)
            def _back(event: Any) -> None:
                self.leave()

        @keys.add("tab", label="next part", show=False, when=self._many_parts)
        def _next(event: Any) -> None:
            event.app.layout.focus_next()

        @keys.add("s-tab", label="part before", show=False, when=self._many_parts)
        def _previous(event: Any) -> None:
            event.app.layout.focus_previous()

        @keys.add("c-l", label="draw again", show=False)
        def _redraw(event: Any) -> None:
            event.app.renderer.clear()

        return keys

    def _can_go_back(self) -> bool:
        return self.session.from_menu and not typing()

    def _many_parts(self) -> bool:
        return len(get_app().layout.get_visible_focusable_windows()) > 1
