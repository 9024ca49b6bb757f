"""Keys for tests: OpenSSH's own `ssh-keygen`, and a FIDO device in software."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.ssh.messages import Raw, packed
from tests.waiting import DEADLINE
from tuihost.core.keys.offers import SK_ECDSA, SK_ED25519

PRESENT, VERIFIED = 0x01, 0x04


@dataclass(frozen=True)
class Keygen:
    """`ssh-keygen` in a folder."""

    program: str
    folder: Path

    @classmethod
    def found(cls, folder: Path) -> Keygen:
        """Skips the test where there is none, except in CI, where it must be there."""
        program = shutil.which("ssh-keygen")
        if program is None and os.environ.get("CI"):
            pytest.fail("ssh-keygen is not installed, and in CI it must be")
        return cls(program or pytest.skip("ssh-keygen is not installed"), folder)

    def run(self, *words: str | Path, input: bytes = b"", check: bool = True) -> str:
        done = subprocess.run(
            [self.program, *map(str, words)],
            cwd=self.folder,
            input=input,
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        )
        said = (done.stdout + done.stderr).decode()
        assert done.returncode == 0 or not check, said
        return said

    def key(self, name: str, kind: str = "ed25519", bits: int | None = None) -> Path:
        """A fresh private key; the public one lies beside it."""
        size = () if bits is None else ("-b", str(bits))
        self.run("-q", "-t", kind, *size, "-N", "", "-C", name, "-f", name)
        return self.folder / name

    def public(self, name: str) -> bytes:
        """The blob in `name.pub`."""
        return blob_in(self.line(name))

    def certify(self, name: str, ca: str, *words: str, principals: str = "ada") -> bytes:
        """A certificate of `name` by `ca`; it lies in `name-cert.pub`, too."""
        who = ("-n", principals) if principals else ()
        self.run("-q", "-s", ca, "-I", f"{name}@{ca}", *who, *words, f"{name}.pub")
        return blob_in(self.line(f"{name}-cert"))

    def line(self, name: str) -> str:
        return (self.folder / f"{name}.pub").read_text().strip()


def blob_in(line: str) -> bytes:
    return base64.b64decode(line.split()[1])


def number(value: int) -> bytes:
    """An mpint, without its length."""
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


class SecurityKey:
    """A FIDO device in software: what it signs is byte for byte what PROTOCOL.u2f says."""

    def __init__(self, kind: str = SK_ED25519, application: str = "ssh:") -> None:
        self.kind = kind
        self.application = application
        self.counter = 0
        self._ed25519 = Ed25519PrivateKey.generate()
        self._ecdsa = ec.generate_private_key(ec.SECP256R1())

    @property
    def blob(self) -> bytes:
        if self.kind == SK_ED25519:
            raw = self._ed25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            return packed(self.kind, raw, self.application)
        point = self._ecdsa.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return packed(SK_ECDSA, "nistp256", point, self.application)

    @property
    def line(self) -> str:
        return f"{self.kind} {base64.b64encode(self.blob).decode()} token"

    def sign(self, data: bytes, flags: int = PRESENT, *, application: str | None = None) -> bytes:
        self.counter += 1
        said = bytes([flags]) + self.counter.to_bytes(4, "big")
        name = (self.application if application is None else application).encode()
        signed = hashlib.sha256(name).digest() + said + hashlib.sha256(data).digest()
        if self.kind == SK_ED25519:
            signature = self._ed25519.sign(signed)
        else:
            der = self._ecdsa.sign(signed, ec.ECDSA(hashes.SHA256()))
            signature = packed(*map(number, decode_dss_signature(der)))
        return packed(self.kind, signature, Raw(said))
