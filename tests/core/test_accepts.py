"""What an app accepts, judged as data."""

from __future__ import annotations

import pytest

from tuihost.core.accepts import (
    Accepts,
    ForwardRule,
    ListenRule,
    SocketRule,
)
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
    ],
)
def test_who_may_use_an_app(
    accepts: Accepts, guest: bool, roles: tuple[str, ...], may: bool
) -> None:
    assert accepts.may_use(guest=guest, roles=roles) is may
