"""`tuihost user` and `tuihost invite`, called as an operator calls them: what they print, what is
in the store afterwards, and the exit status."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.operator import KEY, MARK, PASSWORD, Run, ada
from tests.waiting import DEADLINE
from tuihost.accounts import AccountRecord, AccountStore
from tuihost.core.login.lockout import Lockout, Try
from tuihost.host.login.passwords import Passwords


def test_an_account_is_added_with_its_password(store: AccountStore, tmp_path: Path) -> None:
    assert Passwords().verify(ada(store).password_hash, PASSWORD)
    assert ada(store).created == pytest.approx(time.time(), abs=60)
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("words", "stdin", "sentence"),
    [
        (("ada",), PASSWORD, "There is already an account 'ada'."),
        (
            ("Ada",),
            PASSWORD,
            "whose name differs from 'Ada' only in upper and lower case.",
        ),
        (("a b",), PASSWORD, "'a b' cannot be an account's name: a name cannot have spaces."),
        (("bob",), "short", "A password needs at least 15 characters."),
        (("bob",), "", "A password needs at least 15 characters."),
        (("bob", "--role", "No!"), PASSWORD, "'No!' cannot be a role"),
        (("bob", "--role", "guest"), PASSWORD, "is for people without an account"),
    ],
)
def test_what_cannot_be_an_account_is_one_sentence(
    store: AccountStore, run: Run, words: tuple[str, ...], stdin: str, sentence: str
) -> None:
    said = run("user", "add", *words, "--password-stdin", stdin=stdin, status=1)
    assert sentence in said.err
    assert [one.name for one in store.all()] == ["ada"]


def test_two_accounts_that_people_may_confuse_are_told(store: AccountStore, run: Run) -> None:
    store.create(AccountRecord("alice"))
    store.create(AccountRecord("a1ice"))
    told = "People may take these accounts for one another: al1ce, a1ice, alice."
    assert told in run("user", "add", "al1ce", "--no-password").err
    assert store.get("al1ce") is not None
    assert "may take" not in run("user", "add", "bob", "--no-password").err


def test_without_a_terminal_nothing_is_asked(store: AccountStore, run: Run) -> None:
    assert "--password-stdin" in run("user", "add", "bob", status=2).err
    assert "add --yes" in run("user", "delete", "ada", status=1).err
    assert store.get("ada") is not None
    both = run("user", "add", "bob", "--password-stdin", "--no-password", status=2)
    assert "Give either" in both.err


def test_list_and_show_for_people_and_for_programs(store: AccountStore, run: Run) -> None:
    run("user", "add", "bob", "--no-password", "--role", "staff")
    run("user", "key", "add", "bob", f"{KEY} laptop")
    lines = run("user", "list").out.splitlines()
    assert lines[0].split() == [
        "NAME",
        "ROLES",
        "LOGS",
        "IN",
        "WITH",
        "STATE",
        "SINCE",
        "LAST",
        "LOGIN",
    ]
    assert [line.split()[:4] for line in lines[1:]] == [
        ["ada", "-", "password", "open"],
        ["bob", "staff", "1", "key"],
    ]
    found = json.loads(run("user", "list", "--json").out)
    assert [(one["name"], one["password"], one["key_count"]) for one in found] == [
        ("ada", True, 0),
        ("bob", False, 1),
    ]
    assert MARK in run("user", "show", "bob").out
    told = run("user", "show", "bob", "--json").out
    assert json.loads(told)["keys"][0]["name"] == "laptop"
    assert "argon2" not in run("user", "show", "ada", "--json").out


def test_no_accounts_yet(run: Run) -> None:
    said = run("user", "list")
    assert (said.out, said.err) == (
        "",
        "There are no accounts yet. To add one: tuihost user add NAME\n",
    )
    assert json.loads(run("user", "list", "--json").out) == []


def test_a_password_is_changed_and_may_be_for_once(store: AccountStore, run: Run) -> None:
    run("user", "passwd", "ada", "--password-stdin", "--expire", stdin="yet-another-one-5\n")
    assert Passwords().verify(ada(store).password_hash, "yet-another-one-5")
    assert ada(store).password_expired
    run("user", "passwd", "ada", "--password-stdin", stdin="yet-a-third-one-5\n")
    assert not ada(store).password_expired


def test_a_locked_account_is_unlocked(store: AccountStore, run: Run) -> None:
    assert run("user", "unlock", "ada").out == "ada was not locked: there were no failed logins.\n"
    lockout, attempt = Lockout(store), Try("ada", "198.51.100.9", time.time())
    for _ in range(10):
        lockout.failed(attempt, lockout.begin(attempt))
    assert lockout.begin(attempt) is not None
    said = run("user", "unlock", "ada").out
    assert said.startswith("ada is unlocked; 20 failed logins")
    assert lockout.begin(attempt) is None
    run("user", "unlock", "nobody", status=1)


def test_an_account_is_closed_opened_and_deleted(store: AccountStore, run: Run) -> None:
    run("user", "disable", "ada")
    assert ada(store).disabled
    assert "closed" in run("user", "list").out
    run("user", "enable", "ada")
    assert not ada(store).disabled
    run("user", "delete", "ada", "--yes")
    assert store.get("ada") is None


def test_help_of_the_group_imports_nothing_heavy() -> None:
    heavy = ("paramiko", "prompt_toolkit", "rich", "pydantic", "cryptography", "argon2", "sqlite3")
    code = (
        "import sys; from tuihost.cli.main import cli; "
        "cli.main(['user', '--help'], standalone_mode=False); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=DEADLINE
    )
    assert done.stdout.endswith("[]\n"), done.stdout
