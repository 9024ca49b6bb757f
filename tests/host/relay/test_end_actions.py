"""Actions at an end: each once, in their order, whatever one of them raises."""

from __future__ import annotations

import pytest

from tuihost.host.relay.end_actions import EndActions


def test_each_is_called_once_and_in_their_order() -> None:
    ending, called = EndActions(), list[int]()
    for number in range(3):
        ending.add(lambda number=number: called.append(number))  # type: ignore[misc]
    assert not ending.over
    assert called == []
    ending.end()
    ending.end()
    assert ending.over
    assert called == [0, 1, 2]


def test_what_comes_after_the_end_is_called_at_once() -> None:
    ending, called = EndActions(), list[int]()
    ending.end()
    ending.add(lambda: called.append(1))
    assert called == [1]


def test_an_action_that_is_taken_back_is_not_called() -> None:
    ending, called = EndActions(), list[int]()
    take_back = ending.add(lambda: called.append(1))
    ending.add(lambda: called.append(2))
    take_back()
    take_back()
    ending.end()
    assert called == [2]


def test_one_that_raises_costs_the_others_nothing() -> None:
    ending, called = EndActions(), list[int]()

    def raises() -> None:
        raise KeyboardInterrupt

    ending.add(raises)
    ending.add(lambda: called.append(1))
    with pytest.raises(KeyboardInterrupt):
        ending.end()
    assert called == [1]
