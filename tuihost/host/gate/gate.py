"""The Gate: who may begin to talk to the host at all, decided before any key exchange.

It counts what is open and what has not logged in yet, of everybody and of each source; it drops
new ones early and at random when logins pile up, and turns away sources that have to wait
(`core.penalties`). An exempt network never waits and is not dropped at random, but no source, not
even an exempt one, can hold more than half of the logins that may be under way.

Threads: any. Nothing here blocks, and nothing runs while nobody connects.
"""

from __future__ import annotations

import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tuihost.core.keys.offers import KeyOffer
from tuihost.core.limits import Allowance, TransportLimits
from tuihost.core.login.factors import Chains, Conversation, Hangup, Verifier
from tuihost.core.penalties import Offence, Penalties, PenaltyLimits, Startups, Wait
from tuihost.core.sources import Networks, SourceBlocks
from tuihost.errors import SettingsError
from tuihost.logs import Event, EventLog
from tuihost.settings.models import Settings
from tuihost.wire import Cancellable, Identity, Peer, Timer

REPORT_INTERVAL = 60.0
"""Seconds for which repeated refusals are gathered into one line."""
REPORT_BURST = 60
"""Lines about refusals at once; one a second in the long run."""


class Refusal(StrEnum):
    """Why somebody is turned away, in words that the client is told too."""

    CLOSING = "The host is closing"
    FULL = "Too many connections"
    SOURCE_FULL = "Too many connections from your address"
    LOGINS = "Too many logins at once"
    DROPPED = "Exceeded MaxStartups"  # the words by which scanners know it
    SOURCE_LOGINS = "Too many logins at once from your address"
    WAITING = "Not allowed at this time"


@dataclass(frozen=True, slots=True)
class GateRules:
    """What the operator settled, read once."""

    startups: Startups
    blocks: SourceBlocks
    exempt: Networks
    proxies: Networks
    penalties: PenaltyLimits | None
    connections: int
    unfinished: int
    per_source: int
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
            per_source=server.per_address,
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


def _nothing() -> None:
    """Before there is a connection."""


@dataclass(slots=True, eq=False)
class Pass:
    """The leave of one client, from `Gate.admit` to `ended`. Any thread."""

    gate: Gate
    peer: Peer
    source: str
    exempt: bool
    admitted: float
    tries: int = 0
    inside: bool = False
    over: bool = False
    hang_up: Callable[[], None] = _nothing
    """Ends the connection; for a login that is under way when its source has to wait."""

    def failed(self, offence: Offence = Offence.AUTH_FAILED) -> None:
        """A proof was wrong."""
        self.gate.failed(self, offence)

    def entered(self) -> None:
        """The login is finished."""
        self.gate.entered(self)

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
        self._unfinished_of: defaultdict[str, set[Pass]] = defaultdict(set)
        self._penalties = Penalties(rules.penalties) if rules.penalties else None
        self._refusals = Refusals(log, timer)

    # ---------------------------------------------------------------- the way in

    def admit(self, peer: Peer, *, trusted: bool = False) -> Pass | Refusal:
        """A pass, which must be `ended`; or why not. `trusted`: exempt, whatever its network."""
        source = self.rules.blocks.source(peer.address)
        exempt = trusted or peer.address in self.rules.exempt
        with self._lock:
            now = self._timer.now()
            refusal = self._judge(source, exempt, now)
            if refusal is None:
                leave = Pass(self, peer, source, exempt, now)
                self._open += 1
                self._open_of[source] += 1
                self._begins(leave)
                return leave
        self._refusals.note(peer, source, refusal)
        return refusal

    def _judge(self, source: str, exempt: bool, now: float) -> Refusal | None:
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
        if not exempt and startups.drops(self._unfinished_strangers, self._chance()):
            return Refusal.DROPPED
        return None

    def refused(self, peer: Peer, reason: str) -> None:
        """Somebody was turned away elsewhere: told here for the log's sake."""
        self._refusals.note(peer, self.rules.blocks.source(peer.address), reason)

    def close(self) -> None:
        """Admits nobody any more, and logs what was gathered."""
        with self._lock:
            self._closed = True
        self._refusals.flush()

    @property
    def connections(self) -> int:
        """Passes that have not ended."""
        return self._open

    @property
    def unfinished(self) -> int:
        """Those of them that have not logged in."""
        return self._unfinished

    # ---------------------------------------------------------------- what passes tell

    def failed(self, one: Pass, offence: Offence) -> None:
        with self._lock:
            one.tries += 1
            wait = self._penalise(one, offence)
        self._tell(one, wait)

    def entered(self, one: Pass) -> None:
        with self._lock:
            if not one.inside and not one.over:
                one.inside = True
                self._finishes(one)

    def ended(self, one: Pass, offence: Offence | None) -> None:
        wait = None
        with self._lock:
            if one.over:
                return
            one.over, one.hang_up = True, _nothing
            self._open -= 1
            _less(self._open_of, one.source)
            if not one.inside:
                self._finishes(one)
                offence = offence or self._offence(one)
            if offence is not None and not self._closed:
                wait = self._penalise(one, offence)
        self._tell(one, wait)

    def _offence(self, one: Pass) -> Offence | None:
        """What a client did that never got in."""
        if self._timer.now() - one.admitted >= self.rules.grace:
            return Offence.GRACE_EXCEEDED
        if one.tries >= self.rules.max_tries:
            return Offence.REFUSED
        return None if one.tries else Offence.NO_AUTH

    def _penalise(self, one: Pass, offence: Offence) -> Wait | None:
        if self._penalties is None or one.exempt:
            return None
        return self._penalties.penalise(one.source, offence, self._timer.now())

    def _tell(self, one: Pass, wait: Wait | None) -> None:
        """A wait has begun: whoever else of that source is still logging in is hung up on, so that
        what a source may try before it waits does not grow with its connections."""
        if wait is None:
            return
        self._refusals.waits(one.source, wait)
        with self._lock:
            others = self._unfinished_of.get(one.source, set()) - {one}
        for other in others:
            other.hang_up()

    def _begins(self, one: Pass) -> None:
        self._unfinished += 1
        self._unfinished_strangers += not one.exempt
        self._unfinished_of[one.source].add(one)

    def _finishes(self, one: Pass) -> None:
        self._unfinished -= 1
        self._unfinished_strangers -= not one.exempt
        logins = self._unfinished_of[one.source]
        logins.discard(one)
        if not logins:
            del self._unfinished_of[one.source]


class Counted:
    """A verifier that tells a pass what becomes of the login that it serves."""

    def __init__(self, verifier: Verifier, leave: Pass) -> None:
        self._verifier = verifier
        self._leave = leave

    def chains(self, user: str, target: str | None) -> Chains:
        return self._verifier.chains(user, target)

    def guest(self, user: str) -> bool:
        return self._verifier.guest(user)

    def password(self, user: str, password: str) -> bool:
        return self._verifier.password(user, password)

    def key_acceptable(self, user: str, offer: KeyOffer) -> bool:
        return self._verifier.key_acceptable(user, offer)

    def key_proved(self, user: str, offer: KeyOffer) -> Hangup | None:
        return self._verifier.key_proved(user, offer)

    def step(self, name: str, user: str) -> Conversation:
        return self._verifier.step(name, user)

    def settled(self, identity: Identity) -> Identity | Hangup:
        entering = self._verifier.settled(identity)
        if not isinstance(entering, Hangup):
            self._leave.entered()
        return entering

    def failed(self, user: str, factor: str, reason: str) -> None:
        # Whether there is such a user makes no difference: a wait that did would tell.
        self._leave.failed(Offence.AUTH_FAILED if user else Offence.UNKNOWN_USER)
        self._verifier.failed(user, factor, reason)


def _less(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]


class Refusals:
    """The log's lines about who was turned away: the first of each source and reason at once, its
    repetitions once an interval, and all together never more than the log can bear."""

    def __init__(self, log: EventLog, timer: Timer) -> None:
        self._log = log
        self._timer = timer
        self._lock = threading.Lock()
        self._allowance = Allowance.full(REPORT_BURST, 1.0, timer.now())
        self._repeated: dict[tuple[str, str], int] = {}
        self._unnamed = 0
        self._report: Cancellable | None = None

    def note(self, peer: Peer, source: str, reason: str) -> None:
        """Somebody was turned away."""
        if self._first(source, str(reason)):
            self._log.info(Event.CONN_REFUSED, peer=peer, reason=str(reason))

    def waits(self, source: str, wait: Wait) -> None:
        """A source is turned away from now on."""
        with self._lock:
            told = self._allowance.take(self._timer.now())
        if told:
            label, seconds = wait.offence.label, round(wait.seconds)
            self._log.info(Event.SOURCE_WAITS, source=source, reason=label, seconds=seconds)

    def _first(self, source: str, reason: str) -> bool:
        key = (source, reason)
        with self._lock:
            if self._report is None:
                self._report = self._timer.call_later(REPORT_INTERVAL, self.flush)
            if key in self._repeated:
                self._repeated[key] += 1
                return False
            if self._allowance.take(self._timer.now()):
                self._repeated[key] = 0
                return True
            self._unnamed += 1
            return False

    def flush(self) -> None:
        """Logs what has been gathered, and starts over."""
        with self._lock:
            repeated, self._repeated = self._repeated, {}
            unnamed, self._unnamed = self._unnamed, 0
            report, self._report = self._report, None
        if report is not None:
            report.cancel()
        for (source, reason), count in repeated.items():
            if count:
                self._log.info(Event.CONN_REFUSED, source=source, reason=reason, repeated=count)
        if unnamed:
            self._log.info(Event.CONN_REFUSED, reason="from many sources", repeated=unnamed)
