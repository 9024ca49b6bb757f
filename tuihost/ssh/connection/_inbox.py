"""What a client has sent on one channel and nobody has read yet."""

from __future__ import annotations

import threading
from collections import deque


class Inbox:
    """Bytes in the pieces in which they came, which are handed on without being copied where that
    can be. Threads: one feeds, one reads, any closes."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._closed = False
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._size

    def feed(self, data: bytes) -> None:
        with self._lock:
            self._pieces.append(data)
            self._size += len(data)

    def close(self) -> None:
        """No more will come; what is there can still be read."""
        self._closed = True

    def read(self, limit: int) -> bytes | None:
        """At most `limit` bytes, which is positive; None if there are none yet, b"" where there
        will be none."""
        closed = self._closed  # before the look: what came before the end is not missed
        with self._lock:
            pieces = self._pieces
            if not pieces:
                return b"" if closed else None
            taken = [pieces.popleft()]
            size = len(taken[0])
            while pieces and size + len(pieces[0]) <= limit:
                taken.append(pieces.popleft())
                size += len(taken[-1])
            if size > limit:
                pieces.appendleft(taken[0][limit:])
                taken[0], size = taken[0][:limit], limit
            self._size -= size
        return taken[0] if len(taken) == 1 else b"".join(taken)
