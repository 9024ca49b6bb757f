"""Whose turn it is to work: a few threads of each person and source, the others one after another.

A `TurnQueue` is told who wants to work and who is done. It counts with a `Ledger`. Of those who
wait it takes one source after the other, of each source one person after the other, and of each
person the thread that came first. The time is given to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from tuihost.core.budget.ledger import Exceeded, Holder, Kind, Ledger, Level

LOOK_EVERY: Final = 0.05
"""Seconds between two looks at a thread that others wait for."""
LEAST_USED: Final = 0.02
"""The part of that time which a thread uses at least if it works, however busy the machine is."""
LONGEST: Final = 1.0
"""Seconds after which a turn is over, whatever its thread does: the others of that person have
waited long enough."""


class State(Enum):
    """What a thread has."""

    NOTHING = auto()
    WAITS = auto()
    HAS_TURN = auto()


@dataclass(slots=True, eq=False)
class Ticket:
    """One thread that works for `holder`. Of its turn: when it began, and when somebody looked at
    it and how much CPU time it had used by then; in seconds."""

    holder: Holder
    state: State = State.NOTHING
    since: float = 0.0
    seen_at: float | None = None
    seen_used: float = 0.0


class TurnQueue:
    """For one thread at a time."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._working: dict[Ticket, None] = {}
        self._waiting: dict[str, dict[str, dict[Ticket, None]]] = {}
        self.waiting = 0
        """How many wait."""

    def ask(self, ticket: Ticket, now: float) -> Exceeded | None:
        """Gives it its turn; or it waits for that, because of this bound."""
        exceeded = self._begin(ticket, now)
        if exceeded is not None:
            persons = self._waiting.setdefault(ticket.holder.source, {})
            persons.setdefault(_person(ticket.holder), {})[ticket] = None
            ticket.state = State.WAITS
            self.waiting += 1
        return exceeded

    def give_back(self, ticket: Ticket, now: float) -> Sequence[Ticket]:
        """It works or waits no more. Those whose turn it is now."""
        match ticket.state:
            case State.NOTHING:
                return ()
            case State.WAITS:
                self._forget(ticket)
            case State.HAS_TURN:
                del self._working[ticket]
                self._ledger.give_back(ticket.holder, Kind.TURNS)
        ticket.state = State.NOTHING
        return tuple(self._next(now)) if self.waiting else ()

    def look(self, now: float, used: Callable[[Ticket], float]) -> Sequence[Ticket]:
        """Takes their turn from the threads that wait for something themselves, and from those that
        had it for too long. `used` says how much CPU time one has used. Those whose turn it is."""
        given: list[Ticket] = []
        for ticket in tuple(self._working):
            if now - ticket.since >= LONGEST:
                given += self.give_back(ticket, now)
            elif ticket.seen_at is None:
                ticket.seen_at, ticket.seen_used = now, used(ticket)
            elif now - ticket.seen_at >= LOOK_EVERY:
                spent = used(ticket)
                if spent - ticket.seen_used < LEAST_USED * (now - ticket.seen_at):
                    given += self.give_back(ticket, now)
                else:
                    ticket.seen_at, ticket.seen_used = now, spent
        return tuple(given)

    def _begin(self, ticket: Ticket, now: float) -> Exceeded | None:
        exceeded = self._ledger.take(ticket.holder, Kind.TURNS)
        if exceeded is None:
            self._working[ticket] = None
            ticket.state, ticket.since, ticket.seen_at = State.HAS_TURN, now, None
        return exceeded

    def _next(self, now: float) -> Iterator[Ticket]:
        """Those who wait and may begin now. They and their sources are the last in line then."""
        for source, persons in tuple(self._waiting.items()):
            for tickets in tuple(persons.values()):
                ticket = next(iter(tickets))
                exceeded = self._begin(ticket, now)
                if exceeded is None:
                    self._forget(ticket)
                    self._last(source, _person(ticket.holder))
                    yield ticket
                elif exceeded.level not in (Level.CONNECTION, Level.PERSON):
                    break  # it is the same for all others from there

    def _last(self, source: str, person: str) -> None:
        """Puts them behind the others, if more of theirs wait."""
        persons = self._waiting.pop(source, None)
        if persons is not None:
            self._waiting[source] = persons
            if person in persons:
                persons[person] = persons.pop(person)

    def _forget(self, ticket: Ticket) -> None:
        """It waits no more."""
        source, person = ticket.holder.source, _person(ticket.holder)
        persons = self._waiting[source]
        del persons[person][ticket]
        if not persons[person]:
            del persons[person]
        if not persons:
            del self._waiting[source]
        self.waiting -= 1


def _person(holder: Holder) -> str:
    return f"{holder.person} {holder.guest}"
