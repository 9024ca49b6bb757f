"""What a person sees as one character: a flag, a family emoji, a letter with its accents. And a
paste for a field of one line."""

from __future__ import annotations

from wcwidth import grapheme_boundary_before, iter_graphemes

from tuihost.text import without_bom

LONGEST = 256
"""Characters that one cluster can have; a longer one is taken in parts."""


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
