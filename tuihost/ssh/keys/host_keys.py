"""The keys by which people know the host: made once, kept private, read with suspicion."""

from __future__ import annotations

import base64
import io
import stat
from pathlib import Path
from typing import Any

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from tuihost.core.keys.offers import fingerprint
from tuihost.errors import SettingsError
from tuihost.files.secret_files import NotPrivate, make_private, read_private
from tuihost.session.host_view import HostKeyCard

MIN_RSA_BITS = 3072
_MAX_FILE = 65536


class HostKeys:
    """The private keys of the host. Immutable; any thread.

    `keys` are paramiko's, the one that clients should prefer first.
    """

    def __init__(self, keys: tuple[paramiko.PKey, ...]) -> None:
        self.keys = keys
        # By signature algorithm, the way that a key exchange asks for them.
        self.by_algorithm: dict[str, paramiko.PKey] = {}
        for key in keys:
            rsa = key.get_name() == "ssh-rsa"
            for name in ("rsa-sha2-512", "rsa-sha2-256") if rsa else (key.get_name(),):
                self.by_algorithm.setdefault(name, key)

    @classmethod
    def load_or_create(cls, path: Path, *more: Path) -> HostKeys:
        """The key at `path`, an Ed25519 key made there where there is none; `more` must exist.

        Raises SettingsError, with one line for each file that cannot be used."""
        problems: list[str] = []
        keys: list[paramiko.PKey] = []
        for place in (path, *more):
            try:
                if place is path and not place.exists():
                    make_private(place, _openssh(Ed25519PrivateKey.generate()))
                keys.append(_load(place))
            except (_Unusable, NotPrivate) as problem:
                problems.append(f"host key {place}: {problem}")
            except OSError as error:
                problems.append(f"host key {place}: {error.strerror or error}")
        if problems:
            raise SettingsError(tuple(problems))
        return cls(tuple(keys))

    @classmethod
    def fresh(cls) -> HostKeys:
        """A new Ed25519 key that is written nowhere, for tests."""
        return cls((_to_paramiko(Ed25519PrivateKey.generate()),))

    def cards(self) -> tuple[HostKeyCard, ...]:
        """The public halves, for people to compare."""
        return tuple(
            HostKeyCard(
                kind=key.get_name(),
                bits=key.get_bits(),
                sha256=fingerprint(key.asbytes()),
                line=f"{key.get_name()} {base64.b64encode(key.asbytes()).decode('ascii')}",
            )
            for key in self.keys
        )


class _Unusable(Exception):
    """Why a file does not serve as a host key."""


def _load(path: Path) -> paramiko.PKey:
    folder = path.parent.stat().st_mode
    if folder & 0o022 and not folder & stat.S_ISVTX:
        raise _Unusable("others can write to its folder; run chmod go-w on that")
    return _to_paramiko(_parse(read_private(path, _MAX_FILE)))


def _parse(text: bytes) -> Any:
    openssh = b"OPENSSH PRIVATE KEY" in text
    read = serialization.load_ssh_private_key if openssh else serialization.load_pem_private_key
    try:
        return read(text, None)
    except TypeError:
        raise _Unusable("is encrypted; a host must be able to read its key by itself") from None
    except Exception as error:  # what is wrong with a file has many classes
        brief = "is empty" if not text.strip() else "is not a complete private key"
        raise _Unusable(brief) from error


def _to_paramiko(key: Any) -> paramiko.PKey:
    if isinstance(key, Ed25519PrivateKey):
        return paramiko.Ed25519Key(file_obj=io.StringIO(_openssh(key).decode("ascii")))
    if isinstance(key, RSAPrivateKey):
        if key.key_size < MIN_RSA_BITS:
            raise _Unusable(f"is an RSA key of {key.key_size} bits; {MIN_RSA_BITS} are the least")
        return paramiko.RSAKey(key=key)
    raise _Unusable("is neither an Ed25519 nor an RSA key")


def _openssh(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
