"""Which passwords may be chosen."""

from __future__ import annotations

import pytest

from tuihost.login.steps.choosing import is_common, password_problem


@pytest.mark.parametrize(
    "password",
    [
        *("password", "PASSWORD", "iloveyou", "1qaz2wsx", "trustno1"),
        "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44",  # the same in full-width letters
        *("12345678", "1234567890", "0987654321", "abcdefgh", "hgfedcba"),
        *("        ", "aaaaaaaa", "abababab", "12121212", "abc1abc1abc"),
    ],
)
def test_what_strangers_try_first_is_refused(password: str) -> None:
    problem = password_problem(password, user="ada")
    assert problem == "That is one of the first passwords that strangers try. Choose another one."


@pytest.mark.parametrize(
    "password", ["correct horse", "correct-horse-9", "Übermut tut", "abcdefgx", "x" + "ab" * 4]
)
def test_any_other_may_be_chosen(password: str) -> None:
    assert not is_common(password)
    assert password_problem(password, user="ada") is None


@pytest.mark.parametrize(("password", "fits"), [("x7-kitt", False), ("x7-kitty", True)])
def test_eight_characters_are_the_least(password: str, fits: bool) -> None:
    assert (password_problem(password, user="ada") is None) is fits
