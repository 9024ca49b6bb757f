"""The login core: chains, factors, questions, counts."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifiers import OpenGuests, with_chains
from tuihost.core.keys.offers import KeyOffer
from tuihost.core.login.authentication import AuthMachine
from tuihost.core.login.verdicts import (
    Ask,
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
OTHER = KeyOffer("ssh-ed25519", b"other", "SHA256:other")


class FakeVerifier:
    """Ada has a password, two keys and two steps; bob is a guest; `asked` is what came here."""

    def __init__(self, *ways: tuple[str, ...]) -> None:
        self.ways = ways
        self.asked: list[tuple[str, str]] = []
        self.closed: list[str] = []
        self.failures: list[tuple[str, str, str]] = []
        self.keys: list[tuple[str, KeyOffer]] = []
        self.entered: list[Identity] = []

    def chains(self, user: str, target: str | None) -> tuple[tuple[str, ...], ...]:
        self.asked.append(("chains", user))
        return self.ways

    def key_proved(self, user: str, offer: KeyOffer) -> None:
        self.keys.append((user, offer))

    def settled(self, identity: Identity) -> Identity | Hangup:
        self.entered.append(identity)
        return replace(identity, roles=frozenset({"staff"}))

    def failed(self, user: str, factor: str, reason: str) -> None:
        self.failures.append((user, factor, reason))

    def guest(self, user: str) -> bool:
        self.asked.append(("guest", user))
        return user == "bob"

    def advice(self, user: str) -> str:
        return ""

    def password(self, user: str, password: str) -> bool:
        self.asked.append(("password", user))
        return (user, password) == ("ada", "right")

    def key_acceptable(self, user: str, offer: KeyOffer) -> bool:
        self.asked.append(("key", user))
        return user == "ada"

    def step(self, name: str, user: str) -> Conversation:
        self.asked.append((name, user))
        return self._step(name)

    def _step(self, name: str) -> Conversation:
        try:
            if name == "silent":
                return True
            if name == "liar":
                yield Query("one", (Prompt("?"),))
                return 1  # type: ignore[return-value]
            if name == "broken":
                yield "no query"  # type: ignore[misc]
            while name == "endless":
                yield Query("again", (Prompt("?"),))
            (code,) = yield Query(name, (Prompt("Code: ", echo=True),))
            return code == "123"
        finally:
            self.closed.append(name)


def machine(
    *chains: tuple[str, ...], verifier: FakeVerifier | None = None, **options: int
) -> AuthMachine:
    return AuthMachine(with_chains(verifier or FakeVerifier(), chains), **options)


def request(m: AuthMachine, user: str = "ada") -> None:
    assert m.start(user) is None


def test_a_guest_comes_in_by_none_alone() -> None:
    m = machine(("none",))
    request(m, "bob+notes")
    verdict = m.none("bob+notes")
    assert isinstance(verdict, Success)
    identity = verdict.identity
    assert (identity.user, identity.target, identity.guest) == ("bob", "notes", True)
    assert identity.factors == ("none",)
    assert identity is m.identity


def test_the_first_none_is_free_and_tells_the_methods() -> None:
    m = machine(("publickey", "code"), ("password",), max_tries=2)
    request(m)
    assert m.none("ada") == Failure(("publickey", "password"))
    request(m)
    assert m.none("ada") == Failure(("publickey", "password"))
    request(m)
    assert isinstance(m.none("ada"), Hangup)


def test_advice_is_about_the_name_as_it_was_typed_but_for_its_length() -> None:
    class Advisor(FakeVerifier):
        def advice(self, user: str) -> str:
            return f"{len(user)} {user[:3]}"

    for typed, advice in (("eve+notes", "3 eve"), ("a" * 300, "65 aaa"), ("\x1b[2J", "4 \x1b[2")):
        m = machine(("password",), verifier=Advisor())
        request(m, typed)
        verdict = m.none(typed)
        assert isinstance(verdict, Failure)
        assert verdict.advice == advice


def test_none_is_never_listed() -> None:
    m = machine(("none",), ("password",))
    request(m)
    assert m.methods == ("password",)


def test_a_chain_is_settled_in_its_order() -> None:
    m = machine(("publickey", "code"))
    request(m)
    assert m.interactive("ada") == Failure(("publickey",))
    request(m)
    assert m.key_offered("ada", KEY)
    assert m.key_proved("ada", KEY) == Partial(("keyboard-interactive",))
    request(m)
    verdict = m.interactive("ada")
    assert verdict == Ask(Query("code", (Prompt("Code: ", echo=True),)))
    done = m.answers(("123",))
    assert isinstance(done, Success)
    assert done.identity.factors == ("publickey", "code")
    assert done.identity.fingerprint == "SHA256:key"
    assert not done.identity.guest


def test_partial_names_only_what_goes_on() -> None:
    m = machine(("publickey", "code"), ("password", "publickey"))
    request(m)
    assert m.password("ada", "right") == Partial(("publickey",))
    request(m)
    assert m.password("ada", "right") == Failure(("publickey",))


def test_offering_a_key_changes_nothing() -> None:
    m = machine(("publickey", "password"))
    for offer in (KEY, OTHER, KEY):
        request(m)
        assert m.key_offered("ada", offer)
    assert m.settled == ()
    request(m)
    assert m.password("ada", "right") == Failure(("publickey",))


def test_a_key_does_not_serve_twice() -> None:
    m = machine(("publickey", "publickey"))
    request(m)
    assert m.key_proved("ada", KEY) == Partial(("publickey",))
    request(m)
    assert not m.key_offered("ada", KEY)
    assert m.key_proved("ada", KEY) == Failure(("publickey",))
    request(m)
    assert isinstance(m.key_proved("ada", OTHER), Success)


def test_another_user_starts_over_and_the_counts_stay() -> None:
    m = machine(("password", "code"), max_tries=2)
    request(m)
    assert m.password("ada", "right") == Partial(("keyboard-interactive",))
    request(m, "eve")
    assert m.settled == ()
    assert m.password("eve", "right") == Failure(("password",))
    request(m)
    assert m.settled == ()
    assert isinstance(m.password("ada", "wrong"), Hangup)


def test_asking_for_another_app_starts_over_too() -> None:
    m = machine(("password", "code"))
    request(m, "ada")
    m.password("ada", "right")
    request(m, "ada+notes")
    assert m.settled == ()


def test_answers_without_a_question_are_a_failure() -> None:
    m = machine(("code",))
    request(m)
    assert m.answers(("123",)) == Failure(("keyboard-interactive",))


@pytest.mark.parametrize("answers", [(), ("123", "123")])
def test_miscounted_answers_end_the_question(answers: tuple[str, ...]) -> None:
    verifier = FakeVerifier()
    m = machine(("code",), verifier=verifier)
    request(m)
    m.interactive("ada")
    assert isinstance(m.answers(answers), Failure)
    assert not m.question_open
    assert verifier.closed == ["code"]
    assert isinstance(m.answers(("123",)), Failure)


def test_a_new_request_abandons_the_question() -> None:
    verifier = FakeVerifier()
    m = machine(("code",), ("password",), verifier=verifier)
    request(m)
    m.interactive("ada")
    request(m)
    assert verifier.closed == ["code"]
    assert isinstance(m.answers(("123",)), Failure)


def test_submethods_choose_among_the_steps_that_go_on() -> None:
    m = machine(("code",), ("other",))
    request(m)
    verdict = m.interactive("ada", "nothing,other")
    assert isinstance(verdict, Ask)
    assert verdict.query.title == "other"
    request(m)
    verdict = m.interactive("ada", "password")
    assert isinstance(verdict, Ask)
    assert verdict.query.title == "code"


def test_a_step_may_ask_nothing() -> None:
    m = machine(("silent",))
    request(m)
    assert isinstance(m.interactive("ada"), Success)


def test_only_true_is_a_yes() -> None:
    m = machine(("liar",))
    request(m)
    m.interactive("ada")
    assert isinstance(m.answers(("x",)), Failure)


def test_what_is_no_query_is_a_mistake_and_leaves_no_question() -> None:
    m = machine(("broken",))
    request(m)
    with pytest.raises(MisuseError):
        m.interactive("ada")
    assert not m.question_open


def test_questions_are_counted() -> None:
    m = machine(("endless",), max_rounds=3)
    request(m)
    verdict = m.interactive("ada")
    for _ in range(2):
        assert isinstance(verdict, Ask)
        verdict = m.answers(("x",))
    assert isinstance(verdict, Ask)
    assert isinstance(m.answers(("x",)), Hangup)
    assert not m.question_open


def test_requests_are_counted() -> None:
    m = machine(("password",), max_requests=3)
    for _ in range(3):
        request(m)
    assert isinstance(m.start("ada"), Hangup)


def test_another_service_is_a_failure() -> None:
    m = machine(("none",))
    assert isinstance(m.start("bob", "ssh-shell"), Failure)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " bob",
        "bob ",
        "b" * 65,
        "bo\nb",
        "bob\x1b[2J",
        "\udcff",
        "../bob",
        ".bob",
        "a/b",
        "\u202ebob",
    ],
)
def test_nobody_has_a_strange_name_and_the_verifier_hears_of_nobody(name: str) -> None:
    verifier = FakeVerifier()
    m = machine(
        ("none",), ("password",), ("publickey",), ("code",), verifier=verifier, max_tries=20
    )
    for method in (
        lambda: m.none(name),
        lambda: m.password(name, "right"),
        lambda: m.key_proved(name, KEY),
        lambda: (m.interactive(name), m.answers(("123",)))[1],
    ):
        request(m, name)
        assert isinstance(method(), Failure)
    assert {user for _, user in verifier.asked} == {""}


def test_two_spellings_of_a_name_are_one() -> None:
    m = AuthMachine(OpenGuests())
    request(m, "zoe\u0301")
    verdict = m.none("zoe\u0301")
    assert isinstance(verdict, Success)
    assert verdict.identity.user == "zo\u00e9"


@pytest.mark.parametrize("password", ["", "x" * 1025, "é" * 513])
def test_passwords_of_a_wrong_length_reach_nobody(password: str) -> None:
    verifier = FakeVerifier()
    m = machine(("password",), verifier=verifier)
    request(m)
    assert isinstance(m.password("ada", password), Failure)
    assert verifier.asked == []


def test_a_finished_login_takes_nothing_more() -> None:
    m = machine(("none",))
    request(m, "bob")
    m.none("bob")
    with pytest.raises(MisuseError):
        m.start("bob")


def test_judging_what_was_not_started_is_a_mistake() -> None:
    m = machine(("none",))
    with pytest.raises(MisuseError):
        m.none("bob")


@pytest.mark.parametrize("chains", [(), ((),), (("none",), ())])
def test_no_chain_may_be_empty(chains: tuple[tuple[str, ...], ...]) -> None:
    with pytest.raises(MisuseError, match="at least one"):
        machine(*chains).start("ada")


def test_another_users_request_is_not_judged_as_this_ones() -> None:
    m = machine(("password",), verifier=(verifier := FakeVerifier()))
    request(m, "eve")
    for act in (
        lambda: m.password("ada", "right"),
        lambda: m.key_offered("ada", KEY),
        lambda: m.none("ada"),
        lambda: m.interactive("ada"),
    ):
        with pytest.raises(MisuseError, match="not started"):
            act()
    assert verifier.asked == []


ACTIONS = st.sampled_from(
    ["none", "right", "wrong", "probe", "prove", "prove2", "ask", "123", "000", "two", "eve"]
)


@given(st.lists(ACTIONS, max_size=25))
def test_nobody_is_logged_in_who_did_not_settle_a_chain(actions: list[str]) -> None:
    """The same rules once more, as plainly as can be, beside whatever a client does."""
    chains = (("publickey", "code"), ("password", "publickey", "code"))
    m = machine(*chains, max_tries=100, max_rounds=100)
    truth: list[str] = []
    used: set[str] = set()
    user, asking = "ada", False
    for action in actions:
        going = [
            c[len(truth)] for c in chains if list(c[: len(truth)]) == truth and c[len(truth) :]
        ]
        if action in ("123", "000", "two"):
            right = asking and action == "123"
            asking = False
            if right:
                truth.append("code")
            verdict = m.answers(("x", "y") if action == "two" else (action,))
        else:
            if action == "eve" or user == "eve":
                user, truth, used = ("eve" if action == "eve" else "ada"), [], set()
                going = ["publickey", "password"]
            asking = False
            request(m, user)
            verdict = _act(m, action, user)
            if user == "ada":
                if action == "right" and "password" in going:
                    truth.append("password")
                if action.startswith("prove") and "publickey" in going and action not in used:
                    used.add(action)
                    truth.append("publickey")
                asking = action == "ask" and "code" in going
        finished = tuple(truth) in chains
        assert isinstance(verdict, Success) == finished
        assert m.settled == tuple(truth)
        if finished:
            return


def _act(m: AuthMachine, action: str, user: str) -> object:
    match action:
        case "right" | "wrong":
            return m.password(user, action)
        case "probe":
            return m.key_offered(user, KEY)
        case "prove":
            return m.key_proved(user, KEY)
        case "prove2":
            return m.key_proved(user, OTHER)
        case "ask":
            return m.interactive(user)
        case _:
            return m.none(user)


def test_a_generator_is_a_conversation() -> None:
    conversation: Generator[Query, tuple[str, ...], bool] = FakeVerifier()._step("code")
    assert isinstance(next(conversation), Query)
    conversation.close()
