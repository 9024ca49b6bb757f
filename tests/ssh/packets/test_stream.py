"""The packets' socket: what the kernel is told of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import paramiko
import pytest

from tuihost.ssh.packets.stream import PacketStream


@pytest.fixture
def ends() -> Iterator[tuple[PacketStream, socket.socket, PacketStream]]:
    """A client's end of a TCP connection, and the host's with its socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    client, host = PacketStream(near), PacketStream(far)
    yield client, far, host
    client.close()
    host.close()


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="TCP_QUICKACK is Linux's")
def test_what_comes_is_acknowledged_at_once_until_the_login(
    ends: tuple[PacketStream, socket.socket, PacketStream],
) -> None:
    client, sock, host = ends

    def turns() -> bool:
        """Question and answer, after which the kernel waits for an answer to carry an
        acknowledgement; whether it still does not."""
        for _ in range(20):
            client.send_message(paramiko.Message(b"\x02question"))
            host.read_message()
            host.send_message(paramiko.Message(b"\x02answer"))
            client.read_message()
        client.send_message(paramiko.Message(b"\x02question"))
        host.read_message()
        return bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK))

    assert turns()
    host.prompt = False
    assert not turns()
