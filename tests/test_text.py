"""Text of people is harmless after `clean`, and looks as it did wherever it was harmless before."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuihost.text import clean


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""), ("plain", "plain"), ("Zoë 你好 👋", "Zoë 你好 👋"),
        ("\x1b[31mred", "·[31mred"), ("a\rb\nc\td", "a·b·c·d"), ("\x7f\x9b31m", "··31m"),
        ("txt.\u202eexe", "txt.·exe"), ("a\u2066b\u2069", "a·b·"), ("pay\u200bpal", "pay·pal"),
        ("\ufeffx", "·x"), ("\udcff", "·"), ("a\u2028b", "a·b"),
    ],
)  # fmt: skip
def test_what_controls_a_terminal_or_hides_is_shown_as_a_dot(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_lines_stay_where_they_are_asked_for_and_nothing_else_does() -> None:
    assert clean("a\n\tb\r\x1b", lines=True) == "a\n\tb··"


def test_marks_that_pile_up_are_four() -> None:
    assert clean("a" + "\u0301" * 50 + "b") == "a" + "\u0301" * 4 + "b"


@pytest.mark.parametrize(
    ("limit", "shown"), [(0, "…"), (1, "…"), (3, "he…"), (5, "hello"), (9, "hello")]
)
def test_a_text_that_is_too_long_is_cut(limit: int, shown: str) -> None:
    assert clean("hello", limit=limit) == shown


@given(st.text(max_size=50))
def test_nothing_that_controls_anything_is_left(text: str) -> None:
    shown = clean(text)
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert clean(shown) == shown
    assert len(shown) <= len(text)
