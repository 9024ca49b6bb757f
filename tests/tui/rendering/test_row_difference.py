"""What is written of a row: few bytes, and worked out once for rows that people share."""

from __future__ import annotations

import pytest
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

from tuihost.tui.layout.rows import draw_row
from tuihost.tui.rendering import _row_difference
from tuihost.tui.rendering._row_difference import NOTHING, RowTarget, RowText, row_text
from tuihost.tui.rendering._styles import StyleCache
from tuihost.tui.rendering.frame import DrawnRow

WIDTH = 40
ON, OFF = "bg:#303030 fg:#ffffff", "bg:#101010 fg:#ffffff"


def target(*, plain: bool = False, erases_in_color: bool = True) -> RowTarget:
    styles = StyleCache(Style([]), None, ColorDepth.DEPTH_8_BIT)
    return RowTarget(styles, WIDTH, plain, erases_in_color)


def row(text: str, style: str) -> DrawnRow:
    cells = draw_row([("", text)], 0, WIDTH, style, fill=True).cells
    assert isinstance(cells, DrawnRow)
    return cells


def written(where: RowTarget, old: DrawnRow, new: DrawnRow) -> RowText:
    text = row_text(where, old, new, None)
    assert text is not None
    return text


def test_the_rest_of_a_row_is_erased_in_its_background() -> None:
    assert written(target(), row("Mast", OFF), row("Mast", ON)).text == "Mast\x1b[K"


def test_where_that_cannot_be_the_rest_is_drawn() -> None:
    where = target(erases_in_color=False)
    assert written(where, row("Mast", OFF), row("Mast", ON)).text == f"{'Mast':<{WIDTH}}"


def test_blanks_between_words_are_erased_and_passed_over() -> None:
    words = f"a{'':20}b"
    assert written(target(), row(words, OFF), row(words, ON)).text == "a\x1b[20X\x1b[20Cb\x1b[K"


def test_what_looks_the_same_in_another_style_is_not_drawn_again() -> None:
    where = target()
    assert row_text(where, row("", "bg:#303030 fg:#ffffff"), row("", ON + " bold"), None) is None
    underlined = row_text(where, row("", ON), row("", ON + " underline"), None)
    assert underlined is not None, "a line under a blank is seen"


def test_a_few_letters_between_are_written_again_and_many_are_passed_over() -> None:
    where = target()
    assert written(where, row("Boat 1 a", ON), row("Boat 2 b", ON)).text == "2 b"
    assert written(where, row("1 boats 1", ON), row("2 boats 2", ON)).text == "2\x1b[7C2"


def test_a_style_is_changed_by_what_differs() -> None:
    two = draw_row([("", "a"), ("bold", "b"), ("", "c")], 0, WIDTH, ON, fill=True).cells
    text = row_text(target(), NOTHING, two, None)
    assert text is not None
    assert text.text == "a\x1b[1mb\x1b[22mc\x1b[K"
    text = row_text(target(plain=True, erases_in_color=False), NOTHING, two, None)
    assert text is not None
    assert "\x1b[22m" not in text.text, "a VT100 can only begin anew"


def test_two_rows_that_people_share_are_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    where, old, new = target(), row("Mast", OFF), row("Sail", ON)
    first = written(where, old, new)
    monkeypatch.setattr(_row_difference, "_RowWriter", None)
    assert written(where, old, new) is first
    with pytest.raises(TypeError):
        written(target(), old, new)  # in another style it is another text


def test_what_is_kept_of_that_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_row_difference, "_TEXTS_KEPT", 5)
    where = target()
    for each in range(20):
        written(where, NOTHING, row(f"Boat {each}", ON))
        assert len(_row_difference._texts) <= 5
