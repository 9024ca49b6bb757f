"""Reading a theme: what it may hold, and how its mistakes are told."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.waiting import DEADLINE
from tuihost.errors import MisuseError
from tuihost.terminal_facts import Colors
from tuihost.theme.roles import PALETTE, Role
from tuihost.theme.theme import Theme, ThemeError, find_themes, load_theme, parse_theme

COLORS = dict.fromkeys(PALETTE, "#101418") | {"ink": "#e0e4e8", "accent": "#60c0e0"}
WHOLE = 'title = "Plain"\ndark = true\n[palette]\n' + "".join(
    f'{name} = "{color}"\n' for name, color in COLORS.items()
)


def test_fourteen_colours_are_a_theme() -> None:
    theme = parse_theme(WHOLE, "plain")
    assert (theme.name, theme.title, theme.dark) == ("plain", "Plain", True)
    assert theme.roles["text"] == Role("#e0e4e8", "#101418")
    assert theme.roles["title"] == Role("#e0e4e8", "", bold=True)
    assert theme.style is theme.style
    assert theme.style.get_attrs_for_style_str("class:accent").color == "60c0e0"
    assert str(theme.rich.styles["heading"]) == "bold #60c0e0"


def test_a_role_a_token_and_a_glyph_can_be_changed() -> None:
    theme = parse_theme(
        WHOLE
        + 'sea = "#0af"\n[roles]\n"selection.muted" = "italic sea"\nlink = "reverse #fff on sea"\n'
        + '[syntax]\nkeyword = "underline sea"\n'
        + '[glyphs]\nprompt = ["❯", "$"]\nbar = "┃"\n'
        + '[ansi16]\naccent = "bold bright_magenta"\n',
        "plain",
    )
    muted = theme.roles["selection.muted"]
    assert (muted.fg, muted.bg, muted.bold) == ("#00aaff", theme.roles["selection"].bg, False)
    assert theme.roles["link"] == Role("#ffffff", "#00aaff", reverse=True)
    assert theme.syntax["keyword"].underline
    assert (theme.glyph("prompt"), theme.glyph("prompt", False)) == ("❯", "$")
    assert (theme.glyph("bar"), theme.glyph("bar", False)) == ("┃", ">")
    assert theme.roles_for(Colors.ANSI16)["heading"].fg == "ansibrightmagenta"


def test_files_that_are_no_theme(tmp_path: Path) -> None:
    long, bytes_, named = tmp_path / "long.toml", tmp_path / "bytes.toml", tmp_path / "Ü x.toml"
    long.write_text("#" * 70_000)
    bytes_.write_bytes(b'title = "x"\n\xff')
    named.write_text(WHOLE)
    for path, said in (
        (tmp_path / "missing.toml", "cannot be read: No such file"),
        (tmp_path, "cannot be read: Is a directory"),
        (long, "is longer than 64 kB"),
        (bytes_, "bytes.toml:2: is not UTF-8 text"),
        (named, "cannot be a theme's name"),
    ):
        with pytest.raises(ThemeError, match=said):
            load_theme(path)


def test_two_of_one_name_are_told_and_the_first_stays(tmp_path: Path) -> None:
    for folder, title in (("one", "First"), ("two", "Second")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "sea.toml").write_text(WHOLE.replace("Plain", title))
    (tmp_path / "two" / "bad.toml").write_text("dark = true")
    themes, broken = find_themes([tmp_path / "one", tmp_path / "two", tmp_path / "none"])
    assert {name: theme.title for name, theme in themes.items()} == {"sea": "First"}
    twice = [sentence for sentence in broken if "sea.toml" in sentence]
    assert len(twice) == 1
    assert str(tmp_path / "one" / "sea.toml") in twice[0]
    assert str(tmp_path / "two" / "sea.toml") in twice[0]
    assert any("bad.toml: title is missing" in sentence for sentence in broken)


def test_a_pair_has_to_be_there_and_of_the_other_brightness(tmp_path: Path) -> None:
    def write(name: str, dark: bool, pair: str) -> None:
        text = WHOLE.replace("dark = true", f"dark = {str(dark).lower()}\npair = {pair!r}")
        (tmp_path / f"{name}.toml").write_text(text)

    write("night", True, "day")
    write("day", False, "nihgt")
    write("dusk", True, "night")
    themes, broken = find_themes([tmp_path])
    assert {name: theme.pair for name, theme in themes.items()} == {
        "day": "nihgt", "dusk": "night", "night": "day",
    }  # fmt: skip
    assert broken == (
        f"{tmp_path / 'day.toml'}: pair: 'nihgt' is not a dark theme; did you mean 'night'?",
        f"{tmp_path / 'dusk.toml'}: pair: 'night' is not a light theme",
    )


def test_a_glyph_that_nobody_knows_is_a_bug() -> None:
    with pytest.raises(MisuseError, match="did you mean 'bullet'"):
        parse_theme(WHOLE, "plain").glyph("bulet")


def test_two_themes_of_one_name_are_not_the_same() -> None:
    one, other = parse_theme(WHOLE, "plain"), parse_theme(WHOLE, "plain")
    assert one.invalidation != other.invalidation
    assert one != other
    assert len({one, other}) == 2


def test_threads_that_build_at_once_get_one_style() -> None:
    theme = parse_theme(WHOLE, "plain")
    start, found = threading.Barrier(8), list[object]()

    def build(theme: Theme) -> None:
        start.wait(DEADLINE)
        found.append(theme.style)

    threads = [threading.Thread(target=build, args=(theme,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert len(found) == 8
    assert len(set(map(id, found))) == 1
