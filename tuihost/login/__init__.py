"""What the author of a login step imports: a step, what it asks, and what it is told.

The steps that ship with tuihost are in `steps`; logins that wait for somebody's word, in
`approvals`.
"""

from __future__ import annotations

from tuihost.core.keys.offers import KeyOffer
from tuihost.core.login.verdicts import Became, Conversation, Prompt, Query
from tuihost.login._step import (
    Attempt,
    Delivery,
    DeliveryError,
    Passwords,
    Step,
    StepServices,
)

__all__ = [
    "Attempt",
    "Became",
    "Conversation",
    "Delivery",
    "DeliveryError",
    "KeyOffer",
    "Passwords",
    "Prompt",
    "Query",
    "Step",
    "StepServices",
]
