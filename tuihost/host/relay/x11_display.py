"""Somebody's own screen, reached through their connection: RFC 4254 §6.3.

`ClientDisplay` is what an app holds. A program on this machine reaches the same screen through
sockets of its session's own, which are open to this user only, with a cookie that is good for
nothing else: it is checked, and replaced by the one that the client expects, before anything is
passed on.
"""

from __future__ import annotations

import os
import secrets
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Protocol

from tuihost.core.budget.ledger import FREE, Exceeded, Kind, Lease, Share
from tuihost.core.x11_setup import COOKIE_BYTES, MAX_SETUP, Setup, cookie_of, read_setup
from tuihost.errors import Disconnected, TookTooMuch
from tuihost.host.budget.descriptors import counted
from tuihost.host.relay.channel_stream import ChannelStream, open_stream
from tuihost.host.relay.display_files import DisplayFiles
from tuihost.host.relay.end_actions import EndActions
from tuihost.host.relay.pump import READ, Pump
from tuihost.logs import Event, EventLog
from tuihost.session.streams import NotOpened
from tuihost.wire import ByteChannel, Cancellable, Link, OpenX11, Peer, Refuse, X11Request

MAX_CONNECTIONS = 16  # to one display at one time
MAX_PENDING = 32  # programs that have not shown their cookie yet
SETUP_TIMEOUT = 10.0  # seconds for a program to say who it is
KIND = "x11"
_HERE = Peer("127.0.0.1", 0)


class _Connection(Protocol):
    """A connection to the display."""

    @property
    def closed(self) -> bool: ...

    def close(self) -> None: ...


class ClientDisplay:
    """Implements `tuihost.session.streams.X11Display`."""

    def __init__(
        self,
        link: Link,
        request: X11Request,
        pump: Callable[[], Pump],
        log: EventLog,
        share: Share = FREE,
    ) -> None:
        self.share = share
        cookie = cookie_of(request.protocol, request.cookie)
        assert cookie is not None, "such a request is refused"
        self.cookie = cookie
        self.single_connection = request.single_connection
        self.screen = request.screen
        self._link = link
        self._pump = pump
        self._log = log
        self._lock = threading.Lock()
        self._closed = False
        self._asked = self._opened = 0
        self._open: list[_Connection] = []
        self._ending = EndActions()
        self._local: _LocalDisplay | None = None

    @property
    def closed(self) -> bool:
        return self._closed

    def on_close(self, action: Callable[[], None]) -> Callable[[], None]:
        return self._ending.add(action)

    def connect(self, timeout: float = 10.0) -> ChannelStream:
        self.claim()
        try:
            stream = open_stream(self._link, OpenX11(_HERE), timeout)
        except BaseException:
            self.release()
            raise
        self.keep(stream)
        return stream

    def connect_socket(self, timeout: float = 10.0) -> socket.socket:
        pump = self._pump()
        stream = self.connect(timeout)
        lease = self.share.take(Kind.DESCRIPTORS, 2)
        if isinstance(lease, Exceeded):
            stream.close()
            raise NotOpened(lease.sentence)
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:
            lease.give_back()
            stream.close()
            raise NotOpened(f"the host has no socket left: {error.strerror}") from None
        pump.relay(stream.channel, counted(theirs, lease), self.ended(stream.channel))
        return ours

    def take_place(self) -> Lease:
        place = self.share.take(Kind.WINDOWS)
        if isinstance(place, Exceeded):
            raise TookTooMuch(place.sentence)
        return place

    def environment(self) -> Mapping[str, str]:
        with self._lock:
            if self._closed:
                raise Disconnected("the session is over")
            if self._local is None:
                self._local = _LocalDisplay(self, self._pump(), self._log)
            return self._local.environment

    def close(self) -> None:
        """The session is over: so are its windows. Any thread."""
        with self._lock:
            self._closed = True
            connections, self._open = self._open, []
            local, self._local = self._local, None
        for connection in connections:
            connection.close()
        if local is not None:
            local.close()
        self._ending.end()

    # ---------------------------------------------------------------- for the connections to it

    def claim(self) -> None:
        """Takes the place of one more connection. Raises `NotOpened`, `Disconnected`."""
        with self._lock:
            if self._closed:
                raise Disconnected("the session is over")
            if self.single_connection and self._opened + self._asked:
                raise NotOpened("the client takes a single connection to its display")
            self._open = [connection for connection in self._open if not connection.closed]
            if len(self._open) + self._asked >= MAX_CONNECTIONS:
                raise NotOpened("too many connections to the display")
            self._asked += 1

    def release(self) -> None:
        """The client did not open it."""
        with self._lock:
            self._asked -= 1

    def keep(self, connection: _Connection) -> None:
        """The client opened it: it ends with the session at the latest."""
        with self._lock:
            self._asked -= 1
            self._opened += 1
            if not self._closed:
                self._open.append(connection)
                self._log.info(Event.FORWARD_OPEN, target=KIND)
                return
        connection.close()

    def ended(self, channel: ByteChannel) -> Callable[[int, int], None]:
        """Logs the end of a connection, as the person sees it: sent, and received."""
        log = self._log.bound(chan=channel.number)
        return lambda sent, received: log.info(Event.FORWARD_CLOSED, sent=sent, received=received)

    def ask(self, settled: Callable[[ByteChannel | Refuse], None]) -> None:
        """Asks the client for a connection, without waiting."""
        self._link.open(OpenX11(_HERE), settled)


class _LocalDisplay:
    """A display number of this machine, for one session. Thread: the pump's, except `close`."""

    def __init__(self, display: ClientDisplay, pump: Pump, log: EventLog) -> None:
        self.display = display
        self.pump = pump
        self.log = log
        self.cookie = secrets.token_bytes(COOKIE_BYTES)
        self._files = DisplayFiles(self.cookie, display.screen)
        self.environment = self._files.environment
        self._watched = self._ended = False
        self.pending = 0
        if pump.adopt(self):
            pump.call(self._watch)

    def close(self) -> None:
        """Nobody gets through any more. Any thread."""
        self.pump.call(self.end)

    def end(self) -> None:
        """Takes the socket away."""
        if self._ended:
            return
        self._ended = True
        for sock in self._files.sockets if self._watched else ():
            self.pump.watch(sock, 0, self._watch)
        self._files.remove()
        self.pump.forget(self)

    def _watch(self) -> None:
        if not self._ended:
            self._watched = True
            for sock in self._files.sockets:
                self.pump.watch(sock, READ, partial(self._accept, sock))

    def _accept(self, listening: socket.socket) -> None:
        accepted = self.pump.accept(listening, self._watch)
        if accepted is None:
            return
        sock, _ = accepted
        lease = self.display.share.take(Kind.DESCRIPTORS)
        if isinstance(lease, Exceeded):
            sock.close()
            return
        sock = counted(sock, lease)
        if self.pending >= MAX_PENDING:
            sock.close()
        elif _user_of(sock) == os.getuid():
            _PendingProgram(self, sock).begin()
        else:
            self.log.info(Event.REQUEST_REFUSED, kind=KIND, reason="another user's program")
            sock.close()


class _PendingProgram:
    """A program that connected and has to show the cookie. Thread: the pump's."""

    def __init__(self, local: _LocalDisplay, sock: socket.socket) -> None:
        self._local = local
        self._pump = local.pump
        self._sock = sock
        self._data = b""
        self._ended = self._claimed = False
        self._deadline: Cancellable | None = None
        local.pending += 1

    def begin(self) -> None:
        """Waits for its first message, for a while."""
        self._sock.setblocking(False)
        if self._pump.adopt(self):
            self._deadline = self._pump.timer.call_later(
                SETUP_TIMEOUT, lambda: self._pump.call(self._late)
            )
            self._pump.watch(self._sock, READ, self._readable)

    def end(self) -> None:
        """Closes what did not become a connection."""
        if self._leave():
            self._sock.close()

    def _leave(self) -> bool:
        """Counts it no longer among the new ones; False if it was not one."""
        if self._ended:
            return False
        self._ended = True
        self._local.pending -= 1
        if self._deadline is not None:
            self._deadline.cancel()
            self._pump.watch(self._sock, 0, self._readable)
        self._pump.forget(self)
        return True

    def _late(self) -> None:
        if not self._claimed:
            self._refuse("it did not identify itself")

    def _readable(self) -> None:
        try:
            data = self._sock.recv(MAX_SETUP)
            self._data += data
            setup = read_setup(self._data)
        except (OSError, ValueError) as error:
            self._refuse(str(error))
            return
        if setup is not None:
            self._judge(setup)
        elif not data:
            self.end()

    def _judge(self, setup: Setup) -> None:
        display = self._local.display
        if not setup.shows(self._local.cookie):
            self._refuse("its cookie is wrong", setup)
            return
        try:
            display.claim()
        except (NotOpened, Disconnected) as error:
            self._refuse(str(error), setup)
            return
        self._claimed = True
        self._pump.watch(self._sock, 0, self._readable)  # what comes now waits for the client
        display.ask(lambda answer: self._pump.call(partial(self._settled, setup, answer)))

    def _settled(self, setup: Setup, answer: ByteChannel | Refuse) -> None:
        display = self._local.display
        if isinstance(answer, Refuse):
            display.release()
            self._refuse(answer.reason, setup)
            return
        display.keep(answer)
        if not self._leave():
            answer.close()
            return
        first = setup.with_cookie(display.cookie) + self._data[setup.length :]
        self._pump.relay(answer, self._sock, display.ended(answer), first)

    def _refuse(self, reason: str, setup: Setup | None = None) -> None:
        if self._ended:
            return
        self._local.log.info(Event.REQUEST_REFUSED, kind=KIND, reason=reason)
        if setup is not None:
            with suppress(OSError):
                self._sock.send(setup.refusal(reason))
        self.end()


def _user_of(sock: socket.socket) -> int:
    """The user whose program connected; ours where the system does not tell (the file's mode keeps
    others out, too)."""
    if not hasattr(socket, "SO_PEERCRED"):
        return os.getuid()
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", raw)[1])
