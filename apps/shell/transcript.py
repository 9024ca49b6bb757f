"""What was typed and what came of it, as rows that can be scrolled through.

Commands write bytes of any kind. Colours are kept, `\\r` starts the line again (as in a progress
bar), and everything else that could move the cursor or change the terminal is dropped.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, groupby
from typing import Any

from prompt_toolkit.formatted_text import ANSI, StyleAndTextTuples, to_formatted_text
from prompt_toolkit.utils import get_cwidth

KEPT = 5000  # rows
MAX_LINE = 20_000  # characters of one line without an end

_DROPPED = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-ln-~]"  # every sequence except colours, which end in m
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b(?!\[[0-9;:]*m)."
    r"|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)


_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")


def harmless(text: str) -> str:
    """The text with its colours, tabs and line ends, and without any other sequence."""
    return _DROPPED.sub("", text)


def plain(text: str) -> str:
    """The same without colours."""
    return _COLOURS.sub("", harmless(text))


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """A line as it was written, to be wrapped for any width."""

    number: int
    fragments: StyleAndTextTuples


@dataclass(frozen=True, slots=True)
class _Row:
    """The part of a line that one row shows."""

    line: _Line
    part: int
    fragments: StyleAndTextTuples


class Transcript:
    """A `RowSource`. Thread: the session's."""

    def __init__(self) -> None:
        self._rows: list[_Row] = []
        self._numbers = count()
        self._open = ""
        self._open_line: _Line | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.width = 80

    # ------------------------------------------------------------------ RowSource

    def row_count(self) -> int:
        return len(self._rows)

    def row(self, index: int, width: int) -> StyleAndTextTuples:
        return [("", " "), *self._rows[index].fragments]

    def row_key(self, index: int) -> Hashable:
        row = self._rows[index]
        return row.line.number, row.part, self.width

    def wrap(self, width: int, top: int = 0) -> int:
        """Wraps every line anew, for rows of so many cells. Where the row `top` has come to."""
        at_top = self._rows[top] if top < len(self._rows) else None
        lines = dict.fromkeys(row.line for row in self._rows)
        before, self.width = self.width, width
        self._rows = [row for line in lines for row in self._wrapped(line)]
        self._drop_oldest()
        if at_top is None:
            return len(self._rows)
        part = at_top.part * before // width
        places = (
            index
            for index, row in enumerate(self._rows)
            if row.line is at_top.line and row.part <= part
        )
        return max(places, default=0)

    # ------------------------------------------------------------------ writing

    def say(self, fragments: StyleAndTextTuples) -> None:
        """Adds a line of the shell's own."""
        self.end_line()
        self._add(fragments)

    def write(self, data: bytes) -> None:
        """Adds output of a command, which may be cut anywhere."""
        text = self._decoder.decode(data).replace("\r\n", "\n").expandtabs(8)
        *full, rest = text.split("\n")
        for line in full:
            self._grow(line)
            self.end_line()
        if rest:
            self._grow(rest)

    def end_line(self) -> None:
        """Whatever comes next begins a new line."""
        self._open, self._open_line = "", None

    def clear(self) -> None:
        self._rows.clear()
        self.end_line()

    def _grow(self, text: str) -> None:
        """Draws the unfinished line again, with more of it."""
        whole = self._open + text
        self._open = whole[whole.rfind("\r", 0, len(whole) - 1) + 1 :][:MAX_LINE]
        while self._rows and self._rows[-1].line is self._open_line:
            del self._rows[-1]
        shown = harmless(self._open.replace("\r", ""))
        self._open_line = self._add(to_formatted_text(ANSI(shown)))

    def _add(self, fragments: StyleAndTextTuples) -> _Line:
        line = _Line(next(self._numbers), _joined(fragments))
        self._rows += self._wrapped(line)
        self._drop_oldest()
        return line

    def _wrapped(self, line: _Line) -> Iterator[_Row]:
        for part, fragments in enumerate(wrapped(line.fragments, self.width)):
            yield _Row(line, part, fragments)

    def _drop_oldest(self) -> None:
        if len(self._rows) > KEPT:
            del self._rows[: len(self._rows) - KEPT]


def wrapped(fragments: StyleAndTextTuples, width: int) -> list[StyleAndTextTuples]:
    """The line in rows of at most `width` cells, broken between words where there are some. At
    least one row."""
    rows: list[StyleAndTextTuples] = []
    row: list[tuple[str, str, int]] = []  # style, character and cells
    used = word = 0  # cells of the row, and where its last word begins
    inked = False  # a row is not broken at the blanks that it begins with
    for style, text, *_ in fragments:
        for char in text:
            cells = get_cwidth(char)
            if used + cells > width:
                if char == " ":
                    word = len(row)
                    continue
                begun = row[word:] if word else []
                rows.append(_joined(row[: len(row) - len(begun)]))
                row, word, inked = begun, 0, bool(begun)
                used = sum(cells for *_, cells in row)
            row.append((style, char, cells))
            used += cells
            inked = inked or char != " "
            if char == " " and inked:
                word = len(row)
    return [*rows, _joined(row)]


def _joined(pieces: Iterable[Sequence[Any]]) -> StyleAndTextTuples:
    """Pieces, each with its style and text first, with those of one style together."""
    grouped = groupby(pieces, key=lambda piece: piece[0])
    return [(style, "".join(piece[1] for piece in several)) for style, several in grouped]
