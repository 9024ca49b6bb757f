"""The login of one connection, as a state machine without I/O, clock or threads.

The rules (RFC 4252 and 4256; OpenSSH's `AuthenticationMethods` for the chains):
1. A factor is `none`, `password`, `publickey` or the name of a step. A chain is an ordered list
   of factors. A client that settles every factor of one chain, in its order, is logged in.
2. A factor is settled by exactly three things: a password that the verifier accepts, a key whose
   signature has been verified, a step that said yes. (`none` is the guests' and is settled by
   the verifier's word alone.) Asking whether a key would do changes nothing (RFC 4252 §7), and a
   key that served once does not serve twice, whatever certificate it comes with.
3. There is at most one open question. Any new request abandons it (RFC 4256 §3.1), and only its
   next answers, in the number it asked for, reach the step. Steps that follow each other are
   asked in one exchange, each settled before the next begins.
4. Another user name or another service forgets all that was settled (RFC 4252 §5), and the ways
   in are asked for anew; what was counted stays counted.
5. Whatever settles nothing counts as a failure, once, and the verifier hears of it; after
   `max_tries` of them, or too many requests, offers of keys or questions, the connection is hung
   up on, for good. The first `none`, by which clients ask for the methods, is free.
6. What a client learns depends on the chains and on what it settled, never on whether there is
   such a user. Only methods that can still continue a chain are named.
7. An exception of the verifier or of a step settles nothing. Where the verifier itself says
   `Hangup`, nothing is settled either, and the login is over.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from tuihost.core.keys.offers import KeyOffer
from tuihost.core.login.chains import INTERACTIVE, NONE, PASSWORD, PUBLICKEY, Chains
from tuihost.core.login.verdicts import (
    Ask,
    Became,
    Conversation,
    Ended,
    Failure,
    Hangup,
    Partial,
    Query,
    Success,
    Verdict,
    Verifier,
    resumed,
)
from tuihost.core.routing import split_user
from tuihost.errors import MisuseError
from tuihost.text import clean
from tuihost.wire import Identity

SERVICE = "ssh-connection"
MAX_USER = 64  # characters
MAX_PASSWORD = 1024  # bytes: a longer one is refused before anything is computed from it
MAX_REQUESTS = 40  # of one connection, of any kind but offers of keys
MAX_PROBES = 64  # offers of keys: an agent may hold dozens, and the password comes after them
MAX_ROUNDS = 24  # questions of one connection


class Phase(Enum):
    """The phase of a login."""

    IDLE = "the next request is the client's"
    JUDGING = "a request has begun"
    ASKING = "a question awaits its answers"
    ENTERED = "somebody is in"
    OVER = "the connection was hung up on"


# Which calls each phase takes, and where each verdict leads. Whatever is not here cannot happen.
_TAKES: Mapping[str, frozenset[Phase]] = {
    "start": frozenset({Phase.IDLE, Phase.JUDGING, Phase.ASKING}),
    "judge": frozenset({Phase.JUDGING}),
    "answers": frozenset({Phase.IDLE, Phase.JUDGING, Phase.ASKING}),
    "failed": frozenset({Phase.IDLE, Phase.JUDGING, Phase.ASKING}),
}
_LEADS_TO: Mapping[type[Verdict], Phase] = {
    Success: Phase.ENTERED,
    Partial: Phase.IDLE,
    Failure: Phase.IDLE,
    Ask: Phase.ASKING,
    Hangup: Phase.OVER,
}

# By which methods a factor is settled; one that is not here is a step, and is asked.
_WAYS: Mapping[str, tuple[str, ...]] = {
    NONE: (NONE,),
    PASSWORD: (PASSWORD,),
    PUBLICKEY: (PUBLICKEY,),
}


@dataclass(slots=True)
class _Question:
    step: str
    conversation: Conversation
    expected: int = 0


class AuthMachine:
    """Judges the login of one connection. Thread: its transport's.

    `start` comes before each request; whatever it returns other than None is already the verdict.
    An exception of the verifier or of a step passes through; `failed` then says what becomes of
    the request.

    `password_step`: the factor `password` may be asked too, by a step of that name.
    """

    def __init__(
        self,
        verifier: Verifier,
        *,
        password_step: bool = False,
        max_tries: int = 6,
        max_rounds: int = MAX_ROUNDS,
        max_requests: int = MAX_REQUESTS,
        max_probes: int = MAX_PROBES,
    ) -> None:
        self._chains: Chains = ()
        self._verifier = verifier
        self._ways = {**_WAYS, PASSWORD: (PASSWORD, INTERACTIVE)} if password_step else _WAYS
        self._max_tries = max_tries
        self._max_rounds = max_rounds
        self._max_requests = max_requests
        self._max_probes = max_probes
        self._phase = Phase.IDLE
        self._name: str | None = None  # as the client writes it, with the app
        self._person = ""  # who that is; empty if nobody can have such a name
        self._typed = ""  # the beginning of it, also if nobody can
        self._target: str | None = None
        self._settled: tuple[str, ...] = ()
        self._keys: tuple[KeyOffer, ...] = ()
        self._question: _Question | None = None
        self._tries = self._rounds = self._requests = self._probes = 0
        self._asked_none = self._counted = False
        self._factor = ""  # what the request under way is about, for the log
        self._identity: Identity | None = None
        self._why_over = ""

    # ------------------------------------------------------------------------ what is known

    @property
    def phase(self) -> Phase:
        """The phase that the login is in."""
        return self._phase

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
        ways = (way for factor in self._next_factors() for way in self._ways_of(factor))
        return tuple(dict.fromkeys(way for way in ways if way != NONE))

    @property
    def unsettled(self) -> Failure | Hangup:
        """What a request comes to that settles nothing."""
        if self._phase is Phase.OVER:
            return Hangup(self._why_over)
        if self._tries >= self._max_tries:
            return Hangup("too many failed attempts")
        return Failure(self.methods)

    # ------------------------------------------------------------------------ what a client does

    def start(self, user: str, service: str = SERVICE) -> Verdict | None:
        """A request begins, whatever its method. None: go on and judge it."""
        if self._phase is Phase.OVER:
            return self.unsettled
        self._take("start")
        self._requests += 1
        self._factor, self._counted = "", False
        self.abandon()
        self._phase = Phase.JUDGING
        if self._requests > self._max_requests:
            return self._hang_up("too many login requests")
        if service != SERVICE:
            self._forget()
            return self.failed("another service was asked for")
        if user != self._name:
            self._begin(user)
        return None

    def none(self, user: str) -> Verdict:
        """The method `none`, RFC 4252 §5.2."""
        self._judge(user, NONE)
        if NONE in self._next_factors() and self._is_yes(self._verifier.guest(self._person)):
            return self._settle(NONE)
        if not self._asked_none:
            self._asked_none = True
            advice = self._verifier.advice(self._person or self._typed)
            return self._say(Failure(self.methods, NONE, "asked for the methods", advice))
        return self.failed("no guest")

    def password(self, user: str, password: str) -> Verdict:
        """A password, RFC 4252 §8."""
        self._judge(user, PASSWORD)
        if PASSWORD not in self._next_factors():
            return self.failed("no password is due")
        if not 0 < len(password.encode("utf-8", "surrogatepass")) <= MAX_PASSWORD:
            return self.failed("the password is empty or too long")
        if not self._is_yes(self._verifier.password(self._person, password)):
            return self.failed("not accepted")
        return self._settle(PASSWORD)

    def key_named(self, user: str, offer: KeyOffer | None) -> bool | Hangup:
        """Would this key do next, asks a request without a signature? It changes nothing (rule
        2), costs no try, and can be asked `max_probes` times. `offer` is None for a key of no known
        kind."""
        self._judge(user, PUBLICKEY)
        self._requests -= 1  # it is counted here instead
        self._probes += 1
        if self._probes > self._max_probes:
            return self._hang_up("too many keys were offered")
        would_do = offer is not None and self.key_offered(user, offer)
        self._phase = Phase.IDLE
        return would_do

    def key_offered(self, user: str, offer: KeyOffer) -> bool:
        """Whether a signature by this key would settle a factor now. Changes nothing."""
        self._judge(user, PUBLICKEY)
        return (
            PUBLICKEY in self._next_factors()
            and all(offer.public != used.public for used in self._keys)
            and self._is_yes(self._verifier.key_acceptable(self._person, offer))
        )

    def key_proved(self, user: str, offer: KeyOffer) -> Verdict:
        """A signature by this key over this connection and user has been verified."""
        if not self.key_offered(user, offer):
            return self.failed("the key is not theirs")
        refused = self._verifier.key_proved(self._person, offer)
        return self._say(refused) if refused else self._settle(PUBLICKEY, offer)

    def interactive(self, user: str, submethods: str = "") -> Verdict:
        """keyboard-interactive, RFC 4256 §3.1: begins the next step. `submethods` may name it."""
        self._judge(user, INTERACTIVE)
        steps = self._steps()
        if not steps:
            return self.failed("no step is due")
        wanted = [name for name in submethods.split(",") if name in steps]
        return self._advance(self._ask_step((wanted or steps)[0]), None)

    def answers(self, answers: tuple[str, ...]) -> Verdict:
        """The answers to the open question, RFC 4256 §3.4. Unasked or miscounted: a failure."""
        self._take("answers")
        self._counted = False
        question = self._question
        if question is None:
            return self.failed("answers that no question asked for")
        if len(answers) != question.expected:
            return self.failed("another number of answers than of prompts")
        return self._advance(question, answers)

    def failed(self, reason: str = "not accepted", factor: str = "") -> Verdict:
        """The request settles nothing: also for what was wrong before it could be judged, where
        `factor` says what it was about. Called again for one request, it counts only once."""
        if self._phase is Phase.OVER:
            return self.unsettled
        self._take("failed")
        self.abandon()
        self._factor = factor or self._factor
        fresh, self._counted = not self._counted, True
        self._tries += fresh
        verdict = self._say(self.unsettled)
        if fresh:
            self._verifier.failed(self._person, self._factor, reason)
        if isinstance(verdict, Failure):
            return replace(verdict, factor=self._factor, reason=reason)
        return verdict

    def abandon(self) -> None:
        """No answer to the open question is taken any more."""
        question, self._question = self._question, None
        if question is not None:
            if self._phase is Phase.ASKING:
                self._phase = Phase.IDLE
            question.conversation.close()

    # ------------------------------------------------------------------------ how it goes on

    def _take(self, call: str) -> None:
        if self._phase not in _TAKES[call]:
            raise MisuseError(f"{call!r} came to a login of which {self._phase.value}")

    def _judge(self, user: str, factor: str) -> None:
        self._take("judge")
        if user != self._name:
            raise MisuseError("a request was judged that was not started")
        self._factor = factor

    def _say(self, verdict: Verdict) -> Verdict:
        self._phase = _LEADS_TO[type(verdict)]
        if isinstance(verdict, Hangup):
            self._why_over = verdict.reason
        return verdict

    def _hang_up(self, reason: str) -> Hangup:
        self.abandon()
        verdict = Hangup(reason)
        self._say(verdict)
        self._counted = True
        self._verifier.failed(self._person, self._factor, reason)
        return verdict

    def _forget(self) -> None:
        self._name, self._person, self._target = None, "", None
        self._settled, self._keys = (), ()
        self._chains = ()

    def _begin(self, user: str) -> None:
        self._forget()
        person, target = split_user(user)
        person = unicodedata.normalize("NFC", person)
        self._person, self._typed = person if _possible(person) else "", person[: MAX_USER + 1]
        self._target = target
        self._chains = _sound(self._verifier.chains(self._person, target))
        self._name = user

    def _is_yes(self, answer: object) -> bool:
        return answer is True and self._person != ""

    def _next_factors(self) -> tuple[str, ...]:
        done = len(self._settled)
        going = (c for c in self._chains if len(c) > done and c[:done] == self._settled)
        return tuple(dict.fromkeys(chain[done] for chain in going))

    def _ways_of(self, factor: str) -> tuple[str, ...]:
        return self._ways.get(factor, (INTERACTIVE,))

    def _steps(self) -> list[str]:
        return [name for name in self._next_factors() if INTERACTIVE in self._ways_of(name)]

    def _ask_step(self, step: str) -> _Question:
        self._factor = step
        self._question = _Question(step, self._verifier.step(step, self._person))
        return self._question

    def _advance(self, question: _Question, answers: tuple[str, ...] | None) -> Verdict:
        """Lets steps work until one asks, one fails, or the client must choose how to go on."""
        while True:
            self._factor = question.step
            found = resumed(question.conversation, answers)
            if not isinstance(found, Ended):
                return self._put(question, found)
            self._question = None
            verdict = self._step_ended(question.step, found.result)
            steps = self._steps()
            if not isinstance(verdict, Partial) or len(steps) < len(self._next_factors()):
                return verdict
            question, answers = self._ask_step(steps[0]), None

    def _put(self, question: _Question, query: object) -> Verdict:
        """Puts what a step asks to the client."""
        if not isinstance(query, Query):
            self.abandon()
            raise MisuseError(f"the step {question.step} yielded something that is not a Query")
        self._rounds += 1
        if self._rounds > self._max_rounds:
            return self._hang_up("too many questions")
        question.expected = len(query.prompts)
        return self._say(Ask(query))

    def _step_ended(self, step: str, result: object) -> Verdict:
        if isinstance(result, Became) and self._is_yes(_possible(result.user)):
            self._person = result.user
        elif not self._is_yes(result):
            return self.failed("not accepted")
        return self._settle(step)

    def _settle(self, factor: str, key: KeyOffer | None = None) -> Verdict:
        settled = (*self._settled, factor)
        keys = self._keys if key is None else (*self._keys, key)
        if settled in self._chains:
            identity = Identity(
                user=self._person,
                target=self._target,
                guest=set(settled) == {NONE},
                factors=settled,
                fingerprint=keys[-1].fingerprint if keys else None,
                key=keys[-1].line if keys and keys[-1].certificate is None else None,
            )
            entering = self._verifier.settled(identity)
            if isinstance(entering, Hangup):
                return self._say(entering)
            self._settled, self._keys, self._identity = settled, keys, entering
            return self._say(Success(entering))
        self._settled, self._keys = settled, keys
        return self._say(Partial(self.methods, factor))


def _sound(chains: Chains) -> Chains:
    if not chains or not all(chains):
        raise MisuseError("a login needs at least one chain, and each at least one factor")
    return chains


def _possible(name: str) -> bool:
    """Whether the name can be anybody's."""
    return (
        0 < len(name) <= MAX_USER
        and clean(name) == name
        and name.strip() == name
        and "/" not in name
        and not name.startswith(".")
    )
