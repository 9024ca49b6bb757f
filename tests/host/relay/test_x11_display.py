"""Displays: who gets one, what gets through to it, and what is left behind: nothing."""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import socket
import struct
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import paramiko
import pytest

from tests.waiting import DEADLINE, until
from tuihost import Accepts, App, Disconnected, NotOpened, Session, X11Display, command
from tuihost.core.budget.ledger import Kind
from tuihost.core.x11_setup import COOKIE
from tuihost.host.relay.display_files import SOCKETS
from tuihost.host.relay.x11_display import MAX_CONNECTIONS, ClientDisplay
from tuihost.testing import Hosted, hosted
from tuihost.testing.hosted import hang_up

FAKE = "00112233445566778899aabbccddeeff"
NAME = COOKIE.encode()


class Show(App):
    """Holds its display until it is told to end."""

    name = "show"
    accepts = Accepts(x11=True)

    def start(self) -> None:
        self.displays: queue.Queue[X11Display] = queue.Queue()
        self.over = threading.Event()

    @command
    def hold(self, session: Session) -> int:
        assert session.display is not None
        self.displays.put(session.display)
        session.display.on_close(self.over.set)
        self.over.wait(DEADLINE)
        return 0

    @command
    def look(self, session: Session) -> int:
        return 0 if session.display is None else 1

    def x11(self, session: Session, display: X11Display) -> int:
        session.print(f"screen {display.screen}")
        return 3


class Other(App):
    """Accepts none."""

    name = "other"

    @command
    def look(self, session: Session) -> int:
        return 0 if session.display is None else 1


class Visitor:
    """A client that offers its display, and keeps what comes for it."""

    def __init__(self, host: Hosted, user: str = "ada") -> None:
        self.transport = host.connect(user)
        self.channel = self.transport.open_session(timeout=DEADLINE)
        self.came: queue.Queue[paramiko.Channel] = queue.Queue()

    def offer(self, *, single: bool = False, screen: int = 0, protocol: str = COOKIE) -> None:
        self.channel.request_x11(
            screen, protocol, FAKE, single, lambda channel, _: self.came.put(channel)
        )

    def next(self) -> paramiko.Channel:
        channel = self.came.get(timeout=DEADLINE)
        channel.settimeout(DEADLINE)
        return channel


@contextlib.contextmanager
def visiting(**settings: Any) -> Iterator[tuple[Hosted, Visitor, Show]]:
    app = Show()
    with hosted(app, Other(), settings=settings) as host:
        visitor = Visitor(host)
        try:
            yield host, visitor, app
        finally:
            app.over.set()
            hang_up(visitor.transport)


@contextlib.contextmanager
def holding(**offer: Any) -> Iterator[tuple[Hosted, Visitor, X11Display]]:
    """A session that has its display, in a command."""
    with visiting() as (host, visitor, app):
        visitor.offer(**offer)
        visitor.channel.exec_command("show hold")
        yield host, visitor, app.displays.get(timeout=DEADLINE)


def setup(cookie: bytes) -> bytes:
    head = b"l\0" + struct.pack("<HHHHxx", 11, 0, len(NAME), len(cookie))
    return head + NAME + b"\0" * (-len(NAME) % 4) + cookie


def cookie_in(environment: Mapping[str, str]) -> bytes:
    return Path(environment["XAUTHORITY"]).read_bytes()[-16:]


def program(environment: Mapping[str, str], *, abstract: bool = False) -> socket.socket:
    """A connection as an X client makes it."""
    number = environment["DISPLAY"].lstrip(":").partition(".")[0]
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(f"{chr(0) if abstract else ''}{SOCKETS}/X{number}")
    sock.settimeout(DEADLINE)  # only now: with one, connecting does not wait for a place
    return sock


# ------------------------------------------------------------------------------ who gets one


def test_an_app_that_raises_when_its_display_is_closed_still_ends() -> None:
    told = threading.Event()
    with visiting() as (host, visitor, app):
        visitor.offer()
        visitor.channel.exec_command("show hold")
        display = app.displays.get(timeout=DEADLINE)

        def raises() -> None:
            raise SystemExit("a mistake in the app")

        display.on_close(raises)
        display.on_close(told.set)
        app.over.set()
        assert visitor.channel.recv_exit_status() == 0
        assert told.wait(DEADLINE)
        assert host.log.wait_for("app.error")["app"] == "show"
        host.log.wait_for("session.end")


def test_only_an_app_that_accepts_it_sees_a_display() -> None:
    with visiting() as (host, visitor, _):
        visitor.offer()
        visitor.channel.exec_command("other look")
        assert visitor.channel.recv_exit_status() == 0
        assert host.run("show look").status == 0, "none came along"


def test_an_app_shows_itself_where_its_name_alone_is_the_command() -> None:
    with visiting() as (_, visitor, _):
        visitor.offer(screen=2)
        visitor.channel.exec_command("show")
        assert visitor.channel.makefile("rb").read() == b"screen 2\n"
        assert visitor.channel.recv_exit_status() == 3


@pytest.mark.parametrize(
    "settings", [{"roles": {"guest": {"x11": False}}}, {"roles": {"guest": {"apps": ["other"]}}}]
)
def test_who_may_not_is_refused(settings: Any) -> None:
    with visiting(**settings) as (host, visitor, _):
        with pytest.raises(paramiko.SSHException):
            visitor.offer()
        assert host.log.wait_for("request.refused")["kind"] == "x11-req"


def test_a_display_is_offered_once_and_with_a_cookie_that_is_known() -> None:
    with visiting() as (_, visitor, _), pytest.raises(paramiko.SSHException):
        visitor.offer(protocol="XDM-AUTHORIZATION-1")
    with visiting() as (_, visitor, _):
        visitor.offer()
        with pytest.raises(paramiko.SSHException):
            visitor.offer()


# ------------------------------------------------------------------------------ what gets through


def test_an_app_speaks_to_it_over_a_stream_or_a_socket() -> None:
    with holding() as (_, visitor, display):
        assert display.cookie == bytes.fromhex(FAKE)
        stream = display.connect(DEADLINE)
        client = visitor.next()
        stream.write(b"hello")
        assert client.recv(100) == b"hello"
        client.sendall(b"and hello")
        assert stream.read() == b"and hello"
        stream.close()
        sock = display.connect_socket(DEADLINE)
        sock.settimeout(DEADLINE)
        client = visitor.next()
        sock.sendall(b"again")
        assert client.recv(100) == b"again"
        client.close()
        assert sock.recv(1) == b""
        sock.close()


@pytest.mark.parametrize("abstract", [False, True])
def test_a_program_gets_through_with_its_own_cookie_replaced(abstract: bool) -> None:
    if abstract and sys.platform != "linux":
        pytest.skip("abstract sockets are Linux's")
    with holding(screen=1) as (host, visitor, display):
        environment = display.environment()
        assert environment["DISPLAY"].endswith(".1")
        assert display.environment() == environment
        assert os.stat(environment["XAUTHORITY"]).st_mode & 0o777 == 0o600
        own = cookie_in(environment)
        assert own != display.cookie
        with program(environment, abstract=abstract) as sock:
            whole = setup(own) + b"first request"
            for at in range(0, len(whole), 7):
                sock.sendall(whole[at : at + 7])
            client = visitor.next()
            expected = setup(bytes.fromhex(FAKE)) + b"first request"
            got = b""
            while len(got) < len(expected):
                got += client.recv(100)
            assert got == expected
            client.sendall(b"welcome")
            assert sock.recv(100) == b"welcome"
        client.close()
        closed = host.log.wait_for("forward.closed")
        assert (closed["sent"], closed["received"]) == (7, len(expected))


@pytest.mark.parametrize("cookie", [bytes(16), bytes.fromhex(FAKE), b""])
def test_a_wrong_cookie_gets_an_answer_and_no_further(cookie: bytes) -> None:
    with holding() as (host, visitor, display), program(display.environment()) as sock:
        sock.sendall(setup(cookie))
        said = sock.recv(1000)
        assert (said[0], said[8:27]) == (0, b"its cookie is wrong")
        assert sock.recv(1) == b""
        refused = host.log.wait_for("request.refused")
        assert (refused["kind"], refused["reason"]) == ("x11", "its cookie is wrong")
        assert visitor.came.empty()


def test_without_descriptors_nothing_is_accepted_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accept, tries = socket.socket.accept, []

    def full(sock: socket.socket) -> Any:
        tries.append(sock)
        if len(tries) == 1:
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(sock)

    with holding() as (host, visitor, display):
        assert isinstance(display, ClientDisplay)
        environment, pump = display.environment(), display._pump()
        monkeypatch.setattr(socket.socket, "accept", full)
        with program(environment) as sock:
            sock.sendall(setup(cookie_in(environment)))
            assert "Too many open files" in host.log.wait_for("host.error")["reason"]
            for _ in range(3):  # rounds of the thread, in each of which it would try again
                came = threading.Event()
                pump.call(came.set)
                assert came.wait(DEADLINE)
            assert len(tries) == 1
            visitor.next()  # and then it gets through


def test_a_socket_that_cannot_be_had_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> Any:
        raise OSError(errno.EMFILE, "Too many open files")

    with holding() as (host, visitor, display):
        assert isinstance(display, ClientDisplay)
        display._pump()  # has one of its own, which is there already
        before = host.host.budget.held(Kind.DESCRIPTORS)
        monkeypatch.setattr(socket, "socketpair", full)
        with pytest.raises(NotOpened, match="no socket left: Too many open files"):
            display.connect_socket(DEADLINE)
        assert host.host.budget.held(Kind.DESCRIPTORS) == before
        assert visitor.next().recv(1) == b""


def test_what_is_no_x_client_gets_no_further() -> None:
    with holding() as (host, visitor, display), program(display.environment()) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""
        assert host.log.wait_for("request.refused")["reason"] == "that is not an X client"
        assert visitor.came.empty()


def test_a_client_that_takes_one_connection_is_asked_for_one() -> None:
    with holding(single=True) as (_, visitor, display):
        assert display.single_connection
        display.connect(DEADLINE).close()
        visitor.next()
        with pytest.raises(NotOpened, match="single"):
            display.connect(DEADLINE)
        with program(display.environment()) as sock:
            sock.sendall(setup(cookie_in(display.environment())))
            assert b"single connection" in sock.recv(1000)


def test_connections_are_bounded() -> None:
    with holding() as (_, visitor, display):
        streams = [display.connect(DEADLINE) for _ in range(MAX_CONNECTIONS)]
        with pytest.raises(NotOpened, match="too many"):
            display.connect(DEADLINE)
        streams[0].close()
        display.connect(DEADLINE)
        for _ in range(MAX_CONNECTIONS + 1):
            visitor.next()
        assert visitor.came.empty()


def test_a_client_that_refuses_is_believed() -> None:
    with holding() as (_, visitor, display):
        visitor.transport._x11_handler = None  # paramiko refuses then
        with pytest.raises(NotOpened):
            display.connect(DEADLINE)
        with program(display.environment()) as sock:
            sock.sendall(setup(cookie_in(display.environment())))
            assert sock.recv(1000)[:1] == b"\0"
            assert sock.recv(1) == b""


# ------------------------------------------------------------------------------ when it is over


def test_everything_ends_with_the_session() -> None:
    with holding() as (_, visitor, display):
        environment = display.environment()
        stream = display.connect(DEADLINE)
        visitor.next()
        waiting = program(environment)
        inside = program(environment)
        inside.sendall(setup(cookie_in(environment)))
        client = visitor.next()
        assert client.recv(100)[:1] == b"l"
        visitor.channel.close()
        assert inside.recv(1) == b""
        assert stream.closed
        over = threading.Event()
        display.on_close(over.set)
        assert over.wait(DEADLINE)
        assert display.closed
        with pytest.raises(Disconnected):
            display.connect(DEADLINE)
        with pytest.raises(Disconnected):
            display.environment()
        for sock in (waiting, inside):
            sock.close()
    number = environment["DISPLAY"].lstrip(":").partition(".")[0]
    until(lambda: not Path(environment["XAUTHORITY"]).exists(), "the file of cookies to go")
    until(lambda: not (SOCKETS / f"X{number}").exists(), "the socket to go")


def test_ten_thousand_connections_without_a_cookie() -> None:
    with holding() as (_, visitor, display):
        environment = display.environment()
        silent = [program(environment) for _ in range(64)]
        for _ in range(10_000):
            with contextlib.suppress(BrokenPipeError), program(environment) as sock:
                sock.sendall(b"no cookie at all")
        for sock in silent:
            sock.close()
        for _ in range(20):
            with contextlib.suppress(queue.Empty, BrokenPipeError), program(environment) as sock:
                sock.sendall(setup(cookie_in(environment)))
                assert visitor.came.get(timeout=1.0)
                break
        else:
            raise AssertionError("nobody gets through any more")
