"""An agent as ssh speaks to one (draft-ietf-sshm-ssh-agent), with FIDO devices in software."""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path

from tests.ssh.keys.key_tools import SecurityKey
from tests.waiting import DEADLINE

REQUEST_IDENTITIES, IDENTITIES, SIGN_REQUEST, SIGNED, FAILED = 11, 12, 13, 14, 5


def string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


class DeviceAgent:
    """Answers on a Unix socket until it is closed. `flags` is what each device says of its user."""

    def __init__(self, path: Path, flags: int, *devices: SecurityKey) -> None:
        self._devices = devices
        self._flags = flags
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, name="agent")
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(DEADLINE)

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with sock, sock.makefile("rwb") as line:
                while head := line.read(4):
                    request = line.read(struct.unpack(">I", head)[0])
                    line.write(string(self._answer(request)))
                    line.flush()

    def _answer(self, request: bytes) -> bytes:
        if request[0] == REQUEST_IDENTITIES:
            found = [string(device.blob) + string(b"a device") for device in self._devices]
            return bytes([IDENTITIES]) + struct.pack(">I", len(found)) + b"".join(found)
        if request[0] == SIGN_REQUEST:
            size = struct.unpack(">I", request[1:5])[0]
            blob, rest = request[5 : 5 + size], request[5 + size :]
            data = rest[4 : 4 + struct.unpack(">I", rest[:4])[0]]
            for device in self._devices:
                if device.blob == blob:
                    return bytes([SIGNED]) + string(device.sign(data, self._flags))
        return bytes([FAILED])
