"""Styles as codes: shared between the sessions in one theme, and bounded."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from prompt_toolkit.layout import FormattedTextControl, Layout, Window
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import BaseStyle, Style

from tests.tui.paper import Eyes, Paper, hosted, redraw
from tuihost.tui.defaults import base_style
from tuihost.tui.rendering._styles import StyleCache
from tuihost.tui.rendering.renderer import HostRenderer


def layout(text: Any = "hello") -> Layout:
    return Layout(Window(FormattedTextControl(text)))


def test_apps_in_one_theme_share_what_is_known_about_it() -> None:
    theme, own = Style.from_dict({"title": "bold"}), Style.from_dict({"title": "italic"})

    def codes(**options: Any) -> Any:
        paper = Paper(20, 2)
        with hosted(paper, theme, layout=layout(), **options) as app:
            redraw(app)
            return cast(HostRenderer, app.renderer)._app_style.codes

    assert codes() is codes()
    assert codes(style=own) is not codes()
    assert codes(style=own)["class:title"].sgr == "\x1b[0;1;3m"


def test_another_theme_redraws_everything_in_its_colours() -> None:
    stage = SimpleNamespace(style=Style.from_dict({"title": "fg:ansired"}))

    def style() -> BaseStyle:
        return cast(BaseStyle, stage.style)

    paper = Paper(20, 2)
    with hosted(paper, style, layout=layout([("class:title", "hello")])) as app:
        redraw(app)
        assert Eyes(20, 2).read(paper.take()).cells()[0][0].fg == "red"
        stage.style = Style.from_dict({"title": "fg:ansigreen"})
        redraw(app)
        assert Eyes(20, 2).read(paper.take()).cells()[0][0].fg == "green"


def test_the_cache_stays_bounded_whatever_styles_an_app_makes_up() -> None:
    cache = StyleCache(base_style(), None, ColorDepth.DEPTH_8_BIT)
    for number in range(9000):
        cache[f"[link:https://example.org/{number}]"]
    assert len(cache) <= 8192
