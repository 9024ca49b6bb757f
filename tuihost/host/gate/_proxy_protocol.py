"""The PROXY protocol, versions 1 and 2, of HAProxy's `proxy-protocol.txt`: where a connection that
comes through a proxy truly comes from.

The header is read in steps, none of which takes a byte that is not the header's: what follows it
is SSH. Only the parser is here, and the reading from a socket that never blocks; who may send
headers, and for how long, is the listener's to decide.
"""

from __future__ import annotations

import re
import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from tuihost.core.sources import address_of
from tuihost.errors import PeerError
from tuihost.wire import Peer

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
MAX_V1 = 107  # bytes, CR and LF included
MAX_V2 = 16 + 2048
"""A header of version 2 has 16 bytes and then addresses and notes (TLV) of at most so many: those
of a proxy that passes on a client's certificate have a few hundred."""
_SHORTEST = len(b"PROXY UNKNOWN\r\n")
_V1 = re.compile(rb"PROXY (?:UNKNOWN(?: [\x20-\x7e]*)?|TCP([46]) (\S+) (\S+) (\S+) (\S+))\r\n")
_PORT = re.compile(rb"0|[1-9][0-9]{0,4}")
_LOCAL, _PROXY = 0, 1
_STREAM, _INET, _INET6 = 1, 1, 2


@dataclass(frozen=True, slots=True)
class Origin:
    """What a header says. `peer` is None if it names no address. `local`: because the proxy
    connects for itself, for a health check; otherwise it cannot tell (UNKNOWN)."""

    peer: Peer | None
    local: bool = False


class HeaderReader:
    """Takes one header, piece by piece. `wanted` says how many bytes may be given to `feed` next:
    never more than are the header's for sure. `origin` is there when `wanted` is 0."""

    def __init__(self) -> None:
        self.wanted = _SHORTEST
        self.origin: Origin | None = None
        self._header = bytearray()

    @property
    def begun(self) -> bool:
        """Anything has come at all."""
        return bool(self._header)

    def feed(self, data: bytes) -> None:
        """Takes at most `wanted` bytes. Raises PeerError as soon as they cannot be a header's."""
        self._header += data
        header = bytes(self._header)
        start = SIGNATURE if header[:1] == b"\r" else b"PROXY "
        if not start.startswith(header[: len(start)]):
            raise PeerError("the proxy sent no PROXY header")
        if len(header) < _SHORTEST:
            self.wanted = _SHORTEST - len(header)
        elif start is SIGNATURE:
            self._version_2(header)
        else:
            self._version_1(header)

    def _version_1(self, header: bytes) -> None:
        if header.endswith(b"\r\n"):
            self.origin, self.wanted = _parse_v1(header), 0
            return
        self.wanted = 1 if header.endswith(b"\r") else 2
        if len(header) + self.wanted > MAX_V1:
            raise PeerError("the PROXY header does not end")

    def _version_2(self, header: bytes) -> None:
        size = 16 if len(header) < 16 else 16 + int.from_bytes(header[14:16], "big")
        if size > MAX_V2:
            raise PeerError("the PROXY header is too long")
        self.wanted = size - len(header)
        if len(header) >= 16 and not self.wanted:
            self.origin = _parse_v2(header)


def _parse_v1(header: bytes) -> Origin:
    match = _V1.fullmatch(header)
    if match is None:
        raise PeerError("the PROXY header is malformed")
    family, source, destination, *ports = match.groups()
    if family is None:
        return Origin(None)
    if not all(_PORT.fullmatch(port) and int(port) <= 65535 for port in ports):
        raise PeerError("the PROXY header has an invalid port")
    kind = IPv4Address if family == b"4" else IPv6Address
    try:
        address = kind(source.decode("ascii"))
        kind(destination.decode("ascii"))
    except ValueError:
        raise PeerError("the PROXY header has an invalid address") from None
    return Origin(Peer(_plain(str(address)), int(ports[0])))


def _parse_v2(header: bytes) -> Origin:
    version, command = header[12] >> 4, header[12] & 15
    if version != 2 or command not in (_LOCAL, _PROXY):
        raise PeerError("the PROXY header has an unknown version or command")
    family, transport = header[13] >> 4, header[13] & 15
    if command == _LOCAL or family not in (_INET, _INET6) or transport != _STREAM:
        # "The receiver should ignore the address block" in all of these.
        return Origin(None, local=command == _LOCAL)
    form = "!4s4sHH" if family == _INET else "!16s16sHH"
    if len(header) < 16 + struct.calcsize(form):
        raise PeerError("the PROXY header is too short for its addresses")
    source, _, port, _ = struct.unpack_from(form, header, 16)
    address = IPv4Address(source) if family == _INET else IPv6Address(source)
    return Origin(Peer(_plain(str(address)), port))


def _plain(address: str) -> str:
    return str(address_of(address) or address)


def read_header(sock: socket.socket, reader: HeaderReader) -> bool:
    """Reads what has arrived, without blocking; True when the header is complete.

    Raises PeerError if it is not a header, EOFError if the proxy left first, OSError.
    """
    while reader.wanted:
        try:
            data = sock.recv(reader.wanted, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        if not data:
            raise EOFError
        reader.feed(data)
    return True
