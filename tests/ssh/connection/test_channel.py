"""`HostChannel`: windows, order and wakes, with the threads under the test's thumb."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import paramiko
import pytest

from tests.ssh.connection.channel_bench import Bench
from tests.ssh.messages import Raw, fields, packed
from tests.waiting import DEADLINE
from tuihost.core.limits import MAX_PACKET
from tuihost.errors import PeerError
from tuihost.wire import EndOfInput, ExitSignal, ExitStatus, OpenSession, Stream

ADJUST, DATA, EXTENDED, EOF, CLOSE, REQUEST = 93, 94, 95, 96, 97, 98


def session(**limits: Any) -> tuple[Bench, Any]:
    bench = Bench(**limits)
    channel = bench.open_session()
    bench.take()
    return bench, channel


def data_of(sent: list[bytes]) -> bytes:
    return b"".join(message[9:] for message in sent if message[0] == DATA)


# --------------------------------------------------------------------------------- reading


def test_reading_never_waits_and_tells_nothing_from_the_end() -> None:
    bench, channel = session()
    assert channel.read() is None
    bench.feed(DATA, 0, b"hello")
    assert channel.read(2) == b"he"
    assert channel.read() == b"llo"
    assert channel.read() is None
    bench.feed(DATA, 0, b"last")
    bench.feed(EOF, 0)
    assert channel.read() == b"last"
    assert channel.read() == b""
    assert not channel.closed, "the client still reads"


def test_what_was_buffered_can_be_read_after_the_close() -> None:
    bench, channel = session()
    bench.feed(DATA, 0, b"left over")
    bench.feed(CLOSE, 0)
    assert channel.closed
    assert channel.read() == b"left over"
    assert channel.read() == b""


def test_the_window_is_given_back_by_the_third() -> None:
    bench, channel = session(window=3000)
    bench.feed(DATA, 0, bytes(1500))
    channel.read(999)
    assert bench.take() == []
    channel.read(1)
    (adjust,) = bench.take()
    assert adjust[0] == ADJUST
    read = fields(adjust)
    assert (read.integer(), read.integer()) == (7, 1000)
    bench.feed(DATA, 0, bytes(2500))  # the rest of the window and what was given back
    assert sum(len(channel.read(10_000) or b"") for _ in range(2)) == 3000


def test_a_client_that_overruns_the_window_is_cut_off() -> None:
    bench, channel = session(window=3000)
    bench.feed(DATA, 0, bytes(3000))
    with pytest.raises(PeerError, match="window"):
        bench.feed(DATA, 0, b"x")
    assert len(channel.read(10_000)) == 3000


def test_the_window_holds_for_extended_data_too_and_is_given_back() -> None:
    bench, channel = session(window=3000)
    for _ in range(10):
        bench.feed(EXTENDED, 0, 1, bytes(1000))
    assert channel.read() is None
    given = sum(int.from_bytes(m[5:9]) for m in bench.take() if m[0] == ADJUST)
    assert given == 10_000
    with pytest.raises(PeerError):
        bench.feed(EXTENDED, 0, 1, bytes(3001))


@pytest.mark.parametrize("end", [EOF, CLOSE])
def test_data_after_the_end_is_dropped(end: int) -> None:
    bench, channel = session(window=3000)
    if end == CLOSE:
        channel.close()  # ours: the client has not answered, so the channel is still there
    else:
        bench.feed(EOF, 0)
    bench.feed(DATA, 0, b"late")
    assert channel.read() == b""
    with pytest.raises(PeerError):
        bench.feed(DATA, 0, bytes(3000))


def test_a_window_grows_while_all_that_comes_is_read() -> None:
    bench = Bench(window=3000, window_max=8000, window_room=5000)
    channel = bench.open_session()
    bench.take()
    bench.feed(DATA, 0, bytes(1500))
    assert channel.read(1000) == bytes(1000)
    (adjusted,) = bench.take()
    assert adjusted[0] == ADJUST
    assert channel.incoming.left == 2500, "with something unread it is given back and no more"
    assert channel.read() == bytes(500)
    bench.feed(DATA, 0, bytes(2500))
    assert channel.read() == bytes(2500)
    assert channel.incoming.left == 6000
    bench.feed(DATA, 0, bytes(6000))
    assert channel.read() == bytes(6000)
    assert channel.incoming.left == 8000, "there is a bound for the one"
    other = bench.open_session(8)
    bench.feed(DATA, other.number, bytes(3000))
    assert other.read() == bytes(3000)
    assert other.incoming.left == 3000, "and one for all of them together"
    bench.feed(CLOSE, channel.number)
    bench.feed(DATA, other.number, bytes(3000))
    assert other.read() == bytes(3000)
    assert other.incoming.left == 6000, "what was lent comes back"


# --------------------------------------------------------------------------------- writing


def test_writing_takes_what_the_window_takes() -> None:
    bench = Bench()
    channel = bench.open_session(window=10)
    bench.take()
    assert channel.write(b"0123456789abc") == 10
    assert channel.write(b"abc") == 0
    assert channel.congested
    bench.feed(ADJUST, 0, 2)
    assert not channel.congested
    assert channel.write(memoryview(b"abc")) == 2
    assert data_of(bench.take()) == b"0123456789ab"


@pytest.mark.parametrize(("packet", "largest"), [(1000, 1000), (2**32 - 1, MAX_PACKET)])
def test_a_large_write_goes_in_packets_that_both_sides_take(packet: int, largest: int) -> None:
    bench = Bench()
    channel = bench.open_session(packet=packet)
    bench.take()
    text = bytes(range(256)) * 300
    assert channel.write(text) == len(text)
    sent = bench.take()
    assert max(len(message) - 9 for message in sent) == largest
    assert data_of(sent) == text


def test_errors_go_as_extended_data() -> None:
    bench, channel = session()
    assert channel.write(b"oh", Stream.ERR) == 2
    (message,) = bench.take()
    read = fields(message)
    assert message[0] == EXTENDED
    assert (read.integer(), read.integer(), read.string()) == (7, 1, b"oh")


def test_a_client_that_is_gone_takes_everything() -> None:
    bench, channel = session()
    bench.feed(CLOSE, 0)
    bench.take()
    assert channel.write(b"into the void") == 13
    channel.finish(ExitStatus(0))
    channel.close()
    assert bench.take() == []
    assert not channel.congested


@pytest.mark.parametrize("error", [OSError("x"), EOFError(), paramiko.SSHException("x")])
def test_a_line_that_breaks_under_a_write_is_no_error_of_the_apps(error: Exception) -> None:
    bench, channel = session()

    def broken(data: bytes) -> None:
        raise error

    bench.on_send = broken
    assert channel.write(bytes(100_000)) == 100_000
    assert channel.closed
    assert channel.read() == b""


def test_window_adjusts_without_end_stay_a_number_of_the_protocols() -> None:
    bench, channel = session()
    for _ in range(1000):
        bench.feed(ADJUST, 0, 2**32 - 1)
    assert channel.outgoing.window.left == 2**32 - 1
    assert channel.write(b"x") == 1


# ------------------------------------------------------------------------------- the end


@pytest.mark.parametrize(
    ("end", "parts"),
    [
        (ExitStatus(3), ("exit-status", False, 3)),
        (ExitStatus(-1), ("exit-status", False, 2**32 - 1)),
        (ExitSignal("TERM", "bye", True), ("exit-signal", False, "TERM", True, "bye", "en")),
    ],
)
def test_the_end_is_told_once_in_its_order(end: Any, parts: tuple[Any, ...]) -> None:
    bench, channel = session()
    channel.write(b"output")
    channel.finish(end)
    channel.finish(ExitStatus(9))
    channel.close()
    sent = bench.take()
    assert [message[0] for message in sent] == [DATA, REQUEST, EOF, CLOSE]
    assert sent[1][1:] == packed(7, *parts)
    assert channel.closed


def test_a_client_that_closes_is_answered_with_close_once() -> None:
    bench, channel = session()
    bench.feed(CLOSE, 0)
    assert bench.kinds() == [CLOSE]
    bench, channel = session()
    channel.close()
    bench.feed(CLOSE, 0)
    assert bench.kinds() == [EOF, CLOSE]
    assert bench.answerer.told[-1] == ("channel_closed", 0)


def test_half_closed_input_leaves_the_output_open() -> None:
    bench, channel = session()
    bench.feed(EOF, 0)
    bench.feed(EOF, 0)
    assert bench.answerer.told[-2:] == [("opened", OpenSession()), ("event", EndOfInput())]
    assert channel.write(b"still here") == 10
    assert bench.kinds() == [DATA]


def test_every_channel_closes_and_wakes_when_the_connection_ends() -> None:
    bench = Bench()
    channels = [bench.open_session(peer) for peer in range(3)]
    woken: list[int] = []
    for channel in channels:
        channel.set_wake(lambda number=channel.number: woken.append(number))
    woken.clear()
    bench.take()
    bench.answerer.answers["channel_closed"] = RuntimeError("a bug")
    bench.end()
    assert all(channel.closed for channel in channels)
    assert sorted(woken) == [0, 1, 2]
    assert bench.take() == [], "nothing can be sent any more"
    assert channels[0].write(b"x") == 1
    assert channels[0].read() == b""


# ----------------------------------------------------------------------------- the order


def test_nothing_leaves_after_close_however_the_threads_meet() -> None:
    """The client closes while the app is in the middle of a write that waits."""
    bench, channel = session()
    inside, go_on = threading.Event(), threading.Event()

    def wait_here(data: bytes) -> None:
        if data[0] == DATA and not inside.is_set():
            inside.set()
            assert go_on.wait(DEADLINE), "the test did not go on"

    bench.on_send = wait_here
    taken: list[int] = []
    app = threading.Thread(target=lambda: taken.append(channel.write(bytes(100_000))))
    app.start()
    assert inside.wait(DEADLINE), "the write did not begin"
    # This is the transport's thread: had it to wait for the writer, it would for ever.
    bench.ask(channel, "window-change", 80, 24, 0, 0)
    bench.feed(CLOSE, 0)
    go_on.set()
    app.join(DEADLINE)
    assert not app.is_alive()
    assert bench.kinds() == [DATA, 99, CLOSE]
    assert taken == [100_000]


def test_a_writer_waits_its_turn_and_then_goes_on() -> None:
    """The mirror image: the transport's thread is in the middle of sending a reply."""
    bench, channel = session()
    inside, go_on = threading.Event(), threading.Event()

    overtaken: list[bytes] = []

    def wait_here(data: bytes) -> None:
        if data[0] == 99:
            inside.set()
            assert go_on.wait(DEADLINE), "the test did not go on"
        elif not go_on.is_set():
            overtaken.append(data)

    bench.on_send = wait_here
    transport = threading.Thread(target=bench.ask, args=(channel, "shell"))
    app = threading.Thread(target=channel.write, args=(b"prompt",))
    transport.start()
    assert inside.wait(DEADLINE), "the reply did not begin"
    app.start()
    go_on.set()
    for thread in (app, transport):
        thread.join(DEADLINE)
        assert not thread.is_alive()
    assert bench.kinds() == [99, DATA]
    assert overtaken == []


def test_a_client_that_asks_and_never_reads_the_answers_is_cut_off() -> None:
    bench, channel = session()
    inside, go_on = threading.Event(), threading.Event()

    def stuck(data: bytes) -> None:
        inside.set()
        assert go_on.wait(DEADLINE), "the test did not go on"

    bench.on_send = stuck
    app = threading.Thread(target=channel.write, args=(b"x",))
    app.start()
    assert inside.wait(DEADLINE), "the write did not begin"

    def ask_on() -> None:
        for _ in range(1000):
            bench.ask(channel, "nonsense")

    with pytest.raises(PeerError, match="answers"):
        ask_on()
    bench.end()
    go_on.set()
    app.join(DEADLINE)
    assert not app.is_alive()


def test_an_end_of_the_connection_frees_a_writer_that_waits_its_turn() -> None:
    bench, channel = session()
    assert channel.outgoing.reserve(1) == 1  # by a thread that is stuck in the socket
    app = threading.Thread(target=channel.write, args=(b"x",))
    app.start()
    bench.end()
    app.join(DEADLINE)
    assert not app.is_alive()


def test_a_fault_in_sending_leaves_nobody_waiting() -> None:
    bench, channel = session()

    def fault(data: bytes) -> None:
        raise PeerError("the queue is full")

    bench.on_send = fault
    with pytest.raises(PeerError, match="queue"):
        bench.ask(channel, "shell")
    assert channel.closed
    assert channel.write(b"x") == 1


# ----------------------------------------------------------------------------- the wakes


def test_each_change_wakes_after_it_happened() -> None:
    bench, channel = session()
    seen: list[tuple[Any, ...]] = []
    channel.set_wake(
        lambda: seen.append((len(channel.inbox), channel.outgoing.window.left, channel.closed))
    )
    window = channel.outgoing.window.left
    bench.feed(DATA, 0, b"abc")
    bench.feed(ADJUST, 0, 5)
    bench.feed(EOF, 0)
    channel.close()
    assert seen == [
        (0, window, False),  # at once: what came before is not missed
        (3, window, False),
        (3, window + 5, False),
        (3, window + 5, False),
        (3, window + 5, True),
    ]
    channel.set_wake(None)
    bench.feed(CLOSE, 0)
    assert len(seen) == 5


@pytest.mark.parametrize("error", [RuntimeError("the loop is closed"), SystemExit(1)])
def test_a_wake_that_raises_costs_itself_alone(error: BaseException) -> None:
    bench, channel = session()
    calls: list[int] = []

    def broken() -> None:
        calls.append(1)
        raise error

    channel.set_wake(broken)
    bench.feed(DATA, 0, b"abc")
    assert channel.read() == b"abc"
    assert calls == [1]


def test_waiting_ends_with_what_was_waited_for() -> None:
    bench, channel = session()
    got: list[bytes] = []

    def arrived() -> bool:
        got.append(channel.read() or b"")
        return got[-1] == b"now"

    answers: list[bool] = []
    app = threading.Thread(target=lambda: answers.append(channel.wait(arrived, 10)))
    app.start()
    bench.feed(ADJUST, 0, 1)
    bench.feed(DATA, 0, b"now")
    app.join(DEADLINE)
    assert answers == [True]


def test_waiting_ends_in_time() -> None:
    bench, channel = session()
    assert channel.wait(lambda: True, 0)
    assert not channel.wait(lambda: False, 0)
    looks: list[int] = []

    def look() -> bool:
        looks.append(1)
        bench.timer.time += 3
        return False

    channel._woken.wait = lambda timeout: None
    assert not channel.wait(look, 5)
    assert len(looks) == 2


def test_a_full_line_is_congestion_and_wakes_when_it_empties() -> None:
    bench, channel = session()
    wakes: list[int] = []
    channel.set_wake(lambda: wakes.append(1))
    wakes.clear()
    bench.full = True
    assert channel.congested
    assert channel.congested
    assert len(bench.timer.due) == 1, "one look is enough, however often it is asked"
    bench.timer.advance(0.1)
    assert wakes == []
    bench.full = False
    bench.timer.advance(0.1)
    assert wakes == [1]
    assert not channel.congested
    assert bench.timer.due == []


def test_a_full_line_is_not_watched_after_the_close() -> None:
    bench, channel = session()
    bench.full = True
    assert channel.congested
    channel.close()
    assert not channel.congested
    bench.timer.advance(1)
    assert bench.timer.due == []


def test_a_channel_that_is_forgotten_sends_nothing_and_is_gone_at_once() -> None:
    bench, channel = session()
    assert repr(channel) == "<HostChannel 0 open>"
    forgotten = weakref.ref(channel)
    bench.answerer.channels.clear()
    bench._channels.remove(0)
    gc.disable()
    try:
        del channel
        assert forgotten() is None, "it is part of a circle"
    finally:
        gc.enable()
    assert bench.take() == []


def test_truncated_messages_end_the_connection() -> None:
    bench, _ = session()
    for number, rest in (
        (ADJUST, b"\0"),
        (DATA, b"\0\0\0\5abc"),
        (EXTENDED, b"\0\0\0\1"),
        (98, b""),
    ):
        with pytest.raises(PeerError):
            bench.feed(number, 0, Raw(rest))
    with pytest.raises(PeerError):
        bench.feed(EOF, Raw(b"\0\0"))
