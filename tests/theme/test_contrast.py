"""Contrast by WCAG 2.2, against values that others have worked out."""

from __future__ import annotations

from math import dist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuihost.theme.contrast import (
    AA,
    as_deuteranope,
    contrast,
    ensure_contrast,
    hex_of,
    lab,
    luminance,
    rgb_of,
)

HEX = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)


@pytest.mark.parametrize(
    ("first", "second", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#0000ff", "#ffffff", 8.59),
        ("#123456", "#123456", 1.0),
    ],
)
def test_the_contrast_of_two_colours(first: str, second: str, ratio: float) -> None:
    assert contrast(first, second) == contrast(second, first)
    assert contrast(first, second) == pytest.approx(ratio, abs=0.005)


@given(HEX)
def test_property_a_colour_and_its_parts(color: str) -> None:
    assert hex_of(rgb_of(color)) == color
    assert 0.0 <= luminance(color) <= 1.0


@given(HEX, HEX)
def test_one_ground_can_always_be_written_on(color: str, ground: str) -> None:
    moved = ensure_contrast(color, (ground,))
    assert contrast(moved, ground) >= AA
    if contrast(color, ground) >= AA:
        assert moved == color


def test_where_no_colour_is_readable_the_best_one_is_given() -> None:
    best = ensure_contrast("#808080", ("#000000", "#ffffff"))
    worst = min(contrast(best, "#000000"), contrast(best, "#ffffff"))
    assert worst == pytest.approx(4.58, abs=0.1)


def test_red_and_green_are_alike_to_eyes_without_green_cones() -> None:
    def difference(first: str, second: str) -> float:
        return dist(lab(as_deuteranope(first)), lab(as_deuteranope(second)))

    assert difference("#ffffff", "#000000") == pytest.approx(100, abs=1)
    assert difference("#b08000", "#80a000") < 25 < difference("#0060d0", "#d0a000")
