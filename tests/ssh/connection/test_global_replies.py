"""The order of the replies to global requests, whichever threads give them."""

from __future__ import annotations

import itertools
import threading

from tests.waiting import DEADLINE
from tuihost.ssh.connection._global_replies import GlobalReplies


def test_replies_leave_in_the_order_of_their_requests() -> None:
    for order in itertools.permutations(range(4)):
        sent: list[int] = []
        replies = GlobalReplies(sent.append)
        expected = [replies.expect(wanted=True) for _ in range(4)]
        given: set[int] = set()
        for number in order:
            assert replies.give(expected[number], number)
            given.add(number)
            assert sent == list(itertools.takewhile(given.__contains__, range(4)))
        assert not replies.give(expected[0], 9), "the first answer stands"
        assert sent == [0, 1, 2, 3]


def test_a_reply_that_nobody_wants_is_given_once_and_never_sent() -> None:
    sent: list[str] = []
    replies = GlobalReplies(sent.append)
    unwanted, wanted = replies.expect(wanted=False), replies.expect(wanted=True)
    assert replies.give(wanted, "wanted")
    assert replies.give(unwanted, "unwanted")
    assert not replies.give(unwanted, "again")
    assert sent == ["wanted"]


def test_nothing_is_sent_after_the_end() -> None:
    sent: list[str] = []
    replies = GlobalReplies(sent.append)
    first, second = replies.expect(wanted=True), replies.expect(wanted=True)
    replies.give(second, "second")
    replies.drop()
    assert not replies.give(first, "first")
    assert sent == []


def test_a_thread_that_sends_slowly_keeps_no_other_waiting() -> None:
    sent: list[str] = []
    sending, go_on = threading.Event(), threading.Event()

    def send(message: str) -> None:
        if message == "slow":
            sending.set()
            assert go_on.wait(DEADLINE)
        sent.append(message)

    replies = GlobalReplies(send)
    first, second = replies.expect(wanted=True), replies.expect(wanted=True)
    slow = threading.Thread(target=replies.give, args=(first, "slow"), name="slow")
    slow.start()
    try:
        assert sending.wait(DEADLINE)
        assert replies.give(second, "quick")
        assert sent == []
    finally:
        go_on.set()
        slow.join(DEADLINE)
    assert sent == ["slow", "quick"]
