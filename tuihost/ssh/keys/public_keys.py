"""Public keys as bytes: reading them, and verifying what they signed.

RFC 8709 (Ed25519), RFC 5656 (ECDSA), RFC 8332 (RSA with SHA-2), OpenSSH's PROTOCOL.u2f (security
keys). Every number is bounded before it is computed with.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tuihost.core.keys.authorized_keys import KeyLine, parse_line
from tuihost.core.keys.offers import KINDS, SK_ECDSA, SK_ED25519, is_security_key
from tuihost.errors import PeerError
from tuihost.ssh.packets.fields import Fields

RSA_BITS = range(2048, 8193)  # below it is broken, above a signature costs a millisecond and more
MAX_BLOB = 4096  # bytes of a plain key
MAX_APPLICATION = 256  # bytes of what a security key's maker calls the use of it: `ssh:`

_CURVES: dict[str, tuple[ec.EllipticCurve, hashes.HashAlgorithm]] = {
    "nistp256": (ec.SECP256R1(), hashes.SHA256()),
    "nistp384": (ec.SECP384R1(), hashes.SHA384()),
    "nistp521": (ec.SECP521R1(), hashes.SHA512()),
}
_RSA_HASHES: dict[str, hashes.HashAlgorithm] = {
    "rsa-sha2-512": hashes.SHA512(),
    "rsa-sha2-256": hashes.SHA256(),
}
SIGNATURES: dict[str, str] = {
    **{kind: kind for kind in KINDS if kind != "ssh-rsa"},
    **dict.fromkeys(_RSA_HASHES, "ssh-rsa"),
}
"""The signature algorithms that are taken, and the kind of key that makes each."""

_PRESENT, _VERIFIED = 0x01, 0x04  # flags of PROTOCOL.u2f

_Public = Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature is right. What a security key said about the person who used it: `touched`,
    that somebody was there; `verified`, that it knew who (by PIN or finger)."""

    touched: bool = False
    verified: bool = False


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that can be computed with. `application` is a security key's."""

    kind: str
    public: _Public
    application: bytes = b""

    @classmethod
    def parse(cls, blob: bytes) -> PublicKey | None:
        """The key in `blob` (RFC 4253 §6.6); None if it is nothing for this host."""
        try:
            if len(blob) > MAX_BLOB:
                return None
            fields = Fields(blob)
            key = cls.read(fields.text(64), fields)
            return None if fields.rest else key
        except (PeerError, ValueError, UnsupportedAlgorithm):
            return None

    @classmethod
    def read(cls, kind: str, fields: Fields) -> PublicKey:
        """The fields of a key after its kind. Raises PeerError, ValueError and
        UnsupportedAlgorithm."""
        match kind:
            case "ssh-ed25519":
                return cls(kind, Ed25519PublicKey.from_public_bytes(fields.string(32)))
            case "ssh-rsa":
                return cls(kind, _rsa(fields))
            case _ if kind == SK_ED25519:
                key = Ed25519PublicKey.from_public_bytes(fields.string(32))
                return cls(kind, key, fields.string(MAX_APPLICATION))
            case _ if kind == SK_ECDSA:
                point = _point(fields, _curve_of(kind))
                return cls(kind, point, fields.string(MAX_APPLICATION))
            case _ if kind in KINDS:
                return cls(kind, _point(fields, _curve_of(kind)))
        raise ValueError("a key of no kind that is taken")

    def verify(self, algorithm: str, signature: bytes, data: bytes) -> Signed | None:
        """Whether `signature`, as sent (RFC 4253 §6.6), is this key's over `data`, made with
        `algorithm`; None if it is not."""
        try:
            fields = Fields(signature)
            if fields.text(64) != algorithm or SIGNATURES.get(algorithm) != self.kind:
                return None
            raw = fields.string(2048)
            signed = Signed()
            if is_security_key(self.kind):
                said = fields.rest[:5]  # a byte of flags and how often it has signed
                fields.skip(5)
                signed = Signed(bool(said[0] & _PRESENT), bool(said[0] & _VERIFIED))
                data = _digest(self.application) + said + _digest(data)
            if fields.rest:
                return None
            self._check(algorithm, raw, data)
        except (InvalidSignature, PeerError, ValueError):
            return None
        return signed

    def _check(self, algorithm: str, raw: bytes, data: bytes) -> None:
        """Raises InvalidSignature, PeerError or ValueError."""
        match self.public:
            case Ed25519PublicKey():
                self.public.verify(raw, data)
            case ec.EllipticCurvePublicKey():
                pair = Fields(raw)
                coded = encode_dss_signature(pair.natural(66), pair.natural(66))
                if pair.rest:
                    raise ValueError("there is more than two numbers")
                _, digest = _CURVES[_curve_of(self.kind)]
                self.public.verify(coded, data, ec.ECDSA(digest))
            case rsa.RSAPublicKey():
                # PuTTY leaves out leading zeros.
                padded = raw.rjust((self.public.key_size + 7) // 8, b"\0")
                self.public.verify(padded, data, padding.PKCS1v15(), _RSA_HASHES[algorithm])


def accepted_line(line: str) -> KeyLine:
    """A line of authorized_keys, as `parse_line` reads it, whose key this host can compute with.
    Raises ValueError, with a reason for the author of the line."""
    key = parse_line(line)
    if PublicKey.parse(key.blob) is None:
        raise ValueError("keys of this type or size are not accepted")
    return key


def _rsa(fields: Fields) -> rsa.RSAPublicKey:
    exponent = _number(fields, 4)
    modulus = _number(fields, RSA_BITS.stop // 8)
    if modulus.bit_length() not in RSA_BITS:
        raise ValueError("an RSA key of that size is not taken")
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _point(fields: Fields, curve: str) -> ec.EllipticCurvePublicKey:
    if fields.text(16) != curve:
        raise ValueError("the curve is another than the algorithm's")
    point = fields.string(133)
    if point[:1] != b"\x04":
        raise ValueError("the point is compressed, which RFC 5656 §3.1 leaves to others")
    return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[curve][0], point)


def _number(fields: Fields, limit: int) -> int:
    """An mpint above zero in its only right form: a key has one blob, and so one fingerprint, or
    a list of revoked keys could be passed by in another writing of the same number."""
    data = fields.string(limit + 1)
    number = int.from_bytes(data, "big", signed=True)
    if number <= 0 or len(data) != number.bit_length() // 8 + 1:
        raise ValueError("a number in a key is not written as RFC 4251 §5 says")
    return number


def _curve_of(kind: str) -> str:
    return "nistp256" if kind == SK_ECDSA else kind.removeprefix("ecdsa-sha2-")


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
