"""The log: one line an event, which nothing that a client sent can forge."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.log import text_log
from tuihost.logs import Event, EventLog, JsonFormatter, TextFormatter, configure

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
def test_a_log_that_cannot_be_written_is_no_fault() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    configure(stream=Full())
    EventLog(logging.getLogger("tuihost")).info(Event.HOST_START)


@pytest.mark.usefixtures("restored")
def test_paramikos_own_words_are_not_in_it() -> None:
    stream = io.StringIO()
    configure(stream=stream, level="debug")
    logging.getLogger("paramiko.transport").critical("what a client sent")
    assert stream.getvalue() == ""
