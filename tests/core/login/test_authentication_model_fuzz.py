"""The login core against a second telling of its rules, in orders that nobody thought of.

Eve has an account of her own, and of ada's proofs only those that a run gives her. She may name
anybody's keys, send what she likes when she likes, reconnect, and break the store. She gets in as
ada where some chain of ada's is made of what she has, in its order, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tuihost.core.keys.certificates import Certificate
from tuihost.core.keys.offers import KeyOffer
from tuihost.core.login.authentication import AuthMachine, Phase
from tuihost.core.login.chains import Chains
from tuihost.core.login.verdicts import (
    Ask,
    Conversation,
    Failure,
    Hangup,
    Partial,
    Prompt,
    Query,
    Success,
    Verdict,
)
from tuihost.errors import MisuseError
from tuihost.wire import Identity

STEPS = ("totp", "terms", "silent")
CHAINS: tuple[Chains, ...] = (
    (("password",),),
    (("publickey", "totp"),),
    (("password", "totp"), ("publickey", "totp"), ("publickey", "password")),
    (("publickey", "publickey", "totp"),),
    (("totp", "terms", "password"),),
    (("totp", "silent", "terms"), ("totp", "publickey")),
    (("totp", "totp"),),
    (("none",), ("password", "totp")),
    (("password", "password"), ("totp", "none")),
    (("silent", "password"), ("silent", "silent", "publickey")),
)
KEYS = {
    "ada1": KeyOffer("ssh-ed25519", b"ada1", "SHA256:ada1"),
    "ada2": KeyOffer("ssh-ed25519", b"ada2", "SHA256:ada2"),
    "ada1-cert": KeyOffer("ssh-ed25519", b"c", "SHA256:ada1", Certificate(b"ada1", b"ca")),
    "eve1": KeyOffer("ssh-ed25519", b"eve1", "SHA256:eve1"),
}
OWNER = {b"ada1": "ada", b"ada2": "ada", b"eve1": "eve"}
NAMES = ("ada", "ada", "ada", "ada", "eve", "eve", "ada+notes", "../ada", "")
MAX_TRIES, MAX_REQUESTS, MAX_ROUNDS, MAX_PROBES = 12, 40, 20, 8


class FakeVerifier:
    """What the verifier knows. It decides single proofs, never their order."""

    def __init__(self, chains: Chains) -> None:
        self.usual = chains
        self.broken = ""
        self.last_code = 0
        self.counted = 0

    def _call(self, name: str) -> None:
        if self.broken == name:
            raise OSError(f"the store is broken for {name}")

    def chains(self, user: str, target: str | None) -> Chains:
        self._call("chains")
        return (("totp", "password"),) if target == "notes" else self.usual

    def guest(self, user: str) -> bool:
        return user == "eve"

    def advice(self, user: str) -> str:
        return ""

    def password(self, user: str, password: str) -> bool:
        self._call("password")
        return bool(user) and password == f"{user}'s password"

    def key_acceptable(self, user: str, offer: KeyOffer) -> bool:
        return OWNER[offer.public] == user

    def key_proved(self, user: str, offer: KeyOffer) -> None:
        self._call("key_proved")

    def step(self, name: str, user: str) -> Conversation:
        return self._step(name, user)

    def _step(self, name: str, user: str) -> Conversation:
        if name == "silent":
            return True
        if name == "terms":
            yield Query("to be read")
            (answer,) = yield Query(name, (Prompt("Accept? "),))
            return answer == f"{user} accepts"
        (answer,) = yield Query(name, (Prompt("Code: "),))
        who, _, number = answer.partition(" ")
        if who != user or not user or int(number) <= self.last_code:
            return False
        self.last_code = int(number)
        return True

    def settled(self, identity: Identity) -> Identity | Hangup:
        self._call("settled")
        return identity

    def failed(self, user: str, factor: str, reason: str) -> None:
        self.counted += 1


class Login(RuleBasedStateMachine):
    """One attacker, one connection after another."""

    @initialize(
        chains=st.sampled_from(CHAINS),
        lacks=st.sets(st.sampled_from(["password", "ada1", "ada2", "totp", "terms"]), max_size=2),
    )
    def begin(self, chains: Chains, lacks: set[str]) -> None:
        self.verifier = FakeVerifier(chains)
        self.has = {"password", "totp", "terms", *KEYS} - lacks
        if "ada1" in lacks:
            self.has.remove("ada1-cert")
        self.code = 0
        self.connect()

    def connect(self) -> None:
        self.m = AuthMachine(
            self.verifier,
            max_tries=MAX_TRIES,
            max_requests=MAX_REQUESTS,
            max_rounds=MAX_ROUNDS,
            max_probes=MAX_PROBES,
        )
        self.name: str | None = None
        self.proofs: list[str] = []
        self.used: set[bytes] = set()
        self.asking: list[str] = []  # the open question's step, and what it still asks
        self.tries = self.requests = self.rounds = self.probes = 0
        self.free_none = True
        self.verifier.counted = 0
        self.last_verdict: object = None

    # ------------------------------------------------------------------- the second telling

    @property
    def who(self) -> str:
        person = (self.name or "").removesuffix("+notes")
        return "" if person in ("", "../ada") else person

    @property
    def ways(self) -> Chains:
        if self.name is None:
            return ()
        return (("totp", "password"),) if self.name == "ada+notes" else self.verifier.usual

    def due(self, factor: str) -> bool:
        return any(list(c[: len(self.proofs) + 1]) == [*self.proofs, factor] for c in self.ways)

    def next_ones(self) -> list[str]:
        at = len(self.proofs)
        return [c[at] for c in self.ways if list(c[:at]) == self.proofs and len(c) > at]

    def can(self, what: str) -> bool:
        """Whether the attacker has this proof for whom they claim to be."""
        return self.who == "eve" or (self.who == "ada" and what in self.has)

    def _finished(self) -> bool:
        return tuple(self.proofs) in self.ways

    def _enter_steps(self) -> str:
        """What an exchange comes to, from the step that is next on."""
        while True:
            step = next(one for one in self.next_ones() if one in STEPS)
            if step != "silent":
                self.rounds += 1
                self.asking = [step, step] if step == "totp" else [step, "", step]
                return "ask" if self.rounds <= MAX_ROUNDS else "over"
            if not self.who:
                return self._lost()
            self.proofs.append("silent")
            if self._finished():
                return self._win()
            if not self.next_ones() or any(one not in STEPS for one in self.next_ones()):
                return "partial"

    def _win(self) -> str:
        if self.verifier.broken == "settled":
            self.proofs.pop()
            return self._lost()
        return "in"

    def _settle(self, factor: str) -> str:
        self.proofs.append(factor)
        return self._win() if self._finished() else "partial"

    def _lost(self) -> str:
        self.tries += 1
        return "failure" if self.tries < MAX_TRIES else "over"

    # ------------------------------------------------------------------- doing and comparing

    def _do(self, act: Callable[[], Any]) -> str:
        try:
            verdict = act()
        except OSError:
            verdict = self.m.failed("a fault")
        return self._kind(verdict)

    def _kind(self, verdict: Verdict | None) -> str:
        self.last_verdict = verdict
        kinds = {Success: "in", Partial: "partial", Failure: "failure", Ask: "ask", Hangup: "over"}
        return "" if verdict is None else kinds[type(verdict)]

    def _start(self, name: str, service: str = "ssh-connection") -> str:
        """Begins a request on both sides; empty where it goes on."""
        self.asking = []
        self.requests += 1
        if self.requests > MAX_REQUESTS:
            expected = "over"
        elif service != "ssh-connection":
            self.name, self.proofs, self.used = None, [], set()
            expected = self._lost()
        else:
            expected = ""
            if name != self.name:
                self.name, self.proofs, self.used = name, [], set()
                if self.verifier.broken == "chains":
                    self.name, expected = None, self._lost()
        assert self._do(lambda: self.m.start(name, service)) == expected
        return expected

    def _is_open(self) -> bool:
        return self.m.phase not in (Phase.OVER, Phase.ENTERED)

    # ------------------------------------------------------------------- what a client may do

    @precondition(_is_open)
    @rule(name=st.sampled_from(NAMES))
    def asks_for_none(self, name: str) -> None:
        if self._start(name):
            return
        if self.due("none") and self.who == "eve":
            expected = self._settle("none")
        elif self.free_none:
            self.free_none = False
            expected = "failure"
        else:
            expected = self._lost()
        assert self._do(lambda: self.m.none(name)) == expected

    @precondition(_is_open)
    @rule(name=st.sampled_from(NAMES), right=st.booleans())
    def gives_a_password(self, name: str, right: bool) -> None:
        self._password(name, right)

    def _password(self, name: str, right: bool) -> None:
        if self._start(name):
            return
        true = right and self.can("password")
        password = f"{self.who}'s password" if true else "a guess"
        good = true and self.due("password") and self.verifier.broken != "password"
        expected = self._settle("password") if good else self._lost()
        assert self._do(lambda: self.m.password(name, password)) == expected

    @precondition(_is_open)
    @rule(name=st.sampled_from(NAMES), key=st.sampled_from(sorted(KEYS)))
    def names_a_key(self, name: str, key: str) -> None:
        if self._start(name):
            return
        self.requests -= 1
        self.probes += 1
        said = self.m.key_named(name, KEYS[key])
        if self.probes > MAX_PROBES:
            assert isinstance(said, Hangup)
        else:
            assert said is self._would_do(key)

    def _would_do(self, key: str) -> bool:
        public = KEYS[key].public
        owned = OWNER[public] == self.who
        return self.due("publickey") and owned and public not in self.used

    @precondition(_is_open)
    @rule(name=st.sampled_from(NAMES), key=st.sampled_from(sorted(KEYS)))
    def signs_with_a_key(self, name: str, key: str) -> None:
        self._sign(name, key)

    def _sign(self, name: str, key: str) -> None:
        if self._start(name):
            return
        would_do = self._would_do(key)
        assert self.m.key_offered(name, KEYS[key]) is would_do
        if key not in self.has and self.who != "eve":
            expected = self._lost()
            assert self._do(lambda: self.m.failed("the signature is wrong")) == expected
            return
        if would_do and self.verifier.broken != "key_proved":
            expected = self._settle("publickey")
            if expected in ("in", "partial"):
                self.used.add(KEYS[key].public)
        else:
            expected = self._lost()
        assert self._do(lambda: self.m.key_proved(name, KEYS[key])) == expected

    @precondition(_is_open)
    @rule(name=st.sampled_from(NAMES))
    def begins_an_exchange(self, name: str) -> None:
        self._exchange(name)

    def _exchange(self, name: str) -> None:
        if self._start(name):
            return
        steps = [one for one in self.next_ones() if one in STEPS]
        expected = self._enter_steps() if steps else self._lost()
        if expected != "ask":
            self.asking = []
        assert self._do(lambda: self.m.interactive(name)) == expected

    @precondition(_is_open)
    @rule(how=st.sampled_from(["right", "right", "right", "wrong", "replayed", "many", "none"]))
    def answers(self, how: str) -> None:
        self._answer(how)

    def _answer(self, how: str) -> None:
        answers, true = self._answers(how)
        if not self.asking or len(answers) != (1 if self.asking[1] else 0):
            self.asking = []
            expected = self._lost()
        elif not self.asking[1]:
            del self.asking[1]
            self.rounds += 1
            expected = "ask" if self.rounds <= MAX_ROUNDS else "over"
        elif not true:
            self.asking = []
            expected = self._lost()
        else:
            step = self.asking[0]
            self.asking = []
            expected = self._settle(step)
            onward = self.next_ones()
            if expected == "partial" and onward and all(one in STEPS for one in onward):
                expected = self._enter_steps()
        if expected != "ask":
            self.asking = []
        assert self._do(lambda: self.m.answers(answers)) == expected

    def _answers(self, how: str) -> tuple[tuple[str, ...], bool]:
        step = self.asking[0] if self.asking else "totp"
        if self.asking and not self.asking[1] and how == "right":
            return (), True
        if how == "many":
            return ("x", "x"), False
        if how == "none":
            return (), False
        if how == "right" and step == "terms" and self.can("terms"):
            return (f"{self.who} accepts",), bool(self.who)
        if how == "right" and step == "totp" and self.can("totp"):
            self.code += 1
            reaches = bool(self.asking) and self.asking[1] == "totp"
            if not reaches:
                return (f"{self.who} {self.code}",), False
            return (f"{self.who} {self.code}",), True
        if how == "replayed" and step == "totp":
            return (f"{self.who or 'x'} {self.verifier.last_code}",), False
        return ("wrong 0",), False

    @precondition(_is_open)
    @rule(which=st.integers(0, 2), key=st.sampled_from(sorted(KEYS)))
    def goes_on(self, which: int, key: str) -> None:
        """As an honest client would: without this, chance alone rarely finishes a chain."""
        name = self.name or "ada"
        onward = self.next_ones() if self.name is not None else ["password"]
        factor = onward[which % len(onward)] if onward else "password"
        if self.asking:
            self._answer("right")
        elif factor == "password":
            self._password(name, True)
        elif factor == "publickey":
            self._sign(name, key)
        else:
            self._exchange(name)

    @precondition(_is_open)
    @rule(which=st.integers(0, 2), key=st.sampled_from(sorted(KEYS)), times=st.integers(2, 4))
    def goes_on_and_on(self, which: int, key: str, times: int) -> None:
        for _ in range(times):
            if self._is_open():
                self.goes_on(which, key)

    @precondition(_is_open)
    @rule(name=st.sampled_from(NAMES))
    def sends_what_cannot_be_read(self, name: str) -> None:
        if not self._start(name):
            expected = self._lost()
            assert self._do(lambda: self.m.failed("there is no such method")) == expected

    @precondition(_is_open)
    @rule(name=st.sampled_from(NAMES))
    def asks_for_another_service(self, name: str) -> None:
        self._start(name, "ssh-shell")

    @precondition(_is_open)
    @rule()
    def lets_the_question_go(self) -> None:
        self.asking = []
        self.m.abandon()

    @rule(call=st.sampled_from(["", "", "", "", "chains", "password", "key_proved", "settled"]))
    def the_store_breaks_or_heals(self, call: str) -> None:
        self.verifier.broken = call

    @precondition(lambda self: not self._is_open())
    @rule()
    def pushes_at_a_door_that_is_shut(self) -> None:
        for act in (
            lambda: self.m.password(self.name or "", "ada's password"),
            lambda: self.m.answers(("ada 99",)),
            lambda: self.m.key_proved(self.name or "", KEYS["ada1"]),
        ):
            with pytest.raises(MisuseError):
                act()
        if self.m.phase is Phase.OVER:
            assert isinstance(self.m.start("ada"), Hangup)

    @rule()
    def reconnects(self) -> None:
        self.connect()

    # ------------------------------------------------------------------- what always holds

    @invariant()
    def settled_is_what_was_proved(self) -> None:
        if hasattr(self, "m") and self.m.phase is not Phase.OVER:
            assert self.m.settled == tuple(self.proofs)
            assert self.m.question_open == bool(self.asking)
            assert self.verifier.counted == self.tries

    @invariant()
    def only_methods_that_go_on_are_named(self) -> None:
        said = getattr(self, "last_verdict", None)
        if isinstance(said, Partial | Failure) and self._is_open():
            ways = [one if one not in STEPS else "keyboard-interactive" for one in self.next_ones()]
            assert set(said.methods) == set(ways) - {"none"}

    @invariant()
    def nobody_is_in_who_did_not_prove_it(self) -> None:
        identity = self.m.identity if hasattr(self, "m") else None
        if identity is None:
            return
        assert identity.user == self.who
        assert identity.factors == tuple(self.proofs)
        assert identity.factors in self.ways
        if identity.user == "ada":
            for factor in set(identity.factors) - {"publickey", "silent"}:
                assert factor in self.has, f"in as ada without her {factor}"
            held = {"ada1", "ada2"} & self.has
            assert identity.factors.count("publickey") <= len(held)


@pytest.mark.fuzz
def test_fuzz_no_order_of_requests_is_a_way_in() -> None:
    quick = settings.get_current_profile_name() != "fuzz"
    run_state_machine_as_test(
        Login,
        settings=settings(
            max_examples=400 if quick else 10_000, stateful_step_count=40 if quick else 60
        ),
    )
