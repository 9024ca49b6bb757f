"""The transport: hands shaken with real clients, keys changed under load, ends that are ends."""

from __future__ import annotations

import asyncio
import gc
import socket
import subprocess
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import paramiko
import pytest

from tests.listening import accepting
from tests.ssh.answerers import SESSIONS_ALONE, Recorder
from tests.ssh.raw_client import Gone, Host, host_pair, plain_pair
from tests.waiting import DEADLINE
from tuihost.core.limits import TransportLimits
from tuihost.ssh.keys.host_keys import HostKeys
from tuihost.ssh.packets import algorithms as kex
from tuihost.wire import ExitStatus, Peer


def _echo(channel: Any, request: Any) -> None:
    """A program: `hello`, or as many bytes as `bulk N` asks for. On a thread of its own."""

    def program() -> None:
        left = int(request.command.split()[1]) if request.command.startswith("bulk") else 0
        block = memoryview(bytes(65536))
        if not left:
            channel.write(b"hello")
        while left > 0 and not channel.closed:
            left -= channel.write(block[:left])
            channel.wait(lambda: not channel.congested, DEADLINE)
        channel.finish(ExitStatus(0))

    threading.Thread(target=program).start()


@dataclass
class Served:
    """A host for each connection that comes to a port of 127.0.0.1."""

    options: dict[str, Any] = field(default_factory=dict)
    hosts: list[Host] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)
    port: int = 0

    def take(self, sock: socket.socket, peer: Peer) -> None:
        answerer = Recorder(SESSIONS_ALONE, on_replied=_echo)
        with self.came:
            self.hosts.append(Host(sock, answerer=answerer, **self.options))
            self.came.notify_all()

    def host(self, number: int = 0) -> Host:
        """The host of the connection of that number, counted from 0."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.hosts) > number, DEADLINE), "none came"
            return self.hosts[number]


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Serves on 127.0.0.1 until the test ends."""
    with ExitStack() as stack:

        def start(**options: Any) -> Served:
            served = Served(options)
            stack.callback(lambda: [host.close() for host in served.hosts])
            served.port = stack.enter_context(accepting(served.take))
            return served

        yield start


def _ssh(path: str, port: int, *arguments: str) -> list[str]:
    options = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null")
    plus = [word for option in (*options, "LogLevel=ERROR") for word in ("-o", option)]
    return [path, "-F", "none", *plus, "-p", str(port), *arguments]


def _run(words: list[str]) -> bytes:
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


# ------------------------------------------------------------------------------------ clients


@pytest.mark.parametrize("cipher", kex.CIPHERS)
def test_openssh_connects_with_every_cipher(
    cipher: str, program: Callable[[str], str], serve: Callable[..., Served]
) -> None:
    served = serve()
    assert _run(_ssh(program("ssh"), served.port, "-c", cipher, "ada@127.0.0.1", "x")) == b"hello"
    assert served.host().transport.remote_cipher == cipher


@pytest.mark.parametrize("mac", kex.MACS)
def test_openssh_connects_with_every_mac(
    mac: str, program: Callable[[str], str], serve: Callable[..., Served]
) -> None:
    served = serve()
    words = ("-c", "aes128-ctr", "-m", mac, "ada@127.0.0.1", "bulk 100000")
    assert len(_run(_ssh(program("ssh"), served.port, *words))) == 100_000
    assert served.host().transport.remote_mac == mac


def test_dropbear_connects_although_it_guesses(
    program: Callable[[str], str], serve: Callable[..., Served]
) -> None:
    served = serve()
    words = [program("dbclient"), "-y", "-y", "-p", str(served.port), "ada@127.0.0.1", "x"]
    assert _run(words) == b"hello"
    assert served.host().transport.remote_cipher == kex.CHACHA


def test_putty_connects(program: Callable[[str], str], serve: Callable[..., Served]) -> None:
    served = serve()
    key = HostKeys.fresh()
    served.options["keys"] = key
    words = [program("plink"), "-batch", "-hostkey", key.cards()[0].sha256, "-P", str(served.port)]
    assert _run([*words, "ada@127.0.0.1", "x"]) == b"hello"


def test_an_rsa_host_key_serves_those_who_want_one(
    program: Callable[[str], str], serve: Callable[..., Served]
) -> None:
    served = serve(keys=HostKeys((*HostKeys.fresh().keys, paramiko.RSAKey.generate(3072))))
    for number, algorithm in enumerate(("rsa-sha2-512", "rsa-sha2-256")):
        words = ("-o", f"HostKeyAlgorithms={algorithm}", "ada@127.0.0.1", "x")
        assert _run(_ssh(program("ssh"), served.port, *words)) == b"hello"
        assert served.host(number).transport.host_key_type == algorithm


async def _asyncssh(port: int, name: str) -> str:
    async with asyncssh.connect(
        "127.0.0.1", port, username="ada", known_hosts=None, config=None, kex_algs=[name]
    ) as client:
        return str((await client.run("x")).stdout)


@pytest.mark.parametrize("name", ["curve25519-sha256", "curve25519-sha256@libssh.org"])
def test_asyncssh_connects(name: str, serve: Callable[..., Served]) -> None:
    served = serve()
    assert asyncio.run(asyncio.wait_for(_asyncssh(served.port, name), DEADLINE)) == "hello"


def test_paramiko_connects_with_post_quantum_keys(serve: Callable[..., Served]) -> None:
    served = serve()
    with paramiko.Transport(("127.0.0.1", served.port)) as client:
        client.get_security_options().kex = ("mlkem768x25519-sha256",)
        client.start_client(timeout=DEADLINE)
        client.auth_none("ada")
        channel = client.open_session(timeout=DEADLINE)
        channel.exec_command("x")
        assert channel.makefile().read() == b"hello"
        assert served.host().transport.host_key_type == "ssh-ed25519"
        channel.close()
        client.packetizer.complete_handshake()
    client.join(DEADLINE)


def test_the_socket_is_prepared(serve: Callable[..., Served]) -> None:
    served = serve()
    with socket.create_connection(("127.0.0.1", served.port), timeout=DEADLINE) as sock:
        assert sock.recv(100).startswith(b"SSH-2.0-OpenSSH_9.9 tuihost_")
        ours = served.host().transport.sock
        assert ours.gettimeout() is None
        assert not ours.get_inheritable()
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000


# ----------------------------------------------------------------------------------- new keys


def test_both_sides_change_keys_under_load(
    program: Callable[[str], str], serve: Callable[..., Served]
) -> None:
    served = serve(limits=TransportLimits(rekey_bytes=200_000))
    words = ("-o", "RekeyLimit=300K", "ada@127.0.0.1", "bulk 5000000")
    assert len(_run(_ssh(program("ssh"), served.port, *words))) == 5_000_000


def test_a_shared_connection_survives_the_hosts_new_keys(
    program: Callable[[str], str], serve: Callable[..., Served], tmp_path: Path
) -> None:
    ssh, served = program("ssh"), serve(limits=TransportLimits(rekey_bytes=100_000))
    control = ("-S", str(tmp_path / "c"))
    _run(_ssh(ssh, served.port, "-M", *control, "-f", "-N", "ada@127.0.0.1"))
    try:
        with ThreadPoolExecutor(5) as pool:
            bulk = _ssh(ssh, served.port, *control, "ada@127.0.0.1", "bulk 2000000")
            small = _ssh(ssh, served.port, *control, "ada@127.0.0.1", "x")
            big = pool.submit(_run, bulk)
            outputs = list(pool.map(lambda _: _run(small), range(16)))
        assert outputs == [b"hello"] * 16
        assert len(big.result()) == 2_000_000
    finally:
        _run(_ssh(ssh, served.port, *control, "-O", "exit", "x"))
    assert len(served.hosts) == 1


def _drain_rekey(client: Any) -> list[int]:
    return list(client.exchange_keys(begin=False))


def test_replies_wait_for_the_new_keys_in_their_order() -> None:
    with host_pair(limits=TransportLimits(rekey_bytes=20_000)) as (host, client):
        client.log_in()
        number = client.open_session()
        client.send(94, number, bytes(16_000))
        # Whatever is asked from here on is asked in the middle of the host's key exchange.
        client.send(94, number, bytes(8_000))
        for name in ("env", "env"):
            client.send(98, number, name, True, "LANG", "C")
        client.send(80, "nothing@here", True)
        came, fields = client.read()
        while came != 20:
            came, fields = client.read()
        message = paramiko.Message(fields.rest)
        message.seqno = 0
        client.transport._negotiate_keys(message)
        assert _drain_rekey(client) == []
        assert [client.read()[0] for _ in range(3)] == [99, 99, 82]
        assert host.transport.active


def test_a_client_may_ask_for_new_keys() -> None:
    with host_pair() as (host, client):
        client.log_in()
        before = host.transport.session_id
        client.exchange_keys(begin=True)
        client.open_session()
        assert host.transport.session_id == before


def test_plain_paramiko_waits_for_itself_where_ours_does_not() -> None:
    with plain_pair(_Sessions()) as (transport, client):
        transport.packetizer.REKEY_BYTES = 20_000
        transport.clear_to_send_timeout = 0.2  # thirty seconds, else
        client.log_in()
        number = client.open_session()
        client.send(94, number, bytes(24_000))
        client.send(98, number, "env", True, "LANG", "C")
        assert client.gone()
    with host_pair(limits=TransportLimits(rekey_bytes=20_000)) as (_, client):
        client.log_in()
        number = client.open_session()
        client.send(94, number, bytes(24_000))
        client.send(98, number, "env", True, "LANG", "C")
        while (message := client.read())[0] != 20:
            pass
        offer = paramiko.Message(message[1].rest)
        offer.seqno = 0
        client.transport._negotiate_keys(offer)
        client.exchange_keys(begin=False)
        client.expect(99)


class _Sessions(paramiko.ServerInterface):  # type: ignore[misc]
    def check_auth_none(self, username: str) -> int:
        return int(paramiko.AUTH_SUCCESSFUL)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return int(paramiko.OPEN_SUCCEEDED)


def _until_kexinit(client: Any) -> None:
    while client.read()[0] != 20:
        pass


def test_a_client_that_gives_no_new_keys_is_left() -> None:
    limits = TransportLimits(rekey_bytes=20_000, rekey_timeout=30.0)
    with host_pair(limits=limits) as (host, client):
        client.log_in()
        number = client.open_session()
        client.send(94, number, bytes(24_000))
        client.send(2, "x")
        _until_kexinit(client)
        host.timer.advance(29.0)
        assert host.transport.active
        waiting = threading.Thread(
            target=host.transport._send_user_message, args=(paramiko.Message(b"\x02\0\0\0\0"),)
        )
        waiting.start()
        host.timer.advance(2.0)
        assert host.wait() == "the client did not finish a key exchange"
        waiting.join(DEADLINE)
        assert not waiting.is_alive(), "a sender waits for keys that never come"


def test_replies_that_wait_are_bounded() -> None:
    limits = TransportLimits(rekey_bytes=20_000, requests=5_000)
    with host_pair(limits=limits) as (host, client):
        client.log_in()
        client.send(94, client.open_session(), bytes(24_000))
        for _ in range(2_100):
            client.send(80, "nothing@here", True)
        assert host.wait() == "the client asked for too much during a key exchange"


# -------------------------------------------------------------------------------------- ends


def test_the_login_has_one_deadline() -> None:
    with host_pair(limits=TransportLimits(login_grace=30.0)) as (host, client):
        client.shake_hands()
        host.timer.advance(29.0)
        assert host.transport.active
        host.timer.advance(1.5)
        assert client.gone()
        assert host.wait() == "the login took too long"


def test_the_deadline_ends_with_the_login() -> None:
    with host_pair(limits=TransportLimits(keepalive_interval=0.0)) as (host, client):
        client.log_in()
        assert host.answerer.entered.wait(DEADLINE)
        assert host.timer.due == []
        host.timer.advance(1000.0)
        client.open_session()
        assert host.answerer.identities[0].user == "ada"
        assert len(host.answerer.identities) == 1


def test_close_from_another_thread_says_why() -> None:
    with host_pair() as (host, client):
        client.log_in()
        client.open_session()
        host.transport.close("the host stops")
        host.transport.close("something later")
        while (message := client.read())[0] != 1:
            pass
        assert message[1].integer() == 11
        assert message[1].text() == "the host stops"
        assert host.wait() == "the host stops"


def test_close_frees_a_writer_that_the_client_starves() -> None:
    with host_pair() as (host, client):
        client.log_in()
        client.open_session()
        ignore = paramiko.Message(b"\x02" + bytes(30_000))

        def flood() -> None:
            while host.transport.active:
                host.transport._send_user_message(ignore)

        writer = threading.Thread(target=flood)
        writer.start()
        while not host.transport.line_full():
            pass
        assert not host.transport.try_send(ignore)
        host.transport.close("enough")
        writer.join(DEADLINE)
        assert not writer.is_alive(), "a stalled writer is not freed"
        assert host.wait() == "enough"


def test_a_short_message_is_sent_where_that_cannot_block() -> None:
    with host_pair() as (host, client):
        client.log_in()
        client.open_session()
        assert not host.transport.line_full()
        assert host.transport.try_send(paramiko.Message(b"\x02\0\0\0\x02hi"))
        assert client.expect(2).text() == "hi"
        host.transport.close()
        assert not host.transport.try_send(paramiko.Message(b"\x02\0\0\0\x02hi"))


def test_a_message_for_a_client_that_is_gone_is_dropped() -> None:
    with host_pair() as (host, client):
        client.log_in()
        client.open_session()
        client.close()
        host.wait()
        host.transport._send_user_message(paramiko.Message(b"\x02\0\0\0\x02hi"))
        assert not host.transport.line_full()


def test_the_clients_disconnect_is_noted_and_not_answered() -> None:
    with host_pair() as (host, client):
        client.log_in()
        client.open_session()
        client.send(1, 11, "bye\n\x1b[2J", "")
        assert host.wait() == "the client disconnected (11: bye··[2J)"
        with pytest.raises(Gone):
            client.read()


def test_a_client_that_was_shown_out_did_not_leave_by_itself() -> None:
    with host_pair() as (host, client):
        client.log_in()
        client.open_session()
        host.transport.shown_out = "The host is closing."
        client.send(1, 11, "disconnected by user", "")
        assert host.wait() == "The host is closing."


def test_a_fault_is_a_clean_end() -> None:
    raising = Recorder({"logged_in": OSError("one argument")})
    with host_pair(answerer=raising) as (host, client):
        client.log_in()
        assert client.gone()
        host.wait()
        assert not host.transport.is_active()
        assert host.transport.sock.fileno() == -1


def test_a_fault_of_our_own_leaves_a_trace_in_the_log() -> None:
    def run(transport: Any) -> None:
        transport.identify()
        transport.shake_hands()
        raise ZeroDivisionError("ours")

    with host_pair(run=run) as (host, client):
        client.shake_hands()
        assert host.wait() == "an error in the host"
        assert host.transport.faulty
        assert isinstance(host.log.named("conn.error")[0]["error"], ZeroDivisionError)


def test_the_run_is_the_connections() -> None:
    told = []

    def run(transport: Any) -> None:
        steps = (transport.identify, transport.shake_hands, transport.log_in, transport.serve)
        for step in steps:
            told.append(step.__name__)
            step()

    with host_pair(run=run) as (host, client):
        client.log_in()
        client.open_session()
        client.close()
        host.wait()
    assert told == ["identify", "shake_hands", "log_in", "serve"]


def test_a_run_that_just_ends_parts_too() -> None:
    with host_pair(run=lambda transport: None) as (host, _):
        assert host.wait() == "the connection's run ended"
        assert host.transport.sock.fileno() == -1


def test_a_connection_that_ended_is_forgotten() -> None:
    gc.collect()
    gc.disable()
    try:
        with host_pair() as (host, client):
            client.log_in()
            client.close()
            host.wait()
            remembered = weakref.ref(host.transport.packetizer)
            assert host.transport._handlers == {}
            assert host.transport.auth_handler is None
            assert host.transport not in threading.enumerate()
            assert host.transport not in paramiko.transport._active_threads
        del host
        gc.enable()
        gc.collect()
        assert remembered() is None
    finally:
        gc.enable()


def test_an_unknown_message_is_answered_with_its_number() -> None:
    with host_pair() as (_, client):
        client.log_in()
        client.open_session()
        sent = client.packetizer._Packetizer__sequence_number_out
        client.send(200, "what")
        assert client.expect(3).integer() == sent
        client.send(192, "ping")
        assert client.expect(3).integer() == sent + 1


def test_a_client_that_asks_for_extensions_learns_the_signatures() -> None:
    with host_pair() as (_, client):
        client.shake_hands()
        fields = client.expect(7)
        assert fields.integer() == 1
        assert fields.text() == "server-sig-algs"
        assert "rsa-sha2-512" in fields.text()
