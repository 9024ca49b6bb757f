"""Which names an account can have, and which are one and the same to a person's eye."""

from __future__ import annotations

import pytest

from tuihost.core.login.account_names import (
    MAX_NAME,
    RESERVED_NAMES,
    as_label,
    chosen_name_problem,
    folded,
    guest_name_problem,
    is_reserved_label,
    name_problem,
    skeleton,
)


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


TAKEN = (*RESERVED_NAMES, "notes", "guest-*")


@pytest.mark.parametrize("name", ["ada", "Ada.B", "a_b-c", "a1"])
def test_names_that_people_choose(name: str) -> None:
    assert chosen_name_problem(name, reserved=TAKEN) is None


@pytest.mark.parametrize(
    "name",
    [
        *("root", "r00t", "ADMIN", "menu", "guest", "notes", "Notes", "guest-7"),
        *("*", "$(id)", "ünal", "a b", "ada@example.org"),
    ],
)
def test_names_that_nobody_can_choose(name: str) -> None:
    assert chosen_name_problem(name, reserved=TAKEN) is not None


def test_a_name_in_other_letters_that_could_be_a_latin_one_cannot_be_chosen() -> None:
    assert chosen_name_problem("асе", reserved=(), any_letters=True) is not None
    assert name_problem("асе") is None  # an operator who writes it means it


@pytest.mark.parametrize(
    "name",
    [
        *("guest", "ada", "Ada.B", "John Smith", "CORP\\ada", "ada@example.org", "user"),
        *("Ольга", "Вася", "さとう", "ẹ́na", "मोहन", "ไทยดี", "אב1", "محمد", "Łukasz", "Əli"),
    ],
)
def test_names_that_guests_have(name: str) -> None:
    assert guest_name_problem(name, reserved=RESERVED_NAMES) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "letters, digits"),
        ("a  b", "letters, digits"),
        ("\\ada", "letters, digits"),
        ("$(id)", "letters, digits"),
        ("😀", "letters, digits"),
        ("a\u1806b", "letters, digits"),  # a hyphen of another script
        ("a\ue000", "letters, digits"),  # private use
        ("a\u0378", "letters, digits"),  # not assigned
        ("ſam", "letters, digits"),  # stands for another letter
        ("a\u20dd", "letters, digits"),  # a mark around its letter
        ("a\u1100", "letters, digits"),  # a piece of a syllable
        ("john -x", "begin with"),
        ("x" * 65, "at most"),
        ("ada\u00ad", "nobody sees"),
        ("ɑda", "language of today"),  # phonetic
        ("ꭰꭰ", "language of today"),  # Cherokee
        ("ａｄａ", "letters, digits"),  # wide
        ("аdа", "different scripts"),
        ("ada३", "different scripts"),
        ("асе", "another script"),
        ("०१", "another script"),
        ("\u0301a", "accents"),
        ("1\u0301", "accents"),
        ("я\u0301\u0301", "accents"),
        ("я\u0301\u0302\u0303", "accents"),
        ("o\u0338a", "accents"),  # a stroke makes another letter
        ("ก\u0e34\u0e48\u0e34\u0e48\u0e34", "accents"),
        ("1אב", "right to left"),
        ("ب1٣", "right to left"),
        ("אב-", "right to left"),
        ("root", "reserved"),
        ("R00T", "reserved"),
        ("adm1n", "reserved"),
        ("support", "reserved"),
        ("root user", "reserved"),
        ("CORP\\Administrator", "reserved"),
        ("admin@example.org", "reserved"),
    ],
)
def test_names_that_guests_cannot_have(name: str, why: str) -> None:
    problem = guest_name_problem(name, reserved=RESERVED_NAMES)
    assert problem is not None
    assert why in problem


@pytest.mark.parametrize(
    ("name", "looks_like"),
    [
        ("a1ice", "alice"),
        ("al1ce", "alice"),
        ("aliсe", "alIce"),
        ("1l1y", "lily"),
        ("AIice", "alice"),
        ("асе", "ace"),
        ("ΑCΕ", "ace"),
        ("օսհ", "ouh"),
        ("d0ra", "dora"),
        ("rnax", "max"),
        ("ı", "i"),
        ("İda", "ida"),
        ("1Ο", "lo"),
    ],
)
def test_names_that_look_the_same(name: str, looks_like: str) -> None:
    assert skeleton(name) == skeleton(looks_like)


def test_names_in_ascii_are_judged_as_the_same_ones_before_another_letter() -> None:
    """They take a shorter way than those with letters like this one."""
    letter = "é"
    names = [first + second for first in map(chr, range(128)) for second in "aA1.@- \t|"]
    for name in names:
        assert skeleton(name + letter) == skeleton(name) + letter, name
        assert folded(name + letter) == folded(name) + letter, name
        assert name_problem(name + letter) == name_problem(name), name


@pytest.mark.parametrize(("one", "other"), [("ada", "adá"), ("ada", "eda"), ("Ольга", "Olga")])
def test_names_that_do_not(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


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
        ("a b", "spaces"),
        ("a\u00a0b", "letters"),
        ("ada+notes", "letters"),
        ("guest:ada", "letters"),
        ("a/b", "letters"),
        ("a\\b", "letters"),
        ("%u", "letters"),
        (".ada", "begin"),
        ("-ada", "begin"),
        ("..", "begin"),
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
    ("label", "reserved"),
    [
        ("root", True),
        ("R00T", True),
        ("adm1n", True),
        ("post-master", True),
        ("p0st-rnaster", True),
        ("a-b-c-d-e-f", True),
        ("team-red", True),
        ("team-red-2", True),
        ("localhost", False),
        ("roots", False),
        ("ada-l", False),
        ("", False),
    ],
)
def test_a_label_of_an_address_reads_as_a_reserved_name(label: str, reserved: bool) -> None:
    words = (*RESERVED_NAMES, "post.master", "a_b.c-d.e_f", "Team.*")
    assert is_reserved_label(label, words) is reserved


def test_a_name_as_a_label() -> None:
    assert as_label("ada.l_2@example-org") == "ada-l-2-example-org"


def test_a_name_that_looks_like_a_reserved_one_is_told_which() -> None:
    assert guest_name_problem("adm1n", reserved=RESERVED_NAMES) == (
        "it looks like admin, which is reserved for the people who run this host"
    )
    assert guest_name_problem("root", reserved=RESERVED_NAMES) == (
        "it is reserved for the people who run this host"
    )
    assert chosen_name_problem("st4ff", reserved=RESERVED_NAMES) is None
    assert chosen_name_problem("r0ot", reserved=RESERVED_NAMES) == (
        "that name looks like root, which is reserved"
    )
    assert chosen_name_problem("team-red", reserved=("team-*",)) == "that name is reserved"
