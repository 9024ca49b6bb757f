"""The windows of one channel, RFC 4254 §5.2: how much either side may still send."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from tuihost.errors import PeerError

MAX_WINDOW: Final = 2**32 - 1


class SendWindow:
    """What the client takes. For one thread at a time."""

    def __init__(self, size: int, packet: int) -> None:
        """`packet` is the most that one message may carry."""
        self.left = min(size, MAX_WINDOW)
        self._packet = packet
        self._sent = 0
        self._paid_back = 0

    def take(self, wanted: int) -> int:
        """How much of `wanted` goes into the next message, which is taken from the window."""
        count = min(wanted, self.left, self._packet)
        self.left -= count
        self._sent += count
        return count

    def adjust(self, count: int) -> int:
        """WINDOW_ADJUST. Says how much of what was sent it pays back: a count that a client cannot
        raise by claiming."""
        self.left = min(MAX_WINDOW, self.left + count)
        paid = min(count, self._sent - self._paid_back)
        self._paid_back += paid
        return paid


class ReceiveWindow:
    """What the client may send. Any thread.

    It grows while all that comes is read: twice as large each time up to `largest`, as far as
    `lend(count)` has that much room left for it. What was lent is given back at the end, by a count
    below zero.
    """

    def __init__(self, size: int, largest: int = 0, lend: Callable[[int], bool] = bool) -> None:
        self.left = size
        self._size = size
        self._third = max(1, size // 3)
        self._largest = largest
        self._lend = lend
        self._lent = 0
        self._read = 0  # and not given back yet
        self._over = False
        self._lock = threading.Lock()

    def take(self, count: int) -> bool:
        """Counts what the client sent; False if it comes too late to be of use. Raises
        `PeerError` if the window does not take it."""
        with self._lock:
            if count > self.left:
                raise PeerError("the client sent more than the window takes")
            self.left -= count
            return not self._over

    def give_back(self, count: int, *, grows: bool = False) -> int:
        """`count` bytes have been read. By how much the client's window is to be adjusted now: by a
        third of it at least, else by 0."""
        with self._lock:
            self._read += count
            if self._over or self._read < self._third:
                return 0
            due = self._read + (self._growth() if grows else 0)
            self._read = 0
            self.left += due
            return due

    def _growth(self) -> int:
        more = min(self._size, self._largest - self._size)
        if more <= 0 or not self._lend(more):
            return 0
        self._size += more
        self._third = self._size // 3
        self._lent += more
        return more

    def end(self) -> bool:
        """The client sends no more, or nobody reads it. False if that was known."""
        with self._lock:
            known, self._over = self._over, True
            lent, self._lent = self._lent, 0
        if lent:
            self._lend(-lent)
        return not known
