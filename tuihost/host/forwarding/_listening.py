"""Remote forwards, RFC 4254 §7.1: addresses of this side that lead to a client.

`HostedListening` is one that an app holds, `SocketListener` one with real sockets.
"""

from __future__ import annotations

import errno
import os
import random
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from tuihost.core.budget.ledger import FREE, Exceeded, Kind, Lease, Share
from tuihost.core.forward_rules import Rule, bind_addresses, free_ports, may_listen
from tuihost.errors import Disconnected
from tuihost.host.budget.descriptors import counted
from tuihost.host.relay.channel_stream import ChannelStream, open_stream
from tuihost.host.relay.end_actions import EndActions
from tuihost.host.relay.pump import READ, Pump, Relayed
from tuihost.logs import Event, EventLog
from tuihost.plugin import App
from tuihost.session.host_view import Account
from tuihost.text import clean
from tuihost.wire import (
    ByteChannel,
    Link,
    OpenForwarded,
    Peer,
    Refuse,
    SocketAddress,
    TcpAddress,
    UnixAddress,
)

BACKLOG = 64
MAX_ASKED = 64  # streams of one listener that the client has not answered yet
PORT_TRIES = 32
_NO_SUCH_FAMILY = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class CannotListen(Exception):
    """The address cannot be listened on; the text says why."""


class HostedListening:
    """Implements `tuihost.session.streams.Listening`. `held` is given back at its end;
    `is_anothers` says of an address whether it is in the name of somebody else."""

    def __init__(
        self,
        app: App,
        link: Link,
        account: Account,
        address: SocketAddress,
        since: float,
        is_anothers: Callable[[SocketAddress], bool],
        held: Lease = FREE,
    ) -> None:
        self._is_anothers = is_anothers
        self._held = held
        self.app = app
        self._link = link
        self.account = account
        self.address = address
        self.since = since
        self._stopped = False
        self._settled = False
        self._reached_at: str | None = None
        self._lock = threading.Lock()
        self._ending = EndActions()

    @property
    def peer(self) -> Peer:
        return self._link.peer

    @property
    def ended(self) -> bool:
        return self._stopped

    @property
    def called(self) -> str:
        """What people call it; empty if nobody reaches it."""
        if self._stopped or not self._settled:
            return ""
        where = self._reached_at
        return called(self.address) if where is None else clean(where, limit=200)

    def reached_at(self, where: str) -> None:
        self._reached_at = where

    def is_anothers_name(self, name: str) -> bool:
        return self._is_anothers(TcpAddress(name, 0))

    def on_end(self, action: Callable[[], None]) -> None:
        self._ending.add(action)

    def settle(self) -> bool:
        """Whether the app takes it is known now; False if it was before. Any thread."""
        with self._lock:
            first, self._settled = not self._settled, True
            return first

    def stop(self) -> None:
        """It leads nowhere any more; the app is told by `cancel`. Any thread; never waits."""
        self._stopped = True
        self._held.give_back()

    def cancel(self) -> None:
        """It leads nowhere any more, and the app is told, which may wait. Any thread."""
        self.stop()
        self._ending.end()

    def connect(self, origin: Peer, timeout: float = 10.0) -> ChannelStream:
        if self._stopped:
            raise Disconnected("the forward has ended")
        return open_stream(self._link, OpenForwarded(self.address, origin), timeout)

    def tell(self, text: str) -> None:
        self._link.tell(text)


class SocketListener:
    """Sockets that are listened on, on the pump's thread, and the connections that wait.
    `address` is what the client calls it, with the port that was bound. Connections are taken from
    `share`."""

    def __init__(
        self,
        pump: Pump,
        link: Link,
        sockets: Sequence[socket.socket],
        address: SocketAddress,
        log: EventLog,
        share: Share = FREE,
    ) -> None:
        self._share = share
        self.pump = pump
        self.link = link
        self.address = address
        self.log = log
        self._sockets = list(sockets)
        self._bound = list(sockets)
        self._asked = 0
        self._watched = False
        if pump.adopt(self):
            pump.call(self._watch)

    @property
    def called(self) -> str:
        """What people call it."""
        return called(self.address)

    def cancel(self) -> None:
        """Stops listening, at once: the address is free when this returns. Connections that were
        accepted go on. Any thread."""
        self._stop()
        self.pump.call(self.end)

    def end(self) -> None:
        """Stops listening. The pump's thread, or any once the pump has closed."""
        self._stop()
        for sock in self._sockets:
            if self._watched:
                self.pump.watch(sock, 0, self._watch)
            sock.close()
        self._sockets.clear()
        self.pump.forget(self)

    def _stop(self) -> None:
        """From here on nobody can connect, and the address can be listened on anew. The descriptors
        stay, since the pump may be waiting for them. Any thread; each socket only once, as its path
        may be another's by then."""
        while self._bound:
            try:
                sock = self._bound.pop()
            except IndexError:  # another thread was quicker
                return
            if sock.family == socket.AF_UNIX:
                with suppress(OSError):  # somebody took it away already
                    os.unlink(sock.getsockname())
            with suppress(OSError):  # systems that know this of connected sockets only
                sock.shutdown(socket.SHUT_RDWR)

    def _watch(self) -> None:
        self._watched = True
        for sock in self._sockets:
            self.pump.watch(sock, READ, partial(self._accept, sock))

    def _accept(self, listening: socket.socket) -> None:
        accepted = self.pump.accept(listening, self._watch)
        if accepted is None:
            return
        sock, came_from = accepted
        lease = FREE if self._asked >= MAX_ASKED else self._share.take(Kind.DESCRIPTORS)
        if self._asked >= MAX_ASKED or isinstance(lease, Exceeded):
            sock.close()
            return
        sock = counted(sock, lease)
        self._asked += 1
        match self.address:
            case TcpAddress():
                origin = Peer(str(came_from[0]), int(came_from[1]))
            case UnixAddress():
                origin = Peer("", 0)
        _Accepted(self, sock).ask(origin)

    def answered(self) -> None:
        """The client has answered for one of those that wait. The pump's thread."""
        self._asked -= 1


class _Accepted:
    """A connection that was accepted, and that the client is asked to take."""

    def __init__(self, listener: SocketListener, sock: socket.socket) -> None:
        self._listener = listener
        self._sock = sock

    def ask(self, origin: Peer) -> None:
        listener = self._listener
        if listener.pump.adopt(self):
            listener.link.open(OpenForwarded(listener.address, origin), self._settled)

    def end(self) -> None:
        """Closes it: there will be no answer."""
        self._sock.close()

    def _settled(self, answer: ByteChannel | Refuse) -> None:
        self._listener.pump.call(lambda: self._go_on(answer))

    def _go_on(self, answer: ByteChannel | Refuse) -> None:
        listener = self._listener
        listener.answered()
        listener.pump.forget(self)
        if isinstance(answer, Refuse):
            listener.log.info(
                Event.CHANNEL_REFUSED, kind=_kind(listener.address), reason=answer.reason
            )
            self._sock.close()
            return
        log = listener.log.bound(chan=answer.number)
        log.info(Event.FORWARD_OPEN, target=shown(listener.address))
        listener.pump.relay(answer, self._sock, ended(log))


def _kind(address: SocketAddress) -> str:
    match address:
        case TcpAddress():
            return "forwarded-tcpip"
        case UnixAddress():
            return "forwarded-streamlocal"


def ended(log: EventLog) -> Relayed:
    """Logs the end of a stream, as the person sees it: what they sent, and what they received."""
    return lambda sent, received: log.info(Event.FORWARD_CLOSED, sent=sent, received=received)


def shown(address: SocketAddress) -> str:
    """A target or an address, for the log and for people."""
    match address:
        case TcpAddress(host, port):
            return str(TcpAddress(clean(host, limit=100), port))
        case UnixAddress(path):
            return clean(path, limit=100)


def called(address: SocketAddress) -> str:
    """The same where it stands in a sentence: `port 9000` where it is one of all addresses."""
    match address:
        case TcpAddress("" | "*", port):
            return f"port {port}"
        case _:
            return shown(address)


# ------------------------------------------------------------------------------------ binding


def bind(
    rules: Sequence[Rule], address: SocketAddress, may: Callable[[SocketAddress], bool]
) -> list[socket.socket]:
    """Listens on `address` where the rules and the roles (`may`) say so, and on some port of theirs
    where it has port 0; no sockets where they do not. Raises `CannotListen`."""
    match address:
        case TcpAddress(host, 0):
            return _bind_any_port(rules, host, may)
        case _ if not (may_listen(rules, address) and may(address)):
            return []
        case TcpAddress(host, port):
            return _bind_all(bind_addresses(host) or (), port)
        case UnixAddress(path):
            return _bind_path(path)


def _bind_any_port(
    rules: Sequence[Rule], host: str, may: Callable[[SocketAddress], bool]
) -> list[socket.socket]:
    reason = None
    for port in _candidates(free_ports(rules, host)):
        if may(TcpAddress(host, port)):
            try:
                return _bind_all(bind_addresses(host) or (), port)
            except CannotListen as cannot:
                reason = cannot
    if reason is not None:
        raise reason
    return []


def _candidates(spans: Iterable[range]) -> Iterator[int]:
    """Some ports of each span, in no order that anybody could count on."""
    for span in spans:
        yield from random.sample(span, min(PORT_TRIES, len(span)))


def _bind_all(hosts: Sequence[str], port: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    for host in hosts:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            sock = socket.create_server((host, port), family=family, backlog=BACKLOG)
        except OSError as error:
            if sockets and error.errno in _NO_SUCH_FAMILY:
                continue  # a machine without IPv6
            for made in sockets:
                made.close()
            raise CannotListen(_reason(error)) from None
        sock.setblocking(False)
        sockets.append(sock)
    return sockets


def _bind_path(path: str) -> list[socket.socket]:
    """Listens on a Unix socket that only this user may connect to. Raises `CannotListen`: also
    where something lies there already, which is never removed."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(sock.fileno(), 0o600)  # what it is bound with, on Linux
        sock.bind(path)
        os.chmod(path, 0o600)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except (OSError, ValueError) as error:
        sock.close()
        raise CannotListen(_reason(error)) from None
    return [sock]


def unbind(sockets: Iterable[socket.socket]) -> None:
    """Closes what was bound, and removes the name of a Unix socket."""
    for sock in sockets:
        if sock.family == socket.AF_UNIX:
            with suppress(OSError):
                os.unlink(sock.getsockname())
        sock.close()


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "it is in use"
    return getattr(error, "strerror", None) or str(error)
