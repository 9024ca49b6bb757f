"""Text to write, over many lines.

editor = TextEditor(session, note.text, on_save=store)
screen = Screen(session, "Note", editor, status=lambda: "unsaved" if editor.dirty else "")
"""

from __future__ import annotations

from collections.abc import Callable
from sys import getsizeof
from typing import Any

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition, FilterOrBool
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout.containers import (
    ConditionalContainer,
    Container,
    Window,
    WindowRenderInfo,
)
from prompt_toolkit.layout.controls import FormattedTextControl, UIContent
from prompt_toolkit.layout.margins import ConditionalMargin, Margin, ScrollbarMargin
from prompt_toolkit.lexers import DynamicLexer, Lexer
from prompt_toolkit.widgets import TextArea

from tuihost.errors import TookTooMuch
from tuihost.session.session import Session
from tuihost.text import without_bom
from tuihost.tui.defaults import undo_bytes
from tuihost.tui.layout.splits import HSplit
from tuihost.tui.widgets._wrapped import WrappedControl
from tuihost.tui.widgets.keymap import Keymap
from tuihost.tui.widgets.text_keys import bind_clusters
from tuihost.tui.widgets.text_limit import TextLimit

LIMIT = 200_000
"""Characters that a text can have by default: what is typed is kept in the host's memory."""

STEP = 1 << 18
"""Bytes by which the memory that an editor holds is counted: a small text costs no count."""
FEW = 2
"""Texts whose lines prompt_toolkit remembers."""
COPIES, A_LINE, A_FILLED = 8, 100, 120
"""What prompt_toolkit and the rows keep of a text: copies of it, bytes for each line, and bytes for
each line that is not empty."""


class _Indent(Margin):
    """Room on the left, so that text begins where it does in other widgets."""

    def get_width(self, get_ui_content: Callable[[], UIContent]) -> int:
        return 2

    def create_margin(
        self, window_render_info: WindowRenderInfo, width: int, height: int
    ) -> StyleAndTextTuples:
        return []


class _Numbers(Margin):
    """The numbers of the lines, each beside its first row."""

    def __init__(self, control: WrappedControl) -> None:
        self._control = control

    def get_width(self, get_ui_content: Callable[[], UIContent]) -> int:
        return max(3, len(str(self._control.buffer.document.line_count)) + 1)

    def create_margin(
        self, window_render_info: WindowRenderInfo, width: int, height: int
    ) -> StyleAndTextTuples:
        shown: StyleAndTextTuples = []
        for row in window_render_info.displayed_lines:
            line = self._control.line_at(row)
            number = f"{line + 1:>{width - 1}} " if line is not None else ""
            shown.append(("class:line-number", f"{number}\n"))
        return shown


class TextEditor:
    """A text area that breaks lines between words and knows whether its text was saved.

    `on_save(text)` is called for Ctrl-S and may be `async`; unless it returns False the text then
    counts as saved. A change that would make it longer than `limit` characters is refused as a
    whole, with a line that says so; nothing is ever cut, and no character replaced. `line_numbers`,
    `lexer` and `read_only` are prompt_toolkit's.

    Thread: the session's.
    """

    def __init__(
        self,
        session: Session,
        text: str = "",
        *,
        on_save: Callable[[str], Any] | None = None,
        line_numbers: bool = False,
        read_only: FilterOrBool = False,
        lexer: Lexer | None = None,
        limit: int = LIMIT,
    ) -> None:
        self.session = session
        self.on_save = on_save
        self.keys = Keymap(group="Text")
        self.area = TextArea(text=text, wrap_lines=False, read_only=read_only, lexer=lexer)
        self._control = self.area.control = WrappedControl(
            buffer=self.area.buffer,
            lexer=DynamicLexer(lambda: self.area.lexer),
            focus_on_click=True,
        )
        window = self.area.window
        window.content = self._control
        window.right_margins = [ConditionalMargin(ScrollbarMargin(), Condition(self._overflows))]
        window.left_margins = [_Numbers(self._control) if line_numbers else _Indent()]
        self._keep_few()
        self._saved = self.text
        self._refusal = ""
        self.buffer.on_text_changed += self._forget_refusal
        self._memory = session.hold()
        self._count(self.text)
        self._limit = TextLimit(self.buffer, self._refuse, limit, room=self._no_room)
        self._bind()
        below = Window(FormattedTextControl(self._refused), height=1, dont_extend_height=True)
        shown = ConditionalContainer(below, filter=Condition(lambda: bool(self._refusal)))
        self.container = HSplit([self.area, shown], key_bindings=self.keys.bindings)

    def __pt_container__(self) -> Container:
        return self.container

    @property
    def buffer(self) -> Buffer:
        """prompt_toolkit's buffer."""
        return self.area.buffer

    @property
    def text(self) -> str:
        """What stands there now. Assign to replace it; the new text counts as saved."""
        return self.area.text

    @text.setter
    def text(self, text: str) -> None:
        self._saved = text
        self._limit.keep(text)
        self.buffer.document = Document(text, min(len(text), self.buffer.cursor_position))

    @property
    def limit(self) -> int:
        """The most characters that it can have. Assign to change it."""
        return self._limit.limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._limit.limit = limit

    @property
    def dirty(self) -> bool:
        """Whether there is something to save."""
        return self.area.text != self._saved

    def saved(self) -> None:
        """The text as it is counts as saved."""
        self._saved = self.area.text

    def position_text(self) -> str:
        """Where the cursor is: `12:4`, line and column."""
        document = self.area.document
        return f"{document.cursor_position_row + 1}:{document.cursor_position_col + 1}"

    async def save(self) -> None:
        """Saves: calls `on_save` and remembers what was saved."""
        if self.on_save is None:
            return
        text = self.text
        result = self.on_save(text)
        if hasattr(result, "__await__"):
            result = await result
        if result is not False:
            self._saved = text

    # ------------------------------------------------------------------ keys

    def _bind(self) -> None:
        keys, buffer = self.keys, self.buffer
        bind_clusters(keys, buffer)
        self._bind_moves()
        self._bind_clipboard()
        if self.on_save is not None:

            @keys.add("c-s", label="save", rank=20)
            async def _save(event: Any) -> None:
                await self.save()

        @keys.add("c-z", "c-_", label="undo", show=False)
        def _undo(event: Any) -> None:
            buffer.undo()

        @keys.add("c-y", label="redo", show=False)
        def _redo(event: Any) -> None:
            buffer.redo()

    def _bind_moves(self) -> None:
        """Up and down by the rows that are seen, not by the lines of the text."""
        for name, rows in (("up", -1), ("down", 1), ("c-p", -1), ("c-n", 1)):
            self.keys.add(name)(lambda event, rows=rows: self._move_rows(rows))
        for name, pages in (("pageup", -1), ("pagedown", 1)):
            self.keys.add(name)(lambda event, pages=pages: self._move_rows(pages * self._page()))

    def _move_rows(self, rows: int) -> None:
        self.buffer.exit_selection()
        self._control.move_rows(rows)

    def _page(self) -> int:
        info = self.area.window.render_info
        return max(1, info.window_height - 1) if info is not None else 1

    def _bind_clipboard(self) -> None:
        keys = self.keys

        def selected() -> bool:
            return self.buffer.selection_state is not None

        @keys.add("c-c", "escape w", label="copy", rank=21, when=selected, eager=True)
        def _copy(event: Any) -> None:
            self._to_clipboard(self.buffer.copy_selection())

        @keys.add("c-x", label="cut", rank=22, when=selected, eager=True)
        def _cut(event: Any) -> None:
            self.buffer.save_to_undo_stack()
            self._to_clipboard(self.buffer.cut_selection())

        def copied() -> bool:
            return bool(get_app().clipboard.get_data().text)

        @keys.add("c-v", label="paste", rank=23, when=copied)
        def _paste(event: Any) -> None:
            self._insert(event.app.clipboard.get_data().text)

        @keys.add(Keys.BracketedPaste.value)
        def _pasted(event: Any) -> None:
            self._insert(without_bom(event.data).replace("\r\n", "\n").replace("\r", "\n"))

    def _to_clipboard(self, data: Any) -> None:
        """Keeps it for Ctrl-V here, and gives it to the person's own machine."""
        get_app().clipboard.set_data(data)
        self.session.copy(data.text)

    def _insert(self, text: str) -> None:
        """Puts a text in place of what is selected, or refuses it."""
        buffer = self.buffer
        begin, end = buffer.document.selection_range() if buffer.selection_state else (0, 0)
        over = len(buffer.text) - (end - begin) + len(text) - self.limit
        if over > 0 and len(text) > end - begin:
            self._refuse(self._limit.problem(over))
            return
        buffer.save_to_undo_stack()
        if buffer.selection_state is not None:
            buffer.cut_selection()
        buffer.insert_text(text)

    # ------------------------------------------------------------------ how it looks

    def _overflows(self) -> bool:
        info = self.area.window.render_info
        return info is not None and info.content_height > info.window_height

    def _refused(self) -> StyleAndTextTuples:
        return [("class:error", f"  {self._refusal}")]

    def _forget_refusal(self, buffer: Buffer) -> None:
        self._refusal = ""

    def _refuse(self, sentence: str) -> None:
        self._refusal = sentence

    # ------------------------------------------------------------------ what it holds

    def _keep_few(self) -> None:
        """prompt_toolkit remembers the lines of ten texts, and where each begins, and what a lexer
        made of eight. The text before a change and the one after it are enough."""
        self.buffer._document_cache.size = self._control._fragment_cache.maxsize = FEW

    def close(self) -> None:
        """Gives back the memory that the text and its undo take; the end of the session does, too.
        For an app that opens many texts, one after the other."""
        self._memory.close()

    def _no_room(self, text: str) -> str:
        """Why there is no room for this text; "" if there is, perhaps without what could be
        undone."""
        try:
            self._count(text)
        except TookTooMuch:
            self.buffer._undo_stack.clear()
            self.buffer._redo_stack.clear()
            try:
                self._count(text)
            except TookTooMuch as error:
                return str(error)
        return ""

    def _count(self, text: str) -> None:
        """Holds as much as the editor takes now. Raises `TookTooMuch`."""
        lines = text.count("\n")
        lines_size = A_LINE * lines + A_FILLED * (lines - text.count("\n\n"))
        size = COPIES * getsizeof(text) + lines_size + undo_bytes(self.buffer)
        self._memory.set(size // STEP * STEP)
