"""The account as commands, and line by line."""

from __future__ import annotations

import base64
import importlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tuihost.accounts import AccountRecord, AccountStore, KeyRecord, LoginRecord
from tuihost.core.keys.offers import fingerprint
from tuihost.core.login.proof import ProofNeeded
from tuihost.host.access import Access
from tuihost.host.login.hosted_account import HostedAccount
from tuihost.host.login.visitor import Visitor
from tuihost.login.steps.codes import totp_code, totp_counter
from tuihost.testing import Hosted, Outcome, Pilot, hosted

PASSWORD = "correct-horse-9"
BLOB = b"\0\0\0\x0bssh-ed25519\0\0\0 " + bytes([7] * 32)
LINE = "ssh-ed25519 " + base64.b64encode(BLOB).decode()
MARK = fingerprint(BLOB)
NO_USE = (
    "Keys cannot be used to log in to this account yet: it asks for password. "
    "The people who run this host can change that."
)


@pytest.fixture
def host() -> Iterator[Hosted]:
    with hosted(bundled=["menu", "account"], settings={"login.chains": ["password"]}) as host:
        hashed = host.server.login_services.passwords.hash(PASSWORD)
        for name in ("ada", "bob"):
            store_of(host).create(AccountRecord(name, created=1e9, password_hash=hashed))
        store_of(host).add_key(KeyRecord("ada", MARK, "laptop\x1b[2J", LINE, 1e9))
        yield host


def store_of(host: Hosted) -> AccountStore:
    return host.server.login_services.store


def run(host: Hosted, command: str, user: str = "ada", stdin: bytes = b"") -> Outcome:
    return host.run(command, user=user, password=PASSWORD, stdin=stdin)


def lines(host: Hosted) -> Pilot:
    return host.lines(user="ada+account", password=PASSWORD)


def test_show_keys_and_history_for_people(host: Hosted) -> None:
    shown = run(host, "account show").text
    assert "Account         ada\n" in shown
    assert "Second factor   off\n" in shown
    assert run(host, "account keys").text == f"{MARK}  ssh-ed25519  laptop·[2J\n"
    failed = LoginRecord("ada", 1e9, "203.0.113.9", ("password", "totp"), success=False)
    store_of(host).record_login(failed)
    told = run(host, "account history --last 2").text.splitlines()
    assert len(told) == 3
    assert "logged in" in told[1]
    assert told[2].split() == [
        *("2001-09-09", "01:46", "203.0.113.9", "password,", "one-time", "code", "failed")
    ]


def test_the_key_of_this_login_in_lines(host: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    other = BLOB[:-1] + b"\x08"
    line, mark, of = (
        f"ssh-ed25519 {base64.b64encode(other).decode()}",
        fingerprint(other),
        Access.visitor,
    )

    def keyed(*given: Any) -> Visitor:
        return replace(of(*given), fingerprint=mark, key_line=line)

    monkeypatch.setattr(Access, "visitor", keyed)
    with lines(host) as listener:
        listener.wait_for("account>").type("keys\n").wait_for(f"another key, {mark}")
        listener.type("add this\n").wait_for(f"ssh-ed25519 has been added: {mark}")
        listener.type("add this\n").wait_for("You have this key already.")
    assert line in [key.line for key in store_of(host).keys("ada")]


def test_the_same_for_programs(host: Hosted) -> None:
    shown = json.loads(run(host, "account show --json").text)
    assert (shown["name"], shown["created"], shown["password"]) == (
        "ada",
        "2001-09-09T01:46:40Z",
        True,
    )
    assert [one["here"] for one in shown["logins"]] == [True]
    (key,) = json.loads(run(host, "account keys --json").text)
    assert (key["fingerprint"], key["in_use"], key["last_used"]) == (MARK, False, None)
    entry = json.loads(run(host, "account history --json --last 1").text)[0]
    assert (entry["factors"], entry["success"]) == (["password"], True)
    assert "argon2" not in run(host, "account show --json").text


def test_everybody_sees_their_own_only(host: Hosted) -> None:
    assert json.loads(run(host, "account keys --json", "bob").text) == []
    assert json.loads(run(host, "account show --json", "bob").text)["name"] == "bob"


OTHER = f"ssh-ed25519 {base64.b64encode(BLOB[:-1] + bytes([9])).decode()} other"
COPY_ID = 'exec sh -c \'cd; mkdir -p ".ssh" && cat >> ".ssh/authorized_keys" || exit 1\''


@pytest.mark.parametrize("command", ["account add-key", COPY_ID])
def test_keys_on_standard_input_are_added(host: Hosted, command: str) -> None:
    keys = f"# mine\n{LINE}\n\n{OTHER}\n".encode()
    said = run(host, command, stdin=keys)
    mark = fingerprint(BLOB[:-1] + bytes([9]))
    assert (said.status, said.text, said.errors) == (0, f"Added {mark} other\n", f"{NO_USE}\n")
    assert {key.fingerprint for key in store_of(host).keys("ada")} == {MARK, mark}
    assert run(host, command, stdin=keys).status == 0, "a key that is there is as it should be"


@pytest.mark.parametrize(
    ("stdin", "sentence"),
    [
        (b"", "No key came in. Try: account add-key < ~/.ssh/id.pub\n"),
        (b"ssh-rsa nonsense\n", "This is not a public key"),
    ],
)
def test_what_is_not_a_key_is_not_added(host: Hosted, stdin: bytes, sentence: str) -> None:
    said = run(host, COPY_ID, stdin=stdin)
    assert said.status == 1
    assert said.errors.startswith(sentence)
    assert [key.fingerprint for key in store_of(host).keys("ada")] == [MARK]


def test_keys_are_read_one_by_one_however_many_come(host: Hosted) -> None:
    with host.lines("account add-key", user="ada", password=PASSWORD) as pilot:
        pilot.type(f"{OTHER}\n").wait_for("Added")
        assert pilot.type("nonsense\n").wait_end() == 1, "although the input has not ended"
        assert "This is not a public key" in pilot.text
    assert len(store_of(host).keys("ada")) == 2


def test_a_key_is_added_after_a_fresh_proof_only(
    host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HostedAccount, "proof_for", lambda *_: ProofNeeded.PASSWORD)
    said = run(host, COPY_ID, stdin=f"{OTHER}\n".encode())
    assert said.status == 2
    assert "Your password, to go on" in said.errors
    assert [key.fingerprint for key in store_of(host).keys("ada")] == [MARK]


def test_a_name_is_told_to_those_who_ask(host: Hosted) -> None:
    assert run(host, "whoami").text == "ada\n"
    assert host.run("whoami", user="eve").text == "eve (a guest)\n"


@pytest.mark.parametrize(
    ("chains", "expected"),
    [
        ((("publickey",), ("password", "totp")), ""),
        ((("publickey", "terms"),), ""),
        ((("password",),), NO_USE),
        (
            (("publickey", "totp"), ("password",)),
            "A key alone does not let you in: this account asks for key, one-time code.",
        ),
    ],
)
def test_what_a_key_is_good_for_is_said(
    host: Hosted, chains: tuple[tuple[str, ...], ...], expected: str
) -> None:
    account = type(host.host.catalog.apps["account"].app).__module__
    words = importlib.import_module(f"{account}.words")
    assert words.about_keys(chains) == expected


def test_a_guest_cannot_add_a_key(host: Hosted) -> None:
    said = host.run(COPY_ID, user="eve", stdin=f"{OTHER}\n".encode())
    assert (said.status, said.text) == (1, "")
    assert said.errors == (
        "You are a guest here, and guests have no account. You need no key to come in. To use a"
        " key, name your account: ssh-copy-id -p 8022 NAME@localhost.\n"
    )


def test_a_guest_has_none(host: Hosted) -> None:
    for command in ("show", "keys --json", "history"):
        outcome = host.run(f"account {command}", user="eve")
        assert (outcome.status, outcome.stdout) == (1, b"")
        assert outcome.errors == "You are a guest here, and guests have no account.\n"
    with host.lines(user="eve+account") as pilot:
        pilot.wait_for("You are a guest").wait_for("Ask the people who run this host")
        assert pilot.wait_end() == 0


def test_a_conversation_about_keys(host: Hosted) -> None:
    other = "ssh-ed25519 " + base64.b64encode(BLOB[:-1] + b"\x08").decode()
    with lines(host) as pilot:
        pilot.wait_for("Password: set").wait_for("account>").type("keys\n")
        pilot.wait_for("1. laptop·[2J, ed25519, never used, SHA256:")
        pilot.type(f"add {other} desk\n").wait_for("desk has been added")
        pilot.type("add nonsense\n").wait_for("This is not a public key")
        pilot.type("rename 9 x\n").wait_for("Please give the number of the key")
        pilot.type("remove 0000012\n").wait_for("Please give the number of the key")
        pilot.type("rename 1 old\n").wait_for("Done.")
        pilot.type("remove 1\n").wait_for("Remove old?").type("no\n").wait_for(
            "It has not been removed."
        )
        pilot.type("remove 1\n").type("yes\n").wait_for("old has been removed.")
        pilot.type("what\n").wait_for("Type one of these")
        pilot.type("history\n").wait_for("127.0.0.1, password, logged in")
        pilot.type("close\n").wait_for("yes or no").type("yes\n").wait_for("0 logins closed")
        pilot.type("exit\n")
        assert pilot.wait_end() == 0
    assert [key.name for key in store_of(host).keys("ada")] == ["desk"]


def test_a_conversation_about_password_and_second_factor(host: Hosted) -> None:
    new = "yet-another-one-5"
    with lines(host) as pilot:
        pilot.wait_for("account>").type("password\n").wait_for("Your current password")
        pilot.type(f"{PASSWORD}\n").wait_for("at least 15 characters").type("short\n")
        pilot.wait_for("A password needs").type(f"password\n{PASSWORD}\n")
        pilot.type(f"{new}\n").type("other\n").wait_for("passwords differ")
        pilot.type(f"password\n{PASSWORD}\n{new}\n{new}\n").wait_for("password has been changed")
        pilot.type("second\n").wait_for("Code that the app shows")
        secret = base64.b32decode("".join(re.findall(r"\b[A-Z2-7]{4}\b", pilot.text)))
        pilot.type(f"{totp_code(secret, totp_counter(time.time()))}\n{new}\n")
        pilot.wait_for("Recovery codes.")
        assert len(re.findall(r"[0-9A-Z]{5}-[0-9A-Z]{5}", pilot.text)) == 10
        pilot.type("codes\n").wait_for("Make new").type("no\n").wait_for("have not changed.")
        pilot.type("second\nyes\nwrong-one-12\n").wait_for("That is not your password.")
        pilot.type(f"second\nyes\n{new}\n").wait_for("Your second factor is off.")
        pilot.type("\n")
        assert pilot.wait_end() == 0
    record = store_of(host).get("ada")
    assert record is not None
    assert (record.totp, record.recovery_left) == (False, 0)


def test_a_key_is_added_only_by_those_who_may_run_the_command() -> None:
    given = {"login.chains": ["password"], "roles": {"user": {"commands": ["account show"]}}}
    with hosted(bundled=["menu", "account"], settings=given) as host:
        hashed = host.server.login_services.passwords.hash(PASSWORD)
        store_of(host).create(AccountRecord("ada", created=1e9, password_hash=hashed))
        with host.open("account", user="ada", password=PASSWORD) as pilot:
            pilot.wait_for("Add a key").press("a").wait_for("You may not run account add-key.")
        with host.open("account", user="ada", password=PASSWORD, term="dumb") as pilot:
            pilot.wait_for("account>").type(f"add {LINE}\r")
            pilot.wait_for("You may not run account add-key.")
        assert not store_of(host).keys("ada")
