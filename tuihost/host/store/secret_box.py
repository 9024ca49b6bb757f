"""Secrets at rest: sealed with a key that lies in a file of its own, for nobody else to read.

AES-256-GCM with a fresh nonce for each seal. What a secret belongs to is sealed in with it, so
that none can be moved to another account. A sealed secret begins with the number of the format
and the id of its key, which tells a wrong key from a damaged secret.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
import threading
from pathlib import Path

from tuihost.accounts import StoreError

FORMAT = b"\x01"
KEY_BYTES, NONCE_BYTES, ID_BYTES = 32, 12, 8
_HEAD = len(FORMAT) + ID_BYTES


class SecretBox:
    """Seals and opens with the key in the file `path`, read when it is first needed.

    Threads: any. Raises `StoreError`, with one sentence for the operator.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._key: bytes | None = None
        self._lock = threading.Lock()

    def create(self) -> None:
        """Makes the key where there is none."""
        try:
            if not self.path.exists():
                _create(self.path)
        except OSError as error:
            raise StoreError(f"the key {self.path} cannot be made: {error.strerror}") from None

    def seal(self, secret: bytes, owner: str) -> bytes:
        """`secret`, encrypted for `owner` alone."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self._load()
        head, nonce = FORMAT + _key_id(key), os.urandom(NONCE_BYTES)
        return head + nonce + AESGCM(key).encrypt(nonce, secret, head + owner.encode())

    def open(self, sealed: bytes, owner: str) -> bytes:
        """What was sealed for `owner`."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self._load()
        head, rest = sealed[:_HEAD], sealed[_HEAD:]
        if head[:1] != FORMAT or len(rest) < NONCE_BYTES:
            raise StoreError("a secret in the store is damaged, or was written by a newer tuihost")
        if head[1:] != _key_id(key):
            raise StoreError(f"a secret was encrypted with another key than {self.path}")
        try:
            return AESGCM(key).decrypt(
                rest[:NONCE_BYTES], rest[NONCE_BYTES:], head + owner.encode()
            )
        except InvalidTag:
            raise StoreError("a secret in the store is damaged, or somebody else's") from None

    def _load(self) -> bytes:
        with self._lock:
            if self._key is None:
                self._key = _read(self.path)
            return self._key


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"tuihost key id" + key).digest()[:ID_BYTES]


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Linked into place when it is whole: of two processes that start at once, the second takes
    # the first one's key.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _read(path: Path) -> bytes:
    try:
        # Nonblocking, so that a named pipe in its place cannot hold anybody up.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise StoreError(f"the key {path} is gone, and the secrets cannot be read") from None
    except OSError as error:
        raise StoreError(f"the key {path} cannot be read: {error.strerror}") from None
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise StoreError(f"the key {path} is not a regular file")
        if about.st_mode & 0o077:
            raise StoreError(f"others can read the key {path}; run chmod 600 on it")
        if about.st_uid not in (0, os.geteuid()):
            raise StoreError(f"the key {path} belongs to another user")
        key = os.read(handle, KEY_BYTES + 1)
    finally:
        os.close(handle)
    if len(key) != KEY_BYTES:
        raise StoreError(f"the key {path} is not {KEY_BYTES} bytes long, as every key is")
    return key
