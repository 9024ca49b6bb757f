"""Accounts: what the host keeps about people, and the protocol behind which it is kept.

Every change that must happen once (a code used, an invitation taken) is one atomic call that says
whether it happened: two connections, or two hosts on one store, never both get a yes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from tuihost.errors import TuihostError


class StoreError(TuihostError):
    """The store is locked, missing, full or damaged. Callers refuse, and log it."""


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """One account. `chains` are its own ways in; empty means the host's."""

    name: str
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    disabled: bool = False
    created: float = 0.0
    password_hash: str | None = None
    password_expired: bool = False
    totp: bool = False
    recovery_left: int = 0
    terms: str = ""
    chains: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A public key of an account; `line` is it as in authorized_keys, options included, and
    `fingerprint` that of the key in it, by which it is found."""

    account: str
    fingerprint: str
    name: str
    line: str
    added: float = 0.0
    last_used: float | None = None


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation: its code lets one person make an account with these roles."""

    roles: frozenset[str] = frozenset()
    note: str = ""
    created: float = 0.0
    expires: float | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class LoginRecord:
    """One login, for the person's own history."""

    account: str
    at: float
    address: str
    factors: tuple[str, ...]
    fingerprint: str | None = None
    success: bool = True


class AccountStore(Protocol):
    """Where accounts are kept. Threads: any. Raises `StoreError` if it cannot do its work."""

    def close(self) -> None: ...

    # ------------------------------------------------------------------ accounts

    def get(self, name: str) -> AccountRecord | None: ...

    def taken(self, name: str, *, label: bool = False) -> bool:
        """Whether there is an account of this name in any letter case, or of one that looks like
        it. A `label` of an address has `-` for every sign of a name: `ada-l` is that of `ada.l`."""

    def lookup(self, name: str) -> tuple[AccountRecord | None, bool]:
        """What `get` and `taken` say, both of one moment. It takes as long for a name that is
        nobody's."""

    def all(self) -> Sequence[AccountRecord]: ...

    def create(self, record: AccountRecord) -> bool:
        """False if the name is taken. ValueError if it cannot be an account's at all."""

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
        """Changes what is given; False if there is no such account."""

    def delete(self, name: str) -> bool:
        """The account with all its keys, secrets, codes and history."""

    # ------------------------------------------------------------------ keys

    def keys(self, name: str) -> Sequence[KeyRecord]: ...

    def key(self, name: str, fingerprint: str) -> KeyRecord | None:
        """One key of an account. It takes as long however many there are, and if there is no such
        account."""

    def add_key(self, key: KeyRecord, *, at_most: int | None = None) -> bool:
        """False if this account has it already, or has `at_most` keys."""

    def rename_key(self, name: str, fingerprint: str, label: str) -> bool: ...

    def remove_key(self, name: str, fingerprint: str, *, keep_a_way_in: bool = False) -> bool:
        """False if there is no such key. With `keep_a_way_in` the last key of an account without a
        password stays, and the answer is False."""

    def key_used(self, name: str, fingerprint: str, at: float) -> None: ...

    # ------------------------------------------------------------------ second factor

    def totp_secret(self, name: str) -> bytes | None: ...

    def set_totp(self, name: str, secret: bytes | None, *, only_if_none: bool = False) -> bool:
        """Sets or takes away the secret; the counter starts over. With `only_if_none` an account
        that has one keeps it, and the answer is False."""

    def take_totp(self, name: str, counter: int) -> bool:
        """True once for each counter, and only for one later than every one before."""

    def set_recovery(self, name: str, hashes: Sequence[bytes]) -> None:
        """Replaces all recovery codes."""

    def take_recovery(self, name: str, code_hash: bytes) -> bool:
        """True once for each code."""

    # ------------------------------------------------------------------ invitations

    def add_invite(self, code_hash: bytes, invite: Invite) -> None: ...

    def drop_invites(self, now: float) -> None:
        """Forgets the invitations that are good no longer."""

    def open_invites(self, now: float) -> bool:
        """Whether there is an invitation that is still good."""

    def peek_invite(self, code_hash: bytes, now: float) -> Invite | None:
        """The invitation, where it is still good."""

    def take_invite(self, code_hash: bytes, now: float, record: AccountRecord) -> bool:
        """Makes the account and uses the invitation up, both or neither: neither if the name is
        `taken` by now."""

    # ------------------------------------------------------------------ failures and history

    def note_failure(self, key: str, now: float, window: float) -> int:
        """Counts a failed try under `key`; how many there were in the last `window` seconds."""

    def failures(self, key: str, now: float, window: float) -> int: ...

    def clear_failures(self, key: str, *, below: bool = False) -> int:
        """Forgets them; how many there were. `below` forgets those of every key too that goes on
        behind `key` with a separator."""

    def lock(self, key: str) -> AbstractContextManager[None]:
        """Held by one at a time, in all processes that use the store. After seconds of waiting
        somebody goes on without it."""

    def record_login(self, login: LoginRecord) -> None: ...

    def logins(self, name: str, limit: int = 50) -> Sequence[LoginRecord]:
        """The latest first."""
