"""Passwords: argon2id, few at a time, and the same work whether or not there is such a user.

Each verification takes about 19 MiB and 20 to 40 ms of one core without holding Python's lock.
They run on a few threads of their own: that bounds how many run at once, and also how many threads
the system keeps such a piece of memory for once it was used.
"""

from __future__ import annotations

import threading
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING

from tuihost.core.login.authentication import MAX_PASSWORD

if TYPE_CHECKING:
    from argon2 import PasswordHasher

# OWASP's "Password Storage Cheat Sheet": 19 MiB, two passes, one lane.
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
_NOBODY = "the password of nobody"


class Passwords:
    """Makes and verifies hashes, `concurrency` at a time. Threads: any; others wait."""

    def __init__(self, concurrency: int = 2) -> None:
        self._pool = ThreadPoolExecutor(concurrency, "passwords")  # starts threads when needed
        self._lock = threading.Lock()
        self._dummy: str | None = None

    @cached_property
    def _hasher(self) -> PasswordHasher:
        from argon2 import PasswordHasher  # a host of guests does without its start-up cost

        return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)

    def hash(self, password: str) -> str:
        """What to keep instead of `password`. ValueError if it cannot be one."""
        raw = _encoded(password)
        if raw is None:
            raise ValueError(f"a password has 1 to {MAX_PASSWORD} bytes, and no NUL")
        return self._pool.submit(self._hasher.hash, raw).result()

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one that `stored` was made of. With None, which is the hash
        of a user who has none or does not exist, it takes as long, and the answer is no. What
        cannot be a password is refused before anything is computed from it."""
        from argon2.exceptions import InvalidHashError, VerificationError

        raw = _encoded(password)
        if raw is None:
            return False
        nobody = self._nobody()  # also where it is not needed: the first of all tries makes it
        try:
            found = self._pool.submit(self._hasher.verify, stored or nobody, raw)
            return found.result() and bool(stored)
        except (VerificationError, InvalidHashError):
            return False

    def needs_rehash(self, stored: str) -> bool:
        """Whether `stored` was made with other costs than today's."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """Ends the threads. Whatever asks after that gets a RuntimeError."""
        self._pool.shutdown()

    def _nobody(self) -> str:
        with self._lock:
            if self._dummy is None:
                self._dummy = self.hash(_NOBODY)
            return self._dummy


def _encoded(password: str) -> bytes | None:
    """The bytes to hash, or None if it cannot be a password. A password is the same however the
    keyboard composes its accents (RFC 8265 §4.2)."""
    if len(password) > MAX_PASSWORD:
        return None
    try:
        raw = unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:
        return None
    return raw if 0 < len(raw) <= MAX_PASSWORD and b"\0" not in raw else None
