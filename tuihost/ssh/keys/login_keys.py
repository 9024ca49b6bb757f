"""The public keys that clients log in with: reading them and verifying their signatures.

Plain keys, those of FIDO devices, and OpenSSH certificates of both. An unknown algorithm is not an
error: the answer is just no.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tuihost.core.keys.offers import KeyOffer, fingerprint
from tuihost.ssh.keys import _certificates as certificates
from tuihost.ssh.keys.public_keys import SIGNATURES, PublicKey

ALGORITHMS = tuple(SIGNATURES)
"""What a client may sign with, RFC 8308 §3.1. As with OpenSSH, certificates are not named apart:
a client that has one finds here what its key can sign with."""


@dataclass(frozen=True, slots=True)
class LoginKey:
    """A key or a certificate that a client offers, and the algorithm that it means to sign with."""

    algorithm: str
    offer: KeyOffer
    key: PublicKey

    @classmethod
    def parse(cls, algorithm: str, blob: bytes) -> LoginKey | None:
        """The key in `blob`, or the certificate; None if the host does not know the algorithm
        or the key, or they do not belong together. An authority's signature is verified here."""
        if algorithm in SIGNATURES:
            key = PublicKey.parse(blob)
            if key is None or key.kind != SIGNATURES[algorithm]:
                return None
            return cls(algorithm, KeyOffer(key.kind, blob, fingerprint(blob)), key)
        signing = certificates.ALGORITHMS.get(algorithm)
        certified = None if signing is None else certificates.parse(blob)
        if signing is None or certified is None or certified.key.kind != SIGNATURES[signing]:
            return None
        certificate, key = certified
        offer = KeyOffer(key.kind, blob, fingerprint(certificate.public), certificate)
        return cls(signing, offer, key)

    def verify(self, signature: bytes, data: bytes) -> KeyOffer | None:
        """The offer, proved, where `signature`, as sent (RFC 4253 §6.6), is this key's over
        `data`; None if it is not. Only this one holds what a security key said of its user, so
        only this one may settle a factor."""
        signed = self.key.verify(self.algorithm, signature, data)
        if signed is None:
            return None
        return replace(self.offer, touched=signed.touched, verified=signed.verified, proved=True)
