"""The file that the notes are in: its tables, and how its faults are told to people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuihost import Database, DatabaseError, DatabaseFault

from .note import NotesError

BUSY_SECONDS = 2.0
"""How long somebody waits for somebody else's save."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE account (owner TEXT PRIMARY KEY, last_number INTEGER NOT NULL)",
        """CREATE TABLE note (
            owner TEXT NOT NULL, number INTEGER NOT NULL, revision INTEGER NOT NULL,
            created REAL NOT NULL, changed REAL NOT NULL, size INTEGER NOT NULL, text TEXT NOT NULL,
            PRIMARY KEY (owner, number)
        )""",
        "CREATE INDEX note_by_change ON note (owner, changed)",
        """CREATE TABLE draft (
            id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, number INTEGER,
            revision INTEGER NOT NULL, changed REAL NOT NULL, text TEXT NOT NULL
        )""",
        "CREATE INDEX draft_by_owner ON draft (owner, changed)",
    ),
    (
        "CREATE INDEX note_by_size ON note (owner, changed, size)",
        "CREATE INDEX draft_by_size ON draft (owner, changed, length(CAST(text AS BLOB)))",
    ),
)
"""What turns version n of the file into version n + 1. Add to the end; never change one."""


def database_at(path: Path) -> Database:
    """The database in the file `path`."""
    return Database(path, MIGRATIONS, called="the notes' file", busy=BUSY_SECONDS)


@contextmanager
def told_to_people() -> Iterator[None]:
    """Turns what is wrong with the file into a sentence for the person who asked for a note."""
    try:
        yield
    except DatabaseError as error:
        raise NotesError(_sentence(error.fault)) from error


def _sentence(fault: DatabaseFault) -> str:
    match fault:
        case DatabaseFault.BUSY:
            return "The notes are busy just now. Try again in a moment."
        case DatabaseFault.FULL:
            return "The host has no room left for notes. Nothing was changed."
        case DatabaseFault.DAMAGED | DatabaseFault.NOT_OURS:
            return "The file with the notes is damaged. Its operator has to look at it."
        case DatabaseFault.NEWER:
            return "The notes were written by a newer version of this app."
        case DatabaseFault.READ_ONLY | DatabaseFault.DISK:
            return "The notes cannot be written now. Nothing was changed."
        case _:
            return "The notes cannot be reached now. Nothing was changed."
