"""Somebody inside says yes or no."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from tests.waiting import DEADLINE
from tuihost.login.steps.approve import Approve
from tuihost.testing.steps import FakeServices, drive


def _while_waiting(services: FakeServices, act: Callable[[int], None]) -> Callable[[], None]:
    """Acts as soon as somebody waits, from another thread, as a person inside would."""
    done = threading.Thread(target=lambda: act(services.approvals.waiting()[0].number))
    stop: list[Callable[[], None]] = []

    def changed() -> None:
        if services.approvals.waiting() and not done.ident:
            done.start()

    stop.append(services.approvals.subscribe(changed))

    def finish() -> None:
        stop[0]()
        done.join(DEADLINE)
        assert not done.is_alive()

    return finish


@pytest.mark.parametrize("granted", [True, False])
def test_somebody_inside_says_yes_or_no(services: FakeServices, granted: bool) -> None:
    said: list[bool] = []

    def act(number: int) -> None:
        said.append(services.approvals.answer(number, by="ada", granted=granted))

    finish = _while_waiting(services, act)
    driven = drive(Approve(5.0), user="bob", services=services)
    finish()
    assert driven.accepted is granted
    assert said == [True]
    assert services.approvals.waiting() == ()


def test_nobody_lets_themselves_in(services: FakeServices) -> None:
    said: list[bool] = []

    def act(number: int) -> None:
        said.append(services.approvals.answer(number, by="bob", granted=True))
        said.append(services.approvals.answer(number, by="ada", granted=False))
        said.append(services.approvals.answer(number, by="eve", granted=True))

    finish = _while_waiting(services, act)
    driven = drive(Approve(5.0), user="bob", services=services)
    finish()
    assert not driven
    assert said == [False, True, False], "the first word counts, and it is another person's"


def test_no_answer_is_a_no(services: FakeServices) -> None:
    assert not drive(Approve(0.0), user="bob", services=services)
    assert not services.approvals.answer(1, by="ada", granted=True)


def test_nobody_hears_of_who_does_not_exist(services: FakeServices) -> None:
    seen: list[int] = []
    stop = services.approvals.subscribe(lambda: seen.append(len(services.approvals.waiting())))
    assert not drive(Approve(0.01), user="nobody", services=services)
    stop()
    assert set(seen) == {0}


def test_who_was_shut_out_while_they_waited_stays_out(services: FakeServices) -> None:
    def act(number: int) -> None:
        services.accounts.update("bob", disabled=True)
        services.approvals.answer(number, by="ada", granted=True)

    finish = _while_waiting(services, act)
    driven = drive(Approve(5.0), user="bob", services=services)
    finish()
    assert not driven
