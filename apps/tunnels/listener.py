"""A port for browsers, from which names lead to people's machines."""

from __future__ import annotations

import errno
import selectors
import socket
import threading
import time

from tuihost import AppLoadError, Peer, TcpAddress

from .browser_connection import BrowserConnection
from .open_tunnels import OpenTunnels
from .web_front import WebFront

MAX_BROWSERS = 256  # connections at one time
IDLE = 60.0  # seconds in which nothing moves
LOOK_EVERY = 5.0
PAUSE = 1.0  # without accepting, where there are no descriptors left
BACKLOG = 128


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
                self._part_with_idle(time.monotonic())

    def _accept(self) -> None:
        try:
            sock, address = self._listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._closing.wait(PAUSE)
            return
        with self._lock:
            full = len(self._inside) >= MAX_BROWSERS
        if full:
            sock.close()
            return
        sock.settimeout(IDLE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        origin = Peer(str(address[0]), int(address[1]))
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
        thread.start()

    def _part_with_idle(self, now: float) -> None:
        with self._lock:
            idle = [connection for connection in self._inside if connection.idle(now) > IDLE]
        for connection in idle:
            connection.close()


def _listen(address: TcpAddress) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    sock = socket.create_server((address.host, address.port), family=family, backlog=BACKLOG)
    sock.setblocking(False)
    return sock
