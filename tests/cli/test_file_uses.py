"""A file that two settings name for different uses: it is told, and nothing is written to it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.operator import Run

WRONG = [
    (
        "[logs]\nfile = 'tuihost.toml'",
        "2: logs.file: {here}/tuihost.toml is also the settings file",
    ),
    ("[logs]\nfile = 'link'", "2: logs.file: {here}/link is also the settings file"),
    ("[logs]\nfile = 'hard'", "2: logs.file: {here}/hard is also the settings file"),
    (
        "[logs]\nfile = 'state/../state/accounts.sqlite3'",
        "2: logs.file: {here}/state/../state/accounts.sqlite3 is also the account store "
        "(accounts.url)",
    ),
    (
        "[logs]\nfile = 'state/accounts.key'",
        "2: logs.file: {here}/state/accounts.key is also the key of the account store "
        "(accounts.secret_key)",
    ),
    (
        "[logs]\nfile = 'state/host_ed25519'",
        "2: logs.file: {here}/state/host_ed25519 is also a host key (server.host_keys)",
    ),
    (
        "[logs]\nfile = 'state/host.lock'",
        "2: logs.file: {here}/state/host.lock is also the file by which a host holds its folder",
    ),
    (
        "[accounts]\nurl = 'sqlite:///host.sqlite3'",
        "2: accounts.url: {here}/state/host.sqlite3 is also the file of preferences",
    ),
    (
        "[accounts]\nurl = 'sqlite:///host_ed25519'",
        "2: accounts.url: {here}/state/host_ed25519 is also a host key (server.host_keys)",
    ),
    (
        "[logs]\nfile = 'text'\n[login]\nterms = 'text'",
        "2: logs.file: {here}/text is also the text of the terms (login.terms)",
    ),
    (
        "[logs]\nfile = 'state/outbox'\n[login]\ndelivery = 'outbox'",
        "2: logs.file: {here}/state/outbox is also the outbox of codes (login.delivery)",
    ),
]


@pytest.fixture
def here(run: Run, tmp_path: Path) -> Path:
    (tmp_path / "link").symlink_to("tuihost.toml")
    (tmp_path / "text").write_text("Be kind.")
    (tmp_path / "tuihost.toml").touch()
    os.link(tmp_path / "tuihost.toml", tmp_path / "hard")
    return tmp_path


@pytest.mark.parametrize(("text", "said"), WRONG, ids=str)
def test_two_uses_of_one_file_are_refused(here: Path, run: Run, text: str, said: str) -> None:
    file = here / "tuihost.toml"
    file.write_text(f"{text}\n")
    line = f"tuihost.toml:{said.format(here=here)}; choose another file\n"
    assert line in run("check", status=78).err
    assert run("serve", status=78).err == line
    assert file.read_text() == f"{text}\n"
    assert (here / "text").read_text() == "Be kind."
    assert not (here / "state").exists()


def test_an_app_alone_writes_over_no_file_either(
    here: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUIHOST_LOGS__FILE", str(here / "state" / "accounts.sqlite3"))
    said = run("run", "about", "show", status=78).err
    assert said.startswith("TUIHOST_LOGS__FILE: logs.file: ")
    assert not (here / "state").exists()


def test_what_is_no_file_has_any_number_of_uses(here: Path, run: Run) -> None:
    text = "[logs]\nfile = '/dev/null'\n[login]\nterms = '/dev/null'\n"
    (here / "tuihost.toml").write_text(text)
    assert "all is well" in run("check").out
