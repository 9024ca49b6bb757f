"""How two frames differ, as bytes for a terminal.

Two things make it quick. Rows that nobody changed are the same object in both frames, and equal
rows are found by comparing dictionaries of shared cells, which Python does in C; only what is left
is looked at cell by cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from zlib import crc32

from prompt_toolkit.data_structures import Point, Size
from prompt_toolkit.layout.screen import _CHAR_CACHE, Char, Screen
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import BaseStyle, StyleTransformation

from tuihost.tui.rendering.frame import BLANK, Row
from tuihost.tui.terminal.output import TerminalOutput, sgr

# ------------------------------------------------------------------------------------- styles

_LINK = re.compile(r"\[link:((?:https?://|mailto:)[!-Z\\^-~]{1,2048})\]", re.IGNORECASE)
_RESET = "\x1b[0m"
_PENS_KEPT = 8192


class Pen(NamedTuple):
    """What a style string comes to on one kind of terminal."""

    sgr: str
    link: str
    """The target of an OSC 8 hyperlink, or empty."""
    visible: bool
    """Whether a space in this style differs from nothing at all."""


class Pens(dict[str, Pen]):
    """The pens of one style at one colour depth, worked out when first asked for.

    Threads: any, so that every session in one theme can share them. Bounded: apps make up style
    strings, and links are part of them.
    """

    def __init__(
        self, style: BaseStyle, transformation: StyleTransformation | None, depth: ColorDepth
    ) -> None:
        super().__init__()
        self._style = style
        self._transformation = transformation
        self._depth = depth

    def __missing__(self, style: str) -> Pen:
        attrs = self._style.get_attrs_for_style_str(style)
        if self._transformation is not None:
            attrs = self._transformation.transform_attrs(attrs)
        link = _LINK.search(style)
        visible = any(
            (attrs.color, attrs.bgcolor, attrs.underline, attrs.strike, attrs.blink, attrs.reverse)
        )
        if len(self) >= _PENS_KEPT:
            self.clear()
        pen = self[style] = Pen(sgr(attrs, self._depth), link[1] if link else "", visible)
        return pen


# ------------------------------------------------------------------------------- the difference

# Direction marks, which would reorder the rest of the row, and anything that could steer the
# terminal. prompt_toolkit joins characters without width to the cell before them.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class _Pencil:
    """Collects what moves the cursor and draws, and knows where that leaves the cursor."""

    __slots__ = ("absolute", "known", "link", "links", "out", "pens", "sgr", "width", "x", "y")

    def __init__(self, position: Point, width: int, pens: Pens, absolute: bool, links: bool):
        self.x, self.y = position.x, position.y
        self.width = width
        self.pens = pens
        self.absolute = absolute
        self.links = links
        self.known = True  # False after characters whose width terminals disagree about
        self.sgr = _RESET  # every frame ends like this
        self.link = ""
        self.out: list[str] = []

    def reset(self) -> None:
        """Back to plain text."""
        if self.link:
            self._set_link("")
        if self.sgr != _RESET:
            self.sgr = _RESET
            self.out.append(_RESET)

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
        pens, width, out = self.pens, self.width, self.out
        end = last_visible(new, width, pens)
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
            if x != self.x or y != self.y or not self.known:
                self.go(x, y)
            if escapes and x in escapes:
                out.append(escapes[x])
            sgr, link, _ = pens[cell.style]
            if link != self.link and self.links:
                self._set_link(link)
            if sgr != self.sgr:
                self.sgr = sgr
                out.append(sgr)
            char = cell.char
            if len(char) == 1:
                out.append(char)
                self.known = char < "\U0001f000"
            else:
                out.append(_STEERING.sub("", char))
                self.known = char.isascii()
            x += cell.width
            self.x = x
        if end < last_visible(old, width, pens):
            self.go(end + 1, y)
            self.reset()
            out.append("\x1b[K")


def _forward(amount: int) -> str:
    if amount > 1:
        return f"\x1b[{amount}C"
    return "\x1b[C" if amount else ""


def last_visible(row: Row, width: int, pens: Pens) -> int:
    """The last column that shows anything; 0 for an empty row. What is beyond need not be sent,
    so that text copied from the screen has no spaces at the ends of its lines."""
    x = min(max(row, default=0), width - 1)
    blank: Char | None = None
    while x > 0:
        cell = row.get(x)
        if cell is not None and cell is not blank:
            if cell.char != " " or pens[cell.style].visible:
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
    pens: Pens,
    size: Size,
    position: Point,
    cursor: Point,
    absolute: bool,
    done: bool = False,
) -> Point:
    """Writes to `output` what turns frame `old` into `new`; nothing where there is nothing to do.

    `old` None means that anything may stand there: all is erased and drawn. `position` is where
    the cursor is, `cursor` where it shall be; where it is in the end is returned. `absolute` says
    that the frame begins at the top left corner of the terminal; else it begins wherever the
    cursor was, and lines below are made by scrolling. `done` leaves the frame in place and the
    cursor on the line below it.
    """
    if done:
        old, absolute = None, False
    pencil = _Pencil(position, size.columns, pens, absolute, links=not output.plain)
    if old is None:
        if absolute:
            pencil.out.append("\x1b[0m\x1b[H\x1b[J")
            pencil.x = pencil.y = 0
        else:
            pencil.out.append(_RESET)
            pencil.go(0, 0)
            pencil.out.append("\x1b[J")
    before = old.height if old is not None else 0
    for y, was, row in _changed(old, new, min(max(new.height, before), size.rows)):
        pencil.row(y, was, row, new.zero_width_escapes.get(y))
    height = min(new.height, size.rows)
    if height > before and not absolute:
        pencil.go(0, height - 1)  # the terminal scrolls, even where the last lines are empty
    drawn = bool(pencil.out)
    if done:
        pencil.reset()
        pencil.go(0, height)
        pencil.out.append("\x1b[J")
    else:
        pencil.go(cursor.x, cursor.y)
    pencil.reset()
    _send(output, pencil, drawn, wraps=done or not absolute, fresh=old is None)
    if new.show_cursor:
        output.show_cursor()
    else:
        output.hide_cursor()
    return Point(x=pencil.x, y=pencil.y)


def _send(
    output: TerminalOutput, pencil: _Pencil, drawn: bool, *, wraps: bool, fresh: bool
) -> None:
    """The bytes of a frame, with the cursor hidden and without wrapping at the margin."""
    if drawn:
        output.hide_cursor()
        if fresh or wraps:
            output.disable_autowrap()
    if pencil.out:
        output.write_raw("".join(pencil.out))
    if drawn and wraps:
        output.enable_autowrap()
