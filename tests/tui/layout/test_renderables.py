"""rich on our screens and in our commands: harmless, in the theme's looks, at the right depth."""

from __future__ import annotations

import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.styles import Style as PtkStyle
from rich.cells import cell_len
from rich.console import Group
from rich.control import Control
from rich.markdown import Markdown
from rich.panel import Panel
from rich.style import Style
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from tests.waiting import DEADLINE
from tuihost.terminal_facts import Colors
from tuihost.theme.theme import load_theme
from tuihost.tui.layout.renderables import Line, RichLines, link_of, render_ansi, render_lines
from tuihost.tui.terminal.ascii import to_ascii

THEMES = Path(__file__).resolve().parents[3] / "themes"
NIGHT = load_theme(THEMES / "harbor-night.toml")
DAY = load_theme(THEMES / "harbor-day.toml")
EVIL = "a\x1b[2Jb\x1b]52;c;aGk=\x07c\x9b31md\u202ee\u2066f\rg\x00h\x7fi"


def plain(lines: tuple[Line, ...]) -> list[str]:
    return ["".join(text for _, text in line) for line in lines]


def command(*items: object, width: int | None = None, colors: Colors = Colors.MONO) -> bytes:
    return render_ansi(items, width=width, colors=colors, unicode=True, theme=NIGHT)


def harmless(text: str) -> bool:
    return not any(
        unicodedata.category(char) in ("Cc", "Cs") or char in "\u202e\u2066" for char in text
    )


# ------------------------------------------------------------------------------- for screens


def test_roles_are_styles_and_styles_are_fragments() -> None:
    text = Text.assemble("plain ", ("bold", "title"), ("soft", "muted"))
    assert render_lines(text, 40, NIGHT) == (
        (("", "plain "), ("fg:#d8e1ea bold", "bold"), ("fg:#94a6ba", "soft")),
    )


def test_neighbours_in_one_style_are_one_fragment() -> None:
    text = Text.assemble(("one", "accent"), ("two", "accent"))
    assert len(render_lines(text, 40, NIGHT)[0]) == 1


def test_markup_and_emoji_codes_in_strings_stay_text() -> None:
    table = Table("[bold]Head[/]")
    table.add_row("[red]x[/red] :smile:")
    shown = "\n".join(plain(render_lines(Group("[link=http://x]a[/link]", table), 60, NIGHT)))
    for part in ("[link=http://x]a[/link]", "[bold]Head[/]", "[red]x[/red] :smile:"):
        assert part in shown


@pytest.mark.parametrize(
    "renderable",
    [EVIL, Text(EVIL), Panel(EVIL, title=EVIL), Markdown(EVIL), Syntax(EVIL, "python"), [EVIL]],
    ids=["str", "text", "panel", "markdown", "syntax", "list"],
)
def test_no_control_character_passes(renderable: object) -> None:
    for line in render_lines(renderable, 30, NIGHT):
        for style, text in line:
            assert harmless(text)
            assert "\x1b" not in style
            assert cell_len(text) <= 30


def test_control_segments_are_dropped() -> None:
    assert plain(render_lines(Group(Control.home(), Text("x")), 10, NIGHT)) == ["x"]


def test_a_line_that_grew_by_cleaning_is_cut() -> None:
    lines = render_lines(Text("\x1b" * 5 + "x" * 10), 10, NIGHT)
    assert all(cell_len(text) <= 10 for text in plain(lines))


def test_a_link_stands_in_the_style_and_cannot_leave_it() -> None:
    ((fragment,),) = render_lines(
        Text("x", style=Style(link="https://e.org/a]b,c bold\x1b")), 9, NIGHT
    )
    address = link_of(fragment[0])
    assert address is not None
    assert not set(address) & set(" ],\x1b")
    PtkStyle([]).get_attrs_for_style_str(fragment[0])
    lines = render_lines(Markdown("[here](https://example.org/x)"), 30, NIGHT)
    assert [link_of(style) for style, text in lines[0] if text == "here"] == [
        "https://example.org/x"
    ]
    assert link_of("bold") is None


def test_source_code_takes_the_colours_of_the_theme_also_within_others() -> None:
    code = "def f(): pass"
    chosen = Syntax(code, "python", theme="vim")
    for renderable in (
        Markdown(f"```python\n{code}\n```"),
        Panel(Markdown(f"```python\n{code}\n```")),
        Panel(Syntax(code, "python")),
    ):
        styles = {style for line in render_lines(renderable, 40, NIGHT) for style, _ in line}
        assert "fg:#6cc3e8 bg:#0b111a bold" in styles
    styles = {style for line in render_lines(chosen, 40, NIGHT) for style, _ in line}
    assert "fg:#6cc3e8 bg:#0b111a bold" not in styles


def test_what_was_given_is_not_changed() -> None:
    markdown, syntax = Markdown("```python\nx\n```"), Syntax("x", "python")
    before = syntax._theme
    render_lines(Group(markdown, syntax), 40, NIGHT)
    command(markdown)
    assert (markdown.code_theme, markdown.hyperlinks) == ("monokai", True)
    assert syntax._theme is before


def test_ascii_screens_get_ascii_of_the_same_width() -> None:
    table = Table("Näme", "Größe")
    table.add_row("»漢字«", "½ · ✓ …")
    both = [render_lines(Panel(table), 40, NIGHT, unicode=unicode) for unicode in (True, False)]
    for fancy, poor in zip(*map(plain, both), strict=True):
        assert poor.isascii()
        assert cell_len(poor) == cell_len(fancy)
    assert "Name" in "".join(plain(both[1]))


@given(st.text(max_size=40), st.integers(1, 30))
def test_any_text_at_any_width_is_harmless_and_fits(text: str, width: int) -> None:
    for line in plain(render_lines(text, width, NIGHT)):
        assert harmless(line)
        assert cell_len(line) <= max(width, 2)  # one wide character in one column
    assert to_ascii(text).isascii()


def test_sixteen_colours_have_names() -> None:
    ((fragment,),) = render_lines(Text("x", style="accent"), 9, NIGHT, colors=Colors.ANSI16)
    assert fragment == ("fg:ansibrightcyan", "x")


def test_drawn_once_for_each_version_width_theme_and_depth() -> None:
    widths = []

    def source(width: int) -> Text:
        widths.append(width)
        return Text(f"{width} columns", style="accent")

    lines = RichLines(source, remember=2)
    first = lines.lines(1, 20, NIGHT)
    assert lines.lines(1, 20, NIGHT) is first
    assert widths == [20]
    lines.lines(2, 20, NIGHT)
    lines.lines(2, 30, NIGHT)
    assert lines.lines(2, 30, DAY) != lines.lines(2, 30, NIGHT)
    assert widths == [20, 20, 30, 30]
    assert lines.lines(1, 20, NIGHT) == first, "forgotten, and drawn anew"
    assert len(widths) == 5


# ------------------------------------------------------------------------------ for commands


def test_a_pipe_gets_text_as_it_is_and_no_escape_code() -> None:
    long = "word " * 60 + "[bold]end\tx\ny"
    assert command(long) == long.encode() + b"\n"
    assert command("a", 1, None) == b"a 1 None\n"
    assert command() == b"\n"
    table = Table("Name", "Text")
    table.add_row("one", "x" * 150)
    shown = command("first", Text("bold", style="bold red"), table, "last")
    assert b"\x1b" not in shown
    assert b"x" * 150 in shown
    assert shown.startswith(b"first\nbold\n")
    assert shown.endswith(b"\nlast\n")


def test_a_pipe_shows_what_would_take_any_width_as_a_page() -> None:
    for renderable in (Panel("x"), Markdown("# Title\n\ntext")):
        assert max(len(line) for line in command(renderable).decode().splitlines()) <= 80


def test_text_that_came_from_people_is_cleaned_in_commands() -> None:
    for item in (EVIL, Text(EVIL), Panel(EVIL)):
        assert harmless(
            command(item, colors=Colors.TRUE, width=60)
            .decode()
            .replace("\n", "")
            .replace("\x1b[0m", "")
        )


@pytest.mark.parametrize(
    ("colors", "codes"),
    [
        (Colors.TRUE, b"\x1b[1;38;2;108;195;232mx\x1b[0m\n"),
        (Colors.ANSI256, b"\x1b[1;38;5;80mx\x1b[0m\n"),
        (Colors.ANSI16, b"\x1b[1;96mx\x1b[0m\n"),
        (Colors.MONO, b"x\n"),
    ],
)
def test_each_terminal_gets_its_own_depth(colors: Colors, codes: bytes) -> None:
    assert command(Text("x", style="heading"), width=40, colors=colors) == codes


def test_depths_do_not_mix_whoever_comes_first() -> None:
    text = Text("x", style="#a1b2c3")
    true = command(text, width=9, colors=Colors.TRUE)
    for colors in (Colors.ANSI16, Colors.ANSI256, Colors.MONO, Colors.TRUE):
        command(text, width=9, colors=colors)
    assert b"38;2" not in command(text, width=9, colors=Colors.ANSI16)
    assert command(text, width=9, colors=Colors.TRUE) == true


def test_the_ground_stays_the_terminals() -> None:
    assert command(Text("x", style="text"), width=9, colors=Colors.TRUE) == b"x\n"
    assert b"48;2" not in command(Text("x", style="bar"), width=9, colors=Colors.TRUE)


def test_blanks_at_the_end_of_a_line_are_left_off() -> None:
    assert command(Text("x    "), width=20, colors=Colors.TRUE) == b"x\n"


def test_addresses_are_written_out_where_nobody_can_click() -> None:
    assert b"https://example.org" in command(Markdown("[here](https://example.org)"), width=60)


def test_ascii_commands_are_ascii() -> None:
    shown = render_ansi(
        ["Grüße …", Panel("é")], width=20, colors=Colors.TRUE, unicode=False, theme=NIGHT
    )
    assert shown.isascii()
    assert shown.startswith(b"Grusse"[:3])


def test_markdown_is_imported_when_it_is_used() -> None:
    code = "import sys, tuihost.tui.layout.renderables; sys.exit('rich.markdown' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=DEADLINE)


def test_codes_and_text_are_all_that_is_written() -> None:
    shown = command(Panel(Text("x", style="error")), width=20, colors=Colors.TRUE).decode()
    rest = re.sub(r"\x1b\[[0-9;]+m", "", shown)
    assert "\x1b" not in rest
    assert rest.splitlines()[0] == "╭" + "─" * 18 + "╮"
