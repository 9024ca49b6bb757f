"""The threads of one person take turns, and nobody else waits for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

import tuihost
from tests.waiting import DEADLINE, until
from tuihost.core.budget import turns as rules
from tuihost.core.budget.ledger import BOUNDS, Exceeded, Holder, Kind, Ledger
from tuihost.core.budget.turns import State
from tuihost.host.budget import turns as host_turns
from tuihost.host.budget.turns import FELT, PIECE, ThreadTurn, Turns
from tuihost.logs import Event
from tuihost.testing.hosted import Hosted, hang_up, hosted

MOST = BOUNDS[Kind.TURNS].person


@pytest.fixture
def never_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a thread that works may look like one that waits."""
    monkeypatch.setattr(rules, "LEAST_USED", -1.0)
    monkeypatch.setattr(rules, "LONGEST", 2 * DEADLINE)


@pytest.fixture
def everybody() -> Turns:
    return Turns(Ledger(BOUNDS))


class Threads:
    """Threads that each do a piece of work, all for one person unless they are told otherwise."""

    def __init__(self, everybody: Turns) -> None:
        self.everybody = everybody
        self.told: list[Exceeded] = []
        self.turns: list[ThreadTurn] = []
        self._all: list[threading.Thread] = []

    def start(self, work: Callable[[ThreadTurn], None], name: str = "eve") -> ThreadTurn:
        holder = Holder(len(self._all), name, f"of {name}")
        turn = ThreadTurn(self.everybody, holder, self.told.append)

        def run() -> None:
            turn.begin()
            try:
                work(turn)
            finally:
                turn.end()

        thread = threading.Thread(target=run, daemon=True)
        self._all.append(thread)
        thread.start()
        return turn

    def join(self) -> None:
        for thread in self._all:
            thread.join(DEADLINE)
            assert not thread.is_alive(), "a thread still waits"


@pytest.fixture
def threads(everybody: Turns) -> Iterator[Threads]:
    started = Threads(everybody)
    yield started
    started.join()
    assert not everybody.queue.waiting
    assert not everybody.queue.look(time.monotonic() + 2 * DEADLINE, lambda _: 0.0)


@pytest.mark.usefixtures("never_idle")
def test_only_so_many_work_at_once(threads: Threads) -> None:
    done, works = threading.Event(), threading.Semaphore(0)

    def work(turn: ThreadTurn) -> None:
        works.release()
        assert done.wait(DEADLINE)

    for _ in range(MOST + 2):
        threads.start(work)
    for _ in range(MOST):
        assert works.acquire(timeout=DEADLINE)
    until(lambda: threads.everybody.queue.waiting == 2, "the others to wait")
    assert not works.acquire(blocking=False)
    threads.start(work, "bob")
    assert works.acquire(timeout=DEADLINE), "somebody else works at once"
    done.set()


@pytest.mark.usefixtures("never_idle")
def test_who_waits_gets_the_turn_of_who_pauses(threads: Threads) -> None:
    came = threading.Event()

    def rest(turn: ThreadTurn) -> None:
        turn.pause()
        turn.pause()
        assert came.wait(DEADLINE)
        turn.resume()
        turn.resume()
        assert turn.state is State.HAS_TURN

    resting = [threads.start(rest) for _ in range(MOST)]
    until(lambda: all(turn.state is State.NOTHING for turn in resting), "them to rest")
    threads.start(lambda turn: came.set())


@pytest.mark.usefixtures("never_idle")
def test_a_long_piece_of_work_lets_others_go_first(threads: Threads) -> None:
    came, passes = threading.Event(), threading.Event()

    def hold(turn: ThreadTurn) -> None:
        assert came.wait(DEADLINE)

    def work(turn: ThreadTurn) -> None:
        assert passes.wait(DEADLINE)
        until(lambda: time.monotonic() - turn.since > PIECE, "its piece to be over")
        turn.pass_on()
        assert came.is_set(), "the other one went first"

    for _ in range(MOST - 1):
        threads.start(hold)
    working = threads.start(work)
    until(lambda: working.state is State.HAS_TURN, "it to work")
    threads.start(lambda turn: came.set())
    until(lambda: threads.everybody.queue.waiting, "somebody to wait")
    passes.set()
    assert came.wait(DEADLINE)


def test_a_thread_that_waits_for_something_else_holds_nobody_up(threads: Threads) -> None:
    came = threading.Event()

    def stuck(turn: ThreadTurn) -> None:
        assert came.wait(DEADLINE)  # and says nothing about it
        turn.pass_on()
        assert turn.state is State.HAS_TURN, "it has one again, if it goes on"

    for _ in range(MOST):
        threads.start(stuck)
    threads.start(lambda turn: came.set())


@pytest.mark.usefixtures("never_idle")
def test_who_has_to_end_waits_no_more(threads: Threads) -> None:
    came = threading.Event()

    def work(turn: ThreadTurn) -> None:
        assert came.wait(DEADLINE)

    for _ in range(MOST):
        threads.start(work)
    waiting = threads.start(lambda turn: came.set())
    until(lambda: waiting.state is State.WAITS, "it to wait")
    waiting.waive()


@pytest.mark.usefixtures("never_idle")
def test_the_log_names_who_waited_long_once_a_minute(threads: Threads) -> None:
    done = threading.Event()
    begun = time.monotonic()

    def work(turn: ThreadTurn) -> None:
        assert done.wait(DEADLINE)

    for _ in range(MOST):
        threads.start(work)
    for _ in range(2):
        threads.start(lambda turn: None)
    until(lambda: threads.everybody.queue.waiting == 2, "the others to wait")
    until(lambda: time.monotonic() - begun > 2 * FELT, "that to be felt")
    done.set()
    threads.join()
    assert [told.kind for told in threads.told] == [Kind.TURNS]
    later = threads.everybody.untold(Holder(1, "eve", "of eve"), time.monotonic() + 61.0)
    assert later, "a minute later it would be told again"


# ------------------------------------------------------------------------- in a host that runs


class Busy(tuihost.App):
    """Works until the test has seen enough. Counts who is at work at the same moment."""

    name = "busy"
    title = "Busy"

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._now = 0
        self.too_many, self.seen = threading.Event(), threading.Event()

    @tuihost.command
    def work(self, session: tuihost.Session) -> None:
        """Work for a while."""
        with self._lock:
            self._now += 1
            if self._now > MOST:
                self.too_many.set()
        assert self.seen.wait(DEADLINE)
        with self._lock:
            self._now -= 1
        session.print("done")


@pytest.fixture
def app() -> Busy:
    return Busy()


@pytest.fixture
def host(app: Busy) -> Iterator[Hosted]:
    with hosted(app) as running:
        yield running


@pytest.mark.usefixtures("never_idle")
def test_one_person_has_only_so_many_sessions_at_work(
    app: Busy, host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_turns, "FELT", 0.0)
    transport = host.connect("turns-eve")
    channels = []
    for _ in range(8):
        channel = transport.open_session(timeout=DEADLINE)
        channel.settimeout(DEADLINE)
        channel.exec_command("busy work")
        channels.append(channel)
    queue = host.host.budget.turns.queue
    until(lambda: queue.waiting == 8 - MOST or app.too_many.is_set(), "the others to wait")
    app.seen.set()
    assert [channel.makefile("rb").read() for channel in channels] == [b"done\n"] * 8
    assert not app.too_many.is_set()
    hang_up(transport)
    (told,) = host.log.named(Event.BUDGET_EXCEEDED)
    assert (told["kind"], told["user"], told["bound"]) == (Kind.TURNS, "turns-eve", MOST)
