"""What the commands about accounts share: the store, and what is said where it does not work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.operator import PASSWORD, Run
from tuihost.accounts import AccountStore
from tuihost.cli.accounts import host_user


def test_nobody_of_that_name(run: Run, store: AccountStore) -> None:
    for words in (
        ("show", "ADA"),
        ("passwd", "ADA", "--password-stdin"),
        ("key", "list", "ADA"),
        ("totp", "on", "ADA"),
        ("roles", "ADA"),
        ("disable", "ADA"),
        ("enable", "ADA"),
        ("delete", "ADA", "--yes"),
    ):
        said = run("user", *words, stdin=PASSWORD, status=1)
        assert said.err == "Error: There is no account 'ADA'. There is 'ada'.\n"


def test_an_account_by_the_name_of_the_invited_is_warned_of(run: Run) -> None:
    said = run("user", "add", "new", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert said.out == "new now has an account.\n"
    assert "nobody can use an invitation" in said.err


def test_a_store_that_does_not_work_is_69(run: Run, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "accounts.sqlite3").write_text("no database, and longer than a header")
    for words in (("user", "list"), ("invite",), ("user", "show", "ada")):
        said = run(*words, status=69)
        assert "is damaged" in said.err
        assert len(said.err.splitlines()) == 1


def test_settings_that_are_wrong_are_78(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tuihost.toml").write_text("[accounts]\nurl = 'mysql://x'\n")
    assert (
        "accounts.url: 'mysql://x' should be sqlite:///PATH" in run("user", "list", status=78).err
    )
    (tmp_path / "tuihost.toml").write_text("[accounts]\nulr = 1\n")
    assert "did you mean 'url'?" in run("invite", status=78).err


def test_nobody_else_makes_what_the_user_of_the_host_could_not_read(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    somebody = os.getuid() + 4242
    if os.getuid() == 0:
        os.chown(state, somebody, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    said = run("user", "add", "ada", "--no-password", status=1).err
    assert f"{state} is kept by the user " in said
    assert "Run the command as that user: sudo" in said
    (state / "host.lock").touch()  # of the user who ran the host here, whoever owns the folder
    monkeypatch.setattr(os, "geteuid", lambda: somebody)
    assert "is kept by the user" in run("invite", status=1).err
    monkeypatch.setattr(os, "geteuid", os.getuid)
    assert run("user", "add", "ada", "--no-password").out.startswith("ada now has an account.")


def test_a_folder_that_nobody_may_look_into_is_left_to_what_opens_it_next() -> None:
    assert host_user(Path("k" * 300)) == os.geteuid()  # no name of a file: looking for it fails
