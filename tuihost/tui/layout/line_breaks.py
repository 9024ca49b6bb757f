"""Where the rows of a line begin that is too long for its window."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from wcwidth import iter_graphemes

from tuihost.text import masked
from tuihost.tui.characters import width_of

TAB = 4
"""A tab leads to the next column that this divides."""
CLEAR = 64
"""Characters behind a change after which no cluster reaches back to it."""


def row_starts(line: str, width: int) -> tuple[int, ...]:
    """Where the rows of a line begin, as places in it, so that each has at most `width` cells: a
    word is broken only if it is longer than that. A blank at the end of a row may be one more."""
    if line.isascii() and line.isprintable():
        return (0, *_starts_of_ascii(line, width))
    return (0, *_starts_from(masked(line), 0, width))


def _starts_of_ascii(line: str, width: int) -> Iterator[int]:
    at = 0
    while len(line) - at > width:
        end = at + width
        blank = line.rfind(" ", at, end)
        at = end + 1 if line[end] == " " else blank + 1 if blank >= at else end
        if at < len(line):
            yield at


def _starts_from(line: str, at: int, width: int) -> Iterator[int]:
    """Where rows begin after the one that begins at `at`."""
    start = can_break = at
    column = used = since_break = 0  # cells of this row, and of what follows its last blank
    for cluster in iter_graphemes(line, at):
        cells = TAB - column % TAB if cluster == "\t" else width_of(cluster)
        if used + cells > width and at > start and not (cluster == " " and used == width):
            if can_break <= start:
                can_break, since_break = at, 0
            start, used = can_break, since_break
            yield start
        column += cells if cluster == "\t" else len(cluster)
        at += len(cluster)
        used += cells
        since_break += cells
        if cluster in (" ", "\t") or cells == 2:
            can_break, since_break = at, 0


def starts_again(line: str, width: int, before: str, starts: tuple[int, ...]) -> tuple[int, ...]:
    """The same as `row_starts(line, width)`, from what that gave for the line as it was before a
    change: only the rows around the change are made anew."""
    if "\t" in line or "\t" in before or (line.isascii() and line.isprintable()):
        return row_starts(line, width)
    same = _same(before, line)
    end = _same(before[same:][::-1], line[same:][::-1])
    more = len(line) - len(before)
    kept = max(0, bisect_right(starts, same) - 3)  # the rows before may have room for more now
    found = list(starts[: kept + 1])
    old = frozenset(starts)
    for start in _starts_from(masked(line), found[-1], width):
        if start >= len(line) - end + CLEAR and start - more in old:
            place = bisect_left(starts, start - more)
            return (*found, *(begin + more for begin in starts[place:]))
        found.append(start)
    return tuple(found)


def _same(text: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    low, high = 0, min(len(text), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if text[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
