"""Newcomers are dropped at random when logins pile up."""

from __future__ import annotations

import pytest

from tuihost.core.gate.startups import Startups


def test_startups_are_dropped_more_and_more() -> None:
    rule = Startups.parse("10:30:100")
    assert rule == Startups()
    assert not rule.drops(9, 0.0)
    assert rule.drops(10, 0.29)
    assert not rule.drops(10, 0.30)
    assert rule.drops(55, 0.64)
    assert not rule.drops(55, 0.66)
    assert rule.drops(100, 0.999)
    assert rule.per_source == 5


@pytest.mark.parametrize(
    "text", ["0:30:100", "10:0:100", "10:101:100", "100:30:10", "1:2", "a:b:c"]
)
def test_startups_that_make_no_sense(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - some of the messages are Python's own
        Startups.parse(text)


def test_startups_may_begin_where_they_are_full() -> None:
    rule = Startups.parse("1:100:1")
    assert not rule.drops(0, 0.0)
    assert rule.drops(1, 0.99)
    assert rule.per_source == 1
