"""paramiko's ServerInterface: every answer is no, and no way of a client leads to it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import paramiko
import pytest
from paramiko.common import AUTH_FAILED, OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

from tests.ssh.raw_client import plain_pair
from tests.waiting import DEADLINE
from tuihost import (
    Accepts,
    App,
    Forward,
    ForwardRule,
    Listening,
    ListenRule,
    Session,
    SocketRule,
    command,
)
from tuihost.accounts import AccountRecord, KeyRecord
from tuihost.core.keys.offers import fingerprint
from tuihost.core.x11_setup import COOKIE
from tuihost.ssh import transport as transport_module
from tuihost.ssh._server_interface import RefusingServer
from tuihost.testing import Hosted, hosted
from tuihost.testing.hosted import hang_up

CALLBACKS = [name for name in vars(paramiko.ServerInterface) if not name.startswith("__")]
PASSWORD = "correct horse battery"
SETTINGS = {
    "forwarding.dial": ["127.0.0.1:*"],
    "forwarding.listen": ["127.0.0.1:*"],
    "roles": {"guest": {"forwards": ["*"], "listens": ["*"]}},
}


def _arguments(name: str) -> list[None]:
    """As many as paramiko gives."""
    theirs = inspect.signature(getattr(paramiko.ServerInterface, name))
    return [None] * (len(theirs.parameters) - 1)


@pytest.mark.parametrize("name", CALLBACKS)
def test_every_callback_refuses(name: str) -> None:
    answer = getattr(RefusingServer(), name)(*_arguments(name))
    if name.startswith("check_auth"):
        assert answer == AUTH_FAILED
    elif name in ("check_channel_request", "check_channel_direct_tcpip_request"):
        assert answer == OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
    elif name.startswith("check_"):
        assert answer is False
    else:
        nothing = {"get_allowed_auths": "", "get_banner": ("", "")}
        assert answer == nothing.get(name)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The callbacks that paramiko called on a host's transports."""
    called: list[str] = []
    monkeypatch.setattr(transport_module, "RefusingServer", lambda: _recording(called))
    return called


def _recording(called: list[str]) -> RefusingServer:
    def recorded(name: str) -> Callable[..., object]:
        def callback(self: RefusingServer, *arguments: object) -> object:
            called.append(name)
            return getattr(RefusingServer, name)(self, *arguments)

        return callback

    kind = type("Recording", (RefusingServer,), {name: recorded(name) for name in CALLBACKS})
    return kind()  # type: ignore[no-any-return]


class Everything(App):
    """Accepts whatever a client can ask for."""

    name = "everything"
    accepts = Accepts(
        x11=True,
        agent=True,
        forwards=(ForwardRule("everything", 80), SocketRule("/everything.sock")),
        listens=(ListenRule("everything", 80), SocketRule("/everything.sock")),
    )

    @command
    def who(self, session: Session) -> None:
        session.print(session.account.name)

    def forward(self, forward: Forward) -> None:
        forward.stream.write(forward.stream.read())

    def listen(self, listening: Listening) -> None:
        pass


@pytest.fixture
def key() -> paramiko.PKey:
    return paramiko.ECDSAKey.generate(bits=256)


@pytest.fixture
def host(calls: list[str], key: paramiko.PKey) -> Iterator[Hosted]:
    """With an account `ann`, who has a password and a key."""
    with hosted(Everything(), settings=SETTINGS) as host:
        services = host.server.login_services
        services.store.create(AccountRecord("ann", password_hash=services.passwords.hash(PASSWORD)))
        line = f"{key.get_name()} {key.get_base64()}"
        services.store.add_key(KeyRecord("ann", fingerprint(key.asbytes()), "laptop", line))
        yield host


def _logins(host: Hosted, key: paramiko.PKey) -> None:
    ways: list[Callable[[paramiko.Transport], Any]] = [
        lambda client: client.auth_none("guest"),
        lambda client: client.auth_password("ann", PASSWORD),
        lambda client: client.auth_publickey("ann", key),
        lambda client: client.auth_interactive("ann", lambda *_: [PASSWORD]),
    ]
    for way in ways:
        client = host.dial()
        try:
            with pytest.raises(paramiko.SSHException):
                client.auth_password("nobody", "wrong")
            assert way(client) == []
        finally:
            hang_up(client)


def _sessions(client: paramiko.Transport) -> None:
    def session() -> paramiko.Channel:
        channel = client.open_session(timeout=DEADLINE)
        channel.settimeout(DEADLINE)
        return channel

    shell = session()
    shell.set_environment_variable("LANG", "C.UTF-8")
    shell.request_x11(0, COOKIE, "0" * 32)
    shell.request_forward_agent(lambda channel: None)
    shell.get_pty("xterm", 80, 24)
    shell.resize_pty(100, 30)
    shell.invoke_shell()
    shell.close()
    ran = session()
    ran.exec_command("everything who")
    assert ran.makefile("rb").read()
    for subsystem in ("sftp", "none-such"):
        with pytest.raises(paramiko.SSHException):
            session().invoke_subsystem(subsystem)


def _forwards(client: paramiko.Transport) -> None:
    origin = ("127.0.0.1", 2)
    stream = client.open_channel("direct-tcpip", ("everything", 80), origin, timeout=DEADLINE)
    stream.settimeout(DEADLINE)
    stream.sendall(b"hello")
    assert stream.recv(5) == b"hello"
    stream.close()
    for kind, target in (("direct-tcpip", ("127.0.0.1", 1)), ("no-such-kind", ("a", 1))):
        with pytest.raises(paramiko.SSHException):
            client.open_channel(kind, target, origin, timeout=DEADLINE)
    client.request_port_forward("everything", 80)
    assert client.request_port_forward("127.0.0.1", 0)
    with pytest.raises(paramiko.SSHException):
        client.request_port_forward("192.0.2.1", 1)
    client.cancel_port_forward("everything", 80)


def _global_requests(client: paramiko.Transport) -> None:
    for kind in (
        "keepalive@openssh.com",
        "hostkeys-prove-00@openssh.com",
        "streamlocal-forward@openssh.com",
        "cancel-streamlocal-forward@openssh.com",
        "anything",
        "no-more-sessions@openssh.com",
    ):
        client.global_request(kind, ("/everything.sock",) if "streamlocal" in kind else None)


def test_nothing_that_a_client_does_reaches_it(
    host: Hosted, calls: list[str], key: paramiko.PKey
) -> None:
    _logins(host, key)
    client = host.connect("guest")
    try:
        link = next(iter(host.server._connections.values())).link
        assert type(link.server_object).__name__ == "Recording"
        _sessions(client)
        _forwards(client)
        client.renegotiate_keys()
        _global_requests(client)
    finally:
        hang_up(client)
    assert calls == []


def test_plain_paramiko_asks_it() -> None:
    """So the record above would have shown it."""
    called: list[str] = []
    with plain_pair(_recording(called)) as (_, client):
        client.shake_hands()
        client.ask_for_login()
        client.send(50, "ada", "ssh-connection", "none")
        client.expect(51)
    assert "check_auth_none" in called
