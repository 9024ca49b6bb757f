"""Keys that are never accepted: OpenSSH's key revocation lists (PROTOCOL.krl), and plain lists.

A list that cannot be read in full is not used: every key is refused then, since the part that could
not be read might have been the one that matters.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from tuihost.core.keys import authorized_keys
from tuihost.core.keys.certificates import Certificate
from tuihost.core.keys.offers import KeyOffer
from tuihost.errors import PeerError, TuihostError
from tuihost.ssh.keys._certificates import Packed
from tuihost.text import clean

MAGIC = b"SSHKRL\n\0"
MAX_SIZE = 64 * 1024 * 1024  # bytes of any part of a list
MAX_BITMAP = 65_536  # bytes of one bitmap of serial numbers


class _Section(IntEnum):
    CERTIFICATES = 1
    KEYS = 2
    SHA1 = 3
    SIGNATURE = 4
    SHA256 = 5
    EXTENSION = 255


class _CertificateSection(IntEnum):
    """In which way certificates of one authority are revoked."""

    SERIALS = 0x20
    RANGE = 0x21
    BITMAP = 0x22
    KEY_IDS = 0x23
    EXTENSION = 0x39


class RevocationError(TuihostError, ValueError):
    """A list of revoked keys cannot be read; the text is a few words for the operator."""


def read_revocations(data: bytes) -> RevokedKeys:
    """From the bytes of a file: a KRL as `ssh-keygen -k` writes it, or lines, each a public key or
    a fingerprint `SHA256:…`. Raises RevocationError."""
    revoked = RevokedKeys()
    try:
        if data.startswith(MAGIC):
            revoked.read_list(Packed(data))
        else:
            revoked.read_lines(data)
    except (PeerError, ValueError) as error:
        raise RevocationError(clean(str(error), limit=200)) from None
    return revoked


@dataclass(slots=True)
class _AuthorityRevocations:
    """What is revoked of one authority's certificates; of every one's, where `ca` is None."""

    ca: bytes | None
    serials: set[int] = field(default_factory=set)
    ranges: list[tuple[int, int]] = field(default_factory=list)
    bitmaps: list[tuple[int, int]] = field(default_factory=list)
    key_ids: set[str] = field(default_factory=set)

    def covers(self, certificate: Certificate) -> bool:
        if self.ca is not None and self.ca != certificate.ca:
            return False
        if certificate.key_id in self.key_ids:
            return True
        serial = certificate.serial
        if serial == 0:  # an authority's that does not count: never the number of one certificate
            return False
        return (
            serial in self.serials
            or any(first <= serial <= last for first, last in self.ranges)
            or any(serial >= first and bits >> (serial - first) & 1 for first, bits in self.bitmaps)
        )


class RevokedKeys:
    """The revocations of one file, from `read_revocations`. For any thread."""

    def __init__(self) -> None:
        self._blobs: set[bytes] = set()
        self._sha1: set[bytes] = set()
        self._sha256: set[bytes] = set()
        self._certificates: list[_AuthorityRevocations] = []

    def covers(self, offer: KeyOffer) -> bool:
        """Whether the key, its certificate or its certificate's authority is revoked."""
        certificate = offer.certificate
        if self._lists(offer.public):
            return True
        if certificate is None:
            return False
        return self._lists(certificate.ca) or any(
            part.covers(certificate) for part in self._certificates
        )

    def _lists(self, blob: bytes) -> bool:
        sha256 = hashlib.sha256(blob).digest()
        return (
            blob in self._blobs
            or sha256 in self._sha256
            or hashlib.sha1(blob, usedforsecurity=False).digest() in self._sha1
        )

    # ------------------------------------------------------------------------------- plain lists

    def read_lines(self, data: bytes) -> None:
        """Raises ValueError."""
        try:
            text = authorized_keys.key_text(data)
        except ValueError as error:
            raise ValueError(f"it is not a key revocation list, and it {error}") from None
        for number, line in enumerate(text.split("\n"), 1):
            line = line.strip(" \t\r")
            if not line or line.startswith("#"):
                continue
            try:
                if line.startswith("SHA256:"):
                    self._sha256.add(_digest(line))
                else:
                    self._blobs.add(authorized_keys.parse_line(line).blob)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None

    # ------------------------------------------------------------------------------------- KRLs

    def read_list(self, fields: Packed) -> None:
        """Raises PeerError, ValueError."""
        fields.skip(len(MAGIC))
        version = fields.integer()
        if version != 1:
            raise ValueError(f"version {version} of the format is not known")
        fields.skip(24)  # the list's own number, when it was made, and flags that mean nothing
        fields.string(MAX_SIZE)  # reserved
        fields.string(MAX_SIZE)  # a comment
        while fields.more:
            kind = fields.byte()
            if kind == _Section.SIGNATURE:
                raise ValueError("it is signed, and no signer of it is known")
            self._read_section(kind, Packed(fields.string(MAX_SIZE)))

    def _read_section(self, kind: int, section: Packed) -> None:
        match kind:
            case _Section.CERTIFICATES:
                self._certificates.append(_read_certificates(section))
            case _Section.KEYS:
                self._blobs.update(_strings(section))
            case _Section.SHA1:
                self._sha1.update(_strings(section, length=20))
            case _Section.SHA256:
                self._sha256.update(_strings(section, length=32))
            case _Section.EXTENSION:
                _pass_over(section)
            case _:
                raise ValueError(f"a section of an unknown kind: {kind}")


def _read_certificates(section: Packed) -> _AuthorityRevocations:
    revoked = _AuthorityRevocations(section.string(MAX_SIZE) or None)
    section.string(MAX_SIZE)  # reserved
    while section.more:
        kind = section.byte()
        part = Packed(section.string(MAX_SIZE))
        match kind:
            case _CertificateSection.SERIALS:
                while part.more:
                    revoked.serials.add(part.wide())
            case _CertificateSection.RANGE:
                first, last = part.wide(), part.wide()
                if first > last or part.more:
                    raise ValueError("a malformed range of serial numbers")
                revoked.ranges.append((first, last))
            case _CertificateSection.BITMAP:
                revoked.bitmaps.append((part.wide(), part.natural(MAX_BITMAP)))
                if part.more:
                    raise ValueError("a bitmap with data after it")
            case _CertificateSection.KEY_IDS:
                while part.more:
                    revoked.key_ids.add(part.text(MAX_SIZE, "surrogateescape"))
            case _CertificateSection.EXTENSION:
                _pass_over(part)
            case _:
                raise ValueError(f"certificates revoked in an unknown way: {kind}")
    return revoked


def _strings(section: Packed, length: int | None = None) -> Iterator[bytes]:
    while section.more:
        data = section.string(MAX_SIZE)
        if length is not None and len(data) != length:
            raise ValueError("a digest of the wrong length")
        yield data


def _pass_over(extension: Packed) -> None:
    """An extension, which may be ignored unless it says that it must not be."""
    name = extension.text(1024)
    if extension.boolean():
        raise ValueError(f"the extension {name!r}, which must be honoured, is not known")


def _digest(line: str) -> bytes:
    coded = line.removeprefix("SHA256:").partition(" ")[0]
    try:
        digest = base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != 32:
        raise ValueError("the fingerprint cannot be read")
    return digest
