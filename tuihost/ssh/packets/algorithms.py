"""Which algorithms a connection uses: what the host offers, and what it agrees on, RFC 4253 §7.

The lists are short on purpose. Finite-field Diffie-Hellman costs Python a tenth of a second of
processor for each stranger who asks, and everything with SHA-1, MD5, CBC or a NIST curve in the
key exchange is left to the past. RFC 8731, RFC 9142, draft-ietf-sshm-mlkem-hybrid-kex.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from paramiko.kex_curve25519 import KexCurve25519
from paramiko.kex_mlkem import KexMLKEM768X25519

from tuihost.errors import PeerError
from tuihost.ssh.packets.fields import Fields, packed
from tuihost.wire import Disconnect

KEX_INFO = {
    "mlkem768x25519-sha256": KexMLKEM768X25519,
    "curve25519-sha256": KexCurve25519,
    "curve25519-sha256@libssh.org": KexCurve25519,
}
if not KexMLKEM768X25519.is_available():  # cryptography is built on a library without ML-KEM
    del KEX_INFO["mlkem768x25519-sha256"]

KEX = tuple(KEX_INFO)
CHACHA = "chacha20-poly1305@openssh.com"  # all that Dropbear has without an older kind of MAC
CIPHERS = (
    "aes256-gcm@openssh.com",
    "aes128-gcm@openssh.com",
    CHACHA,
    "aes256-ctr",
    "aes192-ctr",
    "aes128-ctr",
)
MODERN_MACS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
)
MACS = (*MODERN_MACS, "hmac-sha2-256", "hmac-sha2-512")
HOST_KEYS = ("ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256")
COMPRESSION = ("none",)

STRICT_SERVER = "kex-strict-s-v00@openssh.com"
STRICT_CLIENT = "kex-strict-c-v00@openssh.com"
EXT_INFO_CLIENT = "ext-info-c"


class Selection(StrEnum):
    """How many of the algorithms a host offers: the setting `server.algorithms`."""

    WIDE = "wide"
    """All of them."""
    MODERN = "modern"
    """Only MACs over what is sent (EtM), and ciphers that need none."""

    @property
    def macs(self) -> tuple[str, ...]:
        return MACS if self is Selection.WIDE else MODERN_MACS


class NothingInCommon(PeerError):
    """There is no algorithm that both sides have."""

    code = Disconnect.KEY_EXCHANGE_FAILED


@dataclass(frozen=True, slots=True)
class Offer:
    """A client's KEXINIT."""

    kex: list[str]
    host_keys: list[str]
    ciphers_in: list[str]
    ciphers_out: list[str]
    macs_in: list[str]
    macs_out: list[str]
    compression_in: list[str]
    compression_out: list[str]
    guess_follows: bool

    @classmethod
    def parse(cls, body: bytes) -> Offer:
        """From what follows the message's number. Raises PeerError."""
        fields = Fields(body)
        fields.skip(16)
        kex, keys, *rest = (fields.names() for _ in range(10))
        ciphers_in, ciphers_out, macs_in, macs_out, pack_in, pack_out, *_languages = rest
        return cls(
            kex,
            keys,
            ciphers_in,
            ciphers_out,
            macs_in,
            macs_out,
            pack_in,
            pack_out,
            guess_follows=fields.boolean(),
        )


@dataclass(frozen=True, slots=True)
class Agreement:
    """What both sides use until the next key exchange. `in` is from the client; a MAC is empty
    if the cipher needs none."""

    kex: str
    host_key: str
    cipher_in: str
    cipher_out: str
    mac_in: str
    mac_out: str
    strict: bool
    ext_info: bool
    wrong_guess: bool


def kexinit(host_keys: Iterable[str], selection: Selection = Selection.WIDE) -> bytes:
    """The payload of the host's KEXINIT, with a fresh cookie."""
    return b"\x14" + os.urandom(16) + _lists(tuple(host_keys), selection.macs)


def _lists(host_keys: tuple[str, ...], macs: tuple[str, ...]) -> bytes:
    kex = (*KEX, STRICT_SERVER)
    both = (CIPHERS, CIPHERS, macs, macs, COMPRESSION, COMPRESSION, (), ())
    names = (",".join(part).encode("ascii") for part in (kex, host_keys, *both))
    return b"".join(packed(name) for name in names) + bytes(5)


def agree(
    offer: Offer, host_keys: Sequence[str], selection: Selection = Selection.WIDE
) -> Agreement:
    """The first of each of the client's lists that the host has too. Raises NothingInCommon."""
    kex = _first("key exchange", offer.kex, KEX)
    host_key = _first("host key", offer.host_keys, host_keys)
    _first("compression", offer.compression_in, COMPRESSION)
    _first("compression", offer.compression_out, COMPRESSION)
    # §7: a guess is right only where both sides' favourites are the same.
    guessed = offer.kex[0] == KEX[0] and offer.host_keys[0] == host_keys[0]
    cipher_in = _first("cipher", offer.ciphers_in, CIPHERS)
    cipher_out = _first("cipher", offer.ciphers_out, CIPHERS)
    return Agreement(
        kex=kex,
        host_key=host_key,
        cipher_in=cipher_in,
        cipher_out=cipher_out,
        mac_in=_mac(cipher_in, offer.macs_in, selection.macs),
        mac_out=_mac(cipher_out, offer.macs_out, selection.macs),
        strict=STRICT_CLIENT in offer.kex,
        ext_info=EXT_INFO_CLIENT in offer.kex,
        wrong_guess=offer.guess_follows and not guessed,
    )


def seals_itself(cipher: str) -> bool:
    """Whether the cipher authenticates what it encrypts: then no MAC is agreed on."""
    return cipher == CHACHA or "gcm" in cipher


def _mac(cipher: str, theirs: Sequence[str], ours: Sequence[str]) -> str:
    return "" if seals_itself(cipher) else _first("MAC", theirs, ours)


def _first(what: str, theirs: Sequence[str], ours: Sequence[str]) -> str:
    for name in theirs:
        if name in ours:
            return name
    raise NothingInCommon(f"no {what} in common")
