"""Markdown as pages: drawn by rich, with its headings and its blocks known by their place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

from rich.markdown import Heading as RichHeading
from rich.markdown import Markdown

MAX_ABOUT = 200


class _Heading(RichHeading):
    """Headings stand at the left, where one looks for them."""

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


def chunks(text: str, lines: int) -> Iterator[str]:
    """A page in pieces of about so many lines, cut between its blocks, before headings first."""
    rows = text.splitlines()
    start = 0
    for token in Markdown(text).parsed:
        if token.level or token.nesting < 0 or not token.map or token.map[0] <= start:
            continue
        at, end = token.map
        if end - start > lines or (token.type == "heading_open" and at - start > lines // 2):
            yield "\n".join(rows[start:at]).strip("\n")
            start = at
    yield "\n".join(rows[start:]).strip("\n")


def _words(inline: Any) -> str:
    """The words of a line of text, without its marks."""
    parts = (part.content or " " for part in inline.children or ())
    return " ".join("".join(parts).split())
