"""Calls that come before anybody can take them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

MOST_EVENTS = 256
"""Offered calls that may wait. No well-meaning client sends that many before its program begins."""


@dataclass(slots=True, eq=False)
class EarlyCalls:
    """Keeps calls until it is opened, and then makes them in their order. Threads: any."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _waiting: deque[Callable[[], None]] = field(default_factory=deque)
    _is_open: bool = False

    def call(self, action: Callable[[], None]) -> None:
        """Makes the call now, or on the thread that opens this."""
        with self._lock:
            if not self._is_open:
                self._waiting.append(action)
                return
        action()

    def offer(self, action: Callable[[], None]) -> None:
        """The same for a call that is dropped if too many wait already."""
        if self._is_open or len(self._waiting) < MOST_EVENTS:
            self.call(action)

    def open(self) -> None:
        """Makes the calls that wait; none waits from now on."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._is_open = True
                    return
                action = self._waiting.popleft()
            action()
