"""How two frames differ, as bytes for a terminal.

Two things make it quick. Rows that nobody changed are the same object in both frames, and equal
rows are found by comparing dictionaries of shared cells, which Python does in C; only what is left
is looked at cell by cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from zlib import crc32

from prompt_toolkit.data_structures import Point, Size
from prompt_toolkit.layout.screen import _CHAR_CACHE, Char, Screen

from tuihost.tui.rendering._styles import RESET, StyleCache
from tuihost.tui.rendering.frame import BLANK, Row
from tuihost.tui.terminal.output import TerminalOutput

# Direction marks, which would reorder the rest of the row, and anything that could steer the
# terminal. prompt_toolkit joins characters without width to the cell before them.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

# Joiners and selectors of emoji: some terminals draw what they join as one, in fewer cells. Each
# part is drawn for itself, in cells that it has everywhere.
_JOINING = re.compile("(?<=[\u2600-\U0001ffff])[\u200d\ufe0f]+")

UNCERTAIN = "\U0001f000"
"""Terminals disagree about the width of characters from here on, and of clusters."""


class _FrameWriter:
    """Collects what moves the cursor and draws, and knows where that leaves the cursor."""

    __slots__ = ("absolute", "known", "link", "links", "out", "sgr", "styles", "width", "x", "y")

    def __init__(
        self, position: Point, width: int, styles: StyleCache, absolute: bool, links: bool
    ):
        self.x, self.y = position.x, position.y
        self.width = width
        self.styles = styles
        self.absolute = absolute
        self.links = links
        self.known = True  # False after characters whose width terminals disagree about
        self.sgr = RESET
        self.link = ""
        self.out: list[str] = []

    def reset(self) -> None:
        """Back to plain text."""
        if self.link:
            self._set_link("")
        if self.sgr != RESET:
            self.sgr = RESET
            self.out.append(RESET)

    def erase_all(self) -> None:
        """Erases whatever may stand in the frame, and goes to its beginning."""
        self.out.append(RESET)
        if self.absolute:
            self.out.append("\x1b[H")
            self.x = self.y = 0
        else:
            self.go(0, 0)
        self.out.append("\x1b[J")

    def _set_style(self, sgr: str, link: str) -> None:
        if link != self.link and self.links:
            self._set_link(link)
        if sgr != self.sgr:
            self.sgr = sgr
            self.out.append(sgr)

    def _set_link(self, link: str) -> None:
        self.link = link
        # The id keeps the parts of one link together however they were drawn.
        opening = f"id={crc32(link.encode()):x};{link}" if link else ";"
        self.out.append(f"\x1b]8;{opening}\x1b\\")

    def go(self, x: int, y: int) -> None:
        """Moves the cursor, in few bytes."""
        if y == self.y and x == self.x and self.known and x < self.width:
            return
        if y != self.y and self.absolute:
            self.out.append("\r\n" if x == 0 and y == self.y + 1 else f"\x1b[{y + 1};{x + 1}H")
        elif y > self.y:
            # Only a newline scrolls at the bottom; it must not scroll in a coloured line.
            self.reset()
            self.out.append("\r\n" * (y - self.y) + _forward(x))
        else:
            if y < self.y:
                self.out.append(f"\x1b[{self.y - y}A")
            # At the right margin terminals differ about where the cursor is.
            if not self.known or self.x >= self.width or x == 0:
                self.out.append("\r" + _forward(x))
            elif x < self.x:
                self.out.append("\b" if x == self.x - 1 else f"\x1b[{self.x - x}D")
            else:
                self.out.append(_forward(x - self.x))
        self.x, self.y, self.known = x, y, True

    def row(self, y: int, old: Row, new: Row, escapes: Mapping[int, str] | None) -> None:
        """Draws the cells of one row that differ, and erases what is left over at its end."""
        # The hottest loop of all: a call for each cell would cost a tenth of a frame.
        styles, width, out = self.styles, self.width, self.out
        end = last_visible(new, width, styles)
        x = 0
        while x <= end:
            cell, was = new.get(x, BLANK), old.get(x, BLANK)
            if cell.width == 1 and was.width == 1:
                if cell is was or (cell.char == was.char and cell.style == was.style):
                    x += 1
                    continue
            else:
                cell, seen = _shown(new, x, width), _seen(old, x, width)
                if seen is not None and cell == seen:
                    x += cell.width
                    continue
            char, gone = cell.char, was.char
            if old and (len(char) > 1 or char >= UNCERTAIN or len(gone) > 1 or gone >= UNCERTAIN):
                self._row_anew(y, new, escapes)
                return
            if x != self.x or y != self.y or not self.known:
                self.go(x, y)
            if escapes and x in escapes:
                out.append(escapes[x])
            sgr, link, _ = styles[cell.style]
            if sgr != self.sgr or link != self.link:
                self._set_style(sgr, link)
            if len(char) == 1:
                out.append(char)
                self.known = char < UNCERTAIN
            else:
                out.append(_JOINING.sub("", _STEERING.sub("", char)))
                self.known = char.isascii()
            x += cell.width
            self.x = x
        if end < last_visible(old, width, styles):
            self.go(end + 1, y)
            self.reset()
            out.append("\x1b[K")

    def _row_anew(self, y: int, new: Row, escapes: Mapping[int, str] | None) -> None:
        """Draws a whole row on an empty one: what stood there took as many cells as the terminal
        thought, and would look out from beneath."""
        self.go(0, y)
        self.reset()
        self.out.append("\x1b[2K")
        self.row(y, {}, new, escapes)


def _forward(amount: int) -> str:
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


def _changed(old: Screen | None, new: Screen, count: int) -> Iterator[tuple[int, Row, Row]]:
    """The rows that are not the same in both frames."""
    # dict.get, not []: asking for a row by its number would make it, or copy a shared one.
    rows: Mapping[int, Row] = new.data_buffer
    before: Mapping[int, Row] = old.data_buffer if old is not None else {}
    for y in range(count):
        row, was = rows.get(y), before.get(y)
        if row is not was and row != was:
            yield y, was or {}, row or {}


def draw_difference(
    output: TerminalOutput,
    old: Screen | None,
    new: Screen,
    *,
    styles: StyleCache,
    size: Size,
    position: Point,
    cursor: Point,
    absolute: bool,
    done: bool = False,
) -> Point:
    """Writes to `output` what turns frame `old` into `new`; nothing if there is nothing to do.

    If `old` is None, anything may be on the screen: all is erased and drawn. `position` is where
    the cursor is, `cursor` where it should go; the result is where it went. `absolute` says
    that the frame begins at the top left corner of the terminal; else it begins wherever the
    cursor was, and lines below are made by scrolling. `done` leaves the frame in place and the
    cursor on the line below it.
    """
    if done:
        old, absolute = None, False
    writer = _FrameWriter(position, size.columns, styles, absolute, links=not output.plain)
    if old is None:
        writer.erase_all()
    before = old.height if old is not None else 0
    for y, was, row in _changed(old, new, min(max(new.height, before), size.rows)):
        writer.row(y, was, row, new.zero_width_escapes.get(y))
    height = min(new.height, size.rows)
    if height > before and not absolute:
        writer.go(0, height - 1)  # the terminal scrolls, even where the last lines are empty
    drawn = bool(writer.out)
    if done:
        writer.reset()
        writer.go(0, height)
        writer.out.append("\x1b[J")
    else:
        writer.go(cursor.x, cursor.y)
    writer.reset()
    _send(output, writer, drawn, wraps=done or not absolute, fresh=old is None)
    if new.show_cursor:
        output.show_cursor()
    else:
        output.hide_cursor()
    return Point(x=writer.x, y=writer.y)


def _send(
    output: TerminalOutput, writer: _FrameWriter, drawn: bool, *, wraps: bool, fresh: bool
) -> None:
    """The bytes of a frame, with the cursor hidden and without wrapping at the margin."""
    if drawn:
        output.hide_cursor()
        if fresh or wraps:
            output.disable_autowrap()
    if writer.out:
        output.write_raw("".join(writer.out))
    if drawn and wraps:
        output.enable_autowrap()
