"""The packets of SFTP both ways, on paramiko's server, which packs the answers.

What a client sends is read here, strictly and within bounds: paramiko believes every length.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import paramiko
from paramiko.sftp import (
    CMD_INIT,
    CMD_STATUS,
    CMD_VERSION,
    SFTP_BAD_MESSAGE,
    SFTP_EOF,
    SFTP_OK,
    SFTP_OP_UNSUPPORTED,
)

from tuihost.errors import PeerError

MAX_REQUEST: Final = 262_144 + 1024  # OpenSSH's own: 256 KiB of data, and what stands around it
VERSION: Final = 3
EXTENSIONS: Final = (
    ("posix-rename@openssh.com", "1"),
    ("fsync@openssh.com", "1"),
    ("limits@openssh.com", "1"),
    ("statvfs@openssh.com", "2"),
    ("fstatvfs@openssh.com", "2"),
)

_WORDS = {
    SFTP_OK: "done",
    SFTP_EOF: "end of file",
    SFTP_OP_UNSUPPORTED: "that is not possible here",
    SFTP_BAD_MESSAGE: "that cannot be understood",
}


class Bytes:
    """The two ends of a session that paramiko's server wants of a channel."""

    def __init__(self, read: Callable[[int], bytes], write: Callable[[bytes], None]) -> None:
        self.recv = read
        self._write = write

    def send(self, data: bytes) -> int:
        self._write(data)
        return len(data)

    def get_transport(self) -> Bytes:
        return self

    def get_log_channel(self) -> str:
        return "tuihost"

    def get_hexdump(self) -> bool:
        return False


class PacketServer(paramiko.SFTPServer):  # type: ignore[misc]  # paramiko has no types
    """Reads requests from `read`, and writes answers to `write`."""

    def __init__(self, read: Callable[[int], bytes], write: Callable[[bytes], None]) -> None:
        ends = Bytes(read, write)
        super().__init__(ends, "sftp", None)
        threading.Thread.__init__(self)  # paramiko's refers to itself, and would stay for a while
        self.sock = ends
        self._buffer = bytearray()

    def _log(self, level: int, msg: object, *args: object) -> None:
        """paramiko's own words, with names that a client chose: not used."""

    def _read_packet(self) -> tuple[int, bytes]:
        """Raises PeerError if it is too long, EOFError at the end."""
        size = int.from_bytes(self._read_all(4))
        if not 1 <= size <= MAX_REQUEST:
            raise PeerError(f"a request for files says that it is {size} bytes long")
        body = self._read_all(size)
        return body[0], body[1:]

    def _read_all(self, n: int) -> bytes:
        buffer = self._buffer
        while len(buffer) < n:
            data = self.sock.recv(65_536)
            if not data:
                raise EOFError
            buffer += data
        taken = bytes(memoryview(buffer)[:n])
        del buffer[:n]
        return taken

    def _send_server_version(self) -> None:
        number, _ = self._read_packet()
        if number != CMD_INIT:
            raise PeerError("files are asked for before the version")
        message = paramiko.Message()
        message.add_int(VERSION)
        for name, version in EXTENSIONS:
            message.add_string(name)
            message.add_string(version)
        self._send_packet(CMD_VERSION, message)

    def _send_status(self, request_number: int, code: int, desc: str | None = None) -> None:
        text = desc or _WORDS.get(code, "failure")
        self._response(request_number, CMD_STATUS, code, text, "en")
