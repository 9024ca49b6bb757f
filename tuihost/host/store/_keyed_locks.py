"""Turns among threads and processes of one machine: what may not be done twice at once, such as
judging tries for one account.

A key has one of a few places; a place is a lock for the threads of this process, and a byte of a
file for other processes. The file holds nothing.
"""

from __future__ import annotations

import fcntl
import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

PLACES = 64
PATIENCE = 5.0
"""Seconds after which somebody goes on beside one that takes so long."""
LOOK_EVERY = 0.005


class KeyedLocks:
    """Threads: any. Where the file cannot be had, threads of this process still wait for each
    other: a store that cannot be written says so itself."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._locks = tuple(threading.Lock() for _ in range(PLACES))
        self._opening = threading.Lock()
        self._file: int | None = None

    def close(self) -> None:
        with self._opening:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    @contextmanager
    def of(self, key: str) -> Iterator[None]:
        """The turn of `key`, or of what shares its place."""
        place, deadline = zlib.crc32(key.encode()) % PLACES, monotonic() + PATIENCE
        lock = self._locks[place]
        taken = lock.acquire(timeout=PATIENCE)
        file = self._across(place, deadline) if taken else None
        try:
            yield
        finally:
            if file is not None:
                with suppress(OSError):  # closed meanwhile, which gave it back
                    fcntl.lockf(file, fcntl.LOCK_UN, 1, place)
            if taken:
                lock.release()

    def _across(self, place: int, deadline: float) -> int | None:
        """Takes the place among processes; None where that could not be done in time."""
        pause = threading.Event()
        while True:
            try:
                file = self._opened()
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
                return file
            except BlockingIOError:
                if monotonic() > deadline:
                    return None
                pause.wait(LOOK_EVERY)
            except OSError:
                return None

    def _opened(self) -> int:
        # One descriptor for good: closing any other would give all places back (POSIX).
        with self._opening:
            if self._file is None:
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
                self._file = os.open(self._path, flags, 0o600)
            return self._file
