"""The one ladder that stops a thread, also where it meets the thread's own end."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from tests.log import kept_log
from tests.waiting import DEADLINE, until
from tuihost.files.quota import Quota
from tuihost.host.programs._stopping import RAISE_AGAIN, Step, Stopping
from tuihost.host.transfers import rsync
from tuihost.testing.hosted import Records


class Later:
    """A deadline that comes when the test says so."""

    def __init__(self, seconds: float, action: Callable[[], None]) -> None:
        self.seconds = seconds
        self.act = action
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Host:
    """The little of a host that a ladder needs; it is its own watchdog."""

    def __init__(self) -> None:
        self.stuck = 0
        self.timers: list[Later] = []
        self.endings: set[object] = set()

    @property
    def watchdog(self) -> Host:
        return self

    def call_later(self, seconds: float, action: Callable[[], None]) -> Later:
        self.timers.append(Later(seconds, action))
        return self.timers[-1]

    def count_stuck(self, change: int) -> None:
        self.stuck += change


class Worker:
    """A thread that does `first` and then waits until it is let go, with its ladder."""

    def __init__(self, first: Callable[[], object] = lambda: None) -> None:
        self._first = first
        self.host = Host()
        log, self.records = kept_log()
        self.release = threading.Event()
        self.thread = threading.Thread(target=self._work, name="worker")
        host: Any = self.host
        self.stopping = Stopping(host, self.thread, log)

    def _work(self) -> None:
        try:
            self._first()
            self.release.wait()
        finally:
            self.stopping.over()

    def stack(self) -> list[CodeType]:
        """What the thread is running now, innermost first."""
        frame = sys._current_frames().get(self.thread.ident or 0)
        found = []
        while frame is not None:
            found.append(frame.f_code)
            frame = frame.f_back
        return found

    def begin(self, gentle: Sequence[Step] = ()) -> bool:
        return self.stopping.begin(raise_after=1.0, abandon_after=3.0, gentle=gentle)

    def end(self) -> None:
        self.release.set()
        self.thread.join(DEADLINE)
        assert not self.thread.is_alive()


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    worker.thread.start()
    yield worker
    worker.end()


def test_the_gentle_steps_come_first_and_each_at_its_time(worker: Worker) -> None:
    done = []
    assert worker.begin(gentle=[(0.3, lambda: done.append("cancel"))])
    assert [timer.seconds for timer in worker.host.timers] == [0.3, 1.0, 3.0]
    worker.host.timers[0].act()
    assert done == ["cancel"]


def test_it_begins_once_and_not_after_the_end(worker: Worker) -> None:
    assert worker.begin()
    assert not worker.begin()
    assert len(worker.host.timers) == 2
    late = Worker()
    late.thread.start()
    late.end()
    assert not late.begin()
    assert not late.host.timers


def test_what_ends_by_itself_calls_the_rest_off(worker: Worker) -> None:
    worker.begin()
    worker.end()
    assert worker.stopping.wait(0)
    assert all(timer.cancelled for timer in worker.host.timers)
    for timer in worker.host.timers:  # one that was under way already does no harm
        timer.act()
    assert worker.host.stuck == 0
    assert not worker.records.events


def test_what_nothing_stops_is_counted_until_it_ends(worker: Worker) -> None:
    worker.begin()
    worker.host.timers[-1].act()
    assert worker.host.stuck == 1
    assert worker.records.named("app.abandoned") == [{"thread": "worker"}]
    worker.end()
    assert worker.host.stuck == 0


def test_a_thread_that_ends_while_it_is_given_up_is_not_counted_for_ever(worker: Worker) -> None:
    class Between(threading.Event):
        """Lets the thread end between the look whether it has and what follows from that."""

        def is_set(self) -> bool:
            answer = super().is_set()
            worker.release.set()
            worker.thread.join(0.2)  # it has ended by then, or waits its turn
            return answer

    worker.begin()
    worker.stopping._over = Between()
    worker.host.timers[-1].act()
    worker.end()
    assert worker.host.stuck == 0


def start_and_put_off(worker: Worker, waits: Callable[[], bool]) -> None:
    """Starts it and, once it waits, takes the step that raises: it is put off."""
    worker.thread.start()
    until(waits, "the thread to wait")
    worker.begin()
    worker.host.timers[0].act()
    (*_, again) = worker.host.timers
    assert again.seconds == RAISE_AGAIN


def test_nothing_is_raised_between_a_lock_and_its_release() -> None:
    log, written = logging.Logger("busy"), Records()
    log.addHandler(written)
    # From 3.13 on, `handle` takes the lock itself.
    takers = (logging.Handler.acquire.__code__, logging.Handler.handle.__code__)
    writer = Worker(lambda: log.info("waits for the lock"))
    written.acquire()
    try:
        start_and_put_off(writer, lambda: any(code in takers for code in writer.stack()[:1]))
    finally:
        written.release()
    until(lambda: written.events, "the line to be written")
    assert written.lock is not None
    assert written.lock.acquire(timeout=DEADLINE), "the lock was lost"
    written.lock.release()
    writer.end()


def test_nothing_is_raised_while_the_lock_of_a_tree_is_taken(tmp_path: Path) -> None:
    tree = Quota(tmp_path, size=1000, entries=10)

    def take() -> None:
        with tree.held():
            pass

    writer = Worker(take)
    with tree.held():
        start_and_put_off(
            writer, lambda: any(code.co_name == "held" for code in writer.stack()[:1])
        )
    writer.end()
    assert tree.used == 0


def test_the_end_is_noted_also_where_what_was_raised_arrives_in_it(worker: Worker) -> None:
    class Interrupted(threading.Event):
        def set(self) -> None:
            if not late:
                late.append(True)
                raise SystemExit
            super().set()

    late: list[bool] = []
    worker.stopping._over = Interrupted()
    worker.end()
    assert late
    assert worker.stopping.wait(0)


def test_nothing_is_raised_while_a_process_is_ended() -> None:
    process = subprocess.Popen(["sleep", "60"])
    copier = Worker(lambda: rsync.stop(process))
    start_and_put_off(copier, lambda: subprocess.Popen.wait.__code__ in copier.stack())
    process.kill()
    copier.end()
    assert process.returncode == -signal.SIGKILL
