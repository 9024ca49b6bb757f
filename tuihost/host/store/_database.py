"""A SQLite file as the account store uses it: opened when first needed, in write-ahead mode, one
connection that reads and one that writes, and every fault a `StoreError` in one clear sentence.

Reading never waits for who writes. A file that was there and is gone, or was put back, is
noticed: nothing is ever written into a file that has lost its name.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tuihost.accounts import StoreError
from tuihost.host.store._account_schema import MIGRATIONS, NotOurs, check, migrate

BUSY_SECONDS = 5.0

_WHY = {
    sqlite3.SQLITE_BUSY: "is locked by another process",
    sqlite3.SQLITE_LOCKED: "is locked by another process",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full",
    sqlite3.SQLITE_CORRUPT: "is damaged",
    sqlite3.SQLITE_NOTADB: "is damaged: it is no SQLite file",
    sqlite3.SQLITE_READONLY: "may not be written to",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_PERM: "may not be opened",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk fails",
}


@dataclass(slots=True)
class _Line:
    """One connection to the file, and the file that it was opened on."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    database: sqlite3.Connection | None = None
    file: tuple[int, int] | None = None

    def close(self) -> None:
        if self.database is not None:
            self.database.close()
            self.database = None


class Database:
    """The file `path`. Threads: any; one reads and one writes at a time.

    `created` is called when the file has been made. `absent` says why a file that does not exist
    must not be made, where that is so.
    """

    def __init__(
        self,
        path: Path,
        *,
        busy: float = BUSY_SECONDS,
        migrations: tuple[tuple[str, ...], ...] = MIGRATIONS,
        created: Callable[[], None] = lambda: None,
        absent: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.path = path
        self._busy = busy
        self._migrations = migrations
        self._created = created
        self._absent = absent
        self._reader, self._writer = _Line(), _Line()
        self._seen = self._closed = False

    # ------------------------------------------------------------------ use

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """A connection for selects; None where there is no file yet, and so nothing to find."""
        with self._translated():
            if not self._there():
                yield None
                return
            with self._turn(self._reader.turn):
                yield self._open(self._reader)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a transaction that nobody else writes beside; kept where the block
        ends well, undone where it raises. Makes the file where there is none."""
        with self._translated(), self._turn(self._writer.turn):
            database = self._open(self._writer)
            database.execute("begin immediate")
            try:
                yield database
                database.execute("commit")
            finally:
                if database.in_transaction:
                    database.execute("rollback")

    def close(self) -> None:
        """Closes the file; whoever comes later gets a `StoreError`."""
        self._closed = True
        for line in (self._writer, self._reader):
            with line.turn:
                line.close()

    # ------------------------------------------------------------------ open

    def _there(self) -> bool:
        """Whether there is a file. One that was there must not be gone."""
        if self._closed:
            raise StoreError("the account store is closed")
        if self.path.exists():
            return True
        if self._seen:
            raise StoreError(f"the account store {self.path} is gone")
        if not self.path.parent.is_dir():
            raise StoreError(f"the folder of the account store {self.path} does not exist")
        reason = self._absent()
        if reason is not None:
            raise StoreError(f"the account store {self.path} is gone: {reason}")
        return False

    def _open(self, line: _Line) -> sqlite3.Connection:
        fresh = not self._there()
        if line.database is not None:
            if self._identify() == line.file:
                return line.database
            line.close()  # put back from a copy, say: what is open is not that file
        if fresh:
            # Made here, since SQLite would let others read it.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        database = self._connect()
        line.database, line.file, self._seen = database, self._identify(), True
        if fresh:
            self._created()
        return database

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(
            self.path, timeout=self._busy, isolation_level=None, check_same_thread=False
        )
        try:
            check(database, len(self._migrations))  # before anything of it is changed
            database.execute("pragma journal_mode = wal")
            # A code that was used stays used, whatever happens to the machine.
            database.execute("pragma synchronous = full")
            database.execute("pragma foreign_keys = on")
            database.execute("pragma secure_delete = on")
            migrate(database, self._migrations)
        except BaseException:
            database.close()
            raise
        return database

    def _identify(self) -> tuple[int, int]:
        about = self.path.stat()
        return about.st_dev, about.st_ino

    # ------------------------------------------------------------------ faults

    @contextmanager
    def _turn(self, lock: threading.Lock) -> Iterator[None]:
        # SQLite waits for other processes no longer than this; so do we for our own threads.
        if not lock.acquire(timeout=self._busy + 1):
            raise StoreError(f"the account store {self.path} is busy")
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except NotOurs as problem:
            raise StoreError(f"the account store {self.path} {problem}") from None
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            why = _WHY.get(code, f"does not work: {error}")
            raise StoreError(f"the account store {self.path} {why}") from error
        except OSError as error:
            raise StoreError(
                f"the account store {self.path} cannot be opened: {error.strerror}"
            ) from error
