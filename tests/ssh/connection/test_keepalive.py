"""A client that says nothing is asked, and then given up."""

from __future__ import annotations

from tests.ssh.connection.channel_bench import Bench
from tests.ssh.messages import packed
from tests.timers import ManualTimer
from tuihost.core.limits import TransportLimits
from tuihost.ssh.connection._keepalive import Keepalive
from tuihost.wire import Disconnect

GLOBAL, NO = 80, 82


class Line:
    """What a keepalive needs."""

    def __init__(self, interval: float = 30.0, count: int = 3) -> None:
        self.timer = ManualTimer()
        self.packets = 0
        self.asked: list[float] = []
        self.free = True
        self.ended: list[float] = []
        self.keepalive = Keepalive(
            self.timer,
            TransportLimits(keepalive_interval=interval, keepalive_count=count),
            heard=lambda: self.packets,
            ask=self.ask,
            give_up=lambda: self.ended.append(self.timer.time - 1000),
        )

    def ask(self) -> bool:
        if self.free:
            self.asked.append(self.timer.time - 1000)
        return self.free


def test_a_silent_client_is_asked_and_given_up() -> None:
    line = Line()
    line.timer.advance(100)
    assert line.asked == [], "not before the login"
    line.keepalive.start()
    line.timer.advance(1000)
    assert line.asked == [130, 160, 190]
    assert line.ended == [220]
    assert line.timer.due == []


def test_a_line_too_busy_to_ask_counts_as_a_miss() -> None:
    line = Line()
    line.free = False
    line.keepalive.start()
    line.timer.advance(1000)
    assert (line.asked, line.ended) == ([], [120])
    assert not line.keepalive.answered(), "what was not sent has no answer"


def test_any_packet_is_a_sign_of_life() -> None:
    line = Line()
    line.keepalive.start()
    for _ in range(50):
        line.timer.advance(80)
        line.packets += 1
    assert line.ended == []
    assert line.asked
    assert line.keepalive.answered()


def test_a_client_that_talks_is_not_asked() -> None:
    line = Line()
    line.keepalive.start()
    for _ in range(50):
        line.timer.advance(20)
        line.packets += 1
    assert line.asked == []


def test_answers_are_matched_with_questions() -> None:
    line = Line()
    line.keepalive.start()
    line.timer.advance(60)
    assert len(line.asked) == 2
    assert [line.keepalive.answered() for _ in range(3)] == [True, True, False]


def test_zero_never_asks_and_stopping_stops() -> None:
    line = Line(interval=0.0)
    line.keepalive.start()
    assert line.timer.due == []
    line = Line()
    line.keepalive.start()
    line.keepalive.stop()
    line.timer.advance(1000)
    line.keepalive.stop()
    line.keepalive.start()
    assert (line.asked, line.ended, line.timer.due) == ([], [], [])


def test_the_layer_asks_gets_its_answer_and_gives_up() -> None:
    bench = Bench()
    bench._after_login()
    bench.take()
    bench.timer.advance(30)
    assert bench.take() == [bytes([GLOBAL]) + packed("keepalive@openssh.com", True)]
    bench.feed(NO)
    bench.timer.advance(1000)
    assert bench.closed_because == ("keepalive", Disconnect.BY_APPLICATION)
    bench.end()
    assert bench.timer.due == []
