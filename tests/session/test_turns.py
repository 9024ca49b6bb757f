"""The turn of a thread is given back while it waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tuihost.core.budget.ledger import FREE, Free
from tuihost.session.turns import Waiting, bind, own_turn


class Noted(Free):
    """A turn that notes what is done with it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def pause(self) -> None:
        self.done.append("pause")

    def resume(self) -> None:
        self.done.append("resume")


@pytest.fixture
def turn() -> Iterator[Noted]:
    noted = Noted()
    bind(noted)
    yield noted
    bind(FREE)


def test_who_waits_has_no_turn(turn: Noted) -> None:
    assert own_turn() is turn
    with Waiting():
        assert turn.done == ["pause"]
    assert turn.done == ["pause", "resume"]


def test_it_is_its_turn_again_whatever_ended_the_waiting(turn: Noted) -> None:
    def end_of_input() -> None:
        with Waiting():
            raise EOFError

    with pytest.raises(EOFError):
        end_of_input()
    assert turn.done == ["pause", "resume"]


def test_a_thread_of_the_hosts_own_waits_for_nothing() -> None:
    turn = own_turn()
    assert turn is FREE
    for step in (turn.begin, turn.pause, turn.resume, turn.pass_on, turn.waive, turn.end):
        step()
