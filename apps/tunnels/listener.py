"""The front door: a port for browsers, from which names lead to people's machines."""

from __future__ import annotations

import errno
import selectors
import socket
import threading
import time
from dataclasses import dataclass

from tuihost import AppLoadError, Peer

from .book import Book
from .exchange import Exchange

MAX_BROWSERS = 256  # connections to the door at one time
IDLE = 60.0  # seconds in which nothing moves
LOOK_EVERY = 5.0
PAUSE = 1.0  # without accepting, where there are no descriptors left
BACKLOG = 128


@dataclass(frozen=True, slots=True)
class Where:
    """Where the door is, and how the world calls it. `port` is the one in people's addresses."""

    host: str
    listen: int
    domain: str
    scheme: str = "http"
    port: int | None = None

    def url(self, name: str, listening: int) -> str:
        """The address of the tunnel `name`; `listening` is the port that was bound."""
        port = self.port if self.port is not None else listening
        usual = {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{name}.{self.domain}{'' if port == usual else f':{port}'}/"

    def name_of(self, host: str) -> str | None:
        """The name in what a browser calls `Host`."""
        name, _, rest = host.lower().partition(".")
        domain = rest.rpartition(":")[0] if ":" in rest else rest
        return name if domain.rstrip(".") == self.domain and name else None


class BrowserListener:
    """Listens, and gives each browser a thread."""

    def __init__(self, where: Where, book: Book) -> None:
        self.where = where
        self._book = book
        try:
            self._listener = _listen(where)
        except OSError as error:
            place = f"{where.host}:{where.listen}"
            raise AppLoadError(f"cannot listen on {place}: {error.strerror}") from None
        self.port = int(self._listener.getsockname()[1])
        self._waker, self._woken = socket.socketpair()
        self._lock = threading.Lock()
        self._inside: dict[Exchange, threading.Thread] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tunnels-door", daemon=True)
        self._thread.start()

    def url(self, name: str) -> str:
        return self.where.url(name, self.port)

    def close(self) -> None:
        """Nobody comes in any more, and those inside leave. Waits for them."""
        self._closing.set()
        self._waker.send(b"\0")
        self._thread.join()
        with self._lock:
            inside = dict(self._inside)
        for exchange in inside:
            exchange.close()
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
        self._begin(Exchange(sock, origin, self._book, self.where.name_of))

    def _begin(self, exchange: Exchange) -> None:
        def run() -> None:
            try:
                exchange.run()
            finally:
                with self._lock:
                    self._inside.pop(exchange, None)

        thread = threading.Thread(target=run, name="tunnels-browser", daemon=True)
        with self._lock:
            self._inside[exchange] = thread
        thread.start()

    def _part_with_idle(self, now: float) -> None:
        with self._lock:
            idle = [one for one in self._inside if one.idle(now) > IDLE]
        for one in idle:
            one.close()


def _listen(where: Where) -> socket.socket:
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    sock = socket.create_server((where.host, where.listen), family=family, backlog=BACKLOG)
    sock.setblocking(False)
    return sock
