"""A live host of a few programs on 127.0.0.1, for real clients: `HostTransport` and no more."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.ssh.raw_client import serve_client
from tests.verifiers import OpenGuests
from tests.waiting import DEADLINE
from tuihost.core.limits import TransportLimits
from tuihost.core.login.authentication import AuthMachine
from tuihost.logs import EventLog
from tuihost.ssh.keys.host_keys import HostKeys
from tuihost.ssh.transport import HostTransport
from tuihost.wire import (
    Answer,
    ByteChannel,
    EndOfInput,
    ExecRequest,
    ExitSignal,
    ExitStatus,
    GlobalRequest,
    Grant,
    Identity,
    OpenRequest,
    Peer,
    Refuse,
    RemoteForward,
    SessionEvent,
    SessionRequest,
    Stream,
)


class LiveTimer:
    """A `Timer` with one thread."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._cancelled: set[int] = set()
        self._count = itertools.count()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="test timer", daemon=True)
        self._thread.start()

    def now(self) -> float:
        return time.monotonic()

    def call_later(self, seconds: float, action: Callable[[], None]) -> _Scheduled:
        with self._changed:
            number = next(self._count)
            heapq.heappush(self._heap, (self.now() + seconds, number, action))
            self._changed.notify()
        return _Scheduled(self._cancelled, number)

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join(DEADLINE)

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopped:
                    return
                left = self._heap[0][0] - self.now() if self._heap else None
                if left is None or left > 0:
                    self._changed.wait(left)
                    continue
                _, number, action = heapq.heappop(self._heap)
            if number not in self._cancelled:
                action()


@dataclass
class _Scheduled:
    cancelled: set[int]
    number: int

    def cancel(self) -> None:
        self.cancelled.add(self.number)


def pump(channel: ByteChannel, data: bytes | memoryview, stream: Stream = Stream.OUT) -> None:
    """Writes everything, waiting for the client's window."""
    view = memoryview(data)
    while view:
        view = view[channel.write(view, stream) :]
        if view:
            assert channel.wait(lambda: not channel.congested, DEADLINE), "the window stays shut"


def read_all(channel: ByteChannel) -> bytes:
    """Everything up to the end of the client's input."""
    return b"".join(iter(lambda: read_some(channel), b""))


def read_some(channel: ByteChannel) -> bytes:
    """What comes next; empty at the end."""
    got: list[bytes] = []

    def arrived() -> bool:
        data = channel.read()
        if data is not None:
            got.append(data)
        return data is not None

    assert channel.wait(arrived, DEADLINE), "nothing came"
    return got[0]


def run_program(channel: ByteChannel, command: str) -> None:
    """The programs that there are."""
    verb, _, rest = command.partition(" ")
    match verb:
        case "cat":
            for data in iter(lambda: read_some(channel), b""):
                pump(channel, data)
            channel.finish(ExitStatus(0))
        case "count":
            size = len(read_all(channel))
            pump(channel, f"{size}".encode())
            channel.finish(ExitStatus(0))
        case "flood":
            block, left = bytes(1 << 20), int(rest)
            while left > 0:
                pump(channel, memoryview(block)[: min(left, len(block))])
                left -= len(block)
            channel.finish(ExitStatus(0))
        case "both":
            pump(channel, b"out")
            pump(channel, b"err", Stream.ERR)
            channel.finish(ExitStatus(int(rest)))
        case "killed":
            pump(channel, b"bye")
            channel.finish(ExitSignal(rest, "as asked"))
        case "wait":
            channel.wait(lambda: channel.closed, DEADLINE)
        case "hang":
            return  # the test has the channel
    if verb not in ("hang", "wait"):
        channel.wait(lambda: channel.closed, DEADLINE)


@dataclass
class LiveAnswerer:
    """Grants everything but forwards; runs each program on a thread of its own."""

    host: Host
    events: list[SessionEvent] = field(default_factory=list)
    requests: list[SessionRequest] = field(default_factory=list)
    channels: list[Any] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    identity: Identity | None = None
    programs: set[int] = field(default_factory=set)

    def logged_in(self, identity: Identity) -> None:
        self.identity = identity

    def open(self, request: OpenRequest) -> Answer:
        return Grant()

    def opened(self, request: OpenRequest, channel: ByteChannel) -> None:
        self.channels.append(channel)
        self.host.changed()

    def request(self, channel: ByteChannel, request: SessionRequest) -> Answer:
        self.requests.append(request)
        if hasattr(request, "command") or type(request).__name__ == "ShellRequest":
            if channel.number in self.programs:
                return Refuse("one program a session")
            self.programs.add(channel.number)
        self.host.changed()
        return Grant()

    def replied(self, channel: ByteChannel, request: SessionRequest) -> None:
        command = request.command if isinstance(request, ExecRequest) else "cat"
        name = f"program {channel.number}"
        thread = threading.Thread(target=run_program, args=(channel, command), name=name)
        self.host.threads.append(thread)
        thread.start()

    def event(self, channel: ByteChannel, event: SessionEvent) -> None:
        if not isinstance(event, EndOfInput):
            self.events.append(event)
        self.host.changed()

    def channel_closed(self, channel: ByteChannel) -> None:
        self.closed.append(channel.number)
        self.host.changed()

    def global_request(self, request: GlobalRequest) -> Answer:
        return Grant(port=4242) if isinstance(request, RemoteForward) else Refuse("no")


class Host:
    """Takes connections until it is closed."""

    def __init__(self, limits: TransportLimits) -> None:
        self.limits = limits
        self.timer = LiveTimer()
        self.keys = HostKeys.fresh()
        self.transports: list[HostTransport] = []
        self.answerers: list[LiveAnswerer] = []
        self.threads: list[threading.Thread] = []
        self.log = EventLog(logging.getLogger("tuihost"))
        self._changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="test accept")
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, address = self._listener.accept()
            except OSError:
                return
            self.take(sock, Peer(*address[:2]))

    def take(self, sock: socket.socket, peer: Peer) -> HostTransport:
        answerer = LiveAnswerer(self)
        transport = HostTransport(
            sock,
            peer=peer,
            keys=self.keys,
            auth=AuthMachine(OpenGuests()),
            answerer=answerer,
            limits=self.limits,
            timer=self.timer,
            log=self.log,
            run=lambda: serve_client(transport),
        )
        self.answerers.append(answerer)
        self.transports.append(transport)
        transport.start()
        self.changed()
        return transport

    def changed(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def wait(self, ready: Callable[[], object], what: str) -> None:
        """Blocks until `ready()`, which looks at what the transport threads have told."""
        deadline = time.monotonic() + DEADLINE
        with self._changed:
            while not ready():
                left = deadline - time.monotonic()
                assert left > 0, f"waited in vain: {what}"
                self._changed.wait(min(left, 0.1))

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(DEADLINE)
        for transport in self.transports:
            transport.close("the test is over")
            transport.join(DEADLINE)
        for thread in self.threads:
            thread.join(DEADLINE)
            assert not thread.is_alive(), f"{thread.name} is left behind"
        self.timer.stop()


@contextlib.contextmanager
def live_host(**limits: Any) -> Iterator[Host]:
    host = Host(TransportLimits(**limits))
    try:
        yield host
    finally:
        host.close()
