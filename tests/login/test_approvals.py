"""Logins that wait for an answer: who is seen, how many may wait, and whose answer counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.waiting import DEADLINE
from tuihost.login.approvals import SEATS, Approval, Approvals
from tuihost.wire import Peer

HERE, THERE = Peer("192.0.2.1", 1), Peer("192.0.2.2", 1)


class Waiter:
    """A login that waits, on a thread of its own."""

    def __init__(self, approvals: Approvals, user: str, peer: Peer, listed: bool) -> None:
        self.approval: Approval | None = None
        self._thread = threading.Thread(target=self._wait, args=(approvals, user, peer, listed))
        begun = threading.Event()
        stop = approvals.subscribe(begun.set)
        self._thread.start()
        try:
            assert begun.wait(DEADLINE), f"{user} does not wait"
        finally:
            stop()

    def _wait(self, approvals: Approvals, user: str, peer: Peer, listed: bool) -> None:
        self.approval = approvals.wait(user, peer, DEADLINE, listed=listed)

    def over(self) -> Approval | None:
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()
        return self.approval


@contextmanager
def waiting(
    approvals: Approvals, user: str, peer: Peer = HERE, *, listed: bool = True
) -> Iterator[Waiter]:
    """Until it has been answered, at the latest by this."""
    waiter = Waiter(approvals, user, peer, listed)
    try:
        yield waiter
    finally:
        for request in approvals._requests.values():
            request.listed = True
        for login in approvals.waiting():
            if login.user == user:
                approvals.answer(login.number, by="the test", granted=False)
        waiter.over()


@pytest.mark.parametrize("granted", [True, False])
def test_the_answer_reaches_the_login_that_it_is_for(granted: bool) -> None:
    approvals = Approvals()
    with waiting(approvals, "bob") as bob, waiting(approvals, "eve"):
        first, second = approvals.waiting()
        assert (first.user, second.user) == ("bob", "eve")
        assert approvals.answer(first.number, by="ada", granted=granted)
        assert bob.over() == Approval(granted, "ada")
        assert approvals.waiting() == (second,)


def test_only_the_first_answer_counts_and_it_is_another_persons() -> None:
    approvals = Approvals()
    with waiting(approvals, "bob") as bob:
        (login,) = approvals.waiting()
        answers = [
            approvals.answer(login.number, by=by, granted=granted)
            for by, granted in (("bob", True), ("ada", False), ("grace", True))
        ]
        assert answers == [False, True, False]
        assert bob.over() == Approval(False, "ada")
    assert not approvals.answer(login.number, by="ada", granted=True)


def test_an_answer_that_comes_too_late_counts_for_nothing() -> None:
    time = [1000.0]
    approvals = Approvals(now=lambda: time[0])
    with waiting(approvals, "bob"):
        (login,) = approvals.waiting()
        time[0] = login.until
        assert not approvals.answer(login.number, by="ada", granted=True)
        time[0] = login.until - 1


def test_one_person_waits_once_from_one_address() -> None:
    approvals = Approvals()
    with waiting(approvals, "bob"), waiting(approvals, "bob", THERE), waiting(approvals, "eve"):
        assert approvals.wait("bob", Peer(HERE.address, 2), DEADLINE) is None
        assert len(approvals.waiting()) == 3


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("others", [True, False])
def test_each_source_has_its_seats_whoever_asks_from_there(listed: bool, others: bool) -> None:
    approvals = Approvals(source_of=lambda address: address.rpartition(".")[0])
    with ExitStack() as stack:
        for number in range(SEATS):
            peer = Peer(f"192.0.2.{number}", 1)
            stack.enter_context(waiting(approvals, f"user {number}", peer, listed=others))
        # The answer is the same for a name that is nobody's, and takes as long.
        assert approvals.wait("one more", HERE, DEADLINE, listed=listed) is None
        for number in range(1, 20):
            peer = Peer(f"198.51.{number}.1", 1)
            stack.enter_context(waiting(approvals, "one more", peer, listed=listed))
        assert len(approvals.waiting()) == SEATS * others + 19 * listed


def test_what_is_not_listed_can_be_answered_by_nobody() -> None:
    approvals = Approvals()
    with waiting(approvals, "nobody", listed=False):
        assert approvals.waiting() == ()
        assert not approvals.answer(1, by="ada", granted=True)


def test_a_listener_hears_until_it_stops() -> None:
    approvals, heard = Approvals(), []
    stop = approvals.subscribe(lambda: heard.append(len(approvals.waiting())))
    assert approvals.wait("bob", HERE, 0.0) is None
    assert heard == [1, 0]
    stop()
    stop()
    approvals.wait("bob", HERE, 0.0)
    assert heard == [1, 0]
