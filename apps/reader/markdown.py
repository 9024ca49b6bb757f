"""Markdown as pages: drawn by rich, with the places of its headings and blocks."""

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
"""A row with more characters may be just the first part of a heading."""
_NO_LETTER = re.compile(r"[^A-Za-z0-9]+")


class _Heading(RichHeading):
    """Headings are aligned to the left."""

    LEVEL_ALIGN: ClassVar = {}


class PageMarkdown(Markdown):
    """A page as rich draws it."""

    elements: ClassVar = {**Markdown.elements, "heading_open": _Heading}


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
    parts = (part.content or " " for part in inline.children or ())
    return " ".join("".join(parts).split())
