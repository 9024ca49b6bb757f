"""Text to write, over many lines.

editor = TextEditor(session, note.text, on_save=store)
screen = Screen(session, "Note", editor, status=lambda: "unsaved" if editor.dirty else "")
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition, FilterOrBool
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout.containers import Container, HSplit, WindowRenderInfo
from prompt_toolkit.layout.controls import UIContent
from prompt_toolkit.layout.margins import ConditionalMargin, Margin, ScrollbarMargin
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.widgets import TextArea

from tuihost.session.session import Session
from tuihost.text import clean
from tuihost.tui.widgets.keymap import Keymap

LIMIT = 200_000
"""Characters that a text can have by default: what is typed is kept in the host's memory."""


class _Indent(Margin):
    """Room on the left, so that text begins where it does in other widgets."""

    def get_width(self, get_ui_content: Callable[[], UIContent]) -> int:
        return 2

    def create_margin(
        self, window_render_info: WindowRenderInfo, width: int, height: int
    ) -> StyleAndTextTuples:
        return []


class TextEditor:
    """A text area that wraps lines and knows whether its text was saved.

    `on_save(text)` is called for Ctrl-S and may be `async`; unless it returns False the text then
    counts as saved. `limit` is the most characters it takes. `line_numbers`, `lexer` and
    `read_only` are prompt_toolkit's.

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
        self.limit = limit
        self.keys = Keymap(group="Text")
        self.area = TextArea(
            text=clean(text, lines=True)[:limit],
            wrap_lines=True,
            line_numbers=line_numbers,
            read_only=read_only,
            lexer=lexer,
            focus_on_click=True,
        )
        window = self.area.window
        window.right_margins = [ConditionalMargin(ScrollbarMargin(), Condition(self._overflows))]
        if not line_numbers:
            window.left_margins = [_Indent()]
        self._saved = self.text
        self.buffer.on_text_changed += self._keep_to_limit
        self._bind()
        self.container = HSplit([self.area], key_bindings=self.keys.bindings)

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
        text = clean(text, lines=True)[: self.limit]
        self._saved = text
        self.buffer.document = Document(text, min(len(text), self.buffer.cursor_position))

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

    def _bind(self) -> None:
        if self.on_save is not None:

            @self.keys.add("c-s", label="save", rank=20)
            async def _save(event: Any) -> None:
                await self.save()

        @self.keys.add("c-z", "c-_", label="undo", show=False)
        def _undo(event: Any) -> None:
            self.buffer.undo()

        @self.keys.add("c-y", label="redo", show=False)
        def _redo(event: Any) -> None:
            self.buffer.redo()

    def _overflows(self) -> bool:
        info = self.area.window.render_info
        return info is not None and info.content_height > info.window_height

    def _keep_to_limit(self, buffer: Buffer) -> None:
        if len(buffer.text) > self.limit:
            cursor = min(buffer.cursor_position, self.limit)
            buffer.set_document(Document(buffer.text[: self.limit], cursor), bypass_readonly=True)
