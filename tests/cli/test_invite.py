"""`tuihost invite`: a code with which somebody makes an account."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.cli.operator import Run
from tuihost.accounts import AccountRecord, AccountStore, Invite
from tuihost.login.steps.codes import invite_hash


def test_an_invitation_is_good_for_one_account(store: AccountStore, run: Run) -> None:
    said = run("invite", "--role", "staff", "--days", "2", "--note", "for Bob\x1b[2J")
    code = said.out.split()[1]
    assert said.out.endswith("To use it   ssh -p 8022 new@localhost\n")
    assert store.get("new") is None
    invite = store.peek_invite(invite_hash(code), time.time())
    assert invite is not None
    assert (invite.roles, invite.note) == (frozenset({"staff"}), "for Bob·[2J")
    assert invite.expires == pytest.approx(time.time() + 2 * 86_400, abs=60)
    assert store.take_invite(invite_hash(code), time.time(), AccountRecord("bob"))
    assert store.peek_invite(invite_hash(code), time.time()) is None
    run("invite", "--days", "0", status=2)


def test_invitations_that_ran_out_go_when_one_is_made(store: AccountStore, run: Run) -> None:
    store.add_invite(b"old", Invite(expires=time.time() - 1))
    run("invite")
    assert store.peek_invite(b"old", 0.0) is None


def test_the_name_of_the_invited_is_nobodys(
    store: AccountStore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUIHOST_LOGIN__INVITE_NAME", "hello")
    assert run("invite").out.endswith(" hello@localhost\n")
    run("user", "add", "hello", "--no-password")
    assert "'hello' is somebody's" in run("invite", status=1).err
    store.update("hello", chains=(("invite",),))
    assert "for invitations" in run("user", "list").out
    run("invite")
    run("user", "disable", "hello")
    assert "tuihost user enable hello" in run("invite", status=1).err
    monkeypatch.setenv("TUIHOST_LOGIN__INVITE_NAME", "")
    assert "Nobody can use an invitation" in run("invite", status=1).err


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ("[server]\nhost = '192.0.2.4'\nport = 22", "ssh new@192.0.2.4"),
        ("[app.about]\naddress = 'demo.example:2222'", "ssh -p 2222 new@demo.example"),
        ("[app.about]\naddress = 'demo.example'", "ssh -p 8022 new@demo.example"),
    ],
)
def test_the_line_to_type_is_the_hosts_own(
    run: Run, tmp_path: Path, settings: str, line: str
) -> None:
    (tmp_path / "tuihost.toml").write_text(settings)
    assert run("invite").out.splitlines()[-1] == f"To use it   {line}"
