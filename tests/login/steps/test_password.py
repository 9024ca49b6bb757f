"""The factor `password`."""

from __future__ import annotations

import pytest

from tests.login.steps.people import BETTER, GOOD
from tuihost.login import Query
from tuihost.login.steps.password import AskPassword
from tuihost.testing.steps import FakeServices, drive


def test_a_password(services: FakeServices) -> None:
    assert drive(AskPassword(), [GOOD], services=services)
    assert not drive(AskPassword(), ["wrong"], services=services)
    assert not drive(AskPassword(), [""], services=services)


def test_the_password_of_who_is_shut_out_is_none(services: FakeServices) -> None:
    services.accounts.update("ada", disabled=True)
    assert not drive(AskPassword(), [GOOD], services=services)


def test_an_expired_password_is_changed_first(services: FakeServices) -> None:
    services.accounts.update("ada", password_expired=True)
    assert not drive(AskPassword(), ["wrong"], services=services), "a guess learns of no expiry"
    driven = drive(
        AskPassword(),
        [GOOD, ("short", "short"), (BETTER, "other one"), (BETTER, BETTER)],
        services=services,
    )
    assert driven
    assert [query.instruction for query in driven.queries[1:]] == [
        "Choose another one.",
        "A password needs at least 15 characters.",
        "The two passwords differ.",
    ]
    record = services.accounts.get("ada")
    assert record is not None
    assert not record.password_expired
    assert drive(AskPassword(), [BETTER], services=services)
    assert not drive(AskPassword(), [GOOD], services=services)


@pytest.mark.parametrize(
    "chosen", [GOOD, "x" * 1025, "short", "é" * 600, "tab\tinside", "ada-ada-ada"]
)
def test_some_passwords_are_not_taken(services: FakeServices, chosen: str) -> None:
    services.accounts.update("ada", password_expired=True)
    assert not drive(AskPassword(), [GOOD, *[(chosen, chosen)] * 3], services=services)
    record = services.accounts.get("ada")
    assert record is not None
    assert record.password_expired


def test_a_password_that_was_changed_meanwhile_stays(services: FakeServices) -> None:
    services.accounts.update("ada", password_expired=True)

    def meanwhile(query: Query) -> tuple[str, str]:
        services.accounts.update("ada", password_hash=services.passwords.hash("another"))
        return BETTER, BETTER

    assert not drive(AskPassword(), [GOOD, meanwhile], services=services)
    assert drive(AskPassword(), ["another", (BETTER, BETTER)], services=services)
