"""Dials the real target of a forward: resolves its name once, judges what it came to, connects.

A name is resolved on a short thread of its own, since that may hang for long; what comes after is
the pump's.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from ipaddress import ip_address
from typing import Any

from tuihost.core.budget.ledger import FREE, Exceeded, Kind, Share
from tuihost.core.forward_rules import literal
from tuihost.core.sources import Address
from tuihost.host.budget.descriptors import counted
from tuihost.host.relay.pump import WRITE, Pump
from tuihost.wire import Cancellable, SocketAddress, TcpAddress, UnixAddress

Connected = Callable[[socket.socket], None]
Failed = Callable[[str], None]
Judge = Callable[[TcpAddress, Sequence[Address]], Sequence[Address]]
"""Which of the addresses that a target came to may be dialled, in order."""


class Dial:
    """One try to reach a target, which takes from `share`. Calls one of `connected` and `failed`,
    once, on the pump's thread; neither where the pump closes before."""

    def __init__(
        self,
        pump: Pump,
        timeout: float,
        connected: Connected,
        failed: Failed,
        share: Share = FREE,
    ) -> None:
        self._share = share
        self._pump = pump
        self._timeout = timeout
        self._connected = connected
        self._failed = failed
        self._sockaddrs: list[tuple[int, object]] = []
        self._sock: socket.socket | None = None
        self._deadline: Cancellable | None = None
        self._reason = "none of its addresses may be reached"

    def begin(self, target: SocketAddress, judge: Judge) -> None:
        """Begins; `judge` is asked about the addresses of a host. Any thread. Raises RuntimeError
        if no thread can be had."""
        match target:
            case UnixAddress(path):
                self._sockaddrs = [(socket.AF_UNIX, path)]
                self._begin()
            case TcpAddress(host) if literal(host) is not None:  # nothing that could hang
                self._pump.call(lambda: self._resolve(target, judge))
            case TcpAddress():
                threading.Thread(
                    target=self._resolve, args=(target, judge), name="forward-resolve", daemon=True
                ).start()

    def _resolve(self, target: TcpAddress, judge: Judge) -> None:
        infos: list[Any] = []
        lookup = self._share.take(Kind.LOOKUPS)
        if isinstance(lookup, Exceeded):  # a resolver that hangs holds a thread for each
            self._reason = lookup.sentence
        else:
            try:
                infos = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            except (OSError, UnicodeError) as error:
                self._reason = getattr(error, "strerror", None) or "its name cannot be resolved"
            finally:
                lookup.give_back()
        found = {ip_address(str(info[4][0]).partition("%")[0]): info for info in infos}
        allowed = (found[address] for address in judge(target, tuple(found)))
        self._sockaddrs = [(info[0], info[4]) for info in allowed]
        self._begin()

    def _begin(self) -> None:
        if self._pump.adopt(self):
            self._pump.call(self._next)

    def end(self) -> None:
        """Gives up; nobody is told."""
        self._sockaddrs = []
        self._drop()
        self._pump.forget(self)

    # ---------------------------------------------------------------- the pump's thread

    def _next(self) -> None:
        """Tries the next address."""
        if not self._sockaddrs:
            self.end()
            self._failed(self._reason)
            return
        family, address = self._sockaddrs.pop(0)
        lease = self._share.take(Kind.DESCRIPTORS)
        if isinstance(lease, Exceeded):
            self._sockaddrs = []
            self._give_up(lease.sentence)
            return
        try:
            self._sock = counted(socket.socket(family, socket.SOCK_STREAM), lease)
        except OSError as error:
            lease.give_back()
            self._give_up(error.strerror or str(error))
            return
        try:
            with _place_of(address) if isinstance(address, str) else nullcontext(address) as place:
                number = self._sock.connect_ex(place)  # type: ignore[arg-type]  # a path or a pair
        except (OSError, ValueError) as error:
            self._give_up(getattr(error, "strerror", None) or str(error))
            return
        if number not in (0, errno.EINPROGRESS):
            self._give_up(os.strerror(number))
            return
        self._pump.watch(self._sock, WRITE, self._settled)
        timer = self._pump.timer
        self._deadline = timer.call_later(self._timeout, lambda: self._pump.call(self._late))

    def _settled(self) -> None:
        sock = self._sock
        assert sock is not None, "only a socket that was dialled is watched"
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self._give_up(os.strerror(number))
            return
        self._pump.watch(sock, 0, self._settled)
        self._sock = None
        self.end()
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connected(sock)

    def _late(self) -> None:
        if self._sock is not None:
            self._give_up("it does not answer")

    def _give_up(self, reason: str) -> None:
        """This address will not do."""
        self._reason = reason
        self._drop()
        self._next()

    def _drop(self) -> None:
        """Closes what is under way."""
        if self._deadline is not None:
            self._deadline.cancel()
        if self._sock is not None:
            self._pump.watch(self._sock, 0, self._settled)
            self._sock.close()
            self._sock = None


@contextmanager
def _place_of(path: str) -> Iterator[str]:
    """Where that very socket can be dialled, and no other that its name leads to by then: a link
    would lead out of the folder that the rules name. Raises OSError."""
    place = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not stat.S_ISSOCK(os.fstat(place).st_mode):
            raise OSError(errno.ENOTSOCK, "it is not a socket")
        yield f"/proc/self/fd/{place}"
    finally:
        os.close(place)


def is_here(address: Address) -> bool:
    """Whether this machine has that address: only then can it be bound."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
