"""The bundled login steps: each is an interactive factor that a chain may name.

What several of them share is in `codes`, `new_password` and `qr_code`.
"""

from __future__ import annotations

from tuihost.login import Step
from tuihost.login.steps.approve import Approve
from tuihost.login.steps.delivery import DeliveredCode
from tuihost.login.steps.enroll import Enroll
from tuihost.login.steps.invite import TakeInvite
from tuihost.login.steps.password import AskPassword
from tuihost.login.steps.recovery import Recovery
from tuihost.login.steps.terms import Terms
from tuihost.login.steps.totp import Totp


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
