"""What a login step asks and what the core answers, as values, and the `Verifier` that is asked.

The rules by which they are used are those of `authentication`.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Protocol

from tuihost.core.keys.offers import KeyOffer
from tuihost.core.login.chains import Chains
from tuihost.wire import Identity


@dataclass(frozen=True, slots=True)
class Prompt:
    """One line to be answered, RFC 4256 §3.2. `echo`: what is typed may be seen."""

    text: str
    echo: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """One INFO_REQUEST, RFC 4256 §3.2: a title, an explanation, prompts. No prompt is only told.

    Title and instruction are ASCII: clients write them as they write their log. Anything else
    belongs into the text of a prompt, after a line end.
    """

    title: str = ""
    prompts: tuple[Prompt, ...] = ()
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class Became:
    """A step is satisfied, and from here on the person is `user`: for steps that make accounts."""

    user: str


Conversation = Generator[Query, tuple[str, ...], bool | Became]
"""A step at work: it yields queries, is sent the answers to each, and returns whether it is
satisfied. Only True and `Became` are a yes."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A step has come to its end, with this result."""

    result: object


def resumed(conversation: Conversation, answers: tuple[str, ...] | None) -> Query | Ended:
    """Lets a step work until it asks or ends; None begins it."""
    try:
        return next(conversation) if answers is None else conversation.send(answers)
    except StopIteration as end:
        return Ended(end.value)


@dataclass(frozen=True, slots=True)
class Success:
    """A chain is finished."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class Partial:
    """One factor more is `settled`; `methods` can go on from here."""

    methods: tuple[str, ...]
    settled: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """Nothing was settled; `methods` can go on from here. `reason` and `factor` are for the log,
    `advice` is a sentence for the person."""

    methods: tuple[str, ...]
    factor: str = field(default="", compare=False)
    reason: str = field(default="", compare=False)
    advice: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Ask:
    """The client is to answer this."""

    query: Query


@dataclass(frozen=True, slots=True)
class Hangup:
    """Enough: the connection ends."""

    reason: str


Verdict = Success | Partial | Failure | Ask | Hangup


class Verifier(Protocol):
    """Who knows the users. Runs on the transport thread before the login and may block there,
    within the login grace. One verifier serves one connection.

    `user` is the person's name, without an app; it is empty for a name that nobody can have,
    which is to be treated as a user who does not exist. Such a user never gets a yes, in the time
    and with the questions of anybody else. Only True is a yes.
    """

    def chains(self, user: str, target: str | None) -> Chains:
        """The ways in, asked whenever a login starts, and starts over: whatever was noted of one
        before is void then. `target` is the app that was asked for."""

    def guest(self, user: str) -> bool:
        """May this person come in without proof?"""

    def advice(self, user: str) -> str:
        """What to tell a client that asked for the methods: why this name is not a guest's, where
        guests choose theirs. Empty if there is nothing to say."""

    def password(self, user: str, password: str) -> bool:
        """Is it theirs? Takes equally long for a user who does not exist."""

    def key_acceptable(self, user: str, offer: KeyOffer) -> bool:
        """Would this key do, once they prove to hold it? Must not record anything: it is asked
        for keys that are only named, too."""

    def key_proved(self, user: str, offer: KeyOffer) -> Hangup | None:
        """A signature by this key was verified and it settles a factor; once for each. A `Hangup`
        where it must not be used after all: the login ends, and nothing was settled."""

    def step(self, name: str, user: str) -> Conversation:
        """Begins the step of that name."""

    def settled(self, identity: Identity) -> Identity | Hangup:
        """A chain is finished. What is returned is who enters: `identity`, with what the account
        adds (roles, restrictions). A `Hangup` keeps them out, and so does an exception."""

    def failed(self, user: str, factor: str, reason: str) -> None:
        """A try settled nothing, and was counted. `reason` is for the operator only."""
