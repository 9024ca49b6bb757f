"""Locks: they stop whoever guesses, and nobody else."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.waiting import DEADLINE
from tuihost.core.login.lockout import DAY, SEPARATOR, Lock, Lockout, LockoutLimits, Try

HOME, EVIL = "192.0.2.1", "198.51.100.9"
ADA = Try("ada", HOME, 1000.0)
EVE = Try("ada", EVIL, 1000.0)


class Counts:
    """The store's counting, in memory. `calls` is what it was asked, in order."""

    def __init__(self) -> None:
        self.noted: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self.calls: list[str] = []
        self.lock = threading.Lock()

    def note_failure(self, key: str, now: float, window: float) -> int:
        with self.lock:
            self.calls.append("note")
            self.noted[key].append((now, now + window))
            return self._count(key, now, window)

    def failures(self, key: str, now: float, window: float) -> int:
        with self.lock:
            self.calls.append("count")
            return self._count(key, now, window)

    def clear_failures(self, key: str, *, below: bool = False) -> int:
        self.calls.append("clear")
        start = key + SEPARATOR
        keys = [one for one in self.noted if one == key or (below and one.startswith(start))]
        return sum(len(self.noted.pop(one)) for one in keys)

    def _count(self, key: str, now: float, window: float) -> int:
        return sum(at > now - window and until > now for at, until in self.noted[key])


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
def lockout(counts: Counts) -> Lockout:
    return Lockout(counts)


def fail(lockout: Lockout, attempt: Try) -> Lock | None:
    lock = lockout.begin(attempt)
    lockout.failed(attempt, lock)
    return lock


def guesses(lockout: Lockout, attempt: Try, tries: int) -> int:
    """How many of so many wrong guesses were judged."""
    return sum(fail(lockout, attempt) is None for _ in range(tries))


def test_who_guesses_is_locked_and_nobody_else(lockout: Lockout) -> None:
    assert guesses(lockout, EVE, 1000) == 10
    assert lockout.begin(EVE) is not None, "the right password while it is locked"
    assert lockout.begin(ADA) is None, "the owner was locked out from elsewhere"
    assert lockout.begin(replace(EVE, account="grace")) is None


def test_a_lock_ends_by_itself_however_much_is_tried_meanwhile(lockout: Lockout) -> None:
    guesses(lockout, EVE, 10)
    for at in range(0, 900, 9):
        assert fail(lockout, replace(EVE, now=1000.0 + at)) is not None
    assert lockout.begin(replace(EVE, now=1900.0)) is None


def test_of_a_day_there_are_thirty_guesses(lockout: Lockout) -> None:
    judged = sum(
        fail(lockout, replace(EVE, now=1000.0 + minute * 60)) is None for minute in range(24 * 60)
    )
    assert judged == 30


def test_of_a_day_strangers_together_have_three_hundred_guesses(lockout: Lockout) -> None:
    judged = sum(
        fail(lockout, replace(EVE, source=f"10.0.{hour}.{number}", now=hour * 3600.0)) is None
        for hour in range(24)
        for number in range(90)  # in an hour there may be a hundred
    )
    assert judged == 300


def test_what_was_right_takes_the_failures_back(lockout: Lockout) -> None:
    for _ in range(10):
        guesses(lockout, ADA, 9)
        assert lockout.begin(ADA) is None
        lockout.settled(ADA)


def test_many_sources_lock_the_account_for_strangers_only(lockout: Lockout) -> None:
    lockout.entered("ada", HOME, 500.0)
    judged = sum(
        guesses(lockout, replace(EVE, source=f"10.0.0.{number}"), 10) for number in range(250)
    )
    assert judged == 100
    assert lockout.begin(replace(EVE, source="203.0.113.1")) is not None
    assert lockout.begin(ADA) is None, "the owner is locked out where they are known"
    away = replace(ADA, source="203.0.113.1", proved="SHA256:adas")
    assert lockout.begin(away) is None, "the owner's key does not help them"
    later = replace(EVE, source="203.0.113.1", now=1000.0 + 3600.0)
    assert lockout.begin(later) is None, "strangers are locked out for good"


def test_a_home_is_forgotten_in_the_end(lockout: Lockout) -> None:
    lockout.entered("ada", HOME, 0.0)
    for number in range(10):
        guesses(lockout, Try("ada", f"10.0.0.{number}", 31 * DAY), 10)
    assert lockout.begin(replace(ADA, now=31 * DAY)) is not None


def test_coming_home_often_does_not_fill_the_store(lockout: Lockout, counts: Counts) -> None:
    for minute in range(1000):
        lockout.entered("ada", HOME, minute * 60.0)
    assert sum(map(len, counts.noted.values())) == 1
    lockout.entered("ada", HOME, 16 * DAY)
    assert lockout._familiar(replace(ADA, now=40 * DAY)), "who comes regularly is forgotten"


def test_a_stolen_proof_has_few_guesses_a_day_and_locks_nobody_at_home(lockout: Lockout) -> None:
    lockout.entered("ada", HOME, 500.0)
    judged = 0
    for minute in range(24 * 60):
        thief = Try("ada", f"10.0.{minute >> 8}.{minute & 255}", 1000.0 + minute * 60, "password")
        judged += fail(lockout, thief) is None
    assert judged == 30, "3 codes of a million are right at any time: 30 guesses are 0.00009"
    assert lockout.begin(replace(ADA, proved="password")) is None
    assert lockout.begin(replace(ADA, source=EVIL, proved="SHA256:adas")) is None


def test_guessing_at_once_does_not_outrun_the_bound(counts: Counts) -> None:
    lockout, judged = Lockout(counts), []

    def guess() -> None:
        for _ in range(20):
            if lockout.begin(EVE) is None:
                judged.append(1)

    threads = [threading.Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert len(judged) <= 10


@pytest.mark.parametrize(("others", "locked"), [(9, False), (10, True)])
def test_tries_that_are_counted_while_this_one_is_looked_up_count_against_it(
    counts: Counts, others: int, locked: bool
) -> None:
    """Another worker asks the same store between this one's questions and its note."""
    lockout, note = Lockout(counts), counts.note_failure

    def note_after_others(key: str, now: float, window: float) -> int:
        for _ in range(others):
            note(key, now, window)
        return note(key, now, window)

    # The others come between the look and the note, on this one object.
    counts.note_failure = note_after_others  # type: ignore[method-assign]
    assert (lockout.begin(EVE) is not None) is locked


def test_locked_and_not_the_store_does_the_same_work(lockout: Lockout, counts: Counts) -> None:
    fail(lockout, EVE)
    free, counts.calls = counts.calls, []
    guesses(lockout, EVE, 9)
    counts.calls = []
    assert fail(lockout, EVE) is not None
    assert counts.calls == free


def test_an_operator_unlocks(lockout: Lockout) -> None:
    for number in range(11):
        guesses(lockout, replace(EVE, source=f"10.0.0.{number}"), 10)
    guesses(lockout, EVE, 10)
    guesses(lockout, replace(EVE, proved="password"), 10)
    guesses(lockout, replace(EVE, account="ada2"), 10)
    for locked in (EVE, replace(EVE, source="10.0.0.1"), replace(EVE, proved="password")):
        assert lockout.begin(locked) is not None
    assert lockout.unlock("ada") >= 120
    for locked in (EVE, replace(EVE, source="10.0.0.1"), replace(EVE, proved="password")):
        assert lockout.begin(locked) is None
    assert lockout.begin(replace(EVE, account="ada2")) is not None, "somebody else's"


def test_zero_failures_is_no_lock_at_all(counts: Counts) -> None:
    lockout = Lockout(counts, LockoutLimits(failures=0))
    assert guesses(lockout, EVE, 100) == 100
    lockout.settled(EVE)
    lockout.entered("ada", EVIL, 0.0)
    assert counts.calls == []


def test_a_window_longer_than_a_day_counts_whole(counts: Counts) -> None:
    lockout = Lockout(counts, LockoutLimits(failures=3, window=2 * DAY))
    guesses(lockout, EVE, 3)
    assert lockout.begin(replace(EVE, now=1000.0 + 1.5 * DAY)) is not None


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.floats(0, 2000), st.sampled_from(["", "password"])),
        max_size=150,
    )
)
def test_property_no_strangers_lock_out_the_owner_at_home(
    tries: list[tuple[int, float, str]],
) -> None:
    lockout, now = Lockout(Counts(), LockoutLimits(failures=2)), 1000.0
    lockout.entered("ada", HOME, now)
    for source, passed, proved in tries:
        now += passed
        fail(lockout, Try("ada", f"10.0.0.{source}", now, proved))
    if now < 1000.0 + 30 * DAY:
        for proved in ("", "password", "SHA256:adas"):
            assert lockout.begin(Try("ada", HOME, now, proved)) is None
