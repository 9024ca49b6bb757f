"""Small things remembered for each account, in SQLite beside the host key.

Preferences are a convenience: where the file cannot be read or written, one line says so in the
log and people go on with what is in memory. Threads: any.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from tuihost.logs import Event, EventLog

_SCHEMA = 1
MAX_VALUE = 4096
MAX_ACCOUNTS_CACHED = 1024


class PreferenceStore:
    """The preferences of everybody."""

    def __init__(self, path: Path | None, log: EventLog) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._cache: dict[str, dict[str, str]] = {}
        self._database = self._open(path) if path is not None else None

    def of(self, account: str) -> AccountPreferences:
        return AccountPreferences(self, account)

    def get(self, account: str, name: str, default: str) -> str:
        with self._lock:
            return self._load(account).get(name, default)

    def set(self, account: str, name: str, value: str) -> None:
        value = value[:MAX_VALUE]
        with self._lock:
            values = self._load(account)
            if values.get(name) == value:
                return
            values[name] = value
            if self._database is None:
                return
            try:
                with self._database:
                    self._database.execute(
                        "insert into preference (account, name, value) values (?, ?, ?)"
                        " on conflict (account, name) do update set value = excluded.value",
                        (account, name, value),
                    )
            except sqlite3.Error as error:
                self._log.error(Event.HOST_ERROR, where="preferences", reason=str(error))

    def close(self) -> None:
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def _load(self, account: str) -> dict[str, str]:
        values = self._cache.get(account)
        if values is None:
            # Guests choose their own names: the cache must not grow with them.
            while len(self._cache) >= MAX_ACCOUNTS_CACHED:
                self._cache.pop(next(iter(self._cache)))
            values = self._cache[account] = self._read(account)
        return values

    def _read(self, account: str) -> dict[str, str]:
        if self._database is None:
            return {}
        try:
            rows = self._database.execute(
                "select name, value from preference where account = ?", (account,)
            )
            return dict(rows.fetchall())
        except sqlite3.Error as error:
            self._log.error(Event.HOST_ERROR, where="preferences", reason=str(error))
            return {}

    def _open(self, path: Path) -> sqlite3.Connection | None:
        try:
            database = sqlite3.connect(path, check_same_thread=False, timeout=1.0)
            try:
                database.execute("pragma journal_mode = wal")
                database.execute("pragma synchronous = normal")
                (version,) = database.execute("pragma user_version").fetchone()
                if version > _SCHEMA:
                    raise sqlite3.DatabaseError(f"{path} was written by a newer tuihost")
                with database:
                    database.execute(
                        "create table if not exists preference (account text not null,"
                        " name text not null, value text not null,"
                        " primary key (account, name)) strict, without rowid"
                    )
                    database.execute(f"pragma user_version = {_SCHEMA}")
            except sqlite3.Error:
                database.close()
                raise
            return database
        except sqlite3.Error as error:
            self._log.error(Event.HOST_ERROR, where="preferences", reason=str(error))
            return None


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
