"""What the logins of one host share: what a name is, and what is wrong with the settings."""

from __future__ import annotations

import os
import pwd
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.log import SILENT
from tuihost.accounts import AccountRecord, Invite
from tuihost.core.login.chains import Who
from tuihost.errors import SettingsError
from tuihost.host.login.services import LoginServices
from tuihost.login.steps import bundled_steps
from tuihost.login.steps.codes import invite_code, invite_hash
from tuihost.settings.loading import load

NOW = 1_000_000.0


def made(folder: Path, **settings: Any) -> LoginServices:
    given = {"server.state_dir": str(folder)}
    given |= {name.replace("__", "."): value for name, value in settings.items()}
    steps = {step.name: step for step in bundled_steps()}
    return LoginServices(load(None, {}, given), steps, SILENT, now=lambda: NOW)


def invite(services: LoginServices, expires: float | None = None) -> None:
    services.store.add_invite(invite_hash(invite_code()), Invite(expires=expires))


@pytest.fixture
def services(tmp_path: Path) -> Iterator[LoginServices]:
    """Ada has an account, Eve's is closed; guests are called `guest` or `demo-…`."""
    services = made(tmp_path, login__guest_names=["guest", "demo-*"])
    services.store.create(AccountRecord("ada"))
    services.store.create(AccountRecord("eve", disabled=True))
    services.store.create(AccountRecord("demo-taken"))
    yield services
    services.close()


def who(services: LoginServices, name: str) -> Who:
    return services.ways_in(name, None)[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ada", Who.ACCOUNT),
        ("Ada", Who.NOBODY),
        ("eve", Who.CLOSED),
        ("guest", Who.GUEST),
        ("demo-1", Who.GUEST),
        ("demo-taken", Who.ACCOUNT),
        ("Demo-Taken", Who.NOBODY),
        ("DEMO-TAKEN", Who.NOBODY),
        ("zoe", Who.NOBODY),
        ("new", Who.NOBODY),
        ("", Who.NOBODY),
    ],
)
def test_what_a_name_is(services: LoginServices, name: str, expected: Who) -> None:
    assert who(services, name) is expected


def test_without_guests_no_name_is_theirs(tmp_path: Path) -> None:
    with closing(made(tmp_path, login__guests=False)) as services:
        assert who(services, "zoe") is Who.NOBODY


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (None, Who.INVITED),
        (AccountRecord("new", chains=(("invite",),)), Who.INVITED),
        (AccountRecord("new", chains=(("invite",), ("password",))), Who.ACCOUNT),
        (AccountRecord("new"), Who.ACCOUNT),
        (AccountRecord("new", chains=(("invite",),), disabled=True), Who.CLOSED),
    ],
)
def test_whose_name_the_one_for_invitations_is(
    tmp_path: Path, record: AccountRecord | None, expected: Who
) -> None:
    with closing(made(tmp_path)) as services:
        if record is not None:
            services.store.create(record)
        assert who(services, "new") is not Who.INVITED, "no invitation is open"
        invite(services, expires=NOW)
        assert who(services, "new") is not Who.INVITED, "it is good no longer"
        invite(services, expires=NOW + 1)
        assert who(services, "new") is expected


def test_no_guest_has_the_name_for_invitations_while_one_is_open(tmp_path: Path) -> None:
    with closing(made(tmp_path)) as services:
        assert who(services, "new") is Who.GUEST
        invite(services)
        assert who(services, "new") is Who.INVITED


@pytest.mark.parametrize("name", ["", "other"])
def test_the_operator_chooses_the_name_for_invitations(tmp_path: Path, name: str) -> None:
    with closing(made(tmp_path, login__invite_name=name, login__guests=False)) as services:
        invite(services)
        assert who(services, "new") is Who.NOBODY
        assert who(services, name) is (Who.INVITED if name else Who.NOBODY)


def test_the_store_is_asked_the_same_for_every_name(
    services: LoginServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[str] = Counter()

    def counting(call: str) -> None:
        original = getattr(services.store, call)

        def count(*given: Any) -> Any:
            asked[call] += 1
            return original(*given)

        monkeypatch.setattr(services.store, call, count)

    for call in ("get", "taken", "lookup", "open_invites", "keys"):
        counting(call)
    seen = set()
    for name in ("ada", "eve", "zoe", "guest", "demo-1", ""):
        asked.clear()
        services.ways_in(name, None)
        seen.add(tuple(sorted(asked.items())))
    assert seen == {(("lookup", 1),)}


# ------------------------------------------------------------------------------- the settings


def test_chains_that_cannot_work_are_reported_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as wrong:
        made(
            tmp_path,
            login__chains=["password, tarot"],
            login__app_chains={"box": [","], "vault": ["none, totp"]},
        )
    problems = " ".join(wrong.value.problems)
    assert "login.chains: no step is called 'tarot'; there are " in problems
    assert "login.app_chains.box: has no chain, so nobody could log in" in problems
    assert "login.app_chains.vault: the factor 'none' has to be alone" in problems


@pytest.mark.parametrize("chains", ["login.chains", "login.app_chains.vault"])
def test_a_chain_with_delivered_codes_needs_a_delivery(tmp_path: Path, chains: str) -> None:
    given = {chains.replace(".", "__"): ["password, delivery"]}
    with pytest.raises(SettingsError, match="`delivery`"):
        made(tmp_path, **given)
    with closing(made(tmp_path, **given, login__delivery="outbox")) as services:
        assert services.delivery is not None


@pytest.mark.parametrize("url", ["postgres://x", "sqlite:///", "accounts.db"])
def test_a_url_that_cannot_be_used_is_reported_at_the_start(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match=r"accounts\.url: .* should be sqlite:///PATH"):
        made(tmp_path, accounts__url=url)


def test_terms_that_cannot_be_read_are_reported_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"login\.terms: .*cannot be read"):
        made(tmp_path, login__terms=str(tmp_path / "none.txt"))


def test_another_text_of_the_terms_is_another_version(tmp_path: Path) -> None:
    text = tmp_path / "terms.txt"
    versions = set()
    for words in ("Be kind.", "Be kinder."):
        text.write_text(words)
        with closing(made(tmp_path, login__terms=str(text))) as services:
            assert services.terms_text == words
            versions.add(services.terms_version)
    assert len(versions) == 2


def test_nobody_chooses_the_name_of_a_guest_an_app_or_a_role(tmp_path: Path) -> None:
    given = {"login.guest_names": ["visitor", "*"], "roles": {"staff": {}}, "groups": {"crew": {}}}
    services = made(tmp_path, **given)
    services.app_names = frozenset({"notes"})
    for name in ("visitor", "Notes", "staff", "crew", "approver", "$(id)", "ünal"):
        assert services.chosen_name_problem(name) is not None, name
    assert services.chosen_name_problem("grace") is None
    services.close()


@pytest.mark.parametrize(
    "name",
    [
        "ad\u0430",
        "ada\ufe0f",
        "\u3164",
        "\u2800",
        "ada\u00ad",
        "асе",
        "a1ice",
        "admin",
        "Crew",
        "Approver",
    ],
)
def test_no_guest_has_a_name_that_looks_like_another(tmp_path: Path, name: str) -> None:
    services = made(tmp_path, groups={"crew": {}})
    services.store.create(AccountRecord("alice"))
    assert services.is_guest("ada")
    assert services.guest_advice("ada") == ""
    assert not services.is_guest(name)
    advice = services.guest_advice(name)
    assert advice.startswith("You cannot be a guest by that name: ")
    assert advice.endswith(". Choose another: ssh NAME@HOST")
    services.close()


def test_only_guests_are_told_about_names(tmp_path: Path) -> None:
    with closing(made(tmp_path, login__guest_names=["guest", "admin"])) as services:
        services.store.create(AccountRecord("root"))
        assert services.is_guest("admin")  # the operator wrote it
        assert [services.guest_advice(name) for name in ("admin", "root", "support")] == [""] * 3
    with closing(made(tmp_path, login__guests=False)) as services:
        assert services.guest_advice("support") == ""


def test_the_user_who_runs_a_host_for_this_machine_comes_in_by_their_name(tmp_path: Path) -> None:
    own = pwd.getpwuid(os.getuid()).pw_name
    for address, expected in (("127.0.0.1", True), ("localhost", True), ("0.0.0.0", False)):
        given = {"server__host": address, "login__reserved_names": [own]}
        with closing(made(tmp_path, **given)) as services:
            assert services.is_guest(own) is expected, address
    with closing(made(tmp_path, server__host="example.org")) as services:
        assert not services.is_guest("admin")
