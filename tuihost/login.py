"""What the author of a login step writes: a generator that asks and says whether it is satisfied.

    class OneTimeCode(Step):
        def ask(self, attempt: Attempt) -> Conversation:
            (code,) = yield Query("One-time code", prompts=(Prompt("Code: ", echo=True),))
            return verify(attempt.user, code, attempt.now)

A step runs on the transport thread of one client that is not logged in yet. It may block; the
login grace bounds how long.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from tuihost.core.auth import Conversation, Prompt, Query
from tuihost.wire import Peer

__all__ = ["Attempt", "Conversation", "Prompt", "Query", "Step"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tries to log in, from where, and when (Unix seconds). The user need not exist."""

    user: str
    peer: Peer
    now: float


class Step(ABC):
    """One interactive factor of a login."""

    @abstractmethod
    def ask(self, attempt: Attempt) -> Conversation:
        """Asks what it must and returns True where the answers satisfy it. A wrong answer should
        return False rather than ask again, so that it counts as one failed try."""
