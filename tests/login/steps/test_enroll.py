"""Setting up the second factor at the first login."""

from __future__ import annotations

import re

from tests.login.steps.people import SECRET, code, secret_shown
from tuihost.login import Query
from tuihost.login.steps.codes import (
    PERIOD,
)
from tuihost.login.steps.enroll import Enroll
from tuihost.login.steps.recovery import Recovery
from tuihost.login.steps.totp import Totp
from tuihost.testing.steps import FakeServices, drive


def test_the_first_login_sets_up_the_second_factor(services: FakeServices) -> None:
    driven = drive(
        Enroll(),
        [lambda q: code(services, secret=secret_shown(q)), ""],
        user="bob",
        services=services,
    )
    assert driven
    secret = secret_shown(driven.queries[0])
    record = services.accounts.get("bob")
    assert record is not None
    assert (record.totp, record.recovery_left) == (True, 10)
    assert services.accounts.totp_secret("bob") == secret
    assert not drive(Totp(), [code(services, secret=secret)], user="bob", services=services), (
        "served"
    )
    services.time += PERIOD
    assert drive(Totp(), [code(services, secret=secret)], user="bob", services=services)
    shown = re.findall(r"[0-9A-Z]{5}-[0-9A-Z]{5}", driven.text)
    assert len(shown) == 10
    assert all(drive(Recovery(), [one], user="bob", services=services) for one in shown)


def test_a_wrong_code_sets_up_nothing(services: FakeServices) -> None:
    assert not drive(Enroll(), ["000000"], user="bob", services=services)
    record = services.accounts.get("bob")
    assert record is not None
    assert (record.totp, record.recovery_left) == (False, 0)


def test_who_has_a_second_factor_is_asked_for_it(services: FakeServices) -> None:
    """Otherwise the password alone would replace it."""
    driven = drive(Enroll(), ["000000"], services=services)
    assert not driven
    assert driven.queries == drive(Totp(), ["000000"], services=services).queries
    assert services.accounts.totp_secret("ada") == SECRET
    assert drive(Enroll(), [code(services)], services=services)


def test_two_first_logins_at_once_set_up_one_factor(services: FakeServices) -> None:
    def the_other_is_quicker(query: Query) -> str:
        services.accounts.set_totp("bob", SECRET)
        return code(services, secret=secret_shown(query))

    assert not drive(Enroll(), [the_other_is_quicker], user="bob", services=services)
    assert services.accounts.totp_secret("bob") == SECRET


def test_a_picture_where_it_is_wished_for(services: FakeServices) -> None:
    keep: list[bytes] = []

    def wish(query: Query) -> str:
        keep.append(secret_shown(query))
        return " QR "

    driven = drive(
        Enroll(),
        [wish, lambda q: code(services, secret=keep[0]), ""],
        user="bob",
        services=services,
    )
    assert driven
    prompt = driven.queries[1].prompts[0].text
    assert "█" in prompt
    assert prompt.startswith("\n")
    rows = prompt.splitlines()
    assert len(rows) <= 24
    assert max(map(len, rows)) <= 80


def test_the_secret_is_in_no_title_and_no_instruction(services: FakeServices) -> None:
    driven = drive(Enroll(), ["000000"], user="bob", services=services)
    words = driven.queries[0].title + driven.queries[0].instruction
    assert not re.search(r"[A-Z2-7]{4} [A-Z2-7]{4}", words)
