"""`tuihost user roles`, `groups` and `chains`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.operator import Run, ada
from tuihost.accounts import AccountStore


def test_roles_are_shown_set_added_and_taken(store: AccountStore, run: Run) -> None:
    assert run("user", "roles", "ada").out == "ada has no roles.\n"
    said = run("user", "roles", "ada", "staff", "admin")
    assert said.out == "admin staff\n"
    assert "do not describe the role 'admin': it gives nothing" in said.err
    assert run("user", "roles", "ada", "--add", "x", "--remove", "staff").out == "admin x\n"
    run("user", "roles", "ada", "one", "--add", "x", status=2)
    run("user", "roles", "ada", "--none")
    assert ada(store).roles == frozenset()


def test_groups_are_shown_set_added_and_taken(store: AccountStore, run: Run) -> None:
    assert run("user", "groups", "ada").out == "ada is in no group.\n"
    said = run("user", "groups", "ada", "math", "choir")
    assert said.out == "choir math\n"
    assert "do not describe the group 'choir': it brings no roles" in said.err
    assert "Groups         choir math" in run("user", "show", "ada").out
    assert run("user", "groups", "ada", "--add", "x", "--remove", "math").out == "choir x\n"
    run("user", "groups", "ada", "--none", "--add", "x", status=2)
    run("user", "groups", "ada", "Not one", status=1)
    run("user", "groups", "ada", "--none")
    assert ada(store).groups == frozenset()


def test_the_rights_that_come_by_groups_are_shown(
    store: AccountStore, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "tuihost.toml").write_text(
        "[roles.user]\napps = ['menu']\ncommands = []\nread_files = ['notes']\n"
        "[roles.staff]\napps = ['notes']\ncommands = ['notes *']\nwrite_files = ['files']\n"
        "forwards = ['10.0.0.5:22']\n"
        "[groups.crew]\nroles = ['staff']\n"
    )
    assert "Apps           menu\n" in run("user", "show", "ada").out
    run("user", "groups", "ada", "crew")
    shown = run("user", "show", "ada").out
    for line in (
        "Roles          -",
        "Groups         crew",
        "Roles by them  staff",
        "Apps           menu notes",
        "Commands       notes *",
        "Files          read notes; read and write files",
        "Forwards       10.0.0.5:22",
    ):
        assert f"{line}\n" in shown
    assert json.loads(run("user", "show", "ada", "--json").out)["roles_by_groups"] == ["staff"]
    assert "staff" in run("user", "list").out


def test_chains_are_shown_set_and_cleared(store: AccountStore, run: Run) -> None:
    usual = "ada logs in by the chains of the host's settings.\n"
    assert run("user", "chains", "ada").out == usual
    said = run("user", "chains", "ada", "publickey, totp", "password,totp")
    assert said.out == "publickey,totp\npassword,totp\n"
    assert ada(store).chains == (("publickey", "totp"), ("password", "totp"))
    assert run("user", "chains", "ada").out == said.out
    assert run("user", "chains", "ada", "--default").out == usual
    assert ada(store).chains == ()
    run("user", "chains", "ada", "password", "--default", status=2)
    run("user", "chains", "eve", status=1)


@pytest.mark.parametrize(
    ("chain", "sentence"),
    [
        ("password,tarot", "There is no factor 'tarot'; there are approve, "),
        ("password,tootp", "There is no factor 'tootp'; did you mean 'totp'?"),
        (" , ", "A chain needs at least one factor."),
        ("none", "The factor 'none' is for people without an account."),
    ],
)
def test_chains_that_nobody_can_pass_are_refused(
    store: AccountStore, run: Run, chain: str, sentence: str
) -> None:
    assert sentence in run("user", "chains", "ada", "password", chain, status=1).err
    assert ada(store).chains == ()
