"""Testing login steps without a server.

    def test_a_code():
        assert drive(OneTimeCode(), answers=["123 456"]).accepted

An answer is a text, or a tuple of texts for a query with several prompts, or a function that takes
the query and returns either: for codes that are known only once a secret has been shown.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tuihost.accounts import AccountRecord, AccountStore
from tuihost.core.login.account_names import RESERVED_NAMES, chosen_name_problem
from tuihost.login import Attempt, Became, Delivery, KeyOffer, Query, Step
from tuihost.login.approvals import Approvals
from tuihost.login.steps.new_password import MIN_ALONE
from tuihost.testing.memory_store import MemoryAccounts
from tuihost.wire import Peer

NOW = 1_800_000_000.0
"""When a driven login happens, unless a test says otherwise: some day in January 2027."""

Answer = str | tuple[str, ...]


class QuickPasswords:
    """Hashes that cost nothing. For tests only."""

    def hash(self, password: str) -> str:
        return "quick:" + hashlib.sha256(password.encode("utf-8", "surrogatepass")).hexdigest()

    def verify(self, stored: str | None, password: str) -> bool:
        return hmac.compare_digest(stored or "nobody's", self.hash(password))


@dataclass(slots=True)
class Outbox:
    """A delivery that keeps what it is given: `(account, subject, text)`."""

    sent: list[tuple[str, str, str]] = field(default_factory=list)

    def send(self, account: str, subject: str, text: str) -> None:
        self.sent.append((account, subject, text))


@dataclass(slots=True)
class FakeServices:
    """What a host lends to steps, in memory, at a time that the test sets."""

    accounts: AccountStore = field(default_factory=MemoryAccounts)
    passwords: QuickPasswords = field(default_factory=QuickPasswords)
    approvals: Approvals = field(default_factory=Approvals)
    delivery: Delivery | None = field(default_factory=Outbox)
    host_name: str = "tuihost"
    terms_text: str = ""
    terms_version: str = ""
    time: float = NOW

    def now(self) -> float:
        return self.time

    def chosen_name_problem(self, name: str) -> str | None:
        return chosen_name_problem(name, reserved=RESERVED_NAMES)

    def min_password(self, user: str) -> int:
        return MIN_ALONE

    def add(self, name: str, password: str | None = None, totp: bytes | None = None) -> None:
        """Adds an account, with a password and a second factor if they are given."""
        hashed = None if password is None else self.passwords.hash(password)
        assert self.accounts.create(AccountRecord(name, password_hash=hashed)), f"{name} is taken"
        if totp is not None:
            self.accounts.set_totp(name, totp)


@dataclass(frozen=True, slots=True)
class Driven:
    """How a step ended. `queries` is all that it asked; `became` is who the person is now."""

    accepted: bool
    queries: tuple[Query, ...]
    became: str | None = None

    def __bool__(self) -> bool:
        return self.accepted

    @property
    def text(self) -> str:
        """Everything that was shown, as one text."""
        return "\n".join(
            part
            for query in self.queries
            for part in (query.title, query.instruction, *(prompt.text for prompt in query.prompts))
            if part
        )


def drive(
    step: Step,
    answers: Sequence[Answer | Callable[[Query], Answer]] = (),
    *,
    user: str = "ada",
    services: FakeServices | None = None,
    proved: tuple[KeyOffer, ...] = (),
    target: str | None = None,
    peer: Peer | None = None,
) -> Driven:
    """Runs `step` for `user` and answers its questions in turn. A query without prompts is only
    shown, and takes no answer.

    Raises `AssertionError` if the step asks for more answers than there are, ends before it has
    asked for all of them, or asks something that no client could show.
    """
    services = services or FakeServices()
    where = peer or Peer("192.0.2.7", 50122)
    attempt = Attempt(user, where, services.now(), target, proved, services)
    conversation, left, queries = step.ask(attempt), list(answers), list[Query]()
    try:
        query = next(conversation)
        while True:
            _check(query)
            queries.append(query)
            query = conversation.send(_answers(query, left))
    except StopIteration as end:
        assert not left, f"the step ended before it asked for {len(left)} of the answers"
        result = end.value
    finally:
        conversation.close()
    became = result.user if isinstance(result, Became) else None
    return Driven(result is True or became is not None, tuple(queries), became)


def _answers(query: Query, left: list[Answer | Callable[[Query], Answer]]) -> tuple[str, ...]:
    if not query.prompts:
        return ()
    assert left, f"the step asks more than there are answers for: {query}"
    given = left.pop(0)
    answer = given(query) if callable(given) else given
    whole = (answer,) if isinstance(answer, str) else tuple(answer)
    assert len(whole) == len(query.prompts), f"{len(whole)} answers to {query}"
    return whole


def _check(query: object) -> None:
    assert isinstance(query, Query), f"a step yields queries, not {query!r}"
    for part in (query.title, query.instruction):
        assert part.isascii(), f"clients show what is not ASCII as numbers: {part!r}"
    for prompt in query.prompts:
        assert prompt.text, "a prompt needs a text (RFC 4256, section 3.2)"
