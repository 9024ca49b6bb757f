"""The descriptors of this process: as many as the system allows, and some that only the host uses.

The reserve is for what keeps the host open to everybody: accepting, logging in, the log, the
stores, and whatever ends it.
"""

from __future__ import annotations

import resource
import socket
from contextlib import suppress

from tuihost.core.budget.ledger import Lease

RESERVE = 64
EACH = 4
"""Descriptors of a connection itself: its socket, and three of its thread for forwards."""
MOST = 1 << 20


def raise_soft_limit() -> int:
    """Lets this process open as many files as it may at all. How many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    with suppress(OSError, ValueError):  # some systems have another limit below the hard one
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def for_people(soft: int, connections: int, each: int = EACH) -> int:
    """Of so many descriptors, those that people may take: what the host needs for itself and `each`
    connection is left, but never more than half of them. Threads are shared in the same way."""
    return max(soft // 2, soft - each * connections - RESERVE)


class CountedSocket(socket.socket):
    """A socket that gives its lease back when it is closed."""

    lease: Lease | None = None

    def close(self) -> None:
        super().close()
        lease, self.lease = self.lease, None
        if lease is not None:
            lease.give_back()


def counted(sock: socket.socket, lease: Lease) -> CountedSocket:
    """The same socket, which gives `lease` back when it is closed. It does not block."""
    made = CountedSocket(sock.family, sock.type, sock.proto, fileno=sock.detach())
    made.lease = lease
    made.setblocking(False)
    return made
