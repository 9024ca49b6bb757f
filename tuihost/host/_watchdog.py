"""All deadlines of a process, on one thread: login grace, keepalive, stopping programs.

Thread: its own. Actions must not wait for a client; one that raises is logged, and the others
go on.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from time import monotonic

from tuihost.logs import Event, EventLog


@dataclass(order=True, slots=True)
class _Deadline:
    at: float
    tie: int
    action: Callable[[], None] | None = field(compare=False)
    watchdog: Watchdog = field(compare=False, repr=False)

    def cancel(self) -> None:
        if self.action is not None:
            self.action = None
            self.watchdog.count_cancelled()


class Watchdog:
    """Implements `wire.Timer`."""

    def __init__(self, log: EventLog) -> None:
        self.now = monotonic
        """Monotonic seconds."""
        self._log = log
        self._heap: list[_Deadline] = []
        self._ties = count()
        self._cancelled = 0
        self._changed = threading.Condition(threading.Lock())
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; what is still scheduled never runs."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(5.0)

    def call_later(self, seconds: float, action: Callable[[], None]) -> _Deadline:
        deadline = _Deadline(self.now() + seconds, next(self._ties), action, self)
        with self._changed:
            heapq.heappush(self._heap, deadline)
            if self._heap[0] is deadline:
                self._changed.notify()
        return deadline

    def count_cancelled(self) -> None:
        """A deadline was called off. The heap is swept when half of it is called off, so that the
        long deadlines of many short connections do not pile up."""
        with self._changed:
            self._cancelled += 1
            if self._cancelled > 64 and self._cancelled * 2 > len(self._heap):
                self._heap = [item for item in self._heap if item.action is not None]
                heapq.heapify(self._heap)
                self._cancelled = 0

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._stopping and (not self._heap or self._wait_for() > 0):
                    self._changed.wait(self._wait_for() if self._heap else None)
                if self._stopping:
                    self._heap.clear()
                    return
                deadline = heapq.heappop(self._heap)
                action, deadline.action = deadline.action, None
                if action is None:
                    self._cancelled = max(0, self._cancelled - 1)
            if action is not None:
                self._act(action)

    def _wait_for(self) -> float:
        return self._heap[0].at - self.now()

    def _act(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - the deadlines of everybody else go on
            self._log.error(Event.HOST_ERROR, trace=error, where="watchdog")
