"""Memory that an app holds for somebody, taken from what they may have."""

from __future__ import annotations

from tuihost.core.ledger import FREE, Exceeded, Kind, Lease, Share
from tuihost.errors import TookTooMuch


class HeldMemory:
    """So many bytes, given back at the end of the `with`. Threads: one at a time."""

    def __init__(self, share: Share = FREE) -> None:
        self._share = share
        self._lease: Lease = FREE

    def add(self, count: int) -> None:
        """Holds `count` bytes more. Raises `TookTooMuch` if the person has no more; its text is for
        them."""
        exceeded = self._lease.grow(count)
        if exceeded is not None:
            raise TookTooMuch(exceeded.sentence)

    def __enter__(self) -> HeldMemory:
        lease = self._share.take(Kind.MEMORY, 0)
        if isinstance(lease, Exceeded):
            raise TookTooMuch(lease.sentence)
        self._lease = lease
        return self

    def __exit__(self, *error: object) -> None:
        self._lease.give_back()
