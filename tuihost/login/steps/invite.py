"""An invitation's code makes an account."""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Generator

from tuihost.accounts import AccountRecord, Invite, KeyRecord
from tuihost.core.login.account_names import folded
from tuihost.core.login.chains import INVITE
from tuihost.login import Attempt, Became, Conversation, KeyOffer, Prompt, Query, Step
from tuihost.login.steps.codes import invite_hash
from tuihost.login.steps.new_password import ATTEMPTS, new_password

_NAME = (
    "It is how others see you, and the name you log in with. "
    "Letters, digits, and . _ - can be in it."
)
_EXPIRED = "Your invitation has expired meanwhile. Ask the person who invited you for a new one."
_USED = "Your invitation has been used meanwhile. Ask the person who invited you for another one."
_AGAIN = "Your invitation is still good: use it again, and choose another name."
_NAME_GONE = f"Somebody else has taken that name meanwhile. {_AGAIN}"
_KEY = "The key that you logged in with will let you in as well."


class TakeInvite(Step):
    """Asks for the code, a name and a password, and makes the account: the person is in under
    the name that they chose. A key becomes theirs only if this login has proved it with a
    signature; naming it is not enough.

    Only a person with a good code is told what is wrong with a name, and what has become of their
    invitation meanwhile.
    """

    name = INVITE

    def ask(self, attempt: Attempt) -> Conversation:
        services = attempt.services
        (code,) = yield Query(prompts=(Prompt("Invitation code: ", echo=True),))
        code_hash = invite_hash(code)
        invite = services.accounts.peek_invite(code_hash, services.now())
        if invite is None:
            return False
        name = yield from _choose_name(attempt)
        if name is None:
            return False
        if gone := _gone(attempt, code_hash, invite):
            yield Query(instruction=gone)
            return False
        password = yield from new_password(
            name, shortest=services.min_password(name), title="Choose a password"
        )
        if password is None:
            return False
        now = services.now()
        record = AccountRecord(
            name, roles=invite.roles, created=now, password_hash=services.passwords.hash(password)
        )
        if not services.accounts.take_invite(code_hash, now, record):
            yield Query(instruction=_gone(attempt, code_hash, invite) or _NAME_GONE)
            return False
        for offer in _own_keys(attempt):
            services.accounts.add_key(key_record(name, offer, now))
        return Became(name)


def _gone(attempt: Attempt, code_hash: bytes, invite: Invite) -> str:
    """Why an invitation that was good a while ago is not any more; empty if it is."""
    now = attempt.services.now()
    if attempt.services.accounts.peek_invite(code_hash, now) is not None:
        return ""
    return _USED if invite.expires is None or now < invite.expires else _EXPIRED


def _own_keys(attempt: Attempt) -> tuple[KeyOffer, ...]:
    """The keys that the client has proved to hold; not those with a certificate, which are their
    authority's to lend."""
    return tuple(key for key in attempt.proved if key.proved and key.certificate is None)


def _choose_name(attempt: Attempt) -> Generator[Query, tuple[str, ...], str | None]:
    instruction = f"{_NAME} {_KEY}" if _own_keys(attempt) else _NAME
    for _ in range(ATTEMPTS):
        (typed,) = yield Query(
            "Choose a name", (Prompt("Your name here: ", echo=True),), instruction
        )
        name = unicodedata.normalize("NFC", typed.strip())
        problem = attempt.services.chosen_name_problem(name)
        if problem is None and folded(name) == folded(attempt.user):
            problem = "everybody comes in by that name, choose one of your own"
        if problem is None and attempt.services.accounts.taken(name):
            problem = "that name is taken"
        if problem is None:
            return name
        instruction = f"Not this one: {problem}."
    yield Query(instruction=f"{instruction} {_AGAIN}")
    return None


def key_record(account: str, offer: KeyOffer, now: float) -> KeyRecord:
    """The key of `offer` as one of the account's own, without options."""
    line = f"{offer.kind} {base64.b64encode(offer.public).decode('ascii')}"
    return KeyRecord(account, offer.fingerprint, "from the first login", line, now, now)
