"""A code from an authenticator app, RFC 6238."""

from __future__ import annotations

from tuihost.core.login.chains import TOTP
from tuihost.login import Attempt, Conversation, Prompt, Query, Step
from tuihost.login.steps.codes import SECRET_BYTES, totp_match

_NOBODYS = b"\0" * SECRET_BYTES  # computed with where there is no secret, so that it takes as long


class Totp(Step):
    """Asks for the current code. Each code is good once, ever, and none older than one that was
    used; the store decides that, for every process that shares it."""

    name = TOTP

    def ask(self, attempt: Attempt) -> Conversation:
        (code,) = yield Query(prompts=(Prompt("One-time code: ", echo=True),))
        account, services = attempt.account, attempt.services
        secret = services.accounts.totp_secret(attempt.user)
        counter = totp_match(secret or _NOBODYS, code, services.now())
        if account is None or secret is None or counter is None:
            return False
        return services.accounts.take_totp(attempt.user, counter)
