"""An SQLite file: opened when it is needed, brought up to date, with one sentence for each fault.

    MIGRATIONS = [["create table entry (author text not null, said text not null) strict"]]

    class Guestbook(App):
        def start(self) -> None:
            self.book = Database(self.data / "book.sqlite3", MIGRATIONS)

        @command
        def sign(self, session: Session, said: str) -> None:
            with self.book.writing() as connection:
                connection.execute("insert into entry values (?, ?)", (session.user, said))

        def stop(self) -> None:
            self.book.close()

Write-ahead mode: readers never wait for a writer, in this process or in another one.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tuihost.errors import TuihostError
from tuihost.files.secret_files import draft_of

BUSY_SECONDS = 5.0
READERS = 4
"""Threads that read one file at one time; each takes a connection and its descriptors."""


before_use: list[Callable[[], None]] = []
"""Called before any database is used, on the thread that may have to wait: for tests."""


class DatabaseFault(Enum):
    """Why a database cannot be used; the value continues "the database FILE …"."""

    BUSY = "is locked by another process"
    FULL = "cannot grow: the disk is full"
    DAMAGED = "is damaged"
    READ_ONLY = "may not be written to"
    NOT_OPENED = "cannot be opened"
    DISK = "cannot be read or written: the disk fails"
    GONE = "is gone"
    NOT_OURS = "is a database of something else"
    NEWER = "was written by a newer version"
    CLOSED = "is closed"
    OTHER = "does not work"


_FAULTS = {
    sqlite3.SQLITE_BUSY: DatabaseFault.BUSY,
    sqlite3.SQLITE_LOCKED: DatabaseFault.BUSY,
    sqlite3.SQLITE_FULL: DatabaseFault.FULL,
    sqlite3.SQLITE_CORRUPT: DatabaseFault.DAMAGED,
    sqlite3.SQLITE_NOTADB: DatabaseFault.DAMAGED,
    sqlite3.SQLITE_READONLY: DatabaseFault.READ_ONLY,
    sqlite3.SQLITE_PERM: DatabaseFault.NOT_OPENED,
    sqlite3.SQLITE_CANTOPEN: DatabaseFault.NOT_OPENED,
    sqlite3.SQLITE_IOERR: DatabaseFault.DISK,
    sqlite3.SQLITE_IOERR_SHMSIZE: DatabaseFault.FULL,  # no room for what readers share
}
# Mistakes of the statement, not of the file: the author of the statement has to see them.
_MISTAKES = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.DataError,
    sqlite3.NotSupportedError,
)


class DatabaseError(TuihostError):
    """A database cannot be used. The text is one sentence for the operator, with the path in it."""

    def __init__(self, text: str, fault: DatabaseFault) -> None:
        super().__init__(text)
        self.fault = fault


@dataclass(slots=True)
class _Connection:
    """One connection, and the file that it was opened on: device and inode, None for memory."""

    open: sqlite3.Connection | None = None
    file: tuple[int, int] | None = None

    def close(self) -> None:
        if self.open is not None:
            self.open.close()
            self.open = None


class Database:
    """The SQLite file `path`, for the user of this process alone (mode 0600) if it is made here.

    `migrations[n]` holds the statements that turn version n into version n + 1. Add to the end, and
    never change one that people have run. `application_id` tells the file from other programs'
    files (the pragma of that name), `called` names it in sentences, `busy` is how many seconds to
    wait for others, and `prepare` is called with each new connection: for functions and pragmas.

    Threads: any, also in a forked child; a fork waits until the other threads neither read nor
    write. A call waits for the disk and for other writers, and so do the coroutines beside it: hand
    longer work to `asyncio.to_thread`.
    """

    def __init__(
        self,
        path: Path,
        migrations: Sequence[Sequence[str]],
        *,
        application_id: int = 0,
        called: str = "the database",
        busy: float = BUSY_SECONDS,
        prepare: Callable[[sqlite3.Connection], None] = lambda connection: None,
    ) -> None:
        self.path = path
        self._migrations = tuple(tuple(statements) for statements in migrations)
        self._application_id = application_id
        self._called = called
        self._busy = busy
        self._prepare = prepare
        self._seen = self._closed = self._absent = False
        self._begin()
        _databases.add(self)

    def _begin(self) -> None:
        """Nothing is open, and nobody waits."""
        self._write_lock = threading.Lock()
        self._writing_thread: int | None = None
        self._writer = _Connection()
        self._read_places = threading.BoundedSemaphore(READERS)
        self._reading_threads: list[int] = []
        self._readers = [_Connection() for _ in range(READERS)]

    # ------------------------------------------------------------------ use

    def is_empty(self) -> bool:
        """True if the file does not exist yet. A select would find nothing, and this is cheaper.
        Raises `DatabaseError` as `reading` does."""
        if self._seen or self._closed:
            return False
        self._absent = self._file(empty=self._absent) is None
        return self._absent

    def open(self) -> None:
        """Makes the file, or brings an older one up to date. Reading and writing do it too, when
        they are first called; call this to be told of faults early."""
        with self._translated(), self._turn(self._write_lock):
            self._opened(self._writer, make=True)

    def check(self) -> None:
        """Raises `DatabaseError` if the file is there and cannot be used. Changes nothing."""
        with self.unchanged() as connection:
            if connection is None:
                return
            if connection.execute("pragma quick_check(1)").fetchone() != ("ok",):
                raise self._error(DatabaseFault.DAMAGED)

    @contextmanager
    def unchanged(self) -> Iterator[sqlite3.Connection | None]:
        """Gives a connection that can only read, to the file as it is (an older one keeps its
        version), or None if the file does not exist."""
        if not os.path.lexists(self.path):
            yield None
            return
        self._file()
        with self._translated(), closing(_read_only(self.path)) as connection:
            self._version(connection)
            yield connection

    def backup(self, path: Path) -> None:
        """Copies the database as it is now into the new file `path`, what stands in the write-ahead
        log included; a copy of the file alone would be without that."""
        with self.reading() as connection, closing(sqlite3.connect(path)) as copy:
            connection.backup(copy)
            copy.execute("pragma journal_mode = delete")  # so that it is one file

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for selects. Where there is no file yet, the same tables, and empty."""
        with self._translated(), self._turn(self._read_places):
            readers, threads, me = self._readers, self._reading_threads, threading.get_ident()
            reader = readers.pop()
            threads.append(me)
            try:
                yield self._opened(reader, make=False)
            finally:
                if readers is self._readers:  # not in a child that was forked inside the block
                    threads.remove(me)
                    if self._closed:
                        reader.close()
                    readers.append(reader)

    @contextmanager
    def writing(self, *, checkpoint: bool = False) -> Iterator[sqlite3.Connection]:
        """A connection inside a transaction that nobody else writes beside: kept where the block
        ends well, undone where it raises. Not to be nested. With `checkpoint` the file itself has
        it at once, and not only the write-ahead log, unless somebody is reading older contents."""
        with self._translated(), self._turn(self._write_lock):
            writer = self._writer
            connection = self._opened(writer, make=True)
            connection.execute("begin immediate")
            self._writing_thread = threading.get_ident()
            try:
                yield connection
                if writer is not self._writer:
                    raise self._error(DatabaseFault.OTHER, ": the transaction is the parent's")
                connection.execute("commit")
                if checkpoint:
                    with suppress(sqlite3.Error):  # the log has it, and the next one tries again
                        connection.execute("pragma wal_checkpoint(passive)").fetchone()
            finally:
                if writer is self._writer:  # not in a child that was forked inside the block
                    self._writing_thread = None
                    if connection.in_transaction:
                        connection.execute("rollback")
                    if self._closed:
                        writer.close()

    def close(self) -> None:
        """Closes the file; later calls raise `DatabaseError`. Waits for a writer, but no longer
        than `busy`: a block that still reads or writes then goes on, and its end closes
        the connection. So it is inside one's own block, too."""
        self._closed = True
        mine = self._writing_thread == threading.get_ident()
        if not mine and self._write_lock.acquire(timeout=max(0, self._busy)):
            try:
                self._writer.close()
            finally:
                self._write_lock.release()
        for reader in self._readers[:]:  # those that are in use close when they come back
            reader.close()

    # ------------------------------------------------------------------ open

    def _opened(self, connection: _Connection, *, make: bool) -> sqlite3.Connection:
        """The connection, opened on the file that has the name now. A file that was there must not
        be gone: nothing is ever written into one that has lost its name."""
        if self._closed:
            raise self._error(DatabaseFault.CLOSED)
        file = self._file(empty=connection.open is not None and connection.file is None)
        if file is None and self._seen:
            raise self._error(DatabaseFault.GONE)
        if connection.open is not None and connection.file == file:
            return connection.open
        connection.close()  # put back from a copy, say: what is open is not that file
        if file is None and make:
            self._make()
            file = self._file()
            if file is None:  # what is written must never end up in memory
                raise self._error(DatabaseFault.GONE)
        connection.open = self._connected(self.path if file is not None else None)
        connection.file = file
        self._seen = self._seen or file is not None
        return connection.open

    def _connected(self, path: Path | None) -> sqlite3.Connection:
        """A connection to the file, whose tables are those of today; None for memory."""
        # `mode=rw` makes no file, should this one be taken away meanwhile.
        place = ":memory:" if path is None else f"{path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(
            place, uri=True, timeout=self._busy, isolation_level=None, check_same_thread=False
        )
        try:
            self._version(connection)  # before anything of it is changed
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma foreign_keys = on")
            self._prepare(connection)
            self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _file(self, *, empty: bool = False) -> tuple[int, int] | None:
        """Which file has the name: device and inode; None if the folder has no such file. `empty`
        if that was so when it was last asked: why there is none need not be found out again."""
        try:
            about = self.path.stat()
        except FileNotFoundError:
            if empty:
                return None
            if not self._seen and self.path.is_symlink():
                detail = f": it is a link to {self.path.readlink()}, which is not there"
                raise self._error(DatabaseFault.NOT_OPENED, detail) from None
            if self._seen or self.path.parent.is_dir():
                return None
            raise self._error(DatabaseFault.NOT_OPENED, ": there is no such folder") from None
        except OSError as error:
            raise self._error(DatabaseFault.NOT_OPENED, f": {error.strerror}") from error
        return about.st_dev, about.st_ino

    def _make(self) -> None:
        """Makes the file with its tables in it: nobody meets one without."""
        try:
            with draft_of(self.path) as draft:
                try:
                    self._connected(draft).close()
                finally:
                    for suffix in ("-wal", "-shm", "-journal"):
                        draft.with_name(draft.name + suffix).unlink(missing_ok=True)
        except OSError as error:
            raise self._error(DatabaseFault.NOT_OPENED, f": {error.strerror}") from error

    # ------------------------------------------------------------------ migrations

    def _version(self, connection: sqlite3.Connection) -> int:
        """How many migrations the file has seen. Raises where it is not ours to use."""
        # One statement, so that nobody makes the tables between one answer and the next.
        version, application_id, tables = connection.execute(
            "select user_version, application_id, (select count(*) from sqlite_schema)"
            " from pragma_user_version, pragma_application_id"
        ).fetchone()
        if (version, application_id, tables) == (0, 0, 0):
            return 0
        unknown = version < 0 or (version == 0 and self._migrations)
        if unknown or application_id != self._application_id:
            raise self._error(DatabaseFault.NOT_OURS)
        if version > len(self._migrations):
            detail = f" (its version is {version}, not {len(self._migrations)})"
            raise self._error(DatabaseFault.NEWER, detail)
        return int(version)

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """Brings the file up to date, whole or not at all; of two processes one does it."""
        (application_id,) = connection.execute("pragma application_id").fetchone()
        done = self._version(connection) == len(self._migrations)
        if done and application_id == self._application_id:
            return
        connection.execute("begin immediate")
        try:
            for statements in self._migrations[self._version(connection) :]:
                for statement in statements:
                    connection.execute(statement)
            connection.execute(f"pragma application_id = {self._application_id}")
            connection.execute(f"pragma user_version = {len(self._migrations)}")
            connection.execute("commit")
        finally:
            if connection.in_transaction:
                connection.execute("rollback")

    # ------------------------------------------------------------------ faults

    @contextmanager
    def _turn(self, lock: threading.Lock | threading.Semaphore) -> Iterator[None]:
        for look in before_use:
            look()
        # SQLite waits for other processes no longer than this; so do we for our own threads.
        if not lock.acquire(timeout=self._busy + 1):
            raise DatabaseError(f"{self._called} {self.path} is busy", DatabaseFault.BUSY)
        try:
            yield
        finally:
            if lock in (self._write_lock, self._read_places):  # a forked child has new ones
                lock.release()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except _MISTAKES:
            raise
        except sqlite3.Error as error:
            # The lower eight bits of a code are the kind of fault.
            code = getattr(error, "sqlite_errorcode", 0)
            fault = _FAULTS.get(code, _FAULTS.get(code & 0xFF, DatabaseFault.OTHER))
            detail = f": {error}" if fault is DatabaseFault.OTHER else ""
            raise self._error(fault, detail) from error

    def _hold(self) -> Iterator[threading.Lock | threading.Semaphore]:
        """Takes the places of all other threads, so that none of them is inside SQLite, and yields
        each. One that is not free in time is left out."""
        me, seconds = threading.get_ident(), self._busy + 1
        if self._writing_thread != me and self._write_lock.acquire(timeout=seconds):
            yield self._write_lock
        for _ in range(READERS - self._reading_threads.count(me)):
            if self._read_places.acquire(timeout=seconds):
                yield self._read_places

    def _error(self, fault: DatabaseFault, detail: str = "") -> DatabaseError:
        return DatabaseError(f"{self._called} {self.path} {fault.value}{detail}", fault)


def is_damaged(path: Path) -> bool:
    """Whether a file, whatever program has made it, is a damaged database, or none at all. Changes
    nothing. Not for a pipe or a device."""
    try:
        with closing(_read_only(path)) as connection:
            return bool(connection.execute("pragma quick_check(1)").fetchone() != ("ok",))
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return _FAULTS.get(code) is DatabaseFault.DAMAGED


def _read_only(path: Path) -> sqlite3.Connection:
    # Where nobody has it open there is no write-ahead log to heed, and none has to be made.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)


# ------------------------------------------------------------------------------------- forks

_databases: weakref.WeakSet[Database] = weakref.WeakSet()
_inherited: list[_Connection] = []
_forking = threading.Lock()
_held: list[threading.Lock | threading.Semaphore] = []


def _hold_all() -> None:
    """Before a fork: a child that was forked while a thread wrote would see that thread's lock, and
    nobody there would ever release it."""
    _forking.acquire()
    for database in sorted(_databases, key=id):
        _held.extend(database._hold())


def _let_go() -> None:
    """In the parent."""
    while _held:
        _held.pop().release()
    _forking.release()


def _begin_anew() -> None:
    """In the child: SQLite's connections must not be used there, nor closed."""
    global _forking
    _forking = threading.Lock()
    _held.clear()
    for database in list(_databases):
        _inherited.extend([database._writer, *database._readers])
        database._begin()


os.register_at_fork(before=_hold_all, after_in_parent=_let_go, after_in_child=_begin_anew)
