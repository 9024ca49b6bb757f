"""Setting up the second factor at the first login."""

from __future__ import annotations

from collections.abc import Generator

from tuihost.login import Attempt, Conversation, Prompt, Query, Step
from tuihost.login.steps.codes import (
    base32,
    grouped,
    new_totp_secret,
    recovery_codes,
    recovery_hash,
    totp_match,
    totp_uri,
)
from tuihost.login.steps.qr_code import qr_lines
from tuihost.login.steps.totp import Totp


class Enroll(Step):
    """Shows a secret, checks that codes come of it, then shows recovery codes, once.

    People who have a second factor already are asked for its code instead. This step never
    replaces one, so a chain with it lets nobody in by the password alone a second time.
    """

    name = "enroll"

    def ask(self, attempt: Attempt) -> Conversation:
        account = attempt.account
        if account is None or account.totp:
            return (yield from Totp().ask(attempt))
        secret = new_totp_secret()
        code = yield from _show(secret, attempt)
        counter = totp_match(secret, code, attempt.services.now())
        if counter is None or attempt.account is None:
            return False
        store, user = attempt.services.accounts, attempt.user
        # Another first login may have been quicker. The code that was typed here is used up, too.
        if not store.set_totp(user, secret, only_if_none=True):
            return False
        if not store.take_totp(user, counter):
            return False
        codes = recovery_codes()
        store.set_recovery(user, [recovery_hash(user, code) for code in codes])
        yield _recovery_page(codes)
        return True


def _show(secret: bytes, attempt: Attempt) -> Generator[Query, tuple[str, ...], str]:
    """Shows the secret, as a picture too if people ask for it, until a code is typed."""
    # The secret stands in a prompt: some clients write title and instruction to their log.
    shown, wish = f"\n    {grouped(base32(secret))}\n\n", " (or qr for a picture)"
    while True:
        (typed,) = yield Query(
            "Set up your second factor",
            (Prompt(f"{shown}Code that the app shows{wish}: ", echo=True),),
            "Add this secret to an authenticator app.",
        )
        if typed.strip().lower() != "qr" or not wish:
            return typed
        uri = totp_uri(secret, attempt.user, attempt.services.host_name)
        picture = qr_lines(uri) or (uri, "")
        shown, wish = "\n" + "".join(f"{line}\n" for line in picture), ""


def _recovery_page(codes: tuple[str, ...]) -> Query:
    pairs = zip(codes[::2], codes[1::2], strict=True)
    lines = "".join(f"    {left}    {right}\n" for left, right in pairs)
    return Query(
        "Recovery codes",
        (Prompt(f"\n{lines}\nPress Enter once they are written down: ", echo=True),),
        "Each of them lets you in once, without the app. They are not shown again.",
    )
