"""A list to choose from, with a filter that finds by a few letters.

    view = ListView(session, notes, label=lambda note: note.title, on_open=edit)
    screen = Screen(session, "Notes", view)
    view.items = reloaded

Every printable key is text for the filter, so commands of a screen belong on keys that no word has:
Ctrl with a letter, Del, F2. Esc clears. In a list without a filter letters can be commands, and j,
k, g, G and digits move.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from prompt_toolkit.filters import Condition
from prompt_toolkit.layout.containers import ConditionalContainer, Container

from tuihost.session.session import Session
from tuihost.text import clean
from tuihost.tui.characters import width_of
from tuihost.tui.layout.rows import RowWindow
from tuihost.tui.layout.splits import HSplit
from tuihost.tui.widgets import fuzzy
from tuihost.tui.widgets._bars import compact
from tuihost.tui.widgets._selectable import Open, Selectable
from tuihost.tui.widgets.cells import Fragments, cut, fit, glyph, length, marked, pad

Item = TypeVar("Item")
Text = Callable[[Item], str]

DESCRIBED = 44
"""Columns from which descriptions are shown."""
NOTED = 64
"""Columns from which the notes at the right are shown."""


class ListView(Selectable[Item]):
    """A list of items, one chosen, in sections if `section` gives their headings.

    The filter looks at `label` first; `description`, `icon` and `note` (at the right end) are shown
    beside it if there is room. `holds` says whether an item has all of the typed words elsewhere,
    such as in the text behind a title. Items of one section must follow each other. `empty` is
    shown if there are no items. `on_open` may be `async`; `on_change` is called for every choice.
    With `number_keys` the first nine items have numbers: typing one finds its item, or opens it
    where the list has no filter.

    Thread: the session's.
    """

    def __init__(
        self,
        session: Session,
        items: Sequence[Item],
        *,
        label: Text[Item] = str,
        description: Text[Item] | None = None,
        icon: Text[Item] | None = None,
        note: Text[Item] | None = None,
        section: Text[Item] | None = None,
        holds: Callable[[Item, Sequence[str]], bool] | None = None,
        key: Callable[[Item], Hashable] | None = None,
        on_open: Open[Item] | None = None,
        on_change: Callable[[Item | None], Any] | None = None,
        filterable: bool = True,
        number_keys: bool = False,
        empty: str = "Nothing here yet.",
        place: str = "",
    ) -> None:
        self.label = label
        self.description = description
        self.icon = icon
        self.note = note
        self.section = section
        self.holds = holds
        self._number_keys = number_keys
        self._headings: dict[int, str] = {}
        self._hits: dict[int, tuple[int, ...]] = {}
        self._places: dict[int, int] = {}
        self._label_width = 0
        self._icon_width = 0
        super().__init__(
            session,
            items,
            key=key,
            on_open=on_open,
            on_change=on_change,
            empty=empty,
            place=place,
            filterable=filterable,
        )
        if filterable:
            self.filter.bind(self.keys, starts=True)
        elif number_keys:
            self._bind_numbers()
        parts: list[Container] = [self.window]
        if filterable:
            line = RowWindow(self.filter, height=1, focusable=False)
            shown = Condition(lambda: not compact(session) or self.filter.active)
            parts.insert(0, ConditionalContainer(line, filter=shown))
        self.container = HSplit(parts, key_bindings=self.keys.bindings)
        self.refresh()

    def __pt_container__(self) -> Container:
        return self.container

    # ------------------------------------------------------------------ which rows

    def arrange(self) -> list[Item | None]:
        self._headings, self._hits = {}, {}
        self._places = {id(item): place for place, item in enumerate(self._items, 1)}
        entries: list[Item | None] = []
        found = self._found()
        last = ""
        for item, positions in found:
            heading = self.section(item) if self.section is not None else ""
            if heading and heading != last and not self.filter.text:
                self._headings[len(entries)] = clean(heading)
                entries.append(None)
            last = heading
            index = len(entries)
            self._hits[index] = positions
            entries.append(item)
        self._label_width = max((width_of(clean(self.label(item))) for item, _ in found), default=0)
        icon = self.icon
        self._icon_width = (
            max((width_of(icon(item)) for item, _ in found), default=0) if icon else 0
        )
        return entries

    def _found(self) -> list[tuple[Item, tuple[int, ...]]]:
        """The items that the filter leaves, best first: those whose label matches, then those
        that have what was typed elsewhere."""
        pattern = self.filter.text
        if not pattern.strip():
            return [(item, ()) for item in self._items]
        hits: list[tuple[int, Item, tuple[int, ...]]] = []
        words, finder = fuzzy.fold(pattern).split(), fuzzy.Finder(pattern)
        for item in self._items:
            match = finder.match(clean(self.label(item)))
            if match is not None:
                hits.append((match.score, item, match.positions))
            elif self._number(item) == pattern.strip() or self._has(item, words):
                hits.append((0, item, ()))
        hits.sort(key=lambda hit: -hit[0])
        return [(item, positions) for _, item, positions in hits]

    def _has(self, item: Item, words: list[str]) -> bool:
        """Whether the item's description has all of the words, or what is behind it."""
        if self.description is not None:
            text = fuzzy.fold(self.description(item))
            if all(word in text for word in words):
                return True
        return self.holds is not None and self.holds(item, words)

    def _number(self, item: Item) -> str:
        """The number beside an item. A filter does not change it."""
        place = self._places[id(item)] if self._number_keys else 0
        return str(place) if 1 <= place <= 9 else ""

    def _bind_numbers(self) -> None:
        @self.keys.add(*"123456789", label="open by number", name="1-9", show=False)
        def _open_by_number(event: Any) -> Any:
            for index, item in enumerate(self.entries):
                if item is not None and self._number(item) == event.data:
                    self._go(index)
                    return self.open()
            return None

    # ------------------------------------------------------------------ how a row looks

    def entry_key(self, index: int) -> Hashable:
        item = self.entries[index]
        if item is None:
            return ("heading", self._headings[index], self.look)
        return (
            self.label(item),
            self.description(item) if self.description is not None else "",
            self.icon(item) if self.icon is not None else "",
            self.note(item) if self.note is not None else "",
            self._number(item),
            self._hits[index],
            index == self.cursor,
            self._label_width,
            self.look,
        )

    def entry_row(self, index: int, width: int) -> Fragments:
        item = self.entries[index]
        if item is None:
            return [("class:heading", fit(f"  {self._headings[index]}", width))]
        chosen = index == self.cursor
        base, muted, match = _styles(chosen, self.focused)
        head = self._head(index, item, chosen, base, muted)
        note = self._note_text(item, width)
        room = width - length(head)
        label = self._label_text(item, room - 1, described=width >= DESCRIBED)
        hits = (place for place in self._hits[index] if place < len(label))
        fragments = [*head, *marked(label, hits, base, match)]
        if self.description is not None and width >= DESCRIBED:
            left = width - length(fragments) - 2 - (width_of(note) + 2 if note else 1)
            about = fit(self.description(item), max(0, left), glyph(self.session, "ellipsis"))
            fragments.append((muted, f"  {about}"))
        fragments = cut(fragments, width - width_of(note))
        space = width - length(fragments) - width_of(note)
        return [*fragments, (muted, " " * space + note)]

    def _label_text(self, item: Item, room: int, *, described: bool) -> str:
        """The label, as wide as all labels are; it shares `room` with the description, if any."""
        shares = described and self.description is not None
        columns = min(self._label_width, max(8, room * 2 // 5)) if shares else max(1, room)
        return pad(self.label(item), columns, glyph(self.session, "ellipsis"))

    def _note_text(self, item: Item, width: int) -> str:
        """The note for the right end, with a space behind it."""
        note = fit(self.note(item), width // 3) if self.note is not None and width >= NOTED else ""
        return f"{note} " if note else ""

    def _head(self, index: int, item: Item, chosen: bool, base: str, muted: str) -> Fragments:
        """The mark of the chosen row, the number and the icon."""
        bar = glyph(self.session, "bar") if chosen else " "
        fragments: Fragments = [(f"{base} class:accent" if chosen else base, f" {bar} ")]
        if self._number_keys:
            fragments.append((muted, f"{self._number(item):<2} "))
        if self.icon is not None and self._icon_width:
            fragments.append((base, pad(self.icon(item), self._icon_width) + " "))
        return fragments


def _styles(chosen: bool, focused: bool) -> tuple[str, str, str]:
    """Of a row: the text, what stands beside it, the letters that matched."""
    if chosen and focused:
        return "class:selection", "class:selection.muted", "class:match.selection"
    if chosen:
        return "bold", "class:muted", "class:match"
    return "", "class:muted", "class:match"
