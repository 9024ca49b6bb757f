"""Whether one connection lets somebody in: the `Verifier` of its login, over the account store.

It knows where the connection comes from and what was proved so far; everything else it asks of
`LoginServices`.

It does the same work for everybody, whether there is such an account or not, and whether that is
locked, closed or neither: the same questions to the store, one hash, the same notes. A store that
does not work lets nobody in, and says so in the log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from tuihost.accounts import AccountRecord, LoginRecord, StoreError
from tuihost.core.keys.authorized_keys import NOT_LISTED, Unfit
from tuihost.core.keys.offers import KeyOffer, fingerprint
from tuihost.core.keys.restrictions import together
from tuihost.core.login.chains import INVITE, PASSWORD, PUBLICKEY, Chains, Who
from tuihost.core.login.lockout import Lock, Try
from tuihost.core.login.verdicts import Became, Conversation, Ended, Hangup, Query
from tuihost.errors import MisuseError
from tuihost.host.login._counted_step import CountedStep
from tuihost.host.login.services import LoginServices
from tuihost.login import Attempt
from tuihost.login.steps.invite import key_record
from tuihost.logs import Event, EventLog
from tuihost.text import clean
from tuihost.wire import Identity, Peer, Restrictions

_Result = TypeVar("_Result")

UNCOUNTED = frozenset({INVITE})
"""Steps whose codes cannot be guessed, under names that many people share: nobody must be able to
lock those."""


AGAIN = "That was not accepted. Please try again."
"""What a step says before it asks again, to everybody alike."""
FRESH = 1.0
"""Seconds for which the verifier goes by what it was told of a name."""
MAX_TOLD = 8
"""Keys of one connection that are listed and do not let in, of which the log is told."""


class AccountVerifier:
    """Implements `core.login.verdicts.Verifier` for one connection; `gone` says whether its client
    has hung up. Thread: its transport's."""

    def __init__(
        self,
        login_services: LoginServices,
        peer: Peer,
        log: EventLog,
        gone: Callable[[], bool] = lambda: False,
    ) -> None:
        self._login_services = login_services
        self._store = login_services.store
        self._peer = peer
        self._source = login_services.blocks.source(peer.address)
        self._log = log
        self._gone = gone
        self._failures: list[LoginRecord] = []
        self._told: set[tuple[str, bytes]] = set()
        self._refused: set[str] = set()
        self._known = ("", Who.NOBODY, 0.0)  # what a name was, and when
        self._start(None)

    def _start(self, target: str | None) -> None:
        self._target = target
        self._proved: tuple[str, ...] = ()
        self._keys: tuple[KeyOffer, ...] = ()
        self._restrictions: Restrictions | None = None
        self._judged: tuple[str, KeyOffer, Restrictions] | None = None

    def close(self) -> None:
        """The connection is over: what failed on it becomes part of the accounts' histories. Not
        before, since a note that only accounts have would tell that there is one."""
        failures, self._failures = self._failures, []
        self._from_store(lambda: self._remember(failures), None)

    def _remember(self, failures: list[LoginRecord]) -> None:
        for failure in failures:
            if self._store.get(failure.account) is not None:
                self._store.record_login(failure)

    # ------------------------------------------------------------------ ways in

    def chains(self, user: str, target: str | None) -> Chains:
        self._start(target)
        services, now = self._login_services, self._login_services.now()
        found = self._from_store(lambda: services.ways_in(user, target), None)
        who, chains = found or (Who.NOBODY, services.login_chains.offered(Who.NOBODY, target))
        self._known = (user, who, now)
        return chains

    def guest(self, user: str) -> bool:
        name, who, at = self._known
        # Guests ask for `none` first, in the message for which the chains were looked up.
        if name == user and 0 <= self._login_services.now() - at <= FRESH:
            return who is Who.GUEST
        return self._from_store(lambda: self._login_services.is_guest(user), False)

    def advice(self, user: str) -> str:
        return self._from_store(lambda: self._login_services.guest_advice(user), "")

    # ------------------------------------------------------------------ passwords

    def password(self, user: str, password: str) -> bool:
        with self._login_services.one_by_one(user, self._source):
            return self._from_store(lambda: self._password(user, password), False)

    def _password(self, user: str, password: str) -> bool:
        record, attempt = self._store.get(user), self._try(user)
        lock = self._login_services.lockout.begin(attempt)
        usable = lock is None and record is not None and not record.disabled
        stored = record.password_hash if record is not None and usable else None
        right = self._login_services.passwords.verify(stored, password)
        if right and record is not None and not record.password_expired:
            self._login_services.lockout.settled(attempt)
            self._proved += (PASSWORD,)
            self._refresh(user, stored, password)
            return True
        self._login_services.lockout.failed(attempt, lock)
        self._denied(user, PASSWORD, "the password has expired" if right else _why(record, lock))
        return False

    def _refresh(self, user: str, stored: str | None, password: str) -> None:
        """Keeps the hash at today's costs; only now is the password here to make it of."""
        passwords = self._login_services.passwords
        if stored is not None and passwords.needs_rehash(stored):
            self._store.update(user, password_hash=passwords.hash(password))

    # ------------------------------------------------------------------ keys

    def key_acceptable(self, user: str, offer: KeyOffer) -> bool:
        unknown: Restrictions | Unfit = Unfit(NOT_LISTED)
        found = self._from_store(lambda: self._restricted(user, offer), unknown)
        if isinstance(found, Unfit):
            self._judged = None
            # An agent's other keys are not worth a line.
            if found.reason != NOT_LISTED and self._is_news(user, offer):
                self._denied(user, PUBLICKEY, found.reason, key=offer.fingerprint)
            return False
        # For `key_proved`, which asks about the same offer next or not at all.
        self._judged = (user, offer, found)
        return True

    def _is_news(self, user: str, offer: KeyOffer) -> bool:
        """Whether the log has not been told of this key: a client may offer it again and again."""
        if (user, offer.blob) in self._told or len(self._told) >= MAX_TOLD:
            return False
        self._told.add((user, offer.blob))
        return True

    def _restricted(self, user: str, offer: KeyOffer) -> Restrictions | Unfit:
        """Costs the same for everybody, however many keys they have, if the key is not listed."""
        record, now = self._store.get(user), self._login_services.now()
        listed = self._store.key(user, fingerprint(offer.listed))
        own = () if listed is None else (listed,)
        invited = self._login_services.is_invited(user, record)
        if invited:  # any key will do: it becomes theirs once an invitation made an account
            own = () if offer.certificate else (key_record(user, offer, now),)
        restrictions = self._login_services.keys.judge(
            user, own, offer, address=self._peer.address, now=now, files=not invited
        )
        usable = invited or (record is not None and not record.disabled)
        if usable or restrictions == Unfit(NOT_LISTED):
            return restrictions
        return Unfit("the account is closed" if record is not None else NOT_LISTED)

    def key_proved(self, user: str, offer: KeyOffer) -> Hangup | None:
        if self._judged is None or self._judged[:2] != (user, offer):
            raise MisuseError("a key was proved that was not found acceptable")
        restrictions = self._judged[2]
        if self._restrictions is not None:
            both = together(self._restrictions, restrictions)
            if both is None:
                return Hangup("the keys want different commands")
            restrictions = both
        self._restrictions, self._judged = restrictions, None
        self._keys += (offer,)
        self._proved += (offer.fingerprint,)
        now = self._login_services.now()
        self._from_store(lambda: self._store.key_used(user, offer.fingerprint, now), None)
        return None

    # ------------------------------------------------------------------ steps

    def step(self, name: str, user: str) -> Conversation:
        step = self._login_services.steps.get(name)
        if step is None:
            return self._missing(name, user)
        return self._counted(name, user, lambda who: step.ask(self._attempt(who)))

    def _attempt(self, user: str) -> Attempt:
        keys = self._keys if user else ()
        now = self._login_services.now()
        services = self._login_services
        return Attempt(user, self._peer, now, self._target, keys, services, self._gone)

    def _missing(self, name: str, user: str) -> Conversation:
        """A step that only an account's own chains name, and that is not here."""
        self._denied(user, name, "there is no such step")
        return False
        yield Query()

    def _counted(self, name: str, user: str, ask: Callable[[str], Conversation]) -> Conversation:
        """A step at work for `user`, and what becomes of it."""
        counts = name not in UNCOUNTED
        step = CountedStep(self._login_services, self._try(user), ask, counts=counts)
        try:
            found = step.begin()
            if name in self._refused and isinstance(found, Query):
                instruction = f"{AGAIN} {found.instruction}".rstrip()
                found = replace(found, instruction=instruction)
            while not isinstance(found, Ended):
                found = step.answer((yield found))
        except StoreError as error:
            self._broken(error)
            return False
        finally:
            self._from_store(step.close, None)
        match found.result:
            case True | Became() as yes:
                self._proved += (name,)
                return yes
            case _:
                reason = step.lock.reason if step.lock else "the answers were wrong"
                self._denied(user, name, reason)
                self._refused.add(name)
                return False

    # ------------------------------------------------------------------ how it ends

    def settled(self, identity: Identity) -> Identity | Hangup:
        if identity.guest:
            return identity
        # By now every factor is proved: that the store fails tells a stranger nothing.
        entering = self._from_store(lambda: self._entering(identity), None)
        return entering or Hangup(
            "the host cannot record your login at the moment; try again later"
        )

    def _entering(self, identity: Identity) -> Identity | Hangup:
        record, now = self._store.get(identity.user), self._login_services.now()
        if record is None or record.disabled:  # since its last factor was settled
            return Hangup("the account cannot be used")
        self._login_services.lockout.entered(identity.user, self._source, now)
        self._store.record_login(
            LoginRecord(
                identity.user, now, self._peer.address, identity.factors, identity.fingerprint
            )
        )
        return replace(
            identity,
            roles=self._login_services.roles(record),
            restrictions=self._restrictions,
            at=now,
            certified=any(key.certificate is not None for key in self._keys),
        )

    def failed(self, user: str, factor: str, reason: str) -> None:
        if factor in (PASSWORD, PUBLICKEY) or factor in self._login_services.steps:
            now = self._login_services.now()
            self._failures.append(
                LoginRecord(user, now, self._peer.address, (factor,), success=False)
            )

    # ------------------------------------------------------------------ small things

    def _try(self, user: str) -> Try:
        return Try(user, self._source, self._login_services.now(), "+".join(self._proved))

    def _denied(self, user: str, factor: str, reason: str, key: str | None = None) -> None:
        who = clean(user, limit=64)
        self._log.info(Event.AUTH_DENIED, user=who, factor=factor, reason=reason, key=key)

    def _broken(self, error: StoreError) -> None:
        self._log.error(Event.STORE_ERROR, reason=clean(str(error), limit=300))

    def _from_store(self, ask: Callable[[], _Result], otherwise: _Result) -> _Result:
        """What the store says; `otherwise`, and a line in the log, where it does not work."""
        try:
            return ask()
        except StoreError as error:
            self._broken(error)
            return otherwise


def _why(record: AccountRecord | None, lock: Lock | None) -> str:
    if lock is not None:
        return f"locked: {lock.reason}"
    if record is None:
        return "there is no such account"
    if record.disabled:
        return "the account is closed"
    return "the password is wrong" if record.password_hash else "the account has no password"
