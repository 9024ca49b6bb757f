"""Notes as pages: their Markdown drawn by rich, in a time that nobody else notices."""

from __future__ import annotations

from typing import Any, ClassVar

from markdown_it import MarkdownIt
from rich.markdown import CodeBlock, Heading, Markdown

from .note import front_matter

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


_PARSER = MarkdownIt(options_update={"html": False}).enable(["strikethrough", "table"])
_PARSER.disable("reference")


class NotePage(Markdown):
    """A note as it is read: Markdown, but each line that somebody wrote stays a line, and nothing
    of it is left out. HTML, pictures and definitions of links are shown as they were written."""

    elements: ClassVar = {
        **Markdown.elements,
        "heading_open": _Heading,
        "fence": _Code,
        "code_block": _Code,
    }

    def __init__(self, text: str) -> None:
        super().__init__("")
        front, rest = front_matter(text)
        if front:  # as it stands there, and not as a heading
            rest = f"~~~~~~\n{front}~~~~~~\n{rest}"
        self.markup, self.parsed = text, _PARSER.parse(rest)
        for token in self.parsed:
            for part in token.children or ():
                if part.type == "softbreak":
                    part.type = "hardbreak"
                elif part.type == "image":
                    part.type = "text"
                    part.content = f"![{part.content}]({part.attrs.get('src', '')})"


def drawn(text: str) -> Any:
    """A note for a terminal."""
    return NotePage(text) if len(text) <= MAX_DRAWN else text.rstrip("\n")
