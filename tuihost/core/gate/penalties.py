"""Which source has to wait, for which offence and how long, before any key exchange.

Penalties are those of sshd_config(5), `PerSourcePenalties`: each offence costs its source some
seconds, they add up, and from a minimum on the source is turned away until they are over. A
source that comes back from a wait to offend again pays twice as much for everything, and twice
that the next time, until it has kept quiet for as long as the longest wait.

There is no clock and no thread here: the time is given.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from enum import Enum

MAX_SOURCES = 65_536
"""Sources of each family that are remembered; the penalty that would end first gives way."""
MAX_DOUBLINGS = 12


class Offence(Enum):
    """What a source is made to wait for, with the seconds that each costs."""

    CRASH = ("crash", 90.0)
    """It brought the host to a fault."""
    AUTH_FAILED = ("authfail", 5.0)
    """A proof was wrong."""
    UNKNOWN_USER = ("invaliduser", 5.0)
    """A proof was given for nobody."""
    REFUSED = ("refuseconnection", 10.0)
    """The login was ended by the host."""
    NO_AUTH = ("noauth", 1.0)
    """It left without trying to log in."""
    GRACE_EXCEEDED = ("grace-exceeded", 10.0)
    """It did not log in within the time for that."""

    def __init__(self, label: str, seconds: float) -> None:
        self.label = label
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class PenaltyLimits:
    """`minimum`: seconds that must have added up before a source is turned away; `maximum`: the
    longest wait, and how long a source that served one is remembered. `sources`: of each family."""

    minimum: float = 15.0
    maximum: float = 600.0
    sources: int = MAX_SOURCES


@dataclass(slots=True)
class _Penalty:
    until: float
    offence: Offence
    enforced: bool = False
    doublings: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """A source that is turned away: for how many seconds more, and for what last."""

    seconds: float
    offence: Offence


@dataclass(slots=True)
class _Table:
    """The penalties of one family of addresses."""

    held: dict[str, _Penalty] = field(default_factory=dict)
    order: list[tuple[float, str]] = field(default_factory=list)
    """A heap of ends; one that is not its penalty's present end is dead."""

    def put(self, source: str, penalty: _Penalty, room: int) -> None:
        while source not in self.held and len(self.held) >= room:
            self._forget_first()
        self.held[source] = penalty
        heapq.heappush(self.order, (penalty.until, source))
        if len(self.order) > 2 * len(self.held) + 64:
            self.order = [(penalty.until, source) for source, penalty in self.held.items()]
            heapq.heapify(self.order)

    def forget_before(self, moment: float) -> None:
        while self.order and self.order[0][0] <= moment:
            self._forget_first()

    def _forget_first(self) -> None:
        """Takes the first end away, and its penalty where that is not dead."""
        until, source = heapq.heappop(self.order)
        penalty = self.held.get(source)
        if penalty is not None and penalty.until == until:
            del self.held[source]


class Penalties:
    """The penalties of all sources. Not for several threads at once; `now` is monotonic."""

    def __init__(self, limits: PenaltyLimits | None = None) -> None:
        self._limits = limits or PenaltyLimits()
        self._v4, self._v6 = _Table(), _Table()

    def __len__(self) -> int:
        return len(self._v4.held) + len(self._v6.held)

    def penalise(self, source: str, offence: Offence, now: float) -> Wait | None:
        """Counts an offence. The wait where this one brought it about."""
        limits = self._limits
        table = self._table(source)
        table.forget_before(now - limits.maximum)
        penalty = table.held.get(source) or _Penalty(now, offence)
        if penalty.until <= now:
            penalty.doublings = min(penalty.doublings + penalty.enforced, MAX_DOUBLINGS)
            penalty.until, penalty.enforced = now, False
        penalty.offence = offence
        seconds = offence.seconds * 2**penalty.doublings
        penalty.until = min(penalty.until + seconds, now + limits.maximum)
        begins = not penalty.enforced and penalty.until - now >= limits.minimum
        penalty.enforced = penalty.enforced or begins
        table.put(source, penalty, limits.sources)
        return Wait(penalty.until - now, offence) if begins else None

    def waiting(self, source: str, now: float) -> Wait | None:
        """The wait of a source that is to be turned away now."""
        penalty = self._table(source).held.get(source)
        if penalty is None or not penalty.enforced or penalty.until <= now:
            return None
        return Wait(penalty.until - now, penalty.offence)

    def _table(self, source: str) -> _Table:
        return self._v6 if ":" in source else self._v4
