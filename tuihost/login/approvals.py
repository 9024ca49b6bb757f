"""Logins that wait for somebody inside to say yes or no.

One registry for one process: a login and the one who answers it meet on the same worker.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tuihost.wire import Peer

MAX_WAITING = 16  # logins at one time; each holds a connection that is not logged in yet
APPROVERS = frozenset({"admin", "approver"})
"""The roles whose people say yes or no."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A login that waits. `since` and `until` are monotonic seconds, `target` the app that was
    asked for."""

    id: int
    user: str
    peer: Peer
    since: float
    until: float
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who waits at the door, as those see it who may let them in. `since` and `until` are
    Unix times, `app` is what they asked for; None is the host's first one. `own` says that it is
    the name of the person who looks: somebody else has to answer."""

    number: int
    user: str
    peer: Peer
    since: float
    until: float
    app: str | None = None
    own: bool = False


class ApprovalsView(Protocol):
    """The door, for one person who may let others in. Threads: any; `answer` may block a moment."""

    def waiting(self) -> tuple[Caller, ...]:
        """Who waits, longest first."""

    def answer(self, number: int, granted: bool) -> None:
        """Says yes or no. Raises `NotPossible`, with the reason in a sentence, where nobody waits
        under that number any more, and where this person may not answer."""

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Calls `listener`, on any thread, whenever `waiting` has changed; hand on to
        `session.invoke` at once. Returns what stops that."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What somebody said."""

    granted: bool
    by: str


@dataclass(slots=True)
class _Seat:
    waiting: Waiting
    listed: bool
    approval: Approval | None = None


@dataclass(eq=False)
class Approvals:
    """Threads: any. `answer` is for those who have the right to; who that is, the caller knows."""

    now: Callable[[], float] = time.monotonic
    _seats: dict[int, _Seat] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _listeners: list[Callable[[], None]] = field(default_factory=list)
    _last: int = 0

    def waiting(self) -> tuple[Waiting, ...]:
        """Who waits, longest first."""
        with self._changed:
            return tuple(s.waiting for s in self._seats.values() if s.listed and s.approval is None)

    def answer(self, number: int, *, by: str, granted: bool) -> bool:
        """Says yes or no for `by`. False where nobody waits under this number any more, and
        where `by` would let themselves in: approval is another person's."""
        with self._changed:
            seat = self._seats.get(number)
            if seat is None or not seat.listed or seat.approval is not None:
                return False
            if seat.waiting.user == by or self.now() >= seat.waiting.until:
                return False
            seat.approval = Approval(granted, by)
            self._changed.notify_all()
        self._tell()
        return True

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Calls `listener`, on any thread, whenever `waiting` has changed; it must only schedule.
        Returns what stops that."""
        with self._changed:
            self._listeners.append(listener)

        def stop() -> None:
            with self._changed:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    def wait(
        self,
        user: str,
        peer: Peer,
        seconds: float,
        *,
        listed: bool = True,
        target: str | None = None,
    ) -> Approval | None:
        """Waits, at most so long, until somebody answers for this login. None: nobody did, or too
        many wait already. Where not `listed`, it only takes as long: nobody sees it."""
        seat = self._take_seat(user, peer, seconds, listed, target)
        if seat is None:
            return None
        self._tell()
        try:
            with self._changed:
                while seat.approval is None and (left := seat.waiting.until - self.now()) > 0:
                    self._changed.wait(left)
                return seat.approval
        finally:
            with self._changed:
                del self._seats[seat.waiting.id]
            self._tell()

    def _take_seat(
        self, user: str, peer: Peer, seconds: float, listed: bool, target: str | None
    ) -> _Seat | None:
        with self._changed:
            # One at a time for each person and source: nobody is worn down by a hundred questions.
            asked = {(s.waiting.user, s.waiting.peer.address) for s in self._seats.values()}
            listed_now = sum(s.listed for s in self._seats.values())
            if (listed and listed_now >= MAX_WAITING) or (user, peer.address) in asked:
                return None
            self._last += 1
            now = self.now()
            seat = _Seat(Waiting(self._last, user, peer, now, now + seconds, target), listed)
            self._seats[self._last] = seat
            return seat

    def _tell(self) -> None:
        with self._changed:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()
