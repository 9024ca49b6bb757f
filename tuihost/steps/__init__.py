"""The login steps that come along: each an interactive factor that a chain may name."""

from __future__ import annotations

from tuihost.login import Step
from tuihost.steps.approve import Approve
from tuihost.steps.delivery import DeliveredCode
from tuihost.steps.enroll import Enroll
from tuihost.steps.invite import TakeInvite
from tuihost.steps.password import AskPassword
from tuihost.steps.recovery import Recovery
from tuihost.steps.terms import Terms
from tuihost.steps.totp import Totp


def bundled_steps() -> tuple[Step, ...]:
    """One of each, under the names by which chains know them."""
    return (
        AskPassword(),
        Totp(),
        Recovery(),
        Enroll(),
        TakeInvite(),
        Terms(),
        DeliveredCode(),
        Approve(),
    )
