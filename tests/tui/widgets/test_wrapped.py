"""Rows that are broken between words."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuihost.tui.widgets._wrapped import row_starts
from tuihost.tui.widgets.cells import width_of

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
