"""Schemes of others become themes that can be read; bad files are told in one sentence."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuihost.theme.contrast import too_faint
from tuihost.theme.roles import PALETTE
from tuihost.theme.schemes import Scheme, convert, read_scheme
from tuihost.theme.theme import ThemeError, parse_theme

BASE = (
    *("1b1f2a", "232838", "2e3448", "4a5066", "6b7290", "a9b1d6", "c0c8e8", "d5daf0"),
    *("e06c75", "d19a66", "e5c07b", "98c379", "56b6c2", "61afef", "c678dd", "be5046"),
)
OLD = 'scheme: "Deep Sea"\nauthor: "Ada \\"A\\" L"\n' + "".join(
    f'base0{digit}: "{color}"\n' for digit, color in zip("0123456789ABCDEF", BASE, strict=True)
)
NEW = "system: base16\nname: Deep Sea # good\nauthor: 'Ada'\nvariant: dark\npalette:\n" + "".join(
    f'  base0{digit}: "#{color}" # a colour\n'
    for digit, color in zip("0123456789ABCDEF", BASE, strict=True)
)
WINDOWS = {
    "name": "Campbell // Two",
    "background": "#0C0C0C",
    "foreground": "#CCCCCC",
    "brightBlack": "#767676",
    "red": "#C50F1F",
    "green": "#13A10E",
    "yellow": "#C19C00",
    "blue": "#0037DA",
    "cyan": "#3A96DD",
    "brightBlue": "#3B78FF",
}


def scheme(tmp_path: Path, text: str, choice: str | None = None) -> Scheme:
    path = tmp_path / "scheme"
    path.write_text(text, encoding="utf-8")
    return read_scheme(path, choice)


@pytest.mark.parametrize("text", [OLD, NEW], ids=["old", "tinted"])
def test_base16(tmp_path: Path, text: str) -> None:
    made = convert(scheme(tmp_path, text))
    assert made.name == "deep-sea"
    theme = parse_theme(made.toml, made.name)
    assert (theme.title, theme.dark) == ("Deep Sea", True)
    author = 'Ada "A" L' if text is OLD else "Ada"
    assert theme.credit == f"base16 scheme Deep Sea by {author}"
    assert theme.roles["text"].bg == "#1b1f2a"
    assert theme.roles["success"].fg == "#98c379"
    assert too_faint(theme) == []
    assert "soft" in made.moved
    assert "# Some colours were moved to reach the contrast of WCAG AA." in made.toml
    assert re.search(r'soft = "#\w{6}"  # was #6b7290', made.toml)


def test_windows_terminal(tmp_path: Path) -> None:
    made = convert(scheme(tmp_path, json.dumps(WINDOWS)))
    theme = parse_theme(made.toml, made.name)
    assert (made.name, theme.title, theme.dark) == ("campbell-two", "Campbell // Two", True)
    assert too_faint(theme) == []


def test_windows_terminal_settings_with_comments(tmp_path: Path) -> None:
    other = {**WINDOWS, "name": "Other"}
    text = (
        '// my settings\n{"schemes": [ /* two */'
        f"{json.dumps(WINDOWS)}, // one\n {json.dumps(other)},\n ], }}"
    )
    assert scheme(tmp_path, text, "Campbell // Two").name == "Campbell // Two"
    with pytest.raises(
        ThemeError, match="choose one of its schemes; there are: Campbell // Two, Oth"
    ):
        scheme(tmp_path, text)
    with pytest.raises(ThemeError, match="no scheme 'Othr'; did you mean 'Other'"):
        scheme(tmp_path, text, "Othr")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is neither a base16 scheme nor one of Windows Terminal's"),
        ("key: value\n", "is neither a base16 scheme"),
        (OLD.replace('base0C: "56b6c2"\n', ""), "base0C missing from the base16 scheme"),
        (OLD.replace("56b6c2", "56b6cz"), ":15: base0C: '56b6cz' is not a colour"),
        ('{"a": 1,\n "b": }', ":2: is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('{"schemes": 3}', "'schemes' is not a list of schemes"),
        ('{"schemes": []}', ": it has no scheme"),
        ('{"name": "x"}', "the scheme of Windows Terminal has no background, foreground"),
        (json.dumps({**WINDOWS, "red": 3}), "red: 3 is not a colour"),
    ],
)
def test_bad_schemes(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ThemeError, match=re.escape(said)):
        scheme(tmp_path, text)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "long").write_bytes(b"#" * (2 << 20))
    for name, said in (("bytes", "not UTF-8"), ("long", "too long"), ("none", "cannot be read")):
        with pytest.raises(ThemeError, match=said):
            read_scheme(tmp_path / name)


HEX = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(st.fixed_dictionaries(dict.fromkeys(PALETTE, HEX)), st.text(max_size=30))
def test_any_colours_and_any_name_become_a_theme_that_can_be_read(
    palette: dict[str, str], name: str
) -> None:
    made = convert(Scheme(name, name, "base16", palette))
    theme = parse_theme(made.toml, made.name)
    assert too_faint(theme) == []
    assert theme.roles["text"].bg == palette["ground"]
