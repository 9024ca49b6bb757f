"""One line for each event: stable names, `conn=… chan=… user=… app=…`, as text or as JSON.

Nothing that a client sent can forge a line: a value that holds anything but plain characters is
quoted. No secret is ever given to these functions.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from tuihost.text import clean


class Event(StrEnum):
    """Every event that the host logs. `docs/logs.md` explains each; a test compares the two."""

    HOST_START = "host.start"
    HOST_STOP = "host.stop"
    HOST_ERROR = "host.error"
    CONN_OPEN = "conn.open"
    CONN_REFUSED = "conn.refused"
    CONN_CLOSED = "conn.closed"
    CONN_ERROR = "conn.error"
    SOURCE_WAITS = "source.waits"
    AUTH_OK = "auth.ok"
    AUTH_PARTIAL = "auth.partial"
    AUTH_FAILED = "auth.failed"
    AUTH_DENIED = "auth.denied"
    STORE_ERROR = "store.error"
    KEYS_BROKEN = "keys.broken"
    CHANNEL_REFUSED = "channel.refused"
    REQUEST_REFUSED = "request.refused"
    AGENT_SIGNED = "agent.signed"
    FORWARD_OPEN = "forward.open"
    FORWARD_CLOSED = "forward.closed"
    FORWARD_LISTEN = "forward.listen"
    FORWARD_UNLISTEN = "forward.unlisten"
    FILE_CHANGED = "file.changed"
    SESSION_START = "session.start"
    SESSION_END = "session.end"
    APP_START = "app.start"
    APP_END = "app.end"
    APP_ERROR = "app.error"
    APP_STUCK = "app.stuck"
    APP_ABANDONED = "app.abandoned"
    APP_BROKEN = "app.broken"
    STEP_BROKEN = "step.broken"
    THEME_BROKEN = "theme.broken"
    APP_LOG = "app.log"
    HELPER_LIMIT = "helper.limit"
    INTERPRETER_STALLED = "interpreter.stalled"
    BUDGET_EXCEEDED = "budget.exceeded"


_PLAIN = re.compile(r"[A-Za-z0-9_.:/@+,\[\]-]+")


def _value(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=True)


class TextFormatter(logging.Formatter):
    """`2026-11-23T09:15:02Z INFO conn.open conn=7 peer=127.0.0.1:50122`."""

    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        fields: dict[str, object] = getattr(record, "fields", {})
        name = getattr(record, "event", None)
        parts = [stamp, record.levelname, name or record.name]
        if name is None:
            parts.append(clean(record.getMessage(), limit=2000))
        parts += [f"{key}={_value(value)}" for key, value in fields.items() if value is not None]
        line = " ".join(parts)
        if record.exc_info:
            # A traceback holds our own source lines and the text of the exception, which a client
            # may have written: each line is cleaned and indented, so none can pass for an event.
            trace = self.formatException(record.exc_info)
            line += "".join(f"\n    {clean(part, limit=500)}" for part in trace.splitlines())
        return line


class JsonFormatter(logging.Formatter):
    """The same, with one JSON object on each line, ASCII only."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = getattr(record, "fields", {})
        name = getattr(record, "event", None)
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": str(name) if name else record.name,
        }
        if name is None:
            line["message"] = record.getMessage()
        line |= {key: value for key, value in fields.items() if value is not None}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True, default=str)


class EventLog:
    """Writes events; bound fields are on every line: `log.bound(conn=7).info(Event.CONN_OPEN)`.

    Threads: any. Cheap if the level is off.
    """

    __slots__ = ("_fields", "_logger", "_may_write")

    def __init__(self, logger: logging.Logger, **fields: object) -> None:
        self._logger = logger
        self._fields = fields
        self._may_write: Callable[[int], bool] | None = None

    def bound(self, **fields: object) -> EventLog:
        """The same log with more fields on every line."""
        log = EventLog(self._logger, **{**self._fields, **fields})
        log._may_write = self._may_write
        return log

    def metered(self, may_write: Callable[[int], bool]) -> EventLog:
        """The same log for lines that a client causes. `may_write` is asked about each event with
        the number of its lines; where it says no, the event is dropped."""
        log = self.bound()
        log._may_write = may_write
        return log

    def note(self, text: str, **fields: object) -> None:
        """A line of an app's own: `session.log.note("signed the book", entry=7)`."""
        self._write(logging.INFO, Event.APP_LOG, {"text": text, **fields})

    def text_descriptor(self) -> int | None:
        """The descriptor that the lines go to; None if they are JSON or go nowhere."""
        for handler in self._logger.handlers:
            if isinstance(handler, logging.StreamHandler) and isinstance(
                handler.formatter, TextFormatter
            ):
                with suppress(OSError, ValueError):  # a stream without one, or a closed one
                    return int(handler.stream.fileno())
        return None

    def debug(self, event: Event, **fields: object) -> None:
        self._write(logging.DEBUG, event, fields)

    def info(self, event: Event, **fields: object) -> None:
        self._write(logging.INFO, event, fields)

    def warning(self, event: Event, **fields: object) -> None:
        self._write(logging.WARNING, event, fields)

    def error(self, event: Event, *, trace: BaseException | None = None, **fields: object) -> None:
        self._write(logging.ERROR, event, fields, trace)

    def _write(
        self,
        level: int,
        event: Event,
        fields: dict[str, object],
        trace: BaseException | None = None,
    ) -> None:
        if self._logger.isEnabledFor(level):
            if self._may_write is not None and not self._may_write(1 + _frames(trace)):
                return
            extra = {"event": event.value, "fields": {**self._fields, **fields}}
            info = (type(trace), trace, trace.__traceback__) if trace is not None else None
            self._logger.log(level, event.value, extra=extra, exc_info=info)


def _frames(error: BaseException | None) -> int:
    """How many lines its traceback has, about: each frame is two."""
    trace, count = None if error is None else error.__traceback__, 0
    while trace is not None:
        trace, count = trace.tb_next, count + 2
    return count


def event_log() -> EventLog:
    """The log of the host."""
    return EventLog(logging.getLogger("tuihost"))


class LogFile(logging.FileHandler):
    """Appends to a file, which only its owner may read if it is made here. Threads: any."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace")

    def _open(self) -> TextIOWrapper:
        def private(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        file = open(  # noqa: SIM115 - closed with the handler
            self.baseFilename, "a", encoding=self.encoding, errors=self.errors, opener=private
        )
        assert isinstance(file, TextIOWrapper)
        return file

    def reopen(self) -> None:
        """Goes on in the file that has the name now. Raises `OSError`, and stays where it was, if
        there can be none."""
        fresh = self._open()
        with self.lock or nullcontext():
            former, self.stream = self.stream, fresh
            if former is not None:
                former.close()


def reopen() -> None:
    """After somebody has moved the file of the log away: goes on in a new one. Raises
    `OSError`."""
    for handler in logging.getLogger("tuihost").handlers:
        if isinstance(handler, LogFile):
            handler.reopen()


def configure(
    *,
    as_json: bool = False,
    level: str = "info",
    stream: TextIO | None = None,
    file: Path | None = None,
) -> None:
    """Sends the log to `file`, or else to `stream`, by default stderr. Lines that cannot be written
    are dropped. Raises `OSError` if the file cannot be opened."""
    logging.raiseExceptions = False
    out: logging.Handler = logging.StreamHandler(stream or sys.stderr)
    if file is not None:
        out = LogFile(file)
    out.setFormatter(JsonFormatter() if as_json else TextFormatter())
    root = logging.getLogger("tuihost")
    for former in root.handlers:
        former.close()
    root.handlers[:] = [out]
    root.setLevel(level.upper())
    root.propagate = False
    # paramiko writes what clients send into its messages, with a traceback for each scanner; the
    # host logs the same facts itself, once, cleaned.
    library = logging.getLogger("paramiko")
    library.handlers[:] = [logging.NullHandler()]
    library.propagate = False
    library.setLevel(logging.CRITICAL)
