"""When an account takes no more tries, decided from the failures that the store counts.

A lock is itself a weapon, so what a try counts against is chosen such that nobody can lock out
somebody else:
1. A first proof counts against the account from this source: a source that fails locks the
   account for itself.
2. It counts against the account as a whole too, with a much higher bound, against many sources
   together. That lock is not for sources from which the account has been entered lately, and the
   bound is spent by failures only.
3. After a proof (a key, the password), failures at the next factor count against that proof
   alone. A stranger has no such proof, so they cannot reach that count; and someone
   who stole one has few guesses a day at the rest.
4. A try is counted before it is judged, and taken back when it was right. So tries that are made
   at once cannot outrun the bound, and a locked try, which is not judged, is not counted: a lock
   ends by itself.

The same questions are put to the store whether there is such an account or not, and whether it is
locked or not. There is no clock here; `now` is the wall clock's, as in the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

HOUR, DAY = 3600.0, 86_400.0
FAMILIAR_FOR = 30 * DAY
SEPARATOR = "\x1f"  # in no account's name, since no name holds control characters


class FailureCounts(Protocol):
    """What of `AccountStore` this needs."""

    def note_failure(self, key: str, now: float, window: float) -> int: ...

    def failures(self, key: str, now: float, window: float) -> int: ...

    def clear_failures(self, key: str, *, below: bool = False) -> int: ...


@dataclass(frozen=True, slots=True)
class LockoutLimits:
    """`failures` in `window` seconds lock an account for one source, three times as many in a
    day too. `together` times as many from all sources lock it for strangers: of an hour, and
    three times that of a day. Zero failures: no locks at all."""

    failures: int = 10
    window: float = 900.0
    together: int = 10


@dataclass(frozen=True, slots=True)
class Try:
    """One proof that is about to be judged: for `account`, as the store has it (or as it was
    typed where there is none), from `source` (a block of addresses). `proved` names what this
    login has settled by proof already, such as a key's fingerprint; empty for the first."""

    account: str
    source: str
    now: float
    proved: str = ""


@dataclass(frozen=True, slots=True)
class Lock:
    """A try that must not be judged. `reason` is for the log; people learn nothing of it."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Bound:
    failures: int
    window: float


class Lockout:
    """The policy over one store. Threads: any that the store takes. What the store raises passes
    through: the caller then refuses."""

    def __init__(self, counts: FailureCounts, limits: LockoutLimits | None = None) -> None:
        limits = limits or LockoutLimits()
        few, many = limits.failures, limits.failures * limits.together
        self._counts = counts
        self._on = few > 0
        self._alone = (_Bound(few, limits.window), _Bound(3 * few, max(DAY, limits.window)))
        self._together = (_Bound(many, HOUR), _Bound(3 * many, DAY))

    def begin(self, attempt: Try) -> Lock | None:
        """Asked before a proof is judged. None: judge it, and say how it went. It counts as failed
        until `settled` takes it back. A lock: judge nothing, and say `failed` with it."""
        if not self._on:
            return None
        familiar = self._familiar(attempt)
        own = self._own(attempt, familiar)
        strangers = self._over(self._account(attempt), self._together, attempt.now)
        locked = self._over(own, self._alone, attempt.now)
        lock = None
        if locked:
            lock = Lock("too many failures from here")
        elif strangers and not familiar and not attempt.proved:
            lock = Lock("too many failures from everywhere")
        counted = self._note(self._unread(attempt) if lock else own, attempt.now, lock)
        recent = self._counts.failures(own, attempt.now, self._alone[0].window)
        if lock is None and (counted > self._alone[1].failures or recent > self._alone[0].failures):
            lock = Lock("too many failures from here")  # others were counted since it was looked up
        return lock

    def failed(self, attempt: Try, lock: Lock | None = None) -> None:
        """The proof was wrong, or was not judged because of `lock`."""
        if self._on and not attempt.proved:
            familiar = self._familiar(attempt)
            counts = lock is None and not familiar
            key = self._account(attempt) if counts else self._unread(attempt)
            self._note(key, attempt.now, lock)

    def settled(self, attempt: Try) -> None:
        """The proof was right: what it and those before it counted from here is taken back."""
        if self._on:
            self._counts.clear_failures(self._own(attempt, self._familiar(attempt)))

    def entered(self, account: str, source: str, now: float) -> None:
        """The account's login from this source is complete: it is familiar from now on."""
        if self._on:
            key = self._key("familiar", account, source)
            if not self._counts.failures(key, now, FAMILIAR_FOR / 2):
                self._counts.note_failure(key, now, FAMILIAR_FOR)

    def unlock(self, account: str) -> int:
        """Forgets the failures of an account, from everywhere and after every proof; how many."""
        kinds = ("together", "try", "proved")
        keys = (self._key(kind, account) for kind in kinds)
        return sum(self._counts.clear_failures(key, below=True) for key in keys)

    # ------------------------------------------------------------------------ what counts where

    def _own(self, attempt: Try, familiar: bool) -> str:
        if not attempt.proved:
            return self._key("try", attempt.account, attempt.source)
        # A proof that was stolen must not lock its owner out where they are at home.
        home = (attempt.source,) if familiar else ()
        return self._key("proved", attempt.account, attempt.proved, *home)

    def _account(self, attempt: Try) -> str:
        return self._key("together", attempt.account)

    def _familiar(self, attempt: Try) -> bool:
        key = self._key("familiar", attempt.account, attempt.source)
        return self._counts.failures(key, attempt.now, FAMILIAR_FOR) > 0

    def _over(self, key: str, bounds: tuple[_Bound, ...], now: float) -> bool:
        counted = [self._counts.failures(key, now, bound.window) for bound in bounds]
        return any(n >= bound.failures for n, bound in zip(counted, bounds, strict=True))

    def _unread(self, attempt: Try) -> str:
        """Where it is noted what must not count: a locked try takes as long as any other."""
        return self._key("unread", attempt.account)

    def _note(self, key: str, now: float, lock: Lock | None) -> int:
        return self._counts.note_failure(key, now, self._alone[1].window if lock is None else 1.0)

    @staticmethod
    def _key(*parts: str) -> str:
        return SEPARATOR.join(parts)
