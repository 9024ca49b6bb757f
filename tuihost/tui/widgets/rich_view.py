"""A page of anything that rich can draw, to scroll and search, with links to follow.

view = RichView(session, Markdown(text), on_link=open_page)
screen = Screen(session, "Handbook", view, status=view.position_text)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from prompt_toolkit.application import get_app
from prompt_toolkit.filters import Condition
from prompt_toolkit.layout.containers import ConditionalContainer, Container
from prompt_toolkit.layout.mouse_handlers import MouseHandlers
from prompt_toolkit.layout.screen import Screen, WritePosition
from prompt_toolkit.mouse_events import MouseEvent, MouseEventType

from tuihost.session.session import Session
from tuihost.tui.layout.plain_rows import PlainRows
from tuihost.tui.layout.renderables import Line, RichLines, link_of
from tuihost.tui.layout.rows import RowWindow
from tuihost.tui.layout.splits import HSplit
from tuihost.tui.widgets import fuzzy
from tuihost.tui.widgets.cells import Fragments, restyled
from tuihost.tui.widgets.filter_line import FilterLine
from tuihost.tui.widgets.keymap import Keymap

MAX_WIDTH = 100
"""Columns of text: longer lines are hard to read."""

MOST = 2000
"""Places that a search goes to."""


@dataclass(frozen=True, slots=True)
class _Span:
    """A part of a line, in characters."""

    line: int
    start: int
    end: int
    url: str = ""


class _PageRows(RowWindow):
    """Rows whose number depends on the width that they are about to be drawn in."""

    width_now = 0

    def write_to_screen(
        self,
        screen: Screen,
        mouse_handlers: MouseHandlers,
        write_position: WritePosition,
        parent_style: str,
        erase_bg: bool,
        z_index: int | None,
    ) -> None:
        self.width_now = write_position.width
        super().write_to_screen(
            screen, mouse_handlers, write_position, parent_style, erase_bg, z_index
        )


class RichView:
    """A page drawn by rich: `content` is a renderable, or makes one for a width.

    Drawn once for each width and theme and each time that `content` is assigned; only lines in
    view are shown. `on_link(url)` is called for Enter on a link and for a click; Tab goes from
    link to link. `/` searches, `n` and `N` go on. `place` is a name under which the position is
    remembered for the person's session.

    Thread: the session's.
    """

    def __init__(
        self,
        session: Session,
        content: Any = "",
        *,
        on_link: Callable[[str], Any] | None = None,
        max_width: int = MAX_WIDTH,
        place: str = "",
    ) -> None:
        self.session = session
        self.on_link = on_link
        self.max_width = max_width
        self.keys = Keymap(group="Page")
        self.search = FilterLine(
            session, self._searched, placeholder="Search", status=self._hits_text
        )
        self._content = content
        self._rich = RichLines(content)
        self._version = 0
        self._lines: Sequence[Line] = ()
        self._links: list[_Span] = []
        self._hits: list[_Span] = []
        self._hit: _Span | None = None
        self._link: _Span | None = None
        self._place = f"place:{session.app}:{place}" if place else ""
        self.window = _PageRows(self)
        self.window.typing = self.search.typing  # type: ignore[attr-defined]  # as `TypingRows`
        if self._place:
            self.window.offset = session.memory.get(self._place, 0)
        self._bind()
        line = ConditionalContainer(
            RowWindow(self.search, height=1, focusable=False),
            filter=Condition(lambda: self.search.active or bool(self.search.text)),
        )
        self.container = HSplit([self.window, line], key_bindings=self.keys.bindings)

    def __pt_container__(self) -> Container:
        return self.container

    # ------------------------------------------------------------------ the page

    @property
    def content(self) -> Any:
        """What is shown. Assign to show something else, from its beginning."""
        return self._content

    @content.setter
    def content(self, content: Any) -> None:
        self.window.offset = 0
        self.update(content)

    def update(self, content: Any) -> None:
        """Shows `content` instead and stays where it is: for a page that changed a little."""
        self._content = content
        self._rich = RichLines(content)
        self._version += 1
        self._link = self._hit = None

    def position_text(self) -> str:
        """How far the person has read: `Top`, `64%`, `End`; nothing for a page that fits."""
        last = self.window.last_offset
        if not last:
            return ""
        if self.window.offset in (0, last):
            return "End" if self.window.offset else "Top"
        return f"{self.window.offset * 100 // last}%"

    def scroll(self, rows: int) -> None:
        """Moves by so many lines, down if positive."""
        self.window.scroll(rows)
        if self._place:
            self.session.memory[self._place] = self.window.offset

    def _margin(self, width: int) -> int:
        return 2 if width >= 44 else 1 if width >= 24 else 0

    def _draw(self) -> Sequence[Line]:
        """The lines for the window as it is; drawn anew when something changed."""
        session = self.session
        facts = session.terminal
        width = self.window.width_now or facts.size.columns
        columns = max(1, min(self.max_width, width - 2 * self._margin(width)))
        lines = self._rich.lines(
            self._version, columns, session.theme, unicode=facts.unicode, colors=facts.colors
        )
        if lines is not self._lines:
            self._lines = lines
            self._links = [] if isinstance(lines, PlainRows) else _links(lines)
            self._link = self._hit = None
            self._hits = _find(lines, self.search.text)
        return lines

    # ------------------------------------------------------------------ rows

    def row_count(self) -> int:
        return len(self._draw())

    def row_key(self, index: int) -> Hashable:
        here = tuple(span for span in self._hits if span.line == index) if self._hits else ()
        link = self._link if self._link is not None and self._link.line == index else None
        hit = self._hit if self._hit is not None and self._hit.line == index else None
        return (self._version, index, here, hit, link, self.session.theme, len(self._lines))

    def row(self, index: int, width: int) -> Fragments:
        lines = self._draw()
        if index >= len(lines):
            return []
        fragments: Fragments = [self._clickable(part) for part in lines[index]]
        spans = [
            (span.start, span.end, "class:match.selection" if span == self._hit else "class:match")
            for span in self._hits
            if span.line == index
        ]
        if self._link is not None and self._link.line == index:
            spans.append((self._link.start, self._link.end, "class:selection"))
        if spans:
            fragments = restyled(fragments, spans)
        return [("", " " * self._margin(width)), *fragments]

    def _clickable(self, part: tuple[str, str]) -> Any:
        url = link_of(part[0])
        if url is None or self.on_link is None:
            return part

        def clicked(event: MouseEvent) -> object:
            if event.event_type is not MouseEventType.MOUSE_UP:
                return NotImplemented
            result = self.follow(url)
            if inspect.iscoroutine(result):
                get_app().create_background_task(result)
            return None

        return (*part, clicked)

    # ------------------------------------------------------------------ search

    def _searched(self) -> None:
        self._hits = _find(self._lines, self.search.text)
        offset = self.window.offset
        self._hit = next((hit for hit in self._hits if hit.line >= offset), None)
        self._hit = self._hit or (self._hits[0] if self._hits else None)
        self._show(self._hit)

    def _hits_text(self) -> str:
        if not self.search.text:
            return ""
        if not self._hits or self._hit is None:
            return "nothing found"
        more = "+" if len(self._hits) == MOST else ""
        return f"{self._hits.index(self._hit) + 1} of {len(self._hits)}{more}"

    def find(self, text: str) -> None:
        """Searches the page for `text`, as if it had been typed after `/`."""
        self._draw()
        self.search.set(text)

    def next_hit(self, step: int = 1) -> None:
        """Goes to the next place that was found, or back for -1; around at the ends."""
        if self._hits:
            at = self._hits.index(self._hit) if self._hit in self._hits else -step
            self._hit = self._hits[(at + step) % len(self._hits)]
            self._show(self._hit)

    def _show(self, span: _Span | None) -> None:
        """Scrolls until `span` is in view, with some lines around it."""
        if span is None:
            return
        window = self.window
        if not window.offset <= span.line < window.offset + window.page:
            window.offset = min(max(0, span.line - window.page // 3), window.last_offset)

    # ------------------------------------------------------------------ links

    def next_link(self, step: int = 1) -> None:
        """Goes to the next link, from what is in view on, or back for -1."""
        if not self._links:
            return
        if self._link in self._links:
            at = (self._links.index(self._link) + step) % len(self._links)
        else:
            offset = self.window.offset
            at = next((i for i, link in enumerate(self._links) if link.line >= offset), 0)
        self._link = self._links[at]
        self._show(self._link)

    def follow(self, url: str) -> Any:
        """Follows a link: calls `on_link`."""
        return self.on_link(url) if self.on_link is not None else None

    # ------------------------------------------------------------------ keys

    def _bind(self) -> None:
        keys = self.keys
        for key, alias, label, rows in (
            ("up", "k", "scroll", lambda: -1),
            ("down", "j", "scroll", lambda: 1),
            ("pageup", "b", "a page", lambda: 1 - self.window.page),
            ("pagedown", "space", "a page", lambda: self.window.page - 1),
            ("home", "g", "top and end", lambda: -len(self._lines)),
            ("end", "G", "top and end", lambda: len(self._lines)),
        ):
            self._bind_scroll(key, alias, label, rows)

        self.search.bind(keys, starts=False, label="search")

        @keys.add("enter", when=self.search.typing)
        def _searched(event: Any) -> None:
            self.search.end()

        found = self._has_hits

        @keys.add("n", label="next found", rank=26, when=found)
        def _next(event: Any) -> None:
            self.next_hit(1)

        @keys.add("N", label="found before", show=False, rank=27, when=found)
        def _previous(event: Any) -> None:
            self.next_hit(-1)

        if self.on_link is not None:
            self._bind_links()

    def _bind_scroll(self, key: str, alias: str, label: str, rows: Callable[[], int]) -> None:
        @self.keys.add(key, alias, label=label, rank=10, show=label == "scroll")
        def _scroll(event: Any) -> None:
            self.scroll(rows())

    def _bind_links(self) -> None:
        @self.keys.add("tab", label="next link", rank=30, when=lambda: bool(self._links))
        def _next_link(event: Any) -> None:
            self.next_link(1)

        @self.keys.add("s-tab", label="link before", show=False, when=lambda: bool(self._links))
        def _link_before(event: Any) -> None:
            self.next_link(-1)

        @self.keys.add("enter", label="follow", rank=20, when=self._on_a_link)
        def _follow(event: Any) -> Any:
            return self.follow(self._link.url) if self._link is not None else None

    def _has_hits(self) -> bool:
        return bool(self._hits)

    def _on_a_link(self) -> bool:
        return self._link is not None and not self.search.active


def _find(lines: Sequence[Line], text: str) -> list[_Span]:
    """The first `MOST` places of `text` in the lines, whatever its case and its accents."""
    wanted = fuzzy.fold(text)
    hits: list[_Span] = []
    if not wanted.strip():
        return hits
    for number, line in enumerate(lines):
        folded = fuzzy.fold("".join(part[1] for part in line))
        at = folded.find(wanted)
        while at >= 0:
            hits.append(_Span(number, at, at + len(wanted)))
            at = folded.find(wanted, at + len(wanted))
        if len(hits) >= MOST:
            return hits[:MOST]
    return hits


def _links(lines: Sequence[Line]) -> list[_Span]:
    """The links of the lines; neighbours with one address are one."""
    links: list[_Span] = []
    for number, line in enumerate(lines):
        at = 0
        for style, text in line:
            url = link_of(style)
            before = links[-1] if links else None
            if url and before and before.line == number and before.end == at and before.url == url:
                links[-1] = _Span(number, before.start, at + len(text), url)
            elif url:
                links.append(_Span(number, at, at + len(text), url))
            at += len(text)
    return links
