"""The transport's thread decides and starts; it never waits and never works.

What is counted here is counted on that thread, from a request that has reached its channel to the
next message.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import paramiko
import pytest

import tuihost
from tests.waiting import DEADLINE, allowed
from tuihost import Accepts, Account, App, Disconnected, Forward, ForwardRule, Session, command
from tuihost.core.limits import TransportLimits
from tuihost.database import READERS, Database
from tuihost.host.access import Access
from tuihost.host.server._connection import Connection
from tuihost.ssh.connection.layer import ConnectionLayer
from tuihost.terminal_facts import TerminalFacts
from tuihost.testing import Hosted, hosted
from tuihost.testing.hosted import hang_up
from tuihost.wire import Stream

PACKAGE = str(Path(tuihost.__file__).parent)
QUICK = 0.02  # seconds
HOLD = 1.0  # seconds
MEASURED = 0.3  # seconds


class Box(App):
    """Says what it is told."""

    name = "box"
    title = "Box"
    accepts = Accepts(x11=True, agent=True, forwards=(ForwardRule("box", 7),))

    @command
    def echo(self, session: Session, *words: str) -> None:
        """Says it again."""
        session.print(*words)

    @command
    def cat(self, session: Session) -> None:
        """Says what comes."""
        while data := session.read():
            session.write(data)

    @command
    def size(self, session: Session) -> None:
        """Says how large the window is, once there is input."""
        session.read()
        size = session.terminal.size
        session.print(f"{size.columns}x{size.rows}")

    def forward(self, forward: Forward) -> None:
        while data := forward.stream.read():
            forward.stream.write(data)


# ------------------------------------------------------------------------------ what it does


class Traced:
    """The calls on the transport's thread while it answers a request of a channel."""

    def __init__(self) -> None:
        self._files: set[str] = set()

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            self._files.add(frame.f_code.co_filename)

    @property
    def files(self) -> set[str]:
        """Those of the package."""
        inside = (name for name in self._files if name.startswith(PACKAGE))
        return {name.removeprefix(f"{PACKAGE}/") for name in inside}


@contextmanager
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traced]:
    found = Traced()
    answer = ConnectionLayer._channel_request

    def watched(layer: ConnectionLayer, *given: Any) -> None:
        sys.setprofile(found)
        try:
            answer(layer, *given)
        finally:
            sys.setprofile(None)

    with monkeypatch.context() as patch:
        patch.setattr(ConnectionLayer, "_channel_request", watched)
        yield found


def test_an_exec_request_is_decided_and_started_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    may_open = Access.may_open

    def counted(access: Access, account: Account, app: str) -> bool:
        asked.append(app)
        return may_open(access, account, app)

    monkeypatch.setattr(Access, "may_open", counted)
    with hosted(Box(), bundled=True) as host, traced(monkeypatch) as found:
        transport = host.connect()
        channel = transport.open_session(timeout=DEADLINE)
        channel.exec_command("box echo hi")
        assert channel.makefile("rb").read() == b"hi\n"
        hang_up(transport)
    # Of these two thirds read the message and write the answer.
    assert len(found.files) <= 12, sorted(found.files)
    assert {name for name in found.files if not name.startswith("ssh/")} == {
        "core/limits.py",
        "core/session_channel.py",
        "host/programs/program.py",
        "host/server/_connection.py",
    }
    assert len(asked) <= 2, "what a login may open is decided once"


# ------------------------------------------------------------------------- how long it takes


@contextmanager
def everything(host: Hosted) -> Iterator[None]:
    """Takes all that somebody may have to wait for: the databases and their files, the log, and the
    locks of the host."""
    inner = host.host
    databases = (inner.preference_store._database, host.server.login_services.store._database)
    with ExitStack() as stack:
        for database in databases:
            assert isinstance(database, Database)
            database.open()
            other = stack.enter_context(closing(sqlite3.connect(database.path)))
            other.execute("begin exclusive")
            stack.enter_context(database._write_lock)
            for _ in range(READERS):
                stack.enter_context(database._read_places)
        for lock in (inner.preference_store._lock, inner.roster._lock, inner._count_lock):
            stack.enter_context(lock)
        host.log.acquire()
        stack.callback(host.log.release)
        yield


@contextmanager
def held(host: Hosted) -> Iterator[None]:
    """The same, on a thread of its own that lets go by itself in the end: a mistake fails."""
    is_held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with everything(host):
            is_held.set()
            let_go.wait(HOLD * 3)

    thread = threading.Thread(target=hold, name="hold")
    thread.start()
    assert is_held.wait(DEADLINE)
    try:
        yield
        assert thread.is_alive(), "somebody waited for what is held"
    finally:
        let_go.set()
        thread.join(DEADLINE)


class Line:
    """A client with a command that says what it is told, and what it asks for meanwhile."""

    def __init__(self, host: Hosted) -> None:
        self.transport = host.connect()
        self.echo = self.session()
        self.echo.exec_command("box cat")
        self.say()

    def session(self) -> paramiko.Channel:
        channel = self.transport.open_session(timeout=DEADLINE)
        channel.settimeout(DEADLINE)
        return channel

    def say(self) -> None:
        """To the command, and back."""
        self.echo.sendall(b"x")
        assert self.echo.recv(1) == b"x"

    def knock(self) -> None:
        """A question that the host answers by itself."""
        self.transport.global_request("keepalive@openssh.com", wait=True)

    def close(self) -> None:
        hang_up(self.transport)


def times_of(*messages: Callable[[], None]) -> list[float]:
    """Sends them again and again for `MEASURED` seconds; how long each took."""
    found: list[float] = []
    end = time.monotonic() + MEASURED
    while time.monotonic() < end:
        for send in messages:
            begun = time.monotonic()
            send()
            found.append(time.monotonic() - begun)
    return found


def command_of(line: Line) -> None:
    line.session().exec_command("box echo hi")


def shell_of(line: Line) -> None:
    channel = line.session()
    channel.get_pty("xterm", 80, 24)
    channel.invoke_shell()
    channel.resize_pty(100, 30)


def files_of(line: Line) -> None:
    line.session().invoke_subsystem("sftp")


def stream_of(line: Line) -> None:
    line.transport.open_channel("direct-tcpip", ("box", 7), ("127.0.0.1", 1), timeout=DEADLINE)


def display_of(line: Line) -> None:
    channel = line.session()
    channel.request_x11(handler=lambda *given: None)
    channel.request_forward_agent(lambda *given: None)
    channel.exec_command("box echo hi")


def end_of(line: Line) -> None:
    channel = line.session()
    channel.exec_command("box cat")
    channel.close()


@pytest.mark.parametrize("ask", [command_of, shell_of, files_of, stream_of, display_of, end_of])
def test_nobody_waits_for_what_a_program_waits_for(ask: Callable[[Line], None]) -> None:
    limits, much = TransportLimits(requests=1_000_000), {"limits.share": 100.0}
    given = hosted(Box(), bundled=True, limits=limits, settings=much)
    with given as host, closing(Line(host)) as line:
        with held(host):
            ask(line)
            took = times_of(line.say, line.knock)
        assert statistics.median(took) < allowed(QUICK)
        assert max(took) < HOLD / 2, "it waited until all was let go"


def test_a_program_that_waits_begins_when_it_can() -> None:
    with hosted(Box()) as host, closing(Line(host)) as line:
        channel = line.session()
        with held(host):
            channel.exec_command("box echo hi")
            line.say()
            assert not channel.recv_ready()
        assert channel.makefile("rb").read() == b"hi\n"


def test_what_happens_before_a_program_can_begin_is_not_lost() -> None:
    with hosted(Box()) as host, closing(Line(host)) as line:
        sized, signalled = line.session(), line.session()
        sized.get_pty("xterm", 80, 24)
        with held(host):
            sized.exec_command("box size")
            sized.resize_pty(90, 20)
            sized.resize_pty(100, 30)
            signalled.exec_command("box cat")
            signal_to(signalled, "INT")
            line.knock()  # all of that has come before the answer
        sized.sendall(b"\r")
        assert b"100x30" in sized.makefile("rb").read()
        host.log.wait_for("session.end", times=2)
        assert {end["exit"] for end in host.log.named("session.end")} == {"INT", "0"}


def test_a_program_whose_person_goes_before_it_can_begin_ends() -> None:
    with hosted(Box()) as host, closing(Line(host)) as line:
        gone = line.session()
        with held(host):
            gone.exec_command("box cat")
            gone.close()
            line.knock()
        host.log.wait_for("session.end")
        assert not host.log.named("app.stuck")


def test_somebody_is_shown_out_before_their_program_can_begin() -> None:
    with hosted(Box()) as host, closing(Line(host)) as line:
        channel = line.session()
        with held(host):
            channel.exec_command("box cat")
            line.knock()
            (connection,) = host.server._open()
            connection.farewell("Goodbye!")
        assert channel.recv(1) == b""
        assert line.echo.recv(1) == b""


class Slow:
    """The input and output of a command, which take their time to close."""

    facts = TerminalFacts()

    def __init__(self) -> None:
        self.open = threading.Event()
        self.closing = threading.Event()
        self.go_on = threading.Event()
        self.in_time: list[bool] = []

    def read(self, limit: int) -> bytes:
        self.open.set()
        self.go_on.wait(DEADLINE)
        raise Disconnected("it is closed")

    def write(self, data: bytes, stream: Stream) -> None:
        """Goes nowhere."""

    def close(self) -> None:
        self.closing.set()
        self.in_time.append(self.go_on.wait(DEADLINE))


def test_an_app_that_waits_when_its_person_goes_holds_up_nobody() -> None:
    slow = Slow()

    class Starter(Box):
        @command
        def begin(self, session: Session) -> None:
            """Starts another app's command."""
            assert session.other_apps is not None
            session.other_apps.start("box", ["cat"], slow, lambda status: None)
            session.read()

    with hosted(Starter()) as host, closing(Line(host)) as line:
        channel = line.session()
        channel.exec_command("box begin")
        assert slow.open.wait(DEADLINE)
        channel.close()
        assert slow.closing.wait(DEADLINE)
        line.knock()
        slow.go_on.set()
        host.log.wait_for("session.end")
        assert set(slow.in_time) == {True}, "the connection waited for the app"


def test_the_test_kit_tells_of_a_database_that_is_used_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def touching(connection: Connection, request: object) -> None:
        connection._host.theme_of(connection._visitor)

    monkeypatch.setattr(Connection, "_taken_away", touching)
    with pytest.raises(AssertionError, match="a database is used on the thread 'tuihost 127"):
        refused_exec()


def refused_exec() -> None:
    with hosted(Box()) as host:
        transport = host.connect()
        channel = transport.open_session(timeout=DEADLINE)
        with pytest.raises(paramiko.SSHException):
            channel.exec_command("box echo hi")
        hang_up(transport)


def signal_to(channel: paramiko.Channel, name: str) -> None:
    """RFC 4254 §6.9, which paramiko has no call for."""
    message = paramiko.Message()
    message.add_byte(bytes([98]))
    message.add_int(channel.remote_chanid)
    message.add_string("signal")
    message.add_boolean(False)
    message.add_string(name)
    channel.transport._send_user_message(message)
