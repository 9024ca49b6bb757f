"""How many threads apps may have, so that one client cannot take them all."""

from __future__ import annotations

import threading
from collections import Counter

MAX_PER_CLIENT = 48
MAX_THREADS = 1024  # of the whole host


class ThreadBudget:
    """How many threads apps may have besides those of sessions: for each client, by the number of
    its connection, and in all. Any thread."""

    def __init__(self, per_client: int = MAX_PER_CLIENT, in_all: int = MAX_THREADS) -> None:
        self._per_client = per_client
        self._in_all = in_all
        self._taken: Counter[int] = Counter()
        self._lock = threading.Lock()

    def take(self, client: int) -> bool:
        """One more; False if it has enough."""
        with self._lock:
            if not self._free(client):
                return False
            self._taken[client] += 1
            return True

    def free(self, client: int) -> bool:
        """Whether one more could be had now."""
        with self._lock:
            return self._free(client)

    def give_back(self, client: int) -> None:
        with self._lock:
            self._taken[client] -= 1
            if not self._taken[client]:
                del self._taken[client]

    def _free(self, client: int) -> bool:
        return self._taken[client] < self._per_client and self._taken.total() < self._in_all
