"""chacha20-poly1305@openssh.com, against what OpenSSH's own documents and vectors say of it."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import paramiko
import pytest
from cryptography.hazmat.primitives import ciphers, poly1305
from hypothesis import given
from hypothesis import strategies as st

from tuihost.errors import PeerError
from tuihost.ssh.packets.stream import PACKET, ChaCha, PacketStream

KEY = bytes(range(64))


def by_the_book(number: int, packet: bytes) -> bytes:
    """PROTOCOL.chacha20poly1305, step by step: K_2 first, then K_1."""

    def stream(key: bytes, block: int, data: bytes) -> bytes:
        nonce = struct.pack("<Q", block) + struct.pack(">Q", number)
        chacha = ciphers.Cipher(ciphers.algorithms.ChaCha20(key, nonce), mode=None)
        return bytes(chacha.encryptor().update(data))

    main, header = KEY[:32], KEY[32:]
    sealed = stream(header, 0, packet[:4]) + stream(main, 1, packet[4:])
    one_time = stream(main, 0, bytes(32))
    return sealed + poly1305.Poly1305.generate_tag(one_time, sealed)


@given(st.integers(0, 2**32 - 1), st.binary(min_size=8, max_size=300))
def test_a_packet_is_sealed_by_the_book_and_opened_again(number: int, body: bytes) -> None:
    packet = struct.pack(">I", len(body)) + body
    sealed = ChaCha(KEY).seal(number, packet)
    assert sealed == by_the_book(number, packet)
    cipher = ChaCha(KEY)
    assert cipher.length(number, sealed[:4]) == len(body)
    assert cipher.open(number, sealed[:4], sealed[4:]) == body


@given(st.integers(0, 8 * 36 - 1))
def test_any_bit_that_is_wrong_is_seen(bit: int) -> None:
    sealed = bytearray(ChaCha(KEY).seal(7, struct.pack(">I", 16) + bytes(16)))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(PeerError, match="not authentic"):
        ChaCha(KEY).open(7, bytes(sealed[:4]), bytes(sealed[4:]))


def test_a_packet_is_good_under_its_own_number_alone() -> None:
    sealed = ChaCha(KEY).seal(7, struct.pack(">I", 16) + bytes(16))
    with pytest.raises(PeerError, match="not authentic"):
        ChaCha(KEY).open(8, sealed[:4], sealed[4:])


@pytest.fixture
def ends() -> Iterator[tuple[PacketStream, PacketStream]]:
    """Two ends under these keys."""
    socks = socket.socketpair()
    streams = [PacketStream(sock) for sock in socks]
    for stream in streams:
        stream.set_inbound_cipher(ChaCha(KEY), 8, None, 16, b"", aead=True, iv_in=b"")
        stream.set_outbound_cipher(ChaCha(KEY), 8, None, 16, b"", aead=True, iv_out=b"")
    yield streams[0], streams[1]
    for stream in streams:
        stream.close()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 100, 4096, 32_768])
def test_messages_of_every_size_pass(ends: tuple[PacketStream, PacketStream], size: int) -> None:
    near, far = ends
    for count in range(3):
        near.send_message(paramiko.Message(bytes([50 + count]) + b"x" * (size - 1)))
        number, body = far.read_message()
        assert (number, body) == (50 + count, b"x" * (size - 1))


@pytest.mark.parametrize("length", [0, 1, 4, 7, 9, PACKET + 8, 2**31, 2**32 - 1])
def test_a_length_is_judged_before_the_rest_is_there(
    ends: tuple[PacketStream, PacketStream], length: int
) -> None:
    near, far = ends
    head = ChaCha(KEY).seal(0, struct.pack(">I", length))[:4]
    near.write_all(head)
    with pytest.raises(PeerError, match=f"{length} bytes long"):
        far.read_message()


def test_numbers_start_over_where_that_is_agreed(ends: tuple[PacketStream, PacketStream]) -> None:
    near, far = ends
    near.send_message(paramiko.Message(b"\x02"))
    far.read_message()
    near.reset_seqno_out()
    near.send_message(paramiko.Message(b"\x02"))
    with pytest.raises(PeerError, match=r"not authentic|bytes long"):
        far.read_message()
