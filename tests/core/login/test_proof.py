"""Which login may change how its person logs in: every cell of the table."""

from __future__ import annotations

from itertools import product

import pytest

from tuihost.core.keys.options import KeyOptions
from tuihost.core.login.proof import (
    FRESH,
    PROVES_NOTHING,
    AccountChange,
    CameIn,
    Proof,
    ProofNeeded,
    came_in,
    needed,
)
from tuihost.wire import Identity, Restrictions

NOTHING, PASSWORD, CODE = ProofNeeded.NOTHING, ProofNeeded.PASSWORD, ProofNeeded.CODE
LOGIN, OTHER = ProofNeeded.LOGIN, ProofNeeded.ANOTHER_WAY_IN
BARE, SECOND, WORD, BOTH = (False, False), (False, True), (True, False), (True, True)
HAS = (BARE, SECOND, WORD, BOTH)  # (a password, a second factor)
IN_HAND = frozenset({AccountChange.ADD_KEY, AccountChange.REMOVE_KEY, AccountChange.CLOSE_LOGINS})
SECRETS = frozenset(
    {AccountChange.PASSWORD, AccountChange.SECOND_FACTOR, AccountChange.RECOVERY_CODES}
)
FREE = frozenset({AccountChange.RENAME_KEY})
CELLS = {
    **{(change, CameIn.LIMITED): (OTHER,) * 4 for change in AccountChange},
    **{(change, CameIn.FRESH): (NOTHING,) * 4 for change in IN_HAND | FREE},
    **{(change, CameIn.FRESH): (NOTHING, NOTHING, PASSWORD, PASSWORD) for change in SECRETS},
    **{
        (change, CameIn.LONG_AGO): (LOGIN, CODE, PASSWORD, PASSWORD) for change in IN_HAND | SECRETS
    },
    **{(change, CameIn.LONG_AGO): (NOTHING,) * 4 for change in FREE},
}


@pytest.mark.parametrize(("change", "how"), list(product(AccountChange, CameIn)))
def test_every_cell(change: AccountChange, how: CameIn) -> None:
    for (has_password, has_second), wanted in zip(HAS, CELLS[change, how], strict=True):
        found = needed(change, how, has_password=has_password, has_second=has_second)
        assert found is wanted, (has_password, has_second)


@pytest.mark.parametrize(
    ("factors", "age", "how"),
    [
        (("password",), 0, CameIn.FRESH),
        (("publickey",), FRESH - 1, CameIn.FRESH),
        (("publickey", "terms"), 1, CameIn.FRESH),
        (("publickey",), FRESH, CameIn.LONG_AGO),
        (("password",), -1, CameIn.LONG_AGO),
        (("approve",), 0, CameIn.LONG_AGO),
        (("enroll",), 0, CameIn.LONG_AGO),
        (("none", "terms"), 0, CameIn.LONG_AGO),
        (tuple(sorted(PROVES_NOTHING)), 0, CameIn.LONG_AGO),
        ((), 0, CameIn.LONG_AGO),
    ],
)
def test_how_a_login_came_in(factors: tuple[str, ...], age: float, how: CameIn) -> None:
    assert came_in(Proof(factors, 1e9), 1e9 + age) is how
    assert came_in(Proof(factors, 1e9, limited=True), 1e9 + age) is CameIn.LIMITED


@pytest.mark.parametrize(
    ("restrictions", "certified", "limited"),
    [
        (None, False, False),
        (Restrictions(), False, False),
        (Restrictions(), True, True),
        (Restrictions(limited=True), False, True),
        (Restrictions(pty=False), False, True),
        (Restrictions(command="notes"), False, True),
        (Restrictions(permit_open=("a:1",)), False, True),
        (Restrictions(environment=(("A", "b"),)), False, True),
    ],
)
def test_a_login_with_any_restriction_or_a_certificate_is_limited(
    restrictions: Restrictions | None, certified: bool, limited: bool
) -> None:
    identity = Identity(
        "ada", guest=False, factors=("publickey",), restrictions=restrictions, certified=certified
    )
    assert Proof.of(identity).limited is limited


def test_a_key_that_is_given_everything_back_is_limited_all_the_same() -> None:
    """To OpenSSH such a key is like any other; whoever wrote its line wanted less."""
    back = "restrict,pty,port-forwarding,agent-forwarding,x11-forwarding,user-rc"
    for options, how in ((back, CameIn.LIMITED), ("pty,user-rc", CameIn.FRESH)):
        restrictions = KeyOptions.parse(options).restrictions
        identity = Identity("ada", factors=("publickey",), restrictions=restrictions, at=1e9)
        assert came_in(Proof.of(identity), 1e9) is how
