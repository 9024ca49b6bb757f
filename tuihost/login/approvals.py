"""Logins that wait for somebody inside to say yes or no.

There is one registry for each process: a login and the person who answers meet on one worker.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tuihost.wire import Peer

SEATS = 4  # logins of one source that wait; those of all are as many as the gate lets begin
LOOK_EVERY = 1.0  # seconds, for a client that has hung up
APPROVERS = frozenset({"admin", "approver"})
"""The roles of people who may answer."""


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """A login that waits for an answer. `since` and `until` are monotonic seconds, `target` is the
    app that was asked for."""

    number: int
    user: str
    peer: Peer
    since: float
    until: float
    target: str | None = None


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """A login that waits for an answer, as an approver sees it. `since` and `until` are Unix times,
    `app` is the one that was asked for; None is the host's first one. `own` says that it is in the
    approver's own name: somebody else has to answer."""

    number: int
    user: str
    peer: Peer
    since: float
    until: float
    app: str | None = None
    own: bool = False


class ApprovalsView(Protocol):
    """What one approver sees and does. Threads: any; `answer` may block for a moment."""

    def waiting(self) -> tuple[ApprovalRequest, ...]:
        """The logins that wait, longest first."""

    def answer(self, number: int, granted: bool) -> None:
        """Says yes or no. Raises `NotPossible`, with the reason in a sentence, where no login waits
        under that number any more, and where this person may not answer."""

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Calls `listener`, on any thread, whenever `waiting` has changed; hand on to
        `session.invoke` at once. Returns what stops that."""


@dataclass(frozen=True, slots=True)
class Approval:
    """An approver's answer."""

    granted: bool
    by: str


@dataclass(slots=True)
class _Request:
    login: PendingLogin
    listed: bool
    approval: Approval | None = None


@dataclass(eq=False)
class Approvals:
    """The logins of one process that wait for an answer. Threads: any. The caller checks who
    may answer. `source_of` says which addresses count as one."""

    now: Callable[[], float] = time.monotonic
    source_of: Callable[[str], str] = str
    _requests: dict[int, _Request] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _listeners: list[Callable[[], None]] = field(default_factory=list)
    _last: int = 0

    def waiting(self) -> tuple[PendingLogin, ...]:
        """The logins that wait, longest first."""
        with self._changed:
            return tuple(
                request.login
                for request in self._requests.values()
                if request.listed and request.approval is None
            )

    def answer(self, number: int, *, by: str, granted: bool) -> bool:
        """Says yes or no for `by`. False if no login waits under this number any more, and
        where `by` would let themselves in: approval is another person's."""
        with self._changed:
            request = self._requests.get(number)
            if request is None or not request.listed or request.approval is not None:
                return False
            if request.login.user == by or self.now() >= request.login.until:
                return False
            request.approval = Approval(granted, by)
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
        gone: Callable[[], bool] = lambda: False,
    ) -> Approval | None:
        """Waits, at most so long, until somebody answers for this login. None: nobody did, the
        client is `gone`, or too many of its source wait already. If it is not `listed`, nobody sees
        it, and all else is the same."""
        request = self._add(user, peer, seconds, listed, target)
        if request is None:
            return None
        login = request.login
        self._tell()
        try:
            with self._changed:
                while request.approval is None and (left := login.until - self.now()) > 0:
                    if gone():
                        break
                    self._changed.wait(min(left, LOOK_EVERY))
                return request.approval
        finally:
            with self._changed:
                del self._requests[login.number]
            self._tell()

    def _add(
        self, user: str, peer: Peer, seconds: float, listed: bool, target: str | None
    ) -> _Request | None:
        with self._changed:
            source = self.source_of(peer.address)
            waiting = [
                request.login.user
                for request in self._requests.values()
                if self.source_of(request.login.peer.address) == source
            ]
            # One at a time for each person and source: nobody is worn down by a hundred questions.
            if user in waiting or len(waiting) >= SEATS:
                return None
            self._last += 1
            now = self.now()
            login = PendingLogin(self._last, user, peer, now, now + seconds, target)
            request = self._requests[self._last] = _Request(login, listed)
            return request

    def _tell(self) -> None:
        with self._changed:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()
