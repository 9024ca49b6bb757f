"""The login of one connection, as a state machine without I/O, clock or threads.

The rules (RFC 4252 and 4256; OpenSSH's `AuthenticationMethods` for the chains):
1. A factor is `none`, `password`, `publickey` or the name of a step. A chain is an ordered list
   of factors. Whoever settles every factor of one chain, in its order, is logged in.
2. A factor is settled by exactly three things: a password that the verifier accepts, a key whose
   signature has been verified, a step that returned True. (`none` is the guests' and is settled by
   the verifier's word alone.) Asking whether a key would do changes nothing (RFC 4252 §7).
3. There is at most one open question. Any new request abandons it (RFC 4256 §3.1), and only its
   next answers, in the number it asked for, reach the step.
4. A different user name forgets all that was settled (RFC 4252 §5); what was counted stays counted.
5. Whatever settles nothing counts as a failure, once; after `max_tries` of them, or too many
   requests or questions, the connection is hung up on. The first `none`, by which clients ask for
   the methods, is free.
6. What a client learns depends on the chains and on what it settled, never on whether there is
   such a user.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

from tuihost.core.routing import split_user
from tuihost.errors import MisuseError
from tuihost.text import clean
from tuihost.wire import Identity

SERVICE = "ssh-connection"
MAX_USER = 64  # characters
MAX_PASSWORD = 1024  # bytes: a longer one is refused before anything is computed from it
MAX_REQUESTS = 30  # of one connection, of any kind

NONE, PASSWORD, PUBLICKEY, INTERACTIVE = "none", "password", "publickey", "keyboard-interactive"


@dataclass(frozen=True, slots=True)
class Prompt:
    """One line to be answered, RFC 4256 §3.2. `echo`: what is typed may be seen."""

    text: str
    echo: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """One INFO_REQUEST, RFC 4256 §3.2: a title, an explanation, prompts. No prompt is only told."""

    title: str = ""
    prompts: tuple[Prompt, ...] = ()
    instruction: str = ""


Conversation = Generator[Query, tuple[str, ...], bool]
"""A step at work: it yields queries, is sent the answers to each, and returns whether it is
satisfied. Only True is a yes."""


@dataclass(frozen=True, slots=True)
class KeyOffer:
    """A public key that a client names: `kind` such as ssh-ed25519, `blob` as in RFC 4253 §6.6,
    `fingerprint` as people compare it, `SHA256:…`."""

    kind: str
    blob: bytes
    fingerprint: str


class Verifier(Protocol):
    """Who knows the users. Runs on the transport thread before the login and may block there,
    within the login grace. `user` is the person's name, without an app."""

    def guest(self, user: str) -> bool:
        """May this person come in without proof?"""

    def password(self, user: str, password: str) -> bool:
        """Is it theirs? Takes equally long for a user who does not exist."""

    def key_acceptable(self, user: str, offer: KeyOffer) -> bool:
        """Would this key do, once they prove to hold it? Must not record anything."""

    def step(self, name: str, user: str) -> Conversation:
        """Begins the step of that name."""


@dataclass(frozen=True, slots=True)
class Success:
    """A chain is finished."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class Partial:
    """One factor more is settled; `methods` can go on from here."""

    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """Nothing was settled; `methods` can go on from here."""

    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """The client is to answer this."""

    query: Query


@dataclass(frozen=True, slots=True)
class Hangup:
    """Enough: the connection ends."""

    reason: str


Verdict = Success | Partial | Failure | Ask | Hangup


@dataclass(slots=True)
class _Question:
    step: str
    conversation: Conversation
    expected: int


class AuthMachine:
    """Judges the login of one connection. Thread: its transport's.

    `start` comes before each request; whatever it returns other than None is already the verdict.
    An exception of the verifier passes through; `failed` then says what becomes of the request.
    """

    def __init__(
        self,
        chains: tuple[tuple[str, ...], ...],
        verifier: Verifier,
        *,
        max_tries: int = 6,
        max_rounds: int = 10,
        max_requests: int = MAX_REQUESTS,
    ) -> None:
        if not chains or not all(chains):
            raise MisuseError("a login needs at least one chain, and each at least one factor")
        self._chains = chains
        self._verifier = verifier
        self._max_tries = max_tries
        self._max_rounds = max_rounds
        self._max_requests = max_requests
        self._name: str | None = None
        self._person = ""
        self._settled: tuple[str, ...] = ()
        self._keys: tuple[KeyOffer, ...] = ()
        self._question: _Question | None = None
        self._tries = self._rounds = self._requests = 0
        self._asked_none = False
        self._identity: Identity | None = None

    # ------------------------------------------------------------------------ what is known

    @property
    def identity(self) -> Identity | None:
        """Who logged in; None until then. Never changes afterwards."""
        return self._identity

    @property
    def settled(self) -> tuple[str, ...]:
        """The factors settled so far, in order."""
        return self._settled

    @property
    def question_open(self) -> bool:
        """A query awaits its answers."""
        return self._question is not None

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods by which some chain can still be continued, RFC 4252 §5.1."""
        named = [self._method(factor) for factor in self._next_factors() if factor != NONE]
        return tuple(dict.fromkeys(named))

    def finishes(self, factor: str) -> bool:
        """Whether a chain would be finished if `factor` were settled now."""
        return (*self._settled, factor) in self._chains

    # ------------------------------------------------------------------------ what a client does

    def start(self, user: str, service: str = SERVICE) -> Verdict | None:
        """A request begins, whatever its method. None: go on and judge it."""
        if self._identity is not None:
            raise MisuseError("the login is finished")
        self._requests += 1
        if self._requests > self._max_requests:
            self.abandon()
            return Hangup("too many login requests")
        if user != self._name:
            self._name = user
            self._person = unicodedata.normalize("NFC", split_user(user)[0])
            self._settled = ()
            self._keys = ()
        self.abandon()
        return None if service == SERVICE else self.failed()

    def none(self, user: str) -> Verdict:
        """The method `none`, RFC 4252 §5.2."""
        self._expect(user)
        if NONE in self._next_factors() and self._known() and self._verifier.guest(self._person):
            return self._settle(NONE)
        if not self._asked_none:
            self._asked_none = True
            return Failure(self.methods)
        return self.failed()

    def password(self, user: str, password: str) -> Verdict:
        """A password, RFC 4252 §8."""
        self._expect(user)
        sound = 0 < len(password.encode("utf-8", "surrogatepass")) <= MAX_PASSWORD
        if (
            sound
            and PASSWORD in self._next_factors()
            and self._known()
            and self._verifier.password(self._person, password)
        ):
            return self._settle(PASSWORD)
        return self.failed()

    def key_offered(self, user: str, offer: KeyOffer) -> bool:
        """Would this key do next? Changes nothing (rule 2)."""
        self._expect(user)
        return (
            PUBLICKEY in self._next_factors()
            and all(offer.blob != used.blob for used in self._keys)
            and self._known()
            and self._verifier.key_acceptable(self._person, offer)
        )

    def key_proved(self, user: str, offer: KeyOffer) -> Verdict:
        """A signature by this key over this connection and user has been verified."""
        if not self.key_offered(user, offer):
            return self.failed()
        self._keys += (offer,)
        return self._settle(PUBLICKEY)

    def interactive(self, user: str, submethods: str = "") -> Verdict:
        """keyboard-interactive, RFC 4256 §3.1: begins the next step. `submethods` may name it."""
        self._expect(user)
        steps = [f for f in self._next_factors() if self._method(f) == INTERACTIVE]
        if not steps or not self._known():
            return self.failed()
        wanted = [name for name in submethods.split(",") if name in steps]
        step = (wanted or steps)[0]
        self._question = _Question(step, self._verifier.step(step, self._person), 0)
        return self._advance(self._question, None)

    def answers(self, answers: tuple[str, ...]) -> Verdict:
        """The answers to the open question, RFC 4256 §3.4. Unasked or miscounted: a failure."""
        question = self._question
        if question is None or len(answers) != question.expected:
            return self.failed()
        return self._advance(question, answers)

    def failed(self) -> Verdict:
        """The request settles nothing: also for what was wrong before it could be judged."""
        self.abandon()
        self._tries += 1
        if self._tries >= self._max_tries:
            return Hangup("too many failed attempts")
        return Failure(self.methods)

    def abandon(self) -> None:
        """No answer to the open question is taken any more."""
        question, self._question = self._question, None
        if question is not None:
            question.conversation.close()

    # ------------------------------------------------------------------------ how it goes on

    def _expect(self, user: str) -> None:
        if user != self._name or self._identity is not None:
            raise MisuseError("a request was judged that was not started")

    def _known(self) -> bool:
        """Whether the name can be anybody's; where not, no verifier hears of it."""
        name = self._person
        return (
            0 < len(name) <= MAX_USER
            and clean(name) == name
            and name.strip() == name
            and "/" not in name
            and not name.startswith(".")
        )

    def _next_factors(self) -> tuple[str, ...]:
        done = len(self._settled)
        going = (c for c in self._chains if len(c) > done and c[:done] == self._settled)
        return tuple(dict.fromkeys(chain[done] for chain in going))

    @staticmethod
    def _method(factor: str) -> str:
        return factor if factor in (NONE, PASSWORD, PUBLICKEY) else INTERACTIVE

    def _advance(self, question: _Question, answers: tuple[str, ...] | None) -> Verdict:
        try:
            query = (
                next(question.conversation)
                if answers is None
                else question.conversation.send(answers)
            )
        except StopIteration as end:
            self._question = None
            return self._settle(question.step) if end.value is True else self.failed()
        if not isinstance(query, Query):
            self.abandon()
            raise MisuseError(f"the step {question.step} yielded something that is no Query")
        self._rounds += 1
        if self._rounds > self._max_rounds:
            self.abandon()
            return Hangup("too many questions")
        question.expected = len(query.prompts)
        return Ask(query)

    def _settle(self, factor: str) -> Verdict:
        self._settled += (factor,)
        if self._settled not in self._chains:
            return Partial(self.methods)
        self._identity = Identity(
            user=self._person,
            target=split_user(self._name or "")[1],
            guest=set(self._settled) == {NONE},
            factors=self._settled,
            fingerprint=self._keys[-1].fingerprint if self._keys else None,
        )
        return Success(self._identity)


class OpenGuests:
    """The verifier of an open house: anyone comes in without proof, and nothing else is known."""

    chains: tuple[tuple[str, ...], ...] = ((NONE,),)

    def guest(self, user: str) -> bool:
        return True

    def password(self, user: str, password: str) -> bool:
        return False

    def key_acceptable(self, user: str, offer: KeyOffer) -> bool:
        return False

    def step(self, name: str, user: str) -> Conversation:
        raise MisuseError(f"an open house has no step {name}")
