"""A live host of a few programs on 127.0.0.1, for real clients: `HostTransport` and no more."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.listening import accepting
from tests.log import SILENT
from tests.ssh.answerers import Recorder
from tests.ssh.raw_client import serve_client
from tests.verifiers import OpenGuests
from tests.waiting import DEADLINE
from tuihost.core.limits import TransportLimits
from tuihost.core.login.authentication import AuthMachine
from tuihost.host._watchdog import Watchdog
from tuihost.ssh.keys.host_keys import HostKeys
from tuihost.ssh.transport import HostTransport
from tuihost.wire import (
    Answer,
    ByteChannel,
    ExecRequest,
    ExitSignal,
    ExitStatus,
    Grant,
    Peer,
    Refuse,
    SessionRequest,
    ShellRequest,
    Stream,
    SubsystemRequest,
)


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


class LiveAnswerer(Recorder):
    """Grants everything but forwards; runs each program on a thread of its own."""

    def __init__(self, threads: list[threading.Thread]) -> None:
        super().__init__(ANSWERS, on_replied=self._start)
        self.threads = threads
        self.programs: set[int] = set()

    def of(self, method: str) -> list[Any]:
        """What that method was told."""
        return [what for called, what in tuple(self.told) if called == method]

    @property
    def requests(self) -> list[SessionRequest]:
        return self.of("request")

    @property
    def closed(self) -> list[int]:
        """The numbers of the channels that are closed."""
        return self.of("channel_closed")

    def request(self, channel: ByteChannel, request: SessionRequest) -> Answer:
        answer = super().request(channel, request)
        if isinstance(request, ShellRequest | ExecRequest | SubsystemRequest):
            if channel.number in self.programs:
                return Refuse("one program a session")
            self.programs.add(channel.number)
        return answer

    def _start(self, channel: ByteChannel, request: SessionRequest) -> None:
        command = request.command if isinstance(request, ExecRequest) else "cat"
        name = f"program {channel.number}"
        thread = threading.Thread(target=run_program, args=(channel, command), name=name)
        self.threads.append(thread)
        thread.start()


ANSWERS = {"global_request": Refuse("no"), "RemoteForward": Grant(port=4242)}


class Host:
    """Takes connections until it is closed."""

    def __init__(self, limits: TransportLimits, timer: Watchdog) -> None:
        self.limits = limits
        self.timer = timer
        self.keys = HostKeys.fresh()
        self.transports: list[HostTransport] = []
        self.answerers: list[LiveAnswerer] = []
        self.threads: list[threading.Thread] = []
        self.port = 0

    def take(self, sock: socket.socket, peer: Peer) -> HostTransport:
        answerer = LiveAnswerer(self.threads)
        transport = HostTransport(
            sock,
            peer=peer,
            keys=self.keys,
            auth=AuthMachine(OpenGuests()),
            answerer=answerer,
            limits=self.limits,
            timer=self.timer,
            log=SILENT,
            run=lambda: serve_client(transport),
        )
        self.answerers.append(answerer)
        self.transports.append(transport)
        transport.start()
        return transport

    def close(self) -> None:
        for transport in self.transports:
            transport.close("the test is over")
            transport.join(DEADLINE)
        for thread in self.threads:
            thread.join(DEADLINE)
            assert not thread.is_alive(), f"{thread.name} is left behind"


@contextmanager
def live_host(**limits: Any) -> Iterator[Host]:
    timer = Watchdog(SILENT)
    timer.start()
    host = Host(TransportLimits(**limits), timer)
    try:
        with accepting(host.take) as host.port:
            yield host
    finally:
        host.close()
        timer.stop()
