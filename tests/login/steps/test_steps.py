"""The steps that come along, each driven without a server."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest

from tests.waiting import DEADLINE
from tuihost.accounts import AccountRecord, Invite, StoreError
from tuihost.core.keys.offers import KeyOffer, fingerprint
from tuihost.login import Attempt, Conversation, DeliveryError, Prompt, Query, Step
from tuihost.login.steps import bundled_steps
from tuihost.login.steps.approve import Approve
from tuihost.login.steps.codes import (
    PERIOD,
    invite_code,
    invite_hash,
    new_totp_secret,
    recovery_codes,
    recovery_hash,
    totp_code,
    totp_counter,
)
from tuihost.login.steps.delivery import LIFETIME, DeliveredCode
from tuihost.login.steps.enroll import Enroll
from tuihost.login.steps.invite import TakeInvite
from tuihost.login.steps.password import AskPassword
from tuihost.login.steps.recovery import Recovery
from tuihost.login.steps.terms import Terms
from tuihost.login.steps.totp import Totp
from tuihost.testing.steps import FakeServices, Outbox, drive

SECRET = b"12345678901234567890"
GOOD, BETTER = "correct horse", "battery staple"


@pytest.fixture
def services() -> FakeServices:
    fake = FakeServices()
    fake.add("ada", GOOD, SECRET)
    fake.add("bob", GOOD)
    return fake


def code(services: FakeServices, periods: int = 0, secret: bytes = SECRET) -> str:
    return totp_code(secret, totp_counter(services.now()) + periods)


def secret_shown(query: Query) -> bytes:
    import base64

    found = re.search(r"((?:[A-Z2-7]{4} ?){8})", query.prompts[0].text)
    assert found, query
    return base64.b32decode(found[1].replace(" ", ""))


def test_every_bundled_step_has_a_name_of_its_own() -> None:
    names = [step.name for step in bundled_steps()]
    assert sorted(names) == [
        "approve", "delivery", "enroll", "invite", "password", "recovery", "terms", "totp",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["password", "totp", "recovery", "enroll", "delivery"])
def test_who_does_not_exist_and_who_is_shut_out_are_asked_the_same(name: str) -> None:
    step = next(one for one in bundled_steps() if one.name == name)
    services = FakeServices()
    services.add("ada", GOOD, SECRET)
    services.add("gone", GOOD, SECRET)
    services.accounts.update("gone", disabled=True)
    asked = []
    for user in ("nobody", "gone", "ada", ""):
        driven = drive(step, ["wrong"], user=user, services=services)
        assert not driven
        asked.append(driven.queries)
    assert len(set(asked)) == 1, asked


@pytest.mark.parametrize("step", [AskPassword(), Totp(), Recovery(), TakeInvite(), Enroll()])
def test_a_store_that_does_not_work_lets_nobody_in(step: Step, services: FakeServices) -> None:
    services.accounts.broken = "disk full"  # type: ignore[attr-defined]
    with pytest.raises(StoreError, match="disk full"):
        drive(step, [GOOD], services=services)


# ------------------------------------------------------------------------------- password


def test_a_password(services: FakeServices) -> None:
    assert drive(AskPassword(), [GOOD], services=services)
    assert not drive(AskPassword(), ["wrong"], services=services)
    assert not drive(AskPassword(), [""], services=services)


def test_the_password_of_who_is_shut_out_is_none(services: FakeServices) -> None:
    services.accounts.update("ada", disabled=True)
    assert not drive(AskPassword(), [GOOD], services=services)


def test_an_expired_password_is_changed_first(services: FakeServices) -> None:
    services.accounts.update("ada", password_expired=True)
    assert not drive(AskPassword(), ["wrong"], services=services), "a guess learns of no expiry"
    driven = drive(
        AskPassword(),
        [GOOD, ("short", "short"), (BETTER, "other one"), (BETTER, BETTER)],
        services=services,
    )
    assert driven
    assert [query.instruction for query in driven.queries[1:]] == [
        "Choose another one.",
        "A password has at least 8 characters.",
        "The two passwords differ.",
    ]
    record = services.accounts.get("ada")
    assert record is not None
    assert not record.password_expired
    assert drive(AskPassword(), [BETTER], services=services)
    assert not drive(AskPassword(), [GOOD], services=services)


@pytest.mark.parametrize(
    "chosen", [GOOD, "x" * 1025, "short", "é" * 600, "tab\tinside", "ada-ada-ada"]
)
def test_some_passwords_are_not_taken(services: FakeServices, chosen: str) -> None:
    services.accounts.update("ada", password_expired=True)
    assert not drive(AskPassword(), [GOOD, *[(chosen, chosen)] * 3], services=services)
    record = services.accounts.get("ada")
    assert record is not None
    assert record.password_expired


def test_a_password_that_was_changed_meanwhile_stays(services: FakeServices) -> None:
    services.accounts.update("ada", password_expired=True)

    def meanwhile(query: Query) -> tuple[str, str]:
        services.accounts.update("ada", password_hash=services.passwords.hash("another"))
        return BETTER, BETTER

    assert not drive(AskPassword(), [GOOD, meanwhile], services=services)
    assert drive(AskPassword(), ["another", (BETTER, BETTER)], services=services)


# ------------------------------------------------------------------------------- totp


@pytest.mark.parametrize("periods", [-1, 0, 1])
def test_a_code_of_the_window_once(services: FakeServices, periods: int) -> None:
    assert drive(Totp(), [code(services, periods)], services=services)
    assert not drive(Totp(), [code(services, periods)], services=services)


def test_after_a_later_code_an_earlier_one_is_none(services: FakeServices) -> None:
    assert drive(Totp(), [code(services, 1)], services=services)
    assert not drive(Totp(), [code(services, 0)], services=services)
    assert not drive(Totp(), [code(services, -1)], services=services)
    services.time += 2 * PERIOD
    assert drive(Totp(), [code(services)], services=services)


def test_a_clock_that_is_set_back_gives_no_code_twice(services: FakeServices) -> None:
    used = code(services)
    assert drive(Totp(), [used], services=services)
    services.time -= 3600
    assert not drive(Totp(), [code(services)], services=services)
    services.time += 3600
    assert not drive(Totp(), [used], services=services)


def test_the_time_that_counts_is_that_of_the_answer(services: FakeServices) -> None:
    def slowly(query: Query) -> str:
        services.time += 4 * PERIOD
        return code(services)

    assert drive(Totp(), [slowly], services=services)


def test_who_has_no_second_factor_has_no_code(services: FakeServices) -> None:
    assert not drive(Totp(), [code(services, secret=b"\0" * 20)], user="bob", services=services)
    assert not drive(Totp(), [code(services, secret=b"\0" * 20)], user="nobody", services=services)


def test_who_is_shut_out_spends_no_code(services: FakeServices) -> None:
    services.accounts.update("ada", disabled=True)
    assert not drive(Totp(), [code(services)], services=services)
    services.accounts.update("ada", disabled=False)
    assert drive(Totp(), [code(services)], services=services)


# ------------------------------------------------------------------------------- recovery


def test_a_recovery_code_serves_once(services: FakeServices) -> None:
    codes = recovery_codes()
    services.accounts.set_recovery("ada", [recovery_hash("ada", one) for one in codes])
    assert not drive(Recovery(), [codes[0]], user="bob", services=services)
    assert drive(Recovery(), [codes[0].lower()], services=services)
    assert not drive(Recovery(), [codes[0]], services=services)
    services.accounts.update("ada", disabled=True)
    assert not drive(Recovery(), [codes[1]], services=services)
    services.accounts.update("ada", disabled=False)
    assert drive(Recovery(), [codes[1].replace("-", " ")], services=services)


# ------------------------------------------------------------------------------- enroll


def test_the_first_login_sets_up_the_second_factor(services: FakeServices) -> None:
    driven = drive(
        Enroll(),
        [lambda q: code(services, secret=secret_shown(q)), ""],
        user="bob",
        services=services,
    )
    assert driven
    secret = secret_shown(driven.queries[0])
    record = services.accounts.get("bob")
    assert record is not None
    assert (record.totp, record.recovery_left) == (True, 10)
    assert services.accounts.totp_secret("bob") == secret
    assert not drive(Totp(), [code(services, secret=secret)], user="bob", services=services), (
        "served"
    )
    services.time += PERIOD
    assert drive(Totp(), [code(services, secret=secret)], user="bob", services=services)
    shown = re.findall(r"[0-9A-Z]{5}-[0-9A-Z]{5}", driven.text)
    assert len(shown) == 10
    assert all(drive(Recovery(), [one], user="bob", services=services) for one in shown)


def test_a_wrong_code_sets_up_nothing(services: FakeServices) -> None:
    assert not drive(Enroll(), ["000000"], user="bob", services=services)
    record = services.accounts.get("bob")
    assert record is not None
    assert (record.totp, record.recovery_left) == (False, 0)


def test_who_has_a_second_factor_is_asked_for_it(services: FakeServices) -> None:
    """Otherwise the password alone would replace it."""
    driven = drive(Enroll(), ["000000"], services=services)
    assert not driven
    assert driven.queries == drive(Totp(), ["000000"], services=services).queries
    assert services.accounts.totp_secret("ada") == SECRET
    assert drive(Enroll(), [code(services)], services=services)


def test_two_first_logins_at_once_set_up_one_factor(services: FakeServices) -> None:
    def the_other_is_quicker(query: Query) -> str:
        services.accounts.set_totp("bob", SECRET)
        return code(services, secret=secret_shown(query))

    assert not drive(Enroll(), [the_other_is_quicker], user="bob", services=services)
    assert services.accounts.totp_secret("bob") == SECRET


def test_a_picture_where_it_is_wished_for(services: FakeServices) -> None:
    keep: list[bytes] = []

    def wish(query: Query) -> str:
        keep.append(secret_shown(query))
        return " QR "

    driven = drive(
        Enroll(),
        [wish, lambda q: code(services, secret=keep[0]), ""],
        user="bob",
        services=services,
    )
    assert driven
    prompt = driven.queries[1].prompts[0].text
    assert "█" in prompt
    assert prompt.startswith("\n")
    rows = prompt.splitlines()
    assert len(rows) <= 24
    assert max(map(len, rows)) <= 80


def test_the_secret_is_in_no_title_and_no_instruction(services: FakeServices) -> None:
    driven = drive(Enroll(), ["000000"], user="bob", services=services)
    words = driven.queries[0].title + driven.queries[0].instruction
    assert not re.search(r"[A-Z2-7]{4} [A-Z2-7]{4}", words)


# ------------------------------------------------------------------------------- invite

KEY = KeyOffer("ssh-ed25519", b"blob", fingerprint(b"blob"), proved=True)


@pytest.fixture
def invited(services: FakeServices) -> Callable[..., str]:
    def invite(expires: float | None = None) -> str:
        made = invite_code()
        services.accounts.add_invite(
            invite_hash(made), Invite(frozenset({"staff"}), expires=expires)
        )
        return made

    return invite


def test_an_invitation_makes_an_account_once(
    services: FakeServices, invited: Callable[..., str]
) -> None:
    made = invited()
    answers = [made.lower(), "eve", (GOOD, GOOD)]
    driven = drive(TakeInvite(), answers, user="new", services=services, proved=(KEY,))
    assert driven.became == "eve"
    record = services.accounts.get("eve")
    assert record is not None
    assert record.roles == {"staff"}
    assert drive(AskPassword(), [GOOD], user="eve", services=services)
    (key,) = services.accounts.keys("eve")
    assert (key.fingerprint, key.line) == (KEY.fingerprint, "ssh-ed25519 YmxvYg==")
    assert not drive(TakeInvite(), [made], user="new", services=services)


def test_a_key_that_was_not_proved_is_not_taken_over(
    services: FakeServices, invited: Callable[..., str]
) -> None:
    named = KeyOffer("ssh-ed25519", b"victims", fingerprint(b"victims"))
    driven = drive(
        TakeInvite(),
        [invited(), "eve", (GOOD, GOOD)],
        user="new",
        services=services,
        proved=(named,),
    )
    assert driven
    assert services.accounts.keys("eve") == ()


@pytest.mark.parametrize("wrong", ["", "0000-0000-0000-0000", "x" * 5000])
def test_without_a_good_code_nothing_is_asked_and_nothing_made(
    services: FakeServices, invited: Callable[..., str], wrong: str
) -> None:
    invited()
    driven = drive(TakeInvite(), [wrong], user="new", services=services)
    assert not driven
    assert len(driven.queries) == 1


def test_an_invitation_that_has_run_out_is_none(
    services: FakeServices, invited: Callable[..., str]
) -> None:
    made = invited(expires=services.now() + 60)
    services.time += 61
    assert not drive(TakeInvite(), [made], user="new", services=services)


def test_one_that_runs_out_while_they_choose_is_none_either(
    services: FakeServices, invited: Callable[..., str]
) -> None:
    def slowly(query: Query) -> tuple[str, str]:
        services.time += 61
        return GOOD, GOOD

    made = invited(expires=services.now() + 60)
    assert not drive(TakeInvite(), [made, "eve", slowly], user="new", services=services)
    assert services.accounts.get("eve") is None


@pytest.mark.parametrize(
    "name", ["ada", "new", "a b", "../x", "", "ada+notes", "guest:eve", "\x1b[2J"]
)
def test_some_names_cannot_be_chosen(
    services: FakeServices, invited: Callable[..., str], name: str
) -> None:
    before = services.accounts.all()
    made = invited()
    driven = drive(TakeInvite(), [made, name, name, name], user="new", services=services)
    assert not driven
    assert services.accounts.all() == before
    assert drive(TakeInvite(), [made, "eve", (GOOD, GOOD)], user="new", services=services)


def test_a_name_in_another_letter_case_is_taken_too(
    services: FakeServices, invited: Callable[..., str]
) -> None:
    driven = drive(TakeInvite(), [invited(), "ADA", "NEW", "Bob"], user="new", services=services)
    assert not driven
    assert "that name is taken" in driven.text
    assert "the name of the door" in driven.text


def test_of_two_with_one_invitation_one_gets_in(
    services: FakeServices, invited: Callable[..., str]
) -> None:
    made = invited()

    def quicker(query: Query) -> tuple[str, str]:
        assert drive(TakeInvite(), [made, "bea", (GOOD, GOOD)], user="new", services=services)
        return GOOD, GOOD

    assert not drive(TakeInvite(), [made, "eve", quicker], user="new", services=services)
    assert services.accounts.get("eve") is None


# ------------------------------------------------------------------------------- terms


def test_terms_are_accepted_once_a_version(services: FakeServices) -> None:
    services.terms_text, services.terms_version = "Be kind — always.", "1"
    assert not drive(Terms(), ["no"], services=services)
    assert not drive(Terms(), ["y"], services=services)
    driven = drive(Terms(), [" Yes "], services=services)
    assert driven
    assert "Be kind — always." in driven.queries[0].prompts[0].text
    assert drive(Terms(), [], services=services).queries == ()
    services.terms_version = "2"
    assert drive(Terms(), ["yes"], services=services)
    services.terms_version, services.terms_text = "3", "  "
    assert drive(Terms(), [], services=services)


def test_who_does_not_exist_accepts_nothing(services: FakeServices) -> None:
    for text in ("", "Be kind."):
        services.terms_text = text
        assert not drive(Terms(), ["yes"], user="nobody", services=services)


# ------------------------------------------------------------------------------- delivery


def _delivered(services: FakeServices) -> str:
    assert isinstance(services.delivery, Outbox)
    account, subject, text = services.delivery.sent[-1]
    assert account == "ada"
    assert services.host_name in subject
    return text.split()[0]


def test_a_code_by_another_way(services: FakeServices) -> None:
    assert drive(DeliveredCode(), [lambda _: _delivered(services)], services=services)
    old = _delivered(services)
    assert not drive(DeliveredCode(), [old], services=services), "a code is good for one question"
    assert old != _delivered(services)


def test_a_delivered_code_runs_out(services: FakeServices) -> None:
    def late(query: Query) -> str:
        services.time += LIFETIME + 1
        return _delivered(services)

    assert not drive(DeliveredCode(), [late], services=services)


def test_nothing_is_sent_to_who_does_not_exist(services: FakeServices) -> None:
    assert not drive(DeliveredCode(), ["12345678"], user="nobody", services=services)
    assert services.delivery == Outbox()


def test_without_a_delivery_the_step_is_a_fault_of_the_host(services: FakeServices) -> None:
    services.delivery = None
    with pytest.raises(DeliveryError):
        drive(DeliveredCode(), [], services=services)


# ------------------------------------------------------------------------------- approve


def _while_waiting(services: FakeServices, act: Callable[[int], None]) -> Callable[[], None]:
    """Acts as soon as somebody waits, from another thread, as a person inside would."""
    done = threading.Thread(target=lambda: act(services.approvals.waiting()[0].number))
    stop: list[Callable[[], None]] = []

    def changed() -> None:
        if services.approvals.waiting() and not done.ident:
            done.start()

    stop.append(services.approvals.subscribe(changed))

    def finish() -> None:
        stop[0]()
        done.join(DEADLINE)
        assert not done.is_alive()

    return finish


@pytest.mark.parametrize("granted", [True, False])
def test_somebody_inside_says_yes_or_no(services: FakeServices, granted: bool) -> None:
    said: list[bool] = []

    def act(number: int) -> None:
        said.append(services.approvals.answer(number, by="ada", granted=granted))

    finish = _while_waiting(services, act)
    driven = drive(Approve(5.0), user="bob", services=services)
    finish()
    assert driven.accepted is granted
    assert said == [True]
    assert services.approvals.waiting() == ()


def test_nobody_lets_themselves_in(services: FakeServices) -> None:
    said: list[bool] = []

    def act(number: int) -> None:
        said.append(services.approvals.answer(number, by="bob", granted=True))
        said.append(services.approvals.answer(number, by="ada", granted=False))
        said.append(services.approvals.answer(number, by="eve", granted=True))

    finish = _while_waiting(services, act)
    driven = drive(Approve(5.0), user="bob", services=services)
    finish()
    assert not driven
    assert said == [False, True, False], "the first word counts, and it is another person's"


def test_no_answer_is_a_no(services: FakeServices) -> None:
    assert not drive(Approve(0.0), user="bob", services=services)
    assert not services.approvals.answer(1, by="ada", granted=True)


def test_nobody_hears_of_who_does_not_exist(services: FakeServices) -> None:
    seen: list[int] = []
    stop = services.approvals.subscribe(lambda: seen.append(len(services.approvals.waiting())))
    assert not drive(Approve(0.01), user="nobody", services=services)
    stop()
    assert set(seen) == {0}


def test_who_was_shut_out_while_they_waited_stays_out(services: FakeServices) -> None:
    def act(number: int) -> None:
        services.accounts.update("bob", disabled=True)
        services.approvals.answer(number, by="ada", granted=True)

    finish = _while_waiting(services, act)
    driven = drive(Approve(5.0), user="bob", services=services)
    finish()
    assert not driven


# ------------------------------------------------------------------------------- drive itself


class Careless(Step):
    def __init__(self, query: object) -> None:
        self.query = query

    def ask(self, attempt: Attempt) -> Conversation:
        yield self.query  # type: ignore[misc]
        return True


@pytest.mark.parametrize(
    ("query", "answers"),
    [
        ("text", []),
        (Query("Größe"), []),
        (Query(instruction="█"), []),
        (Query(prompts=(Prompt(""),)), ["x"]),
        (Query(prompts=(Prompt("?"),)), []),
        (Query(prompts=(Prompt("?"),)), [("x", "y")]),
        (Query(prompts=(Prompt("?"),)), ["x", "y"]),
    ],
)
def test_drive_says_what_is_wrong_with_a_step(query: object, answers: list[str]) -> None:
    with pytest.raises(AssertionError):
        drive(Careless(query), answers)


def test_drive_shows_what_a_step_showed() -> None:
    driven = drive(Careless(Query("One", (Prompt("Two? "),), "Three")), ["x"])
    assert driven
    assert driven.text == "One\nThree\nTwo? "


def test_new_secrets_differ() -> None:
    assert new_totp_secret() != new_totp_secret()


def test_an_account_is_looked_up_each_time(services: FakeServices) -> None:
    class Looks(Step):
        def ask(self, attempt: Attempt) -> Conversation:
            before = attempt.account
            yield Query("wait")
            return isinstance(before, AccountRecord) and attempt.account is None

    class Shuts(Looks):
        def ask(self, attempt: Attempt) -> Conversation:
            conversation = super().ask(attempt)
            yield next(conversation)
            services.accounts.delete("ada")
            try:
                next(conversation)
            except StopIteration as end:
                return bool(end.value)
            return False

    assert drive(Shuts(), services=services)
