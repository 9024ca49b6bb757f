"""A long text as rows, of which only those that are asked for are made."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import overload

from tuihost.text import clean
from tuihost.tui.layout.line_breaks import row_starts
from tuihost.tui.terminal.ascii import to_ascii

Row = tuple[tuple[str, str], ...]


class PlainRows(Sequence[Row]):
    """The rows of a plain text in so many columns, broken between words. It keeps the text, and
    eight bytes for each of its lines. Thread: one."""

    def __init__(self, text: str, width: int, *, unicode: bool) -> None:
        text = clean(text, lines=True).removesuffix("\n").expandtabs(8)
        self._text = text if unicode else to_ascii(text)
        self._width = max(1, width)
        self._begins, self._firsts = array("I"), array("I")
        self._last: tuple[int, str, tuple[int, ...]] = (-1, "", (0,))
        self._count = self._find_lines()

    def _find_lines(self) -> int:
        """Finds where each line and its first row begin; the number of rows."""
        text, width, rows, begin = self._text, self._width, 0, 0
        while begin <= len(text):
            end = text.find("\n", begin)
            end = len(text) if end < 0 else end
            self._begins.append(begin)
            self._firsts.append(rows)
            line = text[begin:end]
            fits = len(line) <= width and line.isascii()
            rows += 1 if fits else len(row_starts(line, width))
            begin = end + 1
        self._begins.append(len(text) + 1)
        return rows

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(self._count))]
        if not 0 <= index < self._count:
            raise IndexError(index)
        number = bisect_right(self._firsts, index) - 1
        line, starts = self._line(number)
        at = index - self._firsts[number]
        end = starts[at + 1] if at + 1 < len(starts) else len(line)
        return (("", line[starts[at] : end]),)

    def __iter__(self) -> Iterator[Row]:
        for number in range(len(self._firsts)):
            line, starts = self._line(number)
            for begin, end in pairwise((*starts, len(line))):
                yield (("", line[begin:end]),)

    def _line(self, number: int) -> tuple[str, tuple[int, ...]]:
        """A line, and where its rows begin."""
        if self._last[0] != number:
            line = self._text[self._begins[number] : self._begins[number + 1] - 1]
            self._last = (number, line, row_starts(line, self._width))
        return self._last[1:]
