"""Memory that an app holds for somebody, taken from what they may have."""

from __future__ import annotations

from tuihost.core.budget.ledger import FREE, Exceeded, Kind, Lease, Share
from tuihost.errors import TookTooMuch


class HeldMemory:
    """So many bytes, given back at the end of the `with`, by `close`, or when the session ends.
    Threads: one at a time."""

    def __init__(self, share: Share = FREE, among: set[HeldMemory] | None = None) -> None:
        self._share = share
        self._among = among
        self._lease: Lease | None = None
        self._size = 0

    @property
    def size(self) -> int:
        """How many bytes it holds."""
        return self._size

    def add(self, count: int) -> None:
        """Holds `count` bytes more, or fewer if it is below zero. Raises `TookTooMuch` if the
        person has no more; its text is for them."""
        if self._lease is None:
            taken = self._share.take(Kind.MEMORY, 0)
            if isinstance(taken, Exceeded):
                raise TookTooMuch(taken.sentence)
            self._lease = taken
            if self._among is not None:
                self._among.add(self)
        exceeded = self._lease.grow(count)
        if exceeded is not None:
            raise TookTooMuch(exceeded.sentence)
        self._size += count

    def set(self, size: int) -> None:
        """Holds `size` bytes from now on. Raises `TookTooMuch` as `add` does; it then holds as
        many as before."""
        if size != self._size:
            self.add(size - self._size)

    def close(self) -> None:
        """Gives all of it back."""
        lease, self._lease, self._size = self._lease, None, 0
        if lease is not None:
            lease.give_back()
            if self._among is not None:
                self._among.discard(self)

    def __enter__(self) -> HeldMemory:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
