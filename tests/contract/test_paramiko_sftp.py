"""What is relied on in paramiko's SFTP server, and why a client's requests are not read by it."""

from __future__ import annotations

import inspect
from typing import Any

import paramiko
import pytest
from paramiko.sftp import BaseSFTP
from paramiko.sftp_attr import SFTPAttributes

from tuihost.ssh.sftp._packets import PacketServer
from tuihost.ssh.sftp.server import TreeServer


@pytest.mark.parametrize(
    "name", ["_read_all", "_read_packet", "_send_packet", "_send_server_version", "_log"]
)
def test_what_ours_replaces_is_asked_there(name: str) -> None:
    assert callable(getattr(BaseSFTP, name))
    assert name in vars(PacketServer) or name == "_send_packet"


@pytest.mark.parametrize("name", ["_response", "_send_handle_response", "_send_status"])
def test_what_packs_the_answers_is_there(name: str) -> None:
    theirs = inspect.signature(getattr(paramiko.SFTPServer, name))
    ours = inspect.signature(getattr(TreeServer, name))
    assert len(theirs.parameters) == len(ours.parameters)


def test_a_packet_is_written_in_one_piece() -> None:
    sent: list[bytes] = []

    class Stdio:
        def send(self, data: bytes) -> int:
            sent.append(data)
            return len(data)

    server = BaseSFTP()
    server.sock = Stdio()
    server._send_packet(101, paramiko.Message(b"abc"))
    assert sent == [b"\0\0\0\x04\x65abc"]


def test_attributes_are_packed_as_their_flags_say() -> None:
    attributes, message = SFTPAttributes(), paramiko.Message()
    attributes.st_size, attributes._flags = 5, SFTPAttributes.FLAG_SIZE
    attributes._pack(message)
    assert message.asbytes() == b"\0\0\0\x01" + (5).to_bytes(8)


def test_a_lying_count_of_attributes_would_go_on_for_hours() -> None:
    """Each that is missing is two empty strings to it, and one more entry."""
    asked: list[int] = []

    class Counted(paramiko.Message):  # type: ignore[misc]
        def get_string(self) -> Any:
            asked.append(1)
            if len(asked) > 1000:
                raise StopIteration
            return super().get_string()

    message = Counted(b"\x80\0\0\0" + b"\xff\xff\xff\xff")
    with pytest.raises(StopIteration):
        SFTPAttributes._from_msg(message)


def test_a_packet_of_sixteen_megabytes_would_be_read() -> None:
    wanted: list[int] = []

    class Stdio:
        def recv(self, count: int) -> bytes:
            wanted.append(count)
            return b"\0\xff\xff\xff"[:count] if count == 4 else b""

    server = BaseSFTP()
    server.sock = Stdio()
    with pytest.raises(EOFError):
        server._read_packet()
    assert wanted == [4, 0xFFFFFF]
