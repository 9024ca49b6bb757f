"""What people may do with their own account, once they are in: keys, password, second factor.

`session.host.own_account(session.account)` gives it; None for guests. Every method may wait for
the store, so call them where that does no harm, and raises `StoreError` if it does not work.
What cannot be done raises `NotPossible`, with one sentence for the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tuihost.accounts import KeyRecord, LoginRecord
from tuihost.core.login.proof import AccountChange, ProofNeeded
from tuihost.errors import TuihostError
from tuihost.wire import Peer


class NotPossible(TuihostError):
    """The person asked for what cannot be; the text says why, to them."""


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """An account as its owner may see it: nothing in it is a secret. `created` is a
    Unix time, `recovery_left` how many recovery codes are left, and `chains` are those by which its
    owner can log in, each a list of factors."""

    name: str
    roles: frozenset[str] = frozenset()
    has_password: bool = False
    password_expired: bool = False
    totp: bool = False
    recovery_left: int = 0
    created: float = 0.0
    chains: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class OwnLogin:
    """One connection over which the person is in now. `here` is the one that asks; `since` is a
    Unix time, `factors` what was proved."""

    id: int
    since: float
    peer: Peer
    factors: tuple[str, ...]
    fingerprint: str | None
    here: bool


@dataclass(frozen=True, slots=True)
class NewSecond:
    """A second factor that is being set up: the secret as authenticator apps take it, and the URI
    that a QR code holds; `picture` is that code as lines of text, none where it would not fit a
    screen of 80×24. It counts only once `confirm_second` has seen a code of it."""

    secret: bytes
    text: str
    uri: str
    picture: tuple[str, ...] = ()


class OwnAccount(Protocol):
    """The account of the person who asks, and no other. Threads: any; may block."""

    def record(self) -> AccountSummary:
        """The account as it is now."""

    # ------------------------------------------------------------------ proof

    def may_change(self) -> bool:
        """Whether this login may change anything here: not one by a key with restrictions, or by
        a certificate."""

    def proof_for(self, change: AccountChange) -> ProofNeeded:
        """What has to be asked of the person before the change: NOTHING, the PASSWORD or a CODE of
        their second factor. Raises `NotPossible` where this login cannot make it at all."""

    def prove(self, needed: ProofNeeded, answer: str) -> None:
        """Takes the answer to what `proof_for` said. Then changes that need a fresh proof can be
        made through this object for ten minutes."""

    # ------------------------------------------------------------------ keys

    def keys(self) -> Sequence[KeyRecord]:
        """Oldest first."""

    def key_in_use(self) -> str | None:
        """The fingerprint of the key that this login was made with."""

    def add_key(self, line: str, name: str = "") -> KeyRecord:
        """Adds a key in the form of a `.pub` file. If `name` is empty, the comment is its name."""

    def can_add_key_in_use(self) -> bool:
        """Whether this login proved a key that is not among the account's yet: one that the
        operator listed, say. One with a certificate is its authority's to lend, and one that the
        operator restricts is not the person's to free."""

    def add_key_in_use(self, name: str = "") -> KeyRecord:
        """Takes in the key of this login, without anything to paste."""

    def rename_key(self, fingerprint: str, name: str) -> None: ...

    def remove_key(self, fingerprint: str) -> None:
        """Not the last one of an account without a password: nobody could come in any more."""

    # ------------------------------------------------------------------ password

    def password_rule(self) -> str:
        """What a new password needs, in a sentence."""

    def password_problem(self, new: str) -> str | None:
        """Why that cannot be the new password, in a sentence; None if it can."""

    def set_password(self, old: str, new: str) -> None:
        """`old` is not looked at where there is no password yet."""

    # ------------------------------------------------------------------ second factor

    def begin_second(self) -> NewSecond:
        """A fresh secret, kept nowhere yet."""

    def confirm_second(self, second: NewSecond, code: str, password: str) -> tuple[str, ...]:
        """Sets the second factor up, or replaces it, where `code` is the secret's and `password`
        the account's: the new recovery codes, to be shown once."""

    def remove_second(self, password: str) -> None: ...

    def new_recovery_codes(self, password: str) -> tuple[str, ...]:
        """Replaces the recovery codes: the new ones, to be shown once."""

    # ------------------------------------------------------------------ logins

    def logins(self) -> Sequence[OwnLogin]:
        """Where the person is in now, longest first."""

    def close_others(self) -> int:
        """Ends every connection of the person but this one; how many those were."""

    def history(self, limit: int = 50) -> Sequence[LoginRecord]:
        """The latest first, failed ones too."""
