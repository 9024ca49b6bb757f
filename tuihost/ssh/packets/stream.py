"""The binary packets of RFC 4253 §6: cutting a stream of bytes into messages, and sealing them.

Takes the place of paramiko's packetizer, with the methods that its Transport calls. What it adds
is bounds: a length is judged as soon as its four bytes are there, in every cipher mode, and
reading costs what arrives, not its square. There is no thread and no clock here; deadlines end a
connection by shutting the socket down, which ends whatever waits in here at once.
"""

from __future__ import annotations

import hmac
import select
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any, Protocol

import paramiko
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import ciphers
from cryptography.hazmat.primitives.poly1305 import Poly1305

from tuihost.errors import PeerError

PREAUTH_PACKET = 35_000  # RFC 4253 §6.1: what every implementation must be able to take
PACKET = 40_000  # room for the 32 KiB of data that a channel takes at a time, and its headers
MIN_LENGTH = 8  # of a packet after its length field: a message's number and padding, in blocks
REKEY_PACKETS = 2**31
MOMENT = 0.02  # seconds: what it takes another thread to seal and write a packet, and to spare
_SHORT_READ, _LONG_READ = 2_048, 65_536  # bytes: for keys, and while much is coming
_HELLO = 255  # RFC 4253 §4.2, with its CR and LF


class Cipher(Protocol):
    """One direction under one set of keys."""

    head: int  # bytes to read before the length is known
    tag: int  # bytes of authentication after the packet
    block: int
    counted: int  # how much of the length field the padding counts

    def length(self, number: int, head: bytes) -> int:
        """The length of the packet of that number, from its first bytes."""

    def open(self, number: int, head: bytes, rest: bytes) -> bytes:
        """The packet after its length field, verified. Raises PeerError."""

    def seal(self, number: int, packet: bytes) -> bytes:
        """The packet, its length field first, as it goes on the line."""


class Plain:
    """Before the first NEWKEYS."""

    head, tag, block, counted = 4, 0, 8, 4

    def length(self, number: int, head: bytes) -> int:
        return int.from_bytes(head, "big")

    def open(self, number: int, head: bytes, rest: bytes) -> bytes:
        return rest

    def seal(self, number: int, packet: bytes) -> bytes:
        return packet


class Gcm:
    """AES-GCM, RFC 5647: the length is clear and authenticated."""

    head, tag, block, counted = 4, 16, 16, 0

    def __init__(self, engine: Any, iv: bytes) -> None:
        self._engine = engine
        self._fixed = iv[:4]
        self._count = int.from_bytes(iv[4:], "big")

    def _nonce(self) -> bytes:
        nonce = self._fixed + self._count.to_bytes(8, "big")
        self._count = (self._count + 1) & 0xFFFFFFFFFFFFFFFF
        return nonce

    def length(self, number: int, head: bytes) -> int:
        return int.from_bytes(head, "big")

    def open(self, number: int, head: bytes, rest: bytes) -> bytes:
        try:
            opened: bytes = self._engine.decrypt(self._nonce(), rest, head)
        except InvalidTag:
            raise PeerError("a packet is not authentic") from None
        return opened

    def seal(self, number: int, packet: bytes) -> bytes:
        sealed: bytes = self._engine.encrypt(self._nonce(), packet[4:], packet[:4])
        return packet[:4] + sealed


class EncryptThenMac:
    """AES-CTR with hmac-…-etm@openssh.com: the length is clear, the MAC is over what is sent."""

    head, counted = 4, 0

    def __init__(self, engine: Any, block: int, digest: str, key: bytes, tag: int) -> None:
        self._engine, self._digest, self._key = engine, digest, key
        self.block, self.tag = block, tag

    def _mac(self, number: int, data: bytes) -> bytes:
        return hmac.digest(self._key, number.to_bytes(4, "big") + data, self._digest)

    def length(self, number: int, head: bytes) -> int:
        return int.from_bytes(head, "big")

    def open(self, number: int, head: bytes, rest: bytes) -> bytes:
        body, tag = rest[: -self.tag], rest[-self.tag :]
        if not hmac.compare_digest(self._mac(number, head + body), tag):
            raise PeerError("a packet is not authentic")
        opened: bytes = self._engine.update(body)
        return opened

    def seal(self, number: int, packet: bytes) -> bytes:
        sealed: bytes = packet[:4] + self._engine.update(packet[4:])
        return sealed + self._mac(number, sealed)


class EncryptAndMac:
    """AES-CTR with the MACs of RFC 6668: the length is encrypted with the rest, and the MAC is over
    the packet as it was before. For clients that have nothing newer."""

    counted = 4

    def __init__(self, engine: Any, block: int, digest: str, key: bytes, tag: int) -> None:
        self._engine, self._digest, self._key = engine, digest, key
        self.head = self.block = block
        self.tag = tag
        self._first = b""  # block of the packet that is being read, decrypted

    def _mac(self, number: int, packet: bytes) -> bytes:
        return hmac.digest(self._key, number.to_bytes(4, "big") + packet, self._digest)

    def length(self, number: int, head: bytes) -> int:
        self._first = self._engine.update(head)
        return int.from_bytes(self._first[:4], "big")

    def open(self, number: int, head: bytes, rest: bytes) -> bytes:
        body, tag = rest[: -self.tag], rest[-self.tag :]
        packet: bytes = self._first + self._engine.update(body)
        if not hmac.compare_digest(self._mac(number, packet), tag):
            raise PeerError("a packet is not authentic")
        return packet[4:]

    def seal(self, number: int, packet: bytes) -> bytes:
        sealed: bytes = self._engine.update(packet)
        return sealed + self._mac(number, packet)


class ChaCha:
    """chacha20-poly1305@openssh.com, by OpenSSH's PROTOCOL.chacha20poly1305: the length is
    encrypted by itself, with the last half of the key, and judged before the rest is there."""

    head, tag, block, counted = 4, 16, 8, 0

    def __init__(self, key: bytes) -> None:
        self._body, self._head = self._stream(key[:32]), self._stream(key[32:])

    @staticmethod
    def _stream(key: bytes) -> ciphers.CipherContext:
        # Made once and set to each packet's nonce: making one costs as much as a short packet.
        return ciphers.Cipher(ciphers.algorithms.ChaCha20(key, bytes(16)), mode=None).encryptor()

    @staticmethod
    def _nonce(number: int) -> bytes:
        # 64 bits of a block's number, from the least significant on, and 64 of the packet's.
        return bytes(8) + number.to_bytes(8, "big")

    def _at(self, number: int) -> bytes:
        """Sets the stream of the body to a packet, which begins with its second block, and gives
        the key of the packet's tag."""
        self._body.reset_nonce(self._nonce(number))
        return self._body.update(bytes(64))[:32]

    def length(self, number: int, head: bytes) -> int:
        self._head.reset_nonce(self._nonce(number))
        return int.from_bytes(self._head.update(head), "big")

    def open(self, number: int, head: bytes, rest: bytes) -> bytes:
        body, tag = rest[: -self.tag], rest[-self.tag :]
        try:
            Poly1305.verify_tag(self._at(number), head + body, tag)
        except InvalidSignature:
            raise PeerError("a packet is not authentic") from None
        return self._body.update(body)

    def seal(self, number: int, packet: bytes) -> bytes:
        key = self._at(number)
        self._head.reset_nonce(self._nonce(number))
        sealed = self._head.update(packet[:4]) + self._body.update(packet[4:])
        return sealed + Poly1305.generate_tag(key, sealed)


def _cipher(
    engine: Any, block: int, mac: Callable[[], Any] | None, tag: int, key: bytes, iv: Any, etm: bool
) -> Cipher:
    if isinstance(engine, ChaCha):
        return engine
    if mac is None:
        return Gcm(engine, iv)
    kind = EncryptThenMac if etm else EncryptAndMac
    return kind(engine, block, mac().name, key, tag)


class PacketStream:
    """The packets of one connection over its blocking socket.

    Threads: one reads, the transport's; any sends. `max_packet` is what is taken at most,
    `received_bytes` and `received_packets` count from the beginning. While `prompt` is set, what
    has come is acknowledged at once.
    """

    def __init__(self, sock: socket.socket, *, rekey_bytes: int = 2**30) -> None:
        self._sock = sock
        self._buffer = bytearray()
        self._start = 0  # what of the buffer was taken
        self._lock = threading.Lock()
        self._in: Cipher = Plain()
        self._out: Cipher = Plain()
        self._number_in = self._number_out = self.last_read = 0
        # What the present keys have carried, out and in: [bytes, packets].
        self._used = {"out": [0, 0], "in": [0, 0]}
        self._renewed: set[str] = set()
        self._need_rekey = False
        self._initial_kex_done = False  # set by paramiko's Transport
        self.rekey_bytes = rekey_bytes
        self.rekey_packets = REKEY_PACKETS
        self.max_packet = PREAUTH_PACKET
        self.received_bytes = self.received_packets = 0
        self._much = False  # came with the last read
        self.closed = False
        self.prompt = sock.family in (socket.AF_INET, socket.AF_INET6)

    # ----------------------------------------------------------- what paramiko's Transport sets

    def set_log(self, log: object) -> None:
        """Nothing is logged here."""

    def set_outbound_cipher(
        self,
        block_engine: Any,
        block_size: int,
        mac_engine: Callable[[], Any] | None,
        mac_size: int,
        mac_key: bytes,
        sdctr: bool = False,
        etm: bool = False,
        aead: bool = False,
        iv_out: bytes | None = None,
    ) -> None:
        """New keys for what is sent from now on."""
        with self._lock:
            self._out = _cipher(
                block_engine, block_size, mac_engine, mac_size, mac_key, iv_out, etm
            )
            self._renew("out")

    def set_inbound_cipher(
        self,
        block_engine: Any,
        block_size: int,
        mac_engine: Callable[[], Any] | None,
        mac_size: int,
        mac_key: bytes,
        etm: bool = False,
        aead: bool = False,
        iv_in: bytes | None = None,
    ) -> None:
        """New keys for what is read from now on."""
        with self._lock:
            self._in = _cipher(block_engine, block_size, mac_engine, mac_size, mac_key, iv_in, etm)
            self._renew("in")

    def _renew(self, way: str) -> None:
        self._used[way] = [0, 0]
        self._renewed.add(way)
        if len(self._renewed) == 2:
            self._renewed.clear()
            self._need_rekey = False

    def reset_seqno_out(self) -> None:
        self._number_out = 0

    def reset_seqno_in(self) -> None:
        self._number_in = 0

    def need_rekey(self) -> bool:
        """The present keys have carried as much as they should, RFC 4253 §9."""
        return self._need_rekey

    def _count(self, way: str, size: int) -> None:
        used = self._used[way]
        used[0] += size
        used[1] += 1
        if used[0] >= self.rekey_bytes or used[1] >= self.rekey_packets:
            self._need_rekey = True

    def _next(self, number: int) -> int:
        number = (number + 1) & 0xFFFFFFFF
        if number == 0 and not self._initial_kex_done:
            raise PeerError("the packet numbers wrapped before the first keys")
        return number

    # ----------------------------------------------------------------------------------- sending

    def write_all(self, data: bytes) -> None:
        """Sends bytes as they are: the identification. Raises OSError."""
        with self._lock:
            self._sock.sendall(data)

    def send_message(self, message: paramiko.Message) -> None:
        """Sends one message; blocks while the line is full. Raises OSError."""
        with self._lock:
            self._send(message.asbytes())

    def try_send(self, message: paramiko.Message) -> bool:
        """Sends a short message only where that cannot block, and says whether it did."""
        # With room on the line, another sender is done in a moment.
        if self.line_full() or not self._lock.acquire(timeout=MOMENT):
            return False
        try:
            if self.line_full():
                return False
            self._send(message.asbytes())
        finally:
            self._lock.release()
        return True

    def _send(self, payload: bytes) -> None:
        cipher = self._out
        block = cipher.block
        padding = 3 + block - ((len(payload) + 4 + cipher.counted) % block)
        packet = b"".join(
            (struct.pack(">IB", 1 + len(payload) + padding, padding), payload, bytes(padding))
        )
        sealed = cipher.seal(self._number_out, packet)
        self._number_out = self._next(self._number_out)
        self._sock.sendall(sealed)
        self._count("out", len(sealed))

    def line_full(self) -> bool:
        """What was sent last has not left this machine yet."""
        poll = select.poll()
        try:
            poll.register(self._sock, select.POLLOUT)
        except ValueError:  # closed: nothing is waiting to leave
            return False
        return not poll.poll(0)

    def close(self) -> None:
        """Closes the socket, once the thread that is sending has noticed that it was shut down."""
        with self._lock:
            self.closed = True
            self._sock.close()

    # ----------------------------------------------------------------------------------- reading

    def _more(self, size: int) -> None:
        chunk = self._sock.recv(size)
        if not chunk:
            raise EOFError
        self._buffer += chunk
        self._much = len(chunk) >= _SHORT_READ
        if self.prompt and hasattr(socket, "TCP_QUICKACK"):
            # OpenSSH turns Nagle's algorithm off only after the login: until then each of its short
            # packets waits for the acknowledgement of the last, which the kernel puts off by 40 ms.
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _take(self, count: int) -> bytes:
        while len(self._buffer) - self._start < count:
            if self._start:  # what was taken goes only now, and not at every step
                del self._buffer[: self._start]
                self._start = 0
            # The room for a read is held while nothing comes, by everybody who is connected.
            self._more(_LONG_READ if self._much else _SHORT_READ)
        end = self._start + count
        taken = bytes(memoryview(self._buffer)[self._start : end])
        self._start = end
        if end == len(self._buffer):  # nothing is kept of what was long
            self._buffer.clear()
            self._start = 0
        return taken

    def read_hello(self) -> str:
        """The client's identification, RFC 4253 §4.2: its first line, printable ASCII.

        Raises PeerError as soon as it cannot become one, EOFError if the line ends."""
        start = b"SSH-2.0-"
        while b"\n" not in self._buffer[:_HELLO]:
            seen = bytes(self._buffer[: len(start)])
            if not start.startswith(seen) or len(self._buffer) >= _HELLO:
                break
            self._more(4096)
        end = self._buffer.find(b"\n", 0, _HELLO)
        if end < 0 or not self._buffer.startswith(start):
            raise PeerError("the client does not speak SSH 2")
        line = self._take(end + 1)[:-1].removesuffix(b"\r")
        if not line.isascii() or not line.decode("ascii").isprintable() or len(line) == len(start):
            raise PeerError("the client's identification is malformed")
        return line.decode("ascii")

    def read_message(self) -> tuple[int, bytes]:
        """The number of the next message, and what follows the number; `last_read` is then the
        number of its packet.

        Raises PeerError, EOFError if the connection has ended, OSError."""
        cipher = self._in
        head = self._take(cipher.head)
        length = cipher.length(self._number_in, head)
        if not MIN_LENGTH <= length <= self.max_packet or (length + cipher.counted) % cipher.block:
            raise PeerError(f"a packet says that it is {length} bytes long")
        size = 4 + length + cipher.tag
        packet = cipher.open(self._number_in, head, self._take(size - cipher.head))
        padding = packet[0]
        if not 4 <= padding < length - 1:
            raise PeerError("a packet is all padding")
        self.last_read = self._number_in
        self._number_in = self._next(self._number_in)
        self.received_bytes += size
        self.received_packets += 1
        self._count("in", size)
        return packet[1], packet[2 : length - padding]
