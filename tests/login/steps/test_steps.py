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
def house() -> FakeServices:
    services = FakeServices()
    services.add("ada", GOOD, SECRET)
    services.add("bob", GOOD)
    return services


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
def test_a_store_that_does_not_work_lets_nobody_in(step: Step, house: FakeServices) -> None:
    house.accounts.broken = "disk full"  # type: ignore[attr-defined]
    with pytest.raises(StoreError, match="disk full"):
        drive(step, [GOOD], services=house)


# ------------------------------------------------------------------------------- password


def test_a_password(house: FakeServices) -> None:
    assert drive(AskPassword(), [GOOD], services=house)
    assert not drive(AskPassword(), ["wrong"], services=house)
    assert not drive(AskPassword(), [""], services=house)


def test_the_password_of_who_is_shut_out_is_none(house: FakeServices) -> None:
    house.accounts.update("ada", disabled=True)
    assert not drive(AskPassword(), [GOOD], services=house)


def test_an_expired_password_is_changed_first(house: FakeServices) -> None:
    house.accounts.update("ada", password_expired=True)
    assert not drive(AskPassword(), ["wrong"], services=house), "a guess learns of no expiry"
    driven = drive(
        AskPassword(),
        [GOOD, ("short", "short"), (BETTER, "other one"), (BETTER, BETTER)],
        services=house,
    )
    assert driven
    assert [query.instruction for query in driven.queries[1:]] == [
        "Choose another one.",
        "A password has at least 8 characters.",
        "The two were not the same.",
    ]
    record = house.accounts.get("ada")
    assert record is not None
    assert not record.password_expired
    assert drive(AskPassword(), [BETTER], services=house)
    assert not drive(AskPassword(), [GOOD], services=house)


@pytest.mark.parametrize(
    "chosen", [GOOD, "x" * 1025, "short", "é" * 600, "tab\tinside", "ada-ada-ada"]
)
def test_some_passwords_are_not_taken(house: FakeServices, chosen: str) -> None:
    house.accounts.update("ada", password_expired=True)
    assert not drive(AskPassword(), [GOOD, *[(chosen, chosen)] * 3], services=house)
    record = house.accounts.get("ada")
    assert record is not None
    assert record.password_expired


def test_a_password_that_was_changed_meanwhile_stays(house: FakeServices) -> None:
    house.accounts.update("ada", password_expired=True)

    def meanwhile(query: Query) -> tuple[str, str]:
        house.accounts.update("ada", password_hash=house.passwords.hash("another"))
        return BETTER, BETTER

    assert not drive(AskPassword(), [GOOD, meanwhile], services=house)
    assert drive(AskPassword(), ["another", (BETTER, BETTER)], services=house)


# ------------------------------------------------------------------------------- totp


@pytest.mark.parametrize("periods", [-1, 0, 1])
def test_a_code_of_the_window_once(house: FakeServices, periods: int) -> None:
    assert drive(Totp(), [code(house, periods)], services=house)
    assert not drive(Totp(), [code(house, periods)], services=house)


def test_after_a_later_code_an_earlier_one_is_none(house: FakeServices) -> None:
    assert drive(Totp(), [code(house, 1)], services=house)
    assert not drive(Totp(), [code(house, 0)], services=house)
    assert not drive(Totp(), [code(house, -1)], services=house)
    house.time += 2 * PERIOD
    assert drive(Totp(), [code(house)], services=house)


def test_a_clock_that_is_set_back_gives_no_code_twice(house: FakeServices) -> None:
    used = code(house)
    assert drive(Totp(), [used], services=house)
    house.time -= 3600
    assert not drive(Totp(), [code(house)], services=house)
    house.time += 3600
    assert not drive(Totp(), [used], services=house)


def test_the_time_that_counts_is_that_of_the_answer(house: FakeServices) -> None:
    def slowly(query: Query) -> str:
        house.time += 4 * PERIOD
        return code(house)

    assert drive(Totp(), [slowly], services=house)


def test_who_has_no_second_factor_has_no_code(house: FakeServices) -> None:
    assert not drive(Totp(), [code(house, secret=b"\0" * 20)], user="bob", services=house)
    assert not drive(Totp(), [code(house, secret=b"\0" * 20)], user="nobody", services=house)


def test_who_is_shut_out_spends_no_code(house: FakeServices) -> None:
    house.accounts.update("ada", disabled=True)
    assert not drive(Totp(), [code(house)], services=house)
    house.accounts.update("ada", disabled=False)
    assert drive(Totp(), [code(house)], services=house)


# ------------------------------------------------------------------------------- recovery


def test_a_recovery_code_serves_once(house: FakeServices) -> None:
    codes = recovery_codes()
    house.accounts.set_recovery("ada", [recovery_hash("ada", one) for one in codes])
    assert not drive(Recovery(), [codes[0]], user="bob", services=house)
    assert drive(Recovery(), [codes[0].lower()], services=house)
    assert not drive(Recovery(), [codes[0]], services=house)
    house.accounts.update("ada", disabled=True)
    assert not drive(Recovery(), [codes[1]], services=house)
    house.accounts.update("ada", disabled=False)
    assert drive(Recovery(), [codes[1].replace("-", " ")], services=house)


# ------------------------------------------------------------------------------- enroll


def test_the_first_login_sets_up_the_second_factor(house: FakeServices) -> None:
    driven = drive(
        Enroll(), [lambda q: code(house, secret=secret_shown(q)), ""], user="bob", services=house
    )
    assert driven
    secret = secret_shown(driven.queries[0])
    record = house.accounts.get("bob")
    assert record is not None
    assert (record.totp, record.recovery_left) == (True, 10)
    assert house.accounts.totp_secret("bob") == secret
    assert not drive(Totp(), [code(house, secret=secret)], user="bob", services=house), "served"
    house.time += PERIOD
    assert drive(Totp(), [code(house, secret=secret)], user="bob", services=house)
    shown = re.findall(r"[0-9A-Z]{5}-[0-9A-Z]{5}", driven.text)
    assert len(shown) == 10
    assert all(drive(Recovery(), [one], user="bob", services=house) for one in shown)


def test_a_wrong_code_sets_up_nothing(house: FakeServices) -> None:
    assert not drive(Enroll(), ["000000"], user="bob", services=house)
    record = house.accounts.get("bob")
    assert record is not None
    assert (record.totp, record.recovery_left) == (False, 0)


def test_who_has_a_second_factor_is_asked_for_it(house: FakeServices) -> None:
    """Otherwise the password alone would replace it."""
    driven = drive(Enroll(), ["000000"], services=house)
    assert not driven
    assert driven.queries == drive(Totp(), ["000000"], services=house).queries
    assert house.accounts.totp_secret("ada") == SECRET
    assert drive(Enroll(), [code(house)], services=house)


def test_two_first_logins_at_once_set_up_one_factor(house: FakeServices) -> None:
    def the_other_is_quicker(query: Query) -> str:
        house.accounts.set_totp("bob", SECRET)
        return code(house, secret=secret_shown(query))

    assert not drive(Enroll(), [the_other_is_quicker], user="bob", services=house)
    assert house.accounts.totp_secret("bob") == SECRET


def test_a_picture_where_it_is_wished_for(house: FakeServices) -> None:
    keep: list[bytes] = []

    def wish(query: Query) -> str:
        keep.append(secret_shown(query))
        return " QR "

    driven = drive(
        Enroll(), [wish, lambda q: code(house, secret=keep[0]), ""], user="bob", services=house
    )
    assert driven
    prompt = driven.queries[1].prompts[0].text
    assert "█" in prompt
    assert prompt.startswith("\n")
    rows = prompt.splitlines()
    assert len(rows) <= 24
    assert max(map(len, rows)) <= 80


def test_the_secret_is_in_no_title_and_no_instruction(house: FakeServices) -> None:
    driven = drive(Enroll(), ["000000"], user="bob", services=house)
    words = driven.queries[0].title + driven.queries[0].instruction
    assert not re.search(r"[A-Z2-7]{4} [A-Z2-7]{4}", words)


# ------------------------------------------------------------------------------- invite

KEY = KeyOffer("ssh-ed25519", b"blob", fingerprint(b"blob"), proved=True)


@pytest.fixture
def invited(house: FakeServices) -> Callable[..., str]:
    def invite(expires: float | None = None) -> str:
        made = invite_code()
        house.accounts.add_invite(invite_hash(made), Invite(frozenset({"staff"}), expires=expires))
        return made

    return invite


def test_an_invitation_makes_an_account_once(
    house: FakeServices, invited: Callable[..., str]
) -> None:
    made = invited()
    answers = [made.lower(), "eve", (GOOD, GOOD)]
    driven = drive(TakeInvite(), answers, user="new", services=house, proved=(KEY,))
    assert driven.became == "eve"
    record = house.accounts.get("eve")
    assert record is not None
    assert record.roles == {"staff"}
    assert drive(AskPassword(), [GOOD], user="eve", services=house)
    (key,) = house.accounts.keys("eve")
    assert (key.fingerprint, key.line) == (KEY.fingerprint, "ssh-ed25519 YmxvYg==")
    assert not drive(TakeInvite(), [made], user="new", services=house)


def test_a_key_that_was_not_proved_is_not_taken_over(
    house: FakeServices, invited: Callable[..., str]
) -> None:
    named = KeyOffer("ssh-ed25519", b"victims", fingerprint(b"victims"))
    driven = drive(
        TakeInvite(), [invited(), "eve", (GOOD, GOOD)], user="new", services=house, proved=(named,)
    )
    assert driven
    assert house.accounts.keys("eve") == ()


@pytest.mark.parametrize("wrong", ["", "0000-0000-0000-0000", "x" * 5000])
def test_without_a_good_code_nothing_is_asked_and_nothing_made(
    house: FakeServices, invited: Callable[..., str], wrong: str
) -> None:
    invited()
    driven = drive(TakeInvite(), [wrong], user="new", services=house)
    assert not driven
    assert len(driven.queries) == 1


def test_an_invitation_that_has_run_out_is_none(
    house: FakeServices, invited: Callable[..., str]
) -> None:
    made = invited(expires=house.now() + 60)
    house.time += 61
    assert not drive(TakeInvite(), [made], user="new", services=house)


def test_one_that_runs_out_while_they_choose_is_none_either(
    house: FakeServices, invited: Callable[..., str]
) -> None:
    def slowly(query: Query) -> tuple[str, str]:
        house.time += 61
        return GOOD, GOOD

    made = invited(expires=house.now() + 60)
    assert not drive(TakeInvite(), [made, "eve", slowly], user="new", services=house)
    assert house.accounts.get("eve") is None


@pytest.mark.parametrize(
    "name", ["ada", "new", "a b", "../x", "", "ada+notes", "guest:eve", "\x1b[2J"]
)
def test_some_names_cannot_be_chosen(
    house: FakeServices, invited: Callable[..., str], name: str
) -> None:
    before = house.accounts.all()
    made = invited()
    driven = drive(TakeInvite(), [made, name, name, name], user="new", services=house)
    assert not driven
    assert house.accounts.all() == before
    assert drive(TakeInvite(), [made, "eve", (GOOD, GOOD)], user="new", services=house)


def test_a_name_in_another_letter_case_is_taken_too(
    house: FakeServices, invited: Callable[..., str]
) -> None:
    driven = drive(TakeInvite(), [invited(), "ADA", "NEW", "Bob"], user="new", services=house)
    assert not driven
    assert "that name is taken" in driven.text
    assert "the name of the door" in driven.text


def test_of_two_with_one_invitation_one_gets_in(
    house: FakeServices, invited: Callable[..., str]
) -> None:
    made = invited()

    def quicker(query: Query) -> tuple[str, str]:
        assert drive(TakeInvite(), [made, "bea", (GOOD, GOOD)], user="new", services=house)
        return GOOD, GOOD

    assert not drive(TakeInvite(), [made, "eve", quicker], user="new", services=house)
    assert house.accounts.get("eve") is None


# ------------------------------------------------------------------------------- terms


def test_terms_are_accepted_once_a_version(house: FakeServices) -> None:
    house.terms_text, house.terms_version = "Be kind — always.", "1"
    assert not drive(Terms(), ["no"], services=house)
    assert not drive(Terms(), ["y"], services=house)
    driven = drive(Terms(), [" Yes "], services=house)
    assert driven
    assert "Be kind — always." in driven.queries[0].prompts[0].text
    assert drive(Terms(), [], services=house).queries == ()
    house.terms_version = "2"
    assert drive(Terms(), ["yes"], services=house)
    house.terms_version, house.terms_text = "3", "  "
    assert drive(Terms(), [], services=house)


def test_who_does_not_exist_accepts_nothing(house: FakeServices) -> None:
    for text in ("", "Be kind."):
        house.terms_text = text
        assert not drive(Terms(), ["yes"], user="nobody", services=house)


# ------------------------------------------------------------------------------- delivery


def _delivered(house: FakeServices) -> str:
    assert isinstance(house.delivery, Outbox)
    account, subject, text = house.delivery.sent[-1]
    assert account == "ada"
    assert house.host_name in subject
    return text.split()[0]


def test_a_code_by_another_way(house: FakeServices) -> None:
    assert drive(DeliveredCode(), [lambda _: _delivered(house)], services=house)
    old = _delivered(house)
    assert not drive(DeliveredCode(), [old], services=house), "a code is good for one question"
    assert old != _delivered(house)


def test_a_delivered_code_runs_out(house: FakeServices) -> None:
    def late(query: Query) -> str:
        house.time += LIFETIME + 1
        return _delivered(house)

    assert not drive(DeliveredCode(), [late], services=house)


def test_nothing_is_sent_to_who_does_not_exist(house: FakeServices) -> None:
    assert not drive(DeliveredCode(), ["12345678"], user="nobody", services=house)
    assert house.delivery == Outbox()


def test_without_a_delivery_the_step_is_a_fault_of_the_host(house: FakeServices) -> None:
    house.delivery = None
    with pytest.raises(DeliveryError):
        drive(DeliveredCode(), [], services=house)


# ------------------------------------------------------------------------------- approve


def _while_waiting(house: FakeServices, act: Callable[[int], None]) -> Callable[[], None]:
    """Acts as soon as somebody waits, from another thread, as a person inside would."""
    done = threading.Thread(target=lambda: act(house.approvals.waiting()[0].number))
    stop: list[Callable[[], None]] = []

    def changed() -> None:
        if house.approvals.waiting() and not done.ident:
            done.start()

    stop.append(house.approvals.subscribe(changed))

    def finish() -> None:
        stop[0]()
        done.join(DEADLINE)
        assert not done.is_alive()

    return finish


@pytest.mark.parametrize("granted", [True, False])
def test_somebody_inside_says_yes_or_no(house: FakeServices, granted: bool) -> None:
    said: list[bool] = []

    def act(number: int) -> None:
        said.append(house.approvals.answer(number, by="ada", granted=granted))

    finish = _while_waiting(house, act)
    driven = drive(Approve(5.0), user="bob", services=house)
    finish()
    assert driven.accepted is granted
    assert said == [True]
    assert house.approvals.waiting() == ()


def test_nobody_lets_themselves_in(house: FakeServices) -> None:
    said: list[bool] = []

    def act(number: int) -> None:
        said.append(house.approvals.answer(number, by="bob", granted=True))
        said.append(house.approvals.answer(number, by="ada", granted=False))
        said.append(house.approvals.answer(number, by="eve", granted=True))

    finish = _while_waiting(house, act)
    driven = drive(Approve(5.0), user="bob", services=house)
    finish()
    assert not driven
    assert said == [False, True, False], "the first word counts, and it is another person's"


def test_no_answer_is_a_no(house: FakeServices) -> None:
    assert not drive(Approve(0.0), user="bob", services=house)
    assert not house.approvals.answer(1, by="ada", granted=True)


def test_nobody_hears_of_who_does_not_exist(house: FakeServices) -> None:
    seen: list[int] = []
    stop = house.approvals.subscribe(lambda: seen.append(len(house.approvals.waiting())))
    assert not drive(Approve(0.01), user="nobody", services=house)
    stop()
    assert set(seen) == {0}


def test_who_was_shut_out_while_they_waited_stays_out(house: FakeServices) -> None:
    def act(number: int) -> None:
        house.accounts.update("bob", disabled=True)
        house.approvals.answer(number, by="ada", granted=True)

    finish = _while_waiting(house, act)
    driven = drive(Approve(5.0), user="bob", services=house)
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


def test_an_account_is_looked_up_each_time(house: FakeServices) -> None:
    class Looks(Step):
        def ask(self, attempt: Attempt) -> Conversation:
            before = attempt.account
            yield Query("wait")
            return isinstance(before, AccountRecord) and attempt.account is None

    class Shuts(Looks):
        def ask(self, attempt: Attempt) -> Conversation:
            conversation = super().ask(attempt)
            yield next(conversation)
            house.accounts.delete("ada")
            try:
                next(conversation)
            except StopIteration as end:
                return bool(end.value)
            return False

    assert drive(Shuts(), services=house)
