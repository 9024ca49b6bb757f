"""Characters on a terminal: how many cells they take, which code points a person sees as one (a
flag, a family emoji, a letter with its accents), and what becomes of line ends in one line."""

from __future__ import annotations

from prompt_toolkit.utils import get_cwidth
from wcwidth import grapheme_boundary_before, iter_graphemes

from tuihost.text import without_bom

LONGEST = 256
"""Characters that one cluster can have; a longer one is taken in parts."""


def width_of(text: str) -> int:
    """How many cells `text` takes: two for a wide character, none for a combining mark."""
    return len(text) if text.isascii() and text.isprintable() else get_cwidth(text)


def cluster_before(text: str, at: int) -> int:
    """Where the cluster begins that ends at `at` (UAX #29)."""
    return grapheme_boundary_before(text, at)


def cluster_after(text: str, at: int) -> int:
    """Where the cluster ends that begins at `at`."""
    return at + len(next(iter_graphemes(text, at, min(len(text), at + LONGEST)), ""))


def one_line(text: str) -> str:
    """A pasted text for a field of one line: the line end at its end is dropped, those inside
    become blanks."""
    return " ".join(without_bom(text).splitlines())
