"""A token bucket, with the time given to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuihost.core.limits import PAUSE, Allowance


@pytest.mark.parametrize(
    ("takes", "granted"),
    [
        # (at, count): three at once, two a second
        (((0, 1), (0, 1), (0, 1), (0, 1)), [True, True, True, False]),
        (((0, 3), (0.5, 1), (0.5, 1)), [True, True, False]),
        (((0, 3), (100, 3), (100, 1)), [True, True, False]),
        (((0, 4), (0, 3)), [False, True]),
        (((0, 3), (-5, 1), (0, 1)), [True, False, True]),  # the clock went back and came again
    ],
)
def test_so_many_at_once_and_so_many_a_second(
    takes: tuple[tuple[float, float], ...], granted: list[bool]
) -> None:
    allowance = Allowance.full(3, 2, now=0)
    assert [allowance.take(now, count) for now, count in takes] == granted


def test_what_is_earned_is_never_more_than_the_burst() -> None:
    allowance = Allowance.full(3, 0, now=0)
    allowance.earn(100)
    assert [allowance.take(0) for _ in range(4)] == [True, True, True, False]
    allowance.earn(1)
    assert allowance.take(0)


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(1, 5)), max_size=50))
def test_nobody_takes_more_than_burst_and_rate(steps: list[tuple[float, int]]) -> None:
    allowance, now, taken = Allowance.full(3, 2, now=0), 0.0, 0
    for passed, count in steps:
        now += passed
        taken += count * allowance.take(now, count)
        assert taken <= 3 + 2 * now + 1e-6


def test_what_is_owed_asks_for_a_pause_once_it_is_much() -> None:
    allowance = Allowance.full(10, 5, 0.0)
    assert allowance.owe(0.0, 10) == 0.0
    assert allowance.owe(0.0, 1_000) == PAUSE
    assert allowance.left == -PAUSE * 5, "more is never owed"
    assert allowance.owe(10.0) == 0.0
