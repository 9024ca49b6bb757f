"""What an app accepts, judged as data."""

from __future__ import annotations

from typing import Any

import pytest

from tuihost.core.accepts import (
    Accepts,
    ForwardRule,
    ListenRule,
    SocketRule,
)
from tuihost.errors import AppLoadError
from tuihost.wire import SocketAddress, TcpAddress, UnixAddress

Rule = ForwardRule | SocketRule


@pytest.mark.parametrize(
    ("rule", "address", "matches"),
    [
        (ForwardRule("notes", 80), TcpAddress("notes", 80), True),
        (ForwardRule("Notes", 80), TcpAddress("NOTES", 80), True),
        (ForwardRule("notes", 80), TcpAddress("notes", 81), False),
        (ForwardRule("notes", 80), TcpAddress("notes.", 80), False),
        (ForwardRule("*.notes", 80), TcpAddress("ada.notes", 80), True),
        (ForwardRule("*.notes", 80), TcpAddress("notes", 80), False),
        (ForwardRule("*", 0), UnixAddress("/notes.sock"), False),
        (ListenRule("*", 80), TcpAddress("anything", 80), True),
        (SocketRule("/notes.sock"), UnixAddress("/notes.sock"), True),
        (SocketRule("/notes.sock"), UnixAddress("/NOTES.sock"), False),
        (SocketRule("/notes/*"), UnixAddress("/notes/ada"), True),
        (SocketRule("*"), TcpAddress("/notes.sock", 0), False),
    ],
)
def test_a_rule_matches_what_it_names(rule: Rule, address: SocketAddress, matches: bool) -> None:
    assert rule.matches(address) is matches


@pytest.mark.parametrize(
    ("rule", "exact"),
    [
        (ForwardRule("notes", 80), True),
        (ForwardRule("*.notes", 80), False),
        (ForwardRule("note?", 80), False),
        (ListenRule("note[sz]", 80), False),
        (SocketRule("/notes.sock"), True),
        (SocketRule("/*.sock"), False),
    ],
)
def test_a_rule_without_a_pattern_is_exact(rule: Rule, exact: bool) -> None:
    assert rule.exact is exact


@pytest.mark.parametrize(
    ("accepts", "guest", "roles", "may"),
    [
        (Accepts(), True, (), True),
        (Accepts(), False, (), True),
        (Accepts(guests=False), True, (), False),
        (Accepts(guests=False), False, (), True),
        (Accepts(roles=frozenset({"staff"})), False, (), False),
        (Accepts(roles=frozenset({"staff"})), False, ("staff", "other"), True),
        (Accepts(roles=frozenset({"staff"})), False, ("other",), False),
        (Accepts(roles=frozenset({"staff"})), True, ("staff",), True),
        (Accepts(guests=False, roles=frozenset({"staff"})), True, ("staff",), False),
        (Accepts(roles=("staff", "admin")), False, ("staff",), True),
        (Accepts(roles=["staff", "admin"]), False, ("other",), False),
    ],
)
def test_who_may_use_an_app(
    accepts: Accepts, guest: bool, roles: tuple[str, ...], may: bool
) -> None:
    assert accepts.may_use(guest=guest, roles=roles) is may


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"roles": "admin"}, "`roles` should be a tuple of roles, not 'admin'"),
        ({"env": "BACKUP_*"}, "`env` should be a tuple of patterns, not 'BACKUP_*'"),
        ({"subsystems": "backup"}, "`subsystems` should be a tuple of names, not 'backup'"),
        ({"forwards": ForwardRule("web", 80)}, "`forwards` should be a tuple of rules, not"),
        ({"listens": ("web:80",)}, "'web:80' is not one of the rules in `listens`"),
        ({"env": (3,)}, "3 is not one of the patterns in `env`"),
        ({"guests": "no"}, "`guests` should be True or False, not 'no'"),
    ],
)
def test_what_would_mean_something_else_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(AppLoadError) as caught:
        Accepts(**given)
    assert told in str(caught.value)


def test_any_collection_becomes_what_the_host_keeps() -> None:
    rule = ForwardRule("web", 80)
    given: dict[str, Any] = {"env": ["A"], "forwards": [rule], "roles": ("staff",)}
    assert Accepts(**given) == Accepts(env=("A",), forwards=(rule,), roles=frozenset({"staff"}))
