"""An account store in memory: for tests of steps, and as the shortest account of what one does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from tuihost.accounts import AccountRecord, Invite, KeyRecord, LoginRecord, StoreError
from tuihost.core.login.account_names import as_label, folded, name_problem, skeleton
from tuihost.core.login.lockout import SEPARATOR

KEPT_LOGINS = 200
PATIENCE = 5.0

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(slots=True)
class _Account:
    record: AccountRecord
    keys: dict[str, KeyRecord] = field(default_factory=dict)
    secret: bytes | None = None
    counter: int = -1
    recovery: set[bytes] = field(default_factory=set)
    logins: list[LoginRecord] = field(default_factory=list)


def _alone(
    method: Callable[Concatenate[MemoryAccounts, _P], _R],
) -> Callable[Concatenate[MemoryAccounts, _P], _R]:
    """One call at a time, and none at all if the store is `broken`."""

    @wraps(method)
    def locked(self: MemoryAccounts, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with self._lock:
            if self.broken:
                raise StoreError(self.broken)
            return method(self, *args, **kwargs)

    return locked


class MemoryAccounts:
    """Implements `accounts.AccountStore`. Threads: any. Gone with the object."""

    def __init__(self) -> None:
        self.broken = ""
        """A reason here makes every call raise `StoreError`, as a full disk would."""
        self._lock = threading.RLock()
        self._accounts: dict[str, _Account] = {}
        self._invites: dict[bytes, Invite] = {}
        self._failures: dict[str, list[float]] = {}
        self._locks_by_key: dict[str, threading.Lock] = {}

    def close(self) -> None:
        pass

    # ------------------------------------------------------------------ accounts

    @_alone
    def get(self, name: str) -> AccountRecord | None:
        account = self._accounts.get(name)
        return None if account is None else _whole(account)

    @_alone
    def taken(self, name: str, *, label: bool = False) -> bool:
        if label:
            looks = as_label(skeleton(name))
            return any(looks == as_label(skeleton(other)) for other in self._accounts)
        return any(
            folded(name) == folded(other) or skeleton(name) == skeleton(other)
            for other in self._accounts
        )

    @_alone
    def lookup(self, name: str) -> tuple[AccountRecord | None, bool]:
        return self.get(name), self.taken(name)

    @_alone
    def all(self) -> Sequence[AccountRecord]:
        found = [_whole(account) for account in self._accounts.values()]
        return tuple(sorted(found, key=lambda record: folded(record.name)))

    @_alone
    def create(self, record: AccountRecord) -> bool:
        problem = name_problem(record.name)
        if problem is not None:
            raise ValueError(problem)
        if folded(record.name) in {folded(other) for other in self._accounts}:
            return False
        self._accounts[record.name] = _Account(record)
        return True

    @_alone
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
        account = self._accounts.get(name)
        if account is None:
            return False
        given: dict[str, Any] = {
            "roles": roles,
            "groups": groups,
            "disabled": disabled,
            "password_hash": password_hash,
            "password_expired": password_expired,
            "terms": terms,
            "chains": chains,
        }
        changes = {key: value for key, value in given.items() if value is not None}
        account.record = replace(account.record, **changes)
        return True

    @_alone
    def delete(self, name: str) -> bool:
        return self._accounts.pop(name, None) is not None

    # ------------------------------------------------------------------ keys

    @_alone
    def keys(self, name: str) -> Sequence[KeyRecord]:
        account = self._accounts.get(name)
        found = () if account is None else account.keys.values()
        return tuple(sorted(found, key=lambda key: (key.added, key.fingerprint)))

    @_alone
    def key(self, name: str, fingerprint: str) -> KeyRecord | None:
        account = self._accounts.get(name)
        return None if account is None else account.keys.get(fingerprint)

    @_alone
    def add_key(self, key: KeyRecord, *, at_most: int | None = None) -> bool:
        account = self._accounts.get(key.account)
        if account is None or key.fingerprint in account.keys:
            return False
        if at_most is not None and len(account.keys) >= at_most:
            return False
        account.keys[key.fingerprint] = key
        return True

    @_alone
    def rename_key(self, name: str, fingerprint: str, label: str) -> bool:
        return self._change_key(name, fingerprint, name=label)

    @_alone
    def remove_key(self, name: str, fingerprint: str, *, keep_a_way_in: bool = False) -> bool:
        account = self._accounts.get(name)
        if account is None or fingerprint not in account.keys:
            return False
        if keep_a_way_in and len(account.keys) == 1 and account.record.password_hash is None:
            return False
        del account.keys[fingerprint]
        return True

    @_alone
    def key_used(self, name: str, fingerprint: str, at: float) -> None:
        self._change_key(name, fingerprint, last_used=at)

    def _change_key(self, owner: str, fingerprint: str, **changes: Any) -> bool:
        account = self._accounts.get(owner)
        if account is None or fingerprint not in account.keys:
            return False
        account.keys[fingerprint] = replace(account.keys[fingerprint], **changes)
        return True

    # ------------------------------------------------------------------ second factor

    @_alone
    def totp_secret(self, name: str) -> bytes | None:
        account = self._accounts.get(name)
        return None if account is None else account.secret

    @_alone
    def set_totp(self, name: str, secret: bytes | None, *, only_if_none: bool = False) -> bool:
        account = self._present(name)
        if only_if_none and account.secret is not None:
            return False
        account.secret, account.counter = secret, -1
        return True

    @_alone
    def take_totp(self, name: str, counter: int) -> bool:
        account = self._accounts.get(name)
        if account is None or account.secret is None or counter <= account.counter:
            return False
        account.counter = counter
        return True

    @_alone
    def set_recovery(self, name: str, hashes: Sequence[bytes]) -> None:
        self._present(name).recovery = set(hashes)

    @_alone
    def take_recovery(self, name: str, code_hash: bytes) -> bool:
        account = self._accounts.get(name)
        if account is None or code_hash not in account.recovery:
            return False
        account.recovery.remove(code_hash)
        return True

    # ------------------------------------------------------------------ invitations

    @_alone
    def add_invite(self, code_hash: bytes, invite: Invite) -> None:
        self._invites[code_hash] = invite

    @_alone
    def drop_invites(self, now: float) -> None:
        self._invites = {
            code_hash: invite
            for code_hash, invite in self._invites.items()
            if self.peek_invite(code_hash, now)
        }

    @_alone
    def open_invites(self, now: float) -> bool:
        return any(self.peek_invite(code_hash, now) for code_hash in self._invites)

    @_alone
    def peek_invite(self, code_hash: bytes, now: float) -> Invite | None:
        invite = self._invites.get(code_hash)
        good = invite is not None and (invite.expires is None or invite.expires > now)
        return invite if good else None

    @_alone
    def take_invite(self, code_hash: bytes, now: float, record: AccountRecord) -> bool:
        if self.peek_invite(code_hash, now) is None or self.taken(record.name):
            return False
        if not self.create(record):
            return False
        del self._invites[code_hash]
        return True

    # ------------------------------------------------------------------ failures and history

    @_alone
    def note_failure(self, key: str, now: float, window: float) -> int:
        self._failures.setdefault(key, []).append(now)
        return self.failures(key, now, window)

    @_alone
    def failures(self, key: str, now: float, window: float) -> int:
        return sum(at > now - window for at in self._failures.get(key, ()))

    @_alone
    def clear_failures(self, key: str, *, below: bool = False) -> int:
        start = key + SEPARATOR
        keys = [
            kept for kept in self._failures if kept == key or (below and kept.startswith(start))
        ]
        return sum(len(self._failures.pop(kept)) for kept in keys)

    def lock(self, key: str) -> AbstractContextManager[None]:
        with self._lock:
            lock = self._locks_by_key.setdefault(key, threading.Lock())
        return _locked(lock)

    @_alone
    def record_login(self, login: LoginRecord) -> None:
        account = self._accounts.get(login.account)
        if account is not None:
            account.logins.append(login)
            alike = [kept for kept in account.logins if kept.success == login.success]
            if len(alike) > KEPT_LOGINS:  # strangers' failures push out no login
                account.logins.remove(alike[0])

    @_alone
    def logins(self, name: str, limit: int = 50) -> Sequence[LoginRecord]:
        account = self._accounts.get(name)
        return () if account is None else tuple(reversed(account.logins))[: max(0, limit)]

    def _present(self, name: str) -> _Account:
        account = self._accounts.get(name)
        if account is None:
            raise StoreError("there is no account of that name any more")
        return account


@contextmanager
def _locked(lock: threading.Lock) -> Iterator[None]:
    taken = lock.acquire(timeout=PATIENCE)
    try:
        yield
    finally:
        if taken:
            lock.release()


def _whole(account: _Account) -> AccountRecord:
    return replace(
        account.record, totp=account.secret is not None, recovery_left=len(account.recovery)
    )
