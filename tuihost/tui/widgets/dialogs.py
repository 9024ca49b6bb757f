"""Dialogs above a running screen: message, confirm, prompt, choose.

    if await screen.confirm("Delete this note?", detail="It cannot be brought back."): ...
    name = await screen.prompt("Title", default="")
    theme = await screen.choose("Theme", themes, label=lambda theme: theme.title)

`Screen` offers these; `Dialog` is what an app makes its own from, for `screen.open`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout.containers import AnyContainer, Window
from prompt_toolkit.layout.controls import BufferControl, FormattedTextControl
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.processors import (
    AfterInput,
    ConditionalProcessor,
    PasswordProcessor,
    Processor,
)
from prompt_toolkit.mouse_events import MouseEvent, MouseEventType

from tuihost.session.session import Session
from tuihost.text import clean
from tuihost.tui.characters import width_of
from tuihost.tui.layout.splits import HSplit
from tuihost.tui.widgets.cells import Fragments, fit, glyph, wrap
from tuihost.tui.widgets.keymap import Keymap
from tuihost.tui.widgets.list_view import ListView
from tuihost.tui.widgets.panel import Panel
from tuihost.tui.widgets.text_keys import bind_one_line

Value = TypeVar("Value")
WIDTH, WIDEST = 56, 100
"""Columns of a dialog, and of one that has more to show than fits into so many."""
FEW = 7
"""Options up to which there is no filter."""
AROUND = 8
"""Rows of the window that a text leaves free."""


class Dialog(Generic[Value]):
    """A panel that gives one answer. `body` is its content, and `focus` the part that has the keys.

    `close(value)` from a key or a click gives the answer; Esc and Ctrl-C give None. Add keys to
    `keys` before it is opened. `whole` is as on `Panel`.
    """

    def __init__(
        self,
        session: Session,
        title: str,
        body: AnyContainer,
        *,
        focus: Any = None,
        width: int | Callable[[], int] = WIDTH,
        keys: Keymap | None = None,
        whole: bool = False,
    ) -> None:
        self.session = session
        self.keys = keys or Keymap(group=title)
        self.panel = Panel(
            session, title, body, bindings=self.keys.bindings, width=width, whole=whole
        )
        self.focus = focus if focus is not None else body
        self._answer: asyncio.Future[Value | None] | None = None

        @self.keys.add("escape", "c-c", label="cancel", rank=30)
        def _cancel(event: Any) -> None:
            self.close(None)

    def close(self, value: Value | None) -> None:
        """Gives the answer. Only the first counts."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(value)

    async def answered(self) -> Value | None:
        """Waits for the answer."""
        self._answer = asyncio.get_running_loop().create_future()
        return await self._answer


class Paragraphs:
    """Text in a dialog, wrapped between words, and cut if the window is too low for it."""

    def __init__(self, session: Session, text: str, style: str = "") -> None:
        self.session = session
        self.text = text
        self.style = style
        self.width: Callable[[], int] = lambda: WIDTH
        self.window = Window(
            FormattedTextControl(self._fragments),
            height=lambda: Dimension.exact(len(self._lines())),
            dont_extend_height=True,
        )

    def _lines(self) -> list[str]:
        lines = wrap(self.text, self.width()) if self.text else []
        room = max(1, self.session.terminal.size.rows - AROUND)
        if len(lines) > room:
            lines = lines[:room]
            lines[-1] = (
                fit(lines[-1], max(1, self.width() - 2)) + " " + glyph(self.session, "ellipsis")
            )
        return lines

    def _fragments(self) -> Any:
        return [(self.style, "\n".join(self._lines()))]


class Buttons(Generic[Value]):
    """A row of buttons. Left, right and Tab move, Enter presses, and so do first letters."""

    def __init__(
        self,
        session: Session,
        buttons: Sequence[tuple[str, Value]],
        press: Callable[[Value], None],
        keys: Keymap,
        chosen: int = 0,
    ) -> None:
        self.session = session
        self.buttons = [(clean(label), value) for label, value in buttons]
        self.press = press
        self.chosen = chosen
        control = FormattedTextControl(self._fragments, focusable=True, show_cursor=False)
        self.window = Window(control, height=1, dont_extend_height=True)
        many = len(buttons) > 1

        @keys.add("left", "s-tab", label="move", rank=10, when=lambda: many)
        def _left(event: Any) -> None:
            self.chosen = (self.chosen - 1) % len(self.buttons)

        @keys.add("right", "tab", label="move", rank=10, when=lambda: many)
        def _right(event: Any) -> None:
            self.chosen = (self.chosen + 1) % len(self.buttons)

        @keys.add("enter", "space", label="choose" if many else "close", rank=20)
        def _enter(event: Any) -> None:
            self.press(self.buttons[self.chosen][1])

        initials = [label[:1].lower() for label, _ in self.buttons]
        for (label, value), initial in zip(self.buttons, initials, strict=True):
            if initial.isalnum() and initials.count(initial) == 1:
                self._letter(keys, initial, label, value)

    def _letter(self, keys: Keymap, initial: str, label: str, value: Value) -> None:
        @keys.add(initial, label=label, show=False)
        def _press(event: Any) -> None:
            self.press(value)

    def _fragments(self) -> Any:
        fragments: Fragments = []
        sign = glyph(self.session, "prompt")
        blank = " " * width_of(sign)
        for index, (label, _) in enumerate(self.buttons):
            chosen = index == self.chosen
            style = "class:button.focused" if chosen else "class:button"
            text = f" {sign if chosen else blank} {label}   "
            fragments += [(style, text, self._clicker(index)), ("", "  ")]
        return fragments

    def _clicker(self, index: int) -> Callable[[MouseEvent], object]:
        def clicked(event: MouseEvent) -> object:
            if event.event_type is not MouseEventType.MOUSE_UP:
                return NotImplemented
            self.chosen = index
            self.press(self.buttons[index][1])
            return None

        return clicked


def wide(session: Session) -> int:
    """Columns for what may need many: two thirds of a wide window, as long as it can be read."""
    return max(WIDTH, min(WIDEST, session.terminal.size.columns * 2 // 3))


def _blank() -> Window:
    return Window(height=1, dont_extend_height=True)


def _asking(
    session: Session,
    title: str,
    parts: Sequence[tuple[str, str]],
    buttons: Sequence[tuple[str, Value]],
    chosen: int = 0,
) -> Dialog[Value]:
    """Styled paragraphs above buttons."""
    keys = Keymap(group=title or "Dialog")
    dialog: Dialog[Value]
    row = Buttons(session, buttons, lambda value: dialog.close(value), keys, chosen)
    texts = [Paragraphs(session, text, style) for style, text in parts if text]
    body = HSplit([*(text.window for text in texts), _blank(), row.window])
    long = any(width_of(text) > WIDTH for _, text in parts)
    width = (lambda: wide(session)) if long else WIDTH
    dialog = Dialog(session, title, body, focus=row.window, keys=keys, width=width)
    for text in texts:
        text.width = lambda: dialog.panel.inner_width
    return dialog


def message_dialog(session: Session, title: str, text: str) -> Dialog[bool]:
    """Shows a text until it has been read."""
    return _asking(session, title, [("", text)], [("Close", True)])


def confirm_dialog(
    session: Session, question: str, detail: str, *, yes: str, no: str, default: bool
) -> Dialog[bool]:
    """A question with two answers."""
    parts = [("bold", question), ("class:muted", detail)]
    return _asking(session, "", parts, [(yes, True), (no, False)], 0 if default else 1)


def prompt_dialog(
    session: Session,
    label: str,
    *,
    default: str,
    placeholder: str,
    detail: str,
    hidden: bool,
    validate: Callable[[str], str | None] | None,
) -> Dialog[str]:
    """Asks for one line. `detail` stands below it until something is wrong."""
    keys = Keymap(group=label)
    wrong: list[str] = []
    buffer = Buffer(
        document=Document(default, len(default)),
        multiline=False,
        on_text_changed=lambda _: wrong.clear(),
    )
    line = _line_to_type(session, buffer, placeholder, hidden=hidden)
    below = _below_the_line(session, detail, wrong, lambda: dialog.panel.inner_width)
    dialog: Dialog[str] = Dialog(
        session,
        label,
        HSplit([line, below]),
        focus=line,
        keys=keys,
        width=lambda: wide(session),
    )

    bind_one_line(keys, buffer, refuse=wrong.append)

    @keys.add("enter", label="done", rank=20)
    def _done(event: Any) -> None:
        text = buffer.text
        problem = validate(text) if validate is not None else None
        if problem is None:
            dialog.close(text)
        else:
            wrong[:] = [clean(problem)]

    return dialog


def _below_the_line(
    session: Session, detail: str, wrong: Sequence[str], width: Callable[[], int]
) -> Window:
    """The reasons why an answer does not do, or else `detail`; no row where there is neither."""

    def rows() -> list[str]:
        sign = f"{glyph(session, 'cross')} "
        text = "".join(sign + text for text in wrong) or clean(detail)
        return wrap(text, width())

    def fragments() -> StyleAndTextTuples:
        return [("class:error" if wrong else "class:muted", "\n".join(rows()))]

    return Window(
        FormattedTextControl(fragments),
        height=lambda: Dimension.exact(len(rows())),
        dont_extend_height=True,
    )


def _line_to_type(session: Session, buffer: Buffer, placeholder: str, *, hidden: bool) -> Window:
    """The input itself, with a placeholder while it is empty, and dots if it is hidden."""
    empty = Condition(lambda: not buffer.text)
    hint = AfterInput(clean(placeholder), style="class:input.placeholder")
    processors: list[Processor] = [ConditionalProcessor(hint, empty)]
    if hidden:
        processors.append(PasswordProcessor(glyph(session, "bullet")))
    return Window(
        BufferControl(buffer, input_processors=processors),
        height=1,
        style="class:input",
        dont_extend_height=True,
    )


def choose_dialog(
    session: Session,
    title: str,
    options: Sequence[Value],
    *,
    label: Callable[[Value], str],
    description: Callable[[Value], str] | None,
    selected: Value | None,
    on_change: Callable[[Value], None] | None,
) -> Dialog[Value]:
    """Asks for one of `options`."""
    dialog: Dialog[Value]
    view: ListView[Value] = ListView(
        session,
        options,
        label=label,
        description=description,
        key=_identity(options),
        on_open=lambda value: dialog.close(value),
        filterable=len(options) > FEW,
        empty="There is nothing to choose from.",
    )

    @view.keys.add("enter", label="choose", rank=20, when=lambda: view.selected is not None)
    def _choose(event: Any) -> Any:
        return view.open()

    if selected is not None:
        view.select(_identity(options)(selected))
    if on_change is not None:
        view.on_change = lambda value: on_change(value) if value is not None else None
    rows = len(options) + (1 if len(options) > FEW else 0)
    body = HSplit([view], height=Dimension(min=1, preferred=max(1, rows)))
    width = _needed(options, label, description)
    dialog = Dialog(session, title, body, focus=view.window, width=width)
    return dialog


def _needed(
    options: Sequence[Value],
    label: Callable[[Value], str],
    description: Callable[[Value], str] | None,
) -> int:
    """Columns in which the options fit, as a list shows them."""
    longest = max((width_of(clean(label(option))) for option in options), default=0)
    if description is None:
        return max(44, longest + 12)
    about = max((width_of(clean(description(option))) for option in options), default=0)
    # A list gives its labels two fifths of the width.
    return max(64, longest + about + 12, longest * 5 // 2 + 12)


def _identity(options: Sequence[Value]) -> Callable[[Value], int]:
    """A key for options that may not be hashable: their place."""

    def place(value: Value) -> int:
        return next(
            (i for i, option in enumerate(options) if option is value or option == value), -1
        )

    return place
