"""The pages in a folder of Markdown files. Nothing outside of the folder is ever read."""

from __future__ import annotations

import os
import re
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from unicodedata import combining, normalize
from urllib.parse import unquote, urlsplit

from tuihost import clean, size_of

from .markdown import first_words, front_matter, headings, plain_line

MAX_FILE = 256_000
"""The most bytes of a page; a larger file is refused."""
HEAD = 16_000
"""Characters of a page that are searched for its title."""
MAX_PAGES = 500
MAX_IN_MEMORY = 50
"""Pages whose text is kept for searching."""
MAX_DEPTH = 4
MAX_DIGITS = 6  # of the number of a page
SUFFIXES = (".md", ".markdown")
FIRST = ("index", "readme", "welcome")
_NUMBER = re.compile(r"\d+[-_. ]+(?=.)")


class Unreadable(Exception):
    """A page cannot be shown. The text is a sentence for the person."""


@dataclass(frozen=True, slots=True)
class Page:
    """One file. `name` is what people type, `file` its path in the folder, and `version` changes
    with its content. `problem` says why it cannot be shown; it is empty if it can."""

    name: str
    title: str
    about: str
    file: str
    size: int
    version: tuple[int, int]
    problem: str = ""


class Library:
    """A folder of pages. A file that has changed is read again. Threads: any."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._lock = threading.Lock()
        self._known: dict[str, Page] = {}
        self._lines: dict[str, tuple[tuple[int, int], tuple[str, ...]]] = {}

    def pages(self) -> list[Page]:
        """Every page, in the order of the file names. A number in front (`1-welcome.md`) sorts the
        pages and is not shown."""
        found = [page for file in self._files() if (page := self._page(file)) is not None]
        found.sort(key=lambda page: (page.name not in FIRST, page.file.casefold()))
        return found

    def text(self, page: Page) -> tuple[Page, str]:
        """The page as it is now, and its text. Raises `Unreadable`."""
        now = self._page(page.file)
        if now is None:
            raise Unreadable("It is no longer there.")
        return now, front_matter(_text_of(self.folder / now.file))[1]

    def holds(self, page: Page, words: Sequence[str]) -> bool:
        """Whether the page has all the words, whatever their case and their accents."""
        text = "\n".join(self._searched(page))
        return bool(text) and all(_folded(word) in text for word in words)

    def line_with(self, page: Page, words: Sequence[str]) -> str:
        """The line of a page that has most of the words; empty if none has any."""
        wanted = [_folded(word) for word in words]
        lines = self._searched(page)
        counts = [sum(word in line for word in wanted) for line in lines]
        best = max(counts, default=0)
        if not best:
            return ""
        try:
            return plain_line(self.text(page)[1].split("\n")[counts.index(best)])
        except (Unreadable, IndexError):  # it has changed since
            return ""

    def lines_with(self, words: Sequence[str]) -> list[str]:
        """`page:line: text` for every line that has all the words, whatever their case and their
        accents."""
        wanted = [_folded(word) for word in words]
        return [
            f"{page.name}:{number + 1}: {text}"
            for page in self.pages()
            for number, text in self._lines_of(page, wanted)
        ]

    def _lines_of(self, page: Page, wanted: Sequence[str]) -> Iterator[tuple[int, str]]:
        """The lines of a page that have all the words, and where they are."""
        found = [
            number
            for number, line in enumerate(self._searched(page))
            if all(word in line for word in wanted)
        ]
        with suppress(Unreadable, IndexError):  # it has changed since
            lines = self.text(page)[1].split("\n") if found else []
            yield from ((number, lines[number].strip()) for number in found)

    def _searched(self, page: Page) -> tuple[str, ...]:
        """The lines of a page as they are searched, from memory while there is room."""
        known = self._lines.get(page.file)
        if known is not None and known[0] == page.version:
            return known[1]
        try:
            _, text = self.text(page)
        except Unreadable:
            return ()
        lines = tuple(map(_folded, text.split("\n")))
        with self._lock:
            if len(self._lines) >= MAX_IN_MEMORY:
                self._lines.clear()
            self._lines[page.file] = page.version, lines
        return lines

    def now(self, page: Page) -> Page | None:
        """The page as it is now; None if it is no longer there."""
        return self._page(page.file)

    def find(self, wanted: str) -> Page | None:
        """The page with this number in the list, name or title; also by the beginning of its name,
        and without its folder, if no other is meant."""
        pages = self.pages()
        word = wanted.strip().casefold()
        if not word:
            return None
        if word.isdecimal():
            number = int(word) if len(word) <= MAX_DIGITS else 0
            return pages[number - 1] if 0 < number <= len(pages) else None
        for names in ("name", "file", "title"):
            for page in pages:
                if getattr(page, names).casefold() == word:
                    return page
        for fits in (str.__eq__, str.startswith):
            last = (page.name.casefold().rpartition("/")[2] for page in pages)
            found = [page for page, name in zip(pages, last, strict=True) if fits(name, word)]
            if len(found) == 1:
                return found[0]
        return None

    def linked(self, page: Page, link: str) -> tuple[Page | None, str]:
        """Where a relative link in `page` leads: a page, and a place in it."""
        parts = urlsplit(link)
        path = unquote(parts.path)
        if not path:
            return page, unquote(parts.fragment)
        file = os.path.normpath(os.path.join(os.path.dirname(page.file), path))
        return self._page(file), unquote(parts.fragment)

    # ------------------------------------------------------------------ files

    def _files(self) -> Iterator[str]:
        """The files that may be pages, as paths in the folder."""
        count = 0
        for folder, folders, files in os.walk(self.folder):
            inside = Path(folder).relative_to(self.folder)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            if len(inside.parts) >= MAX_DEPTH:
                folders.clear()
            for name in sorted(files):
                if name.endswith(SUFFIXES) and not name.startswith("."):
                    count += 1
                    if count > MAX_PAGES:
                        return
                    yield (inside / name).as_posix()

    def _page(self, file: str) -> Page | None:
        """The page in a file, from memory if it has not changed. None if it is not a file in the
        folder, or leads out of it."""
        try:
            path = (self.folder / file).resolve(strict=True)
            about = path.stat()
        except (
            OSError,
            ValueError,
            RuntimeError,
        ):  # it is gone, not a path at all, or a loop of links
            return None
        hidden = any(part.startswith(".") for part in Path(file).parts)
        inside = path.is_relative_to(self.folder) and file.endswith(SUFFIXES) and not hidden
        if not inside or not stat.S_ISREG(about.st_mode):
            return None
        with self._lock:
            known = self._known.get(file)
        if known is not None and known.version == _version(about):
            return known
        page = _read(path, file, about)
        with self._lock:
            if len(self._known) > 2 * MAX_PAGES:
                self._known.clear()
            self._known[file] = page
        return page


def _folded(text: str) -> str:
    """The text as it is searched."""
    text = text.casefold()
    if text.isascii():
        return text
    return "".join(char for char in normalize("NFD", text) if not combining(char))


def _version(about: os.stat_result) -> tuple[int, int]:
    return about.st_mtime_ns, about.st_size


def _read(path: Path, file: str, about: os.stat_result) -> Page:
    name, problem = _name_of(file), ""
    try:
        given, text = front_matter(_text_of(path))
        head = text[:HEAD]
    except Unreadable as error:
        given, head, problem = "", "", str(error)
    title = given or next((heading.title for heading in headings(head)), "") or name
    return Page(
        name=name,
        title=clean(title, limit=100),
        about=problem or first_words(head),
        file=file,
        size=about.st_size,
        version=_version(about),
        problem=problem,
    )


def _text_of(path: Path) -> str:
    """The text of a file. Raises `Unreadable`."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE + 1)
    except OSError:
        raise Unreadable("This file cannot be read.") from None
    if len(data) > MAX_FILE:
        raise Unreadable(f"This file is larger than {size_of(MAX_FILE)}.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("This file is not text in UTF-8.") from None
    if "\0" in text:
        raise Unreadable("This file is not text.")
    return clean(text.replace("\r\n", "\n"), lines=True)


def _name_of(file: str) -> str:
    """`guide/1-first_steps.md` is `guide/first_steps`."""
    *folders, last = file.split("/")
    stem = last.removesuffix(".markdown").removesuffix(".md")
    return clean("/".join([*folders, _NUMBER.sub("", stem, count=1)]), limit=100)
