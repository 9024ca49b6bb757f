"""Rows with one that is chosen: what lists and tables share of keys, mouse and memory."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Sequence
from itertools import chain
from typing import Any, Generic, TypeVar

from prompt_toolkit.application import get_app

from tuihost.session.session import Session
from tuihost.tui.layout.rows import RowWindow
from tuihost.tui.widgets.cells import Fragments, fit, wrap
from tuihost.tui.widgets.filter_line import FilterLine
from tuihost.tui.widgets.keymap import Keymap

Item = TypeVar("Item")
Open = Callable[[Item], Any]

FIRST_COLUMNS = 20
"""Columns to reckon with before the first frame: rather too few, so that no line is lost."""


class TypingRows(RowWindow):
    """Rows with a filter above them. It tells the keymaps whether there is something in the filter
    (`typing`), and whether the first letter would begin one (`takes_text`)."""

    typing: Callable[[], bool] = staticmethod(lambda: False)
    takes_text: Callable[[], bool] = staticmethod(lambda: False)


class Selectable(Generic[Item]):
    """The base of `ListView` and `Table`: a source of rows with one chosen.

    A subclass fills `entries`: for each row its item, or None for a row that cannot be chosen.
    `empty` is shown if there are none. `place` is a name under which the chosen row is remembered
    for the person's session.
    """

    def __init__(
        self,
        session: Session,
        items: Sequence[Item],
        *,
        key: Callable[[Item], Hashable] | None,
        on_open: Open[Item] | None,
        on_change: Callable[[Item | None], Any] | None,
        empty: str,
        place: str,
        filterable: bool,
    ) -> None:
        self.session = session
        self.empty = empty
        self.on_open = on_open
        self.on_change = on_change
        self.entries: list[Item | None] = []
        self.keys = Keymap(group="List")
        self.filter = FilterLine(session, self._filtered, status=self.count_text)
        self._items = list(items)
        self._key = key or _same
        self._place = f"place:{session.app}:{place}" if place else ""
        self._chosen: Hashable = session.memory.get(self._place) if place else None
        self._told: Hashable = None
        self.window = TypingRows(self, cursor=0, on_click=self._clicked, on_scroll=self.move)
        if filterable:
            self.window.typing = self.filter.in_use
            self.window.takes_text = lambda: True
        self._bind()

    # ------------------------------------------------------------------ what a subclass says

    def entry_key(self, index: int) -> Hashable:
        """All that the row of an entry depends on."""
        raise NotImplementedError

    def entry_row(self, index: int, width: int) -> Fragments:
        """The row of an entry."""
        raise NotImplementedError

    def arrange(self) -> list[Item | None]:
        """Makes the rows from `items` and the text of the filter."""
        raise NotImplementedError

    # ------------------------------------------------------------------ items and the chosen one

    @property
    def items(self) -> list[Item]:
        """Everything, filtered or not. Assign to replace; the chosen item stays chosen."""
        return self._items

    @items.setter
    def items(self, items: Sequence[Item]) -> None:
        self._items = list(items)
        self.refresh()

    @property
    def cursor(self) -> int:
        """The row of the chosen item."""
        return self.window.cursor or 0

    @property
    def selected(self) -> Item | None:
        """The chosen item; None if there is none."""
        cursor = self.cursor
        return self.entries[cursor] if 0 <= cursor < len(self.entries) else None

    def select(self, key: Hashable) -> bool:
        """Chooses the item with this key. False if it is not shown."""
        for index, item in enumerate(self.entries):
            if item is not None and self._key(item) == key:
                self._go(index)
                return True
        return False

    def refresh(self) -> None:
        """Arranges the rows again, after items changed in place. The chosen one stays chosen."""
        self.entries = self.arrange()
        if self._chosen is None or not self.select(self._chosen):
            self._go(self._near(self.cursor))

    def _filtered(self) -> None:
        """Chooses the best match. When all rows are shown again, it stays chosen."""
        if not self.filter.text:
            self.refresh()
            return
        self.entries = self.arrange()
        self._go(self._near(0))

    def move(self, rows: int) -> None:
        """Chooses an item further down, or up; stops at the ends."""
        cursor = self.cursor
        step = 1 if rows > 0 else -1
        places = [i for i, item in enumerate(self.entries) if item is not None]
        if not places:
            return
        wanted = min(max(cursor + rows, places[0]), places[-1])
        while 0 <= wanted < len(self.entries) and self.entries[wanted] is None:
            wanted += step
        self._go(wanted)

    def open(self) -> Any:
        """Opens the chosen item."""
        item = self.selected
        return self.on_open(item) if item is not None and self.on_open is not None else None

    def _near(self, index: int) -> int:
        """The row nearest to `index` that can be chosen, below it first."""
        index = min(max(index, 0), max(0, len(self.entries) - 1))
        for place in chain(range(index, len(self.entries)), range(index - 1, -1, -1)):
            if self.entries[place] is not None:
                return place
        return 0

    def _go(self, index: int) -> None:
        self.window.cursor = index
        if index <= 1 and all(item is None for item in self.entries[:index]):
            self.window.offset = 0  # the heading above the first item
        item = self.selected
        key = self._key(item) if item is not None else None
        if item is not None:
            self._chosen = key
            if self._place:
                self.session.memory[self._place] = key
        if key != self._told:
            self._told = key
            if self.on_change is not None:
                self.on_change(item)

    # ------------------------------------------------------------------ how it looks

    def row_count(self) -> int:
        return len(self.entries) or len(self._why_empty(self.window.columns or FIRST_COLUMNS))

    def row_key(self, index: int) -> Hashable:
        if not self.entries:
            return ("empty", index, self.filter.text, self.empty, self.look)
        return self.entry_key(index)

    def row(self, index: int, width: int) -> Fragments:
        if self.entries:
            return self.entry_row(index, width)
        lines = self._why_empty(width)
        return [("class:muted", fit(f"    {lines[index]}" if index < len(lines) else "", width))]

    def _why_empty(self, width: int) -> list[str]:
        text = f"Nothing matches “{self.filter.text}”." if self.filter.text else self.empty
        return wrap(text, max(1, width - 5))

    @property
    def focused(self) -> bool:
        return get_app().layout.current_window is self.window

    @property
    def look(self) -> Hashable:
        """What every row depends on besides its content."""
        return (self.session.theme, self.session.terminal.unicode, self.focused)

    def count_text(self) -> str:
        """`2 of 9` while there is a filter, else how many there are."""
        shown = sum(item is not None for item in self.entries)
        count = f"{len(self._items):,}"
        return f"{shown:,} of {count}" if self.filter.text else count

    # ------------------------------------------------------------------ keys and mouse

    def _bind(self) -> None:
        keys = self.keys
        some = self._has_rows

        @keys.add("up", "k", label="move", rank=10, when=some)
        def _up(event: Any) -> None:
            self.move(-1)

        @keys.add("down", "j", label="move", rank=10, when=some)
        def _down(event: Any) -> None:
            self.move(1)

        @keys.add("pageup", "c-b", label="a page", show=False, when=some)
        def _page_up(event: Any) -> None:
            self.move(-self._page())

        @keys.add("pagedown", "c-f", label="a page", show=False, when=some)
        def _page_down(event: Any) -> None:
            self.move(self._page())

        @keys.add("home", "g", label="first and last", show=False, when=some)
        def _first(event: Any) -> None:
            self.move(-len(self.entries))

        @keys.add("end", "G", label="first and last", show=False, when=some)
        def _last(event: Any) -> None:
            self.move(len(self.entries))

        if self.on_open is not None:

            @keys.add("enter", label="open", rank=20, when=some)
            def _open(event: Any) -> Any:
                return self.open()

    def _has_rows(self) -> bool:
        return self.selected is not None

    def _page(self) -> int:
        return max(1, self.window.page - 1)

    def _clicked(self, index: int) -> None:
        """A click chooses, a click on what is chosen opens."""
        layout = get_app().layout
        layout.focus(self.window)
        if not 0 <= index < len(self.entries) or self.entries[index] is None:
            return
        if index != self.cursor:
            self._go(index)
            return
        result = self.open()
        if inspect.iscoroutine(result):
            get_app().create_background_task(result)


def _same(item: Any) -> Hashable:
    return item  # type: ignore[no-any-return]  # its own key
