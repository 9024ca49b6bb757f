"""Public keys, as the core knows them: what a client names, and what is revoked.

Values only. `tuihost.ssh.keys.login_keys` reads them from bytes and verifies signatures;
`tuihost.core.keys.authorized_keys` says whom they let in, and `tuihost.core.keys.certificates` what
their certificates have to say.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Protocol

from tuihost.core.keys.certificates import Certificate

SK_ED25519 = "sk-ssh-ed25519@openssh.com"
SK_ECDSA = "sk-ecdsa-sha2-nistp256@openssh.com"

KINDS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    SK_ED25519,
    SK_ECDSA,
    "ssh-rsa",
)
"""The kinds of public key that are taken, as they are named within a key. A key of the kind
`ssh-rsa` signs with `rsa-sha2-256` or `rsa-sha2-512`; the signature of that name is SHA-1's."""


def fingerprint(blob: bytes) -> str:
    """The SHA-256 fingerprint of a public key, as OpenSSH shows it."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii")
    return f"SHA256:{digest.rstrip('=')}"


def is_security_key(kind: str) -> bool:
    """Whether a key of that kind lives on a FIDO device (OpenSSH's PROTOCOL.u2f)."""
    return kind in (SK_ED25519, SK_ECDSA)


@dataclass(frozen=True, slots=True)
class KeyOffer:
    """A public key that a client names.

    `kind` is the plain key's, such as ssh-ed25519, and `fingerprint` too, as people compare it:
    `SHA256:…`. `blob` is what the client sent (RFC 4253 §6.6): the key, or, where it comes with a
    certificate, the certificate, so that it never equals a key that somebody listed.

    `proved`: a signature by it has been verified; `touched` and `verified` are what a security key
    said in that signature about the person in front of it (present; known to it by PIN or finger).
    Before that, all three are False and mean nothing.
    """

    kind: str
    blob: bytes
    fingerprint: str
    certificate: Certificate | None = None
    touched: bool = False
    verified: bool = False
    proved: bool = False

    @property
    def public(self) -> bytes:
        """The key itself, the same with a certificate and without: what makes two offers one."""
        return self.blob if self.certificate is None else self.certificate.public

    @property
    def listed(self) -> bytes:
        """The key that a line has to list to let this one in: its certificate's authority, if it
        comes with one."""
        return self.blob if self.certificate is None else self.certificate.ca

    @property
    def line(self) -> str:
        """The key itself as authorized_keys has it, without options."""
        return f"{self.kind} {base64.b64encode(self.public).decode('ascii')}"

    @property
    def security_key(self) -> bool:
        """It lives on a FIDO device."""
        return is_security_key(self.kind)


class Revocations(Protocol):
    """Keys and certificates that are never accepted."""

    def covers(self, offer: KeyOffer) -> bool:
        """Whether the key, its certificate or its certificate's authority is revoked."""


class NothingRevoked:
    """The revocations of a host that has none."""

    def covers(self, offer: KeyOffer) -> bool:
        return False
