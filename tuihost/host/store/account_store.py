"""The account store on SQLite, for one host or for several workers on one machine.

It is opened when it is first needed, so that a host of guests pays nothing for it. Every change
that must happen once is one statement inside one transaction, and its count of rows the answer.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from tuihost.accounts import AccountRecord, Invite, KeyRecord, LoginRecord, StoreError
from tuihost.core.login.account_names import as_label, skeleton
from tuihost.core.login.lockout import SEPARATOR
from tuihost.database import BUSY_SECONDS, Database, DatabaseError
from tuihost.files.secret_files import NotPrivate, check_trusted
from tuihost.host.store._account_rows import (
    NOBODY,
    SELECT_ACCOUNT,
    SELECT_LABEL,
    SELECT_LIKE,
    account_of,
    forms,
    insert_account,
    key_of,
    listed,
)
from tuihost.host.store._account_schema import APPLICATION_ID, MIGRATIONS
from tuihost.host.store._keyed_locks import KeyedLocks
from tuihost.host.store.secret_box import SecretBox

KEPT_LOGINS = 200
"""Logins of one account that are remembered, and as many failed ones beside them."""

_NAMES = "select name from account order by folded"
_KEYS = "select account, fingerprint, name, line, added, last_used from key"


class SqliteAccounts:
    """Implements `accounts.AccountStore` in the file `path`; `box` encrypts the secrets in it.

    Threads: any. `busy` is how many seconds it waits for other processes. `box_is_ours`: the key
    is made together with the store, so a key without a store means that the store is lost.
    """

    def __init__(
        self,
        path: Path,
        box: SecretBox,
        *,
        busy: float = BUSY_SECONDS,
        box_is_ours: bool = True,
    ) -> None:
        self._box = box
        self._ours = box_is_ours
        self._trusted: tuple[int, ...] = ()
        self._database = Database(
            path,
            MIGRATIONS,
            application_id=APPLICATION_ID,
            called="the account store",
            busy=busy,
            prepare=_prepare,
        )
        self._locks = KeyedLocks(path.with_name(f"{path.name}-locks"))

    def close(self) -> None:
        self._database.close()
        self._locks.close()

    def backup(self, folder: Path) -> tuple[Path, ...]:
        """Copies the store and its key into `folder`, as they are at one moment; the copies. Other
        processes may use the store meanwhile. Raises `StoreError` if there is no store."""
        path, key = self._database.path, self._box.path
        if not path.exists():
            raise StoreError(f"there is no account store yet: {path}")
        try:
            self._database.backup(folder / path.name)
        except DatabaseError as error:
            raise StoreError(str(error)) from error
        return (folder / path.name, *((key,) if key.exists() else ()))

    def check(self) -> None:
        """Raises `StoreError` if the store or its key is there and cannot be used. Changes
        nothing."""
        try:
            with suppress(OSError):  # which the next line reports, if it is one
                self._refuse_a_file_of_others(self._database.path)
            self._database.check()
        except DatabaseError as error:
            raise StoreError(str(error)) from error
        try:
            has_key = self._box.path.exists()
        except OSError as error:  # a folder of another user, for one
            reason = f"the key {self._box.path} cannot be used: {error.strerror}"
            raise StoreError(reason) from error
        if has_key:
            self._box.check()

    def look_alikes(self) -> Sequence[tuple[str, ...]]:
        """Accounts whose names look the same, together. Changes nothing, so it may be asked beside
        a host of an older version."""
        with _translated(), self._database.unchanged() as connection:
            rows = [] if connection is None else connection.execute(_NAMES).fetchall()
        alike: dict[str, list[str]] = {}
        for (name,) in rows:
            alike.setdefault(skeleton(name), []).append(name)
        return tuple(tuple(names) for names in alike.values() if len(names) > 1)

    # ------------------------------------------------------------------ accounts

    def get(self, name: str) -> AccountRecord | None:
        rows = self._select(f"{SELECT_ACCOUNT} where name = ?", key_of(name))
        record = account_of(rows[0] if rows else NOBODY)
        return record if rows else None

    def taken(self, name: str, *, label: bool = False) -> bool:
        if label:
            return bool(self._select(SELECT_LABEL, key_of(as_label(skeleton(name)))))
        return self.lookup(name)[1]

    def lookup(self, name: str) -> tuple[AccountRecord | None, bool]:
        rows = self._select(SELECT_LIKE, *forms(name))
        found, exact = [account_of(row) for row in rows or (NOBODY,)], key_of(name)
        return next((record for record in found if rows and record.name == exact), None), bool(rows)

    def all(self) -> Sequence[AccountRecord]:
        return tuple(account_of(row) for row in self._select(f"{SELECT_ACCOUNT} order by folded"))

    def create(self, record: AccountRecord) -> bool:
        with self._writing() as connection:
            return insert_account(connection, record)

    def update(
        self,
        name: str,
        *,
        roles: frozenset[str] | None = None,
        groups: frozenset[str] | None = None,
        disabled: bool | None = None,
        password_hash: str | None = None,
        password_expired: bool | None = None,
        terms: str | None = None,
        chains: tuple[tuple[str, ...], ...] | None = None,
    ) -> bool:
        given: dict[str, object] = {
            "roles": None if roles is None else listed(roles),
            '"groups"': None if groups is None else listed(groups),
            "disabled": None if disabled is None else int(disabled),
            "password_hash": password_hash,
            "password_expired": None if password_expired is None else int(password_expired),
            "terms": terms,
            "chains": None if chains is None else json.dumps(chains),
        }
        changes = {column: value for column, value in given.items() if value is not None}
        if not changes:
            return self.get(name) is not None
        columns = ", ".join(f"{column} = ?" for column in changes)
        return self._change(
            f"update account set {columns} where name = ?", *changes.values(), key_of(name)
        )

    def delete(self, name: str) -> bool:
        return self._change("delete from account where name = ?", key_of(name))

    # ------------------------------------------------------------------ keys

    def keys(self, name: str) -> Sequence[KeyRecord]:
        rows = self._select(f"{_KEYS} where account = ? order by added, fingerprint", key_of(name))
        return tuple(KeyRecord(*row) for row in rows)

    def key(self, name: str, fingerprint: str) -> KeyRecord | None:
        rows = self._select(
            f"{_KEYS} where account = ? and fingerprint = ?", key_of(name), fingerprint
        )
        return KeyRecord(*rows[0]) if rows else None

    def add_key(self, key: KeyRecord, *, at_most: int | None = None) -> bool:
        with self._writing() as connection:
            known = connection.execute(
                "select (select count(*) from key where account = account.name) from account"
                " where name = ?",
                (key_of(key.account),),
            ).fetchone()
            if known is None or (at_most is not None and known[0] >= at_most):
                return False
            found = connection.execute(
                "insert into key (account, fingerprint, name, line, added, last_used)"
                " values (?, ?, ?, ?, ?, ?) on conflict do nothing",
                (key.account, key.fingerprint, key.name, key.line, key.added, key.last_used),
            )
            return found.rowcount == 1

    def rename_key(self, name: str, fingerprint: str, label: str) -> bool:
        return self._change(
            "update key set name = ? where account = ? and fingerprint = ?",
            label,
            key_of(name),
            fingerprint,
        )

    def remove_key(self, name: str, fingerprint: str, *, keep_a_way_in: bool = False) -> bool:
        return self._change(
            "delete from key where account = :account and fingerprint = :fingerprint and ("
            " not :keep"
            " or exists (select 1 from key"
            " where account = :account and fingerprint <> :fingerprint)"
            " or exists (select 1 from account"
            " where name = :account and password_hash is not null))",
            account=key_of(name),
            fingerprint=fingerprint,
            keep=keep_a_way_in,
        )

    def key_used(self, name: str, fingerprint: str, at: float) -> None:
        with self._writing(checkpoint=False) as connection:
            connection.execute(
                "update key set last_used = ? where account = ? and fingerprint = ?",
                (at, key_of(name), fingerprint),
            )

    # ------------------------------------------------------------------ second factor

    def totp_secret(self, name: str) -> bytes | None:
        rows = self._select("select totp from account where name = ?", key_of(name))
        if not rows or rows[0][0] is None:
            return None
        return self._box.open(rows[0][0], _owner(name))

    def set_totp(self, name: str, secret: bytes | None, *, only_if_none: bool = False) -> bool:
        if secret is not None and not self._select(
            "select 1 from account where totp is not null limit 1"
        ):
            self._box.create()  # a lost key is replaced only while nothing needs it
        sealed = None if secret is None else self._box.seal(secret, _owner(name))
        free = " and totp is null" if only_if_none else ""
        if self._change(
            f"update account set totp = ?, totp_counter = -1 where name = ?{free}",
            sealed,
            key_of(name),
        ):
            return True
        if only_if_none and self.get(name) is not None:
            return False
        raise StoreError("there is no account of that name any more")

    def take_totp(self, name: str, counter: int) -> bool:
        return self._change(
            "update account set totp_counter = ?"
            " where name = ? and totp is not null and totp_counter < ?",
            counter,
            key_of(name),
            counter,
        )

    def set_recovery(self, name: str, hashes: Sequence[bytes]) -> None:
        with self._writing() as connection:
            connection.execute("delete from recovery where account = ?", (key_of(name),))
            try:
                connection.executemany(
                    "insert into recovery (account, hash) values (?, ?)",
                    [(key_of(name), code_hash) for code_hash in dict.fromkeys(hashes)],
                )
            except sqlite3.IntegrityError:
                raise StoreError("there is no account of that name any more") from None

    def take_recovery(self, name: str, code_hash: bytes) -> bool:
        return self._change(
            "delete from recovery where account = ? and hash = ?", key_of(name), code_hash
        )

    # ------------------------------------------------------------------ invitations

    def add_invite(self, code_hash: bytes, invite: Invite) -> None:
        self._change(
            "insert or replace into invite (hash, roles, note, created, expires, invited_by)"
            " values (?, ?, ?, ?, ?, ?)",
            code_hash,
            listed(invite.roles),
            invite.note,
            invite.created,
            invite.expires,
            invite.by,
        )

    def drop_invites(self, now: float) -> None:
        self._change("delete from invite where expires <= ?", now)

    def open_invites(self, now: float) -> bool:
        return bool(
            self._select("select 1 from invite where expires is null or expires > ? limit 1", now)
        )

    def peek_invite(self, code_hash: bytes, now: float) -> Invite | None:
        rows = self._select(
            "select roles, note, created, expires, invited_by from invite"
            " where hash = ? and (expires is null or expires > ?)",
            code_hash,
            now,
        )
        if not rows:
            return None
        roles, note, created, expires, by = rows[0]
        return Invite(frozenset(json.loads(roles)), note, created, expires, by)

    def take_invite(self, code_hash: bytes, now: float, record: AccountRecord) -> bool:
        with self._writing() as connection:
            good = connection.execute(
                "select 1 from invite where hash = ? and (expires is null or expires > ?)",
                (code_hash, now),
            )
            if good.fetchone() is None:
                return False
            # Asked again in here: somebody else may have chosen one that looks like it meanwhile.
            if connection.execute(SELECT_LIKE, forms(record.name)).fetchone() is not None:
                return False
            if not insert_account(connection, record):
                return False
            connection.execute("delete from invite where hash = ?", (code_hash,))
            return True

    # ------------------------------------------------------------------ failures and history

    def note_failure(self, key: str, now: float, window: float) -> int:
        with self._writing(checkpoint=False) as connection:
            # Strangers choose the names that they try: what has expired is not kept.
            connection.execute("delete from failure where expires <= ?", (now,))
            connection.execute(
                "insert into failure (key, at, expires) values (?, ?, ?)",
                (key_of(key), now, now + window),
            )
            return _failures(connection, key, now, window)

    def failures(self, key: str, now: float, window: float) -> int:
        with self._reading() as connection:
            return _failures(connection, key, now, window)

    def clear_failures(self, key: str, *, below: bool = False) -> int:
        first = key_of(key)
        where = "key = ?"
        values: tuple[str, ...] = (first,)
        if below:
            # Keys that go on behind a separator sort between it and the next character.
            where = "key = ? or (key >= ? and key < ?)"
            values += (first + SEPARATOR, first + chr(ord(SEPARATOR) + 1))
        if not self._select(f"select 1 from failure where {where} limit 1", *values):
            return 0
        with self._writing(checkpoint=False) as connection:
            return connection.execute(f"delete from failure where {where}", values).rowcount

    def lock(self, key: str) -> AbstractContextManager[None]:
        return self._locks.of(key_of(key))

    def record_login(self, login: LoginRecord) -> None:
        with self._writing(checkpoint=False) as connection:
            connection.execute(
                "insert into login (account, at, address, factors, fingerprint, success)"
                " select name, ?, ?, ?, ?, ? from account where name = ?",
                (
                    login.at,
                    login.address,
                    json.dumps(login.factors),
                    login.fingerprint,
                    int(login.success),
                    key_of(login.account),
                ),
            )
            connection.execute(
                "delete from login where account = :account and success = :success and id <="
                " (select id from login where account = :account and success = :success"
                " order by id desc limit 1 offset :kept)",
                {
                    "account": key_of(login.account),
                    "success": int(login.success),
                    "kept": KEPT_LOGINS,
                },
            )

    def logins(self, name: str, limit: int = 50) -> Sequence[LoginRecord]:
        rows = self._select(
            "select account, at, address, factors, fingerprint, success from login"
            " where account = ? order by id desc limit ?",
            key_of(name),
            min(max(0, limit), 2 * KEPT_LOGINS),  # SQLite cannot count to every number
        )
        return tuple(
            LoginRecord(account, at, address, tuple(json.loads(factors)), key, bool(success))
            for account, at, address, factors, key, success in rows
        )

    # ------------------------------------------------------------------ statements

    def _select(self, statement: str, *values: object) -> list[Any]:
        fresh = self._refuse_a_lost_file()
        with _translated():
            if fresh and self._database.is_empty():
                return []  # nobody has an account yet
            with self._database.reading() as connection:
                return connection.execute(statement, values).fetchall()

    def _change(self, statement: str, *values: object, **named: object) -> bool:
        with self._writing() as connection:
            return connection.execute(statement, named or values).rowcount > 0

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        self._refuse_a_lost_file()
        with _translated(), self._database.reading() as connection:
            yield connection

    @contextmanager
    def _writing(self, *, checkpoint: bool = True) -> Iterator[sqlite3.Connection]:
        """In a copy of the file alone, too, what is closed, deleted or used has to stay so. What
        every login writes can wait for the next checkpoint."""
        fresh = self._refuse_a_lost_file()
        with _translated(), self._database.writing(checkpoint=checkpoint) as connection:
            if fresh:
                self._box.create()
            yield connection

    def _refuse_a_lost_file(self) -> bool:
        """True if the file does not exist yet. Raises `StoreError` if there was one, as its key
        shows, or if others may write to it."""
        path = self._database.path
        with suppress(OSError):  # where it cannot be looked at, it cannot be opened either
            self._refuse_a_file_of_others(path)
            return False
        if self._ours and os.path.lexists(self._box.path) and path.parent.is_dir():
            raise StoreError(
                f"the account store {path} is gone: put it back, or delete its key {self._box.path}"
                " to begin anew"
            )
        return True

    def _refuse_a_file_of_others(self, path: Path) -> None:
        """Anyone who may write to the store could let themselves in. In a folder of another user,
        which only root opens, that user may have it."""
        about = path.stat()
        found = about.st_ino, about.st_mode, about.st_uid, about.st_gid
        if found == self._trusted:
            return
        folder = path.resolve().parent
        owner = folder.stat().st_uid
        for place in (folder, path):
            try:
                check_trusted(place, (owner,))
            except NotPrivate as problem:
                where = "" if place is path else "its folder: "
                raise StoreError(
                    f"the account store {path} cannot be trusted: {where}{problem}"
                ) from None
        self._trusted = found


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        raise StoreError(str(error)) from error


def _prepare(connection: sqlite3.Connection) -> None:
    # A code that was used stays used, whatever happens to the machine.
    connection.execute("pragma synchronous = full")
    connection.execute("pragma secure_delete = on")
    connection.create_function("skeleton", 1, skeleton, deterministic=True)


def _owner(name: str) -> str:
    return f"totp of {name}"


def _failures(connection: sqlite3.Connection, key: str, now: float, window: float) -> int:
    (count,) = connection.execute(
        "select count(*) from failure where key = ? and at > ?", (key_of(key), now - window)
    ).fetchone()
    return int(count)
