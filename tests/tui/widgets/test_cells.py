"""Text measured in cells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuihost.tui.characters import width_of
from tuihost.tui.widgets.cells import cut, fit, length, marked, pad, restyled, spread, wrap


@given(st.text(max_size=40), st.integers(0, 30))
def test_fit_and_pad_never_take_more_room(text: str, width: int) -> None:
    assert width_of(fit(text, width)) <= width
    for align in ("left", "right", "center"):
        assert width_of(pad(text, width, align=align)) == width


def test_wide_characters_are_not_split() -> None:
    assert fit("日本語", 4) == "日…"
    assert pad("日本", 5, align="right") == " 日本"


def test_control_characters_do_not_pass() -> None:
    assert fit("a\x1b[2Jb\u202e", 20) == "a·[2Jb·"
    assert "\x9b" not in "".join(wrap("x\x9by", 10))


@given(st.text(alphabet="ab 日\n", max_size=60), st.integers(2, 20))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(width_of(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")


def test_spread_fills_the_line_and_cuts_the_left_side() -> None:
    line = spread([("a", "left side")], [("b", "right")], 10)
    assert line == [("a", "left "), ("", ""), ("b", "right")]
    assert length(spread([("a", "x")], [("b", "y")], 10)) == 10
    assert cut([("a", "abc"), ("b", "def")], 4) == [("a", "abc"), ("b", "d")]


def test_marks_come_in_few_fragments() -> None:
    assert marked("abcd", (1, 2), "s", "m") == [("s", "a"), ("m", "bc"), ("s", "d")]
    assert marked("abcd", (), "s", "m") == [("s", "abcd")]
    assert marked("ab", (0, 1), "s", "m") == [("m", "ab")]


def test_a_style_is_added_to_a_span_over_several_fragments() -> None:
    changed = restyled([("a", "xx"), ("b", "yy")], [(1, 3, "hit")])
    assert changed == [("a", "x"), ("a hit", "x"), ("b hit", "y"), ("b", "y")]
