"""The lines of the log about clients that were turned away, of which there can be very many."""

from __future__ import annotations

import threading

from tuihost.core.gate.penalties import Wait
from tuihost.core.limits import Allowance
from tuihost.logs import Event, EventLog
from tuihost.wire import Cancellable, Peer, Timer

REPORT_INTERVAL = 60.0
"""Seconds for which repeated refusals are gathered into one line."""
REPORT_BURST = 60
"""Lines about refusals at once; one a second in the long run."""


class RefusalLog:
    """The log's lines about who was turned away: the first of each source and reason at once, its
    repetitions once an interval, and all together never more than the log can bear."""

    def __init__(self, log: EventLog, timer: Timer) -> None:
        self._log = log
        self._timer = timer
        self._lock = threading.Lock()
        self._allowance = Allowance.full(REPORT_BURST, 1.0, timer.now())
        self._repeated: dict[tuple[str, str], int] = {}
        self._unnamed = 0
        self._report: Cancellable | None = None

    def note(self, peer: Peer, source: str, reason: str) -> None:
        """Somebody was turned away."""
        if self._first(source, str(reason)):
            self._log.info(Event.CONN_REFUSED, peer=peer, reason=str(reason))

    def waits(self, source: str, wait: Wait) -> None:
        """A source is turned away from now on."""
        with self._lock:
            told = self._allowance.take(self._timer.now())
        if told:
            label, seconds = wait.offence.label, round(wait.seconds)
            self._log.info(Event.SOURCE_WAITS, source=source, reason=label, seconds=seconds)

    def _first(self, source: str, reason: str) -> bool:
        key = (source, reason)
        with self._lock:
            if self._report is None:
                self._report = self._timer.call_later(REPORT_INTERVAL, self.flush)
            if key in self._repeated:
                self._repeated[key] += 1
                return False
            if self._allowance.take(self._timer.now()):
                self._repeated[key] = 0
                return True
            self._unnamed += 1
            return False

    def flush(self) -> None:
        """Logs what has been gathered, and starts over."""
        with self._lock:
            repeated, self._repeated = self._repeated, {}
            unnamed, self._unnamed = self._unnamed, 0
            report, self._report = self._report, None
        if report is not None:
            report.cancel()
        for (source, reason), count in repeated.items():
            if count:
                self._log.info(Event.CONN_REFUSED, source=source, reason=reason, repeated=count)
        if unnamed:
            self._log.info(Event.CONN_REFUSED, reason="from many sources", repeated=unnamed)
