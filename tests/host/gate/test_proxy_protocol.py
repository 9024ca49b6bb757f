"""The PROXY protocol: every header is understood or refused, and SSH loses no byte to it."""

from __future__ import annotations

import selectors
import socket
import struct
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.waiting import DEADLINE
from tuihost.errors import PeerError
from tuihost.host.gate._proxy_protocol import (
    MAX_V1,
    MAX_V2,
    SIGNATURE,
    HeaderReader,
    Origin,
    read_header,
)
from tuihost.host.gate.proxied import (
    HEADER_TIMEOUT,
    MAX_WAITING,
    ProxiedConnection,
    ProxiedConnections,
)
from tuihost.wire import Peer

SSH = b"SSH-2.0-OpenSSH_9.2p1\r\n"
PROXY = Peer("10.0.0.1", 40_000)


def v1(source: str, port: int = 56324) -> bytes:
    kind = "TCP6" if ":" in source else "TCP4"
    other = "::1" if ":" in source else "192.0.2.200"
    return f"PROXY {kind} {source} {other} {port} 443\r\n".encode()


def v2(
    source: str = "",
    port: int = 0,
    *,
    command: int = 0x21,
    kind: int | None = None,
    more: bytes = b"",
) -> bytes:
    address = ip_address(source).packed if source else b""
    family = {0: 0x00, 4: 0x11, 16: 0x21}[len(address)] if kind is None else kind
    body = address + bytes(len(address)) + (struct.pack("!HH", port, 22) if source else b"") + more
    return SIGNATURE + bytes([command, family]) + len(body).to_bytes(2, "big") + body


def read(data: bytes, pieces: list[int] | None = None) -> tuple[Origin | None, bytes]:
    """What a reader makes of a stream, and what it left of it. `pieces`: how much of what the
    reader wants arrives at a time."""
    reader, at, turn = HeaderReader(), 0, 0
    while reader.wanted and at < len(data):
        size = reader.wanted
        if pieces:
            size, turn = min(size, pieces[turn % len(pieces)]), turn + 1
        reader.feed(data[at : at + size])
        at = min(len(data), at + size)
    return reader.origin, data[at:]


addresses = st.ip_addresses().filter(lambda a: getattr(a, "ipv4_mapped", None) is None)
ports = st.integers(0, 65535)
pieces = st.lists(st.integers(1, 40), max_size=20)


@given(addresses, ports, st.booleans(), st.binary(max_size=300), st.binary(max_size=64), pieces)
def test_property_headers_come_through_and_leave_the_rest(
    address: Any, port: int, first: bool, notes: bytes, rest: bytes, sizes: list[int]
) -> None:
    text = str(address).partition("%")[0]
    header = v1(text, port) if first else v2(text, port, more=notes)
    assert read(header + rest, sizes) == (Origin(Peer(text, port)), rest)


@given(
    st.binary(max_size=300), st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE]), pieces
)
@example(b"\r\nX 1.2.3.4 1.2.3.4 1 1\r\n", b"PROXY TCP4", [])
@example(b"\xff\xfe 1.2.3.4 1 1\r\n", b"PROXY TCP4 ", [])
def test_fuzz_whatever_comes_is_a_header_or_refused(
    data: bytes, start: bytes, sizes: list[int]
) -> None:
    try:
        origin, left = read(start + data, sizes)
    except PeerError:
        return
    assert len(start + data) - len(left) <= MAX_V2
    assert origin is None or isinstance(origin, Origin)


@pytest.mark.parametrize("header", [v1("192.0.2.1"), v1("2001:db8::1"), v2("192.0.2.1", 9)])
def test_a_byte_at_a_time(header: bytes) -> None:
    reader = HeaderReader()
    assert not reader.begun
    for number, byte in enumerate(header):
        assert 0 < reader.wanted <= len(header) - number, "it takes bytes that are SSH's"
        assert reader.origin is None
        reader.feed(bytes([byte]))
        assert reader.begun
    assert reader.wanted == 0


NAMELESS = [
    b"PROXY UNKNOWN\r\n",
    b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n",
    v2(kind=0x31, more=bytes(216)),
    v2("192.0.2.1", 9, kind=0x12),
    v2(more=b"\x04\x00\x01\x00"),
]


@pytest.mark.parametrize("header", [v2(command=0x20), v2("192.0.2.1", 9, command=0x20)])
def test_a_proxy_that_speaks_for_itself(header: bytes) -> None:
    assert read(header + SSH) == (Origin(None, local=True), SSH)


@pytest.mark.parametrize("header", NAMELESS)
def test_a_proxy_that_cannot_tell(header: bytes) -> None:
    assert read(header + SSH) == (Origin(None), SSH)


@pytest.mark.parametrize(
    "data",
    [
        SSH,
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(20),
        b"\r\n\r\n\0\r\nQUIX\n" + bytes(8),
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n",
        b"PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n",
        b"PROXY TCP4 2001:db8::1 ::1 1 2\r\n",
        b"PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 \xb2.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY UNKNOWN \x1b[2J\r\n",
        b"PROXY " + b"x" * MAX_V1,
        b"PROXY " + b"\r" * MAX_V1,
        v2("192.0.2.1", 9, command=0x11),
        v2("192.0.2.1", 9, command=0x22),
        v2("192.0.2.1", 9, kind=0x21),
        SIGNATURE + b"\x21\x11\x00\x04" + bytes(4),
        SIGNATURE + b"\x21\x11\xff\xff" + bytes(4),
    ],
)
def test_what_is_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(PeerError):
        read(data + bytes(100))


def test_the_longest_line_of_the_specification() -> None:
    line = b"PROXY TCP6 " + b" ".join([b"ffff:" * 7 + b"ffff"] * 2 + [b"65535"] * 2) + b"\r\n"
    assert len(line) == 104
    assert read(line + SSH) == (Origin(Peer("ffff:" * 7 + "ffff", 65535)), SSH)


def test_an_ipv4_address_in_ipv6_clothes_is_an_ipv4_address() -> None:
    for header in (v1("::ffff:192.0.2.1"), v2("::ffff:192.0.2.1", 56324)):
        assert read(header)[0] == Origin(Peer("192.0.2.1", 56324))


# --------------------------------------------------------------------------- in the accept loop


class Clock:
    def __init__(self) -> None:
        self.due: list[Any] = []

    def now(self) -> float:
        return 0.0

    def call_later(self, seconds: float, action: Any) -> Any:
        assert seconds == HEADER_TIMEOUT
        self.due.append(action)
        outer = self

        class Deadline:
            def cancel(self) -> None:
                outer.due.remove(action)

        return Deadline()


class Loop:
    """The accept loop's part in it, turned by hand."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.clock = Clock()
        self.brought: list[tuple[socket.socket, Peer, bool | None]] = []
        self.refused: list[tuple[Peer, str]] = []
        self.all = ProxiedConnections(
            self.selector,
            self.clock,
            lambda *one: self.brought.append(one),
            lambda *one: self.refused.append(one),
        )

    def begin(self, data: bytes = b"") -> socket.socket:
        near, far = socket.socketpair()
        near.sendall(data)
        self.all.begin(far, PROXY)
        return near

    def turn(self) -> int:
        ready = self.selector.select(0)
        for key, _ in ready:
            assert isinstance(key.data, ProxiedConnection)
            self.all.proceed(key.data)
        return len(ready)

    def close(self) -> None:
        self.all.close()
        self.selector.close()
        for sock, _, _ in self.brought:
            sock.close()
        assert self.clock.due == [], "a deadline is left behind"


@pytest.fixture
def loop() -> Any:
    loop = Loop()
    yield loop
    loop.close()


def test_a_header_that_is_there_already_waits_for_nothing(loop: Loop) -> None:
    with loop.begin(v2("192.0.2.1", 9) + SSH):
        ((sock, peer, exempt),) = loop.brought
        assert (peer, exempt) == (Peer("192.0.2.1", 9), None)
        assert sock.recv(4096) == SSH, "the reader took what is not its own"
        assert len(loop.all) == 0


def test_a_header_in_pieces(loop: Loop) -> None:
    header = v1("192.0.2.1")
    with loop.begin(header[:5]) as near:
        assert loop.turn() == 0, "a started header keeps the loop busy"
        near.sendall(header[5:] + SSH)
        assert loop.turn() == 1
        assert loop.brought[0][0].recv(4096) == SSH
        assert loop.turn() == 0


def test_a_check_of_health_is_answered(loop: Loop) -> None:
    with loop.begin(v2(command=0x20)):
        assert loop.brought[0][1:] == (PROXY, True)


@pytest.mark.parametrize("header", NAMELESS)
def test_a_client_that_nobody_names_is_not_trusted_for_its_proxy(loop: Loop, header: bytes) -> None:
    with loop.begin(header):
        assert loop.brought[0][1:] == (PROXY, False)


def test_a_check_that_only_connects_is_no_news(loop: Loop) -> None:
    loop.begin().close()
    loop.turn()
    assert loop.refused == []
    assert len(loop.all) == 0


@pytest.mark.parametrize(
    ("data", "reason"),
    [(SSH, "the proxy sent no PROXY header"), (b"PROXY T", "the PROXY header broke off")],
)
def test_what_is_no_header_ends_there(loop: Loop, data: bytes, reason: str) -> None:
    with loop.begin(data) as near:
        near.shutdown(socket.SHUT_WR)
        loop.turn()
        assert loop.refused == [(PROXY, reason)]
        assert len(loop.all) == 0
        assert loop.brought == []


def test_a_silent_proxy_is_hung_up_on(loop: Loop) -> None:
    with loop.begin(b"PROXY TCP4") as near:
        (expire,) = loop.clock.due
        expire()
        assert loop.turn() == 1
        assert loop.refused == [(PROXY, "the PROXY header took too long")]
        expire()  # it was too late to call it off
        near.settimeout(DEADLINE)
        assert near.recv(10) == b""


def test_a_reset_is_no_fault(loop: Loop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
        loop.all.begin(far, PROXY)
        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        near.close()
        loop.turn()
    assert len(loop.all) == 0


def test_only_so_many_wait(loop: Loop) -> None:
    waiting = [loop.begin() for _ in range(MAX_WAITING)]
    with loop.begin() as near:
        near.settimeout(DEADLINE)
        assert near.recv(10) == b""
    assert loop.refused[0][1] == "Too many connections without a PROXY header"
    with loop.begin(v1("192.0.2.1")):
        assert len(loop.brought) == 1, "those who wait keep out those who need not"
    for near in waiting:
        near.close()


def test_a_read_never_waits() -> None:
    near, far = socket.socketpair()
    with near, far:
        reader = HeaderReader()
        assert read_header(far, reader) is False
        near.sendall(v1("192.0.2.1"))
        assert read_header(far, reader) is True
