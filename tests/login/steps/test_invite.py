"""An invitation, which makes an account."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.login.steps.people import GOOD
from tuihost.accounts import Invite
from tuihost.core.keys.offers import KeyOffer, fingerprint
from tuihost.login import Query
from tuihost.login.steps.codes import (
    invite_code,
    invite_hash,
)
from tuihost.login.steps.invite import TakeInvite
from tuihost.login.steps.password import AskPassword
from tuihost.testing.steps import FakeServices, drive

KEY = KeyOffer("ssh-ed25519", b"blob", fingerprint(b"blob"), proved=True)


@pytest.fixture
def invited(services: FakeServices) -> Callable[..., str]:
    def invite(expires: float | None = None) -> str:
        made = invite_code()
        services.accounts.add_invite(
            invite_hash(made), Invite(frozenset({"staff"}), expires=expires)
        )
        return made

    return invite


def test_an_invitation_makes_an_account_once(
    services: FakeServices, invited: Callable[..., str]
) -> None:
    made = invited()
    answers = [made.lower(), "eve", GOOD, GOOD]
    driven = drive(TakeInvite(), answers, user="new", services=services, proved=(KEY,))
    assert driven.became == "eve"
    record = services.accounts.get("eve")
    assert record is not None
    assert record.roles == {"staff"}
    assert drive(AskPassword(), [GOOD], user="eve", services=services)
    (key,) = services.accounts.keys("eve")
    assert (key.fingerprint, key.line) == (KEY.fingerprint, "ssh-ed25519 YmxvYg==")
    assert not drive(TakeInvite(), [made], user="new", services=services)


def test_a_key_that_was_not_proved_is_not_taken_over(
    services: FakeServices, invited: Callable[..., str]
) -> None:
    named = KeyOffer("ssh-ed25519", b"victims", fingerprint(b"victims"))
    driven = drive(
        TakeInvite(),
        [invited(), "eve", GOOD, GOOD],
        user="new",
        services=services,
        proved=(named,),
    )
    assert driven
    assert services.accounts.keys("eve") == ()


@pytest.mark.parametrize("wrong", ["", "0000-0000-0000-0000", "x" * 5000])
def test_without_a_good_code_nothing_is_asked_and_nothing_made(
    services: FakeServices, invited: Callable[..., str], wrong: str
) -> None:
    invited()
    driven = drive(TakeInvite(), [wrong], user="new", services=services)
    assert not driven
    assert len(driven.queries) == 1


def test_an_invitation_that_has_run_out_is_none(
    services: FakeServices, invited: Callable[..., str]
) -> None:
    made = invited(expires=services.now() + 60)
    services.time += 61
    assert not drive(TakeInvite(), [made], user="new", services=services)


def test_one_that_runs_out_while_they_choose_is_none_either(
    services: FakeServices, invited: Callable[..., str]
) -> None:
    def slowly(query: Query) -> str:
        services.time += 61
        return GOOD

    made = invited(expires=services.now() + 60)
    driven = drive(TakeInvite(), [made, "eve", GOOD, slowly], user="new", services=services)
    assert not driven
    assert driven.queries[-1] == Query(
        instruction="Your invitation has expired meanwhile. "
        "Ask the person who invited you for a new one."
    )
    assert services.accounts.get("eve") is None
    # Afterwards it is a code like any other that is wrong.
    assert len(drive(TakeInvite(), [made], user="new", services=services).queries) == 1


def test_whoever_is_late_need_not_choose_a_password(
    services: FakeServices, invited: Callable[..., str]
) -> None:
    def slowly(query: Query) -> str:
        services.time += 61
        return "eve"

    made = invited(expires=services.now() + 60)
    driven = drive(TakeInvite(), [made, slowly], user="new", services=services)
    assert not driven
    assert driven.queries[-1].instruction.startswith("Your invitation has expired meanwhile.")


def test_a_name_that_is_taken_meanwhile_costs_no_invitation(
    services: FakeServices, invited: Callable[..., str]
) -> None:
    def slowly(query: Query) -> str:
        services.add("eve")
        return GOOD

    made = invited(expires=services.now() + 60)
    driven = drive(TakeInvite(), [made, "eve", GOOD, slowly], user="new", services=services)
    assert not driven
    assert "Your invitation is still good" in driven.queries[-1].instruction
    assert drive(TakeInvite(), [made, "zoe", GOOD, GOOD], user="new", services=services)


@pytest.mark.parametrize(
    "name", ["ada", "new", "a b", "../x", "", "ada+notes", "guest:eve", "\x1b[2J"]
)
def test_some_names_cannot_be_chosen(
    services: FakeServices, invited: Callable[..., str], name: str
) -> None:
    before = services.accounts.all()
    made = invited()
    driven = drive(TakeInvite(), [made, name, name, name], user="new", services=services)
    assert not driven
    assert services.accounts.all() == before
    assert drive(TakeInvite(), [made, "eve", GOOD, GOOD], user="new", services=services)


def test_a_name_in_another_letter_case_is_taken_too(
    services: FakeServices, invited: Callable[..., str]
) -> None:
    driven = drive(TakeInvite(), [invited(), "ADA", "NEW", "Bob"], user="new", services=services)
    assert not driven
    assert "that name is taken" in driven.text
    assert "one of your own" in driven.text


def test_of_two_with_one_invitation_one_gets_in(
    services: FakeServices, invited: Callable[..., str]
) -> None:
    made = invited()

    def quicker(query: Query) -> str:
        assert drive(TakeInvite(), [made, "bea", GOOD, GOOD], user="new", services=services)
        return GOOD

    driven = drive(TakeInvite(), [made, "eve", GOOD, quicker], user="new", services=services)
    assert not driven
    assert "Your invitation has been used meanwhile." in driven.text
    assert services.accounts.get("eve") is None


def test_the_last_wrong_name_is_told_too(
    services: FakeServices, invited: Callable[..., str]
) -> None:
    made = invited()
    driven = drive(TakeInvite(), [made, "ada", "ada", "a b"], user="new", services=services)
    assert not driven
    assert driven.queries[-1] == Query(
        instruction="Not this one: a name cannot have spaces. "
        "Your invitation is still good: use it again, and choose another name."
    )


def test_the_last_wrong_password_is_told_too(
    services: FakeServices, invited: Callable[..., str]
) -> None:
    answers = [invited(), "eve", "short", GOOD, "another", "password"]
    driven = drive(TakeInvite(), answers, user="new", services=services)
    assert not driven
    assert driven.queries[-1] == Query(
        instruction="That is one of the first passwords that strangers try. Choose another one. "
        "Log in again for another try."
    )
    assert any("The two passwords differ." in query.instruction for query in driven.queries)
