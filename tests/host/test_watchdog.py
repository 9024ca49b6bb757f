"""The deadlines of a process."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.log import log_to
from tests.waiting import DEADLINE
from tuihost.host._watchdog import Watchdog
from tuihost.testing.hosted import Records


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
def watchdog(records: Records) -> Iterator[Watchdog]:
    watchdog = Watchdog(log_to(records))
    watchdog.start()
    yield watchdog
    watchdog.stop()


def test_what_is_due_first_is_done_first(watchdog: Watchdog) -> None:
    done, over = list[str](), threading.Event()
    watchdog.call_later(0.02, over.set)
    watchdog.call_later(0.01, lambda: done.append("second"))
    watchdog.call_later(0.0, lambda: done.append("first"))
    assert over.wait(DEADLINE)
    assert done == ["first", "second"]


def test_what_was_called_off_is_not_done(watchdog: Watchdog) -> None:
    done, over = list[str](), threading.Event()
    deadline = watchdog.call_later(0.01, lambda: done.append("never"))
    deadline.cancel()
    deadline.cancel()
    watchdog.call_later(0.02, over.set)
    assert over.wait(DEADLINE)
    assert not done


def test_a_deadline_that_fails_stops_no_other(watchdog: Watchdog, records: Records) -> None:
    over = threading.Event()
    watchdog.call_later(0.0, lambda: 1 / 0)
    watchdog.call_later(0.01, over.set)
    assert over.wait(DEADLINE)
    assert isinstance(records.wait_for("host.error")["error"], ZeroDivisionError)


def test_deadlines_that_were_called_off_do_not_pile_up(watchdog: Watchdog) -> None:
    for _ in range(1000):
        watchdog.call_later(600.0, lambda: None).cancel()
    assert len(watchdog._heap) < 200


def test_nothing_is_done_after_the_end(watchdog: Watchdog) -> None:
    done: list[str] = []
    watchdog.call_later(0.2, lambda: done.append("late"))
    watchdog.stop()
    assert not done
    assert not watchdog._heap
