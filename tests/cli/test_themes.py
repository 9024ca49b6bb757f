"""`tuihost themes`: the list, the import, the check."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.waiting import DEADLINE
from tuihost.cli.themes import import_theme, list_themes, preview, themes
from tuihost.terminal_facts import Colors
from tuihost.theme.theme import ThemeError, load_theme

FOLDER = Path(__file__).resolve().parents[2] / "themes"
SCHEME = (
    'scheme: "Sea"\n'
    + "".join(
        f'base0{digit}: "{number * 0x101010 + 0x101010:06x}"\n'
        for number, digit in enumerate("0123456789ABCDEF"[:15])
    )
    + 'base0F: "ffffff"\n'
)


def test_the_list_shows_every_theme_in_its_own_colours() -> None:
    shown, broken = list_themes([FOLDER], colors=Colors.TRUE, unicode=True, width=80)
    assert broken == ()
    text = shown.decode()
    for path in FOLDER.glob("*.toml"):
        theme = load_theme(path)
        assert theme.title in text
        if not theme.colorless:
            red, green, blue = bytes.fromhex(theme.roles["selection"].bg[1:])
            assert f"48;2;{red};{green};{blue}" in text


@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("width", [10, 40, 80, 200])
def test_the_preview_fits(width: int, unicode: bool) -> None:
    theme = load_theme(FOLDER / "harbor-night.toml")
    lines = preview(theme, width, Colors.TRUE, unicode)
    assert max(line.cell_len for line in lines) <= max(20, min(width, 76))
    if not unicode:
        assert all(line.plain.isascii() for line in lines)


def test_into_a_pipe_there_is_no_escape_code() -> None:
    result = CliRunner().invoke(themes, [])
    assert result.exit_code == 0, result.output
    assert "Harbor Night" in result.output
    assert "\x1b" not in result.output


def test_a_broken_theme_is_told_and_the_others_are_listed(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("title = 3\n")
    settings = tmp_path / "tuihost.toml"
    settings.write_text(f'[themes]\nfolders = ["{tmp_path}"]\n')
    result = CliRunner().invoke(themes, ["--config", str(settings)])
    assert result.exit_code == 1
    assert "bad.toml:1: title must be text" in result.stderr
    assert "Harbor Day" in result.stdout


def test_import_writes_a_theme_and_never_over_another(tmp_path: Path) -> None:
    scheme = tmp_path / "sea.yaml"
    scheme.write_text(SCHEME)
    result = CliRunner().invoke(themes, ["import", str(scheme), "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "sea.toml.\n" in result.output
    assert "Changed to be readable:" in result.output
    assert load_theme(tmp_path / "sea.toml").title == "Sea"
    with pytest.raises(ThemeError, match="already exists"):
        import_theme(scheme, tmp_path)
    path, _ = import_theme(scheme, tmp_path / "other.toml")
    assert load_theme(path).name == "other"
    for out, said in (("Bad Name.toml", "NAME.toml"), ("no/where.toml", "cannot be written")):
        with pytest.raises(ThemeError, match=said):
            import_theme(scheme, tmp_path / out)


def test_check_says_what_is_too_faint(tmp_path: Path) -> None:
    assert CliRunner().invoke(themes, ["check", str(FOLDER / "moss.toml")]).exit_code == 0
    faint = tmp_path / "faint.toml"
    text = (FOLDER / "moss.toml").read_text().replace('soft = "#9db3a2"', 'soft = "#303030"')
    faint.write_text(text)
    result = CliRunner().invoke(themes, ["check", str(faint)])
    assert result.exit_code == 1
    assert "muted on text has a contrast of 1.3" in result.output


def test_the_command_is_imported_without_the_libraries() -> None:
    code = (
        "import sys, tuihost.cli.themes, tuihost.theme.theme;"
        "sys.exit(bool({'rich', 'prompt_toolkit', 'paramiko', 'pygments', 'pydantic'}"
        " & sys.modules.keys()))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], check=False, timeout=DEADLINE).returncode == 0
    )
