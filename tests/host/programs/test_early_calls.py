"""Calls that wait until they can be made, and keep their order."""

from __future__ import annotations

import threading

from tests.waiting import DEADLINE
from tuihost.host.programs._early_calls import MOST_EVENTS, EarlyCalls


def test_calls_wait_and_are_made_in_their_order() -> None:
    early_calls, made = EarlyCalls(), list[int]()
    for number in range(3):
        early_calls.call(lambda number=number: made.append(number))
    assert not made
    early_calls.open()
    early_calls.call(lambda: made.append(3))
    assert made == [0, 1, 2, 3]


def test_calls_that_come_while_others_are_made_come_after_them() -> None:
    early_calls, made = EarlyCalls(), list[str]()

    def first() -> None:
        late = threading.Thread(target=early_calls.call, args=(lambda: made.append("late"),))
        late.start()
        late.join(DEADLINE)
        made.append("first")

    early_calls.call(first)
    early_calls.call(lambda: made.append("second"))
    early_calls.open()
    assert made == ["first", "second", "late"]


def test_offers_are_bounded_and_calls_are_not() -> None:
    early_calls, made = EarlyCalls(), list[str]()
    for _ in range(MOST_EVENTS + 10):
        early_calls.offer(lambda: made.append("offer"))
    early_calls.call(lambda: made.append("call"))
    early_calls.open()
    assert made == ["offer"] * MOST_EVENTS + ["call"]
    early_calls.offer(lambda: made.append("at once"))
    assert made[-1] == "at once"
