"""Which names an account can have, and which are one and the same to a person's eye."""

from __future__ import annotations

import pytest

from tuihost.core.login.account_names import MAX_NAME, folded, name_problem


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
        ("ada+notes", "cannot have any of"),
        ("guest:ada", "cannot have any of"),
        ("a/b", "cannot have any of"),
        ("a\\b", "cannot have any of"),
        ("%u", "cannot have any of"),
        (".ada", "cannot have any of"),
        ("-ada", "cannot have any of"),
        ("..", "cannot have any of"),
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
