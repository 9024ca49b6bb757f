"""One line for each event: stable names, `conn=… chan=… user=… app=…`, as text or as JSON.

Nothing that a client sent can forge a line: a value that holds anything but plain characters is
quoted. No secret is ever given to these functions.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import select
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue

from tuihost.text import clean

MOST_WAITING = 4 << 20
"""Bytes that may wait to be written."""
PATIENCE = 1.0
"""Seconds that the end of the log waits for what has not been written."""
MOST_FRAMES = 50
"""Of one traceback."""
MOST_CAUSES = 5


class Event(StrEnum):
    """Every event that the host logs. `docs/logs.md` explains each; a test compares the two."""

    HOST_START = "host.start"
    HOST_STOP = "host.stop"
    HOST_ERROR = "host.error"
    SETTINGS_READ = "settings.read"
    SETTINGS_DOUBTFUL = "settings.doubtful"
    LOG_REOPENED = "log.reopened"
    LOG_DROPPED = "log.dropped"
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


_NO_NAME = re.compile(r"[^a-zA-Z0-9_.-]+")
_HOSTS = frozenset(("time", "level", "event", "message", "trace"))
"""Names that a line of JSON has by itself."""


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

    def note(self, text: str, /, **fields: object) -> None:
        """A line of an app's own: `session.log.note("signed the book", entry=7)`. The names may be
        ones that a client has sent, too: no field passes for one of the host's, or for a line."""
        own: dict[str, object] = {"text": text}
        for name, value in fields.items():
            plain = _NO_NAME.sub("_", name)[:40] or "_"
            while plain in _HOSTS or plain in self._fields or plain in own:
                plain += "_"
            finite = not isinstance(value, float) or math.isfinite(value)
            own[plain] = value if finite else str(value)  # JSON has no other numbers
        self._write(logging.INFO, Event.APP_LOG, own)

    def text_descriptor(self) -> int | None:
        """The descriptor that the lines go to; None if they are JSON or go nowhere."""
        for handler in self._logger.handlers:
            if isinstance(handler, LogWriter) and isinstance(handler.formatter, TextFormatter):
                return handler.descriptor
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
            lines = 1 + _shortened(trace)
            if self._may_write is not None and not self._may_write(lines):
                return
            extra = {"event": event.value, "fields": {**self._fields, **fields}}
            info = (type(trace), trace, trace.__traceback__) if trace is not None else None
            self._logger.log(level, event.value, extra=extra, exc_info=info)


def _shortened(error: BaseException | None) -> int:
    """How many lines its traceback has, about, with those of the errors that led to it: each frame
    is two. Of each the last `MOST_FRAMES` are kept, and of these errors the last `MOST_CAUSES`."""
    lines, left = 0, MOST_CAUSES
    while error is not None:
        left -= 1
        if not left:
            error.__cause__ = error.__context__ = None
        count, trace = 0, error.__traceback__
        while trace is not None:
            trace, count = trace.tb_next, count + 1
        trace = error.__traceback__
        while trace is not None and count > MOST_FRAMES:
            trace, count = trace.tb_next, count - 1
        error.__traceback__ = trace
        lines += 2 * count
        error = error.__cause__ or error.__context__
    return lines


def event_log() -> EventLog:
    """The log of the host."""
    return EventLog(logging.getLogger("tuihost"))


class LogWriter(logging.Handler):
    """Has a thread write the lines, so that nobody who logs waits for a disk or for the reader of a
    pipe. While `MOST_WAITING` bytes wait, new lines are dropped, and so is one that cannot be
    written; the next line that can be says how many. Threads: any."""

    def __init__(self, formatter: logging.Formatter, path: Path | None = None) -> None:
        """Writes to standard error, or appends to the file `path`, which only its owner may read if
        it is made here. Raises `OSError` if the file cannot be opened."""
        super().__init__()
        self.setFormatter(formatter)
        self.descriptor = _standard_error() if path is None else _opened(path)
        """None if there is nothing to write to."""
        self._path = path
        self._thread: threading.Thread | None = None
        # Signal handlers may log as well, and interrupt a `put`: this queue allows it.
        self._lines: SimpleQueue[bytes | threading.Event | None] = SimpleQueue()
        self._given = self._taken = self._dropped = 0
        self._closed = False

    def emit(self, record: logging.LogRecord) -> None:
        """`logging` calls this on one thread at a time."""
        if self._closed or self.descriptor is None:
            return
        try:
            line = self._line(record)
        except Exception:  # noqa: BLE001 - a value that has no text costs its own line only
            self._dropped += 1
            return
        if self._given - self._taken + len(line) > MOST_WAITING:
            self._dropped += 1
            return
        if self._dropped:
            line = self._own_line(Event.LOG_DROPPED, lines=self._dropped) + line
            self._dropped = 0
        if self._runs():
            self._given += len(line)
            self._lines.put(line)
        else:
            self._write(line)

    def _runs(self) -> bool:
        """Whether the thread does, which begins with the first line, and in a forked child anew.
        If there can be no more threads, the caller has to write."""
        if self._thread is not None and self._thread.is_alive():
            return True
        self._lines, self._given, self._taken = SimpleQueue(), 0, 0
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            self._thread = None
            return False
        return True

    def _own_line(self, event: Event, **fields: object) -> bytes:
        about = {"levelname": "WARNING", "event": event.value, "fields": fields}
        return self._line(logging.makeLogRecord(about))

    def _line(self, record: logging.LogRecord) -> bytes:
        return f"{self.format(record)}\n".encode("utf-8", "backslashreplace")

    def reopen(self) -> Path | None:
        """Goes on in the file that has the name now, which it returns; None if the lines go to no
        file. Raises `OSError`, and stays where it was, if there can be none."""
        if self._path is not None and self.descriptor is not None:
            fresh = _opened(self._path)
            os.dup2(fresh, self.descriptor, inheritable=False)  # between two writes
            os.close(fresh)
        return self._path

    def flush(self) -> None:
        """Waits until the lines so far are written, but no longer than `PATIENCE` seconds."""
        if self._thread is not None and self._thread.is_alive():
            written = threading.Event()
            self._lines.put(written)
            written.wait(PATIENCE)

    def close(self) -> None:
        """The same, and later lines are dropped. `logging` calls it at the end of the process."""
        with self.lock or nullcontext():
            was_closed, self._closed = self._closed, True
        super().close()
        if was_closed or self.descriptor is None:
            return
        if self._thread is not None:
            self._lines.put(None)
            self._thread.join(PATIENCE)
            if self._thread.is_alive():
                return  # it still waits for a reader, and uses the descriptor
        if self._path is not None:
            os.close(self.descriptor)

    # ---------------------------------------------------------------- the thread

    def _write_all(self) -> None:
        lines, failed = self._lines, 0
        while (line := lines.get()) is not None:
            if isinstance(line, threading.Event):
                line.set()
                continue
            if failed:
                # On a line of its own: of the last one there may be a part.
                told = self._write(b"\n" + self._own_line(Event.LOG_DROPPED, lines=failed))
                failed = 0 if told else failed
            if failed or not self._write(line):
                failed += 1
            self._taken += len(line)

    def _write(self, line: bytes) -> bool:
        """False if it cannot be written, or not all of it."""
        assert self.descriptor is not None
        rest = memoryview(line)
        try:
            while rest:
                try:
                    rest = rest[os.write(self.descriptor, rest) :]
                except BlockingIOError:  # somebody else has set standard error so
                    select.select((), (self.descriptor,), (), 1.0)
        except OSError:
            return False
        return True


def _standard_error() -> int | None:
    """Its descriptor. None if it is closed: the number may be that of somebody's connection."""
    try:
        return None if sys.stderr is None else sys.stderr.fileno()
    except (OSError, ValueError):
        return None


def _opened(path: Path) -> int:
    # O_NONBLOCK: a pipe that nobody reads is an error, and not a host that waits for ever.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
    return os.open(path, flags, 0o600)


def reopen() -> None:
    """After somebody has moved the file of the log away: goes on in a new one. Raises
    `OSError`."""
    for handler in logging.getLogger("tuihost").handlers:
        if isinstance(handler, LogWriter) and (file := handler.reopen()) is not None:
            event_log().info(Event.LOG_REOPENED, file=str(file))


def configure(*, as_json: bool = False, level: str = "info", file: Path | None = None) -> None:
    """Sends the log to `file`, or else to standard error. Raises `OSError` if the file cannot be
    opened."""
    logging.raiseExceptions = False
    out = LogWriter(JsonFormatter() if as_json else TextFormatter(), file)
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
