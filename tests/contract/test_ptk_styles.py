"""What our themes rely on in prompt_toolkit's styles: one fact a test."""

from __future__ import annotations

from prompt_toolkit.output.color_depth import ColorDepth
from prompt_toolkit.output.vt100 import _EscapeCodeCache
from prompt_toolkit.styles import Style, default_ui_style, merge_styles


def test_the_rule_without_a_class_is_the_ground_of_everything() -> None:
    style = Style([("", "fg:#111111 bg:#eeeeee"), ("muted", "fg:#777777")])
    assert style.get_attrs_for_style_str("").bgcolor == "eeeeee"
    assert style.get_attrs_for_style_str("class:muted")[:2] == ("777777", "eeeeee")


def test_a_dotted_class_stands_on_its_parent() -> None:
    style = Style([("selection", "bold bg:#222222"), ("selection.muted", "fg:#777777 nobold")])
    attrs = style.get_attrs_for_style_str("class:selection.muted")
    assert (attrs.color, attrs.bgcolor, attrs.bold) == ("777777", "222222", False)


def test_words_in_brackets_are_no_style() -> None:
    attrs = Style([]).get_attrs_for_style_str("bold [link:https://example.org/a%20b] fg:#123456")
    assert attrs.bold
    assert attrs.color == "123456"


def test_ptk_sets_marks_of_its_own_that_a_theme_must_take_off() -> None:
    style = merge_styles([default_ui_style()])
    assert style.get_attrs_for_style_str("class:bottom-toolbar").reverse
    assert style.get_attrs_for_style_str("class:selected").reverse
    assert style.get_attrs_for_style_str("class:cursor-line").underline


def test_one_bit_drops_colours_and_keeps_marks() -> None:
    attrs = Style([]).get_attrs_for_style_str("bold underline fg:#ff0000 bg:#00ff00")
    assert _EscapeCodeCache(ColorDepth.DEPTH_1_BIT)[attrs] == "\x1b[0;1;4m"


def test_names_of_the_sixteen_colours_pass_unchanged() -> None:
    attrs = Style([]).get_attrs_for_style_str("fg:ansibrightcyan bg:ansiblack")
    assert _EscapeCodeCache(ColorDepth.DEPTH_4_BIT)[attrs] == "\x1b[0;96;40m"
