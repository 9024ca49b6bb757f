"""What all bundled steps have in common."""

from __future__ import annotations

import pytest

from tests.login.steps.people import GOOD, SECRET
from tuihost.accounts import AccountRecord, StoreError
from tuihost.login import Attempt, Conversation, Query, Step
from tuihost.login.steps import bundled_steps
from tuihost.login.steps.codes import (
    new_totp_secret,
)
from tuihost.login.steps.enroll import Enroll
from tuihost.login.steps.invite import TakeInvite
from tuihost.login.steps.password import AskPassword
from tuihost.login.steps.recovery import Recovery
from tuihost.login.steps.totp import Totp
from tuihost.testing.steps import FakeServices, drive


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
