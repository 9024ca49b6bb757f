"""Roles as prompt_toolkit, rich and Pygments want them."""

from __future__ import annotations

from pygments.token import Comment, Keyword

from tests.theme.test_theme import WHOLE
from tuihost.terminal_facts import Colors
from tuihost.theme.roles import Role
from tuihost.theme.styles import ptk_string, rich_style, token_styles
from tuihost.theme.theme import parse_theme


def test_a_child_takes_off_the_marks_of_its_parent() -> None:
    theme = parse_theme(WHOLE + '[roles]\n"selection.muted" = "soft on select"\n', "plain")
    attrs = theme.style.get_attrs_for_style_str("class:selection.muted")
    assert not attrs.bold


def test_inline_leaves_the_ground_to_the_terminal() -> None:
    style = parse_theme(WHOLE, "plain").style_for(Colors.TRUE, inline=True)
    attrs = style.get_attrs_for_style_str("class:text")
    assert (attrs.color, attrs.bgcolor) == ("", "")
    assert style.get_attrs_for_style_str("class:accent").color == "60c0e0"


def test_a_role_in_each_library() -> None:
    role = Role("#102030", "ansicyan", bold=True, underline=True)
    assert ptk_string(role) == "fg:#102030 bg:ansicyan bold underline"
    assert ptk_string(Role(), over=role) == "nobold nounderline"
    style = rich_style(role)
    assert str(style) == "bold underline #102030 on cyan"
    assert rich_style(Role()).bold is None, "a mark may come from what a text is in"


def test_every_token_of_pygments_has_a_role() -> None:
    theme = parse_theme(WHOLE, "plain")
    styles = token_styles(theme.syntax)
    assert styles[Comment] == theme.syntax["comment"]
    assert styles[Keyword] == theme.syntax["keyword"]
    css = theme.pygments.style_for_token(Keyword)
    assert (css["color"], css["bold"]) == ("60c0e0", True)
