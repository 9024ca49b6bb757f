"""The memory of the process: what is garbage is found in time, and what is free goes back.

Sessions leave circles of objects behind, which the collector looks for by how many objects there
are, not by how large they are; and the C library keeps what is freed for later. So now and then, if
the process is larger than it was, both are asked to look at once.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from contextlib import suppress
from time import process_time, thread_time

from tuihost.wire import Cancellable, Timer

LOOK_EVERY = 2.0
"""Seconds between two looks."""
GROWN = 16 << 20
"""Bytes by which the process has grown, for a collection to be worth while."""
LEFT = 2 << 20
"""The same after somebody has gone."""
LATER = 15.0
"""Seconds after somebody has gone, in which what they had is given back: a program may end late."""
PAUSE = 5.0
"""Seconds between two times of that: on a lively host somebody has always just gone."""
RARELY, RARELY_IF_BUSY = 50.0, 250.0
"""A collection is followed by so many times its own seconds of CPU time without another: nobody's
key is answered meanwhile, and if the process is busy there is always somebody who has just pressed
one."""
BUSY = 0.3
"""Of the time since the last look: the CPU time of a process that is busy."""
YOUNG = 4_000
"""Objects that are made until the collector looks at them. It takes some microseconds for each, and
nobody's key is answered meanwhile."""
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h of glibc
_MAPPED = 1 << 20
"""Bytes of a block from which on it is mapped, and unmapped as soon as it is free."""
_ARENAS = 2


def settle_memory() -> None:
    """What is loaded now stays for good: the collector need not look at it ever again. It may come
    less often to what is old, since each frame leaves a little garbage that is in a circle."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 25, 200)
    with suppress(OSError, AttributeError):  # another C library
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _MAPPED)
        library.mallopt(_M_ARENA_MAX, _ARENAS)


class MemoryWatch:
    """Looks every now and then. `resident` is how much memory the process has, `ended` counts the
    connections that have ended, and `used` is the CPU time of the process. Thread: the timer's."""

    def __init__(
        self,
        timer: Timer,
        resident: Callable[[], int],
        ended: Callable[[], int],
        used: Callable[[], float] = process_time,
    ) -> None:
        self._timer = timer
        self._resident = resident
        self._ended = ended
        self._seen = ended()
        self._least = self._left = resident()
        self._used = used
        self._used_before, self._looked = used(), timer.now()
        self._collected, self._took = -LATER, 0.0
        self._gone = -LATER
        self._next: Cancellable | None = None

    def start(self) -> None:
        self._next = self._timer.call_later(LOOK_EVERY, self._look)

    def stop(self) -> None:
        if self._next is not None:
            self._next.cancel()

    def _look(self) -> None:
        ended, size = self._ended(), self._resident()
        self._least = min(self._least, size)
        now = self._timer.now()
        if ended != self._seen:
            self._seen, self._gone = ended, now
        gone = now < self._gone + LATER and now >= self._collected + PAUSE
        left = gone and size > self._least + LEFT
        rest = self._took * (RARELY_IF_BUSY if self._busy(now) else RARELY)
        if (left or size > self._left + GROWN) and now >= self._collected + rest:
            begun = thread_time()
            release_memory()
            self._left, self._collected = self._resident(), now
            self._took = thread_time() - begun
        self.start()

    def _busy(self, now: float) -> bool:
        """Whether the process was, since it was last asked."""
        used = self._used()
        busy = used - self._used_before > BUSY * (now - self._looked)
        self._used_before, self._looked = used, now
        return busy


def release_memory() -> None:
    """Collects all garbage, and gives back to the system what is free."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
