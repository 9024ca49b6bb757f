"""A client that wants to get somewhere by forwarding: where nobody lets it, or by sheer number."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import paramiko
import pytest

from tests.waiting import DEADLINE, until
from tuihost import Accepts, App, Forward, ForwardRule
from tuihost.core.budget.ledger import BOUNDS, Bounds, Kind
from tuihost.host import host as host_module
from tuihost.testing import Hosted, hosted
from tuihost.testing.hosted import hang_up

ALL = {"guest": {"forwards": ["*"], "listens": ["*"]}}


class Echo(App):
    """Says back what comes to `echo:7`."""

    name = "echo"
    accepts = Accepts(forwards=(ForwardRule("echo", 7),))

    def forward(self, forward: Forward) -> None:
        while data := forward.stream.read():
            forward.stream.write(data)


@contextlib.contextmanager
def client_of(host: Hosted, user: str = "eve") -> Iterator[paramiko.Transport]:
    client = host.connect(user)
    try:
        yield client
    finally:
        hang_up(client)


def to(client: paramiko.Transport, host: str, port: int) -> paramiko.Channel:
    channel = client.open_channel("direct-tcpip", (host, port), ("10.0.0.9", 1), timeout=DEADLINE)
    channel.settimeout(DEADLINE)
    return channel


def code_of(client: paramiko.Transport, host: str, port: int) -> int:
    with pytest.raises(paramiko.ChannelException) as caught:
        to(client, host, port)
    return int(caught.value.code)


def answers(client: paramiko.Transport) -> bool:
    channel = to(client, "echo", 7)
    channel.sendall(b"hello")
    well = channel.recv(5) == b"hello"
    channel.close()
    return well


@contextlib.contextmanager
def secret() -> Iterator[int]:
    """Something of this machine that nobody outside may reach; nobody may have come there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener.getsockname()[1]
        with pytest.raises(BlockingIOError):
            listener.accept()


# --------------------------------------------------------------------------- where it may not go


@pytest.mark.parametrize(
    "name",
    [
        "127.0.0.1", "localhost", "localhost.", "LOCALHOST", "127.1", "2130706433", "0x7f000001",
        "0177.0.0.1", "127.0.0.1\0.example.org", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1",
        "[::1]", "169.254.169.254", "fe80::1%lo", "224.0.0.1", "255.255.255.255", "", " ",
        "x" * 300, "ünïcode.example.org", "../etc/passwd", "/etc/passwd",
    ],
)  # fmt: skip
def test_this_machine_by_any_name(name: str) -> None:
    """The operator allows the whole world, which this machine is no part of."""
    with secret() as port:
        rules = {"roles": ALL, "forwarding.dial": ["*:*"], "forwarding.dial_timeout": 1}
        with hosted(Echo(), settings=rules) as host, client_of(host) as client:
            assert code_of(client, name, port) in (1, 2)
            assert host.log.named("forward.open") == []
            assert answers(client)


def test_a_name_that_leads_here_now_and_elsewhere_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: what is judged is what is dialled, and a name is asked for once."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(name: Any, port: Any, *more: Any, **how: Any) -> Any:
        if name != "evil.example.org":
            return real(name, port, *more, **how)
        asked.append(name)
        address = "127.0.0.1" if len(asked) % 2 else "192.0.2.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with secret() as port:
        rules = {"roles": ALL, "forwarding.dial": ["*.example.org:*"], "forwarding.dial_timeout": 1}
        with hosted(Echo(), settings=rules) as host, client_of(host) as client:
            for count in range(1, 5):
                assert code_of(client, "evil.example.org", port) in (1, 2)
                assert len(asked) == count


def test_a_resolver_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    release, stuck = threading.Event(), threading.Semaphore(0)
    real = socket.getaddrinfo

    def resolve(name: Any, port: Any, *more: Any, **how: Any) -> Any:
        if not str(name).endswith("slow.example.org"):
            return real(name, port, *more, **how)
        stuck.release()
        release.wait(DEADLINE)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    lookups = {**BOUNDS, Kind.LOOKUPS: Bounds(8, 8, 8, 16)}
    monkeypatch.setattr(host_module, "bounds_of", lambda settings: lookups)
    rules = {"roles": ALL, "forwarding.dial": ["*.example.org:*"]}
    with hosted(Echo(), settings=rules) as host, client_of(host) as client:

        def other_apps(number: int) -> None:
            with contextlib.suppress(paramiko.SSHException):
                to(client, f"{number}.slow.example.org", 80)

        threads = [threading.Thread(target=other_apps, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert stuck.acquire(timeout=DEADLINE)
        assert answers(client), "other forwards of the same person go on"
        assert host.run("echo").status in (0, 2), "and other people do"
        assert code_of(client, "9.slow.example.org", 80) == 2
        reason = host.log.wait_for("channel.refused")["reason"]
        assert "no more than 8 names being looked up" in reason
        release.set()
        for thread in threads:
            thread.join(DEADLINE)


# ------------------------------------------------------------------------------- by sheer number


def test_a_thousand_streams() -> None:
    with hosted(Echo()) as host, client_of(host) as client:
        held, refused = [], []
        for _ in range(1000):
            try:
                held.append(to(client, "echo", 7))
            except paramiko.ChannelException as error:
                refused.append(error.code)
        assert len(held) == 48
        assert refused == [4] * 952, "a shortage, RFC 4254 §5.1"
        with client_of(host, "bob") as other:
            assert answers(other), "another person does not feel it"
        for channel in held:
            channel.close()

        def room() -> bool:
            try:
                return answers(client)
            except paramiko.ChannelException:
                return False

        until(room, "the places of the closed streams")


def test_a_thousand_addresses() -> None:
    rules = {"roles": ALL, "forwarding.listen": ["127.0.0.1:20000-29999"]}
    with hosted(Echo(), settings=rules) as host, client_of(host) as client:
        ports = []
        for _ in range(200):
            with contextlib.suppress(paramiko.SSHException):
                ports.append(client.request_port_forward("127.0.0.1", 0, lambda *_: None))
        assert len(ports) == 16
        for port in ports:
            client.cancel_port_forward("127.0.0.1", port)
        assert client.request_port_forward("127.0.0.1", 0, lambda *_: None)


def test_somebody_elses_address_cannot_be_taken_over() -> None:
    rules = {"roles": ALL, "forwarding.listen": ["127.0.0.1:20000-29999"]}
    with hosted(Echo(), settings=rules) as host, client_of(host, "ann") as ann:
        came = threading.Event()

        def greet(channel: paramiko.Channel, *_: Any) -> None:
            came.set()
            channel.close()

        port = ann.request_port_forward("127.0.0.1", 0, greet)
        with client_of(host, "eve") as eve:
            for name in ("127.0.0.1", "localhost", "", "0.0.0.0", "*"):
                with pytest.raises(paramiko.SSHException):
                    eve.request_port_forward(name, port, lambda *_: None)
                eve.global_request("cancel-tcpip-forward", (name, port), wait=True)
        socket.create_connection(("127.0.0.1", port), DEADLINE).close()
        assert came.wait(DEADLINE), "the address still leads to the client that asked for it"


# --------------------------------------------------------------- what only a server may ask for


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("x11", (None, ("127.0.0.1", 6000))), ("auth-agent@openssh.com", ()),
        ("tun@openssh.com", ()),
        ("forwarded-tcpip", (("127.0.0.1", 80), ("127.0.0.1", 1))),
        ("forwarded-streamlocal@openssh.com", ()), ("session@example.org", ()), ("", ()),
    ],
)  # fmt: skip
def test_channels_that_are_a_servers_to_open(kind: str, arguments: Any) -> None:
    with hosted(Echo()) as host, client_of(host) as client:
        for handler in ("_x11_handler", "_tcp_handler", "_forward_agent_handler"):
            setattr(client, handler, lambda *_: None)
        with pytest.raises(paramiko.ChannelException) as caught:
            client.open_channel(kind, *arguments, timeout=DEADLINE)
        assert caught.value.code == 3
        assert host.log.wait_for("channel.refused")["kind"] == kind
        assert answers(client)
