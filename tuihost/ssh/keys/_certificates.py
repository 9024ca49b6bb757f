"""OpenSSH certificates: reading them and verifying their authority's signature, PROTOCOL.certkeys.

A `Certificate` that comes from here is signed by the authority that it names. Whether that one is
trusted, and what the certificate is good for, `tuihost.core.keys.authorized_keys` says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm

from tuihost.core.keys.address_patterns import networks
from tuihost.core.keys.certificates import Certificate
from tuihost.core.keys.offers import KINDS
from tuihost.errors import PeerError
from tuihost.ssh.keys.public_keys import MAX_BLOB, SIGNATURES, PublicKey
from tuihost.ssh.packets.fields import Fields, packed

_SUFFIX = "-cert-v01@openssh.com"

KINDS_WITHIN: dict[str, str] = {
    f"{kind.removesuffix('@openssh.com')}{_SUFFIX}": kind for kind in KINDS
}
"""The kinds of certificate, as they are named within one, and the kind of key in each."""

ALGORITHMS: dict[str, str] = {
    f"{algorithm.removesuffix('@openssh.com')}{_SUFFIX}": algorithm for algorithm in SIGNATURES
}
"""The algorithms by which a certificate is offered, and the one that its key then signs with.
`ssh-rsa-cert-v01@openssh.com` is not among them: that one signs with SHA-1."""

MAX_CERTIFICATE = 32_768  # bytes
MAX_PRINCIPALS = 256  # as in OpenSSH
MAX_OPTIONS = 64

_USER, _HOST = 1, 2
_CRITICAL = ("force-command", "source-address", "verify-required")


class Packed(Fields):
    """Fields as certificates and revocation lists have them: 64 bits wide, and one in another."""

    __slots__ = ()

    @property
    def more(self) -> bool:
        """Whether anything is left to be read."""
        return self._at < len(self._data)

    def byte(self) -> int:
        return self._take(1)[0]

    def wide(self) -> int:
        """A uint64."""
        return self.integer() << 32 | self.integer()


class Certified(NamedTuple):
    """A certificate and the key within it."""

    certificate: Certificate
    key: PublicKey


def parse(blob: bytes) -> Certified | None:
    """The certificate in `blob`; None if it is malformed, of no kind that is taken, or where
    its authority's signature is not right."""
    try:
        return _parse(blob) if len(blob) <= MAX_CERTIFICATE else None
    except (PeerError, ValueError, UnsupportedAlgorithm):
        return None


def _parse(blob: bytes) -> Certified | None:
    fields = Packed(blob)
    kind = KINDS_WITHIN.get(fields.text(64))
    if kind is None:
        return None
    fields.string(256)  # a nonce
    before = fields.rest
    key = PublicKey.read(kind, fields)
    public = packed(kind.encode("ascii")) + before[: len(before) - len(fields.rest)]
    serial = fields.wide()
    use = fields.integer()
    key_id = fields.text(1024, "surrogateescape")
    principals = tuple(_texts(fields.string(MAX_CERTIFICATE)))
    valid_after, valid_before = fields.wide(), fields.wide()
    critical = dict(_options(fields.string(MAX_CERTIFICATE)))
    extensions = frozenset(name for name, _ in _options(fields.string(MAX_CERTIFICATE)))
    fields.string(MAX_CERTIFICATE)  # reserved, and to be ignored
    ca = fields.string(MAX_BLOB)
    signed = blob[: len(blob) - len(fields.rest)]
    signature = fields.string(MAX_BLOB)
    if fields.more or use not in (_USER, _HOST) or not _signed_by(ca, signature, signed):
        return None
    force, source, verify = (critical.pop(name, None) for name in _CRITICAL)
    if verify:
        return None  # it takes no value
    certificate = Certificate(
        public=public,
        ca=ca,
        for_user=use == _USER,
        serial=serial,
        key_id=key_id,
        principals=principals,
        valid_after=valid_after,
        valid_before=valid_before,
        force_command=None if force is None else _value(force),
        source_addresses=None if source is None else networks(_value(source)),
        verify_required=verify is not None,
        unknown_critical=tuple(critical),
        extensions=extensions,
    )
    return Certified(certificate, key)


def _signed_by(ca: bytes, signature: bytes, signed: bytes) -> bool:
    """Whether the key `ca` (never itself a certificate) made that signature, and, where it is a
    security key, somebody touched it."""
    key = PublicKey.parse(ca)
    if key is None:
        return False
    found = key.verify(Fields(signature).text(64), signature, signed)
    return found is not None and (found.touched or not key.kind.startswith("sk-"))


def _options(packed: bytes) -> Iterator[tuple[str, bytes]]:
    """Names, each with its value. Raises PeerError, ValueError."""
    fields = Packed(packed)
    seen: set[str] = set()
    while fields.more:
        name = _strict(fields.string(256))
        if name in seen or len(seen) >= MAX_OPTIONS:
            raise ValueError("an option is there twice, or there are too many")
        seen.add(name)
        yield name, fields.string(MAX_CERTIFICATE)


def _texts(packed: bytes) -> Iterator[str]:
    fields = Packed(packed)
    for _ in range(MAX_PRINCIPALS):
        if not fields.more:
            return
        yield _strict(fields.string(1024))
    if fields.more:
        raise ValueError("too many principals")


def _value(packed: bytes) -> str:
    """The text within an option's value, which is never empty."""
    fields = Packed(packed)
    text = _strict(fields.string(MAX_CERTIFICATE))
    if fields.more or not text:
        raise ValueError("an option without its value")
    return text


def _strict(data: bytes) -> str:
    """UTF-8 without a NUL, behind which other readers would stop. Raises ValueError."""
    text = data.decode("utf-8")
    if "\0" in text:
        raise ValueError("a text with a NUL")
    return text
