"""The first message of an X11 connection and the file that cookies are kept in. No I/O.

An X client says which byte order it uses and shows a cookie before anything else (X Window System
Protocol, §8 "Connection Setup"). Of all that goes over a display only that is read here: a program
that shows another cookie than its session's is refused by `tuihost/host/relay/x11_display.py`.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Literal

COOKIE = "MIT-MAGIC-COOKIE-1"
COOKIE_BYTES = 16
MAX_COOKIE = 64  # bytes; the protocol's own have 16
MAX_SETUP = 1024  # bytes of a first message; with a cookie of 16 it has 48
MAX_SCREEN = 255

_HEAD = 12
_ORDERS: dict[int, Literal["little", "big"]] = {ord("l"): "little", ord("B"): "big"}
_WILD = b"\xff\xff"  # FamilyWild: the cookie of any address


@dataclass(frozen=True, slots=True)
class Setup:
    """What an X client says first. `length` is that of the whole message in bytes."""

    head: bytes
    order: Literal["little", "big"]
    name: bytes
    data: bytes
    length: int

    def shows(self, cookie: bytes) -> bool:
        """Whether it knows that cookie."""
        return self.name == COOKIE.encode() and hmac.compare_digest(self.data, cookie)

    def with_cookie(self, cookie: bytes) -> bytes:
        """The message with another cookie in it."""
        name = COOKIE.encode()
        head = self.head[:6]
        head += b"".join(len(part).to_bytes(2, self.order) for part in (name, cookie))
        return head + b"\0\0" + _padded(name) + _padded(cookie)

    def refusal(self, reason: str) -> bytes:
        """The answer of an X server that does not let its client in."""
        text = reason.encode("ascii", "replace")[:255]
        padded = _padded(text)
        version = self.head[2:6]
        return bytes([0, len(text)]) + version + (len(padded) // 4).to_bytes(2, self.order) + padded


def read_setup(data: bytes) -> Setup | None:
    """The first message of an X client, None if more of it has to come. Raises `ValueError`
    if it is not one."""
    if data and data[0] not in _ORDERS:
        raise ValueError("that is not an X client")
    if len(data) < _HEAD:
        return None
    order = _ORDERS[data[0]]
    name_length = int.from_bytes(data[6:8], order)
    data_length = int.from_bytes(data[8:10], order)
    data_at = _HEAD + _round(name_length)
    length = data_at + _round(data_length)
    if length > MAX_SETUP:
        raise ValueError("its first message is too long")
    if len(data) < length:
        return None
    name = data[_HEAD : _HEAD + name_length]
    return Setup(data[:_HEAD], order, name, data[data_at : data_at + data_length], length)


def cookie_of(protocol: str, text: str) -> bytes | None:
    """The cookie in an x11-req (RFC 4254 §6.3.1), None if it is not understood."""
    if protocol != COOKIE or not 0 < len(text) <= 2 * MAX_COOKIE:
        return None
    try:
        return bytes.fromhex(text) if text.isalnum() else None
    except ValueError:
        return None


def xauthority(cookie: bytes) -> bytes:
    """A file for XAUTHORITY that has this cookie for every display."""
    parts = (b"", b"", COOKIE.encode(), cookie)
    return _WILD + b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def _round(length: int) -> int:
    return length + -length % 4


def _padded(data: bytes) -> bytes:
    return data.ljust(_round(len(data)), b"\0")
