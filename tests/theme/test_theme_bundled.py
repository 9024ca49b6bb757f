"""Every theme that comes along: whole, readable, and clear without colours."""

from __future__ import annotations

import itertools
import tomllib
from math import dist
from pathlib import Path

import pytest
from prompt_toolkit.styles import default_ui_style, merge_styles
from pygments.token import Comment, Keyword, Literal

from tuihost.terminal_facts import Colors
from tuihost.theme.contrast import AAA, as_deuteranope, contrast, lab, luminance, too_faint
from tuihost.theme.roles import GLYPHS, ROLES, SYNTAX
from tuihost.theme.theme import Theme, find_themes, mono_roles

FOLDER = Path(__file__).resolve().parents[2] / "themes"
THEMES, BROKEN = find_themes([FOLDER])
EVERY = pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
COLORED = [theme for theme in THEMES.values() if not theme.colorless]
STATES = ("selection", "match", "match.selection", "error", "warning", "button.focused", "key")


def test_the_themes_are_there() -> None:
    assert BROKEN == ()
    assert len(THEMES) >= 9
    wanted = {"harbor-night", "harbor-day", "high-contrast", "colour-blind-safe", "mono"}
    assert wanted <= THEMES.keys()
    assert sum(not theme.dark for theme in THEMES.values()) >= 2


@EVERY
def test_every_role_is_there_and_every_engine_builds(theme: Theme) -> None:
    assert theme.roles.keys() == theme.ansi16.keys() == ROLES.keys()
    assert theme.syntax.keys() == SYNTAX.keys()
    assert theme.title
    assert theme.description
    for colors, inline in itertools.product(Colors, (False, True)):
        style = theme.style_for(colors, inline=inline)
        rich = theme.rich_for(colors, inline=inline)
        for name in ROLES:
            style.get_attrs_for_style_str(f"class:{name}")
            assert name in rich.styles
    tokens = theme.pygments.style_for_token(Keyword)
    assert tokens["bold"]
    assert theme.token_styles_for(Colors.TRUE)[Comment] == theme.syntax["comment"]
    assert Literal.String in theme.token_styles_for(Colors.MONO)


@EVERY
def test_every_word_is_readable(theme: Theme) -> None:
    """WCAG AA for every role on every ground that it can come to stand on."""
    assert [str(faint) for faint in too_faint(theme)] == []


def test_high_contrast_is_higher() -> None:
    assert [str(faint) for faint in too_faint(THEMES["high-contrast"], AAA, 4.5)] == []


@pytest.mark.parametrize("theme", COLORED, ids=lambda theme: theme.name)
def test_dark_is_dark_and_light_is_light(theme: Theme) -> None:
    text = theme.roles["text"]
    assert theme.dark == (luminance(text.bg) < luminance(text.fg))


@pytest.mark.parametrize("theme", COLORED, ids=lambda theme: theme.name)
def test_there_are_three_levels_of_emphasis(theme: Theme) -> None:
    ground = theme.roles["text"].bg
    levels = [contrast(theme.roles[name].fg, ground) for name in ("text", "muted", "faint")]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] > levels[1] * 1.2 > levels[2]
    assert contrast(theme.roles["selection"].bg, ground) > 1.15, "the current row must stand out"


def test_colour_blind_eyes_tell_success_from_error() -> None:
    def difference(theme: Theme) -> float:
        one, other = (lab(as_deuteranope(theme.roles[name].fg)) for name in ("success", "error"))
        return dist(one, other)

    assert difference(THEMES["colour-blind-safe"]) > 60
    assert difference(THEMES["colour-blind-safe"]) > 2 * difference(THEMES["moss"])


@EVERY
def test_states_are_not_told_by_colour_alone(theme: Theme) -> None:
    for name in STATES:
        assert theme.roles[name].attributes, f"{name} in {theme.name} is nothing but a colour"


@EVERY
def test_one_bit_tells_every_state(theme: Theme) -> None:
    style = merge_styles([default_ui_style(), theme.style_for(Colors.MONO)])

    def marks(name: str) -> tuple[bool, ...]:
        attrs = style.get_attrs_for_style_str(f"class:text class:{name}")
        assert attrs.color in ("", "default")
        assert attrs.bgcolor in ("", "default")
        return tuple(bool(mark) for mark in attrs[2:])

    plain = marks("text")
    assert plain == (False,) * 8
    for name in STATES:
        assert marks(name) != plain, name
    assert marks("button") != marks("button.focused")
    assert marks("match") != marks("match.selection")
    assert marks("success") != marks("error") != marks("warning")


def test_the_mono_theme_and_the_looks_of_one_bit_are_the_same() -> None:
    mono = THEMES["mono"]
    assert dict(mono.roles) == dict(mono_roles())
    assert mono.colorless
    assert mono.roles_for(Colors.ANSI16) == mono.roles


@pytest.mark.parametrize("theme", COLORED, ids=lambda theme: theme.name)
def test_sixteen_colours_are_named_and_differ_from_their_ground(theme: Theme) -> None:
    text = theme.ansi16["text"]
    for name, role in theme.ansi16.items():
        for color in (role.fg, role.bg):
            assert not color.startswith("#"), name
        if role.fg:
            assert role.fg != (role.bg or text.bg), f"{name} cannot be seen in sixteen colours"


@EVERY
def test_the_marks_of_ptk_are_taken_off(theme: Theme) -> None:
    style = merge_styles([default_ui_style(), theme.style])
    for name, role in (("bottom-toolbar", "bar"), ("selected", "selection")):
        assert style.get_attrs_for_style_str(f"class:{name}").reverse == theme.roles[role].reverse
    assert not style.get_attrs_for_style_str("class:cursor-line").underline


@EVERY
def test_ascii_glyphs_are_ascii(theme: Theme) -> None:
    for name in GLYPHS:
        assert theme.glyph(name, False).isascii()
        assert theme.glyph(name, True)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_the_files_are_short(path: Path) -> None:
    text = path.read_text("utf-8")
    limit = 70 if path.stem == "mono" else 45
    assert len(text.splitlines()) <= limit
    assert tomllib.loads(text)["title"]
