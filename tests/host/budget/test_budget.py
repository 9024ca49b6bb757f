"""What connections take, on many threads; and that the log says who came to a bound."""

from __future__ import annotations

import io
import logging
import threading
from time import perf_counter

import pytest

from tests.waiting import DEADLINE, allowed
from tuihost.core.budget.ledger import BOUNDS, Bounds, Exceeded, Holder, Kind, Level
from tuihost.host.budget.budget import Budget, ConnectionShare, bounds_of, metered
from tuihost.logs import MOST_CAUSES, MOST_FRAMES, Event, EventLog, TextFormatter
from tuihost.settings.models import Limits, Settings
from tuihost.testing.hosted import Records

THREADS = Kind.THREADS
SMALL = {**BOUNDS, THREADS: Bounds(2, 3, 4, 8)}


def share_of(budget: Budget, number: int, name: str = "eve") -> tuple[ConnectionShare, Records]:
    logger, records = logging.Logger("budget"), Records()
    logger.addHandler(records)
    log = EventLog(logger).bound(conn=number, user=name)
    return budget.share(Holder(number, name, "192.0.2.1"), log), records


def test_the_settings_say_how_large_a_share_is() -> None:
    bounds = bounds_of(Settings(limits=Limits(share=2.0, memory=100)))
    assert bounds[Kind.TRANSFERS] == Bounds(8, 8, 12, 16)
    assert bounds[Kind.MEMORY].host == 100_000_000
    assert bounds[Kind.LOG_LINES].at_once == 60.0


def test_a_lease_is_given_back_once() -> None:
    budget = Budget(SMALL)
    share, _ = share_of(budget, 1)
    lease = share.take(THREADS)
    assert not isinstance(lease, Exceeded)
    assert lease.grow(1) is None
    assert isinstance(share.take(THREADS), Exceeded)
    assert lease.grow(1) is not None
    lease.give_back()
    lease.give_back()
    assert budget.held(THREADS) == 0
    with lease:
        assert lease.grow(2) is None
        assert lease.grow(-1) is None
        assert budget.held(THREADS) == 1
    assert budget.held(THREADS) == 0


def test_the_log_says_once_who_came_to_which_bound() -> None:
    budget = Budget(SMALL)
    share, records = share_of(budget, 1)
    assert share.room(THREADS, 3) is not None
    assert not records.named(Event.BUDGET_EXCEEDED), "to ask is no offence"
    for _ in range(10):
        share.take(THREADS)
    assert records.named(Event.BUDGET_EXCEEDED) == [
        {"conn": 1, "user": "eve", "kind": "threads", "per": "connection", "bound": 2,
         "source": "192.0.2.1"}
    ]  # fmt: skip
    other, told = share_of(budget, 2)
    other.take(THREADS, 2)
    assert [line["per"] for line in told.named(Event.BUDGET_EXCEEDED)] == [Level.PERSON]


def test_lines_beyond_the_bound_are_dropped_and_that_is_said() -> None:
    budget = Budget({**BOUNDS, Kind.LOG_LINES: Bounds(60, 60, 60, 600, at_once=10.0)})
    share, records = share_of(budget, 1)
    logger = logging.Logger("client")
    logger.addHandler(records)
    log = metered(EventLog(logger), share)
    for number in range(100):
        log.bound(chan=number).info(Event.SESSION_START)
    assert 10 <= len(records.named(Event.SESSION_START)) <= 12
    assert len(records.named(Event.BUDGET_EXCEEDED)) == 1


def test_a_trace_costs_its_lines() -> None:
    lines: list[int] = []
    logger = logging.Logger("client")
    log = EventLog(logger).metered(lambda count: lines.append(count) or True)

    def deep(left: int) -> None:
        if not left:
            raise ValueError
        deep(left - 1)

    try:
        deep(9)
    except ValueError as error:
        log.error(Event.APP_ERROR, trace=error)
    log.info(Event.APP_END)
    assert lines == [1 + 2 * 11, 1]


def test_of_a_trace_the_last_frames_are_logged() -> None:
    out = io.StringIO()
    logger = logging.Logger("client")
    handler = logging.StreamHandler(out)
    handler.setFormatter(TextFormatter())
    logger.addHandler(handler)

    def deep() -> None:
        try:
            deep_too()
        finally:
            raise ValueError("the last one")

    def deep_too() -> None:
        deep()

    try:
        deep()
    except (RecursionError, ValueError) as error:
        EventLog(logger).error(Event.APP_ERROR, trace=error)
    assert out.getvalue().count(", in deep") <= MOST_FRAMES * MOST_CAUSES
    assert "the last one" in out.getvalue()


def test_many_threads_have_one_bound_and_give_all_back() -> None:
    budget = Budget(SMALL)
    most, held, lock = 0, 0, threading.Lock()

    def work(number: int) -> None:
        nonlocal most, held
        share, _ = share_of(budget, number)
        for _ in range(200):
            lease = share.take(THREADS)
            if isinstance(lease, Exceeded):
                continue
            with lock:
                held += 1
                most = max(most, held)
            with lock:
                held -= 1
            lease.give_back()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert 1 <= most <= 3
    assert budget.held(THREADS) == 0


@pytest.mark.slow
def test_taking_and_giving_back_costs_microseconds() -> None:
    share, _ = share_of(Budget(), 1)
    begun = perf_counter()
    for _ in range(10_000):
        lease = share.take(THREADS)
        assert not isinstance(lease, Exceeded)
        lease.give_back()
    assert (perf_counter() - begun) / 10_000 < allowed(50e-6)
