"""The account on a screen: what stands there at three sizes, and what Enter does."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tuihost.accounts import AccountRecord, AccountStore, KeyRecord, LoginRecord, StoreError
from tuihost.core.keys.offers import fingerprint
from tuihost.core.login.proof import FRESH, AccountChange, Proof, ProofNeeded
from tuihost.host.access import Access
from tuihost.host.login.hosted_account import HostedAccount
from tuihost.host.login.visitor import Visitor
from tuihost.login.steps.codes import recovery_hash, totp_code, totp_counter
from tuihost.testing import Hosted, Pilot, hosted

PASSWORD = "correct-horse-9"
BLOB = b"\0\0\0\x0bssh-ed25519\0\0\0 " + bytes([7] * 32)
LINE = "ssh-ed25519 " + base64.b64encode(BLOB).decode()
MARK = fingerprint(BLOB)


@pytest.fixture
def host() -> Iterator[Hosted]:
    with hosted(bundled=["menu", "account"], settings={"login.chains": ["password"]}) as host:
        store, now = store_of(host), time.time()
        hashed = host.server.login_services.passwords.hash(PASSWORD)
        store.create(AccountRecord("ada", created=now, password_hash=hashed))
        yield host


def store_of(host: Hosted) -> AccountStore:
    return host.server.login_services.store


def ada(host: Hosted) -> AccountRecord:
    record = store_of(host).get("ada")
    assert record is not None
    return record


def enter(
    host: Hosted,
    size: tuple[int, int] = (80, 24),
    *,
    password: str = PASSWORD,
    term: str = "xterm-256color",
) -> Pilot:
    """Ada at a terminal, in her account."""
    return host.open("account", password=password, size=size, term=term)


def on(pilot: Pilot, label: str) -> Pilot:
    """Goes down to the row of that label, from the first one."""
    pilot.wait_for("Theme" if len(pilot.screen.lines) > 20 else "Password").press("home")
    pilot.wait_for("▌ Password")
    for _ in range(20):
        if f"▌ {label}" in pilot.text:
            return pilot
        before = pilot.text
        pilot.press("down").wait_until(lambda was=before: pilot.text != was, "another row")
    raise AssertionError(f"no row {label!r}:\n{pilot.text}")


def code_of(text: str) -> str:
    """The code of the moment for the secret on the screen."""
    groups = re.findall(r"\b[A-Z2-7]{4}\b", text)
    assert len(groups) == 8, text
    return totp_code(base64.b32decode("".join(groups)), totp_counter(time.time()))


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
def test_the_account_fits_the_window(host: Hosted, size: tuple[int, int]) -> None:
    store_of(host).add_key(KeyRecord("ada", MARK, "laptop", LINE, 1.0, time.time()))
    with enter(host, size) as pilot:
        pilot.wait_for("▌ Password").wait_for("laptop")
        assert all(len(line) <= size[0] for line in pilot.screen.lines)
        assert "off" in pilot.text, "the state of the second factor"
        if size[0] > 60:
            assert "used just now" in pilot.text
            assert "127.0.0.1" in pilot.text
        assert (MARK in pilot.text) is (size[0] == 200)
        pilot.press("q")
        assert pilot.wait_end() == 0
    assert not host.log.named("app.error")


def test_a_key_is_pasted_renamed_and_removed(host: Hosted) -> None:
    with enter(host) as pilot:
        pilot.wait_for("Add a key").press("a").wait_for("Public key")
        pilot.paste("no key at all").press("enter").wait_for("This is not a public key")
        assert "no key at all" in pilot.text, "what was pasted can still be changed"
        pilot.press("c-u").wait_for("ssh-ed25519 AAAA").paste(f"{LINE} ada@laptop\n")
        pilot.press("enter").wait_for("ada@laptop has been added").wait_for("▌ ada@laptop")
        # The Enter that opened the choice, still held down, would not answer it.
        pilot.press("enter").wait_for(MARK).press("home", "enter").wait_for("Name of the key")
        pilot.press("c-u").type("desk").press("enter").wait_for("▌ desk")
        pilot.press("d").wait_for("Remove desk?").press("escape").wait_gone("Remove desk?")
        assert [key.name for key in store_of(host).keys("ada")] == ["desk"]
        pilot.press("d").wait_for("Remove desk?").press("r").wait_for("desk has been removed")
    assert store_of(host).keys("ada") == ()


def test_the_key_of_this_login_is_added_without_pasting(
    host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_key(monkeypatch)
    with enter(host) as pilot:
        on(pilot, "Add this key").press("enter").wait_for("Name of the key")
        pilot.type("desk").press("enter").wait_for("desk has been added").wait_for("▌ desk")
        pilot.wait_for("in use now").wait_gone("Add this key")
    (key,) = store_of(host).keys("ada")
    assert (key.name, key.line) == ("desk", LINE)


def _with_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if logins had proved a key that is not the account's."""
    of = Access.visitor

    def keyed(*given: Any) -> Visitor:
        return replace(of(*given), fingerprint=MARK, key_line=LINE)

    monkeypatch.setattr(Access, "visitor", keyed)


def test_the_password_is_changed_by_who_knows_it(host: Hosted) -> None:
    def change(old: str, new: str, again: str) -> None:
        on(pilot, "Password").press("enter").wait_for("Your current password")
        pilot.type(old).press("enter").wait_for("─ New password ─")
        pilot.wait_for("at least 15 characters")
        pilot.type("short").press("enter").wait_for("A password needs at least 15 characters.")
        pilot.press(*["backspace"] * 5).type(new).press("enter").wait_for("New password again")
        pilot.type(again).press("enter")

    with enter(host) as pilot:
        change("wrong-one-12", "yet-another-one-5", "yet-another-one-5")
        pilot.wait_for("That is not your password.")
        change(PASSWORD, "yet-another-one-5", "yet-another-one-6")
        pilot.wait_for("The two passwords differ.").press("escape").wait_gone("again")
        change(PASSWORD, "yet-another-one-5", "yet-another-one-5")
        pilot.wait_for("Your password has been changed")
        assert "another-one" not in pilot.received.decode()
    with enter(host, password="yet-another-one-5") as pilot:
        pilot.wait_for("Password")


def test_long_after_the_login_the_password_comes_first(
    host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    _came_in(monkeypatch, Proof(("password",), time.time() - FRESH))
    with enter(host) as pilot:
        pilot.wait_for("Add a key").press("a").wait_for("Your password, to go on")
        pilot.type("wrong-one-12").press("enter").wait_for("That is not your password.")
        pilot.press("a").wait_for("Your password, to go on").press("escape")
        pilot.wait_gone("to go on").press("a").wait_for("to go on").type(PASSWORD).press("enter")
        pilot.wait_for("Public key").paste(LINE).press("enter").wait_for("has been added")
        pilot.press("a").wait_for("Public key")
    assert len(store_of(host).keys("ada")) == 1


def test_a_login_with_limits_only_looks(host: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    _came_in(monkeypatch, Proof(("publickey",), time.time(), limited=True))
    store_of(host).add_key(KeyRecord("ada", MARK, "laptop", LINE, 1.0))
    with enter(host) as pilot:
        on(pilot, "laptop").press("d").wait_for("this login cannot change")
        assert "Add a key" not in pilot.text
        pilot.press("escape").wait_gone("this login").press("a").wait_for(
            "this login cannot change"
        )
        for row in ("Password", "Second factor"):
            pilot.press("escape").wait_gone("this login")
            on(pilot, row).press("enter").wait_for("this login cannot change")
    assert len(store_of(host).keys("ada")) == 1


def _came_in(monkeypatch: pytest.MonkeyPatch, proof: Proof) -> None:
    """As if logins had come in with that proof."""
    of = Access.visitor
    monkeypatch.setattr(Access, "visitor", lambda *given: replace(of(*given), proof=proof))


@pytest.mark.parametrize("size", [(40, 12), (80, 24)])
def test_a_second_factor_is_set_up_and_its_codes_shown_once(
    host: Hosted, size: tuple[int, int]
) -> None:
    with enter(host, size) as pilot:
        on(pilot, "Second factor").press("enter").wait_for("Set up your second")
        pilot.wait_for("Then type the code")
        assert ("█▀" in pilot.text) is (size == (80, 24)), "the picture, where it fits"
        if size == (80, 24):
            rows = [line for line in pilot.screen.lines if "██" in line or "▀▀▀" in line]
            assert len(rows) == 21, "the whole of it"
        pilot.type("000000").press("enter").wait_for("Your password")
        pilot.type(PASSWORD).press("enter").wait_for("That code is wrong")
        code = code_of(pilot.text)
        pilot.type(code).press("enter").wait_for("Your password").type(PASSWORD).press("enter")
        pilot.wait_for("Each lets you in once")
        shown = re.findall(r"[0-9A-Z]{5}-[0-9A-Z]{5}", pilot.text)
        pilot.press("enter", "enter").resize(*size).wait_for("Each lets")  # as if held down
        pilot.press("home", "enter").wait_for("Recovery codes").wait_gone("Each lets")
        assert (ada(host).totp, ada(host).recovery_left) == (True, 10)
        store = store_of(host)
        assert store.take_recovery("ada", recovery_hash("ada", shown[0]))
        secret = store.totp_secret("ada")
        assert secret is not None
        assert not store.take_totp("ada", totp_counter(time.time()) - 1), "the code has served"
        assert shown[0] not in pilot.text


def test_a_second_factor_is_turned_off_with_the_password_only(host: Hosted) -> None:
    store_of(host).set_totp("ada", b"x" * 20)
    store_of(host).set_recovery("ada", [b"1", b"2"])
    with enter(host) as pilot:
        pilot.wait_for("2 codes left").wait_for("make new ones soon")
        on(pilot, "Recovery codes").press("enter").wait_for("Make new recovery codes?")
        pilot.press("y").wait_for("Your password").type(PASSWORD).press("enter")
        pilot.wait_for("not shown again").press("escape").wait_for("10 codes left")
        for password, said in (("wrong-one-12", "That is not your"), (PASSWORD, "factor is off")):
            on(pilot, "Second factor").press("enter").wait_for("Set it up again")
            pilot.press("down", "enter").wait_for("to turn it off")
            pilot.type(password).press("enter").wait_for(said)
    assert (ada(host).totp, ada(host).recovery_left) == (False, 0)


def test_other_logins_are_shown_and_closed(host: Hosted) -> None:
    with enter(host) as other, enter(host) as pilot:
        other.wait_for("Open logins")
        pilot.wait_for("this one").wait_for("1 other login")
        on(pilot, "Close the others").press("up", "enter")
        pilot.wait_for("This is the login that you use now")
        pilot.press("up", "enter").wait_for("“Close the others” closes it")
        on(pilot, "Close the others").press("enter").wait_for("Close your other logins?")
        pilot.press("y").wait_for("1 closed").wait_gone("Close the others")
        other.wait_until(lambda: other.at_end, "the other one's end")
        pilot.press("q")
        assert pilot.wait_end() == 0


def test_the_history_tells_who_tried(host: Hosted) -> None:
    now = time.time()
    failed = LoginRecord("ada", now - 90_000, "203.0.113.9", ("password",), success=False)
    store_of(host).record_login(failed)
    store_of(host).record_login(replace(failed, at=now - 60, success=True, factors=("publickey",)))
    with enter(host) as pilot:
        on(pilot, "Login history").press("enter").wait_for("✗ failed")
        text = pilot.text
        assert "203.0.113.9" in text
        assert text.index("just now") < text.index("1 min ago") < text.index("yesterday")
        pilot.press("escape").wait_for("▌ Login history")


def test_the_theme_is_shown_while_choosing_and_taken_back_by_escape(host: Hosted) -> None:
    with enter(host) as pilot:
        on(pilot, "Theme").press("enter").wait_for("─ Theme ─")
        pilot.press("down", "escape").wait_gone("─ Theme ─").wait_for("Harbor Night")
        pilot.press("enter").wait_for("─ Theme ─").press("home", "down", "enter")
        pilot.wait_gone("─ Theme ─").wait_gone("Harbor Night")
        pilot.press("enter").wait_for("─ Theme ─").press("home", "enter").wait_gone("─ Theme ─")
        pilot.wait_for("automatic: Harbor Night on this terminal")


def test_a_store_that_does_not_work_is_said_without_its_secrets(
    host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: HostedAccount, change: AccountChange) -> ProofNeeded:
        raise StoreError("/srv/secret/accounts.sqlite3 is damaged")

    with enter(host) as pilot:
        on(pilot, "Password")
        monkeypatch.setattr(HostedAccount, "proof_for", broken)
        pilot.press("enter").wait_for("The accounts cannot be reached at the moment.")
        assert "/srv" not in pilot.text
    assert not host.log.named("app.error")


def test_an_account_that_was_deleted_meanwhile(host: Hosted) -> None:
    with enter(host) as pilot:
        on(pilot, "Password")
        store_of(host).delete("ada")
        pilot.press("enter").wait_for("This account is closed.").press("q")
        assert pilot.wait_end() == 0


@pytest.mark.parametrize("size", [(40, 12), (80, 24)])
def test_a_guest_reads_what_an_account_is_good_for(size: tuple[int, int]) -> None:
    settings = {"app.account": {"how": "Ask \x1b[31mGrace\x1b[0m."}}
    with (
        hosted(bundled=["menu", "account"], settings=settings) as host,
        host.open("account", user="eve", size=size) as pilot,
    ):
        pilot.wait_for("You are a guest").press("end").wait_for("Ask ·[31mGrace")
        pilot.press("q")
        assert pilot.wait_end() == 0
