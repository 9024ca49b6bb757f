"""What a stranger can send before the login, and that it costs the host next to nothing."""

from __future__ import annotations

import os
import socket
import time
from typing import Any

import paramiko
import pytest

from tests.ssh.messages import Raw, packed
from tests.ssh.raw_client import RawClient, host_pair, plain_pair
from tests.verifiers import OpenGuests
from tests.waiting import DEADLINE
from tuihost.core.limits import TransportLimits
from tuihost.core.login.verdicts import Prompt, Query
from tuihost.ssh.packets import algorithms as kex

KNOWN = [*range(1, 8), 20, 21, *range(30, 35), *range(50, 54), *range(60, 67)]
KNOWN += [80, 81, 82, *range(90, 101)]


class Nobody(OpenGuests):
    """Lets nobody in."""

    def advice(self, user: str) -> str:
        return ""

    def guest(self, user: str) -> bool:
        return False


class Plain(paramiko.ServerInterface):  # type: ignore[misc]
    """The smallest server of paramiko's."""

    def check_auth_none(self, username: str) -> int:
        return int(paramiko.AUTH_SUCCESSFUL)


def _without_keys(client: RawClient) -> None:
    client.hello()


def _with_keys(client: RawClient) -> None:
    client.shake_hands()


def _refused_once(client: RawClient) -> None:
    client.shake_hands()
    client.ask_for_login()
    client.send(50, "ada", "ssh-connection", "none")
    client.expect(51)


STATES = [_without_keys, _with_keys, _refused_once]


@pytest.mark.parametrize("state", STATES)
def test_no_message_before_the_login_reaches_anything(state: Any) -> None:
    bodies = (packed("session", 0, 2**20, 32768), packed(0, "exec", True, "reboot"))
    for number in KNOWN:
        with host_pair(verifier=Nobody()) as (host, client):
            state(client)
            for body in bodies:
                client.send(number, Raw(body))
            client.send(1, 11, "", "")
            assert client.gone()
            host.wait()
            assert host.answerer.told == []
            assert host.machine.identity is None
            assert host.log.named("conn.error") == [], f"message {number} is a fault of ours"


def test_unknown_messages_are_answered_and_cost_nothing() -> None:
    unknown = [n for n in range(1, 256) if n not in KNOWN and n not in range(30, 50)]
    unknown = [n for n in unknown if n not in range(80, 128)]
    with host_pair(verifier=Nobody(), limits=TransportLimits(preauth_packets=500)) as (_, client):
        _refused_once(client)
        for number in unknown:
            client.send(number, os.urandom(8))
            client.expect(3)


@pytest.mark.parametrize("number", range(80, 128))
def test_the_connection_layer_is_shut_before_the_login(number: int) -> None:
    """RFC 4252 §6: the server MUST disconnect."""
    if number in (80, 90, 98, 127):
        with host_pair() as (host, client):
            _with_keys(client)
            client.send(number, "x", True)
            assert client.gone()
            assert host.wait() == f"message {number} came before the login"


@pytest.mark.parametrize("number", [6, 51, 52, 53, 60])
def test_a_servers_message_ends_the_connection(number: int) -> None:
    with host_pair() as (host, client):
        _with_keys(client)
        client.send(number, "x", False)
        assert client.gone()
        assert "which only a server may send" in host.wait()
        assert host.answerer.identities == []


# ---------------------------------------------------------------------------- lying numbers


@pytest.mark.parametrize("number", [7, 61])
def test_a_count_of_four_billion_costs_nothing(number: int) -> None:
    with host_pair(chains=(("code",),), verifier=_Asking()) as (host, client):
        client.shake_hands()
        client.ask_for_login()
        client.send(50, "ada", "ssh-connection", "keyboard-interactive", "", "")
        client.expect(60)
        before = time.process_time()
        client.send(number, 0xFFFFFFFF)
        client.send(1, 11, "", "")
        assert client.gone()
        host.wait()
        assert time.process_time() - before < 1.0


class _Asking(Nobody):
    def step(self, name: str, user: str) -> Any:
        yield Query("Code", (Prompt("Code: "),))
        return True


SWALLOWED = 2 * 2**20


def _swallows(sock: socket.socket, size: int) -> bool:
    """Whether the other side reads so much."""
    sock.settimeout(DEADLINE)
    try:
        sock.sendall(bytes(size))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("length", [0x7FFFFFF4, 0xFFFFFFFC, 35_004])
def test_a_length_is_judged_before_the_packet_is_read(length: int) -> None:
    header = length.to_bytes(4, "big") + b"\x04\x14"
    if length == 0x7FFFFFF4:
        with plain_pair(Plain()) as (transport, client):
            client.hello()
            client.send_bytes(header + bytes(2))
            assert _swallows(client.sock, SWALLOWED)
            assert transport.is_active()
    with host_pair() as (host, client):
        client.hello()
        client.send_bytes(header + bytes(2))
        assert host.wait() == f"a packet says that it is {length} bytes long"
        assert not _swallows(client.sock, SWALLOWED)


MAC = "hmac-sha2-256-etm@openssh.com"


@pytest.mark.parametrize("length", [0, 1, 3, 5, 11, 13, 4095])
def test_a_length_must_fit_the_blocks(length: int) -> None:
    with host_pair() as (host, client):
        client.hello()
        client.send_bytes(length.to_bytes(4, "big") + bytes(64))
        assert f"{length} bytes long" in host.wait()


@pytest.mark.parametrize("cipher", ["aes256-gcm@openssh.com", "aes128-ctr"])
@pytest.mark.parametrize("mac", kex.MACS)
def test_lengths_are_judged_under_every_cipher(cipher: str, mac: str) -> None:
    with host_pair() as (host, client):
        client.transport._preferred_ciphers = (cipher,)
        client.transport._preferred_macs = (mac,)
        client.shake_hands()
        client.send_bytes(b"\x7f\xff\xff\xf0" + os.urandom(60))
        assert "bytes long" in host.wait()


def _flipped(client: RawClient) -> None:
    """A whole packet, with one bit of its last byte wrong."""
    sent = []
    client.packetizer.write_all = sent.append
    client.send(5, "ssh-userauth")
    (packet,) = sent
    client.send_bytes(packet[:-1] + bytes([packet[-1] ^ 1]))


@pytest.mark.parametrize("cipher", ["aes256-gcm@openssh.com", "aes128-ctr"])
@pytest.mark.parametrize("mac", kex.MACS)
def test_a_packet_with_a_wrong_bit_ends_the_connection(cipher: str, mac: str) -> None:
    with host_pair() as (host, client):
        client.transport._preferred_ciphers = (cipher,)
        client.transport._preferred_macs = (mac,)
        client.shake_hands()
        _flipped(client)
        assert host.wait() == "a packet is not authentic"


def test_a_packet_of_padding_alone_ends_the_connection() -> None:
    for padding in (0, 3, 11, 255):
        with host_pair() as (host, client):
            client.hello()
            client.send_bytes((12).to_bytes(4, "big") + bytes([padding]) + bytes(11))
            assert host.wait() == "a packet is all padding"


# -------------------------------------------------------------------------- identifications


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"SSH-1.5-old\r\n",
        b"SSH-2.0-\r\n",
        b"SSH-2.0-x\x1b[2J\r\n",
        b"SSH-2.0-x\xc3\xa9\r\n",
        b"SSH-2.0-x\0y\r\n",
        b"SSH-2.0-" + b"x" * 300 + b"\r\n",
        b"SSH-2.0-" + b"x" * 300,
        b"welcome\r\nSSH-2.0-x\r\n",
        b"\r\n",
    ],
)
def test_an_identification_is_one_plain_line(line: bytes) -> None:
    with host_pair() as (host, client):
        client.send_bytes(line)
        reason = host.wait()
        assert "SSH 2" in reason or "malformed" in reason
        assert client.sock.recv(4096).splitlines()[1:] == [b"Invalid SSH identification string."]


def test_the_longest_identification_is_fine_and_comes_in_any_pieces() -> None:
    line = "SSH-2.0-" + "x" * 245
    with host_pair() as (host, client):
        for byte in line.encode()[:50]:
            client.send_bytes(bytes([byte]))
        client.send_bytes(line.encode()[50:] + b"\r\n")
        client.transport.local_version = line
        client.transport.remote_version = client.packetizer.readline(DEADLINE)
        client.exchange_keys(begin=True)
        assert host.transport.remote_version == line


def test_paramiko_alone_takes_a_line_without_end() -> None:
    with plain_pair(Plain()) as (transport, client):
        assert _swallows(client.sock, 600_000)
        assert transport.is_active()
    with host_pair() as (host, client):
        _swallows(client.sock, 600_000)
        host.wait()


# ---------------------------------------------------------------------------- plain refusals


def test_an_unsupported_key_does_not_end_the_connection() -> None:
    request = ("ada", "ssh-connection", "publickey", False, "ssh-dss", packed("ssh-dss"))
    with plain_pair(Plain()) as (_, client):
        client.shake_hands()
        client.ask_for_login()
        client.send(50, *request)
        client.expect(1)
    with host_pair() as (_, client):
        client.shake_hands()
        client.ask_for_login()
        client.send(50, *request)
        client.expect(51)


def test_a_name_that_is_no_utf8_does_not_end_the_connection() -> None:
    with plain_pair(Plain()) as (_, client):
        client.shake_hands()
        client.ask_for_login()
        client.send(50, b"\xff\xfe", "ssh-connection", "none")
        assert client.gone()
    with host_pair() as (_, client):
        client.shake_hands()
        client.ask_for_login()
        client.send(50, b"\xff\xfe", "ssh-connection", "none")
        client.expect(51)


def test_an_unknown_message_does_not_end_the_connection() -> None:
    with plain_pair(Plain()) as (_, client):
        client.shake_hands()
        client.ask_for_login()
        client.send(200)
        assert client.gone()
    with host_pair() as (_, client):
        client.shake_hands()
        client.ask_for_login()
        client.send(200)
        client.expect(3)


# ------------------------------------------------------------------------------ key exchange


def _guess(client: RawClient) -> None:
    """A KEXINIT that promises a guess, and a guess at an exchange that is not agreed on."""
    client.hello()
    message = paramiko.Message()
    message.add_byte(b"\x14")
    message.add_bytes(bytes(16))
    names = ("curve25519-sha256@libssh.org,kex-strict-c-v00@openssh.com", "ssh-ed25519")
    for name in (
        *names,
        *["aes128-ctr"] * 2,
        *["hmac-sha2-256-etm@openssh.com"] * 2,
        "none",
        "none",
        "",
        "",
    ):
        message.add_string(name)
    message.add_boolean(True)
    message.add_int(0)
    transport = client.transport
    transport._preferred_kex = ("curve25519-sha256@libssh.org",)
    transport._preferred_ciphers, transport._preferred_macs = (
        ("aes128-ctr",),
        ("hmac-sha2-256-etm@openssh.com",),
    )
    transport.local_kex_init = message.asbytes()
    transport._send_message(message)
    client.send(30, b"guessed")
    client.exchange_keys(begin=False)
    client.send(5, "ssh-userauth")


def test_a_wrong_guess_is_passed_over() -> None:
    with plain_pair(Plain()) as (_, client), pytest.raises(EOFError):
        _guess(client)
    with host_pair() as (_, client):
        _guess(client)
        client.expect(6)


def _half(client: RawClient, name: str, half: bytes) -> None:
    client.transport._preferred_kex = (name,)
    client.hello()
    client.transport._send_kex_init()
    client.expect(20)
    client.send(30, half)


@pytest.mark.parametrize("half", [b"", bytes(31), bytes(32), bytes(33), b"\xff" * 1216])
@pytest.mark.parametrize("name", ["curve25519-sha256@libssh.org", "mlkem768x25519-sha256"])
def test_a_malformed_half_of_a_key_exchange_is_no_fault_of_ours(name: str, half: bytes) -> None:
    with host_pair() as (host, client):
        _half(client, name, half)
        assert client.gone()
        host.wait()
        assert host.log.named("conn.error") == []


def test_a_key_exchange_takes_no_other_message_in_between() -> None:
    for number in (2, 3, 4, 5, 7, 20, 21, 31, 50, 90):
        with host_pair() as (host, client):
            client.hello()
            client.transport._send_kex_init()
            client.expect(20)
            client.send(number, b"x")
            assert client.gone()
            assert host.wait() == f"message {number} came in the middle of a key exchange"


def test_a_message_smuggled_in_before_the_first_kexinit_is_noticed() -> None:
    with host_pair() as (host, client):
        client.hello()
        client.send(2, b"x")
        client.transport._send_kex_init()
        assert client.gone()
        assert "not the first packet" in host.wait()


def test_new_keys_come_after_the_login_only() -> None:
    with host_pair() as (host, client):
        client.shake_hands()
        client.transport._send_kex_init()
        assert client.gone()
        assert host.wait() == "the client wanted new keys before its login"


def _kexinit(*lists: str) -> bytes:
    return packed(Raw(bytes(16)), *lists, False, 0)


GOOD = (
    ",".join(kex.KEX),
    "ssh-ed25519",
    *["aes128-ctr"] * 2,
    *["hmac-sha2-256-etm@openssh.com"] * 2,
)


@pytest.mark.parametrize(
    "body",
    [
        _kexinit(*GOOD, "zlib", "zlib", "", ""),
        _kexinit("diffie-hellman-group14-sha256", *GOOD[1:], "none", "none", "", ""),
        _kexinit(*[""] * 10),
        _kexinit(",".join(f"x{n}" for n in range(4_000)), *GOOD[1:], "none", "none", "", ""),
        _kexinit(*GOOD[:2], "3des-cbc", "3des-cbc", *GOOD[4:], "none", "none", "", ""),
        packed(Raw(bytes(16)), b"\xff\xfe"),
        bytes(10),
    ],
)
def test_a_kexinit_that_leads_nowhere_ends_there(body: bytes) -> None:
    with host_pair() as (host, client):
        client.hello()
        client.expect(20)
        client.send(20, Raw(body))
        assert client.gone()
        host.wait()
        assert host.log.named("conn.error") == []


def test_a_client_without_a_common_algorithm_is_told() -> None:
    with host_pair() as (host, client):
        client.hello()
        client.expect(20)
        client.send(20, Raw(_kexinit("old", *GOOD[1:], "none", "none", "", "")))
        fields = client.expect(1)
        assert (fields.integer(), fields.text()) == (3, "no key exchange in common")
        host.wait()


# ------------------------------------------------------------------------------------ floods


def test_packets_before_the_login_are_counted() -> None:
    with host_pair(limits=TransportLimits(preauth_packets=100)) as (host, client):
        client.shake_hands()
        for _ in range(120):
            client.send(2, b"")
        assert client.gone()
        assert "too much before" in host.wait()


def test_bytes_before_the_login_are_counted() -> None:
    with host_pair(limits=TransportLimits(preauth_bytes=100_000)) as (host, client):
        client.shake_hands()
        for _ in range(5):
            client.send(2, bytes(30_000))
        assert client.gone()
        assert "too much before" in host.wait()


def test_requests_are_counted() -> None:
    with host_pair(verifier=Nobody(), chains=(("code",),)) as (host, client):
        client.shake_hands()
        client.ask_for_login()
        for _ in range(40):
            client.send(50, "ada", "ssh-connection", "none")
        assert client.gone()
        assert host.wait() == "too many failed attempts"


def test_a_login_request_needs_its_service() -> None:
    with host_pair() as (host, client):
        client.shake_hands()
        client.send(50, "ada", "ssh-connection", "none")
        assert client.gone()
        host.wait()
    with host_pair() as (host, client):
        client.shake_hands()
        client.send(5, "ssh-connection")
        assert client.gone()
        assert "service" in host.wait()
