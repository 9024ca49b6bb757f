"""What a person would see: a terminal in memory that shows what the host sends."""

from __future__ import annotations

import codecs
import re
from typing import Any

import pyte
from wcwidth import wcwidth

# What pyte would print as text: keyboard and title stacks, links, clipboard, other OSC strings.
_UNKNOWN = re.compile(
    r"\x1b\[[<>=][0-9;:]*[a-zA-Z]|\x1b\[[0-9;]*t|\x1b\[[0-9;]* q"
    r"|\x1b\](?![012];)(?:[^\x07\x1b]|\x1b(?!\\))*(?:\x07|\x1b\\)"
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|\](?:[^\x07\x1b]|\x1b(?!\\))*\x1b?)?\Z")
_FIRST_WIDE = "\u1100"
"""No character before it takes two cells."""


class _Pyte(pyte.Screen):
    """pyte's screen with the alternate screen that it lacks."""

    def __init__(self, columns: int, lines: int) -> None:
        super().__init__(columns, lines)
        self._main: tuple[Any, Any] | None = None

    def set_mode(self, *modes: int, **kwargs: Any) -> None:
        if kwargs.get("private") and 1049 in modes and self._main is None:
            self._main = ({row: dict(cells) for row, cells in self.buffer.items()}, self.cursor)
            self.erase_in_display(2)
            self.cursor_position(1, 1)
        super().set_mode(*modes, **kwargs)

    def reset_mode(self, *modes: int, **kwargs: Any) -> None:
        if kwargs.get("private") and 1049 in modes and self._main is not None:
            rows, self.cursor = self._main
            self._main = None
            self.erase_in_display(2)
            for row, cells in rows.items():
                self.buffer[row].update(cells)
        super().reset_mode(*modes, **kwargs)

    @property
    def alternate(self) -> bool:
        return self._main is not None


class Screen:
    """A terminal of a size, with what it shows as text. With `plain`, a line feed alone ends a
    line, as in what a host sends without a terminal."""

    def __init__(self, columns: int = 80, rows: int = 24, *, plain: bool = False) -> None:
        self._pyte = _Pyte(columns, rows)
        if plain:
            self._pyte.set_mode(pyte.modes.LNM)
        self._stream = pyte.Stream(self._pyte)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def feed(self, data: bytes) -> None:
        """Shows what arrived; sequences may be cut anywhere."""
        text = self._held + self._decoder.decode(data)
        unfinished = _UNFINISHED.search(text)
        cut = unfinished.start() if unfinished else len(text)
        self._held = text[cut:]
        self._stream.feed(_UNKNOWN.sub("", text[:cut]))

    def resize(self, columns: int, rows: int) -> None:
        self._pyte.resize(rows, columns)

    @property
    def lines(self) -> tuple[str, ...]:
        """Every row, without trailing blanks."""
        return tuple(self._row(row).rstrip() for row in range(self._pyte.lines))

    def _row(self, row: int) -> str:
        # What pyte itself gives as `display` looks each cell up in tables, a thousand times for
        # what a test looks at once.
        cells = self._pyte.buffer[row]
        if not cells:
            return ""
        data = [cells[column].data for column in range(self._pyte.columns)]
        text = "".join(data)
        if text.isascii() or max(text) < _FIRST_WIDE:
            return text
        shown, under_wide = [], False
        for cell in data:
            if not under_wide:
                shown.append(cell)
            under_wide = not under_wide and wcwidth(cell[:1]) == 2
        return "".join(shown)

    @property
    def text(self) -> str:
        """All rows as one text, without blank rows at the end."""
        return "\n".join(self.lines).rstrip()

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row, from zero."""
        return self._pyte.cursor.x, self._pyte.cursor.y

    @property
    def alternate(self) -> bool:
        """Whether the alternate screen is shown, as full-screen programs do."""
        return self._pyte.alternate

    @property
    def title(self) -> str:
        return str(self._pyte.title)

    def styles(self, row: int) -> tuple[tuple[str, str, str, bool, bool], ...]:
        """One row as cells: character, foreground, background, bold, reverse."""
        cells = self._pyte.buffer[row]
        return tuple(
            (cell.data, cell.fg, cell.bg, cell.bold, cell.reverse)
            for cell in (cells[column] for column in range(self._pyte.columns))
        )
