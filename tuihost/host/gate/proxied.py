"""Connections that trusted proxies bring, until they have said from whom.

Thread: the accept loop's, which never waits for one of them; only deadlines come from the timer's.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from tuihost.errors import PeerError
from tuihost.host.gate._proxy_protocol import HeaderReader, read_header
from tuihost.wire import Cancellable, Peer, Timer

HEADER_TIMEOUT = 5.0
"""Seconds that a proxy has for its header; it is the first thing that it sends."""
MAX_WAITING = 256

Bring = Callable[[socket.socket, Peer, bool | None], object]


@dataclass(slots=True, eq=False)
class ProxiedConnection:
    """One connection whose header is not complete."""

    sock: socket.socket
    proxy: Peer
    reader: HeaderReader = field(default_factory=HeaderReader)
    late: bool = False
    deadline: Cancellable | None = None


class ProxiedConnections:
    """All of them. `bring` gets each socket with the peer that its header names, or with the
    proxy itself if it names none, and whether it is exempt: True for a proxy that speaks for
    itself, False for a client that it cannot name, None if that is up to the address. `refused`
    gets the proxy and a reason."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        timer: Timer,
        bring: Bring,
        refused: Callable[[Peer, str], None],
    ) -> None:
        self._selector = selector
        self._timer = timer
        self._bring = bring
        self._refused = refused
        self._lock = threading.Lock()
        self._waiting: set[ProxiedConnection] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def begin(self, sock: socket.socket, proxy: Peer) -> None:
        """Takes a connection that was just accepted. Its header is mostly there already."""
        connection = ProxiedConnection(sock, proxy)
        if self._read(connection):
            return
        if len(self._waiting) >= MAX_WAITING:
            sock.close()
            self._refused(proxy, "Too many connections without a PROXY header")
            return
        self._waiting.add(connection)
        self._selector.register(sock, selectors.EVENT_READ, connection)
        connection.deadline = self._timer.call_later(
            HEADER_TIMEOUT, lambda: self._expire(connection)
        )

    def proceed(self, connection: ProxiedConnection) -> None:
        """The selector has found its socket readable."""
        self._read(connection)

    def close(self) -> None:
        """Closes all that still wait."""
        for connection in tuple(self._waiting):
            self._release(connection)
            connection.sock.close()

    def _read(self, connection: ProxiedConnection) -> bool:
        """Reads on. True once the connection has been passed on or closed."""
        try:
            if not read_header(connection.sock, connection.reader):
                return False
        except (PeerError, EOFError, OSError) as error:
            self._release(connection)
            connection.sock.close()
            # A proxy that connects and leaves without a word only looks whether we are there.
            if connection.late:
                self._refused(connection.proxy, "the PROXY header took too long")
            elif connection.reader.begun:
                broken = isinstance(error, PeerError)
                self._refused(
                    connection.proxy, str(error) if broken else "the PROXY header broke off"
                )
            return True
        self._release(connection)
        assert connection.reader.origin is not None, "a complete header has an origin"
        origin = connection.reader.origin
        if origin.peer is not None:
            self._bring(connection.sock, origin.peer, None)
        else:
            self._bring(connection.sock, connection.proxy, origin.local)
        return True

    def _release(self, connection: ProxiedConnection) -> None:
        with self._lock:
            waited = connection in self._waiting
            self._waiting.discard(connection)
        if waited:
            self._selector.unregister(connection.sock)
            if connection.deadline is not None:
                connection.deadline.cancel()

    def _expire(self, connection: ProxiedConnection) -> None:
        """The timer's thread: wakes the loop by ending the line, and leaves the rest to it."""
        with self._lock:  # while it waits, its socket is not closed
            if connection in self._waiting:
                connection.late = True
                with suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)
