"""Who is turned away at the gate, and what is refused to those who are inside."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import cast

import paramiko
import pytest

from tests.log import SILENT
from tests.process_state import threads
from tests.waiting import DEADLINE, until
from tuihost import App, Session, app, command
from tuihost.core.budget.ledger import BOUNDS, Bounds, Holder, Kind
from tuihost.core.exit_statuses import NO_ROOM
from tuihost.core.session_channel import SessionMachine
from tuihost.host.budget.budget import Budget
from tuihost.host.server._connection import NO_THREAD, Connection, _SessionChannel
from tuihost.ssh.packets import algorithms as kex
from tuihost.testing import Hosted, hosted
from tuihost.testing.hosted import hang_up
from tuihost.wire import ByteChannel, Peer, PtyRequest, WindowChange, WindowSize

HERE, ELSEWHERE = Peer("127.0.0.1", 50_001), Peer("198.51.100.4", 50_002)


@app("hello")
async def hello(session: Session) -> None:
    await session.say("Hello!")


def knock(host: Hosted, peer: Peer) -> str | None:
    """What a client reads that is turned away; None where it is let in."""
    near, far = socket.socketpair()
    with closing(near):
        if host.server.admit(far, peer) is not None:
            return None
        near.settimeout(DEADLINE)
        return b"".join(iter(lambda: near.recv(4096), b"")).decode()


@pytest.mark.parametrize(
    ("limit", "logged_in", "peer", "sentence"),
    [
        ("max_connections", True, ELSEWHERE, "Too many connections"),
        ("per_address", True, HERE, "Too many connections from your address"),
        ("max_unauthenticated", False, ELSEWHERE, "Too many logins at once"),
    ],
)
def test_a_full_house_says_so_and_costs_no_thread(
    limit: str, logged_in: bool, peer: Peer, sentence: str
) -> None:
    with hosted(hello, settings={f"server.{limit}": 1}) as host:
        first = host.connect() if logged_in else host.dial()
        try:
            before = threads()
            assert knock(host, peer) == f"{sentence}\r\n"
            assert not threads() - before
            refused = host.log.wait_for("conn.refused")
            assert (refused["peer"], refused["reason"]) == (peer, sentence)
        finally:
            hang_up(first)
        host.log.wait_for("conn.closed")


def test_without_a_thread_nobody_comes_in_and_the_log_stays_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(connection: Connection) -> None:
        raise RuntimeError("can't start new thread")

    with hosted(hello) as host:
        with monkeypatch.context() as patch:
            patch.setattr(Connection, "start", start)
            said = {knock(host, ELSEWHERE) for _ in range(5)}
        assert said == {"Too many connections\r\n"}
        (refused,) = host.log.named("conn.refused")
        assert refused["reason"] == "can't start new thread"
        assert not host.log.named("host.error")
        assert host.host.connections == 0
        hang_up(host.connect())


def test_a_program_without_a_thread_says_so_and_the_next_one_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with hosted(hello) as host:
        transport = host.connect()
        channel = transport.open_session(timeout=DEADLINE)
        channel.settimeout(DEADLINE)
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", start)
            channel.exec_command("hello")
            said = channel.makefile_stderr("rb").read().decode()
        assert said == f"tuihost: {NO_THREAD}\n"
        assert channel.recv_exit_status() == NO_ROOM
        failed = host.log.wait_for("host.error")
        assert (failed["where"], failed["reason"]) == ("program", "can't start new thread")
        assert not host.log.named("conn.error")
        hang_up(transport)
        assert host.run("hello --help").status == 0


def test_from_another_address_there_is_still_room() -> None:
    with hosted(hello, settings={"server.per_address": 1}) as host:
        first = host.connect()
        assert knock(host, ELSEWHERE) is None
        hang_up(first)


@pytest.fixture
def inside() -> Iterator[tuple[Hosted, paramiko.Transport]]:
    with hosted(hello) as host:
        transport = host.connect()
        yield host, transport
        hang_up(transport)


def test_a_connection_that_is_shown_out_starts_nothing_and_ends() -> None:
    @app("waits")
    async def waits(session: Session) -> None:
        await session.ask("Go on? ")

    with hosted(waits) as host, host.open() as pilot:
        pilot.wait_for("Go on?")
        transport = pilot.channel.get_transport()
        (login,) = host.host.inside()
        login.close("Enough for today.")
        with pytest.raises(paramiko.ChannelException) as refused:
            transport.open_session(timeout=DEADLINE)
        assert refused.value.code == 4  # resource shortage
        assert pilot.wait_end() == 0
        assert "Enough for today." in pilot.text
        transport.join(DEADLINE)
        assert not transport.is_active()
        assert host.log.wait_for("conn.closed")["reason"] == "Enough for today."


@pytest.mark.parametrize(("pty", "end"), [(False, "\n"), (True, "\r\n")])
def test_a_program_that_nothing_is_left_for_says_so_on_its_standard_error(
    pty: bool, end: str
) -> None:
    """Where a client that shares a connection shows it (ControlMaster): what is said to the whole
    connection reaches the first client alone."""
    most = BOUNDS[Kind.THREADS].scaled(0.1).connection
    begun = threading.Semaphore(0)

    class Reads(App):
        """Reads all that comes."""

        name = "reads"

        @command
        def all(self, session: Session) -> None:
            """Read."""
            begun.release()
            while session.read():
                pass

    with hosted(Reads(), settings={"limits.share": 0.1}) as host:
        transport = host.connect()
        running = []
        for _ in range(most):
            running.append(transport.open_session(timeout=DEADLINE))
            running[-1].exec_command("reads all")
            assert begun.acquire(timeout=DEADLINE)
        one_more = transport.open_session(timeout=DEADLINE)
        one_more.settimeout(DEADLINE)
        if pty:
            one_more.get_pty()
        one_more.exec_command("reads all")
        said = one_more.makefile_stderr("rb").read().decode()
        assert said.startswith(f"tuihost: There are no more than {most} sessions, commands and")
        assert said.endswith(f"End some of yours first.{end}")
        assert (one_more.recv(1), one_more.recv_exit_status()) == (b"", NO_ROOM)
        hang_up(transport)


def test_a_channel_holds_room_for_its_program_until_it_closes() -> None:
    most = BOUNDS[Kind.THREADS].scaled(0.1).connection
    with hosted(hello, settings={"limits.share": 0.1}) as host:
        transport = host.connect()
        held = host.host.budget.held
        before = held(Kind.THREADS), held(Kind.MEMORY)
        larval = [transport.open_session(timeout=DEADLINE) for _ in range(most)]
        one_more = transport.open_session(timeout=DEADLINE)
        one_more.exec_command("hello")
        assert one_more.recv_exit_status() == NO_ROOM
        for channel in larval:
            channel.close()
        one_more.close()
        until(lambda: (held(Kind.THREADS), held(Kind.MEMORY)) == before, "what they held")
        hang_up(transport)


def test_a_frame_that_finds_no_room_is_not_given_back_either() -> None:
    wide, usual = WindowChange(500, 200), WindowChange(80, 24)
    no_channel = cast(ByteChannel, None)  # nothing is said to the client here
    session = _SessionChannel(no_channel, SessionMachine(()))
    session.machine.decide(PtyRequest("xterm", WindowSize(80, 24)))
    budget = Budget({**BOUNDS, Kind.MEMORY: Bounds(*[session.memory()] * 4)})
    session.take_room(budget.share(Holder(1, "eve", "192.0.2.1", guest=False), SILENT))
    session.machine.resize(wide)
    assert session.grow() is not None
    session.machine.resize(usual)
    assert session.grow() is None
    assert budget.held(Kind.MEMORY) == session.memory()


def test_a_connection_with_nothing_on_it_is_shown_out_at_once(
    inside: tuple[Hosted, paramiko.Transport],
) -> None:
    host, transport = inside
    (login,) = until(host.host.inside, "the login")
    login.close("Enough for today.")
    transport.join(DEADLINE)
    assert not transport.is_active()


def test_forwards_are_refused_and_the_connection_goes_on(
    inside: tuple[Hosted, paramiko.Transport],
) -> None:
    host, transport = inside
    with pytest.raises(paramiko.ChannelException) as refused:
        transport.open_channel(
            "direct-tcpip", ("localhost", 22), ("127.0.0.1", 1), timeout=DEADLINE
        )
    assert refused.value.code == 1  # prohibited, RFC 4254 §5.1
    with pytest.raises(paramiko.SSHException):
        transport.request_port_forward("", 0)
    assert host.log.wait_for("channel.refused")["kind"] == "direct-tcpip"
    channel = transport.open_session(timeout=DEADLINE)
    channel.exec_command("hello")
    assert channel.makefile("rb").read() == b"Hello!\n"


def test_x11_is_refused(inside: tuple[Hosted, paramiko.Transport]) -> None:
    host, transport = inside
    channel = transport.open_session(timeout=DEADLINE)
    with pytest.raises(paramiko.SSHException):
        channel.request_x11()
    assert host.log.wait_for("request.refused")["kind"] == "x11-req"


@pytest.mark.parametrize("mac", kex.MACS)
@pytest.mark.parametrize("chosen", ["wide", "modern"])
def test_modern_algorithms_are_a_choice(chosen: str, mac: str) -> None:
    with hosted(hello, settings={"server.algorithms": chosen}) as host:
        client = paramiko.Transport(host.plug_in())
        options = client.get_security_options()
        options.ciphers, options.digests = ("aes128-ctr",), (mac,)
        if chosen == "wide" or mac in kex.MODERN_MACS:
            client.start_client(timeout=DEADLINE)
            client.auth_none("ada")
            assert client.is_authenticated()
        else:
            with pytest.raises((paramiko.SSHException, EOFError)):
                client.start_client(timeout=DEADLINE)
            assert host.log.wait_for("conn.closed")["reason"] == "no MAC in common"
        hang_up(client)
