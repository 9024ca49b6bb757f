"""Who is here: everybody's sessions at a terminal. Threads: any."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from tuihost.session.host_view import Account, Presence
from tuihost.wire import Peer


@dataclass(slots=True)
class TerminalSession:
    """One session of a person. `app` is the one that they are in, and changes; `idle` says how many
    seconds ago they last pressed a key."""

    id: int
    account: Account
    app: str
    since: float
    peer: Peer
    idle: Callable[[], float]
    size: Callable[[], tuple[int, int] | None]


class Roster:
    """Everybody who is here."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._sessions: dict[int, TerminalSession] = {}
        self._ids = count(1)
        self._total = 0

    def enter(
        self,
        account: Account,
        app: str,
        peer: Peer,
        idle: Callable[[], float],
        size: Callable[[], tuple[int, int] | None],
    ) -> TerminalSession:
        session = TerminalSession(next(self._ids), account, app, self._now(), peer, idle, size)
        with self._lock:
            self._sessions[session.id] = session
            self._total += 1
        return session

    def leave(self, session: TerminalSession) -> None:
        with self._lock:
            self._sessions.pop(session.id, None)

    def people(self) -> tuple[Presence, ...]:
        """Everybody, in the order in which they came."""
        with self._lock:
            sessions = tuple(self._sessions.values())
        now = self._now()
        return tuple(
            Presence(
                id=session.id,
                user=session.account.name,
                guest=session.account.guest,
                app=session.app,
                since=session.since,
                touched=now - session.idle(),
                peer=session.peer,
                size=session.size(),
            )
            for session in sessions
        )

    @property
    def count(self) -> int:
        return len(self._sessions)

    @property
    def total(self) -> int:
        """Sessions since the start."""
        return self._total
