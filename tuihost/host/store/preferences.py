"""Small things remembered for each account, in SQLite beside the host key.

Preferences are a convenience: where the file cannot be read or written, one line says so in the
log and people go on with what is in memory. Threads: any.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tuihost.database import Database, DatabaseError
from tuihost.logs import Event, EventLog

MIGRATIONS = (
    (
        "create table preference (account text not null, name text not null, value text not null,"
        " primary key (account, name)) strict, without rowid",
    ),
    (
        "alter table preference add column at real not null default 0",
        "create index preference_at on preference (at)",
    ),
)
BUSY_SECONDS = 1.0
MAX_VALUE = 4096
"""Characters of one preference."""
MAX_NAME = 128
"""Characters of the name of one."""
MAX_NAMES = 1000
"""Preferences of one account, or of one guest: all apps together, which share their names."""
THEME = "theme"
"""The name under which the host remembers a theme: there is always room for it."""
MAX_ACCOUNTS_CACHED = 1024
GUESTS_KEPT = 20_000
"""Preferences of all guests together in the file; those that were set longest ago go. Guests choose
their names, and each would leave some."""
GUESTS_COUNTED = 500
"""Preferences that are set until it is looked for too many."""

_SET = """insert into preference (account, name, value, at) values (?, ?, ?, ?)
    on conflict do update set value = excluded.value, at = excluded.at"""
# Keys of guests begin so, and those of accounts have no colon.
_GUESTS = "account >= 'guest:' and account < 'guest;'"
_FORGET = f"""delete from preference where {_GUESTS} and at <=
    (select at from preference where {_GUESTS} order by at desc limit 1 offset ?)"""


def preference_file(path: Path) -> Database:
    """The file of preferences, which is opened when it is first needed."""
    return Database(
        path, MIGRATIONS, called="the preference file", busy=BUSY_SECONDS, prepare=_prepare
    )


class PreferenceStore:
    """The preferences of everybody. Without a `path` they last as long as the host."""

    def __init__(
        self, path: Path | None, log: EventLog, clock: Callable[[], float] = time.time
    ) -> None:
        self._log = log
        self._clock = clock
        self._changes = 0
        self._lock = threading.Lock()
        self._cache: dict[str, dict[str, str]] = {}
        self._fault = ""
        self._database: Database | None = None
        if path is not None:
            self._database = preference_file(path)
            try:
                self._database.open()
            except DatabaseError as error:
                self._note(error)

    def of(self, account: str) -> AccountPreferences:
        return AccountPreferences(self, account)

    def get(self, account: str, name: str, default: str) -> str:
        values = self._values(account)
        with self._lock:
            return values.get(name, default)

    def set(self, account: str, name: str, value: str) -> None:
        if len(name) > MAX_NAME:
            raise ValueError(
                f"{name[:20]}…: the name of a preference can have {MAX_NAME} characters"
            )
        if len(value) > MAX_VALUE:
            raise ValueError(f"{name}: a preference can have {MAX_VALUE} characters")
        values = self._values(account)
        with self._lock:
            if values.get(name) == value:
                return
            if name not in values and len(values) >= MAX_NAMES and name != THEME:
                raise ValueError(f"{name}: one person can have {MAX_NAMES} preferences")
            values[name] = value
        database = self._database
        if database is None:
            return
        try:
            with database.writing() as connection:
                with self._lock:
                    value = values[name]  # of two that are set at once the later one stays
                connection.execute(_SET, (account, name, value, self._clock()))
                self._changes += 1
                if self._changes % GUESTS_COUNTED == 0:
                    connection.execute(_FORGET, (GUESTS_KEPT,))
            self._fault = ""
        except DatabaseError as error:
            self._note(error)

    def close(self) -> None:
        """Closes the file. What is set from now on is remembered in memory only."""
        database, self._database = self._database, None
        if database is not None:
            database.close()

    def _values(self, account: str) -> dict[str, str]:
        """What is remembered of an account. The lock is not held while the file is read."""
        with self._lock:
            known = self._cache.get(account)
        if known is not None:
            return known
        found = self._read(account)
        with self._lock:
            # Guests choose their own names: the cache must not grow with them.
            while len(self._cache) >= MAX_ACCOUNTS_CACHED:
                self._cache.pop(next(iter(self._cache)))
            return self._cache.setdefault(account, found)

    def _read(self, account: str) -> dict[str, str]:
        database = self._database
        if database is None:
            return {}
        try:
            with database.reading() as connection:
                rows = connection.execute(
                    "select name, value from preference where account = ?", (account,)
                ).fetchall()
        except DatabaseError as error:
            self._note(error)
            return {}
        return dict(rows)

    def _note(self, error: DatabaseError) -> None:
        """Logs a fault when it begins, and not at every key that people press meanwhile."""
        if str(error) != self._fault:
            self._fault = str(error)
            self._log.error(Event.HOST_ERROR, where="preferences", reason=str(error))


def _prepare(connection: sqlite3.Connection) -> None:
    # The last ones may be lost with the machine: no key that somebody presses waits for the disk.
    connection.execute("pragma synchronous = normal")


class AccountPreferences:
    """Implements `session.Preferences` for one account."""

    __slots__ = ("_account", "_store")

    def __init__(self, store: PreferenceStore, account: str) -> None:
        self._store = store
        self._account = account

    def get(self, name: str, default: str = "") -> str:
        return self._store.get(self._account, name, default)

    def set(self, name: str, value: str) -> None:
        self._store.set(self._account, name, value)
