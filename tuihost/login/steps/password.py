"""The factor `password` as a question, and the change of one that has expired."""

from __future__ import annotations

from tuihost.login import Attempt, Conversation, Prompt, Query, Step
from tuihost.login.steps.new_password import new_password


class AskPassword(Step):
    """Asks for the password. If it has expired, the right one leads to choosing another."""

    name = "password"

    def ask(self, attempt: Attempt) -> Conversation:
        (password,) = yield Query(prompts=(Prompt("Password: "),))
        account, services = attempt.account, attempt.services
        stored = account.password_hash if account is not None else None
        if not services.passwords.verify(stored, password):
            return False
        if account is None or not account.password_expired:
            return account is not None
        chosen = yield from new_password(
            attempt.user,
            shortest=services.min_password(attempt.user),
            title="Your password has expired",
            instruction="Choose another one.",
            old=password,
        )
        if chosen is None:
            return False
        # Another login may have changed it meanwhile, or the operator closed the account.
        now = attempt.account
        if now is None or now.password_hash != stored:
            return False
        return services.accounts.update(
            attempt.user, password_hash=services.passwords.hash(chosen), password_expired=False
        )
