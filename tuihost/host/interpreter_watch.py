"""A watch on the interpreter: says who kept every thread from running.

One C call that does not let go of the interpreter's lock (a pattern, a sort, a large document)
silences everybody. A thread that only waits notices how late it is woken, and looks whose CPU time
grew meanwhile. For a call that goes on and on, the trace of its thread is written to the log's
file by `faulthandler`, which needs no lock, in the handler of a signal that a timer of the process
sends; that is put off as long as all is well. The thread writes its own trace: what others do
meanwhile could change under a reader on another thread, and end the process.
"""

from __future__ import annotations

import faulthandler
import math
import os
import select
import signal
import stat
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tuihost.logs import Event, EventLog

TICK = 0.1
"""Seconds between two looks: what lasts `LATE` makes the next one late, whenever it began."""
IDLE_TICK = 0.2
"""The same after a time in which the process used less than `STIR` seconds of CPU time."""
STIR = 0.005
LATE = 0.25
"""Seconds that no thread could run, from which on the log is told."""
COUNT_EVERY = 1.0
"""Seconds between two counts of what each thread has used, to compare with."""
COUNT_FROM = 0.05
"""Seconds of CPU time of all threads together, below which there is nothing to count again."""
ARM_EVERY = 0.5
"""Seconds between two times that the trace is put off."""
DUMP_AFTER = 2.0
"""Seconds of CPU time after which the trace is written while the call still runs, and again."""
FRAMES = 12
"""Frames of a stack that the log shows, the innermost ones."""


@dataclass(frozen=True, slots=True)
class Stall:
    """For so many `seconds` no other thread could run than `thread`, which ran `app` and stood at
    `stack` (innermost last) when it let go. The texts are empty if nobody can say."""

    seconds: float
    thread: str = ""
    app: str = ""
    stack: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """When the watch looked, by the clock and by the CPU time of the process; both in seconds."""

    at: float
    used: float

    @classmethod
    def now(cls) -> Look:
        return cls(time.monotonic(), time.process_time())

    def stalled_since(self, last: Look) -> float:
        """For how many seconds, a tick too many at most, nobody could run since the look before;
        0 if that is not worth a word. A machine that lets the whole process wait is not the fault
        of a thread of it."""
        passed = self.at - last.at
        return passed if passed >= LATE and self.used - last.used >= passed / 2 else 0.0

    def next_after(self, last: Look) -> float:
        """In how many seconds to look again."""
        return TICK if self.used - last.used >= STIR else IDLE_TICK


class InterpreterWatch:
    """One thread. `app_in` says which app a module belongs to, by its name; empty if to none."""

    def __init__(self, log: EventLog, app_in: Callable[[str], str]) -> None:
        self._log = log
        self._app_in = app_in
        self._trace = _Trace(log)
        self._begun, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="interpreter-watch", daemon=True)

    def start(self) -> None:
        """Begins; what happens after the return is seen."""
        self._thread.start()
        self._begun.wait(5.0)

    def stop(self) -> None:
        """Ends the thread, and waits for that."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def _run(self) -> None:
        try:
            look = counted = Look.now()
            before = cpu_times()
            self._trace.put_off(look.at)
            self._begun.set()
            pause = TICK
            while not self._ended.wait(pause):
                # Without a gap: the interpreter may be lost as well while this thread works.
                last, look = look, Look.now()
                late, pause = look.stalled_since(last), look.next_after(last)
                if late:
                    # First of all: the other thread goes on as soon as this one waits.
                    seen = threads_now()
                    used = Used(look.used - counted.used, before, cpu_times())
                    self._tell(stall(late, used, seen, self._app_in))
                busy = look.used - counted.used >= COUNT_FROM  # an idle host costs nothing
                if late or (busy and look.at - counted.at >= COUNT_EVERY):
                    before, counted = cpu_times(), look
                self._trace.put_off(look.at)
        finally:
            self._trace.close()

    def _tell(self, found: Stall) -> None:
        self._log.warning(
            Event.INTERPRETER_STALLED,
            app=found.app or None,
            seconds=round(found.seconds, 2),
            thread=found.thread or None,
            stack=found.stack or None,
        )


class _Trace:
    """The stack of the thread that uses the time, which `faulthandler` writes into the log unless
    that is put off in time. Thread: the watch's."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._file: int | None = None
        self._armed = -math.inf

    def put_off(self, now: float) -> None:
        """For another `DUMP_AFTER` seconds; `now` is monotonic."""
        if now - self._armed < ARM_EVERY:
            return
        self._armed = now
        self._follow()
        if self._file is None:
            return
        again = DUMP_AFTER if _is_read(self._file) else 0.0
        signal.setitimer(signal.ITIMER_PROF, again, again)

    def _follow(self) -> None:
        """Has the file that the log has now: it may have been opened again."""
        log = self._log.text_descriptor()
        if log is not None and self._file is not None and os.path.sameopenfile(log, self._file):
            return
        self.close()
        self._file = None if log is None else _never_waiting(log)
        if self._file is not None:
            # The system gives this signal to the thread that used the time.
            faulthandler.register(signal.SIGPROF, self._file, all_threads=False)

    def close(self) -> None:
        if self._file is not None:
            signal.setitimer(signal.ITIMER_PROF, 0.0)
            faulthandler.unregister(signal.SIGPROF)
            os.close(self._file)
            self._file = None


def _never_waiting(log: int) -> int | None:
    """A descriptor of our own for the log: the log's may be closed, and then be somebody's
    connection. It waits for no reader, because `faulthandler` lets nobody else run until its trace
    is written. None if there can be no such descriptor."""
    try:
        kind = os.fstat(log).st_mode
        if stat.S_ISREG(kind) or stat.S_ISSOCK(kind):
            return os.dup(log)
        # Opened anew: not to wait is a property that all who have standard error would share.
        return os.open(f"/proc/self/fd/{log}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return None


def _is_read(file: int) -> bool:
    """Whether there is room for what is written."""
    room = select.poll()
    room.register(file, select.POLLOUT)
    return bool(room.poll(0))


def cpu_times() -> Mapping[int, float]:
    """Seconds of CPU time of each thread, by its ident; empty where the system does not tell."""
    found = {}
    for thread in threading.enumerate():
        if thread.ident is None or thread.native_id is None:
            continue  # it has not begun yet
        # Not by pthread_getcpuclockid: a thread that ends meanwhile would crash the process. This
        # is the clock that it would name, of Linux (MAKE_THREAD_CPUCLOCK in its posix-timers.h).
        clock = ~thread.native_id << 3 | 0b110
        with suppress(OSError):  # it has just ended, or this is another system
            found[thread.ident] = time.clock_gettime(clock)
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thread is in one function."""

    module: str
    text: str


@dataclass(frozen=True, slots=True)
class SeenThread:
    """What a thread is called, and where it is, innermost first."""

    name: str
    places: Sequence[Place]


def threads_now() -> Mapping[int, SeenThread]:
    """Every thread but this one, by its ident. Waits for nothing."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    own = threading.get_ident()
    return {
        ident: SeenThread(
            names.get(ident, ""),
            [
                Place(
                    frame.f_globals.get("__name__", ""),
                    f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}",
                )
                for frame, line in traceback.walk_stack(innermost)
            ],
        )
        for ident, innermost in sys._current_frames().items()
        if ident != own
    }


@dataclass(frozen=True, slots=True)
class Used:
    """CPU time between two looks, in seconds: of the process, and what `cpu_times` said `before`
    and `after`."""

    process: float
    before: Mapping[int, float]
    after: Mapping[int, float]

    def by(self, ident: int) -> float:
        """By one thread. By one that has ended since it was seen: what no other used."""
        if ident in self.after:
            return self.after[ident] - self.before.get(ident, 0.0)
        others = sum(used - self.before.get(other, 0.0) for other, used in self.after.items())
        return self.process - others


def stall(
    seconds: float,
    used: Used,
    seen: Mapping[int, SeenThread],
    app_in: Callable[[str], str],
) -> Stall:
    """Whose fault it was: the thread that used most."""
    if not seen:
        return Stall(seconds)
    thread = seen[max(seen, key=used.by)]
    app = next(filter(None, (app_in(place.module) for place in thread.places)), "")
    rows = [place.text for place in reversed(thread.places[:FRAMES])]
    return Stall(seconds, thread.name, app, " > ".join(rows))
