"""The turns of a host's threads: who works now, and who waits.

A thread asks for its turn before it works for somebody and gives it back before it waits. If its
person has no turn left it waits, and so do only threads of programs and of apps: transport threads
have no turns.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from time import monotonic

from tuihost.core.budget.ledger import FREE, MINUTE, Exceeded, Holder, Ledger
from tuihost.core.budget.turns import LOOK_EVERY, State, Ticket, TurnQueue
from tuihost.session.turns import bind

PIECE = 0.01
"""Seconds that a thread works before it lets others of its person go first."""
FELT = 0.25
"""Seconds of waiting from which on the log is told, once a minute for each person."""


class Turns:
    """Everybody's turns. Any thread; only `ThreadTurn.resume` waits."""

    def __init__(self, ledger: Ledger) -> None:
        self.queue = TurnQueue(ledger)
        self.lock = threading.Lock()
        self._told: dict[str, float] = {}

    def look(self) -> None:
        """Takes their turn from the threads that do not use it."""
        with self.lock:
            wake(self.queue.look(monotonic(), _used))

    def untold(self, holder: Holder, now: float) -> bool:
        """Whether the log has had no line about that person for a minute. From now on it has."""
        with self.lock:
            self._told = {name: at for name, at in self._told.items() if now - at < MINUTE}
            person = str(holder.places[1][1])
            if person in self._told:
                return False
            self._told[person] = now
            return True


class ThreadTurn(Ticket):
    """Implements `core.budget.ledger.Turn`. `told` is called if it waited long."""

    __slots__ = ("_all", "_gate", "_told", "_waived", "clock")

    def __init__(self, everybody: Turns, holder: Holder, told: Callable[[Exceeded], None]) -> None:
        super().__init__(holder)
        self._all = everybody
        self._told = told
        self._waived = False
        self._gate = threading.Lock()
        self._gate.acquire()
        self.clock: int | None = None

    def begin(self) -> None:
        if hasattr(time, "pthread_getcpuclockid"):
            self.clock = time.pthread_getcpuclockid(threading.get_ident())
        bind(self)
        self.resume()

    def end(self) -> None:
        self.pause()
        bind(FREE)

    def pause(self) -> None:
        everybody = self._all
        with everybody.lock:
            given = everybody.queue.give_back(self, monotonic())
            if given:
                wake(given)

    def resume(self) -> None:
        if self.state is State.HAS_TURN:
            return
        everybody, begun = self._all, monotonic()
        with everybody.lock:
            exceeded = None if self._waived else everybody.queue.ask(self, begun)
        if exceeded is None:
            return
        while not self._gate.acquire(timeout=LOOK_EVERY):
            everybody.look()
        now = monotonic()
        if now - begun >= FELT and everybody.untold(self.holder, now):
            self._told(exceeded)

    def pass_on(self) -> None:
        if self.state is not State.HAS_TURN:
            self.resume()
        elif self._all.queue.waiting and monotonic() - self.since >= PIECE:
            self.pause()
            self.resume()

    def waive(self) -> None:
        everybody = self._all
        with everybody.lock:
            self._waived = True
            if self.state is State.WAITS:
                wake((self, *everybody.queue.give_back(self, monotonic())))

    def wake(self) -> None:
        """It is its turn. Any thread."""
        self._gate.release()


def wake(tickets: Iterable[Ticket]) -> None:
    for ticket in tickets:
        assert isinstance(ticket, ThreadTurn), "the queue holds nothing else"
        ticket.wake()


def _used(ticket: Ticket) -> float:
    """Seconds of CPU time of its thread. That thread lives, since it gives its turn back before it
    ends, under the lock that is held here."""
    assert isinstance(ticket, ThreadTurn), "the queue holds nothing else"
    return 0.0 if ticket.clock is None else time.clock_gettime(ticket.clock)
