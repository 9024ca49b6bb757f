"""Which login may change how its person logs in, and what it has to prove for that.

The rules:
1. A login that came in with less than the account has, or for a while, changes nothing: it could
   make itself unlimited. Such are a certificate, and a key whose line has an option that limits,
   even if another gives all of it back.
2. Everybody else needs a fresh proof: the login itself, if that is not older than `FRESH`, or
   their password or a code of their second factor now.
3. Where the account has a password, that is asked for whenever password, second factor or recovery
   codes change: a screen that was left open must not let somebody in for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from tuihost.core.login.chains import NONE
from tuihost.wire import Identity, Restrictions

FRESH = 600.0
"""Seconds for which a proof is fresh."""

PROVES_NOTHING = frozenset({NONE, "terms", "approve", "enroll"})
"""Factors that say nothing about who it is: somebody else's word, a consent, something new."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a login proved: which factors, at which Unix time, and whether it came in with
    restrictions or for a while."""

    factors: tuple[str, ...] = ()
    at: float = 0.0
    limited: bool = False

    @classmethod
    def of(cls, identity: Identity) -> Proof:
        """The proof that somebody's login was."""
        restricted = identity.restrictions not in (None, Restrictions())
        return cls(identity.factors, identity.at, restricted or identity.certified)


class AccountChange(Enum):
    """A change of how somebody may log in."""

    ADD_KEY = "add a key"
    RENAME_KEY = "rename a key"
    REMOVE_KEY = "remove a key"
    PASSWORD = "change the password"
    SECOND_FACTOR = "change the second factor"
    RECOVERY_CODES = "make new recovery codes"
    CLOSE_LOGINS = "close other logins"


class CameIn(Enum):
    """How a login stands when it wants to change something."""

    FRESH = "it proved just now who it is"
    LONG_AGO = "it proved so long ago, or by nothing that says who it is"
    LIMITED = "it came in with restrictions, or for a while"


class ProofNeeded(Enum):
    """What a change needs."""

    NOTHING = "nothing more"
    PASSWORD = "the password, now"
    CODE = "a code of the second factor, now"
    LOGIN = "another login: the account has nothing that could be asked for here"
    ANOTHER_WAY_IN = "a login without limits"


class _Asks(Enum):
    NOTHING = "nothing"
    PROOF = "a proof now: the password, or a code without one"
    PASSWORD = "the password, if the account has one"
    NEVER = "cannot be had"


_TABLE: Mapping[AccountChange, tuple[_Asks, _Asks, _Asks]] = {
    # change                       FRESH           LONG_AGO        LIMITED
    AccountChange.ADD_KEY:        (_Asks.NOTHING,  _Asks.PROOF,    _Asks.NEVER),
    AccountChange.RENAME_KEY:     (_Asks.NOTHING,  _Asks.NOTHING,  _Asks.NEVER),
    AccountChange.REMOVE_KEY:     (_Asks.NOTHING,  _Asks.PROOF,    _Asks.NEVER),
    AccountChange.PASSWORD:       (_Asks.PASSWORD, _Asks.PROOF,    _Asks.NEVER),
    AccountChange.SECOND_FACTOR:  (_Asks.PASSWORD, _Asks.PROOF,    _Asks.NEVER),
    AccountChange.RECOVERY_CODES: (_Asks.PASSWORD, _Asks.PROOF,    _Asks.NEVER),
    AccountChange.CLOSE_LOGINS:   (_Asks.NOTHING,  _Asks.PROOF,    _Asks.NEVER),
}  # fmt: skip
_COLUMNS = (CameIn.FRESH, CameIn.LONG_AGO, CameIn.LIMITED)


def came_in(proof: Proof, now: float) -> CameIn:
    """How a login of that proof stands at the Unix time `now`."""
    if proof.limited:
        return CameIn.LIMITED
    fresh = 0 <= now - proof.at < FRESH and not set(proof.factors) <= PROVES_NOTHING
    return CameIn.FRESH if fresh else CameIn.LONG_AGO


def needed(
    change: AccountChange, how: CameIn, *, has_password: bool, has_second: bool
) -> ProofNeeded:
    """What a login has to give for a change. `has_password` and `has_second` are the account's."""
    match _TABLE[change][_COLUMNS.index(how)]:
        case _Asks.NEVER:
            return ProofNeeded.ANOTHER_WAY_IN
        case _Asks.NOTHING:
            return ProofNeeded.NOTHING
        case _Asks.PASSWORD:
            return ProofNeeded.PASSWORD if has_password else ProofNeeded.NOTHING
        case _Asks.PROOF:
            if has_password:
                return ProofNeeded.PASSWORD
            return ProofNeeded.CODE if has_second else ProofNeeded.LOGIN
