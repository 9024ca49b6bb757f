"""An operator who calls `tuihost user`: what is typed, and what comes of it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

from tuihost.accounts import AccountRecord, AccountStore
from tuihost.core.keys.offers import fingerprint

PASSWORD = "correct-horse-9"


BLOB = b"\0\0\0\x0bssh-ed25519\0\0\0 " + bytes([7] * 32)


KEY = "ssh-ed25519 " + base64.b64encode(BLOB).decode()


OTHER = "ssh-ed25519 " + base64.b64encode(BLOB[:-1] + b"\x08").decode()


MARK = fingerprint(BLOB)


_NOWHERE = b"\0\0\0\x13ecdsa-sha2-nistp256\0\0\0\x08nistp256\0\0\0\x41\x04" + bytes(64)


WEAK = "ecdsa-sha2-nistp256 " + base64.b64encode(_NOWHERE).decode()
"""A key that is on no curve."""


@dataclass(frozen=True, slots=True)
class Said:
    status: int
    out: str
    err: str


Run = Callable[..., Said]


def ada(store: AccountStore) -> AccountRecord:
    record = store.get("ada")
    assert record is not None
    return record
