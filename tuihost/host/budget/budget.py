"""The Budget of a host: its ledger, for all threads, and what each connection takes from it.

Nothing here waits for anything but a lock that is held for microseconds, so the transport's thread
may take and give back, too.
"""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from time import monotonic

from tuihost.core.budget.ledger import (
    BOUNDS,
    Bounds,
    Exceeded,
    Holder,
    Kind,
    Lease,
    Ledger,
    Level,
    Share,
    Turn,
)
from tuihost.host.budget.descriptors import EACH, for_people
from tuihost.host.budget.turns import ThreadTurn, Turns
from tuihost.logs import Event, EventLog
from tuihost.settings.models import Settings


def bounds_of(settings: Settings) -> Mapping[Kind, Bounds]:
    """The bounds of a host with those settings, in this process."""
    bounds = {kind: bound.scaled(settings.limits.share) for kind, bound in BOUNDS.items()}
    for kind, limit, each in _OF_THE_SYSTEM:
        soft = resource.getrlimit(limit)[0]
        if soft != resource.RLIM_INFINITY:
            most = for_people(soft, settings.server.max_connections, each)
            bounds[kind] = replace(bounds[kind], host=min(bounds[kind].host, most))
    memory = settings.limits.memory * 1_000_000
    bounds[Kind.MEMORY] = replace(bounds[Kind.MEMORY], host=memory)
    return bounds


_OF_THE_SYSTEM = (
    (Kind.DESCRIPTORS, resource.RLIMIT_NOFILE, EACH),
    (Kind.THREADS, resource.RLIMIT_NPROC, 1),  # a connection has one thread of its own
)
"""What the system has a limit for, and how many of it each connection needs for itself."""


class Budget:
    """Counts what everybody has. Threads: any."""

    def __init__(
        self, bounds: Mapping[Kind, Bounds] = BOUNDS, *, now: Callable[[], float] = monotonic
    ) -> None:
        self._ledger = Ledger(bounds)
        self._now = now
        self._lock = threading.Lock()
        self.turns = Turns(Ledger({Kind.TURNS: bounds[Kind.TURNS]}))

    def share(self, holder: Holder, log: EventLog) -> ConnectionShare:
        """What one connection may take; `log` is the connection's."""
        return ConnectionShare(self, holder, log)

    def held(self, kind: Kind) -> int:
        """How much everybody holds together."""
        with self._lock:
            return self._ledger.held(kind)

    def take(self, holder: Holder, kind: Kind, amount: int) -> Exceeded | None:
        with self._lock:
            return self._ledger.take(holder, kind, amount)

    def room(self, holder: Holder, kind: Kind, amount: int) -> Exceeded | None:
        with self._lock:
            return self._ledger.room(holder, kind, amount)

    def give_back(self, holder: Holder, kind: Kind, amount: int) -> None:
        with self._lock:
            self._ledger.give_back(holder, kind, amount)

    def spend(self, holder: Holder, kind: Kind, amount: float) -> Exceeded | None:
        now = self._now()
        with self._lock:
            return self._ledger.spend(holder, kind, amount, now)

    def charge(self, holder: Holder, kind: Kind, amount: float) -> None:
        now = self._now()
        with self._lock:
            self._ledger.charge(holder, kind, amount, now)


class ConnectionShare:
    """Implements `core.budget.ledger.Share`, for one connection. The log has one line for each
    bound that it comes to. Any thread."""

    def __init__(self, budget: Budget, holder: Holder, log: EventLog) -> None:
        self.holder = holder
        self._budget = budget
        self._log = log
        self._told: set[tuple[Kind, Level]] = set()

    def take(self, kind: Kind, amount: int = 1) -> Lease | Exceeded:
        exceeded = self._budget.take(self.holder, kind, amount)
        if exceeded is not None:
            self._tell(exceeded)
            return exceeded
        return CountedLease(self, kind, amount)

    def room(self, kind: Kind, amount: int = 1) -> Exceeded | None:
        return self._budget.room(self.holder, kind, amount)

    def spend(self, kind: Kind, amount: float = 1.0) -> Exceeded | None:
        exceeded = self._budget.spend(self.holder, kind, amount)
        if exceeded is not None:
            self._tell(exceeded)
        return exceeded

    def charge(self, kind: Kind, amount: float) -> None:
        self._budget.charge(self.holder, kind, amount)

    def turn(self) -> Turn:
        return ThreadTurn(self._budget.turns, self.holder, self._say)

    def grow(self, kind: Kind, amount: int) -> Exceeded | None:
        """For a lease that becomes larger."""
        exceeded = self._budget.take(self.holder, kind, amount)
        if exceeded is not None:
            self._tell(exceeded)
        return exceeded

    def give_back(self, kind: Kind, amount: int) -> None:
        """For a lease that ends."""
        self._budget.give_back(self.holder, kind, amount)

    def _tell(self, exceeded: Exceeded) -> None:
        which = (exceeded.kind, exceeded.level)
        if which not in self._told:
            self._told.add(which)
            self._say(exceeded)

    def _say(self, exceeded: Exceeded) -> None:
        self._log.warning(
            Event.BUDGET_EXCEEDED,
            kind=exceeded.kind,
            per=exceeded.level,
            bound=exceeded.bound,
            source=self.holder.source,
        )


class TakenTogether:
    """Leases of several kinds as one, which grows by the last of them. Any thread."""

    def __init__(self, leases: Sequence[Lease]) -> None:
        self._leases = tuple(leases)

    def grow(self, amount: int) -> Exceeded | None:
        return self._leases[-1].grow(amount)

    def give_back(self) -> None:
        for lease in self._leases:
            lease.give_back()

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *error: object) -> None:
        self.give_back()


def take_together(share: Share, *wanted: tuple[Kind, int]) -> Lease | Exceeded:
    """So much of each kind, or nothing of any."""
    taken: list[Lease] = []
    for kind, amount in wanted:
        lease = share.take(kind, amount)
        if isinstance(lease, Exceeded):
            TakenTogether(taken).give_back()
            return lease
        taken.append(lease)
    return TakenTogether(taken)


def metered(log: EventLog, share: Share) -> EventLog:
    """The log for lines that a client causes, which are taken from its share."""
    return log.metered(lambda lines: share.spend(Kind.LOG_LINES, lines) is None)


class CountedLease:
    """Implements `core.budget.ledger.Lease`. Any thread."""

    __slots__ = ("_amount", "_kind", "_lock", "_share")

    def __init__(self, share: ConnectionShare, kind: Kind, amount: int) -> None:
        self._share = share
        self._kind = kind
        self._amount = amount
        self._lock = threading.Lock()

    def grow(self, amount: int) -> Exceeded | None:
        with self._lock:
            exceeded = None
            if amount < 0:
                self._share.give_back(self._kind, -amount)
            else:
                exceeded = self._share.grow(self._kind, amount)
            if exceeded is None:
                self._amount += amount
            return exceeded

    def give_back(self) -> None:
        with self._lock:
            amount, self._amount = self._amount, 0
        if amount:
            self._share.give_back(self._kind, amount)

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *error: object) -> None:
        self.give_back()
