"""Who keeps everybody from running is named, with the place in their code."""

from __future__ import annotations

import functools
import logging
import os
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import DEADLINE, until
from tuihost import App, Session, command
from tuihost.host import interpreter_watch
from tuihost.host.interpreter_watch import InterpreterWatch, cpu_times, stall
from tuihost.logs import Event, EventLog, JsonFormatter, LogFile, TextFormatter
from tuihost.testing import hosted


def catastrophe(length: int) -> None:
    re.match(r"(a+)+b", "a" * length)


@functools.cache
def letters() -> int:
    """So many keep the interpreter for more than 0.1 seconds; one more for twice as long."""
    for length in range(20, 40):
        begun = time.thread_time()
        catastrophe(length)
        if time.thread_time() - begun > 0.1:
            return length
    pytest.fail("patterns have become quick: another long call is needed here")


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trace of a call that goes on is written earlier."""
    monkeypatch.setattr(interpreter_watch, "ARM_EVERY", 0.1)
    monkeypatch.setattr(interpreter_watch, "DUMP_AFTER", 0.5)


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


def test_the_app_that_keeps_everybody_waiting_is_named() -> None:
    with hosted(Greedy()) as host:
        host.server.interpreter_watch.start()
        named: list[dict[str, Any]] = []
        for _ in range(20):  # a busy machine stalls as well, and lets others use the time
            assert host.run("greedy go").status == 0
            host.log.wait_for("interpreter.stalled")
            stalls = host.log.named("interpreter.stalled")
            named = [told for told in stalls if "catastrophe" in str(told.get("stack"))]
            if named:
                break
    assert named, "the app that kept the interpreter was never named"
    told = named[0]
    assert told["app"] == "greedy"
    assert told["thread"].startswith("app-")
    assert told["seconds"] >= 0.25


@pytest.mark.usefixtures("soon")
def test_a_long_call_is_named_while_it_lasts_and_afterwards(tmp_path: Path) -> None:
    recorder, logger = Recorder(), logging.Logger("tuihost.test")
    path = tmp_path / "log"
    text = logging.FileHandler(path)
    text.setFormatter(TextFormatter())
    logger.addHandler(text)
    logger.addHandler(recorder)
    during: list[bytes] = []
    watch = InterpreterWatch(EventLog(logger), nobody)
    length = letters() + 3
    watch.start()

    def work() -> None:
        catastrophe(length)
        during.append(path.read_bytes())  # before any other thread can run for long

    thread = threading.Thread(target=work, name="app-7-0")
    thread.start()
    thread.join(DEADLINE)
    assert recorder.came.wait(DEADLINE), "no stall was told"
    watch.stop()
    text.close()
    # Which thread it was is told only of one that still runs: that is tested with an app above.
    assert all(float(str(fields["seconds"])) >= 0.25 for fields in recorder.fields)
    assert b"in catastrophe" in during[0], "the trace was not written while the call ran"


@pytest.mark.usefixtures("soon")
def test_a_log_that_was_opened_again_gets_the_trace(tmp_path: Path) -> None:
    logger = logging.Logger("tuihost.test")
    file = LogFile(tmp_path / "log")
    file.setFormatter(TextFormatter())
    logger.addHandler(file)
    watch = InterpreterWatch(EventLog(logger), nobody)
    length = letters() + 3
    watch.start()
    (tmp_path / "log").rename(tmp_path / "log.1")
    file.reopen()
    until(lambda: os.path.sameopenfile(watch._file, file.stream.fileno()), "its next look")
    catastrophe(length)
    watch.stop()
    file.close()
    assert b"in catastrophe" in (tmp_path / "log").read_bytes()
    assert b"in catastrophe" not in (tmp_path / "log.1").read_bytes()


def test_a_log_of_json_gets_no_trace(tmp_path: Path) -> None:
    logger = logging.Logger("tuihost.test")
    file = logging.FileHandler(tmp_path / "log")
    file.setFormatter(JsonFormatter())
    logger.addHandler(file)
    assert EventLog(logger).text_descriptor() is None
    assert EventLog(logging.Logger("tuihost.test")).text_descriptor() is None
    file.close()


def test_waiting_is_not_a_stall() -> None:
    recorder, logger = Recorder(), logging.Logger("tuihost.test")
    logger.addHandler(recorder)
    watch = InterpreterWatch(EventLog(logger), nobody)
    watch.start()
    threading.Event().wait(0.7)
    watch.stop()
    assert recorder.fields == []


def test_the_thread_whose_time_grew_most_is_named() -> None:
    times = cpu_times()
    assert threading.main_thread().ident in times
    own, main = threading.get_ident(), threading.main_thread().ident
    assert own == main
    other = threading.Event()
    thread = threading.Thread(target=other.wait, args=(DEADLINE,), name="other")
    thread.start()
    assert thread.ident is not None
    found = stall(
        1.0,
        {},
        {thread.ident: 3.0, own: 9.0},
        lambda module: "waiting" if module == "threading" else "",
    )
    other.set()
    thread.join(DEADLINE)
    assert (found.seconds, found.thread, found.app) == (1.0, "other", "waiting")
    assert "wait" in found.stack
    assert stall(1.0, {}, {own: 1.0}, nobody).thread == ""


def test_every_module_of_an_app_belongs_to_it() -> None:
    with hosted(Greedy(), bundled=["notes"]) as host:
        catalog = host.host.catalog
        inside = type(catalog.apps["notes"].app).__module__.partition(".")[0] + ".store"
        assert catalog.app_in(inside) == "notes"
        assert catalog.app_in(Greedy.__module__) == "greedy"
        assert catalog.app_in("json") == ""
