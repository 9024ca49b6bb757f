"""The words in which a role is written."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.theme.test_theme import COLORS
from tuihost.theme.roles import (
    DECORATION,
    GLYPHS,
    MONO,
    PALETTE,
    ROLES,
    SURFACES,
    SYNTAX,
    Role,
    RoleError,
    ansi_like,
    hint,
    on_parents,
    parse_color,
    parse_role,
)


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("", Role()),
        ("ink", Role("#e0e4e8")),
        ("bold ink on accent", Role("#e0e4e8", "#60c0e0", bold=True)),
        ("on accent", Role("", "#60c0e0")),
        ("default on #FFF italic", Role("", "#ffffff", italic=True)),
        ("underline reverse dim", Role(underline=True, reverse=True, dim=True)),
    ],
)
def test_a_role_is_read(text: str, role: Role) -> None:
    assert parse_role(text, COLORS) == role


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("ink on", "'ink on' names no colour after 'on'"),
        ("ink soft", "'ink soft' has more than one colour: 'soft'"),
        ("on ink accent", "'on ink accent' has more than one background: 'accent'"),
        ("underlined", "'underlined' is neither a colour of the palette nor a mark"),
        ("#12345", "'#12345' is not a colour; write '#rrggbb' or 'default'"),
    ],
)
def test_a_mistake_in_a_role_is_one_sentence(text: str, mistake: str) -> None:
    with pytest.raises(RoleError) as caught:
        parse_role(text, COLORS)
    assert str(caught.value).startswith(mistake)


@given(st.text(max_size=60))
def test_no_text_of_a_role_is_more_than_a_mistake(text: str) -> None:
    with contextlib.suppress(RoleError):
        assert isinstance(parse_role(text, COLORS), Role)


def test_colours_are_written_in_one_way() -> None:
    assert parse_color("#ABC") == "#aabbcc"
    assert parse_color("#0F1620") == "#0f1620"
    assert parse_color("default") == ""


def test_a_dotted_role_has_the_colours_of_the_one_before_its_dot_and_its_own_marks() -> None:
    roles = {"match": Role("#111111", "#222222", bold=True), "match.selection": Role(bg="#333333")}
    assert on_parents(roles)["match.selection"] == Role("#111111", "#333333")


def test_the_sixteen_colours_lead_the_eye_as_the_accent_does() -> None:
    assert ansi_like("", True) == "ansibrightcyan"
    assert ansi_like("#d03030", True) == "ansibrightred"
    assert ansi_like("#2060d0", False) == "ansiblue"


def test_the_tables_fit_each_other() -> None:
    assert ROLES.keys() >= DECORATION | set(SURFACES) | MONO.keys()
    for text in (*ROLES.values(), *SYNTAX.values()):
        parse_role(text, dict.fromkeys(PALETTE, ""))
    for unicode, ascii_ in GLYPHS.values():
        assert unicode
        assert ascii_.isascii()


def test_a_hint_names_what_was_meant() -> None:
    assert hint("selecton", ROLES) == "; did you mean 'selection'?"
    assert hint("xyz", ROLES) == ""
