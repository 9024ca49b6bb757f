"""Who keeps everybody from running is named, with the place in their code."""

from __future__ import annotations

import functools
import logging
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import DEADLINE
from tuihost import App, Session, command
from tuihost.host import interpreter_watch
from tuihost.host.interpreter_watch import (
    IDLE_TICK,
    LATE,
    TICK,
    InterpreterWatch,
    Look,
    Stall,
    Used,
    cpu_times,
    stall,
    threads_now,
)
from tuihost.logs import Event, EventLog, JsonFormatter, LogWriter, TextFormatter
from tuihost.testing import hosted


def catastrophe(length: int) -> None:
    re.match(r"(a+)+b", "a" * length)


@functools.cache
def letters() -> int:
    """So many keep the interpreter for more than 0.1 seconds; one more for twice as long."""
    for length in range(20, 40):
        if min(seconds(length), seconds(length)) > 0.1:
            return length
    pytest.fail("patterns have become quick: another long call is needed here")


def seconds(length: int) -> float:
    begun = time.thread_time()
    catastrophe(length)
    return time.thread_time() - begun


@pytest.fixture
def own_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch's clock goes by what this process uses. By the true one, it has nobody to blame if
    the machine is so busy that the process gets less than half of the time."""
    monkeypatch.setattr(Look, "now", lambda: Look(time.process_time(), time.process_time()))


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trace of a call that goes on is written earlier."""
    monkeypatch.setattr(interpreter_watch, "ARM_EVERY", 0.05)
    monkeypatch.setattr(interpreter_watch, "DUMP_AFTER", 0.2)


class Recorder(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.came = threading.Event()
        self.fields: list[dict[str, object]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "event", "") == Event.INTERPRETER_STALLED:
            self.fields.append(record.fields)  # type: ignore[attr-defined]
            self.came.set()


def nobody(module: str) -> str:
    return ""


class Greedy(App):
    """Keeps the interpreter to itself."""

    name = "greedy"

    @command
    def go(self, session: Session) -> None:
        catastrophe(letters() + 2)


@pytest.mark.usefixtures("own_clock")
def test_the_app_that_keeps_everybody_waiting_is_named() -> None:
    with hosted(Greedy()) as host:
        host.server.interpreter_watch.start()
        named: list[dict[str, Any]] = []
        for _ in range(20):  # others may use the time as well before the watch looks
            assert host.run("greedy go").status == 0
            host.log.wait_for("interpreter.stalled")
            stalls = host.log.named("interpreter.stalled")
            named = [told for told in stalls if "catastrophe" in str(told.get("stack"))]
            if named:
                break
    assert named, stalls
    told = named[0]
    assert told["app"] == "greedy"
    assert told["thread"].startswith("app-")
    assert told["seconds"] >= 0.25


class Asked(EventLog):
    """Counts how often the watch has asked where the lines go."""

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__(logger)
        self.times = 0
        self._changed = threading.Condition()

    def text_descriptor(self) -> int | None:
        with self._changed:
            self.times += 1
            self._changed.notify_all()
        return super().text_descriptor()

    def wait_for(self, more: int) -> None:
        with self._changed:
            times = self.times + more
            assert self._changed.wait_for(lambda: self.times >= times, DEADLINE), "it never looked"


@pytest.fixture
def written(tmp_path: Path) -> Iterator[tuple[logging.Logger, LogWriter]]:
    """A log of text in the file `log`."""
    logger = logging.Logger("tuihost.test")
    writer = LogWriter(TextFormatter(), tmp_path / "log")
    logger.addHandler(writer)
    yield logger, writer
    writer.close()


@pytest.mark.usefixtures("soon", "own_clock")
def test_a_long_call_is_named_while_it_lasts_and_afterwards(
    tmp_path: Path, written: tuple[logging.Logger, LogWriter]
) -> None:
    recorder, (logger, _) = Recorder(), written
    logger.addHandler(recorder)
    during: list[bytes] = []
    watch = InterpreterWatch(EventLog(logger), nobody)
    length = letters() + 2
    ended = threading.Event()
    watch.start()

    def work() -> None:
        catastrophe(length)
        during.append((tmp_path / "log").read_bytes())  # before any other thread can run for long
        ended.wait(DEADLINE)

    thread = threading.Thread(target=work, name="app-7-0")
    thread.start()
    told = recorder.came.wait(DEADLINE)
    ended.set()
    thread.join(DEADLINE)
    watch.stop()
    assert told, "no stall was told"
    assert max(float(str(fields["seconds"])) for fields in recorder.fields) >= 0.25
    assert any(fields["thread"] == "app-7-0" for fields in recorder.fields)
    assert b"in catastrophe" in during[0], "the trace was not written while the call ran"


@pytest.mark.usefixtures("soon")
def test_a_log_that_was_opened_again_gets_the_trace(
    tmp_path: Path, written: tuple[logging.Logger, LogWriter]
) -> None:
    logger, writer = written
    log = Asked(logger)
    watch = InterpreterWatch(log, nobody)
    length = letters() + 2
    watch.start()
    (tmp_path / "log").rename(tmp_path / "log.1")
    writer.reopen()
    log.wait_for(2)  # it has followed when it asks once more
    catastrophe(length)
    watch.stop()
    writer.flush()
    assert b"in catastrophe" in (tmp_path / "log").read_bytes()
    assert b"in catastrophe" not in (tmp_path / "log.1").read_bytes()


FULL = """
import fcntl, logging, os, re, sys, threading
from tuihost.host import interpreter_watch
from tuihost.host.interpreter_watch import InterpreterWatch
from tuihost.logs import EventLog, LogWriter, TextFormatter

interpreter_watch.ARM_EVERY, interpreter_watch.DUMP_AFTER = 0.1, 0.5
logger = logging.Logger("tuihost.test")
reader, writer = os.pipe()
fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
handler = LogWriter(TextFormatter(), f"/proc/self/fd/{writer}")
logger.addHandler(handler)
watch = InterpreterWatch(EventLog(logger), lambda module: "")
watch.start()
os.write(writer, bytes(int(sys.argv[2])))
re.match(r"(a+)+b", "a" * int(sys.argv[1]))
watch.stop()
assert not watch._thread.is_alive()
print("still here")
os.close(reader)
handler.close()
"""


@pytest.mark.parametrize("full", [4096, 4000])
def test_a_trace_that_nobody_reads_keeps_nobody_waiting(full: int) -> None:
    """Also if there was a little room when it was armed."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(letters() + 3), str(full)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("still here\n", "")


def test_a_log_of_json_gets_no_trace(tmp_path: Path) -> None:
    logger = logging.Logger("tuihost.test")
    assert EventLog(logger).text_descriptor() is None
    writer = LogWriter(JsonFormatter(), tmp_path / "log")
    logger.addHandler(writer)
    assert EventLog(logger).text_descriptor() is None
    writer.close()


@pytest.mark.parametrize(
    ("at", "used", "stalled"),
    [
        (TICK, 0.0, 0.0),  # it only waited
        (TICK, TICK, 0.0),  # others worked meanwhile, and let it run
        (0.24, 0.24, 0.0),
        (0.25, 0.25, 0.25),  # it began just after the look
        (TICK + 0.25, 0.25, TICK + 0.25),  # it began just before the next
        (3.0, 2.0, 3.0),
        (3.0, 0.2, 0.0),  # the machine was busy with something else
    ],
)
def test_a_stall_is_late_and_used_the_processor(at: float, used: float, stalled: float) -> None:
    since = Look(1000.0 + at, 7.0 + used).stalled_since(Look(1000.0, 7.0))
    assert since == pytest.approx(stalled)


def test_it_looks_less_often_where_nothing_happens() -> None:
    last = Look(1000.0, 7.0)
    assert Look(1000.1, 7.0).next_after(last) == IDLE_TICK
    assert Look(1000.1, 7.05).next_after(last) == TICK
    # Whenever a stall began that lasts `LATE`, it makes out half of the time since the look before.
    assert Look(1000.0 + IDLE_TICK + LATE, 7.0 + LATE).stalled_since(last)


def test_a_stall_while_the_watch_counts_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter may be lost at any moment, also between two lines of the watch itself."""
    recorder, logger = Recorder(), logging.Logger("tuihost.test")
    logger.addHandler(recorder)
    seconds, counts = [0.0], []

    def now() -> Look:
        seconds[0] += TICK
        return Look(seconds[0], seconds[0])

    def counted() -> dict[int, float]:
        counts.append(seconds[0])
        if len(counts) == 2:
            seconds[0] += 3.0
        return {}

    monkeypatch.setattr(Look, "now", now)
    monkeypatch.setattr(interpreter_watch, "cpu_times", counted)
    watch = InterpreterWatch(EventLog(logger), nobody)
    watch.start()
    told = recorder.came.wait(DEADLINE)
    watch.stop()
    assert told
    assert recorder.fields[0]["seconds"] == pytest.approx(3.0 + TICK)


def test_the_thread_whose_time_grew_most_is_named() -> None:
    times, own_time = cpu_times(), time.thread_time()
    assert times[threading.get_ident()] == pytest.approx(own_time, abs=0.1)
    own, main = threading.get_ident(), threading.main_thread().ident
    assert own == main
    other = threading.Event()
    thread = threading.Thread(target=other.wait, args=(DEADLINE,), name="other")
    thread.start()
    assert thread.ident is not None
    seen = threads_now()
    others = dict.fromkeys(seen, 0.0)

    def found(after: dict[int, float]) -> Stall:
        used = Used(5.0, {}, after)
        return stall(1.0, used, seen, lambda module: "waits" if module == "threading" else "")

    assert thread.ident is not None
    most = found(others | {thread.ident: 3.0})
    # It may have ended before its time could be read; then it is what no other used.
    ended = found({ident: 0.0 for ident in seen if ident != thread.ident})
    other.set()
    thread.join(DEADLINE)
    for told in (most, ended):
        assert (told.seconds, told.thread, told.app) == (1.0, "other", "waits")
        assert "wait" in told.stack
    assert own not in seen
    assert stall(1.0, Used(1.0, {}, {own: 1.0}), {}, nobody).thread == ""


def test_every_module_of_an_app_belongs_to_it() -> None:
    with hosted(Greedy(), bundled=["notes"]) as host:
        catalog = host.host.catalog
        inside = type(catalog.apps["notes"].app).__module__.partition(".")[0] + ".store"
        assert catalog.app_in(inside) == "notes"
        assert catalog.app_in(Greedy.__module__) == "greedy"
        assert catalog.app_in("json") == ""
