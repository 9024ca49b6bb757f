"""A window of rows that are drawn once and shown many times.

prompt_toolkit's `Window` takes the whole content, splits and measures it, and copies it to the
screen cell by cell, in every frame. A `RowWindow` asks only for the rows in view, keeps the cells
of each under the key its source gives it, and shows them by reference: a frame in which two rows
changed costs two rows.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast
from weakref import WeakValueDictionary

from prompt_toolkit.application.current import get_app
from prompt_toolkit.data_structures import Point
from prompt_toolkit.filters import FilterOrBool, to_filter
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding.key_bindings import KeyBindingsBase
from prompt_toolkit.layout.containers import Window
from prompt_toolkit.layout.controls import GetLinePrefixCallable, UIContent, UIControl
from prompt_toolkit.layout.dimension import AnyDimension
from prompt_toolkit.layout.mouse_handlers import MouseHandler, MouseHandlers
from prompt_toolkit.layout.screen import _CHAR_CACHE, Screen, WritePosition
from prompt_toolkit.mouse_events import MouseButton, MouseEvent, MouseEventType

from tuihost.tui.rendering.frame import DrawnRow, FrameScreen, Row

if TYPE_CHECKING:
    from prompt_toolkit.key_binding.key_bindings import NotImplementedOrNone

WHEEL_ROWS = 3
"""Rows that one notch of the mouse wheel moves."""

_JOINED = 8  # characters in one cell: enough for any script, too few to cost anything
_NOTHING = _CHAR_CACHE["", ""]  # the right part of a wide character


class RowSource(Protocol):
    """Where the rows come from. Called on the app's thread, for rows in view only."""

    def row_count(self) -> int:
        """How many rows there are now."""

    def row(self, index: int, width: int) -> StyleAndTextTuples:
        """The fragments of one row. What goes beyond `width` columns is not shown."""

    def row_key(self, index: int) -> Hashable:
        """Stands for everything that `row` depends on except the width: content, selection, theme.
        While the key stays the same, `row` is not called again."""


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class _RowCells:
    """The cells of one row, and the escape sequences to send before some of them."""

    cells: Row
    escapes: dict[int, str]


_SHARED: WeakValueDictionary[Hashable, _RowCells] = WeakValueDictionary()
"""Rows that are on anybody's screen, by all that they are drawn from: most people see the same."""


class _RowControl(UIControl):
    """What prompt_toolkit asks about the content; the drawing is the window's."""

    def __init__(
        self, source: RowSource, focusable: FilterOrBool, bindings: KeyBindingsBase | None
    ) -> None:
        self._source = source
        self._focusable = to_filter(focusable)
        self._bindings = bindings

    def preferred_height(
        self,
        width: int,
        max_available_height: int,
        wrap_lines: bool,
        get_line_prefix: GetLinePrefixCallable | None,
    ) -> int | None:
        return min(self._source.row_count(), max_available_height)

    def is_focusable(self) -> bool:
        return self._focusable()

    def get_key_bindings(self) -> KeyBindingsBase | None:
        return self._bindings

    def create_content(self, width: int, height: int | None) -> UIContent:
        """The content as text, for the few that need it."""
        rows = self._source
        return UIContent(get_line=lambda index: rows.row(index, width), line_count=rows.row_count())


class RowWindow(Window):
    """Shows the rows of `source`, from `offset` on, with the row `cursor` always in view.

    It is a prompt_toolkit container like any other: it can be focused, has key bindings, a style
    and dimensions, and can be in splits and floats. Lines are never wrapped and margins not drawn.

    `cursor` is the index of the current row, or None if there is none and `offset` alone says
    what is in view. `row_style(index)` gives a style that fills the row up to its right edge, such
    as a selection. `on_click(index)` and `on_scroll(rows)` hear the mouse; without `on_scroll`
    the wheel scrolls and takes the cursor along.

    Thread: the app's.
    """

    def __init__(
        self,
        source: RowSource,
        *,
        cursor: int | None = None,
        margin: int = 1,
        style: str | Callable[[], str] = "",
        row_style: Callable[[int], str] | None = None,
        on_click: Callable[[int], object] | None = None,
        on_scroll: Callable[[int], object] | None = None,
        key_bindings: KeyBindingsBase | None = None,
        focusable: FilterOrBool = True,
        width: AnyDimension = None,
        height: AnyDimension = None,
        dont_extend_width: FilterOrBool = False,
        dont_extend_height: FilterOrBool = False,
        z_index: int | None = None,
    ) -> None:
        super().__init__(
            content=_RowControl(source, focusable, key_bindings),
            width=width,
            height=height,
            dont_extend_width=dont_extend_width,
            dont_extend_height=dont_extend_height,
            style=style,
            z_index=z_index,
        )
        self.source = source
        self.cursor = cursor
        self.offset = 0
        self.margin = margin
        self.row_style = row_style
        self.on_click = on_click
        self.on_scroll = on_scroll
        self._position = WritePosition(0, 0, 0, 0)
        self._rows: dict[Hashable, _RowCells] = {}

    # ---------------------------------------------------------------- moving about

    @property
    def page(self) -> int:
        """How many rows were in view last, at least one."""
        return max(1, self._position.height)

    @property
    def columns(self) -> int:
        """How wide the rows were last, 0 before the first frame."""
        return self._position.width

    @property
    def last_offset(self) -> int:
        """The largest offset that leaves no room below the last row."""
        return max(0, self.source.row_count() - self.page)

    def scroll(self, rows: int) -> None:
        """Moves the view by so many rows, down if positive, and the cursor as far as needed to
        stay in it."""
        last = self.last_offset
        self.offset = min(max(0, min(self.offset, last) + rows), last)
        if self.cursor is not None:
            margin = self._margin(self.page)
            last = self.source.row_count() - 1
            top = self.offset + (margin if self.offset else 0)
            bottom = self.offset + self.page - 1
            bottom -= margin if bottom < last else 0
            self.cursor = max(0, min(max(self.cursor, top), bottom, last))

    def move(self, rows: int) -> None:
        """Moves the cursor by so many rows, as far as there are any."""
        last = self.source.row_count() - 1
        self.cursor = max(0, min((self.cursor or 0) + rows, last))

    def forget(self) -> None:
        """Drops all cells that are kept, after a change that no row's key shows."""
        self._rows.clear()

    def reset(self) -> None:
        """prompt_toolkit resets every container when a program starts; the place is kept."""
        self.content.reset()

    def _margin(self, height: int) -> int:
        return min(self.margin, max(0, (height - 1) // 2))

    def _keep_in_view(self, count: int, height: int) -> None:
        if self.cursor is not None and count:
            self.cursor = cursor = min(max(0, self.cursor), count - 1)
            margin = self._margin(height)
            highest = cursor - margin  # the view may begin here, or before
            lowest = cursor + margin - height + 1  # or here, or after
            self.offset = max(min(self.offset, highest), lowest)
        self.offset = min(max(0, self.offset), max(0, count - height))

    # ---------------------------------------------------------------- drawing

    def _write_to_screen_at_index(
        self,
        screen: Screen,
        mouse_handlers: MouseHandlers,
        write_position: WritePosition,
        parent_style: str,
        erase_bg: bool,
    ) -> None:
        area = write_position
        if area.width <= 0 or area.height <= 0:
            return
        count = self.source.row_count()
        self._position = area
        self._keep_in_view(count, area.height)
        own = self.style() if callable(self.style) else self.style
        style = f"{parent_style} {own}".strip()
        self._write_rows(screen, count, style, fill=erase_bg or bool(style))
        self._write_cursor(screen)
        mouse_handlers.set_mouse_handler_for_range(
            x_min=area.xpos,
            x_max=area.xpos + area.width,
            y_min=area.ypos,
            y_max=area.ypos + area.height,
            handler=self._mouse,
        )
        screen.height = max(screen.height, area.ypos + area.height)
        screen.visible_windows_to_write_positions[self] = area

    def _write_rows(self, screen: Screen, count: int, style: str, *, fill: bool) -> None:
        x, top = self._position.xpos, self._position.ypos
        width, height = self._position.width, self._position.height
        source, known = self.source, self._rows
        shared = screen if isinstance(screen, FrameScreen) and width >= screen.columns else None
        used: dict[Hashable, _RowCells] = {}
        for y in range(top, top + height):
            index = self.offset + y - top
            bar = ""
            if index < count:
                bar = self.row_style(index) if self.row_style is not None else ""
                key: Hashable = (source.row_key(index), bar, x, width, style, fill)
            elif fill:
                key = (None, x, width, style)
            else:
                break
            drawn = used.get(key) or known.get(key)
            if drawn is None:
                line = source.row(index, width) if index < count else []
                whole = f"{style} {bar}".strip()
                drawn = _shared_row(line, x, width, whole, fill=fill or bool(bar))
            used[key] = drawn
            if shared is not None:
                shared.place(y, x, drawn.cells)
            else:
                screen.data_buffer[y].update(drawn.cells)
            if drawn.escapes:
                screen.zero_width_escapes[y].update(drawn.escapes)
        # What has left the view may come back; more than a second view of it is not kept.
        known.update(used)
        if len(known) > 2 * height + 8:
            self._rows = used

    def _write_cursor(self, screen: Screen) -> None:
        """Puts the terminal's cursor, unseen, at the current row: screen readers and magnifiers
        follow it."""
        if self.cursor is None:
            return
        area = self._position
        row = min(max(0, self.cursor - self.offset), area.height - 1)
        at = Point(x=area.xpos, y=area.ypos + row)
        screen.set_cursor_position(self, at)
        screen.set_menu_position(self, at)

    # ---------------------------------------------------------------- mouse

    def _mouse(self, event: MouseEvent) -> NotImplementedOrNone:
        if self not in get_app().layout.walk_through_modal_area():
            return NotImplemented
        match event.event_type:
            case MouseEventType.SCROLL_UP:
                return self._wheel(-WHEEL_ROWS)
            case MouseEventType.SCROLL_DOWN:
                return self._wheel(WHEEL_ROWS)
            case _:
                return self._press(event)

    def _wheel(self, rows: int) -> NotImplementedOrNone:
        if self.on_scroll is not None:
            self.on_scroll(rows)
        else:
            self.scroll(rows)
        return None

    def _press(self, event: MouseEvent) -> NotImplementedOrNone:
        index = self.offset + event.position.y - self._position.ypos
        column = event.position.x - self._position.xpos
        if not 0 <= index < self.source.row_count():
            return NotImplemented
        fragment = fragment_at(self.source.row(index, self._position.width), column)
        if fragment is not None and len(fragment) > 2:
            handler = cast(MouseHandler, fragment[2])
            inside = MouseEvent(
                position=Point(x=column, y=index),
                event_type=event.event_type,
                button=event.button,
                modifiers=event.modifiers,
            )
            if handler(inside) is not NotImplemented:
                return None
        if (
            self.on_click is None
            or event.event_type is not MouseEventType.MOUSE_UP
            or event.button not in (MouseButton.LEFT, MouseButton.NONE, MouseButton.UNKNOWN)
        ):
            return NotImplemented
        self.on_click(index)
        return None


# ------------------------------------------------------------------------------------- cells


def _shared_row(
    fragments: StyleAndTextTuples, x: int, width: int, style: str, *, fill: bool
) -> _RowCells:
    """What `draw_row` draws; the same object for everybody meanwhile. Thread: any."""
    key = (tuple((part, text) for part, text, *_ in fragments), x, width, style, fill)
    drawn = _SHARED.get(key)
    if drawn is None:
        drawn = _SHARED[key] = draw_row(fragments, x, width, style, fill=fill)
    return drawn


def draw_row(
    fragments: StyleAndTextTuples, x: int, width: int, style: str, *, fill: bool
) -> _RowCells:
    """The cells of one row that begins at column `x` and ends before `x + width`, each in `style`
    and the style of its fragment; with `fill`, blank ones up to the end.

    Control characters show as prompt_toolkit shows them (`^[`); a wide character of which only a
    part would fit is left out.
    """
    cells = DrawnRow()
    escapes: dict[int, str] = {}
    at, end = x, x + width
    for part, text, *_ in fragments:
        if "[ZeroWidthEscape]" in part:
            escapes[at] = escapes.get(at, "") + text
            continue
        whole = f"{style} {part}" if style and part else style or part
        for letter in text:
            char = _CHAR_CACHE[letter, whole]
            columns = char.width
            if columns == 1:
                if at >= end:
                    break
                cells[at] = char
                at += 1
            elif columns == 0:
                _join(cells, at - 1, x, letter)
            elif at + columns > end:
                break
            else:
                cells[at] = char
                for rest in range(at + 1, at + columns):
                    cells[rest] = _NOTHING
                at += columns
        else:
            continue
        break  # the rest is beyond the right edge
    if fill and at < end:
        blank = _CHAR_CACHE[" ", style]
        for rest in range(at, end):
            cells[rest] = blank
    return _RowCells(cells, escapes)


def _join(cells: Row, at: int, start: int, letter: str) -> None:
    """Adds a character without width to the one before it."""
    while at > start and cells[at] is _NOTHING:
        at -= 1
    if at >= start and len((before := cells[at]).char) < _JOINED:
        cells[at] = _CHAR_CACHE[before.char + letter, before.style]


def fragment_at(fragments: StyleAndTextTuples, column: int) -> Sequence[Any] | None:
    """The fragment that stands at `column` of a row."""
    at = 0
    for fragment in fragments:
        if "[ZeroWidthEscape]" not in fragment[0]:
            at += sum(_CHAR_CACHE[letter, ""].width for letter in fragment[1])
        if column < at:
            return fragment
    return None
