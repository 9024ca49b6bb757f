"""The log: one line an event, which nothing that a client sent can forge."""

from __future__ import annotations

import json
import logging
import os
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.log import log_to, text_log
from tests.waiting import DEADLINE
from tuihost.logs import (
    MOST_WAITING,
    Event,
    EventLog,
    JsonFormatter,
    LogWriter,
    TextFormatter,
    configure,
)

FORGED = (
    'bye\n2026-01-01T00:00:00Z INFO auth.ok user=root\x1b[2J\x1b]52;c;aGk=\x07 "x" \u202e\u2028'
)


@pytest.fixture
def restored() -> Iterator[None]:
    """The loggers as they were."""
    raising = logging.raiseExceptions
    before = {
        name: (list(logger.handlers), logger.level, logger.propagate)
        for name in ("tuihost", "paramiko")
        if (logger := logging.getLogger(name)) is not None
    }
    yield
    logging.raiseExceptions = raising
    for name, (handlers, level, propagate) in before.items():
        logger = logging.getLogger(name)
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)


def test_a_line_has_its_event_first_and_fields_that_stay() -> None:
    log, stream = text_log(TextFormatter())
    log.bound(conn=7, user="ada").info(Event.APP_START, app="notes", command=None)
    stamp, rest = stream.getvalue().split(" ", 1)
    assert rest == "INFO app.start conn=7 user=ada app=notes\n"
    assert stamp.endswith("Z")


def test_json_is_one_object_a_line() -> None:
    log, stream = text_log(JsonFormatter())
    log.bound(conn=7).warning(Event.CONN_REFUSED, reason="too many", peer="[::1]:22")
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "event": "conn.refused",
        "conn": 7,
        "reason": "too many",
        "peer": "[::1]:22",
    }


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_what_a_client_sent_cannot_forge_a_line(formatter: logging.Formatter) -> None:
    log, stream = text_log(formatter)
    log.info(Event.CONN_CLOSED, reason=FORGED)
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.isascii()
    assert "\x1b" not in text


def test_neither_can_the_names_of_an_apps_own_fields() -> None:
    """They may be names of a query or of a form, which somebody has sent."""
    sent = {"event": "auth.ok", "time": 0, "user": "root", "a b=c\n2026": 1, "": 2, "text": "x"}
    text, lines = text_log(TextFormatter())
    text.bound(user="ada").note("asked", **sent, user_="y", share=float("nan"))
    assert lines.getvalue().split(" ", 1)[1] == (
        "INFO app.log user=ada text=asked event_=auth.ok time_=0 user_=root a_b_c_2026=1 _=2"
        " text_=x user__=y share=nan\n"
    )
    log, stream = text_log(JsonFormatter())
    log.bound(user="ada").note("asked", **sent, share=float("nan"))
    line = json.loads(stream.getvalue(), parse_constant=pytest.fail)
    assert (line["event"], line["user"], line["text"]) == ("app.log", "ada", "asked")
    assert (line["event_"], line["user_"], line["share"]) == ("auth.ok", "root", "nan")


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_neither_can_the_text_of_an_exception(formatter: logging.Formatter) -> None:
    log, stream = text_log(formatter)
    try:
        raise ValueError(FORGED)
    except ValueError as error:
        log.error(Event.APP_ERROR, trace=error, incident="7F3A-91C2")
    lines = stream.getvalue().splitlines()
    assert "\x1b" not in stream.getvalue()
    assert not any(line.startswith("2026-01-01") for line in lines[1:])
    assert len([line for line in lines if not line.startswith("    ")]) == 1


@given(st.text(), st.sampled_from([TextFormatter(), JsonFormatter()]))
def test_property_every_value_is_one_harmless_line(
    value: str, formatter: logging.Formatter
) -> None:
    log, stream = text_log(formatter)
    log.info(Event.AUTH_FAILED, user=value)
    text = stream.getvalue()
    assert text.endswith("\n")
    assert text[:-1].isascii()
    assert all(" " <= char <= "~" for char in text[:-1])


@pytest.mark.usefixtures("restored")
def test_paramikos_own_words_are_not_in_it(tmp_path: Path) -> None:
    configure(file=tmp_path / "log", level="debug")
    logging.getLogger("paramiko.transport").critical("what a client sent")
    log = logging.getLogger("tuihost")
    EventLog(log).info(Event.HOST_START)
    log.handlers[0].close()
    assert [line.split()[1:] for line in (tmp_path / "log").read_text().splitlines()] == [
        ["INFO", "host.start"]
    ]


# ------------------------------------------------------------------------------- who writes it


def descriptor(number: int) -> Path:
    return Path(f"/proc/self/fd/{number}")


def test_a_log_that_nobody_reads_keeps_nobody_waiting() -> None:
    reader, writer = os.pipe()
    handler = LogWriter(TextFormatter(), descriptor(writer))
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while os.write(writer, b"\n" * select.PIPE_BUF):  # until nothing more fits
            pass
    os.close(writer)
    log, many = log_to(handler), 3 * MOST_WAITING // 1000

    def work() -> None:
        for number in range(many):
            log.info(Event.APP_LOG, number=number, text="x" * 1000)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(DEADLINE)
    assert not thread.is_alive(), "whoever logs waits for a reader"
    with open(reader, "rb") as lines:
        received: list[bytes] = []
        read = threading.Thread(target=lambda: received.extend(filter(bytes.strip, lines)))
        read.start()
        handler.flush()
        log.info(Event.HOST_STOP)
        handler.close()
        read.join(DEADLINE)
    numbers = [int(line.split(b"number=")[1].split()[0]) for line in received[:-2]]
    assert numbers == list(range(len(numbers)))
    taken = sum(map(len, received[:-2]))
    assert MOST_WAITING - 2000 < taken <= MOST_WAITING, "what waited"
    assert received[-2].endswith(b" WARNING log.dropped lines=%d\n" % (many - len(numbers)))
    assert received[-1].endswith(b" INFO host.stop\n")


def test_what_a_full_disk_did_not_take_is_counted(tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to("/dev/full")
    handler = LogWriter(TextFormatter(), tmp_path / "log")
    log = log_to(handler)
    for number in range(7):
        log.info(Event.APP_LOG, number=number)
    handler.flush()
    (tmp_path / "log").unlink()
    handler.reopen()
    log.info(Event.HOST_STOP)
    handler.close()
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.split()[1:] for line in lines] == [
        [],
        ["WARNING", "log.dropped", "lines=7"],
        ["INFO", "host.stop"],
    ]


def test_a_value_without_a_text_costs_its_own_line(tmp_path: Path) -> None:
    class Shy:
        def __str__(self) -> str:
            raise RuntimeError

    handler = LogWriter(TextFormatter(), tmp_path / "log")
    log = log_to(handler)
    log.info(Event.HOST_START, address=Shy())
    log.info(Event.HOST_STOP)
    handler.close()
    log.info(Event.HOST_STOP)
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.split()[1:] for line in lines] == [
        ["WARNING", "log.dropped", "lines=1"],
        ["INFO", "host.stop"],
    ]


def test_without_threads_whoever_logs_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    handler = LogWriter(TextFormatter(), tmp_path / "log")
    monkeypatch.setattr(threading.Thread, "start", full)
    log_to(handler).info(Event.HOST_START)
    assert "host.start" in (tmp_path / "log").read_text()
    handler.close()


def run(
    script: str, *words: str, before: tuple[str, ...] = (), **options: Any
) -> subprocess.CompletedProcess[bytes]:
    """Runs a script; `before` are the first words of its command line."""
    return subprocess.run(
        [*before, sys.executable, "-c", script, *words],
        stdout=subprocess.PIPE,
        timeout=DEADLINE,
        check=False,
        **options,
    )


MANY = """
import sys
from tuihost.logs import Event, configure, event_log

configure()
for number in range(1000):
    event_log().info(Event.APP_LOG, number=number)
if sys.argv[1:]:
    raise KeyboardInterrupt
"""


@pytest.mark.parametrize("words", [(), ("interrupted",)])
def test_the_last_lines_are_written_before_the_end(words: tuple[str, ...]) -> None:
    lines = run(MANY, *words, stderr=subprocess.PIPE).stderr.splitlines()
    logged = [int(line.split(b"number=")[1]) for line in lines if b"number=" in line]
    assert logged == list(range(1000))


FORK = """
import logging, os, sys
from pathlib import Path
from tuihost.logs import Event, configure, event_log

configure(file=Path(sys.argv[1]))
event_log().info(Event.APP_LOG, text="before")
for handler in logging.getLogger("tuihost").handlers:
    handler.flush()
child = os.fork()
if not child:
    event_log().info(Event.APP_LOG, text="child")
    logging.shutdown()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
event_log().info(Event.APP_LOG, text="after")
"""


def test_a_forked_child_writes_its_own_lines(tmp_path: Path) -> None:
    assert run(FORK, str(tmp_path / "log")).returncode == 0
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.split("text=")[1] for line in lines] == ["before", "child", "after"]


CLOSED = """
import os, sys
from tuihost.logs import Event, configure, event_log

assert os.open(sys.argv[1], os.O_RDWR | os.O_CREAT) == 2, "a file of somebody's"
configure()
event_log().info(Event.HOST_START)
"""


def test_standard_error_that_is_closed_is_not_somebody_elses_file(tmp_path: Path) -> None:
    closing = ("sh", "-c", 'exec "$@" 2>&-', "sh")
    assert run(CLOSED, str(tmp_path / "precious"), before=closing).returncode == 0
    assert (tmp_path / "precious").read_bytes() == b""


NONBLOCKING = """
import os, time
from tuihost.logs import Event, configure, event_log

os.set_blocking(2, False)
configure()
for number in range(3000):
    event_log().info(Event.APP_LOG, number=number, text="x" * 100)
"""


def test_a_standard_error_that_does_not_wait_loses_nothing() -> None:
    lines = run(NONBLOCKING, stderr=subprocess.PIPE).stderr.splitlines()
    assert len(lines) == 3000
