"""The login core: chains from the verifier, who hears of what, and steps in one exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tuihost.core.keys.certificates import Certificate
from tuihost.core.keys.offers import KeyOffer
from tuihost.core.login.authentication import MAX_PROBES, AuthMachine, Phase
from tuihost.core.login.chains import Chains
from tuihost.core.login.verdicts import (
    Ask,
    Became,
    Conversation,
    Failure,
    Hangup,
    Partial,
    Prompt,
    Query,
    Success,
)
from tuihost.errors import MisuseError
from tuihost.wire import Identity

KEY = KeyOffer("ssh-ed25519", b"key", "SHA256:key")
METHODS = "keyboard-interactive"


class FakeVerifier:
    """Everybody's password is `right`, every key is theirs, every step wants its own name."""

    def __init__(self, *chains: tuple[str, ...]) -> None:
        self.ways: dict[tuple[str, str | None], Chains] = {}
        self.usual: Chains = chains
        self.heard: list[tuple[Any, ...]] = []
        self.began: list[tuple[str, str]] = []
        self.becomes = ""
        self.fault: dict[str, Exception] = {}
        self.refuses = ""

    def _may_fail(self, call: str) -> None:
        if call in self.fault:
            raise self.fault[call]

    def chains(self, user: str, target: str | None) -> Chains:
        self.heard.append(("chains", user, target))
        self._may_fail("chains")
        return self.ways.get((user, target), self.usual)

    def guest(self, user: str) -> bool:
        return True

    def advice(self, user: str) -> str:
        return ""

    def password(self, user: str, password: str) -> bool:
        self._may_fail("password")
        return password == "right"

    def key_acceptable(self, user: str, offer: KeyOffer) -> bool:
        return True

    def key_proved(self, user: str, offer: KeyOffer) -> Hangup | None:
        self.heard.append(("key_proved", user, offer.fingerprint))
        self._may_fail("key_proved")
        return Hangup("no more") if self.refuses == "key_proved" else None

    def step(self, name: str, user: str) -> Conversation:
        self.began.append((name, user))
        self._may_fail("step")
        return self._step(name)

    def _step(self, name: str) -> Conversation:
        if name == "silent":
            return True
        (answer,) = yield Query(name, (Prompt("? "),))
        if name == "invite" and answer == name:
            return Became(self.becomes)
        return answer == name

    def settled(self, identity: Identity) -> Identity | Hangup:
        self.heard.append(("settled", identity.user))
        self._may_fail("settled")
        if self.refuses == "settled":
            return Hangup("no more")
        return replace(identity, roles=frozenset({"staff"}))

    def failed(self, user: str, factor: str, reason: str) -> None:
        self.heard.append(("failed", user, factor))
        self._may_fail("failed")

    def of(self, kind: str) -> list[tuple[Any, ...]]:
        return [line[1:] for line in self.heard if line[0] == kind]


def entered(verdict: object) -> Identity:
    assert isinstance(verdict, Success), verdict
    return verdict.identity


def asked(verdict: object) -> str:
    assert isinstance(verdict, Ask), verdict
    return verdict.query.title


# --------------------------------------------------------------------------- chains by the user


def test_the_ways_in_are_asked_for_once_a_name() -> None:
    verifier = FakeVerifier(("password",))
    verifier.ways["ada", None] = (("publickey", "password"),)
    verifier.ways["ada", "notes"] = (("totp",),)
    m = AuthMachine(verifier)
    assert m.methods == ()
    for _ in range(2):
        m.start("ada")
        m.none("ada")
    assert m.methods == ("publickey",)
    m.start("ada+notes")
    assert m.methods == (METHODS,)
    m.start("eve")
    assert m.methods == ("password",)
    assert verifier.of("chains") == [("ada", None), ("ada", "notes"), ("eve", None)]


def test_who_comes_back_under_a_name_starts_over_with_its_ways_in() -> None:
    verifier = FakeVerifier(("password", "totp"))
    m = AuthMachine(verifier)
    m.start("ada")
    m.password("ada", "right")
    m.start("eve")
    m.none("eve")
    m.start("ada")
    assert m.settled == ()
    assert m.interactive("ada") == Failure(("password",))
    assert [user for user, _ in verifier.of("chains")] == ["ada", "eve", "ada"]


def test_another_service_starts_over_too() -> None:
    verifier = FakeVerifier(("password", "totp"))
    m = AuthMachine(verifier)
    m.start("ada")
    m.password("ada", "right")
    assert m.start("ada", "ssh-shell") == Failure(())
    assert m.start("ada") is None
    assert m.settled == ()


@pytest.mark.parametrize("chains", [(), ((),), (("password",), ())])
def test_a_verifier_without_a_way_in_is_a_mistake_and_lets_nobody_in(chains: Chains) -> None:
    verifier = FakeVerifier(*chains)
    m = AuthMachine(verifier)
    with pytest.raises(MisuseError):
        m.start("ada")
    assert m.failed() == Failure(())
    with pytest.raises(MisuseError):
        m.password("ada", "right")


def test_a_store_that_fails_costs_a_try_and_the_next_one_is_sound() -> None:
    verifier = FakeVerifier(("password",))
    verifier.fault["chains"] = OSError("locked")
    m = AuthMachine(verifier)
    with pytest.raises(OSError, match="locked"):
        m.start("ada")
    assert m.failed() == Failure(())
    verifier.fault.clear()
    assert m.start("ada") is None
    assert entered(m.password("ada", "right")).user == "ada"


# --------------------------------------------------------------------------- who hears of what


def test_every_failure_is_heard_of_once_with_its_factor() -> None:
    verifier = FakeVerifier(("password",), ("totp",))
    m = AuthMachine(verifier, max_tries=20)
    m.start("ada+notes")
    m.none("ada+notes")  # the first one is free
    for act in (
        lambda: m.none("ada"),
        lambda: m.password("ada", "wrong"),
        lambda: m.password("ada", "x" * 1025),
        lambda: m.key_proved("ada", KEY),
        lambda: (m.interactive("ada"), m.answers(("no",)))[-1],
        lambda: (m.interactive("ada"), m.answers(("totp", "totp")))[-1],
        lambda: m.failed("there is no such method"),
    ):
        m.start("ada")
        assert isinstance(act(), Failure)
    assert verifier.of("failed") == [
        ("ada", "none"),
        ("ada", "password"),
        ("ada", "password"),
        ("ada", "publickey"),
        ("ada", "totp"),
        ("ada", "totp"),
        ("ada", ""),
    ]


def test_the_reason_of_a_failure_is_for_the_log_and_no_part_of_the_reply() -> None:
    m = AuthMachine(FakeVerifier(("password",)))
    m.start("ada")
    wrong = m.password("ada", "wrong")
    m.start("ada")
    long = m.password("ada", "x" * 2000)
    assert wrong == long
    assert isinstance(wrong, Failure)
    assert isinstance(long, Failure)
    assert (wrong.factor, wrong.reason) == ("password", "not accepted")
    assert long.reason == "the password is empty or too long"


def test_a_failure_that_cannot_be_noted_is_counted_all_the_same() -> None:
    verifier = FakeVerifier(("password",))
    verifier.fault["failed"] = OSError("full")
    m = AuthMachine(verifier, max_tries=2)
    m.start("ada")
    with pytest.raises(OSError, match="full"):
        m.password("ada", "wrong")
    assert m.failed("a fault") == Failure(("password",))
    assert len(verifier.of("failed")) == 1, "one request was counted twice"
    m.start("ada")
    with pytest.raises(OSError, match="full"):
        m.password("ada", "wrong")
    assert m.unsettled == Hangup("too many failed attempts")
    assert m.failed() == m.unsettled == m.start("ada")


def test_a_key_is_heard_of_when_it_is_proved_and_not_before() -> None:
    verifier = FakeVerifier(("publickey", "password"))
    m = AuthMachine(verifier)
    m.start("ada")
    assert m.key_named("ada", KEY) is True
    assert verifier.of("key_proved") == []
    m.start("ada")
    assert m.key_proved("ada", KEY) == Partial(("password",))
    assert verifier.of("key_proved") == [("ada", "SHA256:key")]


@pytest.mark.parametrize("call", ["key_proved", "settled"])
def test_what_cannot_be_recorded_settles_nothing(call: str) -> None:
    verifier = FakeVerifier(("publickey",))
    verifier.fault[call] = OSError("full")
    m = AuthMachine(verifier)
    m.start("ada")
    with pytest.raises(OSError, match="full"):
        m.key_proved("ada", KEY)
    assert m.identity is None
    assert m.failed("a fault") == Failure(("publickey",))
    verifier.fault.clear()
    m.start("ada")
    assert entered(m.key_proved("ada", KEY)).fingerprint == "SHA256:key"


@pytest.mark.parametrize("call", ["key_proved", "settled"])
def test_a_verifier_that_refuses_ends_the_login_for_good(call: str) -> None:
    verifier = FakeVerifier(("publickey",))
    verifier.refuses = call
    m = AuthMachine(verifier)
    m.start("ada")
    assert m.key_proved("ada", KEY) == Hangup("no more")
    assert (m.identity, m.settled, m.phase) == (None, (), Phase.OVER)
    verifier.refuses = ""
    assert m.start("ada") == m.failed() == m.unsettled == Hangup("no more")
    assert verifier.of("failed") == []  # the verifier knows already


def test_who_enters_is_who_the_verifier_says_last() -> None:
    verifier = FakeVerifier(("password",))
    m = AuthMachine(verifier)
    m.start("ada")
    identity = entered(m.password("ada", "right"))
    assert identity.roles == {"staff"}
    assert m.identity is identity
    assert m.phase is Phase.ENTERED
    for act in (lambda: m.start("ada"), lambda: m.answers(()), lambda: m.failed()):
        with pytest.raises(MisuseError):
            act()


# --------------------------------------------------------------------------- one exchange


def test_steps_that_follow_each_other_are_asked_in_one_exchange() -> None:
    verifier = FakeVerifier(("totp", "silent", "terms"))
    m = AuthMachine(verifier)
    m.start("ada")
    assert asked(m.interactive("ada")) == "totp"
    assert asked(m.answers(("totp",))) == "terms"
    assert m.settled == ("totp", "silent")
    assert entered(m.answers(("terms",))).factors == ("totp", "silent", "terms")


def test_a_wrong_answer_later_in_the_exchange_keeps_what_was_settled() -> None:
    m = AuthMachine(FakeVerifier(("totp", "terms")))
    m.start("ada")
    m.interactive("ada")
    m.answers(("totp",))
    assert m.answers(("no",)) == Failure((METHODS,))
    m.start("ada")
    assert asked(m.interactive("ada")) == "terms"


def test_where_the_client_can_choose_the_exchange_ends() -> None:
    m = AuthMachine(FakeVerifier(("totp", "terms"), ("totp", "publickey")))
    m.start("ada")
    m.interactive("ada")
    assert m.answers(("totp",)) == Partial((METHODS, "publickey"))
    assert not m.question_open


def test_after_a_key_the_client_begins_the_exchange_itself() -> None:
    m = AuthMachine(FakeVerifier(("publickey", "totp")))
    m.start("ada")
    assert m.key_proved("ada", KEY) == Partial((METHODS,))
    assert not m.question_open


def test_a_password_may_be_asked_where_the_host_says_so() -> None:
    chains = ("password", "totp")
    plain = AuthMachine(FakeVerifier(chains))
    plain.start("ada")
    assert plain.methods == ("password",)
    assert plain.interactive("ada") == Failure(("password",))
    m = AuthMachine(FakeVerifier(chains), password_step=True)
    m.start("ada")
    assert m.methods == ("password", METHODS)
    assert asked(m.interactive("ada")) == "password"
    assert asked(m.answers(("password",))) == "totp"
    assert entered(m.answers(("totp",))).factors == chains
    other = AuthMachine(FakeVerifier(chains), password_step=True)
    other.start("ada")
    assert other.password("ada", "right") == Partial((METHODS,))


def test_a_fault_in_the_second_step_costs_one_try() -> None:
    verifier = FakeVerifier(("totp", "terms"))
    m = AuthMachine(verifier)
    m.start("ada")
    m.interactive("ada")
    verifier.fault["step"] = ValueError("a bug")
    with pytest.raises(ValueError, match="a bug"):
        m.answers(("totp",))
    assert m.failed("a fault") == Failure((METHODS,))
    assert not m.question_open
    assert m.settled == ("totp",)


# --------------------------------------------------------------------------- becoming somebody


def test_an_invitation_makes_them_somebody_else_from_there_on() -> None:
    verifier = FakeVerifier(("invite", "enroll"))
    verifier.becomes = "ada"
    m = AuthMachine(verifier)
    m.start("new+notes")
    m.interactive("new+notes")
    assert asked(m.answers(("invite",))) == "enroll"
    identity = entered(m.answers(("enroll",)))
    assert (identity.user, identity.target) == ("ada", "notes")
    assert verifier.began == [("invite", "new"), ("enroll", "ada")]


@pytest.mark.parametrize("name", ["", "../x", "a\nb", "x" * 65])
def test_nobody_becomes_who_nobody_can_be(name: str) -> None:
    verifier = FakeVerifier(("invite",))
    verifier.becomes = name
    m = AuthMachine(verifier)
    m.start("new")
    m.interactive("new")
    assert m.answers(("invite",)) == Failure((METHODS,))


def test_a_name_that_nobody_can_have_becomes_nobody() -> None:
    verifier = FakeVerifier(("invite",))
    verifier.becomes = "ada"
    m = AuthMachine(verifier)
    m.start("../new")
    m.interactive("../new")
    assert m.answers(("invite",)) == Failure((METHODS,))


# --------------------------------------------------------------------------- one key, and limits


def test_a_key_and_its_certificate_are_one_key() -> None:
    certified = KeyOffer("ssh-ed25519", b"cert of key", "SHA256:key", Certificate(b"key", b"ca"))
    for first, second in ((KEY, certified), (certified, KEY)):
        m = AuthMachine(FakeVerifier(("publickey", "publickey")))
        m.start("ada")
        assert m.key_proved("ada", first) == Partial(("publickey",))
        m.start("ada")
        assert m.key_named("ada", second) is False
        m.start("ada")
        assert m.key_proved("ada", second) == Failure(("publickey",))


def test_only_a_key_without_a_certificate_can_become_somebodys_own() -> None:
    certified = KeyOffer("ssh-ed25519", b"cert of key", "SHA256:key", Certificate(b"key", b"ca"))
    for offer, line in ((KEY, KEY.line), (certified, None)):
        m = AuthMachine(FakeVerifier(("publickey",)))
        m.start("ada")
        assert isinstance(m.key_proved("ada", offer), Success)
        assert m.identity is not None
        assert m.identity.key == line


def test_offers_of_keys_are_counted_apart_from_tries() -> None:
    verifier = FakeVerifier(("publickey",))
    m = AuthMachine(verifier, max_probes=3, max_tries=1)
    for offer in (KEY, None, KEY):
        m.start("ada")
        assert m.key_named("ada", offer) is (offer is not None)
    assert verifier.of("failed") == []
    m.start("ada")
    assert m.key_named("ada", KEY) == Hangup("too many keys were offered")
    assert verifier.of("failed") == [("ada", "publickey")]


def test_a_password_is_taken_after_dozens_of_keys() -> None:
    m = AuthMachine(FakeVerifier(("password",)))
    for _ in range(MAX_PROBES):
        assert m.start("ada") is None
        assert m.key_named("ada", None) is False
    assert MAX_PROBES > 50
    assert m.start("ada") is None
    assert isinstance(m.password("ada", "right"), Success)


def _many_requests(m: AuthMachine) -> object:
    for _ in range(3):
        m.start("ada")
    return m.start("ada")


def _many_questions(m: AuthMachine) -> object:
    for _ in range(2):
        m.start("ada")
        m.interactive("ada")
    m.start("ada")
    return m.interactive("ada")


def _many_tries(m: AuthMachine) -> object:
    verdict: object = None
    for _ in range(2):
        m.start("ada")
        verdict = m.password("ada", "wrong")
    return verdict


@pytest.mark.parametrize("flood", [_many_requests, _many_questions, _many_tries])
def test_after_a_hangup_nothing_is_taken_any_more(flood: Callable[[AuthMachine], object]) -> None:
    verifier = FakeVerifier(("totp",), ("password",))
    m = AuthMachine(verifier, max_requests=3, max_rounds=2, max_tries=2)
    verdict = flood(m)
    assert isinstance(verdict, Hangup)
    assert m.phase is Phase.OVER
    heard = list(verifier.heard)
    assert m.start("ada") == verdict
    assert m.failed() == verdict
    with pytest.raises(MisuseError):
        m.password("ada", "right")
    with pytest.raises(MisuseError):
        m.answers(("totp",))
    assert verifier.heard == heard
    assert not m.question_open


def test_one_request_is_judged_once() -> None:
    m = AuthMachine(FakeVerifier(("password", "password")))
    m.start("ada")
    assert m.password("ada", "right") == Partial(("password",))
    with pytest.raises(MisuseError):
        m.password("ada", "right")
    assert m.settled == ("password",)
