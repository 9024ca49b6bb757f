"""A client that asks too much of one session: variables, sizes, names, keys, and nothing at all."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator

import paramiko
import pytest
from prompt_toolkit.application import Application

from tests.ssh.raw_client import host_pair
from tests.waiting import DEADLINE
from tuihost import Accepts, App, Session, command
from tuihost.core.budget.ledger import BOUNDS, Bounds, Holder, Kind
from tuihost.core.limits import STREAM_COST, TransportLimits
from tuihost.host.budget.budget import Budget
from tuihost.testing import Hosted, Pilot, hosted
from tuihost.testing.hosted import hang_up
from tuihost.widgets import ListView, Screen

IGNORE, DEBUG, UNIMPLEMENTED, EXT_INFO = 2, 4, 3, 7


class Rows(App):
    """Fifty rows."""

    name = "rows"
    accepts = Accepts(env=("EXTRA_*",))

    def build(self, session: Session) -> Application[None]:
        rows = [f"row {number}" for number in range(50)]
        return Screen(session, "Rows", ListView(session, rows, label=str)).application()

    @command
    def env(self, session: Session) -> None:
        """What the client sent."""
        session.print(json.dumps({**session.env}))


@pytest.fixture
def host() -> Iterator[Hosted]:
    with hosted(Rows()) as host:
        yield host


@contextlib.contextmanager
def channel_of(host: Hosted) -> Iterator[paramiko.Channel]:
    client = host.connect()
    channel = client.open_session(timeout=DEADLINE)
    channel.settimeout(DEADLINE)
    try:
        yield channel
    finally:
        hang_up(client)


def told(channel: paramiko.Channel) -> dict[str, str]:
    channel.exec_command("rows env")
    env: dict[str, str] = json.loads(channel.makefile("rb").read())
    return env


def test_variables_without_end(host: Hosted) -> None:
    before = dict(os.environ)
    with channel_of(host) as channel:
        for number in range(1000):
            channel.set_environment_variable(f"EXTRA_{number}", "x" * 4000)
        assert len(told(channel)) == 32
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LD_PRELOAD", "/tmp/evil.so"), ("PATH", "/tmp"), ("PYTHONPATH", "/tmp"), ("EXTRA_=", "x"),
        ("EXTRA_\0", "x"), ("", "x"), ("EXTRA_A=B", "x"), ("EXTRA_" + "A" * 20_000, "x"),
        ("EXTRA_A", "x" * 20_000), ("EXTRA_A", "a\0b"), ("EXTRA_é", "x"), ("extra_a", "x"),
        ("TUIHOST_SERVER__PORT", "1"), ("BASH_FUNC_x%%", "() { :; }"),
    ],
)  # fmt: skip
def test_variables_that_nobody_asked_for(host: Hosted, name: str, value: str) -> None:
    with channel_of(host) as channel:
        channel.set_environment_variable(name, value)
        assert host.log.wait_for("request.refused")["kind"] == "env"
        channel.set_environment_variable("EXTRA_1", "fine")
        assert told(channel) == {"EXTRA_1": "fine"}


@pytest.mark.parametrize("term", ["", "xterm\n", "../../etc", "x" * 65, "\x1b[31m", "é", "dumb"])
def test_names_of_terminals_that_are_none(host: Hosted, term: str) -> None:
    with channel_of(host) as channel:
        channel.get_pty(term, 80, 24)
        channel.exec_command("rows")
        text = channel.recv(100_000)
        assert b"Rows needs a terminal that can draw" in text, "it is told, line by line"


def test_a_storm_of_sizes(host: Hosted) -> None:
    sizes = [(0, 0), (1, 1), (4_294_967_295, 4_294_967_295), (500, 1), (1, 200), (80, 24)]
    with host.open("rows") as pilot:
        pilot.wait_for("row 3")
        channel = pilot.channel
        for number in range(300):
            channel.resize_pty(*sizes[number % len(sizes)])
        channel.resize_pty(60, 10)
        _sized(pilot, 60, 10)
        pilot.press("down").wait_for("row 1")


def _sized(pilot: Pilot, columns: int, rows: int) -> None:
    pilot.resize(columns, rows).wait_for("row 1")


def test_sizes_without_end_cost_who_sends_them(host: Hosted) -> None:
    with host.open("rows", user="eve") as storm, host.open("rows", user="bob") as other:
        storm.wait_for("row 3")
        other.wait_for("row 3")
        for number in range(3_000):
            storm.channel.resize_pty(80 + number % 2, 24)
        other.press("down").press("down").press("x")
        other.wait_for("row 4")


@pytest.mark.parametrize("number", [IGNORE, DEBUG, UNIMPLEMENTED, EXT_INFO])
def test_messages_that_mean_nothing_without_end(number: int) -> None:
    cost = STREAM_COST if number == IGNORE else 1.0
    with host_pair(limits=TransportLimits(requests=100)) as (host, client):
        pauses: list[float] = []
        # Noted instead of waited for: the method of this one transport is replaced.
        host.transport.pause = pauses.append  # type: ignore[method-assign]
        client.log_in()
        for _ in range(round(98 / cost)):
            client.send(number, b"")
        client.send(80, "keepalive@openssh.com", True)
        while client.read()[0] not in (81, 82):
            pass
        assert not pauses, "so many at once are nothing"
        for _ in range(200):
            client.send(number, b"")
        client.send(80, "keepalive@openssh.com", True)
        while client.read()[0] not in (81, 82):
            pass
        assert sum(pauses) > 1, "more are read slowly"


def test_thousands_of_small_pieces_are_read_as_they_come() -> None:
    """asyncssh copies a thousand files at once so: each request is a piece, with an IGNORE."""
    with host_pair() as (host, client):
        pauses: list[float] = []
        # Noted instead of waited for: the method of this one transport is replaced.
        host.transport.pause = pauses.append  # type: ignore[method-assign]
        client.log_in()
        number = client.open_session()
        for _ in range(6000):
            client.send(IGNORE, b"")
            client.send(94, number, b"a request")
        client.send(80, "keepalive@openssh.com", True)
        while client.read()[0] not in (81, 82):
            pass
        assert not pauses


def test_keys_without_end_wait_for_the_app(host: Hosted) -> None:
    """Tens of thousands of keys at once: held back by the window; the app answers afterwards."""
    with host.open("rows") as pilot:
        pilot.wait_for("row 3")
        sent = threading.Event()

        def flood() -> None:
            with contextlib.suppress(OSError):
                for _ in range(4):
                    pilot.channel.sendall(b"\x1b[B\x1b[A" * 4096)
            sent.set()

        thread = threading.Thread(target=flood, name="flood")
        thread.start()
        while not sent.is_set():
            pilot.wait_until(lambda: True, "the screen")
            pilot._receive(0.05)
        thread.join(DEADLINE)
        pilot.press("end").wait_for("row 49", seconds=50)


def test_requests_in_an_odd_order(host: Hosted) -> None:
    """Everything that belongs before a program, after it; and a second program."""
    client = host.connect()
    channel = client.open_session(timeout=DEADLINE)
    channel.settimeout(DEADLINE)

    def ask(kind: str, *fields: object) -> None:
        message = paramiko.Message()
        message.add_byte(bytes([98]))
        message.add_int(channel.remote_chanid)
        for field in (kind, False, *fields):
            message.add(field)
        client._send_user_message(message)

    ask("signal", "INT")  # there is nothing to signal yet
    ask("window-change", 100, 30, 0, 0)  # some clients say it early
    channel.get_pty("xterm-256color", 100, 30)
    channel.exec_command("rows")
    pilot = Pilot(channel, lambda: None, 100, 30)
    pilot.wait_for("row 20")
    ask("pty-req", "dumb", 10, 10, 0, 0, "")
    ask("exec", "rows env")
    ask("shell")
    ask("subsystem", "sftp")
    ask("x11-req", False, "MIT-MAGIC-COOKIE-1", "00" * 16, 0)
    ask("auth-agent-req@openssh.com")
    ask("env", "EXTRA_1", "late")
    ask("nonsense@example.org")
    pilot.press("down").press("down").wait_for("row 2")
    pilot.press("end").wait_for("row 49")
    refused = [one["kind"] for one in host.log.named("request.refused")]
    assert refused == [
        "pty-req", "exec", "shell", "subsystem", "x11-req", "auth-agent-req@openssh.com", "env",
        "nonsense@example.org",
    ]  # fmt: skip
    hang_up(client)


def test_a_client_that_sent_too_much_and_left_is_not_read_to_its_end() -> None:
    bounds = {**BOUNDS, Kind.REQUESTS: Bounds(30, 30, 30, 300, at_once=120.0)}
    with host_pair(limits=TransportLimits(requests=1_000_000)) as (host, client):
        client.log_in()
        share = Budget(bounds).share(Holder(1, "eve", "192.0.2.1"), host.transport.log)
        host.transport.share = share
        for _ in range(110):  # at one in two seconds
            client.send(DEBUG, b"")
        client.transport.sock.close()
        host.transport.join(DEADLINE)
        assert not host.transport.is_alive()
