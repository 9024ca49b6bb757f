"""The send queue: whose turn it is, in which order, and that the end frees everybody."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

import pytest

from tests.waiting import DEADLINE
from tuihost.ssh.connection._send_queue import SendQueue
from tuihost.ssh.connection._windows import SendWindow

Queue = SendQueue[str]


def queue(size: int = 100) -> Queue:
    return SendQueue(SendWindow(size, 50))


def said(queue: Queue) -> str:
    """What the thread with the turn sends until it gives it back."""
    return "".join("".join(waiting) for waiting in iter(queue.next, []))


Act = Callable[[Queue], object]
POST: Act = lambda queue: queue.post("p")  # noqa: E731
END: Act = lambda queue: queue.end("e")  # noqa: E731
CLOSE: Act = lambda queue: queue.close(eof="e", last="c")  # noqa: E731
FINISH: Act = lambda queue: queue.close("x", eof="e", last="c")  # noqa: E731
ANSWER: Act = lambda queue: queue.close(eof=None, last="c")  # noqa: E731
DROP: Act = lambda queue: queue.drop()  # noqa: E731


@pytest.mark.parametrize(
    ("acts", "sent", "ended", "closed"),
    [
        ((), "", False, False),
        ((POST, POST), "pp", False, False),
        ((END,), "e", True, False),
        ((END, END, POST), "ep", True, False),
        ((CLOSE,), "ec", True, True),
        ((FINISH,), "xec", True, True),
        ((ANSWER,), "c", True, True),
        ((END, CLOSE), "ec", True, True),
        ((END, FINISH), "exc", True, True),
        ((POST, FINISH, CLOSE, POST, END, ANSWER), "pxec", True, True),
        ((POST, DROP), "", True, True),
        ((DROP, POST, END, FINISH), "", True, True),
    ],
)
def test_the_order_and_the_end(acts: tuple[Act, ...], sent: str, ended: bool, closed: bool) -> None:
    """Once with the turn free, and once while a writer has it."""
    for writes in (False, True):
        tested = queue()
        if writes:
            assert tested.reserve(10) == 10
        for act in acts:
            act(tested)
        assert said(tested) == sent
        assert (tested.ended, tested.closed) == (ended, closed)


def test_the_turn_is_given_once() -> None:
    tested = queue()
    assert tested.post("a")
    assert not tested.post("b")
    assert not tested.end("e")
    assert not tested.close(eof=None, last="c")
    assert len(tested) == 4
    assert tested.next() == ["a", "b", "e", "c"]
    assert len(tested) == 0
    assert tested.next() == []


def test_the_turn_can_be_had_again_when_it_was_given_back() -> None:
    tested = queue()
    for act in (POST, END, CLOSE):
        assert act(tested) is True
        assert said(tested)
    assert POST(tested) is False


@pytest.mark.parametrize(("size", "wanted", "count"), [(100, 10, 10), (100, 99, 50), (7, 99, 7)])
def test_a_writer_gets_what_the_window_takes(size: int, wanted: int, count: int) -> None:
    tested = queue(size)
    assert tested.reserve(wanted) == count
    assert not tested.post("p"), "the writer has the turn"
    assert tested.next() == ["p"]
    assert tested.next() == []
    assert tested.window.left == size - count
    assert tested.adjust(count) == count
    assert tested.window.left == size


def test_a_shut_window_gives_no_turn() -> None:
    tested = queue(0)
    assert tested.reserve(10) == 0
    assert tested.post("p")


@pytest.mark.parametrize("end", [END, CLOSE, DROP])
def test_after_the_end_a_writer_gets_nothing(end: Act) -> None:
    tested = queue()
    end(tested)
    assert tested.reserve(10) is None


@pytest.mark.parametrize("end", [END, CLOSE, DROP])
def test_the_end_frees_a_writer_that_waits(end: Act) -> None:
    tested = queue()
    assert tested.post("p")  # by a thread that is stuck in the socket
    got: list[int | None] = []
    writer = threading.Thread(target=lambda: got.append(tested.reserve(10)), daemon=True)
    writer.start()
    end(tested)
    writer.join(DEADLINE)
    assert got == [None]


def test_many_threads_send_one_at_a_time_and_lose_nothing() -> None:
    tested = queue(10_000)
    numbers, sending = itertools.count(), threading.Lock()
    sent: list[str] = []

    def send(messages: list[str]) -> None:
        assert sending.acquire(blocking=False), "two threads send"
        sent.extend(messages)
        sending.release()

    def send_waiting() -> None:
        for messages in iter(tested.next, []):
            send(messages)

    def post() -> None:
        for _ in range(200):
            if tested.post(f"posted {next(numbers)}"):
                send_waiting()

    def write() -> None:
        for _ in range(200):
            assert tested.reserve(1) == 1
            send([f"written {next(numbers)}"])
            send_waiting()

    threads = [threading.Thread(target=work) for work in (post, post, write, write)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
        assert not thread.is_alive()
    assert len(set(sent)) == 800
