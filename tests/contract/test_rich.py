"""What we rely on in rich, and why it never writes for us: one fact a test."""

from __future__ import annotations

import io

import pytest
from rich.color import Color, ColorSystem
from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.segment import Segment
from rich.style import Style
from rich.syntax import Syntax
from rich.text import Text

from tuihost.terminal_facts import Colors
from tuihost.theme.roles import PALETTE
from tuihost.theme.theme import Theme, parse_theme
from tuihost.tui.layout.renderables import render_ansi, render_lines


def printed(system: str, text: Text, **more: object) -> str:
    file = io.StringIO()
    options: dict[str, object] = {"_environ": {}, "width": 40, **more}
    Console(file=file, color_system=system, force_terminal=True, **options).print(text)  # type: ignore[arg-type]
    return file.getvalue()


@pytest.fixture(scope="module")
def theme() -> Theme:
    palette = "\n".join(
        f'{name} = "{"#101010" if name in ("ground", "raised", "sunken", "select") else "#d0d0d0"}"'
        for name in PALETTE
    )
    return parse_theme(f'title = "Plain"\ndark = true\n[palette]\n{palette}\n', "plain")


def test_a_style_remembers_the_codes_of_the_first_terminal_and_ours_does_not(theme: Theme) -> None:
    style = Style(color="#a1b2c3")
    text = Text("x", style=style)
    assert "38;2;161;178;195" in printed("truecolor", text)
    assert "38;2;" in printed("standard", text), "rich mends its cache: render_ansi may be simpler"
    ours = render_ansi([text], width=10, colors=Colors.ANSI16, unicode=True, theme=theme)
    assert b"38;2;" not in ours
    assert b"\x1b[" in ours


def test_a_color_downgrades_itself_without_memory() -> None:
    color = Color.parse("#ff0000")
    assert color.downgrade(ColorSystem.STANDARD).get_ansi_codes() == ("31",)
    assert color.downgrade(ColorSystem.EIGHT_BIT).get_ansi_codes()[:2] == ("38", "5")
    assert color.downgrade(ColorSystem.TRUECOLOR).get_ansi_codes()[:2] == ("38", "2")


def test_a_console_listens_to_the_environment_of_the_server_and_ours_does_not(
    theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    style = Style(color="#a1b2c3")
    console = Console(file=io.StringIO(), color_system="truecolor", force_terminal=True)
    assert console.no_color
    lines = render_lines(Text("x", style=style), 10, theme)
    assert lines == ((("fg:#a1b2c3", "x"),),)


def test_text_lets_escape_through_and_ours_does_not(theme: Theme) -> None:
    evil = Text("a\x1b]0;owned\x07b\x9b31m")
    assert "\x1b]0;owned" in printed("truecolor", evil)
    ours = render_ansi([evil], width=60, colors=Colors.TRUE, unicode=True, theme=theme)
    assert ours.decode() == "a·]0;ownedb·31m\n"


def test_whatever_holds_renderables_renders_them_through_the_console() -> None:
    seen = []

    class Watching(Console):
        def render(self, renderable, options=None):  # type: ignore[no-untyped-def]
            seen.append(type(renderable).__name__)
            return super().render(renderable, options)

    console = Watching(file=io.StringIO(), width=40, _environ={})
    console.render_lines(Panel(Markdown("x")))
    assert "Markdown" in seen


def test_strings_become_text_through_render_str() -> None:
    seen = []

    class Watching(Console):
        def render_str(self, text, **options):  # type: ignore[no-untyped-def]
            seen.append(text)
            return super().render_str(text, **options)

    console = Watching(file=io.StringIO(), width=40, _environ={}, markup=False)
    console.render_lines(Panel("inside", title="[b]title"))
    assert "inside" in seen


def test_markdown_and_syntax_say_which_colours_they_have() -> None:
    assert Markdown("x").code_theme == "monokai"
    assert Markdown("x").hyperlinks is True
    assert Syntax("x", "python")._theme._pygments_style_class.name == "monokai"  # type: ignore[attr-defined]


def test_a_control_character_has_no_width_for_rich() -> None:
    # So a cleaned line may be longer than it was laid out, and is cut once more.
    assert Segment("\x1b").cell_length == 0
