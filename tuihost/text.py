"""Making text harmless: the one function that all text from people must pass."""

from __future__ import annotations

import re

# C0 and DEL and C1; bidirectional controls that can reorder what is read; line and paragraph
# separators; lone surrogates from undecodable bytes; zero-width characters that hide differences.
_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_HARMFUL_BUT_LINES = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_STACKED = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{4})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+"
)


def clean(text: str, *, lines: bool = False, limit: int | None = None) -> str:
    """`text`, with `·` for every character that could control a terminal or a log.

    With `lines`, tab and newline stay. A text longer than `limit` characters is cut, and ends in
    `…`.
    """
    if not (text.isascii() and text.isprintable()):  # which most are, and that is quickly seen
        text = (_HARMFUL_BUT_LINES if lines else _HARMFUL).sub("·", text)
        text = _STACKED.sub(r"\1", text)
    if limit is not None and len(text) > limit:
        text = text[: max(0, limit - 1)] + "…"
    return text


def masked(text: str) -> str:
    """`text` of the same length, with `·` in place of what `clean` would replace; tabs and line
    ends stay. For text that is shown while it is changed, and kept as it is."""
    return _HARMFUL_BUT_LINES.sub("·", text)


def without_bom(text: str) -> str:
    """`text` without a byte order mark in front, which some programs write and nobody means."""
    return text.removeprefix("\ufeff")
