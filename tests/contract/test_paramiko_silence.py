"""What paramiko leaves out of a server, and what is there here, side by side."""

from __future__ import annotations

import inspect
import socket

import paramiko
from paramiko import channel, transport

from tuihost.ssh.transport import HostTransport, prepare


def test_small_packets_wait_for_each_other_unless_the_socket_is_told() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
    ):
        accepted, _ = listener.accept()
        with accepted:
            theirs = paramiko.Transport(accepted)
            assert not theirs.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            prepare(accepted)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert client.recv(1) == b""


def test_weak_algorithms_are_offered_unless_the_lists_are_others() -> None:
    theirs, ours = paramiko.Transport, HostTransport
    assert "3des-cbc" in theirs._preferred_ciphers
    assert "hmac-md5" in theirs._preferred_macs
    assert "diffie-hellman-group14-sha256" in theirs._preferred_kex
    offered = (*ours.preferred_ciphers, *ours.preferred_macs, *ours.preferred_kex)
    assert not any(weak in name for name in offered for weak in ("cbc", "md5", "sha1", "-hellman"))


def test_signals_breaks_and_end_of_write_have_no_callback() -> None:
    callbacks = {name for name in dir(paramiko.ServerInterface) if name.startswith("check_")}
    assert not any("signal" in name or "break" in name for name in callbacks)
    handled = inspect.getsource(channel.Channel._handle_request)
    assert not any(f'"{name}"' in handled for name in ("signal", "break", "eow@openssh.com"))


def test_host_keys_are_not_told_and_a_dead_peer_is_not_noticed() -> None:
    source = inspect.getsource(transport)
    assert "hostkeys-00@openssh.com" not in source
    # It asks without wanting an answer, so that none can be missed.
    assert "wait=False" in inspect.getsource(transport.Transport.set_keepalive)
