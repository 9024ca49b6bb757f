"""Which names an account can have, and which are one and the same to a person's eye."""

from __future__ import annotations

import pytest

from tuihost.core.login.account_names import MAX_NAME, chosen_name_problem, folded, name_problem


@pytest.mark.parametrize(
    "name", ["ada", "Ada_1", "a.b-c", "ada@example.org", "佐藤", "é", "x" * 64]
)
def test_names_that_can_be(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize("name", ["さとう太郎", "김철수", "Ольга", "Ñandú", "αβγ", "محمد"])
def test_a_name_has_letters_of_one_script(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize("name", ["ad\u0430", "p\u0430ypal", "gr\u0435ta", "αlpha", "中a"])
def test_a_name_that_mixes_scripts_is_refused(name: str) -> None:
    assert name_problem(name) == "a name cannot mix letters of different scripts"


@pytest.mark.parametrize(
    "unseen",
    [
        "\u00ad",
        "\u034f",
        "\u115f",
        "\u180e",
        "\u2060",
        "\u2800",
        "\u3164",
        "\ufe0f",
        "\uffa0",
        "\U000e0041",
    ],
)
def test_what_nobody_sees_makes_no_other_name(unseen: str) -> None:
    assert name_problem(f"ada{unseen}") is not None
    assert name_problem(unseen) is not None
    assert folded(f"a{unseen}da") == folded("ada")


@pytest.mark.parametrize("name", ["ada", "Ada.B", "a_b-c", "a1"])
def test_names_that_people_choose(name: str) -> None:
    assert chosen_name_problem(name, reserved=("notes", "guest-*")) is None


@pytest.mark.parametrize(
    "name",
    ["root", "ADMIN", "menu", "guest", "notes", "Notes", "guest-7", "*", "$(id)", "ünal", "a b"],
)
def test_names_that_nobody_can_choose(name: str) -> None:
    assert chosen_name_problem(name, reserved=("notes", "guest-*")) is not None


def test_letters_of_every_language_where_the_operator_says_so() -> None:
    assert chosen_name_problem("ünal", reserved=(), any_letters=True) is None
    assert chosen_name_problem("$(id)", reserved=(), any_letters=True) is not None


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
