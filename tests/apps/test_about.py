"""About: what the host is, how to know it again, and a card for one's own terminal."""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.waiting import DEADLINE
from tuihost import TcpAddress
from tuihost.testing import Hosted, hosted
from tuihost.testing.hosted import hang_up

SETTINGS = {"server.name": "demo", "app.about.address": "demo.example.org:2222"}


@pytest.fixture
def host() -> Iterator[Hosted]:
    with hosted(bundled=["about"], settings=SETTINGS) as running:
        yield running


def part(host: Hosted, name: str) -> Any:
    """A module of the app, as the host has loaded it."""
    module = type(host.host.catalog.apps["about"].app).__module__
    return importlib.import_module(f"{module}.{name}")


# --------------------------------------------------------------------------------- the pages


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
def test_both_pages_at_every_size(host: Hosted, size: tuple[int, int]) -> None:
    with host.open("about", size=size) as pilot:
        pilot.wait_for("This host").wait_for("demo")
        pilot.press("/").type("fingerprint").press("enter")
        pilot.wait_for("When you first connected")
        pilot.press("2").wait_for("What the host knows")
        pilot.wait_for(f"{size[0]} columns, {size[1]} rows")
        pilot.press("G").wait_for("narrower").press("1").wait_for("When you first connected")
        assert all(len(line) <= size[0] for line in pilot.screen.lines)


def test_the_card_follows_the_window(host: Hosted) -> None:
    with host.open("about") as pilot:
        pilot.wait_for("This host").press("2").wait_for("80 columns, 24 rows")
        pilot.resize(80, 30).wait_for("80 columns, 30 rows")
        pilot.resize(100, 30).wait_for("100 columns, 30 rows")


@pytest.mark.parametrize(
    ("term", "env", "seen"),
    [
        ("xterm-256color", {"LANG": "C.UTF-8", "COLORTERM": "truecolor"}, "16 million"),
        ("xterm-256color", {"LANG": "C.UTF-8"}, "256"),
        ("linux", {"LANG": "C.UTF-8"}, "16"),
        ("vt100", {"LANG": "C"}, "ASCII only"),
        ("xterm", {"LANG": "C.UTF-8", "NO_COLOR": "1"}, "sent NO_COLOR"),
    ],
)
def test_what_the_host_knows(host: Hosted, term: str, env: dict[str, str], seen: str) -> None:
    with host.open("about", term=term, env=env, size=(80, 50)) as pilot:
        pilot.wait_for("This host").press("2").wait_for(term).wait_for(seen)
        pilot.wait_for("Widths")
        assert ("sent no colours" in pilot.text) == (term == "vt100" or "NO_COLOR" in env)
        assert (("漢字漢字|") in pilot.text) == (env["LANG"] != "C")
        assert pilot.text.isascii() == (env["LANG"] == "C")
        bars = [line.index("|") for line in pilot.screen.lines if line.endswith("|")]
        assert len(bars) == 6


def test_the_theme_is_shown_in_its_own_looks(host: Hosted) -> None:
    env = {"LANG": "C.UTF-8", "COLORTERM": "truecolor"}
    with host.open("about", env=env, size=(100, 60)) as pilot:
        pilot.wait_for("This host").press("2").wait_for("The theme").wait_for("button.focused")
        roles = host.host.themes()[0].roles
        assert all(name in pilot.text for name in roles)
        row = next(i for i, line in enumerate(pilot.screen.lines) if "button.focused" in line)
        at = pilot.screen.lines[row].index("button.focused")
        theme = next(theme for theme in host.host.themes() if theme.name == "harbor-night")
        ground = theme.roles["button.focused"].bg.removeprefix("#")
        assert pilot.screen.styles(row)[at][2] == ground


def test_the_key_is_copied_and_shown(host: Hosted) -> None:
    (key,) = host.host.keys()
    with host.open("about", size=(100, 30)) as pilot:
        pilot.wait_for("This host").press("y").wait_for("asked to copy").wait_for("--known-hosts")
        sent = pilot.received.partition(b"\x1b]52;c;")[2]
        text = base64.b64decode(sent[: min(sent.find(b"\x07") % 10**9, sent.find(b"\x1b") % 10**9)])
        assert text.decode() == f"[demo.example.org]:2222 {key.line}\n"
        pilot.press("enter").wait_gone("asked to copy")


# ------------------------------------------------------------------------------ keys and names


def test_fingerprints_are_those_of_the_handshake(host: Hosted) -> None:
    transport = host.dial()
    try:
        blob = transport.get_remote_server_key().asbytes()
    finally:
        hang_up(transport)
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    assert host.run("about fingerprints").text == f"256 SHA256:{digest} (ED25519)\n"
    (told,) = json.loads(host.run("about fingerprints --json").text)
    assert told["sha256"] == f"SHA256:{digest}"
    line = host.run("about fingerprints --known-hosts").text
    assert line == told["known_hosts"] + "\n"
    assert line.split()[0] == "[demo.example.org]:2222"
    assert base64.b64decode(line.split()[2]) == blob


@pytest.mark.parametrize(
    ("listens", "option", "known_as", "command"),
    [
        (TcpAddress("0.0.0.0", 8022), "", "[HOST]:8022", "ssh -p 8022 ada@HOST"),
        (TcpAddress("::", 22), "", "HOST", "ssh ada@HOST"),
        (TcpAddress("127.0.0.1", 8022), "", "[localhost]:8022", "ssh -p 8022 ada@localhost"),
        (TcpAddress("0.0.0.0", 8022), "a.example", "[a.example]:8022", "ssh -p 8022 ada@a.example"),
        (TcpAddress("0.0.0.0", 8022), "a.example:22", "a.example", "ssh ada@a.example"),
        (
            TcpAddress("0.0.0.0", 8022),
            "[2001:db8::1]:23",
            "[2001:db8::1]:23",
            "ssh -p 23 ada@2001:db8::1",
        ),
        (TcpAddress("0.0.0.0", 22), "[2001:db8::1]", "2001:db8::1", "ssh ada@2001:db8::1"),
        (None, "", "HOST", "ssh ada@HOST"),
    ],
)
def test_how_people_reach_it(
    host: Hosted, listens: Any, option: str, known_as: str, command: str
) -> None:
    session: Any = SimpleNamespace(user="ada", host=SimpleNamespace(address=listens))
    address = part(host, "identity").Address.of(session, {"address": option} if option else {})
    assert address.known_as == known_as
    assert address.ssh() == command
    assert address.ssh("notes", "list", options="-t").startswith("ssh -t ")


@pytest.fixture
def ssh_keygen(program: Callable[[str], str]) -> str:
    return program("ssh-keygen")


@pytest.mark.parametrize("kind", [("ed25519", "256"), ("rsa", "3072")])
@pytest.mark.usefixtures("ssh_keygen")
def test_the_picture_is_the_one_that_openssh_draws(
    host: Hosted, tmp_path: Path, kind: tuple[str, str]
) -> None:
    path = str(tmp_path / "key")
    make = ["ssh-keygen", "-q", "-t", kind[0], "-b", kind[1], "-N", "", "-f", path]
    subprocess.run(make, check=True, timeout=DEADLINE)
    shown = subprocess.run(
        ["ssh-keygen", "-lvf", path], check=True, timeout=DEADLINE, capture_output=True
    )
    first, *drawn = shown.stdout.decode().splitlines()
    title = f"{kind[0].upper()} {kind[1]}"
    assert list(part(host, "identity").picture(first.split()[1], title)) == drawn


# ------------------------------------------------------------------------- commands and lines


def test_the_terminal_command_with_and_without_one(host: Hosted) -> None:
    told = host.run("about terminal").text
    assert "none in this session" in told
    assert "ssh -t -p 2222 ada@demo.example.org about" in told
    with host.open("about terminal", size=(80, 60)) as pilot:
        pilot.wait_for("80 columns, 60 rows").wait_for("Widths")
        assert pilot.wait_end() == 0


@pytest.mark.parametrize("columns", [1, 3, 21])
def test_the_card_in_a_narrow_window(host: Hosted, columns: int) -> None:
    with host.open("about terminal", size=(columns, 24)) as pilot:
        assert pilot.wait_end() == 0


def test_without_a_screen_the_sections_are_read_out(host: Hosted) -> None:
    with host.open("about", term="dumb", size=(120, 100)) as pilot:
        pilot.wait_for("Is this the right host?").wait_for("known_hosts").wait_for("Terminal: dumb")
        assert pilot.wait_end() == 0
        assert b"\x1b" not in pilot.received
        assert "+--[" not in pilot.text


def test_an_example_is_a_command_that_there_is(host: Hosted) -> None:
    with host.open("about", term="dumb", size=(120, 100)) as pilot:
        pilot.wait_for("From your own shell").wait_for("about env: runs one of its")
        pilot.wait_end()


def test_two_people_have_a_page_each(host: Hosted) -> None:
    with host.open("about", user="ada") as ada, host.open("about", user="grace") as grace:
        ada.wait_for("This host").press("2").wait_for("What the host knows")
        grace.wait_for("This host").press("G").wait_for("nothing blinks")
        assert "What the host knows" in ada.text
        ada.press("tab").wait_for("This host")
