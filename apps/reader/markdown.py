"""Markdown as pages: drawn by rich, with its headings and its blocks known by their place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, ClassVar

from rich.markdown import Heading as RichHeading
from rich.markdown import Markdown

MAX_ABOUT = 200
LONG = 20
"""The fewest characters at which a row may be part of a heading."""
_NO_LETTER = re.compile(r"[^A-Za-z0-9]+")


class _Heading(RichHeading):
    """Headings are at the left, where people look for them."""

    LEVEL_ALIGN: ClassVar = {}


class PageMarkdown(Markdown):
    """A page as rich draws it."""

    elements: ClassVar = {**Markdown.elements, "heading_open": _Heading}


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: its level from 1 to 6, its words, and the name that links call it by."""

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
    """How the first paragraph begins: what a list says about a page."""
    tokens = Markdown(text).parsed
    for token, inline in pairwise(tokens):
        if token.type == "paragraph_open" and token.level == 0:
            return _words(inline)[:MAX_ABOUT]
    return ""


def chunks(text: str, rows: int, width: int) -> Iterator[str]:
    """A page in pieces of about `rows` rows on a screen, cut between its blocks, and rather before
    a heading than after it."""
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
    """Whether a row of a drawn page is a heading's, or the first of several that it takes. On a
    terminal without Unicode the row's letters have lost their accents."""
    if row == title or (len(row) > LONG and title.startswith(row)):
        return True
    if title.isascii() or not row.isascii():
        return False
    plain = _NO_LETTER.sub("", unicodedata.normalize("NFD", title))
    drawn = _NO_LETTER.sub("", row)
    return bool(drawn) and (drawn == plain or (len(drawn) > LONG and plain.startswith(drawn)))


def _words(inline: Any) -> str:
    """The words of a line of text, without its marks."""
    parts = (part.content or " " for part in inline.children or ())
    return " ".join("".join(parts).split())
