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
        [GOOD, "short", BETTER, "other one", BETTER, BETTER],
        services=services,
    )
    assert driven
    rule = "It needs at least 15 characters; a few words are easy to remember."
    assert [query.instruction for query in driven.queries[1:]] == [
        f"Choose another one. {rule}",
        "A password needs at least 15 characters.",  # before it is typed again
        "",
        "The two passwords differ.",
        "",
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
    assert not drive(AskPassword(), [GOOD, chosen, chosen, chosen], services=services)
    record = services.accounts.get("ada")
    assert record is not None
    assert record.password_expired


def test_a_password_that_was_changed_meanwhile_stays(services: FakeServices) -> None:
    services.accounts.update("ada", password_expired=True)

    def meanwhile(query: Query) -> str:
        services.accounts.update("ada", password_hash=services.passwords.hash("another"))
        return BETTER

    assert not drive(AskPassword(), [GOOD, BETTER, meanwhile], services=services)
    assert drive(AskPassword(), ["another", BETTER, BETTER], services=services)
