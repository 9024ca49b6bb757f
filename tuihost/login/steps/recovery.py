"""A recovery code in place of a lost second factor."""

from __future__ import annotations

from tuihost.login import Attempt, Conversation, Prompt, Query, Step
from tuihost.login.steps.codes import recovery_hash


class Recovery(Step):
    """Asks for one of the codes that were shown when the second factor was set up. Each works
    once."""

    name = "recovery"

    def ask(self, attempt: Attempt) -> Conversation:
        (code,) = yield Query(prompts=(Prompt("Recovery code: ", echo=True),))
        # Nobody is called "": the store looks as long, and a closed account keeps its codes.
        owner = attempt.user if attempt.account is not None else ""
        return attempt.services.accounts.take_recovery(owner, recovery_hash(owner, code))
