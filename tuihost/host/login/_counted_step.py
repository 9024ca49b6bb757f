"""A login step at work, whose answers count as one try of the account."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

from tuihost.core.login.lockout import Lock, Try
from tuihost.core.login.verdicts import Became, Conversation, Ended, Query, resumed
from tuihost.host.login.services import LoginServices

NOBODY = ""


class CountedStep:
    """Puts a step's questions, and counts its first answers as a try before they are judged.

    Where the account is locked they go to the same questions for nobody, which take as long and
    change nothing. `ask` begins the step for a name. With `counts` false nothing is counted: for
    steps whose codes cannot be guessed. What the store raises passes through. Thread: the login's.
    """

    def __init__(
        self,
        services: LoginServices,
        attempt: Try,
        ask: Callable[[str], Conversation],
        *,
        counts: bool,
    ) -> None:
        self.lock: Lock | None = None
        self._services = services
        self._attempt = attempt
        self._ask = ask
        self._counts = counts
        self._counted = self._right = False
        self._conversation = ask(attempt.account)

    def begin(self) -> Query | Ended:
        """The first question. A step may be satisfied without any."""
        return self._resumed(None)

    def answer(self, answers: tuple[str, ...]) -> Query | Ended:
        """The next question, or how it ended: only what is true for an account that may come in
        is a yes."""
        # Without answers it is not a try; it may wait for somebody else, and must wait alone.
        is_try = bool(answers) and self._counts
        account, source = self._attempt.account, self._attempt.source
        with self._services.one_by_one(account, source) if is_try else nullcontext():
            if is_try and not self._counted:
                self._count()
            return self._resumed(answers)

    def close(self) -> None:
        """It is over, whatever happened: a try that did not come out right has failed."""
        try:
            self._conversation.close()
        finally:
            if self._counted and not self._right:
                self._services.lockout.failed(self._attempt, self.lock)

    def _count(self) -> None:
        self.lock = self._services.lockout.begin(self._attempt)
        self._counted = True
        if self.lock is not None:
            self._conversation.close()
            self._conversation = self._ask(NOBODY)
            resumed(self._conversation, None)

    def _resumed(self, answers: tuple[str, ...] | None) -> Query | Ended:
        found = resumed(self._conversation, answers)
        if not isinstance(found, Ended):
            return found
        self._right = self.lock is None and self._lets_in(found.result)
        if self._right and self._counted:
            self._services.lockout.settled(self._attempt)
        return found if self._right else Ended(False)

    def _lets_in(self, result: object) -> bool:
        """Whether the step said yes to somebody who may come in."""
        if result is not True and not isinstance(result, Became):
            return False
        user = result.user if isinstance(result, Became) else self._attempt.account
        record = self._services.store.get(user)
        return record is not None and not record.disabled
