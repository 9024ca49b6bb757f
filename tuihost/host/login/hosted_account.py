"""Somebody's own account, as the apps that they use may change it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from tuihost.accounts import AccountRecord, KeyRecord, LoginRecord, StoreError
from tuihost.core.keys.authorized_keys import KeyLine, key_text
from tuihost.core.login.chains import PASSWORD, TOTP, Who
from tuihost.core.login.lockout import Try
from tuihost.core.login.proof import (
    FRESH,
    AccountChange,
    ProofNeeded,
    came_in,
    needed,
)
from tuihost.host.login.services import LoginServices
from tuihost.host.login.visitor import Visitor
from tuihost.login.steps.codes import (
    base32,
    grouped,
    new_totp_secret,
    recovery_codes,
    recovery_hash,
    totp_match,
    totp_uri,
)
from tuihost.login.steps.new_password import password_problem, password_rule
from tuihost.login.steps.qr_code import qr_lines
from tuihost.logs import Event, EventLog, event_log
from tuihost.phrases import duration
from tuihost.session.own_account import AccountSummary, NewSecond, NotPossible, OwnLogin
from tuihost.ssh.keys.public_keys import accepted_line
from tuihost.text import clean
from tuihost.wire import Peer

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

_FACTORS = {ProofNeeded.PASSWORD: PASSWORD, ProofNeeded.CODE: TOTP}

MAX_KEYS = 50
MAX_KEY_NAME = 60  # characters
TOO_MANY = f"An account can have {MAX_KEYS} keys at most."

LIMITED = (
    "You came in with a certificate, or with a key that has restrictions, so this login cannot "
    "change how you log in. Log in with your password, or with a key without restrictions, first."
)
LONG_AGO = (
    f"It is more than {duration(FRESH)} since you proved who you are. "
    "Log in again and do it soon after that."
)
FIRST = {
    ProofNeeded.PASSWORD: "This needs your password.",
    ProofNeeded.CODE: "This needs a code of your second factor first.",
}
CLOSED = "This login was closed from another one of the same account."


@dataclass(frozen=True, slots=True)
class Inside:
    """One connection that is logged in, since the Unix time `since`; `close` ends it, with a
    sentence for the person."""

    visitor: Visitor
    peer: Peer
    since: float
    close: Callable[[str], None]


def _told(
    work: Callable[Concatenate[HostedAccount, _Given], _Result],
) -> Callable[Concatenate[HostedAccount, _Given], _Result]:
    """`work`, with a line in the log if the store fails; the person is told no more than that."""

    @wraps(work)
    def telling(own: HostedAccount, /, *given: _Given.args, **named: _Given.kwargs) -> _Result:
        try:
            return work(own, *given, **named)
        except StoreError as error:
            own.broken(error)
            raise

    return telling


class HostedAccount:
    """Implements `own_account.OwnAccount` for `visitor`. Threads: any; may block. A store that
    fails is logged once, so that asking again and again does not fill the log."""

    def __init__(
        self,
        login_services: LoginServices,
        visitor: Visitor,
        inside: Callable[[], tuple[Inside, ...]],
        log: EventLog | None = None,
    ) -> None:
        self._log = log or event_log()
        self._is_told = False
        self._login_services = login_services
        self._store = login_services.store
        self._visitor = visitor
        self._name = visitor.name
        self._inside = inside
        self._proof = visitor.proof

    def broken(self, error: StoreError) -> None:
        """Says in the log that the store fails, the first time."""
        if not self._is_told:
            self._is_told = True
            conn, who = self._visitor.connection, clean(self._name, limit=64)
            reason = clean(str(error), limit=300)
            self._log.error(Event.STORE_ERROR, conn=conn, user=who, reason=reason)

    @_told
    def record(self) -> AccountSummary:
        record = self._record()
        return AccountSummary(
            name=record.name,
            roles=self._login_services.roles(record),
            has_password=record.password_hash is not None,
            password_expired=record.password_expired,
            totp=record.totp,
            recovery_left=record.recovery_left,
            created=record.created,
            chains=self._login_services.login_chains.offered(
                Who.ACCOUNT, own=record.chains, second=record.totp
            ),
        )

    def _record(self) -> AccountRecord:
        record = self._store.get(self._name)
        if record is None or record.disabled:
            raise NotPossible("This account is closed.")
        return record

    # ------------------------------------------------------------------ proof

    def may_change(self) -> bool:
        return not self._proof.limited

    @_told
    def proof_for(self, change: AccountChange) -> ProofNeeded:
        record = self._record()
        asked = needed(
            change,
            came_in(self._proof, self._login_services.now()),
            has_password=record.password_hash is not None,
            has_second=record.totp,
        )
        match asked:
            case ProofNeeded.ANOTHER_WAY_IN:
                raise NotPossible(LIMITED)
            case ProofNeeded.LOGIN:
                raise NotPossible(LONG_AGO)
            case _:
                return asked

    @_told
    def prove(self, needed: ProofNeeded, answer: str) -> None:
        match needed:
            case ProofNeeded.PASSWORD:
                self._check(self._password_is, answer, "password")
            case ProofNeeded.CODE:
                self._check(self._code_is, answer, "code")
            case _:
                return
        self._proof = replace(
            self._proof,
            factors=(*self._proof.factors, _FACTORS[needed]),
            at=self._login_services.now(),
        )

    def _allow(self, change: AccountChange, password: str = "") -> None:
        """Raises `NotPossible` unless the change may be made now, with that password if it is one
        that is asked for every time."""
        asked = self.proof_for(change)
        if asked is ProofNeeded.PASSWORD and password:
            self._check(self._password_is, password, "password")
        elif asked is not ProofNeeded.NOTHING:
            raise NotPossible(FIRST[asked])

    def _check(self, is_right: Callable[[str], bool], answer: str, what: str) -> None:
        """Makes sure that it is the person who asks, and not somebody at a screen that was left
        open. Wrong answers count as they do at a login, so that nobody guesses here instead."""
        self._record()
        lockout = self._login_services.lockout
        attempt = Try(self._name, f"inside {self._visitor.connection}", self._login_services.now())
        lock = lockout.begin(attempt)
        if lock is None and is_right(answer):
            lockout.settled(attempt)
            return
        lockout.failed(attempt, lock)
        if lock is not None:
            raise NotPossible(f"There were too many wrong {what}s. Try again later.")
        raise NotPossible(f"That is not your {what}.")

    def _password_is(self, password: str) -> bool:
        return self._login_services.passwords.verify(self._record().password_hash, password)

    def _code_is(self, code: str) -> bool:
        secret = self._store.totp_secret(self._name)
        counter = None
        if secret is not None:
            counter = totp_match(secret, code, self._login_services.now())
        return counter is not None and self._store.take_totp(self._name, counter)

    # ------------------------------------------------------------------ keys

    @_told
    def keys(self) -> Sequence[KeyRecord]:
        return self._store.keys(self._name)

    def key_in_use(self) -> str | None:
        return self._visitor.fingerprint

    @_told
    def add_key(self, line: str, name: str = "") -> KeyRecord:
        found = _pasted(line)
        if found.options.cert_authority:
            raise NotPossible("Only the operator can add an authority.")
        if len(self.keys()) >= MAX_KEYS:  # before anything is asked
            raise NotPossible(TOO_MANY)
        self._allow(AccountChange.ADD_KEY)
        name = clean(name.strip() or found.comment or found.kind, limit=MAX_KEY_NAME)
        key = KeyRecord(self._name, found.fingerprint, name, found.text, self._login_services.now())
        if self._store.add_key(key, at_most=MAX_KEYS):
            return key
        has = self._store.key(self._name, key.fingerprint) is not None
        raise NotPossible("You have this key already." if has else TOO_MANY)

    @_told
    def can_add_key_in_use(self) -> bool:
        mine = self._visitor.fingerprint
        return (
            self._visitor.key_line is not None
            and self.may_change()
            and all(key.fingerprint != mine for key in self.keys())
        )

    @_told
    def add_key_in_use(self, name: str = "") -> KeyRecord:
        if self._visitor.key_line is None:
            self._allow(AccountChange.ADD_KEY)
            raise NotPossible("You did not log in with a key that could become yours.")
        return self.add_key(self._visitor.key_line, name)

    @_told
    def rename_key(self, fingerprint: str, name: str) -> None:
        self._allow(AccountChange.RENAME_KEY)
        name = clean(name.strip(), limit=MAX_KEY_NAME)
        if not name or not self._store.rename_key(self._name, fingerprint, name):
            raise NotPossible("There is no such key." if name else "A key needs a name.")

    @_told
    def remove_key(self, fingerprint: str) -> None:
        self._allow(AccountChange.REMOVE_KEY)
        if self._store.remove_key(self._name, fingerprint, keep_a_way_in=True):
            return
        if self._store.key(self._name, fingerprint) is None:
            raise NotPossible("There is no such key.")
        raise NotPossible("This is your last key, and you have no password to log in with.")

    # ------------------------------------------------------------------ password

    @_told
    def password_rule(self) -> str:
        return password_rule(self._login_services.min_password(self._name))

    @_told
    def password_problem(self, new: str) -> str | None:
        shortest = self._login_services.min_password(self._name)
        return password_problem(new, user=self._name, shortest=shortest)

    @_told
    def set_password(self, old: str, new: str) -> None:
        self._allow(AccountChange.PASSWORD, old)
        shortest = self._login_services.min_password(self._name)
        problem = password_problem(new, user=self._name, shortest=shortest, old=old)
        if problem is not None:
            raise NotPossible(problem)
        hashed = self._login_services.passwords.hash(new)
        self._store.update(self._name, password_hash=hashed, password_expired=False)

    # ------------------------------------------------------------------ second factor

    def begin_second(self) -> NewSecond:
        self.proof_for(AccountChange.SECOND_FACTOR)
        secret = new_totp_secret()
        uri = totp_uri(secret, self._name, self._login_services.host_name)
        return NewSecond(secret, grouped(base32(secret)), uri, tuple(qr_lines(uri) or ()))

    @_told
    def confirm_second(self, second: NewSecond, code: str, password: str) -> tuple[str, ...]:
        counter = totp_match(second.secret, code, self._login_services.now())
        if counter is None:
            raise NotPossible("That code is wrong. Is your clock right?")
        self._allow(AccountChange.SECOND_FACTOR, password)
        self._store.set_totp(self._name, second.secret)
        self._store.take_totp(self._name, counter)  # the code that was typed here has served
        return self._fresh_codes()

    @_told
    def remove_second(self, password: str) -> None:
        self._allow(AccountChange.SECOND_FACTOR, password)
        self._store.set_totp(self._name, None)
        self._store.set_recovery(self._name, ())

    @_told
    def new_recovery_codes(self, password: str) -> tuple[str, ...]:
        self._allow(AccountChange.RECOVERY_CODES, password)
        if not self.record().totp:
            raise NotPossible("Set up a second factor first; recovery codes go with it.")
        return self._fresh_codes()

    def _fresh_codes(self) -> tuple[str, ...]:
        codes = recovery_codes()
        self._store.set_recovery(self._name, [recovery_hash(self._name, code) for code in codes])
        return codes

    # ------------------------------------------------------------------ logins

    def logins(self) -> Sequence[OwnLogin]:
        here = self._visitor.connection
        return tuple(
            OwnLogin(
                login.visitor.connection,
                login.since,
                login.peer,
                login.visitor.factors,
                login.visitor.fingerprint,
                login.visitor.connection == here,
            )
            for login in self._own()
        )

    @_told
    def close_others(self) -> int:
        self._allow(AccountChange.CLOSE_LOGINS)
        here = self._visitor.connection
        others = [login for login in self._own() if login.visitor.connection != here]
        for login in others:
            login.close(CLOSED)
        return len(others)

    def _own(self) -> list[Inside]:
        return [
            login
            for login in self._inside()
            if login.visitor.name == self._name and not login.visitor.guest
        ]

    @_told
    def history(self, limit: int = 50) -> Sequence[LoginRecord]:
        return self._store.logins(self._name, limit)


def _pasted(text: str) -> KeyLine:
    """The one public key in a text, in any form that a file of keys may have."""
    try:
        line = key_text(text.encode("utf-8", "replace")).strip()
    except ValueError as error:
        raise NotPossible(f"This {error}.") from None
    try:
        return accepted_line(line)
    except ValueError as error:
        raise NotPossible(f"This is not a public key: {error}.") from None
