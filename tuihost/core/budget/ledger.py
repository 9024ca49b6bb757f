"""What people take of the host: counted for each connection, person, source, and all together.

A `Ledger` is asked before anything is taken on a client's behalf, and answers for all levels at
once: what one of them refuses is taken from none. Kinds that are *held* are given back; kinds that
are *spent* come back by themselves, as the minutes pass. The time is given to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from tuihost.core.limits import Allowance

MINUTE: Final = 60.0
MIB: Final = 1 << 20
SWEEP_AT: Final = 1024
"""Allowances of one kind; where there are more, those that are full again are forgotten."""


class Kind(StrEnum):
    """What can be taken. The words are those of the log."""

    THREADS = "threads"
    TURNS = "turns"
    DESCRIPTORS = "descriptors"
    LOOKUPS = "lookups"
    MEMORY = "memory"
    ENTRIES = "entries"
    TRANSFERS = "transfers"
    WINDOWS = "windows"
    HELPERS = "helpers"
    HELPER_SECONDS = "helper-seconds"
    REQUESTS = "requests"
    LOG_LINES = "log-lines"

    @property
    def meaning(self) -> str:
        """What is counted, for people."""
        return _MEANINGS[self]


class Level(StrEnum):
    """Who may have so much."""

    CONNECTION = "connection"
    PERSON = "person"
    SOURCE = "source"
    GUESTS = "guests"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most of one kind. With `at_once` it is spent: the bounds are those of a minute, and so
    many seconds' worth of them can be spent at one moment."""

    connection: int
    person: int
    source: int
    host: int
    at_once: float = 0.0

    def at(self, level: Level) -> int:
        match level:
            case Level.CONNECTION:
                return self.connection
            case Level.PERSON:
                return self.person
            case Level.SOURCE:
                return self.source
            case Level.GUESTS:  # so that people with an account always find some left
                return self.host * 3 // 4
            case Level.HOST:
                return self.host

    def scaled(self, share: float) -> Bounds:
        """The same host with larger or smaller shares of it."""
        connection, person, source = (
            max(1, round(bound * share)) for bound in (self.connection, self.person, self.source)
        )
        return Bounds(connection, person, source, self.host, self.at_once)


BOUNDS: Final[Mapping[Kind, Bounds]] = {
    Kind.THREADS: Bounds(48, 64, 96, 1536),
    Kind.TURNS: Bounds(2, 2, 3, 64),
    Kind.DESCRIPTORS: Bounds(128, 256, 512, 16_384),
    Kind.LOOKUPS: Bounds(16, 24, 32, 64),
    Kind.MEMORY: Bounds(48 * MIB, 48 * MIB, 64 * MIB, 512 * MIB),
    Kind.ENTRIES: Bounds(50_000, 50_000, 100_000, 500_000),
    Kind.TRANSFERS: Bounds(4, 4, 6, 16),
    Kind.WINDOWS: Bounds(8, 8, 12, 128),
    Kind.HELPERS: Bounds(2, 2, 3, 4),
    Kind.HELPER_SECONDS: Bounds(60, 60, 90, 240, at_once=60.0),
    Kind.REQUESTS: Bounds(30_000, 45_000, 60_000, 480_000, at_once=4.0),
    Kind.LOG_LINES: Bounds(6_000, 6_000, 9_000, 60_000, at_once=60.0),
}
"""What suits an honest person with sshfs, rsync and twenty windows, doubled. The host's
descriptors are fewer if the system has fewer."""

_MEANINGS: Final[Mapping[Kind, str]] = {
    Kind.THREADS: "sessions, commands and streams that are answered",
    Kind.TURNS: "of these, those that work at the same moment; the others wait for their turn",
    Kind.DESCRIPTORS: "open files, and sockets of forwards and displays",
    Kind.LOOKUPS: "names that are being looked up, for forwards",
    Kind.MEMORY: "bytes that are held: windows of channels, input that is sorted or laid out",
    Kind.ENTRIES: "names of folders that are being listed",
    Kind.TRANSFERS: "runs of rsync",
    Kind.WINDOWS: "programs with windows, and windows that apps draw themselves",
    Kind.HELPERS: "helper processes at work",
    Kind.HELPER_SECONDS: "seconds of processor time in helper processes",
    Kind.REQUESTS: "requests and other small messages",
    Kind.LOG_LINES: "lines in the log",
}
_MANY: Final[Mapping[Level, str]] = {
    Level.CONNECTION: "one connection can have",
    Level.PERSON: "one person can have",
    Level.SOURCE: "people from one address can have together",
    Level.GUESTS: "all guests can have together",
    Level.HOST: "there are on this host",
}
_SHORT: Final[Mapping[Kind, str]] = {
    Kind.THREADS: "sessions, commands and streams",
    Kind.TURNS: "sessions at work at the same moment",
    Kind.DESCRIPTORS: "open files and sockets",
    Kind.LOOKUPS: "names being looked up",
    Kind.MEMORY: "bytes of memory",
    Kind.ENTRIES: "names of files in open folders",
    Kind.TRANSFERS: "runs of rsync",
    Kind.WINDOWS: "programs with windows",
    Kind.HELPERS: "helper processes",
    Kind.HELPER_SECONDS: "seconds of processor time in helper processes",
    Kind.REQUESTS: "requests",
    Kind.LOG_LINES: "lines in the log",
}


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A refusal: there are no more than `bound` of that kind at that level."""

    kind: Kind
    level: Level
    bound: int
    spent: bool = False

    @property
    def sentence(self) -> str:
        """For the person: which bound it is, and what to do."""
        often = " a minute" if self.spent else ""
        mine = self.level in (Level.CONNECTION, Level.PERSON) and not self.spent
        cure = "End some of yours first" if mine else "Try again in a minute"
        return (
            f"There are no more than {self.bound:,} {_SHORT[self.kind]}{often} that"
            f" {_MANY[self.level]}. {cure}."
        )


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose it is: a connection, which belongs to a person, who comes from a source. Guests are the
    same person only at the same source, since anybody can give their name."""

    connection: int
    person: str
    source: str
    guest: bool = True
    counts_source: bool = True
    """Whether the source has a bound: networks of the operator's own have none."""
    places: tuple[tuple[Level, str | int], ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", tuple(self._places()))

    def _places(self) -> Iterator[tuple[Level, str | int]]:
        yield Level.CONNECTION, self.connection
        yield Level.PERSON, f"{self.person} {self.source}" if self.guest else self.person
        if self.counts_source:
            yield Level.SOURCE, self.source
        if self.guest:
            yield Level.GUESTS, ""
        yield Level.HOST, ""


class Turn(Protocol):
    """What one thread has while it works. Thread: that one."""

    def begin(self) -> None:
        """From now on the turn is this thread's. Waits for it."""

    def end(self) -> None:
        """The thread does no more; a second call does nothing."""

    def pause(self) -> None:
        """The thread is going to wait: others may work meanwhile."""

    def resume(self) -> None:
        """The thread goes on working, as soon as it is its turn."""

    def pass_on(self) -> None:
        """Lets the others who wait go first, if this thread has worked for a while."""

    def waive(self) -> None:
        """The thread waits no more: what it does has to end now. Any thread."""


class Lease(Protocol):
    """Something that was taken. A context manager, which gives it back."""

    def grow(self, amount: int) -> Exceeded | None:
        """Takes so much more, or nothing. An amount below zero gives that much back."""

    def give_back(self) -> None:
        """All of it; a second call does nothing. Any thread."""

    def __enter__(self) -> Lease: ...
    def __exit__(self, *error: object) -> None: ...


class Share(Protocol):
    """What one connection may take. Any thread; never waits."""

    def take(self, kind: Kind, amount: int = 1) -> Lease | Exceeded:
        """Takes so much, or nothing."""

    def room(self, kind: Kind, amount: int = 1) -> Exceeded | None:
        """Why so much could not be taken now, if it could not."""

    def spend(self, kind: Kind, amount: float = 1.0) -> Exceeded | None:
        """Spends so much, or nothing."""

    def charge(self, kind: Kind, amount: float) -> None:
        """Spends so much in any case; what is spent beyond the bounds is missing later. An amount
        below zero puts back what was spent and not used."""

    def turn(self) -> Turn:
        """For a thread that is about to work for this connection."""


class Free:
    """A share, a lease and a turn without bounds, for the host's own work and where nobody
    counts."""

    def take(self, kind: Kind, amount: int = 1) -> Lease | Exceeded:
        return self

    def room(self, kind: Kind, amount: int = 1) -> Exceeded | None:
        return None

    def spend(self, kind: Kind, amount: float = 1.0) -> Exceeded | None:
        return None

    def charge(self, kind: Kind, amount: float) -> None:
        return None

    def turn(self) -> Turn:
        return self

    def begin(self) -> None:
        return None

    def end(self) -> None:
        return None

    def pause(self) -> None:
        return None

    def resume(self) -> None:
        return None

    def pass_on(self) -> None:
        return None

    def waive(self) -> None:
        return None

    def grow(self, amount: int) -> Exceeded | None:
        return None

    def give_back(self) -> None:
        return None

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *error: object) -> None:
        return None


FREE: Final = Free()


class Ledger:
    """Counts what every holder has. For one thread at a time."""

    def __init__(self, bounds: Mapping[Kind, Bounds] = BOUNDS) -> None:
        self.bounds = bounds
        self._held: dict[Kind, dict[tuple[Level, str | int], int]] = {kind: {} for kind in bounds}
        self._left: dict[Kind, dict[tuple[Level, str | int], Allowance]] = {
            kind: {} for kind in bounds
        }
        self._sweep_at = dict.fromkeys(bounds, SWEEP_AT)

    # ---------------------------------------------------------------- what is held

    def room(self, holder: Holder, kind: Kind, amount: int = 1) -> Exceeded | None:
        """Why so much could not be taken now, if it could not."""
        held, bounds = self._held[kind], self.bounds[kind]
        for place in holder.places:
            bound = bounds.at(place[0])
            if held.get(place, 0) + amount > bound:
                return Exceeded(kind, place[0], bound)
        return None

    def take(self, holder: Holder, kind: Kind, amount: int = 1) -> Exceeded | None:
        """Takes so much at every level, or says which one has not so much."""
        exceeded = self.room(holder, kind, amount)
        if exceeded is None:
            held = self._held[kind]
            for place in holder.places:
                held[place] = held.get(place, 0) + amount
        return exceeded

    def give_back(self, holder: Holder, kind: Kind, amount: int = 1) -> None:
        """What was taken before."""
        held = self._held[kind]
        for place in holder.places:
            left = held.get(place, 0) - amount
            assert left >= 0, "only what was taken is given back"
            if left:
                held[place] = left
            else:
                held.pop(place, None)

    def held(self, kind: Kind) -> int:
        """How much everybody holds together."""
        return self._held[kind].get((Level.HOST, ""), 0)

    # ---------------------------------------------------------------- what is spent

    def spend(self, holder: Holder, kind: Kind, amount: float, now: float) -> Exceeded | None:
        """Spends so much at every level, or says which one has not so much left."""
        bounds = self.bounds[kind]
        if len(self._left[kind]) >= self._sweep_at[kind]:
            self._sweep(kind, now)
        allowances = [(place[0], self._allowance(kind, place, now)) for place in holder.places]
        for level, allowance in allowances:
            allowance.take(now, 0.0)
            if allowance.left < amount:
                return Exceeded(kind, level, bounds.at(level), spent=True)
        for _, allowance in allowances:
            allowance.take(now, amount)
        return None

    def charge(self, holder: Holder, kind: Kind, amount: float, now: float) -> None:
        """Spends so much in any case, or puts it back if it is below zero. Never more than two
        bursts are missing."""
        for place in holder.places:
            allowance = self._allowance(kind, place, now)
            allowance.take(now, 0.0)
            allowance.left = max(-allowance.burst, min(allowance.burst, allowance.left - amount))

    def _allowance(self, kind: Kind, place: tuple[Level, str | int], now: float) -> Allowance:
        left = self._left[kind]
        allowance = left.get(place)
        if allowance is None:
            bounds = self.bounds[kind]
            rate = bounds.at(place[0]) / MINUTE
            allowance = left[place] = Allowance.full(rate * bounds.at_once, rate, now)
        return allowance

    def _sweep(self, kind: Kind, now: float) -> None:
        """Forgets who has spent nothing lately."""
        left = self._left[kind]
        for place, allowance in tuple(left.items()):
            allowance.take(now, 0.0)
            if allowance.left >= allowance.burst:
                del left[place]
        self._sweep_at[kind] = max(SWEEP_AT, 2 * len(left))
