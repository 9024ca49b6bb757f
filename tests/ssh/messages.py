"""Messages as bytes, RFC 4251 §5: how tests put them together and take them apart."""

from __future__ import annotations

from dataclasses import dataclass

import paramiko

from tuihost.ssh.packets.fields import Fields


@dataclass(frozen=True)
class Raw:
    """Bytes that go into a message as they are."""

    data: bytes


def packed(*parts: object) -> bytes:
    """Fields of a message: bool, int (uint32), str or bytes (string), Raw."""
    message = paramiko.Message()
    for part in parts:
        match part:
            case bool():
                message.add_boolean(part)
            case int():
                message.add_int(part)
            case Raw(data):
                message.add_bytes(data)
            case _:
                message.add_string(part)
    return bytes(message.asbytes())


def fields(message: bytes) -> Fields:
    """The fields of a sent message after its number."""
    return Fields(message[1:])
