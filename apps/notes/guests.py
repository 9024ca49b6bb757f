"""The notes of guests, who choose their names: all of them together share what room there is."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from tuihost import size_of

from .limits import MAX_GUEST, MAX_GUESTS
from .note import NotesError

IN_USE = 3600.0
"""Seconds after a guest's last change in which their notes make room for nobody."""
COST = 1000
"""Bytes that each note and draft counts at least, however little is in it."""

# Keys of guests begin so, and those of accounts have no colon.
_GUESTS = "owner >= 'guest:' AND owner < 'guest;'"
# As the indexes have it, so that no text is read for it.
_SIZES = f"""
    SELECT owner, max(size, {COST}) AS size, changed FROM note WHERE {_GUESTS}
    UNION ALL
    SELECT owner, max(length(CAST(text AS BLOB)), {COST}), changed FROM draft WHERE {_GUESTS}
"""


@dataclass(frozen=True, slots=True)
class GuestRoom:
    """How many bytes `each` guest may have, and all of them `together`."""

    each: int = MAX_GUEST
    together: int = MAX_GUESTS

    def make(self, db: sqlite3.Connection, owner: str, size: int, now: float) -> list[str]:
        """Makes room for `size` bytes more of `owner`. The notes of guests who have changed nothing
        for the longest go for it: their keys. Raises `NotesError` if there is none."""
        if not owner.startswith("guest:") or size <= 0:
            return []
        query = f"SELECT coalesce(sum(size), 0) FROM ({_SIZES})"
        (own,) = db.execute(f"{query} WHERE owner = ?", (owner,)).fetchone()
        if own + size > self.each:
            raise NotesError(f"All notes of a guest together can have {size_of(self.each)}.")
        (taken,) = db.execute(query).fetchone()
        gone = []
        if taken + size > self.together:
            for other, used in self._others(db, owner, now):
                _forget(db, other)
                gone.append(other)
                taken -= used
                if taken + size <= self.together:
                    break
            else:
                raise NotesError(
                    f"The notes of all guests together can have {size_of(self.together)}, and"
                    " there is no room left now. Try again in an hour."
                )
        return gone

    def _others(self, db: sqlite3.Connection, owner: str, now: float) -> list[tuple[str, int]]:
        """Guests who have not been at it lately and what they have, the longest away first."""
        return db.execute(
            f"SELECT owner, sum(size) FROM ({_SIZES}) WHERE owner <> ? GROUP BY owner"
            " HAVING max(changed) <= ? ORDER BY max(changed)",
            (owner, now - IN_USE),
        ).fetchall()


def _forget(db: sqlite3.Connection, owner: str) -> None:
    for table in ("note", "draft", "account"):
        db.execute(f"DELETE FROM {table} WHERE owner = ?", (owner,))
