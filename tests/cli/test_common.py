"""Tables and settings, as every subcommand has them."""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from tests.cli.calling import only_ours, tuihost
from tuihost.cli.common import (
    SETTINGS_FILE,
    called,
    read_settings,
    rows,
    say_settings_found,
    settings_file,
)
from tuihost.errors import SettingsError


def test_columns_are_aligned_by_what_is_seen() -> None:
    table = [("NAME", "TITLE", "STATE"), ("echo", "Écho 你好", "ready"), ("a", "", "broken")]
    assert rows(table) == [
        "NAME  TITLE      STATE",
        "echo  Écho 你好  ready",
        "a                broken",
    ]


def test_what_a_table_shows_cannot_steer_a_terminal() -> None:
    assert rows([("A", "B"), ("x\x1b[2J", "y\n")]) == ["A      B", "x·[2J  y·"]


def test_the_settings_file_of_the_folder_is_read_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUIHOST_SERVER__PORT", "2222")
    assert read_settings(None).server.name == "tuihost"
    Path(SETTINGS_FILE).write_text("[server]\nname = 'here'\nport = 1\n")
    settings = read_settings(None, {"server.theme": "noon"})
    assert (settings.server.name, settings.server.port) == ("here", 2222)
    assert settings.server.theme == "noon"
    with pytest.raises(SettingsError, match="there is no such file"):
        read_settings(Path("elsewhere.toml"))


def test_who_names_no_settings_is_told_which_were_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    say_settings_found(None)
    Path(SETTINGS_FILE).touch()
    say_settings_found(None)
    say_settings_found(Path("/etc/other.toml"))  # they named it
    said = capsys.readouterr()
    assert (said.out, said.err.splitlines()) == (
        "",
        ["Settings: the defaults; there is no tuihost.toml here", "Settings: tuihost.toml"],
    )


def test_scripts_that_name_their_settings_are_told_only_what_they_asked_for(place: Path) -> None:
    (place / "tuihost.toml").touch()
    named = {**only_ours(place), "TUIHOST_CONFIG": "tuihost.toml"}
    assert tuihost(place, "user", "add", "ada", "--no-password", **named).stderr == ""
    done = tuihost(place, "user", "list", "--json", "--config", "tuihost.toml", **only_ours(place))
    assert done.stderr == ""
    assert json.loads(done.stdout)[0]["name"] == "ada"


def test_what_is_printed_to_type_works_where_it_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / ".venv" / "bin" / "tuihost"
    program.parent.mkdir(parents=True)
    program.touch(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [".venv/bin/tuihost"])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert called() == ".venv/bin/tuihost"
    monkeypatch.setenv("PATH", str(program.parent))
    assert called() == "tuihost"


def test_in_a_folder_that_nobody_may_look_into_there_is_no_settings_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As for `sudo -u tuihost` in the home of somebody else."""

    def refuse(*about: object, **more: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied", "tuihost.toml")

    monkeypatch.setattr(os, "stat", refuse)
    found = settings_file(None)
    monkeypatch.undo()
    assert found is None
