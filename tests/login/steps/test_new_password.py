"""Which passwords may be chosen."""

from __future__ import annotations

import pytest

from tuihost.core.login.chains import Chains, LoginChains
from tuihost.login.steps.new_password import (
    MIN_WITH_SECOND,
    is_common,
    min_password,
    password_problem,
)


@pytest.mark.parametrize(
    "password",
    [
        *("password", "PASSWORD", "iloveyou", "1qaz2wsx", "trustno1"),
        "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44",  # the same in full-width letters
        *("12345678", "1234567890", "0987654321", "abcdefgh", "hgfedcba"),
        *("        ", "aaaaaaaa", "abababab", "12121212", "abc1abc1abc", "letmeinletmeinlet"),
        *("passwordpassword", "iloveyouILOVEYOU", "Password 1234567", "123456789012345"),
        *("qwertyuiopasdfgh", "1q2w3e4r5t6y7u8i", "112233445566778899", "lkjhgfdsapoiuytrewq"),
        *("ada1234567890123", "password!", "welcome-12345678", "adminadminadmin!"),
    ],
)
def test_what_strangers_try_first_is_refused(password: str) -> None:
    problem = password_problem(password, user="ada")
    assert problem == "That is one of the first passwords that strangers try. Choose another one."


@pytest.mark.parametrize(
    "password",
    [
        *("correct horse", "correct-horse-9", "Übermut tut", "abcdefgx", "x" + "ab" * 4),
        *("x7kittyx", "goes-far-goes-far", "password for cats", "qwerty-1234-dragon-love"),
    ],
)
def test_any_other_may_be_chosen(password: str) -> None:
    assert not is_common(password)
    assert password_problem(password, user="ada", shortest=MIN_WITH_SECOND) is None


@pytest.mark.parametrize(
    ("host", "apps", "own", "shortest"),
    [
        (["publickey", "password"], {}, (), 15),
        (["publickey", "password, totp", "password"], {}, (), 15),
        (["publickey", "terms, password"], {}, (), 15),
        (["publickey, enroll", "password, enroll"], {}, (), 15),
        (["publickey", "password, totp", "password, recovery"], {}, (), 8),
        (["publickey", "password, delivery"], {}, (), 8),
        (["password, totp"], {"vault": ["password"]}, (), 15),
        (["password"], {}, (("password", "totp"),), 8),
        (["password, totp"], {"vault": ["password"]}, (("publickey",),), 8),
        (["password, totp"], {}, (("password",),), 15),
    ],
)
def test_fifteen_characters_where_the_password_alone_lets_in_and_eight_elsewhere(
    host: list[str], apps: dict[str, list[str]], own: Chains, shortest: int
) -> None:
    assert min_password(LoginChains.of(host, apps), own) == shortest
    for size in (shortest - 1, shortest):
        problem = password_problem("x7-kitty-goes-far"[:size], user="ada", shortest=shortest)
        assert (problem is None) is (size == shortest)


def test_a_password_is_not_made_of_a_name() -> None:
    assert password_problem("Ada-ada-ada-ada-1", user="ada") is not None
    assert password_problem("ada-goes-far-away", user="ada") is None
