"""A code from an authenticator app."""

from __future__ import annotations

import pytest

from tests.login.steps.people import code
from tuihost.login import Query
from tuihost.login.steps.codes import (
    PERIOD,
)
from tuihost.login.steps.totp import Totp
from tuihost.testing.steps import FakeServices, drive


@pytest.mark.parametrize("periods", [-1, 0, 1])
def test_a_code_of_the_window_once(services: FakeServices, periods: int) -> None:
    assert drive(Totp(), [code(services, periods)], services=services)
    assert not drive(Totp(), [code(services, periods)], services=services)


def test_after_a_later_code_an_earlier_one_is_none(services: FakeServices) -> None:
    assert drive(Totp(), [code(services, 1)], services=services)
    assert not drive(Totp(), [code(services, 0)], services=services)
    assert not drive(Totp(), [code(services, -1)], services=services)
    services.time += 2 * PERIOD
    assert drive(Totp(), [code(services)], services=services)


def test_a_clock_that_is_set_back_gives_no_code_twice(services: FakeServices) -> None:
    used = code(services)
    assert drive(Totp(), [used], services=services)
    services.time -= 3600
    assert not drive(Totp(), [code(services)], services=services)
    services.time += 3600
    assert not drive(Totp(), [used], services=services)


def test_the_time_that_counts_is_that_of_the_answer(services: FakeServices) -> None:
    def slowly(query: Query) -> str:
        services.time += 4 * PERIOD
        return code(services)

    assert drive(Totp(), [slowly], services=services)


def test_who_has_no_second_factor_has_no_code(services: FakeServices) -> None:
    assert not drive(Totp(), [code(services, secret=b"\0" * 20)], user="bob", services=services)
    assert not drive(Totp(), [code(services, secret=b"\0" * 20)], user="nobody", services=services)


def test_who_is_shut_out_spends_no_code(services: FakeServices) -> None:
    services.accounts.update("ada", disabled=True)
    assert not drive(Totp(), [code(services)], services=services)
    services.accounts.update("ada", disabled=False)
    assert drive(Totp(), [code(services)], services=services)
