"""Locks by name, among the threads and the processes of one machine.

A name has one of a few slots. A slot is a lock for the threads of this process, and a byte of a
file that is locked against other processes. The file itself is empty.
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

SLOTS = 64
PATIENCE = 5.0
"""Seconds that somebody waits for a lock; then they go on without it."""
RETRY = 0.005
"""Seconds between two attempts at a lock that another process holds."""


class KeyedLocks:
    """Threads: any. If the file cannot be opened, the threads of this process still wait for each
    other: a store that cannot be written says so itself."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._locks = tuple(threading.Lock() for _ in range(SLOTS))
        self._opening = threading.Lock()
        self._file: int | None = None

    def close(self) -> None:
        with self._opening:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    @contextmanager
    def of(self, key: str) -> Iterator[None]:
        """Holds the lock of `key`, which other keys of its slot share."""
        slot, deadline = zlib.crc32(key.encode()) % SLOTS, monotonic() + PATIENCE
        lock = self._locks[slot]
        locked = lock.acquire(timeout=PATIENCE)
        file = self._locked_file(slot, deadline) if locked else None
        try:
            yield
        finally:
            if file is not None:
                with suppress(OSError):  # closed meanwhile, which unlocked it
                    fcntl.lockf(file, fcntl.LOCK_UN, 1, slot)
            if locked:
                lock.release()

    def _locked_file(self, slot: int, deadline: float) -> int | None:
        """The file, with the slot locked against other processes; None if that takes too long."""
        pause = threading.Event()
        while True:
            try:
                file = self._opened()
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
                return file
            except BlockingIOError:
                if monotonic() > deadline:
                    return None
                pause.wait(RETRY)
            except OSError:
                return None

    def _opened(self) -> int:
        # One descriptor for good: closing any other would unlock every slot (POSIX).
        with self._opening:
            if self._file is None:
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
                self._file = os.open(self._path, flags, 0o600)
            return self._file
