"""Rows with columns: sorted and filtered, with one chosen. Only the rows in view are drawn.

    table = Table(session, [Column("Name", flex=1), Column("Size", 8, align="right")], files)
    screen = Screen(session, "Files", table)

What is typed filters. Ctrl-S sorts by the next column and Ctrl-O turns the order around, as a click
on a heading does; in a table without a filter `s` and `S` do the same.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Literal, TypeVar

from prompt_toolkit.filters import Condition
from prompt_toolkit.layout.containers import ConditionalContainer, Container
from prompt_toolkit.mouse_events import MouseEvent, MouseEventType

from tuihost.session.session import Session
from tuihost.tui.characters import width_of
from tuihost.tui.layout.rows import RowWindow
from tuihost.tui.layout.splits import HSplit
from tuihost.tui.widgets import fuzzy
from tuihost.tui.widgets._selectable import Open, Selectable
from tuihost.tui.widgets.cells import Fragments, glyph, marked, pad

Item = TypeVar("Item")
Sort = tuple[int, bool]
"""A column by its place, and whether the order is turned around."""
NARROWEST = 12
GAP = 2
SAMPLE = 200
"""Rows that are measured for a column without a width."""


@dataclass(frozen=True)  # no slots: with them Python 3.11 cannot make a `Column[Note](…)`
class Column(Generic[Item]):
    """One column. With a `width` it has so many cells, with `flex` its share of what is left, else
    as many as its texts need.

    `value` gives what is shown of a row, `row[place]` by default; `order` what sorts it, the value
    itself by default. `style` is prompt_toolkit's, such as "class:muted". A filter does not look
    at a column that is not `filterable`.
    """

    title: str
    width: int = 0
    flex: int = 0
    align: Literal["left", "right", "center"] = "left"
    style: str = ""
    value: Callable[[Item], Any] | None = None
    order: Callable[[Item], Any] | None = None
    sortable: bool = True
    filterable: bool = True


class Table(Selectable[Item]):
    """A table of rows, one chosen. Columns that do not fit are left out from the right end.

    `sort` is the column to sort by at first, or (column, reversed); None keeps the order of the
    rows. `stripes` give every second row another ground. The rest is as on `ListView`.

    Thread: the session's.
    """

    def __init__(
        self,
        session: Session,
        columns: Sequence[Column[Item]],
        rows: Sequence[Item] = (),
        *,
        sort: int | Sort | None = None,
        key: Callable[[Item], Hashable] | None = None,
        on_open: Open[Item] | None = None,
        on_change: Callable[[Item | None], Any] | None = None,
        filterable: bool = True,
        stripes: bool = False,
        empty: str = "Nothing here yet.",
        place: str = "",
    ) -> None:
        self.columns = tuple(columns)
        self.sort: Sort | None = (sort, False) if isinstance(sort, int) else sort
        self.stripes = stripes
        self._natural: tuple[int, ...] = ()
        super().__init__(
            session,
            rows,
            key=key,
            on_open=on_open,
            on_change=on_change,
            empty=empty,
            place=place,
            filterable=filterable,
        )
        if filterable:
            self.filter.bind(self.keys, starts=True)
        self._bind_sort()
        head = RowWindow(_Head(self), height=1, focusable=False)
        line = ConditionalContainer(
            RowWindow(self.filter, height=1, focusable=False),
            filter=Condition(lambda: self.filter.active or bool(self.filter.text)),
        )
        self.container = HSplit([line, head, self.window], key_bindings=self.keys.bindings)
        self.refresh()

    def __pt_container__(self) -> Container:
        return self.container

    # ------------------------------------------------------------------ which rows

    def arrange(self) -> list[Item | None]:
        words = fuzzy.fold(self.filter.text).split()
        rows = [row for row in self._items if not words or self._matches(row, words)]
        if self.sort is not None:
            place, backwards = self.sort
            rows.sort(key=partial(self._order, self.columns[place], place), reverse=backwards)
        sample = rows[:SAMPLE]
        self._natural = tuple(
            max((width_of(self._text(column, place, row)) for row in sample), default=0)
            for place, column in enumerate(self.columns)
        )
        return list(rows)

    def _matches(self, row: Item, words: list[str]) -> bool:
        texts = zip(self.columns, self._texts(row), strict=True)
        text = fuzzy.fold("\n".join(text for column, text in texts if column.filterable))
        return all(word in text for word in words)

    def _order(self, column: Column[Item], place: int, row: Item) -> Any:
        """What sorts a row: texts without regard to case, and what is missing at the end."""
        value = column.order(row) if column.order is not None else self._value(column, place, row)
        return (value is None, fuzzy.fold(value) if isinstance(value, str) else value)

    def _value(self, column: Column[Item], place: int, row: Any) -> Any:
        return column.value(row) if column.value is not None else row[place]

    def _text(self, column: Column[Item], place: int, row: Item) -> str:
        value = self._value(column, place, row)
        return "" if value is None else str(value)

    def _texts(self, row: Item) -> tuple[str, ...]:
        return tuple(self._text(column, place, row) for place, column in enumerate(self.columns))

    def sort_by(self, place: int) -> None:
        """Sorts by a column; a second time turns the order around."""
        again = self.sort is not None and self.sort[0] == place
        self.sort = (place, not self.sort[1] if again and self.sort is not None else False)
        self.refresh()

    def _bind_sort(self) -> None:
        places = [place for place, column in enumerate(self.columns) if column.sortable]
        if not places:
            return

        @self.keys.add("s", "c-s", label="sort", rank=62, when=self._has_rows)
        def _sort(event: Any) -> None:
            now = self.sort[0] if self.sort is not None else -1
            after = [place for place in places if place > now]
            self.sort = (after[0] if after else places[0], False)
            self.refresh()

        @self.keys.add("S", "c-o", label="reverse the order", show=False, when=self._has_rows)
        def _turn(event: Any) -> None:
            self.sort_by(self.sort[0] if self.sort is not None else places[0])

    # ------------------------------------------------------------------ how it looks

    def widths(self, width: int) -> list[int]:
        """The cells of each column that has room in `width`, from the left."""
        room = max(0, width - 4)
        taken: list[int] = []
        for place, column in enumerate(self.columns):
            head = width_of(column.title) + (2 if column.sortable else 0)
            natural = column.width or max(self._natural[place], head)
            least = min(natural, max(NARROWEST, head)) if column.flex else natural
            least = min(least, room) if not taken else least
            if least > room:
                break
            room -= least + GAP
            taken.append(least)
        shares = [(place, self.columns[place].flex) for place in range(len(taken))]
        whole = sum(flex for _, flex in shares)
        room += GAP
        for place, flex in shares:
            if flex and room > 0:
                more = room * flex // whole
                taken[place] += more
                room -= more
                whole -= flex
        return taken

    def entry_key(self, index: int) -> Hashable:
        item = self.entries[index]
        assert item is not None, "a table has no rows that cannot be chosen"
        striped = self.stripes and index % 2
        chosen = index == self.cursor
        return (self._texts(item), chosen, striped, self.filter.text, self._natural, self.look)

    def entry_row(self, index: int, width: int) -> Fragments:
        item = self.entries[index]
        assert item is not None, "a table has no rows that cannot be chosen"
        chosen = index == self.cursor
        base = "class:table.stripe" if self.stripes and index % 2 else ""
        match = "class:match"
        if chosen and self.focused:
            base, match = "class:selection", "class:match.selection"
        bar = glyph(self.session, "bar") if chosen else " "
        fragments: Fragments = [(f"{base} class:accent" if chosen else base, f" {bar} ")]
        words = fuzzy.fold(self.filter.text).split()
        for place, columns in enumerate(self.widths(width)):
            column = self.columns[place]
            text = self._text(column, place, item)
            text = pad(text, columns, glyph(self.session, "ellipsis"), column.align)
            style = base if chosen or not column.style else f"{base} {column.style}"
            places = _places(text, words if column.filterable else [])
            fragments += marked(text, places, style, match)
            fragments.append((base, " " * GAP))
        used = sum(width_of(fragment[1]) for fragment in fragments)
        return [*fragments, (base, " " * max(0, width - used))]


class _Head(Generic[Item]):
    """The headings, as one row. An arrow marks the column that sorts."""

    def __init__(self, table: Table[Item]) -> None:
        self.table = table

    def row_count(self) -> int:
        return 1

    def row_key(self, index: int) -> Hashable:
        table = self.table
        return (table.sort, table._natural, table.look)

    def row(self, index: int, width: int) -> Fragments:
        table = self.table
        style = "class:table.header"
        fragments: Fragments = [(style, "   ")]
        for place, columns in enumerate(table.widths(width)):
            column = table.columns[place]
            title = column.title
            if table.sort is not None and table.sort[0] == place:
                title += " " + glyph(table.session, "down" if table.sort[1] else "up")
            text = pad(title, columns, glyph(table.session, "ellipsis"), column.align)
            fragments += [(style, text, self._clicker(place)), (style, " " * GAP)]
        used = sum(width_of(fragment[1]) for fragment in fragments)
        return [*fragments, (style, " " * max(0, width - used))]

    def _clicker(self, place: int) -> Callable[[MouseEvent], object]:
        def clicked(event: MouseEvent) -> object:
            if event.event_type is not MouseEventType.MOUSE_UP:
                return NotImplemented
            if self.table.columns[place].sortable:
                self.table.sort_by(place)
            return None

        return clicked


def _places(text: str, words: list[str]) -> set[int]:
    """The characters of `text` that belong to one of the words."""
    folded = fuzzy.fold(text)
    found: set[int] = set()
    for word in words:
        at = folded.find(word)
        if at >= 0:
            found.update(range(at, at + len(word)))
    return found
