"""Who may use which app, and which app answers what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tuihost import Accepts, Account, App, Session, command
from tuihost.core.accepts import ForwardRule, ListenRule
from tuihost.core.login.chains import LoginChains
from tuihost.host.access import Access
from tuihost.host.login.visitor import Visitor
from tuihost.host.plugins.app_catalog import Loaded
from tuihost.settings.loading import load
from tuihost.wire import Identity, Restrictions, TcpAddress


class Menu(App):
    name = "menu"


class Staff(App):
    name = "staff"
    accepts = Accepts(
        roles=frozenset({"staff"}),
        x11=True,
        subsystems=("backup",),
        forwards=(ForwardRule("*.box", 80), ForwardRule("desk", 80)),
        listens=(ListenRule("desk", 80),),
    )

    def files(self, session: Session) -> Any: ...

    @command
    def look(self, session: Session) -> None:
        """Looks."""


class Open(App):
    name = "open"
    accepts = Accepts(agent=True, forwards=(ForwardRule("one.box", 80),))


APPS = {app.name: Loaded(app, "the test") for app in (Menu(), Staff(), Open())}
GIVEN = {"server.script": "staff look", "server.default_app": "menu"}


def access(**more: Any) -> Access:
    return Access(load(None, {}, {**GIVEN, **more}), APPS)


def visitor(
    *roles: str,
    guest: bool = False,
    command: str | None = None,
    table: Mapping[str, Any] | None = None,
) -> Visitor:
    settings = load(None, {}, {**GIVEN, "roles": table or {}})
    identity = Identity(
        "ada", guest=guest, roles=frozenset(roles), restrictions=Restrictions(command=command)
    )
    return Access(settings, APPS).visitor(identity)


NO_APPS: dict[str, Any] = {"user": {"apps": ["open"], "x11": False, "agent": False}}


@pytest.mark.parametrize(
    ("account", "names"),
    [
        (visitor(), {"menu", "open"}),
        (visitor("staff"), {"menu", "open", "staff"}),
        (visitor("staff", guest=True), {"menu", "open", "staff"}),
        (visitor("staff", command="staff look"), {"staff"}),
        (visitor("staff", command="nowhere"), set[str]()),
        (visitor("staff", table=NO_APPS), {"open"}),
        (Account("ada", guest=False), {"menu", "open"}),
        (Account("ada", guest=False, roles=frozenset({"staff"})), {"menu", "open", "staff"}),
    ],
)
def test_what_somebody_may_open(account: Account, names: set[str]) -> None:
    here = access()
    assert here.names_for(account) == names
    assert {name for name in APPS if here.may_open(account, name)} == names


@pytest.mark.parametrize(
    ("account", "home"),
    [
        (visitor(), "menu"),
        (visitor("staff", command="staff look"), "staff"),
        (visitor(table=NO_APPS), None),
    ],
)
def test_where_everything_leads_back_to(account: Account, home: str | None) -> None:
    assert access().home_of(account) == home


def test_a_script_is_for_those_who_may_run_it() -> None:
    here = access()
    assert here.script_for(visitor("staff")) == ("staff", "look")
    assert here.script_for(visitor()) == ()
    confined = {"user": {"apps": ["*"], "commands": ["open *"]}}
    assert here.script_for(visitor("staff", table=confined)) == ()
    assert access(**{"server.script": ""}).script_for(visitor("staff")) == ()


def test_a_subsystem_is_an_apps_or_the_files_of_the_host() -> None:
    here = access()
    assert here.serves(visitor("staff"), "backup")
    assert not here.serves(visitor(), "backup")
    assert here.serves(visitor("staff"), "sftp")
    assert here.serves(visitor(), "sftp"), "it says that their roles allow no files"
    assert here.file_apps(visitor()) == ()
    assert not Access(load(None, {}, GIVEN), {"menu": APPS["menu"]}).serves(visitor(), "sftp")
    assert not here.serves(visitor("staff"), "other")


@pytest.mark.parametrize(
    ("host", "answers"),
    [("two.box", "staff"), ("one.box", "open"), ("desk", "staff"), ("elsewhere", None)],
)
def test_an_exact_name_comes_before_a_pattern(host: str, answers: str | None) -> None:
    app = access().forward_app(visitor("staff"), TcpAddress(host, 80))
    assert (app and app.name) == answers


def test_an_app_answers_nothing_for_people_who_may_not_open_it() -> None:
    here = access()
    assert here.listen_app(visitor("staff"), TcpAddress("desk", 80)) is APPS["staff"].app
    assert here.listen_app(visitor(), TcpAddress("desk", 80)) is None
    assert here.forward_app(visitor(), TcpAddress("desk", 80)) is None


def test_why_a_display_and_an_agent_are_of_no_use() -> None:
    here = access()
    assert here.why_no_x11(visitor("staff")) is None
    assert here.why_no_x11(visitor()) == "no app here uses X11"
    assert here.why_no_agent(visitor()) is None
    assert here.why_no_x11(visitor(table=NO_APPS)) == "their roles do not allow X11"
    assert here.why_no_agent(visitor(table=NO_APPS)) == "their roles do not allow an agent"
    only_menu = visitor("staff", table={"user": {"apps": ["menu"]}})
    assert here.why_no_agent(only_menu) == "no app here uses an agent"


SHOWN = {
    "menu": Accepts(),
    "notes": Accepts(guests=False),
    "vault": Accepts(),
    "desk": Accepts(roles=frozenset({"staff"})),
}
SHOWING = Access(
    load(None, {}, {}),
    {
        name: Loaded(type("Shown", (App,), {"name": name, "accepts": accepts})(), "the test")
        for name, accepts in SHOWN.items()
    },
    LoginChains((("publickey",),), {"vault": (("publickey", "totp"),)}),
)


def entered(**about: Any) -> Visitor:
    given = {"user": "ada", "guest": False, "factors": ("publickey",), **about}
    return SHOWING.visitor(Identity(**given), 7)


@pytest.mark.parametrize(
    ("about", "apps"),
    [
        ({}, {"menu", "notes"}),
        ({"guest": True, "factors": ("none",)}, {"menu"}),
        ({"roles": frozenset({"staff"})}, {"menu", "notes", "desk"}),
        ({"factors": ("publickey", "totp")}, {"menu", "notes", "vault"}),
        ({"restrictions": Restrictions(command="notes list")}, {"notes"}),
        ({"restrictions": Restrictions(command="'unclosed")}, set[str]()),
        ({"restrictions": Restrictions(command="")}, set[str]()),
    ],
)
def test_what_a_login_opens(about: dict[str, Any], apps: set[str]) -> None:
    here = entered(**about)
    assert here.apps == apps
    assert {name for name in SHOWN if here.may_open(name)} == apps


def test_a_name_may_be_seen_that_cannot_be_opened() -> None:
    here = entered()
    assert SHOWING.may_see(here, "broken")
    assert not here.may_open("broken")
    assert not here.may_run("broken", "anything")
    confined = entered(restrictions=Restrictions(command="notes list"))
    assert not SHOWING.may_see(confined, "broken")


def test_the_line_of_a_key_is_kept_only_where_it_gives_everything() -> None:
    assert entered(key="ssh-ed25519 AAAA").key_line == "ssh-ed25519 AAAA"
    assert entered(key="ssh-ed25519 AAAA", restrictions=Restrictions()).key_line is not None
    assert entered(key="ssh-ed25519 AAAA", restrictions=Restrictions(pty=False)).key_line is None
