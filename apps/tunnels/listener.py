"""A port for browsers, from which names lead to people's machines."""

from __future__ import annotations

import errno
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from ipaddress import IPv6Address

from tuihost import AppLoadError, Peer, TcpAddress

from .browser_connection import IDLE, BrowserConnection
from .open_tunnels import OpenTunnels
from .web_front import WebFront

MAX_BROWSERS = 256  # connections at one time
LOOK_EVERY = 2.0
PAUSE = 1.0  # without accepting, where there are no descriptors left
BACKLOG = 128
MAPPED = "::ffff:"  # before an IPv4 address that came to an IPv6 socket (RFC 4291 §2.5.5.2)


class BrowserListener:
    """Listens, and gives each browser a thread."""

    def __init__(self, front: WebFront, tunnels: OpenTunnels) -> None:
        self.front = front
        self._tunnels = tunnels
        try:
            self._listener = _listen(front.listen)
        except OSError as error:
            raise AppLoadError(f"cannot listen on {front.listen}: {error.strerror}") from None
        self.port = int(self._listener.getsockname()[1])
        self._waker, self._woken = socket.socketpair()
        self._lock = threading.Lock()
        self._inside: dict[BrowserConnection, threading.Thread] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tunnels-listener", daemon=True)
        self._thread.start()

    def url(self, name: str) -> str:
        return self.front.url(name, self.port)

    def close(self) -> None:
        """Accepts nobody any more, and ends what is open. Waits for that."""
        self._closing.set()
        self._waker.send(b"\0")
        self._thread.join()
        with self._lock:
            inside = dict(self._inside)
        for connection in inside:
            connection.close()
        for thread in inside.values():
            thread.join(5.0)
        for sock in (self._listener, self._waker, self._woken):
            sock.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._closing.is_set():
                found = selector.select(LOOK_EVERY if self._inside else None)
                if any(key.fileobj is self._listener for key, _ in found):
                    self._accept()
                self._part_with_slow(time.monotonic())

    def _accept(self) -> None:
        try:
            sock, address = self._listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._closing.wait(PAUSE)
            return
        origin = Peer(str(address[0]).removeprefix(MAPPED), int(address[1]))
        if not self._make_room(origin, time.monotonic()):
            sock.close()
            return
        sock.settimeout(IDLE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self._begin(BrowserConnection(sock, origin, self._tunnels, self.front.name_of))

    def _begin(self, connection: BrowserConnection) -> None:
        def run() -> None:
            try:
                connection.run()
            finally:
                with self._lock:
                    self._inside.pop(connection, None)

        thread = threading.Thread(target=run, name="tunnels-browser", daemon=True)
        with self._lock:
            self._inside[connection] = thread
        try:
            thread.start()
        except RuntimeError:  # there can be no more threads
            connection.abandon()
            with self._lock:
                del self._inside[connection]

    def _make_room(self, origin: Peer, now: float) -> bool:
        """Lets one more in; if there are too many, another one has to go, if any may."""
        with self._lock:
            if len(self._inside) < MAX_BROWSERS:
                return True
            parting = _who_gives_way(tuple(self._inside), origin, now)
            if parting is None:
                return False
            del self._inside[parting]
        parting.close()
        return True

    def _part_with_slow(self, now: float) -> None:
        with self._lock:
            slow = [connection for connection in self._inside if connection.overdue(now)]
        for connection in slow:
            connection.close()


def _who_gives_way(
    inside: Sequence[BrowserConnection], origin: Peer, now: float
) -> BrowserConnection | None:
    """The one that has waited the longest without asking for anything; else the one that has been
    idle the longest, of the source with the most, if the newcomer's has fewer."""
    waiting = [connection for connection in inside if connection.waiting]
    if not waiting:
        counts = Counter(_source(connection.origin) for connection in inside)
        ((most, count),) = counts.most_common(1)
        if count <= counts[_source(origin)] + 1:
            return None
        waiting = [connection for connection in inside if _source(connection.origin) == most]
    return max(waiting, key=lambda connection: connection.idle(now))


def _source(peer: Peer) -> str | int:
    """What counts as one: an address of IPv4, and a site of IPv6, which has addresses enough for
    anything."""
    try:
        address = IPv6Address(peer.address)
    except ValueError:
        return peer.address
    return int(address) >> 64


def why_not_here(address: TcpAddress) -> str | None:
    """Why this machine cannot listen there, if it never can. An address that is in use does not
    count: a host may be running."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        try:
            sock.bind((address.host, address.port))
        except OSError as error:
            return None if error.errno == errno.EADDRINUSE else str(error.strerror)
    return None


def _listen(address: TcpAddress) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    sock = socket.create_server(
        (address.host, address.port),
        family=family,
        backlog=BACKLOG,
        dualstack_ipv6=address.host == "::" and socket.has_dualstack_ipv6(),
    )
    sock.setblocking(False)
    return sock
