"""Who may come in by which chains, as complete tables."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from tuihost.core.login.chains import (
    NO_CHAIN,
    PASSWORD,
    Chains,
    LoginChains,
    Who,
    chains_of,
    only_by_invitation,
    proved,
    unknown_factors,
    with_second,
)

FACTORS = {
    "n": "none", "k": "publickey", "p": "password", "t": "totp", "i": "invite", "a": "approve",
}  # fmt: skip


def chains(text: str) -> Chains:
    """Chains by the letters of their factors: `k pt` is publickey, or password and totp."""
    return tuple(tuple(FACTORS[letter] for letter in word) for word in text.split())


HOST, VAULT, OWN = "n k p pt i", "n kt k pi", "n p pt ia"
LOGIN = LoginChains(chains(HOST), {"vault": chains(VAULT)})

# Whose name it is, whether it has chains of its own, and whether the app that is asked for has:
# the chains without a second factor, and with one.
OFFERED = {
    (Who.ACCOUNT, False, False): ("k p pt", "k pt"),
    (Who.ACCOUNT, False, True): ("kt k", "kt"),
    (Who.ACCOUNT, True, False): ("p pt ia", "pt ia"),
    (Who.ACCOUNT, True, True): ("p pt ia", "pt ia"),
    (Who.CLOSED, False, False): ("k p pt", "k pt"),
    (Who.CLOSED, False, True): ("kt k", "kt"),
    (Who.CLOSED, True, False): ("p pt", "pt"),
    (Who.CLOSED, True, True): ("p pt", "pt"),
    (Who.GUEST, False, False): ("n k p pt", "n k pt"),
    (Who.GUEST, False, True): ("n kt k", "n kt"),
    (Who.GUEST, True, False): ("n p pt", "n pt"),
    (Who.GUEST, True, True): ("n p pt", "n pt"),
    (Who.INVITED, False, False): ("ki i", "ki i"),
    (Who.INVITED, False, True): ("ki i", "ki i"),
    (Who.INVITED, True, False): ("kia ia", "kia ia"),
    (Who.INVITED, True, True): ("kia ia", "kia ia"),
    (Who.NOBODY, False, False): ("k p pt", "k pt"),
    (Who.NOBODY, False, True): ("kt k", "kt"),
    (Who.NOBODY, True, False): ("p pt", "pt"),
    (Who.NOBODY, True, True): ("p pt", "pt"),
}


@pytest.mark.parametrize("who", Who)
@pytest.mark.parametrize("own", [False, True], ids=["the host's", "its own"])
@pytest.mark.parametrize("target", [None, "notes", "vault"])
@pytest.mark.parametrize("second", [False, True], ids=["", "second factor"])
def test_who_is_offered_which_chains(who: Who, own: bool, target: str | None, second: bool) -> None:
    expected = OFFERED[who, own, target == "vault"][second]
    given = chains(OWN) if own else ()
    assert LOGIN.offered(who, target, own=given, second=second) == chains(expected)


@pytest.mark.parametrize("who", Who)
@pytest.mark.parametrize("second", [False, True])
def test_what_no_settings_change(who: Who, second: bool) -> None:
    """With every choice of chains for the host and for the account."""
    pool = chains("n k p pt i")
    choices = [chosen for size in range(6) for chosen in combinations(pool, size)]
    for host, own in product(choices, choices):
        offered = LoginChains(host, {}).offered(who, own=own, second=second)
        assert offered
        assert all(offered)
        assert len(set(offered)) == len(offered)
        if who is not Who.GUEST:
            assert ("none",) not in offered
        if who is Who.INVITED:
            assert all("invite" in chain for chain in offered)
        elif not (who is Who.ACCOUNT and own):
            assert ("invite",) not in offered
        if second and who is not Who.INVITED:
            assert not {("password",), ("password", "totp")} <= set(offered)


def test_an_account_that_is_closed_and_a_name_that_is_nobodys_look_like_an_open_account() -> None:
    for target, second in product((None, "vault"), (False, True)):
        seen = {
            LOGIN.offered(who, target, second=second)
            for who in (Who.ACCOUNT, Who.CLOSED, Who.NOBODY)
        }
        assert len(seen) == 1


@pytest.mark.parametrize(
    ("who", "host", "expected"),
    [
        (Who.ACCOUNT, "", NO_CHAIN),
        (Who.ACCOUNT, "n i", NO_CHAIN),
        (Who.NOBODY, "i", NO_CHAIN),
        (Who.GUEST, "", chains("n")),
        (Who.INVITED, "p", chains("ki i")),
        (Who.INVITED, "kit it", chains("kit kit it")[1:]),
    ],
)
def test_where_nothing_is_left(who: Who, host: str, expected: Chains) -> None:
    assert LoginChains(chains(host), {}).offered(who) == expected


def test_a_chain_without_factors_is_none() -> None:
    assert LoginChains(((), ("password",)), {}).offered(Who.ACCOUNT) == chains("p")


# Where the app has chains of its own, whether one of them is proved decides. Where it has none:
# guest, the app that was asked for has chains of its own, one of the host's is proved.
OPENS = {
    (True, True, True): True,
    (True, True, False): True,
    (True, False, True): True,
    (True, False, False): True,
    (False, False, True): True,
    (False, False, False): True,
    (False, True, True): True,
    (False, True, False): False,  # easier chains lead to their own app and no further
}


@pytest.mark.parametrize("guest", [False, True])
@pytest.mark.parametrize("target", [None, "notes", "lobby"])
@pytest.mark.parametrize("app", ["notes", "vault", "lobby"])
@pytest.mark.parametrize(
    ("factors", "proves"),
    [
        ("", ""),
        ("n", ""),
        ("p", "host"),
        ("a", "lobby"),
        ("kt", "vault"),
        ("kpt", "host vault"),
        ("tk", ""),
        ("pakt", "host lobby vault"),
    ],
)
def test_which_apps_a_login_leads_to(
    app: str, factors: str, proves: str, target: str | None, guest: bool
) -> None:
    login = LoginChains(chains("p"), {"vault": chains("kt"), "lobby": chains("a")})
    if app in login.apps:
        expected = app in proves.split()
    else:
        expected = OPENS[guest, target == "lobby", "host" in proves.split()]
    given = tuple(FACTORS[letter] for letter in factors)
    assert login.open(app, factors=given, target=target, guest=guest) is expected


@pytest.mark.parametrize(
    ("host", "apps", "mistakes"),
    [
        (["password", "publickey, totp"], {"vault": ["password, totp"]}, []),
        (["none"], {}, []),
        ([], {}, ["login.chains: has no chain, so nobody could log in"]),
        (["password"], {"box": [","]}, ["login.app_chains.box: has no chain"]),
        (
            ["none, totp"],
            {"box": ["password, none"]},
            [
                "login.chains: the factor 'none' has to be alone in its chain",
                "login.app_chains.box: the factor 'none' has to be alone in its chain",
            ],
        ),
        (
            ["password, tarot", "tarot", "dice"],
            {},
            [
                "login.chains: no step is called 'tarot'; there are none, password, publickey",
                "login.chains: no step is called 'dice'",
            ],
        ),
    ],
)
def test_mistakes_in_the_settings(
    host: list[str], apps: dict[str, list[str]], mistakes: list[str]
) -> None:
    found = list(LoginChains.of(host, apps).mistakes(["totp"]))
    assert len(found) == len(mistakes)
    for sentence, beginning in zip(found, mistakes, strict=True):
        assert sentence.startswith(beginning)


@pytest.mark.parametrize(
    ("factor", "asked"), [("password", True), ("totp", True), ("approve", False)]
)
def test_which_factors_any_chain_asks_for(factor: str, asked: bool) -> None:
    login = LoginChains.of(["password"], {"vault": ["publickey, totp"]})
    assert login.ask_for(factor) is asked


@pytest.mark.parametrize(
    ("own", "only"), [("", False), ("i", True), ("i ki", True), ("i p", False), ("p", False)]
)
def test_an_account_under_whose_name_people_come_by_invitation(own: str, only: bool) -> None:
    assert only_by_invitation(chains(own)) is only


@pytest.mark.parametrize(
    ("host", "app", "own", "alone"),
    [
        ("password", "publickey", "", True),
        ("publickey", "password", "", True),  # an app's chain lets them in as well
        ("publickey", "publickey, password", "", False),
        ("password, terms", "publickey", "", True),  # what anybody can complete proves nothing
        ("password, totp", "publickey", "", False),
        ("password", "password", "publickey", False),  # their own take the place of all others
        ("publickey", "publickey", "password", True),
    ],
)
def test_where_a_password_is_all_that_is_proved(host: str, app: str, own: str, alone: bool) -> None:
    login = LoginChains.of([host], {"vault": [app]})
    assert login.password_alone(chains_of([own])) is alone


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


@pytest.mark.parametrize(
    ("given", "left"),
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
    given: list[tuple[str, ...]], left: list[tuple[str, ...]]
) -> None:
    assert with_second(tuple(given)) == tuple(left)


@pytest.mark.parametrize(
    ("host", "apps", "own", "alone"),
    [
        (["publickey", "password"], {}, (), True),
        (["publickey", "password, totp", "password"], {}, (), True),
        (["publickey", "terms, password"], {}, (), True),
        (["password, enroll"], {}, (), True),
        (["password, totp"], {"vault": ["password"]}, (), True),
        (["password, totp"], {}, ((PASSWORD,),), True),
        (["publickey", "password, totp", "password, recovery"], {}, (), False),
        (["password"], {"vault": ["password"]}, ((PASSWORD, "totp"),), False),
        (["publickey"], {}, (), False),
    ],
)
def test_where_a_password_lets_in_that_proves_nothing_else(
    host: list[str], apps: dict[str, list[str]], own: Chains, alone: bool
) -> None:
    assert LoginChains.of(host, apps).password_alone(own) is alone


def test_a_factor_that_nothing_settles_is_named_once() -> None:
    chains = (("publickey", "riddle"), ("password", "totp"), ("none",), ("riddle",))
    assert unknown_factors(chains, ["totp"]) == ("riddle",)
    assert unknown_factors(chains, ["totp", "riddle"]) == ()
