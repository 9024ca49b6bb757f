"""The accounts of a demo: the same at each start, and nobody else's."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tuihost.accounts import AccountRecord, AccountStore
from tuihost.cli.accounts import opened_store
from tuihost.cli.demo_accounts import DemoAccounts, prepare
from tuihost.host.login.passwords import Passwords
from tuihost.login.steps.codes import invite_hash, totp_match
from tuihost.settings.loading import load
from tuihost.settings.models import Settings

CHAINS = (("publickey",), ("password", "totp"))
"""A key that somebody adds lets them in, as they expect after `ssh-copy-id`."""


def within(settings: Settings, look: Callable[[AccountStore], object]) -> object:
    with opened_store(settings) as store:
        return look(store)


def test_the_accounts_are_the_same_at_each_start(settings: Settings) -> None:
    first = prepare(settings)
    assert first.ada is not None
    ada = first.ada
    within(settings, lambda store: store.update("ada", disabled=True, password_hash="x"))
    again = prepare(settings)
    assert again.ada == ada
    record = within(settings, lambda store: store.get("ada"))
    assert isinstance(record, AccountRecord)
    assert Passwords().verify(record.password_hash, ada.password)
    assert (record.disabled, record.totp, record.chains) == (False, True, CHAINS)
    now = time.time()
    code, left = ada.code(now)
    assert totp_match(ada.secret, code, now) is not None
    assert totp_match(ada.secret, code, now + left - 1) is not None
    assert totp_match(ada.secret, code, now + left + 1) is None
    assert again.invitation is not None
    assert within(settings, lambda store: store.get("new")) is None
    assert again.invitation != first.invitation
    code_hash = invite_hash(again.invitation)
    assert within(settings, lambda store: store.peek_invite(code_hash, now)) is not None


def test_somebodys_account_is_left_alone(settings: Settings) -> None:
    taken = AccountRecord("ada", password_hash="hers"), AccountRecord("new")
    for record in taken:
        within(settings, lambda store, record=record: store.create(record))
    assert prepare(settings) == DemoAccounts(None, None)
    assert within(settings, lambda store: store.get("ada")) == taken[0]


def test_no_invitation_where_its_name_leads_nowhere(tmp_path: Path) -> None:
    given = {"server.state_dir": str(tmp_path / "demo"), "login.invite_name": ""}
    assert prepare(load(None, {}, given)).invitation is None
