"""Markdown as pages: drawn by rich, with the places of its headings and blocks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from itertools import accumulate, pairwise
from typing import Any, ClassVar

from markdown_it.token import Token
from rich.markdown import Heading as RichHeading
from rich.markdown import Markdown

MAX_ABOUT = 200
LONG = 20
"""A row with more characters may be just the first part of a heading."""
_FRONT = re.compile(
    r"(?P<fence>---|\+\+\+)[ \t]*\n"
    r"(?P<lines>[\w-]+[ \t]*[:=].*\n(?:.*\n)*?)"
    r"(?P=fence)[ \t]*(?:\n|\Z)"
)
"""What stands in front of a page for other programs, in YAML or TOML."""
_TITLE = re.compile(r"^title[ \t]*[:=](.*)$", re.MULTILINE | re.IGNORECASE)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_NOT_TEXT = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^>]*>|<[!?][^>]*>")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_NO_LETTER = re.compile(r"[^A-Za-z0-9]+")


class _Heading(RichHeading):
    """Headings are aligned to the left."""

    LEVEL_ALIGN: ClassVar = {}


class PageMarkdown(Markdown):
    """A page as rich draws it. The text of HTML is kept without its tags, and a picture is its
    words, where it stands. Without `leads_on`, links to other pages are plain words: nothing can
    follow them, and rich would write the name of the file behind them."""

    elements: ClassVar = {**Markdown.elements, "heading_open": _Heading}

    def __init__(self, text: str, *, leads_on: bool = True) -> None:
        super().__init__(text)
        self.parsed = [shown for token in self.parsed for shown in _shown(token)]
        if not leads_on:
            for token in self.parsed:
                token.children = [*_without_links_to_pages(token.children or ())] or None


def front_matter(text: str) -> tuple[str, str]:
    """The title that the lines in front of a page give, as other programs read them; and the page
    with blank lines in their place."""
    found = _FRONT.match(text)
    if found is None:
        return "", text
    title = _TITLE.search(found["lines"])
    words = title[1].strip().strip("\"'") if title else ""
    return words, "\n" * found[0].count("\n") + text[found.end() :]


def _shown(token: Token) -> Iterator[Token]:
    """The tokens that are drawn in place of one of a page."""
    if token.type == "html_block":
        words = _text_of_html(token.content)
        if words:
            yield Token("paragraph_open", "p", 1, level=token.level)
            yield Token("inline", "", 0, children=[Token("text", "", 0, content=words)])
            yield Token("paragraph_close", "p", -1, level=token.level)
        return
    if token.type == "inline":
        token.children = [*_shown_in_a_line(token.children or ())]
    yield token


def _shown_in_a_line(tokens: Iterable[Token]) -> Iterator[Token]:
    linked = False
    for token in tokens:
        if token.type == "image":
            yield from _picture(token, linked)
        elif token.type == "html_inline" and _BREAK.fullmatch(token.content):
            yield Token("hardbreak", "br", 0)
        else:
            linked = token.type == "link_open" or (linked and token.type != "link_close")
            yield token


def _without_links_to_pages(tokens: Iterable[Token]) -> Iterator[Token]:
    to_page = False
    for token in tokens:
        if token.type == "link_open":
            to_page = not _SCHEME.match(str(token.attrs.get("href", "")))
        if not (to_page and token.type in ("link_open", "link_close")):
            yield token


def _picture(token: Token, linked: bool) -> Iterator[Token]:
    """The words of a picture. They are a link if it can be looked at elsewhere."""
    source = str(token.attrs.get("src", ""))
    words = token.content or source.rpartition("/")[2]
    kind = "link" if "://" in source and not linked else "em"
    attrs: dict[str, str | int | float] = {"href": source} if kind == "link" else {}
    tag = "a" if kind == "link" else "em"
    yield Token(f"{kind}_open", tag, 1, attrs)
    yield Token("text", "", 0, content=words)
    yield Token(f"{kind}_close", tag, -1)


def _text_of_html(html: str) -> str:
    return " ".join(unescape(_TAG.sub(" ", _NOT_TEXT.sub(" ", html))).split())


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: its level from 1 to 6, its text, and the name that links use."""

    level: int
    title: str
    anchor: str


def headings(text: str) -> list[Heading]:
    """The headings of a page, in order."""
    found: list[Heading] = []
    seen: dict[str, int] = {}
    tokens = Markdown(text).parsed
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            title = _words(inline)
            anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            count = seen[anchor] = seen.get(anchor, -1) + 1
            found.append(
                Heading(int(token.tag[1:]), title, f"{anchor}-{count}" if count else anchor)
            )
    return found


def first_words(text: str) -> str:
    """The beginning of the first paragraph, which lists show as the description."""
    tokens = Markdown(text).parsed
    for token, inline in pairwise(tokens):
        if token.type == "paragraph_open" and token.level == 0:
            return _words(inline)[:MAX_ABOUT]
    return ""


@lru_cache(maxsize=1000)
def plain_line(line: str) -> str:
    """A line of a page as it reads in a list: without its markup, the cells of a table side by
    side."""
    line = line.strip()
    if line.startswith("|"):
        line = "  ".join(cell.strip() for cell in line.strip("|").split("|"))
    texts = [_words(token) for token in Markdown(line).parsed if token.type == "inline"]
    return " ".join(texts) or line


def chunks(text: str, rows: int, width: int) -> Iterator[str]:
    """A page in pieces of about `rows` rows on a screen, cut between blocks, and before a heading
    rather than after it."""
    lines = text.splitlines()
    below = [0, *accumulate(1 + len(line) // width for line in lines)]
    start = 0
    for token in Markdown(text).parsed:
        if token.level or token.nesting < 0 or not token.map or token.map[0] <= start:
            continue
        at, end = token.map
        full = below[end] - below[start] > rows
        if full or (token.type == "heading_open" and below[at] - below[start] > rows // 2):
            yield "\n".join(lines[start:at]).strip("\n")
            start = at
    yield "\n".join(lines[start:]).strip("\n")


def begins_with(title: str, row: str) -> bool:
    """Whether a row of a drawn page is a heading, or the first row of a long one. On a terminal
    without Unicode the row's letters have lost their accents."""
    if row == title or (len(row) > LONG and title.startswith(row)):
        return True
    if title.isascii() or not row.isascii():
        return False
    plain = _NO_LETTER.sub("", unicodedata.normalize("NFD", title))
    drawn = _NO_LETTER.sub("", row)
    return bool(drawn) and (drawn == plain or (len(drawn) > LONG and plain.startswith(drawn)))


def _words(inline: Any) -> str:
    """The text of a line without its markup."""
    return " ".join("".join(map(_word, inline.children or ())).split())


def _word(part: Token) -> str:
    if part.type in ("softbreak", "hardbreak") or _BREAK.fullmatch(part.content):
        return " "
    return "" if part.type == "html_inline" else part.content


_COMMAND = re.compile(r"\b(ssh|ssh-copy-id) ((?:-\w+ )*)(\S+@)?HOST\b")


def addressed(text: str, target: str) -> str:
    """The text with what people type to get here in place of `HOST` in commands of ssh; `target`
    may begin with options: `-p 8022 ada@localhost`. A name in a command stays."""
    options, _, last = target.rpartition(" ")
    name, at, host = last.rpartition("@")

    def filled(command: re.Match[str]) -> str:
        words = (command[1], command[2].strip(), options, f"{command[3] or name + at}{host}")
        return " ".join(word for word in words if word)

    return _COMMAND.sub(filled, text)
