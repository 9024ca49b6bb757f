"""Notes as pages: their Markdown drawn by rich, in a time that nobody else notices."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.markdown import CodeBlock, Heading, Markdown

MAX_DRAWN = 10_000
"""Characters of a note that is drawn; a longer one is shown as it was written."""


class _Heading(Heading):
    """Headings are at the left, as in the list."""

    LEVEL_ALIGN: ClassVar = {}


class _Code(CodeBlock):
    """Code in one colour: finding more takes minutes for some texts."""

    @classmethod
    def create(cls, markdown: Markdown, token: Any) -> _Code:
        return cls("text", markdown.code_theme)


class NotePage(Markdown):
    """A note as it is read: Markdown, but each line that somebody wrote stays a line."""

    elements: ClassVar = {
        **Markdown.elements,
        "heading_open": _Heading,
        "fence": _Code,
        "code_block": _Code,
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        for token in self.parsed:
            for part in token.children or ():
                if part.type == "softbreak":
                    part.type = "hardbreak"


def drawn(text: str) -> Any:
    """A note for a terminal."""
    return NotePage(text) if len(text) <= MAX_DRAWN else text.rstrip("\n")
