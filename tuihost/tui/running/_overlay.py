"""Questions and notes over a running Application that knows nothing of them.

`session.ask` on a screen puts a box above whatever the Application draws, and `session.print` a
note below it. Any Application of prompt_toolkit will do: its layout is wrapped while there is
something to show, and is what it was afterwards, with its focus and its bindings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from prompt_toolkit.application.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding.defaults import load_key_bindings
from prompt_toolkit.key_binding.key_bindings import (
    Binding,
    KeyBindingsBase,
    KeysTuple,
    merge_key_bindings,
)
from prompt_toolkit.layout.containers import (
    ConditionalContainer,
    Container,
    DynamicContainer,
    Float,
    FloatContainer,
    Window,
    to_container,
)
from prompt_toolkit.layout.controls import BufferControl, FormattedTextControl
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.layout import Layout, walk
from prompt_toolkit.layout.mouse_handlers import MouseHandlers
from prompt_toolkit.layout.processors import PasswordProcessor, Processor
from prompt_toolkit.layout.screen import Screen, WritePosition

from tuihost.errors import Interrupted
from tuihost.session.progress import ProgressLine
from tuihost.session.session import Session
from tuihost.tui.characters import one_line, width_of
from tuihost.tui.layout.rows import RowWindow
from tuihost.tui.layout.splits import HSplit
from tuihost.tui.running._transcript import BOX_WIDTH, ScreenLine, Transcript
from tuihost.tui.widgets.cells import glyph
from tuihost.tui.widgets.dialogs import Dialog, Paragraphs
from tuihost.tui.widgets.keymap import Keymap
from tuihost.tui.widgets.text_keys import bind_one_line
from tuihost.wire import Stream

ABOVE = 10**9
"""The z-index of what stands over an Application; prompt_toolkit puts menus at 10**8."""
NOTE_ROWS = 3
"""Rows of a note that goes by itself; more become a box that the person closes."""
NOTE_SECONDS = 4.0
READ = 20.0
"""Characters that somebody reads in a second: a long note stays until it could be read."""


class Overlay:
    """What one session shows over one Application. Thread: the session's.

    `said` is what was printed and has not been seen yet; it outlives the Application.
    """

    def __init__(self, session: Session, application: Application[Any], said: Transcript) -> None:
        self._session = session
        self._application = application
        self._said = said
        self._asking = asyncio.Lock()
        self._box: Dialog[Any] | None = None
        self._layout: Layout | None = None
        self._below: Container
        self._focused: Window | None = None
        self._reading = False
        self._nothing = Window()
        self._going: asyncio.TimerHandle | None = None
        self._notice: asyncio.Task[None] | None = None
        note = ConditionalContainer(self._note(), Condition(lambda: self._note_shown))
        # The last frame of an Application stays above what comes next, and what was not seen
        # comes next.
        box = ConditionalContainer(
            DynamicContainer(self._panel),
            Condition(lambda: self._box is not None and not application.is_done),
        )
        self._above: tuple[Container, Container] = (note, box)
        if said:
            self._changed()

    # ---------------------------------------------------------------- asking

    async def ask(self, question: str, *, hidden: bool, default: str) -> str:
        """Asks in a box, one question at a time. Raises `Interrupted` if the person closes it."""
        async with self._asking:
            with self._keys_to(_question(self._session, question, hidden, default)) as box:
                answer = await box.answered()
        if answer is None:
            raise Interrupted("the person closed the question")
        return str(answer)

    @contextmanager
    def _keys_to(self, box: Dialog[Any]) -> Iterator[Dialog[Any]]:
        """Shows `box` above everything, and gives it all the keys until the block ends."""
        application = self._application
        processor = application.key_processor
        mode, bindings = application.editing_mode, application.key_bindings
        application.editing_mode, application.key_bindings = EditingMode.EMACS, None
        registry = processor._bindings
        self._box = box
        application.before_render += self._hold
        processor._bindings = _BoxKeys(box, lambda: self._hold(application))
        try:
            self._hold(application)
            application.invalidate()
            yield box
        finally:
            processor._bindings = registry
            application.before_render -= self._hold
            self._box = None
            application.editing_mode = mode
            if application.key_bindings is None:
                application.key_bindings = bindings
            self._release()

    def _hold(self, application: Application[Any]) -> None:
        """Before every frame and every key: the Application may have changed its layout, or moved
        the focus."""
        self._wrap()
        layout, box = application.layout, self._box
        if box is None:
            return
        focused = layout.current_window
        if not _holds(box.panel, focused):
            layout.update_parents_relations()
            self._focused = focused
            layout.focus(box.focus)

    def _release(self) -> None:
        """Gives the focus back to where it was, or where the Application wanted it meanwhile."""
        layout = self._application.layout
        if self._focused is not None and self._focused in layout.find_all_windows():
            layout.focus(self._focused)
        self._unwrap()
        self._application.invalidate()

    # ---------------------------------------------------------------- above and below

    def _wrap(self) -> None:
        """Wraps the layout that the Application has now."""
        layout = self._application.layout
        if layout is self._layout and layout.container is self._container:
            return
        self._unwrap(everything=True)
        self._layout, self._below = layout, layout.container
        below = _Beneath(self._below, self)
        if self._application.full_screen:
            note, box = self._above
            # A note has rows of its own: it covers nothing.
            rows = HSplit([below, note])
            self._container: Container = FloatContainer(rows, [Float(box, z_index=ABOVE)])
        else:  # it is as high as it likes, and there may be no room above it
            self._container = HSplit([below, HSplit(list(self._above), z_index=ABOVE)])
        layout.container = self._container
        layout.update_parents_relations()

    def _unwrap(self, *, everything: bool = False) -> None:
        """Leaves the layout as it was, if there is nothing more to show."""
        layout = self._layout
        if layout is None or (not everything and (self._box is not None or self._said)):
            return
        if layout.container is self._container:
            layout.container = self._below
            layout.update_parents_relations()
        self._layout = None

    @property
    def has_keys(self) -> bool:
        return self._box is not None

    def _panel(self) -> Container:
        return self._box.panel if self._box is not None else self._nothing

    # ---------------------------------------------------------------- saying

    def print(self, items: Sequence[Any], stream: Stream) -> None:
        self._said.print(items, stream)
        self._changed()

    def write(self, data: bytes, stream: Stream) -> None:
        self._said.write(data, stream)
        self._changed()

    def progress_line(self) -> ProgressLine:
        return ScreenLine(self._said, self._changed)

    def _changed(self) -> None:
        """Shows what was said as a note for a while, or in a box if it is too long for a note."""
        if self._said:
            self._wrap()
        if self._going is not None:
            self._going.cancel()
            self._going = None
        if self._notice is not None:
            pass  # the box shows it
        elif self._said.row_count() > NOTE_ROWS:
            self._notice = self._application.create_background_task(self._show_all())
        else:
            loop = asyncio.get_running_loop()
            self._going = loop.call_later(self._note_seconds(), self._seen)
        self._application.invalidate()

    def _note_seconds(self) -> float:
        rows = (self._said.row(row, 0) for row in range(self._said.row_count()))
        return max(NOTE_SECONDS, sum(map(_width, rows)) / READ)

    def _seen(self) -> None:
        self._said.take()
        self._unwrap()
        self._application.invalidate()

    async def _show_all(self) -> None:
        """Shows all that was said, and what is said meanwhile, in a box until it is closed."""
        try:
            async with self._asking:
                self._reading = True
                with self._keys_to(_box_of(self._session, self._said)) as box:
                    await box.answered()
                    self._said.take()
        finally:
            self._notice, self._reading = None, False

    @property
    def _note_shown(self) -> bool:
        return bool(self._said) and not self._reading and not self._application.is_done

    def _note(self) -> Window:
        """The last rows of what was said."""

        def rows() -> list[StyleAndTextTuples]:
            count = self._said.row_count()
            return [self._said.row(row, 0) for row in range(max(0, count - NOTE_ROWS), count)]

        def fragments() -> StyleAndTextTuples:
            shown = rows()
            width = max(map(_width, shown), default=0)
            sign = glyph(self._session, "info")
            blank = " " * width_of(sign)
            text: StyleAndTextTuples = []
            for number, row in enumerate(shown):
                text += [("", "\n")] if number else []
                text.append(("class:info", f" {blank if number else sign} "))
                text += [*row, ("", " " * (width - _width(row) + 1))]
            return text

        return Window(
            FormattedTextControl(fragments),
            style="class:toast",
            height=lambda: Dimension.exact(len(rows())),
            dont_extend_height=True,
            dont_extend_width=True,
        )


class _BoxKeys(KeyBindingsBase):
    """The bindings of a box, and no others. `hold` gives it the focus before each key is looked up:
    a key never goes to what the Application has focused meanwhile, and the Application's own
    registry, which remembers the bindings of each window, is not asked while a box is open."""

    def __init__(self, box: Dialog[Any], hold: Callable[[], None]) -> None:
        self._hold = hold
        focus = to_container(box.focus)
        around = (part for part in walk(box.panel) if _holds(part, focus))
        own = [keys for part in around if (keys := part.get_key_bindings()) is not None]
        self._bindings = merge_key_bindings([load_key_bindings(), *own])

    @property
    def _version(self) -> Hashable:
        return self._bindings._version

    @property
    def bindings(self) -> list[Binding]:
        return self._bindings.bindings

    def get_bindings_for_keys(self, keys: KeysTuple) -> list[Binding]:
        self._hold()
        return self._bindings.get_bindings_for_keys(keys)

    def get_bindings_starting_with_keys(self, keys: KeysTuple) -> list[Binding]:
        self._hold()
        return self._bindings.get_bindings_starting_with_keys(keys)


class _Beneath(DynamicContainer):
    """The Application's own container, which does not hear the mouse while a box has the keys."""

    def __init__(self, content: Container, overlay: Overlay) -> None:
        super().__init__(lambda: content)
        self._overlay = overlay

    def write_to_screen(
        self,
        screen: Screen,
        mouse_handlers: MouseHandlers,
        write_position: WritePosition,
        parent_style: str,
        erase_bg: bool,
        z_index: int | None,
    ) -> None:
        handlers = type(mouse_handlers)() if self._overlay.has_keys else mouse_handlers
        super().write_to_screen(screen, handlers, write_position, parent_style, erase_bg, z_index)


def _question(session: Session, question: str, hidden: bool, default: str) -> Dialog[str]:
    """A question of any length, and one line to type below it."""
    keys = Keymap(group="Question")
    buffer = Buffer(document=Document(one_line(default)), multiline=False)
    processors: list[Processor] = [PasswordProcessor(glyph(session, "bullet"))] if hidden else []
    line = Window(
        BufferControl(buffer, input_processors=processors),
        height=1,
        style="class:input",
        dont_extend_height=True,
    )
    text = Paragraphs(session, question.strip())
    dialog: Dialog[str] = Dialog(
        session, "", HSplit([text.window, line]), focus=line, keys=keys, width=BOX_WIDTH
    )
    text.width = lambda: dialog.panel.inner_width

    bind_one_line(keys, buffer, refuse=session.error)

    @keys.add("enter", label="answer", rank=20)
    def _answer(event: Any) -> None:
        dialog.close(buffer.text)

    return dialog


def _box_of(session: Session, said: Transcript) -> Dialog[None]:
    """A box with all that was said, to scroll through and to close."""
    keys = Keymap(group="Messages")
    rows = RowWindow(said)
    body = HSplit(
        [rows],
        height=lambda: Dimension(
            min=1, preferred=min(said.row_count(), session.terminal.size.rows - 4)
        ),
    )
    dialog: Dialog[None] = Dialog(session, "", body, focus=rows, keys=keys, width=BOX_WIDTH)

    @keys.add("enter", "space", "q", label="close", rank=20)
    def _close(event: Any) -> None:
        dialog.close(None)

    for names, step in ((("up", "k"), -1), (("down", "j"), 1)):
        keys.add(*names, label="scroll", rank=40)(lambda event, step=step: rows.scroll(step))
    for name, sign in (("pageup", -1), ("pagedown", 1)):
        keys.add(name, label="scroll")(lambda event, sign=sign: rows.scroll(sign * rows.page))
    return dialog


def _holds(container: Container, part: Container) -> bool:
    return container is part or any(_holds(child, part) for child in container.get_children())


def _width(row: StyleAndTextTuples) -> int:
    return sum(width_of(fragment[1]) for fragment in row)
