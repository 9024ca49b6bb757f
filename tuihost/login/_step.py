"""What the author of a login step writes: a generator that asks and says whether it is satisfied.

    class OneTimeCode(Step):
        def ask(self, attempt: Attempt) -> Conversation:
            (code,) = yield Query("One-time code", prompts=(Prompt("Code: ", echo=True),))
            return verify(attempt.user, code, attempt.now)

A step runs on the transport thread of one client that is not logged in yet. It may block; the
login grace bounds how long. The user need not exist: a step asks everybody the same, does the
same work, and says no at the end. `tuihost.testing.drive` tests one without a server.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tuihost.accounts import AccountRecord, AccountStore
from tuihost.core.keys.offers import KeyOffer
from tuihost.core.login.verdicts import Conversation
from tuihost.errors import TuihostError
from tuihost.login.approvals import Approvals
from tuihost.wire import Peer


class DeliveryError(TuihostError):
    """A message could not be sent."""


class Passwords(Protocol):
    """Hashes of passwords."""

    def hash(self, password: str) -> str:
        """The hash to keep instead of it. ValueError if it cannot be a password."""

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether `stored` was made of it. With None the answer is no, and takes as long."""


@runtime_checkable
class Delivery(Protocol):
    """Sends a message to a person another way than over this connection: mail, a text message.

    `account` is their name here; the delivery knows where to reach them. It should only take the
    message and return, because people who try to log in can see how long it takes.
    """

    def send(self, account: str, subject: str, text: str) -> None:
        """Raises `DeliveryError` if it cannot."""


class StepServices(Protocol):
    """What the host lends to steps. Threads: any."""

    @property
    def accounts(self) -> AccountStore: ...

    @property
    def passwords(self) -> Passwords: ...

    @property
    def approvals(self) -> Approvals: ...

    @property
    def delivery(self) -> Delivery | None:
        """None if the operator has not set one up."""

    @property
    def host_name(self) -> str:
        """What the operator calls the host."""

    @property
    def terms_text(self) -> str:
        """What people have to accept; empty if there is nothing."""

    @property
    def terms_version(self) -> str:
        """Changes whenever the text does."""

    def chosen_name_problem(self, name: str) -> str | None:
        """Why nobody can choose that name for themselves, in words for people; None if they can.
        Whether it is taken is the store's to say."""

    def min_password(self, user: str) -> int:
        """How many characters a password needs that `user` chooses."""

    def now(self) -> float:
        """Unix time, now: an answer may come long after the attempt began."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tries to log in, from where, and when it began (Unix seconds). The user may not exist.

    `target` is the app that was asked for. `proved` are the keys that the client has proved to
    hold, with signatures, in this login. `gone` says whether the client has hung up: a step that
    waits for something else should look now and then.
    """

    user: str
    peer: Peer
    now: float
    target: str | None
    proved: tuple[KeyOffer, ...]
    services: StepServices
    gone: Callable[[], bool] = lambda: False

    @property
    def account(self) -> AccountRecord | None:
        """The account, if there is one that may be used. Asks the store each time."""
        record = self.services.accounts.get(self.user)
        return None if record is None or record.disabled else record


class Step(ABC):
    """One interactive factor of a login. One object serves every login, from many threads; keep
    what belongs to one attempt inside the generator."""

    name: str = ""
    """Its name in chains; if empty, the name of its file or entry point."""

    @abstractmethod
    def ask(self, attempt: Attempt) -> Conversation:
        """Asks what it must and returns True if the answers satisfy it. A wrong answer should
        return False rather than ask again, so that it counts as one failed try."""
