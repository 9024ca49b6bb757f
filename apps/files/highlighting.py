"""The colours of a file that is code, found by a helper process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_for_filename, guess_lexer_for_filename
from pygments.token import Text, string_to_tokentype
from rich.syntax import Syntax

MAX_CODE = 20_000  # characters; more is shown as plain text
TAB = 4


def is_code(name: str, text: str) -> bool:
    """Whether colours can be found for the file of this name."""
    return len(text) <= MAX_CODE and find_lexer_class_for_filename(name) is not None


def tokens(name: str, text: str) -> list[list[str]]:
    """The parts of the text, each with its kind. For a helper: it may take long."""
    lexer = guess_lexer_for_filename(name, text, stripnl=False)
    found = lexer.get_tokens(text.expandtabs(TAB))
    return [[str(kind).removeprefix("Token").removeprefix("."), part] for kind, part in found]


def page(text: str, parts: Sequence[Sequence[str]] = ()) -> Syntax:
    """The text as it is shown, in the colours of its parts."""
    lexer = _Known(parts or [["Text", text.expandtabs(TAB)]])
    return Syntax(text, lexer, word_wrap=True, tab_size=TAB, background_color="default")


class _Known(Lexer):
    """A lexer whose work is done already."""

    name = "known"

    def __init__(self, parts: Sequence[Sequence[str]]) -> None:
        super().__init__()
        self._parts = parts

    def get_tokens(self, text: str, unfiltered: bool = False) -> Iterator[tuple[Any, str]]:
        for kind, part in self._parts:
            yield string_to_tokentype(kind) if kind else Text, part
