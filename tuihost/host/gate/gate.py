"""The Gate: who may begin to talk to the host at all, decided before any key exchange.

It counts what is open and what has not logged in yet, of everybody and of each source; it drops
new ones early and at random when logins pile up, and turns away sources that have to wait
(`core.gate`). An exempt network never waits and is not dropped at random, but no source, not even
an exempt one, can hold more than half of the logins that may be under way. A client that is silent
gives way to one that comes later, and some room is kept for sources from which accounts have logged
in before.

Threads: any. Nothing here blocks, and nothing runs while nobody connects.
"""

from __future__ import annotations

import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tuihost.core.gate.penalties import Offence, Penalties, PenaltyLimits, Wait
from tuihost.core.gate.startups import Startups
from tuihost.core.limits import TransportLimits
from tuihost.core.sources import Networks, SourceBlocks
from tuihost.errors import SettingsError
from tuihost.host.gate._refusal_log import RefusalLog
from tuihost.logs import EventLog
from tuihost.settings.models import Settings
from tuihost.wire import Peer, Timer

PATIENCE = 2.0
"""Seconds for which a client may be silent when another one wants its place. What it is (RFC 4253
§4.2) and its half of a key exchange (§7) come from a program at once; until then it is silent."""
MAX_KNOWN = 4096
"""Sources from which accounts have logged in that are remembered, the latest."""


class Refusal(StrEnum):
    """Why somebody is turned away, in words that the client is told too."""

    CLOSING = "The host is closing"
    FULL = "Too many connections"
    SOURCE_FULL = "Too many connections from your address"
    LOGINS = "Too many logins at once"
    DROPPED = "Exceeded MaxStartups"  # the words by which scanners know it
    SOURCE_LOGINS = "Too many logins at once from your address"
    WAITING = "Not allowed at this time"


_FOR_LACK_OF_ROOM = frozenset({Refusal.LOGINS, Refusal.DROPPED})


@dataclass(frozen=True, slots=True)
class GateRules:
    """What the operator settled, read once. `strangers`: of the `unfinished` logins, those of
    sources that nobody knows."""

    startups: Startups
    blocks: SourceBlocks
    exempt: Networks
    proxies: Networks
    penalties: PenaltyLimits | None
    connections: int
    unfinished: int
    strangers: int
    per_source: int
    hello: float
    grace: float
    max_tries: int

    @classmethod
    def of(cls, settings: Settings, limits: TransportLimits) -> GateRules:
        """Raises SettingsError with every mistake."""
        sources, server = settings.sources, settings.server
        problems: list[str] = []
        longest = sources.penalty_max if sources.penalties else 0.0
        rules = cls(
            startups=_startups(sources.startups, problems),
            blocks=SourceBlocks(sources.prefix_v4, sources.prefix_v6),
            exempt=_networks("exempt", sources.exempt, problems),
            proxies=_networks("proxies", sources.proxies, problems),
            penalties=PenaltyLimits(min(15.0, longest), longest) if longest else None,
            connections=server.max_connections,
            unfinished=server.max_unauthenticated,
            strangers=server.max_unauthenticated - server.max_unauthenticated // 5,
            per_source=server.per_address,
            hello=limits.hello_grace,
            grace=limits.login_grace,
            max_tries=limits.max_tries,
        )
        if problems:
            raise SettingsError(tuple(problems))
        return rules


def _startups(text: str, problems: list[str]) -> Startups:
    try:
        return Startups.parse(text)
    except ValueError as error:
        problems.append(f"sources.startups: {error}")
        return Startups()


def _networks(setting: str, names: tuple[str, ...], problems: list[str]) -> Networks:
    sound = []
    for name in names:
        try:
            Networks((name,))
        except ValueError as error:
            problems.append(f"sources.{setting}: {error}")
        else:
            sound.append(name)
    return Networks(sound)


def _nothing(reason: str) -> None:
    """Before there is a connection."""


@dataclass(slots=True, eq=False)
class Admission:
    """One client that may talk to the host, from `Gate.admit` to `ended`. Any thread."""

    gate: Gate
    peer: Peer
    source: str
    exempt: bool
    known: bool
    admitted: float
    tries: int = 0
    inside: bool = False
    over: bool = False
    gave_way: bool = False
    hang_up: Callable[[str], None] = _nothing
    """Ends the connection, for that reason; for a login that is under way when its source has to
    wait or it has to give way."""

    @property
    def stranger(self) -> bool:
        """No account has logged in from its source, and its network is not exempt."""
        return not (self.exempt or self.known)

    def spoke(self) -> None:
        """The client has said what it is, and its half of the key exchange."""
        self.gate.spoke(self)

    def failed(self, offence: Offence = Offence.AUTH_FAILED) -> None:
        """A proof was wrong."""
        self.gate.failed(self, offence)

    def entered(self, *, guest: bool = False) -> None:
        """The login is finished."""
        self.gate.entered(self, guest=guest)

    def ended(self, offence: Offence | None = None) -> None:
        """The connection is over; `offence` says what it did, where the gate cannot know."""
        self.gate.ended(self, offence)


class Gate:
    """Counts everybody. `chance` gives a fresh number from [0, 1)."""

    def __init__(
        self,
        rules: GateRules,
        timer: Timer,
        log: EventLog,
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.rules = rules
        self._timer = timer
        self._log = log
        self._chance = chance
        self._lock = threading.Lock()
        self._closed = False
        self._open = 0
        self._unfinished = 0
        self._unfinished_strangers = 0
        self._open_of: Counter[str] = Counter()
        self._unfinished_of: defaultdict[str, set[Admission]] = defaultdict(set)
        self._silent: dict[Admission, None] = {}  # that have not spoken yet, the longest first
        self._known: dict[str, None] = {}  # sources from which accounts have logged in
        self._penalties = Penalties(rules.penalties) if rules.penalties else None
        self._refusals = RefusalLog(log, timer)

    # ---------------------------------------------------------------- the way in

    def admit(self, peer: Peer, *, exempt: bool | None = None) -> Admission | Refusal:
        """An admission, which must be `ended`; or why not. `exempt`: whether it never waits,
        whatever its network is; None if that is up to the network."""
        source = self.rules.blocks.source(peer.address)
        if exempt is None:
            exempt = peer.address in self.rules.exempt
        with self._lock:
            now = self._timer.now()
            known = source in self._known
            refusal = self._judge(source, now, exempt=exempt, known=known)
            yields = None
            if refusal in _FOR_LACK_OF_ROOM:
                yields = self._longest_silent(now, for_stranger=not (exempt or known))
            if yields is not None:
                yields.gave_way = True
                self._finishes(yields)
            if refusal is None or yields is not None:
                admission = Admission(self, peer, source, exempt, known, now)
                self._open += 1
                self._open_of[source] += 1
                self._begins(admission)
        if yields is not None:
            yields.hang_up(Refusal.LOGINS)
        if refusal is None or yields is not None:
            return admission
        self._refusals.note(peer, source, refusal)
        return refusal

    def _longest_silent(self, now: float, *, for_stranger: bool) -> Admission | None:
        """The client that has been silent for the longest time, and for long enough. A stranger
        gets the place of another one only: the rest is room that is kept for others."""
        for silent in self._silent:
            if now - silent.admitted < PATIENCE:
                return None
            if silent.stranger or not for_stranger:
                return silent
        return None

    def _judge(self, source: str, now: float, *, exempt: bool, known: bool) -> Refusal | None:
        rules = self.rules
        startups = rules.startups
        if self._closed:
            return Refusal.CLOSING
        if self._penalties and not exempt and self._penalties.waiting(source, now):
            return Refusal.WAITING
        if self._open >= rules.connections:
            return Refusal.FULL
        if self._open_of[source] >= rules.per_source:
            return Refusal.SOURCE_FULL
        share = max(1, rules.unfinished // 2) if exempt else startups.per_source
        if len(self._unfinished_of.get(source, ())) >= share:
            return Refusal.SOURCE_LOGINS
        if self._unfinished >= rules.unfinished:
            return Refusal.LOGINS
        if exempt or known:
            return None
        if self._unfinished_strangers >= rules.strangers:
            return Refusal.LOGINS
        if startups.drops(self._unfinished_strangers, self._chance()):
            return Refusal.DROPPED
        return None

    def refused(self, peer: Peer, reason: str) -> None:
        """Logs that somebody was turned away elsewhere."""
        self._refusals.note(peer, self.rules.blocks.source(peer.address), reason)

    def close(self) -> None:
        """Admits nobody any more, and logs what was gathered."""
        with self._lock:
            self._closed = True
        self._refusals.flush()

    @property
    def connections(self) -> int:
        """Admissions that have not ended."""
        return self._open

    @property
    def unfinished(self) -> int:
        """Those of them that have not logged in."""
        return self._unfinished

    # ---------------------------------------------------------------- what becomes of them

    def failed(self, admission: Admission, offence: Offence) -> None:
        with self._lock:
            admission.tries += 1
            wait = self._penalise(admission, offence)
        self._tell(admission, wait)

    def spoke(self, admission: Admission) -> None:
        with self._lock:
            self._silent.pop(admission, None)

    def entered(self, admission: Admission, *, guest: bool) -> None:
        with self._lock:
            if not admission.inside and not admission.over:
                admission.inside = True
                self._finishes(admission)
                if not guest:
                    self._remember(admission.source)

    def _remember(self, source: str) -> None:
        self._known.pop(source, None)
        self._known[source] = None
        if len(self._known) > MAX_KNOWN:
            del self._known[next(iter(self._known))]

    def ended(self, admission: Admission, offence: Offence | None) -> None:
        wait = None
        with self._lock:
            if admission.over:
                return
            admission.over, admission.hang_up = True, _nothing
            self._open -= 1
            _less(self._open_of, admission.source)
            if not admission.inside:
                offence = offence or self._offence(admission)
                self._finishes(admission)
            if offence is not None and not self._closed:
                wait = self._penalise(admission, offence)
        self._tell(admission, wait)

    def _offence(self, admission: Admission) -> Offence | None:
        """The offence of a client that never logged in."""
        grace = self.rules.hello if admission in self._silent else self.rules.grace
        if admission.gave_way or self._timer.now() - admission.admitted >= grace:
            return Offence.GRACE_EXCEEDED
        if admission.tries >= self.rules.max_tries:
            return Offence.REFUSED
        return None if admission.tries else Offence.NO_AUTH

    def _penalise(self, admission: Admission, offence: Offence) -> Wait | None:
        if self._penalties is None or admission.exempt:
            return None
        return self._penalties.penalise(admission.source, offence, self._timer.now())

    def _tell(self, admission: Admission, wait: Wait | None) -> None:
        """A wait has begun: the other logins of that source are disconnected, so that more
        connections do not give it more tries."""
        if wait is None:
            return
        self._refusals.waits(admission.source, wait)
        with self._lock:
            others = self._unfinished_of.get(admission.source, set()) - {admission}
        for other in others:
            if not other.exempt:
                other.hang_up(Refusal.WAITING)

    def _begins(self, admission: Admission) -> None:
        self._unfinished += 1
        self._unfinished_strangers += admission.stranger
        self._unfinished_of[admission.source].add(admission)
        self._silent[admission] = None

    def _finishes(self, admission: Admission) -> None:
        """It is no longer a login under way, if it still was one."""
        self._silent.pop(admission, None)
        logins = self._unfinished_of.get(admission.source, set())
        if admission not in logins:
            return
        logins.discard(admission)
        if not logins:
            del self._unfinished_of[admission.source]
        self._unfinished -= 1
        self._unfinished_strangers -= admission.stranger


def _less(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
