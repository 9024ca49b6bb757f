"""Somebody who is already inside says yes or no."""

from __future__ import annotations

from tuihost.login import Attempt, Conversation, Query, Step
from tuihost.phrases import duration


class Approve(Step):
    """Waits until another person lets this one in. No answer within `seconds` is a no.

    `seconds` has to be less than the login grace, which ends the connection in any case.
    """

    name = "approve"

    def __init__(self, seconds: float = 20.0) -> None:
        self.seconds = seconds

    def ask(self, attempt: Attempt) -> Conversation:
        longest = duration(self.seconds, units=2)
        yield Query(instruction=f"Waiting up to {longest} for somebody to let you in.")
        known = attempt.account is not None
        approval = attempt.services.approvals.wait(
            attempt.user,
            attempt.peer,
            self.seconds,
            listed=known,
            target=attempt.target,
            gone=attempt.gone,
        )
        # What has happened to the account meanwhile counts too.
        return approval is not None and approval.granted and attempt.account is not None
