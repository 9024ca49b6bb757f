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
from time import thread_time

from tuihost.wire import Cancellable, Timer

LOOK_EVERY = 2.0
"""Seconds between two looks."""
GROWN = 16 << 20
"""Bytes by which the process has grown, for a collection to be worth while."""
LEFT = 2 << 20
"""The same after somebody has gone."""
LATER = 15.0
"""Seconds after somebody has gone, in which what they had is given back: a program may end late."""
RARELY = 50.0
"""A collection is followed by so many times its own seconds of CPU time without another."""
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h of glibc
_MAPPED = 1 << 20
"""Bytes of a block from which on it is mapped, and unmapped as soon as it is free."""
_ARENAS = 2


def settle_memory() -> None:
    """What is loaded now stays for good: the collector need not look at it ever again. It may come
    less often, since each frame leaves a little garbage that is in a circle."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    with suppress(OSError, AttributeError):  # another C library
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _MAPPED)
        library.mallopt(_M_ARENA_MAX, _ARENAS)


class MemoryWatch:
    """Looks every now and then. `resident` is how much memory the process has, and `ended` counts
    the connections that have ended. Thread: the timer's."""

    def __init__(self, timer: Timer, resident: Callable[[], int], ended: Callable[[], int]) -> None:
        self._timer = timer
        self._resident = resident
        self._ended = ended
        self._seen = ended()
        self._least = self._left = resident()
        self._not_before = 0.0
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
        left = size > self._least + LEFT and now < self._gone + LATER
        if (left or size > self._left + GROWN) and now >= self._not_before:
            begun = thread_time()
            release_memory()
            self._left = self._resident()
            self._not_before = now + RARELY * (thread_time() - begun)
        self.start()


def release_memory() -> None:
    """Collects all garbage, and gives back to the system what is free."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
