"""Roles, ways in and names, by their rules."""

from __future__ import annotations

import pytest

from tuihost.core.login.account_names import MAX_NAME, folded, name_problem
from tuihost.core.login.rights import Rights, Ways, chains_of, proved, rights_of, with_second


@pytest.mark.parametrize(
    ("guest", "roles", "table", "expected"),
    [
        (True, (), {}, Rights()),
        (False, ("staff",), {}, Rights()),
        (False, (), {"guest": Rights(apps=("a",))}, Rights()),
        (True, (), {"guest": Rights(apps=("a",))}, Rights(apps=("a",))),
        # A guest has no other role, whatever somebody wrote.
        (True, ("staff",), {"guest": Rights(()), "staff": Rights()}, Rights((), ("*",))),
        (
            False,
            ("staff", "other"),
            {"user": Rights(("a",), ("a *",)), "staff": Rights(("b", "a"), (), ("db:5432",))},
            Rights(("a", "b"), ("a *",), ("db:5432",)),
        ),
        # An account is no guest, not even one that has a role of that name.
        (False, ("guest",), {"guest": Rights(("g",)), "user": Rights(("a",))}, Rights(("a",))),
        (False, (), {"staff": Rights(forwards=("*",))}, Rights()),
    ],
)
def test_somebody_may_what_any_of_their_roles_may(
    guest: bool, roles: tuple[str, ...], table: dict[str, Rights], expected: Rights
) -> None:
    assert rights_of(table, guest=guest, roles=roles) == expected


def test_patterns() -> None:
    rights = Rights(("notes", "work-*"), ("notes *", "work-a list"), ("db*:5432",))
    assert [rights.app(name) for name in ("notes", "work-x", "menu")] == [True, True, False]
    assert rights.command("notes", "add")
    assert rights.command("work-a", "list")
    assert not rights.command("work-a", "delete")
    assert not rights.command("menu", "list")
    assert rights.forward("db1", 5432)
    assert not rights.forward("db1", 22)
    assert not Rights().forward("localhost", 80)
    assert not Rights(apps=()).command("notes", "add")


def test_chains_as_they_are_written() -> None:
    lines = ("publickey, totp", " password ", "publickey,totp", ",", "")
    assert chains_of(lines) == (("publickey", "totp"), ("password",))


@pytest.mark.parametrize(
    ("factors", "enough"),
    [
        (("publickey", "totp"), True),
        (("publickey", "password", "totp"), True),
        (("totp", "publickey"), False),
        (("publickey",), False),
        ((), False),
    ],
)
def test_what_a_login_proves(factors: tuple[str, ...], enough: bool) -> None:
    assert proved(factors, (("approve",), ("publickey", "totp"))) is enough
    assert not proved(factors, ())


WAYS = Ways(
    (("publickey",), ("password", "totp")),
    {"vault": (("publickey", "totp"),), "door": (("totp",),)},
)


@pytest.mark.parametrize(
    ("app", "factors", "target", "guest", "opens"),
    [
        ("menu", ("publickey",), None, False, True),
        ("menu", ("publickey",), "notes", False, True),
        ("vault", ("publickey",), None, False, False),
        ("vault", ("publickey", "totp"), "vault", False, True),
        ("vault", ("password", "totp"), "vault", False, False),
        ("menu", ("publickey", "totp"), "vault", False, True),  # it is a way of the host's as well
        ("door", ("totp",), "door", False, True),
        ("menu", ("totp",), "door", False, False),  # an easier way leads no further
        ("vault", ("totp",), "door", False, False),
        ("menu", ("none",), None, True, True),
        ("menu", ("none",), "door", True, True),
        ("vault", ("none",), None, True, False),
    ],
)
def test_which_apps_a_login_leads_to(
    app: str, factors: tuple[str, ...], target: str | None, guest: bool, opens: bool
) -> None:
    assert WAYS.open(app, factors=factors, target=target, guest=guest) is opens


def test_ways_to_an_app() -> None:
    assert WAYS.to(None) == WAYS.to("notes") == WAYS.host
    assert WAYS.to("vault") == WAYS.apps["vault"]


@pytest.mark.parametrize(
    "name", ["ada", "Ada_1", "a.b-c", "ada@example.org", "佐藤", "é", "x" * 64]
)
def test_names_that_can_be(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "at least one"),
        ("x" * (MAX_NAME + 1), "at most"),
        ("a\x1b[2J", "control"),
        ("a\u202eb", "control"),
        ("e\u0301", "shorter form"),
        ("a b", "control|spaces"),
        ("a\u00a0b", "control|spaces"),
        ("ada+notes", "none of"),
        ("guest:ada", "none of"),
        ("a/b", "none of"),
        ("a\\b", "none of"),
        ("%u", "none of"),
        (".ada", "none of"),
        ("-ada", "none of"),
        ("..", "none of"),
    ],
)
def test_names_that_cannot(name: str, why: str) -> None:
    problem = name_problem(name)
    assert problem is not None
    assert any(word in problem for word in why.split("|"))


@pytest.mark.parametrize(
    ("one", "other"),
    [("ada", "ADA"), ("straße", "STRASSE"), ("ada", "\uff21da"), ("\u00e9", "e\u0301")],
)
def test_twins(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("chains", "left"),
    [
        ([("password",)], [("password",)]),
        (
            [("publickey",), ("password", "totp"), ("password",)],
            [("publickey",), ("password", "totp")],
        ),
        ([("password",), ("publickey", "totp")], [("password",), ("publickey", "totp")]),
    ],
)
def test_a_second_factor_that_is_set_up_is_asked_for(
    chains: list[tuple[str, ...]], left: list[tuple[str, ...]]
) -> None:
    assert with_second(tuple(chains)) == tuple(left)
