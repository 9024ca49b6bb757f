"""Fields that hold so much and no more: what is too much is refused as a whole, never cut."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document

LINE_LIMIT = 8192
"""Characters of a field of one line, as of a command line over SSH."""


class TextLimit:
    """Takes a change of `buffer` back that makes its text longer than `limit` characters, and tells
    `refuse` in a sentence for the person. `room` may say of a text why there is no room for it, or
    "". What the program itself puts there stays: `keep` it.

    Thread: the session's.
    """

    def __init__(
        self,
        buffer: Buffer,
        refuse: Callable[[str], None],
        limit: int = LINE_LIMIT,
        *,
        room: Callable[[str], str] | None = None,
    ) -> None:
        self.limit = limit
        self._refuse = refuse
        self._room = room
        self._kept = buffer.text
        buffer.on_text_changed += self._changed

    def keep(self, text: str) -> None:
        """The program puts this text there next, however long it is."""
        self._kept = text

    def problem(self, over: int) -> str:
        """What is said of a change that makes the text so many characters too long."""
        characters = "character" if over == 1 else "characters"
        room = f"There is room for {self.limit:,}"
        return f"Nothing was added: that is {over:,} {characters} too long. {room}."

    def _changed(self, buffer: Buffer) -> None:
        text = buffer.text
        more, over = len(text) - len(self._kept), len(text) - self.limit
        if over > 0 and more > 0:
            problem = self.problem(over)
        else:
            problem = self._room(text) if self._room is not None else ""
        if problem and more > 0:
            at = max(0, buffer.cursor_position - more)
            buffer.set_document(Document(self._kept, at), bypass_readonly=True)
            self._refuse(problem)
        else:
            self._kept = text
