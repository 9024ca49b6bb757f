"""How a thread is stopped whose work nobody wants any more: asked, then made to, then left behind.

A thread in Python cannot be killed. One that nothing stops is named in the log and counted for as
long as it runs on. When each step is taken stands in `program.py` (`STOP_LADDER`).
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tuihost import database
from tuihost.files import quota
from tuihost.host.budget import budget, turns
from tuihost.host.host import Host
from tuihost.host.transfers import rsync
from tuihost.logs import Event, EventLog
from tuihost.tui.running import loop
from tuihost.wire import Cancellable

Step = tuple[float, Callable[[], None]]
"""Seconds after the work was given up, and what is tried then."""

RAISE_AGAIN = 0.1
"""Seconds until the next try, if the thread could not be stopped just then."""
_TAKE_LOCKS = frozenset(
    module.__file__ for module in (contextlib, logging, database, quota, budget, turns)
)
_HOLD_PROCESSES = frozenset(work.__code__ for work in (subprocess.Popen.__init__, rsync.stop))
"""A thread that is stopped there leaves a process that nobody waits for. Both end soon."""


@dataclass(slots=True, eq=False)
class Stopping:
    """The end of one thread. Threads: any, except `over`, which the thread itself calls last."""

    host: Host
    thread: threading.Thread
    log: EventLog
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)
    _timers: list[Cancellable] = field(default_factory=list)
    _again: Cancellable | None = None
    _named: bool = False
    _stuck: bool = False

    def wait(self, timeout: float) -> bool:
        """Waits for the end; False after `timeout` seconds."""
        return self._over.wait(timeout)

    def begin(
        self, *, raise_after: float, abandon_after: float, gentle: Iterable[Step] = ()
    ) -> bool:
        """Nobody wants the work any more: the `gentle` steps are taken, then an exception is raised
        in the thread, then it is left behind. False if that has begun or the thread has ended."""
        steps = (*gentle, (raise_after, self._raise), (abandon_after, self._abandon))
        with self._lock:
            if self._timers or self._over.is_set():
                return False
            self.host.endings.add(self)
            for seconds, act in steps:
                self._timers.append(self.host.watchdog.call_later(seconds, act))
        return True

    def over(self) -> None:
        """The thread's last words: it is counted no longer, and nothing more is tried."""
        try:
            self._end()
        except SystemExit:  # raised by `_raise`, and only now arrived
            self._end()
        for timer in (*self._timers, self._again):
            if timer is not None:
                timer.cancel()

    def _end(self) -> None:
        with self._lock:
            self._over.set()
            self.host.endings.discard(self)
            if self._stuck:
                self._stuck = False
                self.host.count_stuck(-1)

    def _raise(self) -> None:
        if self._over.is_set():
            return
        if not self._named:
            self._named = True
            self.log.warning(Event.APP_STUCK, thread=self.thread.name)
        if _cannot_stop(self.thread):
            self._again = self.host.watchdog.call_later(RAISE_AGAIN, self._raise)
            return
        _raise_in(self.thread)
        if self.thread.ident is not None:
            loop.wake(self.thread.ident)

    def _abandon(self) -> None:
        with self._lock:  # it may be ending at this moment
            if self._over.is_set():
                return
            self._stuck = True
            self.host.count_stuck(+1)
        self.log.error(Event.APP_ABANDONED, thread=self.thread.name)


class ThreadStopped(SystemExit):
    """Raised in a thread that nothing else has stopped."""


def _raise_in(thread: threading.Thread) -> None:
    """Raises an exception in another thread, at its next bytecode: the last thing to try with
    code that never returns. A thread inside a C call sees it only when that returns."""
    if thread.ident is not None and thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(ThreadStopped)
        )


def _cannot_stop(thread: threading.Thread) -> bool:
    """Whether an exception that is raised there now could come between a lock and its release, so
    that nobody would ever get that lock again, or leave a process that has ended in the system's
    table."""
    frame = sys._current_frames().get(thread.ident or 0)
    if frame is not None and frame.f_code.co_filename == threading.__file__:
        return True
    while frame is not None:
        code = frame.f_code
        if code.co_filename in _TAKE_LOCKS or code in _HOLD_PROCESSES:
            return True
        frame = frame.f_back
    return False
