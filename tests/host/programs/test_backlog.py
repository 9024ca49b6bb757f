"""Calls that wait until they can be made, and keep their order."""

from __future__ import annotations

import threading

from tests.waiting import DEADLINE
from tuihost.host.programs._backlog import MOST_EVENTS, Backlog


def test_calls_wait_and_are_made_in_their_order() -> None:
    backlog, made = Backlog(), list[int]()
    for number in range(3):
        backlog.call(lambda number=number: made.append(number))
    assert not made
    backlog.open()
    backlog.call(lambda: made.append(3))
    assert made == [0, 1, 2, 3]


def test_calls_that_come_while_others_are_made_come_after_them() -> None:
    backlog, made = Backlog(), list[str]()

    def first() -> None:
        late = threading.Thread(target=backlog.call, args=(lambda: made.append("late"),))
        late.start()
        late.join(DEADLINE)
        made.append("first")

    backlog.call(first)
    backlog.call(lambda: made.append("second"))
    backlog.open()
    assert made == ["first", "second", "late"]


def test_offers_are_bounded_and_calls_are_not() -> None:
    backlog, made = Backlog(), list[str]()
    for _ in range(MOST_EVENTS + 10):
        backlog.offer(lambda: made.append("offer"))
    backlog.call(lambda: made.append("call"))
    backlog.open()
    assert made == ["offer"] * MOST_EVENTS + ["call"]
    backlog.offer(lambda: made.append("at once"))
    assert made[-1] == "at once"
