"""The last minutes of the host, measured whether somebody looks or not."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tuihost import HostView

KEPT = 300.0
"""Seconds that are remembered."""
FRESH = 0.9
"""Seconds for which one sample is enough for everybody who looks."""
EVERY = 10.0
"""Seconds between two samples while nobody looks."""
GAP = 15.0
"""Seconds between two samples that make a gap: nothing is known about the time in between."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The host at one moment. `at` and `uptime` are seconds. `cpu` is in percent of one processor
    since the previous sample; None if that is too long ago."""

    at: float
    uptime: float
    cpu: float | None
    cpu_seconds: float
    load: tuple[float, float, float]
    memory: int
    sessions: int
    sessions_total: int
    connections: int
    threads: int
    stuck: int


class Looks(Protocol):
    """Whatever can see the host: a session, a browser, or the app itself."""

    @property
    def host(self) -> HostView: ...


class Sampler:
    """One for everybody: the first who looks in a second measures, the others get the same.

    Threads: any; each person's session has its own, and so has `watch`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._samples: deque[Sample] = deque(maxlen=int(KEPT / FRESH))
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, host: Looks) -> None:
        """Measures every now and then, until `close`, so that there is something to see for the
        first who looks."""

        def measure() -> None:
            while not self._over.wait(EVERY):
                self.look(host)

        self._thread = threading.Thread(target=measure, name="tuihost-status", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends `watch`."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def look(self, session: Looks) -> Sample:
        """The host as it is now."""
        with self._lock:
            now = self._clock()
            last = self._samples[-1] if self._samples else None
            if last is not None and now - last.at < FRESH:
                return last
            sample = _measure(session, now, last)
            self._samples.append(sample)
            return sample

    def recent(self) -> tuple[Sample, ...]:
        """Everything that is remembered, oldest first."""
        with self._lock:
            return tuple(self._samples)


def _measure(session: Looks, now: float, last: Sample | None) -> Sample:
    gauges = session.host.gauges()
    cpu = None
    if last is not None and now - last.at <= GAP:
        cpu = 100 * max(0.0, gauges.cpu_seconds - last.cpu_seconds) / (now - last.at)
    return Sample(
        at=now,
        uptime=gauges.uptime,
        cpu=cpu,
        cpu_seconds=gauges.cpu_seconds,
        load=gauges.load,
        memory=gauges.memory_bytes,
        sessions=gauges.sessions,
        sessions_total=gauges.sessions_total,
        connections=gauges.connections,
        threads=gauges.threads,
        stuck=gauges.stuck_threads,
    )


Slices = list[list[Sample]]


def slices(samples: Sequence[Sample], now: float, count: int) -> Slices:
    """The last `KEPT` seconds in `count` equal parts, newest last.

    The parts begin at fixed times, so that a line that was drawn moves on but never changes. A
    part between two samples without a gap holds the first of them. A part in a gap is empty.
    """
    step = KEPT / max(1, count)
    first = int(now // step) - count + 1
    found: Slices = [[] for _ in range(count)]
    before: Sample | None = None
    for sample in samples:
        place = int(sample.at // step) - first
        if before is not None and sample.at - before.at <= GAP:
            between = range(max(0, int(before.at // step) - first + 1), min(place, count))
            for empty in between:
                found[empty].append(before)
        if 0 <= place < count:
            found[place].append(sample)
        before = sample
    return found


def means(parts: Slices, measure: Callable[[Sample], float | None]) -> list[float | None]:
    """The mean of a measure in each part; None if it is not known."""
    result: list[float | None] = []
    for part in parts:
        known = [value for value in map(measure, part) if value is not None]
        result.append(sum(known) / len(known) if known else None)
    return result
