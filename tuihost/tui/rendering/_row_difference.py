"""How two rows of cells differ, as bytes for a terminal.

Rows that are drawn once and shown to many people are compared once, too: what comes of two of them
is kept for everybody who sees the same two in the same style.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from zlib import crc32

from prompt_toolkit.layout.screen import _CHAR_CACHE, Char

from tuihost.tui.rendering._styles import PLAIN, StyleCache, StyleCodes, looks_alike
from tuihost.tui.rendering.frame import BLANK, DrawnRow, Row

# Direction marks, which would reorder the rest of the row, and anything that could steer the
# terminal. prompt_toolkit joins characters without width to the cell before them.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

# Joiners and selectors of emoji: some terminals draw what they join as one, in fewer cells. Each
# part is drawn for itself, in cells that it has everywhere.
_JOINING = re.compile("(?<=[\u2600-\U0001ffff])[\u200d\ufe0f]+")

UNCERTAIN = "\U0001f000"
"""Terminals disagree about the width of characters from here on, and of clusters."""

_WORTH_WRITING = 3
"""Cells between two that differ, which take no more bytes than a move over them."""
_WORTH_ERASING = 3
"""Blank cells from which on it takes fewer bytes to erase them."""
_WORTH_SKIPPING = 9
"""The same where something else follows: the cursor has to be moved over them."""
_TEXTS_KEPT = 4_096

NOTHING = DrawnRow()
"""The row on which nothing stands."""


class RowTarget(NamedTuple):
    """What rows are written for: styles as codes, and a terminal of so many columns. `plain` if it
    knows nothing beyond a VT100, `erases_in_color` if what is erased gets the background that is
    set."""

    styles: StyleCache
    width: int
    plain: bool
    erases_in_color: bool

    def step(self, before: StyleCodes, after: StyleCodes) -> str:
        """What turns one style into another."""
        if self.plain:
            return "" if after.sgr == before.sgr else after.sgr
        link = "" if after.link == before.link else _link(after.link)
        return link if after.sgr == before.sgr else link + self.styles.step(before.sgr, after.sgr)


class RowText(NamedTuple):
    """What is written of a row: `text` from column `start` on, begun in the style `first`. The
    cursor is in column `end` then, and the style is `last`. `known` is False if terminals disagree
    about where it is."""

    start: int
    first: StyleCodes
    text: str
    last: StyleCodes
    end: int
    known: bool


_texts: dict[tuple[int, int, bool, bool, int, int], RowText | None] = {}


def row_text(
    target: RowTarget, old: Row, new: Row, escapes: Mapping[int, str] | None
) -> RowText | None:
    """What turns row `old` into row `new`; None if they look the same. `escapes` go out before the
    cells of their columns, if those are drawn. Thread: any."""
    if escapes or type(old) is not DrawnRow or type(new) is not DrawnRow:
        return _written(target, old, new, escapes or {})
    key = (target.styles.number, *target[1:], old.number, new.number)
    try:
        return _texts[key]
    except KeyError:
        if len(_texts) >= _TEXTS_KEPT:
            _texts.clear()
        text = _texts[key] = _written(target, old, new, {})
        return text


def _written(target: RowTarget, old: Row, new: Row, escapes: Mapping[int, str]) -> RowText | None:
    writer = _RowWriter(target)
    writer.row(old, new, escapes)
    return writer.text()


class _RowWriter:
    """Collects what turns one row into another, of which the first `start` cells are the same."""

    __slots__ = ("_target", "first", "known", "out", "start", "style", "x")

    def __init__(self, target: RowTarget) -> None:
        self._target = target
        self.out: list[str] = []
        self.start = self.x = -1
        self.first = self.style = PLAIN
        self.known = True

    def text(self) -> RowText | None:
        """None if nothing differs."""
        if self.start < 0:
            return None
        return RowText(self.start, self.first, "".join(self.out), self.style, self.x, self.known)

    def anew(self) -> None:
        """The whole row, on an empty one: what stood there took as many cells as the terminal
        thought, and would look out from beneath."""
        self.start = self.x = 0
        self.known = True
        self.first = self.style = PLAIN
        self.out = ["\x1b[2K"]

    def row(self, old: Row, new: Row, escapes: Mapping[int, str]) -> None:
        """Draws the cells that differ, and erases what is left over at the end."""
        # The hottest loop of all: a call for each cell would cost a tenth of a frame.
        target = self._target
        styles, width, out = target.styles, target.width, self.out
        last = last_visible(new, width, styles)
        end, paper = self._erasable(new, last)
        x = 0
        while x <= end:
            cell, was = new.get(x, BLANK), old.get(x, BLANK)
            if cell.width == 1 and was.width == 1:
                if cell is was or (
                    cell.char == was.char
                    and (
                        cell.style == was.style
                        or looks_alike(cell.char, styles[cell.style], styles[was.style])
                    )
                ):
                    x += 1
                    continue
            else:
                cell, seen = _shown(new, x, width), _seen(old, x, width)
                if seen is not None and cell == seen:
                    x += cell.width
                    continue
            char, gone = cell.char, was.char
            if old and (len(char) > 1 or char >= UNCERTAIN or len(gone) > 1 or gone >= UNCERTAIN):
                self.anew()
                self.row({}, new, escapes)
                return
            codes = styles[cell.style]
            if x != self.x or not self.known:
                self._go(x, new, codes)
            if x in escapes:
                out.append(escapes[x])
            if codes is not self.style and not looks_alike(char, codes, self.style):
                self._set_style(codes)
            if char == " " and (run := self._blank_run(new, x, end)) > _WORTH_SKIPPING:
                out.append(f"\x1b[{run}X")
                x += run
                continue
            if len(char) == 1:
                out.append(char)
                self.known = char < UNCERTAIN
            else:
                out.append(_JOINING.sub("", _STEERING.sub("", char)))
                self.known = char.isascii()
            x += cell.width
            self.x = x
        if paper is not None:
            self._erase(end + 1, last, old, new, paper)
        elif end < last_visible(old, width, styles):
            self._go(end + 1, new, PLAIN)
            self._set_style(PLAIN)
            out.append("\x1b[K")

    def _erasable(self, row: Row, last: int) -> tuple[int, StyleCodes | None]:
        """The last column that has to be drawn, if what follows can be erased in a colour, and
        that; else `last`."""
        target = self._target
        if not target.erases_in_color or last < target.width - 1:
            return last, None
        codes = target.styles[row.get(last, BLANK).style]
        paper, x = codes.paper, last
        if paper is None:
            return last, None
        while x >= 0:
            cell = row.get(x, BLANK)
            if cell.char != " " or target.styles[cell.style].paper != paper:
                break
            x -= 1
        return (x, codes) if last - x > _WORTH_ERASING else (last, None)

    def _blank_run(self, row: Row, start: int, end: int) -> int:
        """How many cells from there on can be erased at once, in the style that is set."""
        target, x = self._target, start
        if not target.erases_in_color or self.style.paper is None:
            return 0
        while x <= end:
            cell = row.get(x, BLANK)
            if cell.char != " " or target.styles[cell.style].paper != self.style.paper:
                break
            x += 1
        return x - start

    def _erase(self, x: int, last: int, old: Row, new: Row, codes: StyleCodes) -> None:
        """Erases from column `x` on, if anything else stands anywhere there."""
        styles, paper = self._target.styles, codes.paper
        while x <= last:
            was = old.get(x, BLANK)
            if was.char != " " or was.width != 1 or styles[was.style].paper != paper:
                break
            x += 1
        else:
            return
        if x != self.x or not self.known:
            self._go(x, new, codes)
        if self.style.paper != paper:
            self._set_style(codes)
        self.out.append("\x1b[K")

    def _set_style(self, codes: StyleCodes) -> None:
        if self.start == self.x and not self.out:
            self.first = self.style = codes
            return
        self.out.append(self._target.step(self.style, codes))
        self.style = codes

    def _go(self, x: int, row: Row, codes: StyleCodes) -> None:
        """Moves the cursor forward to where something in the style `codes` comes, in few bytes."""
        if self.start < 0:
            self.start = x
        elif not self.known or self.x >= self._target.width:
            # At the right margin terminals differ about where the cursor is.
            self.out.append("\r" + forward(x))
        elif x - self.x > _WORTH_WRITING or not self._write_again(x, row, codes):
            self.out.append(forward(x - self.x))
        self.x, self.known = x, True

    def _write_again(self, x: int, row: Row, codes: StyleCodes) -> bool:
        """Writes the cells up to column `x`, which are there already, if that can be done in the
        style that is set or in the one that comes."""
        styles = self._target.styles
        cells = [row.get(column, BLANK) for column in range(self.x, x)]
        if not all(cell.char.isascii() and cell.char.isprintable() for cell in cells):
            return False
        for style in (self.style, codes):
            if all(looks_alike(cell.char, styles[cell.style], style) for cell in cells):
                self._set_style(style)
                self.out.extend(cell.char for cell in cells)
                return True
        return False


def _link(target: str) -> str:
    """Opens a link, or closes the last one."""
    # The id keeps the parts of one link together however they were drawn.
    opening = f"id={crc32(target.encode()):x};{target}" if target else ";"
    return f"\x1b]8;{opening}\x1b\\"


def forward(amount: int) -> str:
    if amount > 1:
        return f"\x1b[{amount}C"
    return "\x1b[C" if amount else ""


def last_visible(row: Row, width: int, styles: StyleCache) -> int:
    """The last column that shows anything; 0 for an empty row. Nothing beyond it is sent, so that
    text copied from the screen has no spaces at the ends of its lines."""
    x = min(max(row, default=0), width - 1)
    blank: Char | None = None
    while x > 0:
        cell = row.get(x)
        if cell is not None and cell is not blank:
            if cell.char != " " or styles[cell.style].visible:
                break
            blank = cell
        x -= 1
    return max(x, 0)


def _whole(row: Row, x: int, width: int) -> bool:
    """Whether a wide character at `x` has all its columns: none written over, none outside."""
    span = row.get(x, BLANK).width
    return x + span <= width and all(
        row.get(other, BLANK).char == "" for other in range(x + 1, x + span)
    )


def _shown(row: Row, x: int, width: int) -> Char:
    """The cell to show at `x`: itself, or a space for half a character."""
    cell = row.get(x, BLANK)
    if cell.width == 1 or (cell.width > 1 and _whole(row, x, width)):
        return cell
    return _CHAR_CACHE[" ", cell.style]


def _seen(row: Row, x: int, width: int) -> Char | None:
    """The cell that stands at `x` on the terminal; None for the right part of a wide one."""
    if row.get(x, BLANK).char == "":
        left = x - 1
        while left >= 0 and row.get(left, BLANK).char == "":
            left -= 1
        if left >= 0 and left + row.get(left, BLANK).width > x and _whole(row, left, width):
            return None
    return _shown(row, x, width)
