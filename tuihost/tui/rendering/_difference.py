"""How two frames differ, as bytes for a terminal.

Rows that nobody changed are the same object in both frames, and equal rows are found by comparing
dictionaries of shared cells, which Python does in C; only what is left is looked at closely.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prompt_toolkit.data_structures import Point, Size
from prompt_toolkit.layout.screen import Screen

from tuihost.tui.rendering._row_difference import NOTHING, RowTarget, RowText, forward, row_text
from tuihost.tui.rendering._styles import PLAIN, RESET, StyleCache, StyleCodes
from tuihost.tui.rendering.frame import Row
from tuihost.tui.terminal.output import TerminalOutput


class _FrameWriter:
    """Collects what moves the cursor and draws, and knows where that leaves the cursor."""

    __slots__ = ("absolute", "known", "out", "style", "target", "x", "y")

    def __init__(self, position: Point, target: RowTarget, absolute: bool) -> None:
        self.x, self.y = position.x, position.y
        self.target = target
        self.absolute = absolute
        self.known = True  # False after characters whose width terminals disagree about
        self.style = PLAIN
        self.out: list[str] = []

    def reset(self) -> None:
        """Back to plain text."""
        self._set_style(PLAIN)

    def _set_style(self, codes: StyleCodes) -> None:
        if codes != self.style:
            self.out.append(self.target.step(self.style, codes))
            self.style = codes

    def erase_all(self) -> None:
        """Erases whatever may stand in the frame, and goes to its beginning."""
        self.out.append(RESET)
        if self.absolute:
            self.out.append("\x1b[H")
            self.x = self.y = 0
        else:
            self.go(0, 0)
        self.out.append("\x1b[J")

    def go(self, x: int, y: int) -> None:
        """Moves the cursor, in few bytes."""
        width = self.target.width
        if y == self.y and x == self.x and self.known and x < width:
            return
        if y != self.y and self.absolute:
            self.out.append("\r\n" if x == 0 and y == self.y + 1 else _absolute(x, y))
        elif y > self.y:
            # Only a newline scrolls at the bottom; it must not scroll in a coloured line.
            self.reset()
            self.out.append("\r\n" * (y - self.y) + forward(x))
        else:
            if y < self.y:
                self.out.append(f"\x1b[{self.y - y}A")
            # At the right margin terminals differ about where the cursor is.
            if not self.known or self.x >= width or x == 0:
                self.out.append("\r" + forward(x))
            elif x < self.x:
                self.out.append("\b" if x == self.x - 1 else f"\x1b[{self.x - x}D")
            else:
                self.out.append(forward(x - self.x))
        self.x, self.y, self.known = x, y, True

    def row(self, y: int, row: RowText) -> None:
        """Draws what differs of one row."""
        self.go(row.start, y)
        self._set_style(row.first)
        self.out.append(row.text)
        self.style, self.x, self.known = row.last, row.end, row.known


def _absolute(x: int, y: int) -> str:
    return f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"


def _changed(old: Screen | None, new: Screen, count: int) -> Iterator[tuple[int, Row, Row]]:
    """The rows that are not the same in both frames."""
    # dict.get, not []: asking for a row by its number would make it, or copy a shared one.
    rows: Mapping[int, Row] = new.data_buffer
    before: Mapping[int, Row] = old.data_buffer if old is not None else {}
    for y in range(count):
        row, was = rows.get(y), before.get(y)
        if row is not was and row != was:
            yield y, was or NOTHING, row or NOTHING


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
    target = RowTarget(styles, size.columns, output.plain, output.erases_in_color)
    writer = _FrameWriter(position, target, absolute)
    if old is None:
        writer.erase_all()
    before = old.height if old is not None else 0
    for y, was, row in _changed(old, new, min(max(new.height, before), size.rows)):
        text = row_text(target, was, row, new.zero_width_escapes.get(y))
        if text is not None:
            writer.row(y, text)
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
