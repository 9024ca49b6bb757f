"""Who is here: the one shared table of the host, behind the one shared lock.

Threads: any.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from tuihost.session.host_view import Account, Presence
from tuihost.wire import Peer


@dataclass(slots=True)
class Entry:
    """One session of a person. Its app changes as they go about; `idle` tells how long since
    their last key, in seconds."""

    id: int
    account: Account
    app: str
    since: float
    peer: Peer
    idle: Callable[[], float]
    size: Callable[[], tuple[int, int] | None]


class Roster:
    """Everybody's sessions."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._entries: dict[int, Entry] = {}
        self._ids = count(1)
        self._total = 0

    def enter(
        self,
        account: Account,
        app: str,
        peer: Peer,
        idle: Callable[[], float],
        size: Callable[[], tuple[int, int] | None],
    ) -> Entry:
        entry = Entry(next(self._ids), account, app, self._now(), peer, idle, size)
        with self._lock:
            self._entries[entry.id] = entry
            self._total += 1
        return entry

    def leave(self, entry: Entry) -> None:
        with self._lock:
            self._entries.pop(entry.id, None)

    def people(self) -> tuple[Presence, ...]:
        """Everybody, longest first."""
        with self._lock:
            entries = tuple(self._entries.values())
        now = self._now()
        return tuple(
            Presence(
                id=entry.id,
                user=entry.account.name,
                guest=entry.account.guest,
                app=entry.app,
                since=entry.since,
                touched=now - entry.idle(),
                peer=entry.peer,
                size=entry.size(),
            )
            for entry in entries
        )

    @property
    def count(self) -> int:
        return len(self._entries)

    @property
    def total(self) -> int:
        """Sessions since the start."""
        return self._total
