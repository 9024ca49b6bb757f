"""A text that is edited, in rows that are broken between words.

prompt_toolkit breaks a long line wherever the window ends. Here the control itself makes the rows,
so the window has nothing left to break.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from prompt_toolkit.data_structures import Point
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.formatted_text.utils import fragment_list_len
from prompt_toolkit.layout.controls import BufferControl, UIContent
from prompt_toolkit.layout.processors import (
    Processor,
    TabsProcessor,
    Transformation,
    TransformationInput,
)
from prompt_toolkit.mouse_events import MouseEvent
from wcwidth import iter_graphemes

from tuihost.text import masked
from tuihost.tui.characters import width_of
from tuihost.tui.layout.line_breaks import TAB, row_starts, starts_again

if TYPE_CHECKING:
    from prompt_toolkit.key_binding.key_bindings import NotImplementedOrNone

KEPT = 100_000
"""Characters of lines whose rows are remembered, besides twice those of the text."""
ONE_ROW = (0,)
LONG = 2000
"""Characters from which on a line that was changed is not broken into rows from its beginning."""


class _Masked(Processor):
    """Shows `·` for what could steer the terminal; the text stays as it is."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        fragments = transformation_input.fragments
        return Transformation([(part[0], masked(part[1]), *part[2:]) for part in fragments])


class _Tabs(TabsProcessor):
    """Shows tabs as blanks. Lines without any, however long, cost nothing."""

    def __init__(self) -> None:
        super().__init__(tabstop=TAB, char1=" ", char2=" ")

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        if not any("\t" in part[1] for part in transformation_input.fragments):
            return Transformation(transformation_input.fragments)
        return super().apply_transformation(transformation_input)


class WrappedControl(BufferControl):
    """A `BufferControl` whose lines are rows of the window. Use it in a window that does not wrap
    lines. Tabs are blanks."""

    def __init__(self, **more: Any) -> None:
        super().__init__(input_processors=[_Masked(), _Tabs()], **more)
        self._known: dict[str, tuple[int, ...]] = {}
        self._width = 0
        self._lines: list[str] = []
        self._held = 0  # characters of the lines in `_known`
        self._first = array("I", [0])
        self._goal = (-1, 0)
        self._long: tuple[str, int, tuple[int, ...]] = ("", 0, (0,))

    # ------------------------------------------------------------------ rows and lines

    def _arrange(self, document: Document, width: int) -> None:
        """Finds the rows of each line. `_first` has the row at which each line begins, and at the
        end the number of rows."""
        if width == self._width and self._lines is document.lines:
            return
        if width != self._width or self._held > 2 * len(document.text) + KEPT:
            self._width, self._known, self._held = width, {}, 0
        room = max(1, width - 1)  # one cell for the cursor behind the text
        self._lines = document.lines
        for line in self._lines:
            if (len(line) > room or not line.isascii() or "\t" in line) and line not in self._known:
                self._known[line] = self._starts(line, room)
                self._held += len(line)
        self._first = array("I", accumulate(map(len, map(self._rows, self._lines)), initial=0))

    def _rows(self, line: str) -> tuple[int, ...]:
        """Where the rows of a line begin. Most lines have one and are not remembered."""
        return self._known.get(line, ONE_ROW)

    def _starts(self, line: str, room: int) -> tuple[int, ...]:
        if len(line) < LONG:
            return row_starts(line, room)
        before, width, starts = self._long
        if width == room:
            starts = starts_again(line, room, before, starts)
        else:
            starts = row_starts(line, room)
        self._long = (line, room, starts)
        return starts

    def _place(self, document: Document) -> tuple[int, int]:
        """The row of the cursor, and where that row begins in its line."""
        line, column = document.cursor_position_row, document.cursor_position_col
        starts = self._rows(self._lines[line])
        row = bisect_right(starts, column) - 1
        return self._first[line] + row, starts[row]

    def _span(self, row: int) -> tuple[int, int, int | None]:
        """The line of a row, and where the row begins and ends in it; None for the line's end."""
        line = bisect_right(self._first, row) - 1
        starts = self._rows(self._lines[line])
        at = row - self._first[line]
        return line, starts[at], starts[at + 1] if at + 1 < len(starts) else None

    def line_at(self, row: int) -> int | None:
        """The line that begins at a row; None if the row goes on with one."""
        line, begin, _ = self._span(row)
        return line if begin == 0 else None

    # ------------------------------------------------------------------ a BufferControl

    def create_content(self, width: int, height: int, preview_search: bool = False) -> UIContent:
        whole = super().create_content(width, height, preview_search)
        processed = self._last_get_processed_line
        document = self.buffer.document
        assert processed is not None, "the lines were made just now"
        self._arrange(document, width)

        def get_line(row: int) -> StyleAndTextTuples:
            line, begin, end = self._span(row)
            display = processed(line).source_to_display
            fragments = whole.get_line(line)
            last = fragment_list_len(fragments) if end is None else display(end)
            return _part(fragments, display(begin), last)

        row, begin = self._place(document)
        line, column = document.cursor_position_row, document.cursor_position_col
        display = processed(line).source_to_display
        return UIContent(
            get_line=get_line,
            line_count=self._first[-1],
            cursor_position=Point(x=display(column) - display(begin), y=row),
        )

    def mouse_handler(self, mouse_event: MouseEvent) -> NotImplementedOrNone:
        processed, at = self._last_get_processed_line, mouse_event.position
        if processed is None or not self._first[-1]:
            return NotImplemented
        line, begin, end = self._span(min(at.y, self._first[-1] - 1))
        display = processed(line).source_to_display
        column = display(begin) + at.x
        if end is not None:
            column = min(column, display(end) - 1)
        return super().mouse_handler(
            MouseEvent(
                position=Point(x=column, y=line),
                event_type=mouse_event.event_type,
                button=mouse_event.button,
                modifiers=mouse_event.modifiers,
            )
        )

    def move_cursor_down(self) -> None:
        self.move_rows(1)

    def move_cursor_up(self) -> None:
        self.move_rows(-1)

    # ------------------------------------------------------------------ up and down

    def move_rows(self, rows: int) -> None:
        """Moves the cursor so many rows down, or up. It stays at its column where there is one."""
        buffer = self.buffer
        document = buffer.document
        self._arrange(document, self._width or 80)
        row, begin = self._place(document)
        line, column = document.cursor_position_row, document.cursor_position_col
        at, goal = self._goal
        if at != buffer.cursor_position:
            goal = _cells(self._lines[line][begin:column])
        target = min(max(0, row + rows), self._first[-1] - 1)
        line, begin, end = self._span(target)
        text = self._lines[line][begin:end]
        column, used = begin, 0
        for cluster in iter_graphemes(text):
            used += _cells(cluster)
            if used > goal or (end is not None and column + len(cluster) >= end):
                break
            column += len(cluster)
        buffer.cursor_position = document.translate_row_col_to_index(line, column)
        self._goal = (buffer.cursor_position, goal)


def _cells(text: str) -> int:
    return width_of(masked(text).replace("\t", " " * TAB))


def _part(fragments: StyleAndTextTuples, begin: int, end: int) -> StyleAndTextTuples:
    """The characters from `begin` to `end`."""
    found: StyleAndTextTuples = []
    at = 0
    for fragment in fragments:
        style, text, *rest = fragment
        part = text[max(0, begin - at) : max(0, end - at)]
        at += len(text)
        if part:
            found.append((style, part, *rest))  # type: ignore[arg-type]  # as it was
        if at >= end:
            break
    return found
