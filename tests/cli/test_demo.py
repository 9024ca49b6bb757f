"""The accounts of a demo: made once, put back at each start, never somebody else's."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import paramiko
import pytest
from rich.text import Text

from tests.cli.calling import ROOT, started, tuihost
from tests.waiting import DEADLINE
from tuihost.cli import demo_accounts
from tuihost.cli.demo_accounts import DemoAccounts, code_command, prepare
from tuihost.cli.demo_page import below, start_page
from tuihost.host.plugins.app_catalog import Catalog
from tuihost.logs import event_log
from tuihost.session.host_view import HostKeyCard
from tuihost.settings.models import Settings
from tuihost.testing import hosted
from tuihost.testing.hosted import hang_up
from tuihost.wire import TcpAddress


def test_the_start_page_fits_a_terminal_of_80_by_24(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_accounts, "demo_folder", lambda: settings.server.state_dir)
    catalog = Catalog.load(settings, log=event_log())
    card = HostKeyCard("ssh-ed25519", 256, "SHA256:" + "x" * 43, "")
    accounts = prepare(settings)
    page = start_page(settings, catalog, TcpAddress("127.0.0.1", 65535), card, accounts).plain
    lines = page.splitlines()
    assert len(lines) < 24
    assert max(map(len, lines)) <= 80
    without = start_page(
        settings, catalog, TcpAddress("127.0.0.1", 8022), card, DemoAccounts(None, None)
    ).plain
    assert "ada" not in without
    assert "Invitation" not in without


def test_the_page_and_the_picture_of_the_menu_count_the_apps_as_the_menu_does(
    settings: Settings,
) -> None:
    catalog = Catalog.load(settings, log=event_log())
    card = HostKeyCard("ssh-ed25519", 256, "SHA256:" + "x" * 43, "")
    page = start_page(
        settings, catalog, TcpAddress("127.0.0.1", 8022), card, DemoAccounts(None, None)
    ).plain
    counts = re.findall(r"Inside +(\d+ apps), ", page)
    picture = (ROOT / "docs" / "images" / "menu.svg").read_text()
    assert re.findall(r"(\d+ apps)<", picture) == counts
    with hosted(bundled=sorted(catalog.apps)) as host, host.open("menu") as pilot:
        pilot.wait_for(f" {counts[0]}")


def test_the_picture_is_there_where_it_is_seen_with_the_page() -> None:
    page, picture = Text("page\n" * 17), ("▀▀▀",) * 21
    for rows, wanted in ((0, None), (24, None), (39, None), (50, False)):
        assert below(page, picture, rows, wanted, "CODE") == "  As a QR code: CODE --qr\n\n"
    for rows, wanted in ((40, None), (50, None), (24, True), (0, True)):
        assert below(page, picture, rows, wanted, "CODE") == "  ▀▀▀\n" * 21 + "\n"


def test_the_line_for_the_next_code_is_for_this_demo(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = settings.server.state_dir
    assert code_command(settings).endswith(f"tuihost demo --code --state-dir {folder}")
    monkeypatch.setattr(demo_accounts, "demo_folder", lambda: folder)
    assert code_command(settings).endswith("tuihost demo --code")


def test_what_the_page_shows_lets_in(tmp_path: Path) -> None:
    nothing = tuihost(tmp_path, "demo", "--code", status=1)
    assert nothing.stderr == "Error: There is no demo yet. To start one: tuihost demo\n"
    with started(tmp_path, "demo", "--port", "0", "--qr") as process:
        try:
            page = _page(process)
            told = dict(re.findall(r"^  (Password|Invitation) +(\S+)", page, re.MULTILINE))
            port = int(re.findall(r"listening on \S+:(\d+)", page)[0])
            said = tuihost(tmp_path, "demo", "--code", "--qr")
            code, *picture = said.stdout.splitlines()
            assert re.fullmatch(r"\d{3} \d{3}", code)
            assert re.fullmatch(r"valid for \d+ s\n", said.stderr)
            assert [f"  {line}" for line in picture] == page.splitlines()[-21:]
            _enter(port, "ada", {"One-time": code}, password=told["Password"])
            answers = {"Invitation": told["Invitation"], "name": "bob", "New": "correct-horse-9"}
            _enter(port, "new", answers)
            _enter(port, "bob", {}, password="correct-horse-9")
            _enter(port, "somebody", None)
        finally:
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=DEADLINE)
    assert (process.returncode, errors) == (0, "")


def test_a_second_demo_leaves_the_folder_of_the_first_alone(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    words = ("demo", "--port", "0", "--qr", "--state-dir", str(folder))
    with started(tmp_path, *words) as process:
        try:
            _page(process)
            before = _contents(folder / "accounts.sqlite3")
            second = tuihost(tmp_path, *words, status=1)
            after = _contents(folder / "accounts.sqlite3")
        finally:
            process.send_signal(signal.SIGINT)
    assert second.stdout == ""
    assert second.stderr.startswith(f"Error: Another demo uses the folder {folder} already.")
    assert any("'tuihost demo'" in line for line in before)
    assert after == before


def _contents(store: Path) -> list[str]:
    with closing(sqlite3.connect(store)) as connection:
        return list(connection.iterdump())


def _page(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("  ▀▀▀▀"):  # below the picture, which comes last
            return "".join(lines)
    assert process.stderr is not None
    raise AssertionError(f"no start page: {lines}\n{process.stderr.read()}")


def _enter(
    port: int, user: str, answers: dict[str, str] | None, *, password: str | None = None
) -> None:
    """Logs in: with the password first where there is one, then with answers by what is asked;
    with neither, as a guest."""

    def answer(title: str, words: str, prompts: list[tuple[str, bool]]) -> list[str]:
        assert answers is not None
        return [next(v for k, v in answers.items() if k in text) for text, _ in prompts]

    transport = paramiko.Transport(("127.0.0.1", port))
    try:
        transport.start_client(timeout=DEADLINE)
        if password is not None:
            transport.auth_password(user, password, fallback=False)
        if answers:
            transport.auth_interactive(user, answer)
        if answers is None:
            transport.auth_none(user)
        assert transport.is_authenticated(), user
    finally:
        hang_up(transport)
