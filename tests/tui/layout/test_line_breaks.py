"""Rows that are broken between words."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuihost.tui.characters import width_of
from tuihost.tui.layout.line_breaks import _starts_from, row_starts, starts_again

FLAG = "🇩🇪"


@pytest.mark.parametrize(
    ("line", "width", "rows"),
    [
        ("", 5, [""]),
        ("one two", 5, ["one ", "two"]),
        ("12345 6", 5, ["12345 ", "6"]),
        ("1234567", 5, ["12345", "67"]),
        ("a 1234567", 5, ["a ", "12345", "67"]),
        ("日本語テキスト", 5, ["日本", "語テ", "キス", "ト"]),
        (FLAG * 2, 5, [FLAG, FLAG]),
    ],
)
def test_rows_of_a_line(line: str, width: int, rows: list[str]) -> None:
    starts = [*row_starts(line, width), len(line)]
    assert [line[begin:end] for begin, end in pairwise(starts)] == rows


@given(st.text(alphabet="ab \t語́👩🇩", max_size=60), st.integers(4, 20))
def test_rows_lose_nothing_and_fit(line: str, width: int) -> None:
    starts = [*row_starts(line, width), len(line)]
    assert starts == sorted(set(starts)) or line == ""
    for begin, end in pairwise(starts):
        assert width_of(line[begin:end].replace("\t", " ").rstrip()) <= width


@given(st.text(alphabet="ab ", max_size=80), st.integers(1, 12))
def test_the_quick_way_for_ascii_is_the_same(line: str, width: int) -> None:
    assert row_starts(line, width) == (0, *_starts_from(line, 0, width))


@given(
    st.text(alphabet="ab 語é", min_size=200, max_size=400),
    st.text(alphabet="ab 語é\u0301", max_size=30),
    st.integers(0, 400),
    st.integers(0, 40),
    st.integers(4, 12),
)
def test_a_changed_line_has_the_rows_that_it_would_have_from_the_beginning(
    line: str, put: str, at: int, gone: int, width: int
) -> None:
    changed = line[:at] + put + line[at + gone :]
    again = starts_again(changed, width, line, row_starts(line, width))
    assert again == row_starts(changed, width)
