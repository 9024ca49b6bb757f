"""Reading on a screen: the contents, the pages, and the links between them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from prompt_toolkit.application import Application

from tuihost import Session, clean
from tuihost.widgets import (
    HSplit,
    Keymap,
    ListView,
    RichView,
    Screen,
    SideBySide,
    ignore_held_key,
    match,
)

from .library import Library, Page, Unreadable
from .markdown import Heading, PageMarkdown, addressed, begins_with, headings

STEPS = 100
"""How many steps back are remembered."""


class ReaderScreen:
    """One person's view of the pages. `session.memory` keeps where they are (`page`), how far they
    have read each page (`places`), and the pages that led here (`trail`)."""

    def __init__(self, session: Session, library: Library) -> None:
        self.session = session
        self.library = library
        self.memory = session.memory
        self.page: Page | None = None
        self._text = ""
        self._checked = 0.0
        self._places: dict[str, int] = self.memory.setdefault("places", {})
        self._trail: list[str] = self.memory.setdefault("trail", [])
        self.preview = RichView(session)
        self.view = RichView(session, on_link=self.follow)
        self.list: ListView[Page] = ListView(
            session,
            library.pages(),
            label=lambda page: page.title,
            description=self._about,
            holds=library.holds,
            key=lambda page: page.name,
            on_open=self._open_found,
            on_change=self._show_preview,
            place="contents",
            empty="There are no pages here yet.",
        )
        self.contents = SideBySide(session, self.list, self.preview, back="to the contents")
        self.reading = HSplit([self.view], key_bindings=self._page_keys().bindings)
        self._come_back()
        self.screen = Screen(
            session,
            lambda: self.page.title if self.page else "Reader",
            self.reading if self.page else self.contents,
            status=lambda: self.view.position_text() if self.page else "",
            min_size=(24, 6),
        )

    def application(self) -> Application[Any]:
        """A fresh Application."""
        focus = self.view.window if self.page else self.list.window
        application = self.screen.application(focus=focus)
        application.before_render += lambda _: self._keep_up()
        return application

    # ------------------------------------------------------------------ from page to page

    def _about(self, page: Page) -> str:
        """What stands beside a title: what the page begins with, or where it has what is typed."""
        words = self.list.filter.text.split()
        found = self.library.line_with(page, words) if words else ""
        return addressed(found, self.session.ssh_target) or page.about

    def _open_found(self, page: Page) -> None:
        """Opens a page of the list. If it is there for what its text has, it is opened there."""
        words = self.list.filter.text
        self.open(page)
        if words and not match(words, page.title) and self.page is not None:
            self.view.find(words if self.library.line_with(page, [words]) else words.split()[0])

    def open(self, page: Page, anchor: str = "") -> None:
        """Shows a page, at `anchor` or where the person stopped reading."""
        try:
            self._load(page)
        except Unreadable as error:
            self.screen.toast(f"{page.title}: {error}", "warning", 5.0)
            return
        self._go_to(anchor)
        self.screen.show(self.reading, focus=self.view.window)

    def follow(self, link: str) -> Any:
        """Follows a link to a page here. A link that leads out is shown to be copied."""
        assert self.page is not None
        try:
            parts = urlsplit(link)
        except ValueError:
            parts = None
        if parts is None or parts.scheme or parts.netloc:
            return self._show_link(link)
        target, anchor = self.library.linked(self.page, link)
        if target is None:
            self.screen.toast(f"There is no page {clean(link, limit=40)} here", "warning")
        elif target.name == self.page.name:
            self._go_to(anchor)
        else:
            self._trail.append(self.page.name)
            del self._trail[:-STEPS]
            self._places.pop(target.name, None)
            self.open(target, anchor)
        return None

    async def _show_link(self, link: str) -> None:
        if not await self.screen.confirm(
            "This link leads away from this host:",
            detail=link,
            yes="Copy it",
            no="Close",
            default=True,
        ):
            return
        if self.session.copy(link):
            self.screen.toast("Copied, if your terminal allows it", "success")
        else:
            self.screen.toast("This terminal cannot copy it", "warning")

    def back(self) -> None:
        """Goes to the page that led here, or to the contents."""
        while self._trail:
            page = self.library.find(self._trail.pop())
            if page is not None and not page.problem:
                self.open(page)
                ignore_held_key()
                return
        name = self.page.name if self.page else ""
        self.page = None
        self.memory.pop("page", None)
        self.list.items = self.library.pages()
        self.list.select(name)
        self.screen.show(self.contents, focus=self.list.window)

    def _turn(self, step: int) -> None:
        """Goes to the next page of the contents, or the one before."""
        pages = [page for page in self.library.pages() if not page.problem]
        names = [page.name for page in pages]
        if self.page is not None and self.page.name in names:
            at = names.index(self.page.name) + step
            if 0 <= at < len(pages):
                self.open(pages[at])

    # ------------------------------------------------------------------ one page

    def _load(self, page: Page) -> None:
        self.page, self._text = self._read(page)
        self.memory["page"] = page.name
        self.view.content = PageMarkdown(self._text)
        self.view.window.offset = self._places.get(page.name, 0)
        self.view.row_count()  # drawn at once, since the next key may be for its links

    def _read(self, page: Page) -> tuple[Page, str]:
        page, text = self.library.text(page)
        return page, addressed(text, self.session.ssh_target)

    def _come_back(self) -> None:
        """Opens the page again that was open when the person left."""
        page = self.library.find(self.memory.get("page", ""))
        if page is not None:
            with suppress(Unreadable):  # then the contents are shown
                self._load(page)

    def _keep_up(self) -> None:
        """Before each frame: remembers how far the person has read, and once a second checks
        whether the file has changed."""
        if self.page is None:
            return
        self._places[self.page.name] = self.view.window.offset
        now = self.session.host.now()
        if abs(now - self._checked) < 1:
            return
        self._checked = now
        page = self.library.now(self.page)
        if page is not None and page.version != self.page.version:
            with suppress(Unreadable):  # the text from before stays
                self.page, self._text = self._read(page)
                self.view.update(PageMarkdown(self._text))

    async def outline(self) -> None:
        """The headings of the page, to go to one."""
        found = headings(self._text)
        if not found:
            self.screen.toast("This page has no headings")
            return
        top = min(heading.level for heading in found)
        chosen = await self.screen.choose(
            "On this page",
            found,
            label=lambda heading: "  " * (heading.level - top) + heading.title,
        )
        if chosen is not None:
            self._go_to(chosen.anchor)

    def _go_to(self, anchor: str) -> None:
        if anchor:
            for heading, row in self._heading_rows():
                if heading.anchor == anchor.lower():
                    self.view.scroll(row - self.view.window.offset)
                    return

    def _heading_rows(self) -> Iterator[tuple[Heading, int]]:
        """The row of each heading, found by its text, in order."""
        waiting = headings(self._text)
        width = self.view.window.columns
        for index in range(self.view.row_count()):
            row = "".join(part[1] for part in self.view.row(index, width)).strip()
            for at, heading in enumerate(waiting[:4]):
                if begins_with(heading.title, row):
                    yield heading, index
                    del waiting[: at + 1]
                    break

    # ------------------------------------------------------------------ layout and keys

    def _show_preview(self, page: Page | None) -> None:
        self.preview.content = lambda _width: self._drawn(page) if page is not None else ""

    def _drawn(self, page: Page) -> Any:
        try:
            return PageMarkdown(self._read(page)[1])
        except Unreadable as error:
            return str(error)

    def _page_keys(self) -> Keymap:
        keys = Keymap(group="Pages")

        @keys.add("o", label="outline", rank=50)
        async def _outline(event: Any) -> None:
            await self.outline()

        @keys.add("left", label="other pages", rank=55)
        def _before(event: Any) -> None:
            self._turn(-1)

        @keys.add("right", label="other pages", rank=55)
        def _after(event: Any) -> None:
            self._turn(1)

        @keys.add("escape", "backspace", label="back", rank=40)
        def _back(event: Any) -> None:
            self.back()

        return keys
