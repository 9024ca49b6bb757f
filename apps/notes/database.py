"""The file that the notes are in: how it is opened, brought up to date and locked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from .note import StoreError

BUSY = 2.0
"""Seconds to wait for somebody else's save."""

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
)
"""What turns version n of the file into version n + 1. Add to the end; never change one."""

_MISSING = -1


class Database:
    """A SQLite file in write-ahead mode. Whatever is wrong with it is told as a `StoreError`.
    Threads: any; each use opens the file anew."""

    def __init__(self, path: Path) -> None:
        self._uri = path.absolute().as_uri()

    def open(self) -> None:
        """Makes the file, or brings an older one up to date."""
        with _told(), closing(self._connect("rwc")) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("BEGIN IMMEDIATE")
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version > len(MIGRATIONS):
                raise StoreError("The notes were written by a newer version of this app.")
            for statements in MIGRATIONS[version:]:
                for statement in statements:
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
            db.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """For one query."""
        with _told(), closing(self._connect("rw")) as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or, whatever is raised, nothing."""
        with _told(), closing(self._connect("rw")) as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")

    def _connect(self, mode: str) -> sqlite3.Connection:
        """`rw` rather than `rwc` after the start: a file that is gone is an error, not empty."""
        db = sqlite3.connect(
            f"{self._uri}?mode={mode}", uri=True, timeout=BUSY, isolation_level=None
        )
        db.create_function("fold", 1, str.casefold, deterministic=True)
        return db


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong with the file, as a sentence."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(_sentence(error)) from error


def _sentence(error: sqlite3.Error) -> str:
    # The lower eight bits of a code are the kind of error.
    match getattr(error, "sqlite_errorcode", _MISSING) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "The notes are busy just now. Try again in a moment."
        case sqlite3.SQLITE_FULL:
            return "The host has no room left for notes. Nothing was changed."
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return "The file with the notes is damaged. Its operator has to look at it."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_IOERR:
            return "The notes cannot be written now. Nothing was changed."
        case _:
            return "The notes cannot be reached now. Nothing was changed."
