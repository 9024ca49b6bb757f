"""The windows of a channel: arithmetic that no client can cheat."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuihost.errors import PeerError
from tuihost.ssh.connection._windows import MAX_WINDOW, ReceiveWindow, SendWindow


@pytest.mark.parametrize(
    ("size", "packet", "wanted", "taken", "left"),
    [
        (100, 50, 10, 10, 90),
        (100, 50, 60, 50, 50),
        (20, 50, 60, 20, 0),
        (0, 50, 60, 0, 0),
        (2**33, 50, 60, 50, MAX_WINDOW - 50),
    ],
)
def test_a_message_takes_what_fits(
    size: int, packet: int, wanted: int, taken: int, left: int
) -> None:
    window = SendWindow(size, packet)
    assert window.take(wanted) == taken
    assert window.left == left


@pytest.mark.parametrize(
    ("sent", "adjusts", "paid", "left"),
    [
        ((40, 40), (80,), [80], 100),
        ((40,), (30, 30), [30, 10], 120),
        ((), (50,), [0], 150),
        ((100,), (MAX_WINDOW, MAX_WINDOW), [100, 0], MAX_WINDOW),
    ],
)
def test_an_adjustment_pays_back_what_was_sent_and_no_more(
    sent: tuple[int, ...], adjusts: tuple[int, ...], paid: list[int], left: int
) -> None:
    window = SendWindow(100, 100)
    for count in sent:
        assert window.take(count) == count
    assert [window.adjust(count) for count in adjusts] == paid
    assert window.left == left


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2**32 - 1)), max_size=50))
def test_nobody_is_paid_for_what_was_not_sent(steps: list[tuple[bool, int]]) -> None:
    window, sent, paid = SendWindow(1000, 700), 0, 0
    for takes, count in steps:
        if takes:
            sent += window.take(count)
        else:
            paid += window.adjust(count)
        assert 0 <= window.left <= MAX_WINDOW
        assert paid <= sent


# ---------------------------------------------------------------------------- what comes in


def test_a_window_is_enforced_to_the_byte() -> None:
    window = ReceiveWindow(100)
    assert window.take(100)
    assert window.take(0)
    with pytest.raises(PeerError, match="more than the window takes"):
        window.take(1)


def test_what_comes_after_the_end_is_counted_and_of_no_use() -> None:
    window = ReceiveWindow(100)
    assert window.end()
    assert not window.end()
    assert not window.take(60)
    with pytest.raises(PeerError):
        window.take(60)
    assert window.give_back(100) == 0


@pytest.mark.parametrize(
    ("size", "reads", "given"),
    [
        (90, (30,), [30]),
        (90, (29, 1, 29, 40), [0, 30, 0, 69]),
        (1, (1, 1), [1, 1]),
        (2, (1,), [1]),
    ],
)
def test_it_is_given_back_by_the_third(size: int, reads: tuple[int, ...], given: list[int]) -> None:
    window = ReceiveWindow(size)
    assert [window.give_back(count) for count in reads] == given


class Room:
    """What all windows of a connection may grow by together."""

    def __init__(self, left: int) -> None:
        self.left = left

    def lend(self, count: int) -> bool:
        if count > self.left:
            return False
        self.left -= count
        return True


@pytest.mark.parametrize(
    ("largest", "room", "grows", "given"),
    [
        (1000, 1000, True, [200, 400, 800, 1000]),  # twice as large, as far as it may be
        (1000, 1000, False, [100, 100, 100, 100]),
        (150, 1000, True, [150, 150, 150, 150]),
        (1000, 120, True, [200, 200, 200, 200]),  # no room for twice as much again
        (0, 1000, True, [100, 100, 100, 100]),
    ],
)
def test_it_grows_while_all_is_read(largest: int, room: int, grows: bool, given: list[int]) -> None:
    shared = Room(room)
    window = ReceiveWindow(100, largest, shared.lend)
    sizes = []
    for _ in range(4):
        count = window.left
        window.take(count)
        window.give_back(count, grows=grows)
        sizes.append(window.left)
    assert sizes == given
    window.end()
    window.end()
    assert shared.left == room, "what was lent comes back, once"
    assert window.give_back(1000, grows=True) == 0
    assert shared.left == room
