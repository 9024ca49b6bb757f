"""The channels of one connection: those that are open, and those that are about to be.

Numbers are ours and are never used again. Any thread: a channel may be opened by the client, on
the transport's thread, or by the host, on any. No lock is held while a message is sent.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from tuihost.ssh.connection._channel import HostChannel
from tuihost.wire import ByteChannel, HostOpen, OpenSession, Refuse

Settled = Callable[[ByteChannel | Refuse], None]


@dataclass(frozen=True, slots=True)
class Awaited:
    """A channel that the client was asked for."""

    request: HostOpen
    settled: Settled


class ChannelTable:
    """Who has which number. After `end` nothing is added any more."""

    def __init__(self) -> None:
        self._open: dict[int, HostChannel] = {}
        self._awaited: dict[int, Awaited] = {}
        self._undecided: set[int] = set()
        self._next = 0
        self._over = False
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Open and about to be."""
        return len(self._open) + len(self._awaited) + len(self._undecided)

    @property
    def sessions(self) -> int:
        """How many of the open ones are sessions."""
        channels = tuple(self._open.values())
        return sum(isinstance(channel.request, OpenSession) for channel in channels)

    def get(self, number: int) -> HostChannel | None:
        return self._open.get(number)

    def was_given(self, number: int) -> bool:
        """Whether some channel has or had that number."""
        return number < self._next

    def take_number(self) -> int:
        """The number of a channel that is opened at once."""
        with self._lock:
            return self._number()

    def hold_number(self) -> int:
        """The number of a channel whose opening is not decided yet."""
        with self._lock:
            number = self._number()
            self._undecided.add(number)
            return number

    def await_answer(self, awaited: Awaited) -> int | None:
        """The number of a channel that the client is asked for; None after the end."""
        with self._lock:
            if self._over:
                return None
            number = self._number()
            self._awaited[number] = awaited
            return number

    def answered(self, number: int) -> Awaited | None:
        """What the client was asked for under that number; None if that was nothing."""
        with self._lock:
            return self._awaited.pop(number, None)

    def decided(self, number: int) -> bool:
        """The opening that was held is decided; False if it was before, or after the end."""
        with self._lock:
            known = number in self._undecided
            self._undecided.discard(number)
            return known and not self._over

    def add(self, channel: HostChannel) -> bool:
        """The channel is open from now on; False after the end."""
        with self._lock:
            if not self._over:
                self._open[channel.number] = channel
            return not self._over

    def remove(self, number: int) -> None:
        with self._lock:
            self._open.pop(number, None)

    def end(self) -> tuple[list[HostChannel], list[Awaited]]:
        """The connection is over: what was open, and who waited."""
        with self._lock:
            self._over = True
            channels, awaited = list(self._open.values()), list(self._awaited.values())
            self._open.clear()
            self._awaited.clear()
            self._undecided.clear()
            return channels, awaited

    def _number(self) -> int:
        number = self._next
        self._next += 1
        return number
