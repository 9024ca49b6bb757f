"""The public keys of users: reading them and verifying their signatures.

RFC 8709 (Ed25519), RFC 5656 (ECDSA), RFC 8332 (RSA with SHA-2). Every number is bounded before it
is computed with. An algorithm that is not here is no error: the answer is a plain no.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tuihost.core.auth import KeyOffer
from tuihost.errors import PeerError
from tuihost.ssh.fields import Fields

ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
RSA_BITS = range(2048, 8193)  # below it is broken, above a signature costs a millisecond and more
_CURVES: dict[str, tuple[ec.EllipticCurve, hashes.HashAlgorithm]] = {
    "nistp256": (ec.SECP256R1(), hashes.SHA256()),
    "nistp384": (ec.SECP384R1(), hashes.SHA384()),
    "nistp521": (ec.SECP521R1(), hashes.SHA512()),
}
_RSA_HASHES: dict[str, hashes.HashAlgorithm] = {
    "rsa-sha2-256": hashes.SHA256(),
    "rsa-sha2-512": hashes.SHA512(),
}

_Public = Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey


def fingerprint(blob: bytes) -> str:
    """The SHA-256 fingerprint of a public key, as OpenSSH shows it."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii")
    return f"SHA256:{digest.rstrip('=')}"


@dataclass(frozen=True, slots=True)
class UserKey:
    """A public key that a client named, and the algorithm that it means to sign with."""

    algorithm: str
    offer: KeyOffer
    public: _Public

    @classmethod
    def parse(cls, algorithm: str, blob: bytes) -> UserKey | None:
        """The key in `blob`; None where the algorithm or the key is nothing for this host."""
        if algorithm not in ALGORITHMS:
            return None
        kind = "ssh-rsa" if algorithm in _RSA_HASHES else algorithm
        try:
            fields = Fields(blob)
            if fields.text(64) != kind:
                return None
            public = _read(kind, fields)
            if fields.rest:
                return None
        except (PeerError, ValueError, UnsupportedAlgorithm):
            return None
        return cls(algorithm, KeyOffer(kind, blob, fingerprint(blob)), public)

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Whether `signature`, as sent (RFC 4253 §6.6), is this key's over `data`."""
        try:
            fields = Fields(signature)
            if fields.text(64) != self.algorithm:
                return False
            raw = fields.string(2048)
            match self.public:
                case Ed25519PublicKey():
                    self.public.verify(raw, data)
                case ec.EllipticCurvePublicKey():
                    pair = Fields(raw)
                    coded = encode_dss_signature(pair.natural(66), pair.natural(66))
                    _, digest = _CURVES[self.algorithm.removeprefix("ecdsa-sha2-")]
                    self.public.verify(coded, data, ec.ECDSA(digest))
                case rsa.RSAPublicKey():
                    # PuTTY leaves out leading zeros.
                    padded = raw.rjust((self.public.key_size + 7) // 8, b"\0")
                    digest = _RSA_HASHES[self.algorithm]
                    self.public.verify(padded, data, padding.PKCS1v15(), digest)
        except (InvalidSignature, PeerError, ValueError):
            return False
        return True


def _read(kind: str, fields: Fields) -> _Public:
    if kind == "ssh-ed25519":
        return Ed25519PublicKey.from_public_bytes(fields.string(32))
    if kind == "ssh-rsa":
        exponent = fields.natural(4)
        modulus = fields.natural(RSA_BITS.stop // 8)
        if modulus.bit_length() not in RSA_BITS:
            raise ValueError("an RSA key of that size is not taken")
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    name = fields.text(16)
    if kind != f"ecdsa-sha2-{name}":
        raise ValueError("the curve is another than the algorithm's")
    return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[name][0], fields.string(133))
