"""Real X programs on a real X server, through the real OpenSSH client."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.e2e_demo import Served, clean_env
from tests.e2e.e2e_tmux import Open
from tests.e2e.e2e_x import Screen, StartScreen
from tests.waiting import DEADLINE, until

NUMBERS = itertools.count(1)
SETTINGS = """\
[server]
port = 0
state_dir = "state"
per_address = 200
[app.windows.programs]
logo = "xlogo -geometry 120x90+10+20"
clock = "xclock -geometry 100x100+0+0"
about = "xdpyinfo"
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("host")
    config = folder / "tuihost.toml"
    config.write_text(SETTINGS)
    words = ["serve", "--config", str(config)]
    served = Served(folder, words, ready=lambda host: bool(host.events("host.start")))
    yield served
    for fault in ("host.error", "conn.error", "app.error", "app.abandoned"):
        assert not served.events(fault), served.log
    served.close()


class Client:
    """OpenSSH, on the machine with a screen of somebody whose name nobody else has."""

    def __init__(self, folder: Path, host: Served, screen: Screen) -> None:
        self.at = f"user{next(NUMBERS)}@127.0.0.1"
        self.folder = folder
        self.host = host
        self.screen = screen
        self._running: list[subprocess.Popen[bytes]] = []

    def words(self, *words: str) -> list[str]:
        options = "StrictHostKeyChecking=no UserKnownHostsFile=/dev/null LogLevel=ERROR"
        given = [word for option in options.split() for word in ("-o", option)]
        return ["ssh", "-F", "/dev/null", *given, "-p", str(self.host.port), *words]

    @property
    def env(self) -> dict[str, str]:
        return clean_env(self.folder, **self.screen.env)

    def ssh(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self.words(*words), env=self.env, stdin=subprocess.DEVNULL,
            capture_output=True, timeout=DEADLINE,
        )  # fmt: skip

    def background(self, *words: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(self.words(*words), env=self.env, stdin=subprocess.DEVNULL)
        self._running.append(process)
        return process

    def direct(self, *words: str) -> subprocess.Popen[bytes]:
        """A program of this machine, without ssh."""
        process = subprocess.Popen(words, env=self.env)
        self._running.append(process)
        return process

    def end(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        process.wait(DEADLINE)

    def close(self) -> None:
        for process in self._running:
            self.end(process)


@pytest.fixture
def client(
    tmp_path: Path,
    host: Served,
    start_screen: StartScreen,
    program: Callable[[str], str],
) -> Iterator[Client]:
    for name in ("ssh", "xlogo", "xclock", "xdpyinfo"):
        program(name)
    client = Client(tmp_path, host, start_screen())
    yield client
    client.close()
    until(lambda: not client.screen.windows(), "every window to be gone", shown=lambda: host.log)


def shown(client: Client, *names: str) -> None:
    until(lambda: client.screen.windows() == sorted(names), f"the windows {names}")


@pytest.mark.parametrize("way", ["-X", "-Y"])
def test_a_program_looks_as_it_does_at_home(client: Client, way: str) -> None:
    empty = client.screen.pixels()
    here = client.direct("xlogo", "-geometry", "120x90+10+20")
    shown(client, "xlogo")
    until(lambda: client.screen.pixels() != empty, "the logo to be drawn")
    expected = client.screen.pixels()
    client.end(here)
    shown(client)
    far = client.background(way, client.at, "windows run logo")
    shown(client, "xlogo")
    until(lambda: client.screen.pixels() == expected, "the same picture")
    client.end(far)  # closing the session closes the window
    shown(client)


@pytest.mark.parametrize("way", ["-X", "-Y"])
def test_a_program_sees_the_screen_of_its_person(client: Client, way: str) -> None:
    done = client.ssh(way, client.at, "windows run about")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("way", ["-X", "-Y"])
def test_a_clock_is_drawn(client: Client, way: str) -> None:
    empty = client.screen.pixels()
    session = client.background(way, client.at, "windows run clock")
    shown(client, "xclock")
    until(lambda: client.screen.pixels() != empty, "the clock to be drawn")
    client.end(session)


def test_closing_the_window_ends_the_session(client: Client) -> None:
    session = client.background("-Y", client.at, "windows run clock")
    shown(client, "xclock")

    def close(root: Any) -> None:
        (window,) = root.query_tree().children
        window.kill_client()
        root.get_geometry()  # the server has heard it by now

    client.screen.look(close)
    assert session.wait(DEADLINE) == 1, "xclock says so where its server is gone"


def test_the_app_draws_a_window_itself(client: Client) -> None:
    session = client.background("-X", client.at, "windows")
    shown(client, "tuihost: a note")
    empty = bytes(len(client.screen.pixels()))
    until(lambda: client.screen.pixels() != empty, "the note to be drawn")
    client.end(session)


def test_without_a_screen_it_says_how(client: Client) -> None:
    done = client.ssh("-x", client.at, "windows run clock")
    target = client.at.replace("127.0.0.1", "localhost")
    again = f"ssh -X -p {client.host.port} {target} windows run NAME"
    said = f"There is no screen to show it on. Connect with: {again}\n"
    assert (done.returncode, done.stderr.decode()) == (69, said)


def test_windows_are_opened_from_a_screen_of_text(client: Client, open_terminal: Open) -> None:
    terminal = open_terminal(80, 24, client.screen.env)
    terminal.shell(f"ssh -Y -t -p {client.host.port} {client.at} windows")
    terminal.wait_for("Windows", "logo", "clock", "a note drawn here")
    terminal.press("Enter").wait_for("1 open")
    shown(client, "xlogo")
    terminal.press("Down", "Enter").wait_for("2 open")
    shown(client, "xclock", "xlogo")
    terminal.press("DC").wait_for("1 open")
    shown(client, "xlogo")
    terminal.press("C-c").wait_shell(0)
    shown(client)
