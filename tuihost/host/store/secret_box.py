"""Secrets at rest: encrypted with a key that is in a file of its own, which nobody else may read.

AES-256-GCM with a fresh nonce for each secret. The owner is authenticated with it, so that no
secret can be moved to another account. An encrypted secret begins with the number of the format
and the id of its key, which tells a wrong key from a damaged secret.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from pathlib import Path

from tuihost.accounts import StoreError
from tuihost.files.secret_files import NotPrivate, make_private, read_private

FORMAT = b"\x01"
KEY_BYTES, NONCE_BYTES, ID_BYTES = 32, 12, 8
_HEAD = len(FORMAT) + ID_BYTES


class SecretBox:
    """Encrypts and decrypts with the key in the file `path`, which is read when it is first needed.

    Threads: any. Raises `StoreError`, with one sentence for the operator.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._key: bytes | None = None
        self._lock = threading.Lock()

    def create(self) -> None:
        """Makes the key if there is none."""
        try:
            if not self.path.exists():
                make_private(self.path, secrets.token_bytes(KEY_BYTES))
        except OSError as error:
            raise StoreError(f"the key {self.path} cannot be made: {error.strerror}") from None

    def check(self) -> None:
        """Raises where the key cannot be used."""
        self._load()

    def seal(self, secret: bytes, owner: str) -> bytes:
        """`secret`, encrypted for `owner` alone."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self._load()
        head, nonce = FORMAT + _key_id(key), os.urandom(NONCE_BYTES)
        return head + nonce + AESGCM(key).encrypt(nonce, secret, head + owner.encode())

    def open(self, sealed: bytes, owner: str) -> bytes:
        """The secret that was encrypted for `owner`."""
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


def _read(path: Path) -> bytes:
    try:
        key = read_private(path, KEY_BYTES + 1)
    except NotPrivate as problem:
        raise StoreError(f"the key {path} cannot be used: {problem}") from None
    except FileNotFoundError:
        raise StoreError(f"the key {path} is gone, and the secrets cannot be read") from None
    except OSError as error:
        raise StoreError(f"the key {path} cannot be read: {error.strerror}") from None
    if len(key) != KEY_BYTES:
        raise StoreError(f"the key {path} is not {KEY_BYTES} bytes long, as every key is")
    return key
