"""How much an account can keep."""

from __future__ import annotations

import re
import sqlite3

from tuihost import size_of

from .note import NotesError, tidy

_NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""Zero bytes, and bytes that were not UTF-8."""

MAX_NOTE = 256 * 1024
"""Bytes of one note."""
MAX_NOTES = 5000
MAX_TOTAL = 32 * 1024 * 1024
"""Bytes of all notes of one account."""
MAX_GUEST = 5_000_000
"""Bytes of all notes and drafts of one guest."""
MAX_GUESTS = 100_000_000
"""Bytes of those of all guests together."""
MAX_DRAFTS = 20
MAX_WORDS = 16
"""Words to find at one time: each is looked for in every note."""


def text_of(text: str) -> str:
    """The text, tidied. Raises `NotesError` if there are bytes in it that are not text."""
    if _NO_TEXT.search(text):
        raise NotesError("That is not text in UTF-8, so it was not kept.")
    return tidy(text)


def measured(text: str) -> str:
    """The text as it is kept. Raises `NotesError` if it is empty, too long, or not text."""
    text = text_of(text)
    size = len(text.encode())
    if not text.strip():
        raise NotesError("A note cannot be empty.")
    if size > MAX_NOTE:
        raise NotesError(
            f"A note can have {size_of(MAX_NOTE)}; this one is {size_of(size - MAX_NOTE)} too long."
        )
    return text


def make_room(db: sqlite3.Connection, owner: str, size: int, notes: int = 0) -> None:
    """Raises `NotesError` if an account would have more than it may."""
    count, total = db.execute(
        "SELECT count(*), coalesce(sum(size), 0) FROM note WHERE owner = ?", (owner,)
    ).fetchone()
    if count + notes > MAX_NOTES:
        raise NotesError(f"There are {MAX_NOTES:,} notes already, which is all that fit.")
    if size > 0 and total + size > MAX_TOTAL:
        raise NotesError(f"All notes together can have {size_of(MAX_TOTAL)}.")
