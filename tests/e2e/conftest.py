"""One demo and one tmux for all tests of a process; a window of one's own for each test."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.e2e_demo import Demo, Place, Run, clean_env
from tests.e2e.e2e_house import House
from tests.e2e.e2e_tmux import Open, Terminal, Tmux
from tests.e2e.e2e_x import Screen, StartScreen, start_server
from tests.waiting import DEADLINE

SSH = """\
#!/bin/sh
# As Debian ships it: the locale goes along. Nothing of this account's own settings.
exec {ssh} -F /dev/null -o UserKnownHostsFile={folder}/known/%p -o IdentityFile=none \\
  -o StrictHostKeyChecking=accept-new -o "SendEnv=LANG LC_*" "$@"
"""


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    # Not pytest's: a socket's path may have about a hundred characters only.
    folder = Path(tempfile.mkdtemp(prefix="tuihost-e2e-"))
    (folder / "bin").mkdir()
    (folder / "known").mkdir()
    found = shutil.which("ssh")
    if found:
        script = folder / "bin" / "ssh"
        script.write_text(SSH.format(ssh=found, folder=folder))
        script.chmod(0o755)
    yield Place(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def demo(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo that runs for all tests; it must end well after all of them."""
    demo = Demo(tmp_path_factory.mktemp("demo"))
    try:
        place.meet(demo)
        yield demo
        demo.interrupt()
        assert demo.wait_end() == 0
        assert not demo.events("host.error"), demo.log
        assert not demo.events("conn.error"), demo.log
        assert not demo.events("app.abandoned"), demo.log
    finally:
        demo.close()


@pytest.fixture(scope="session")
def _house(place: Place) -> Iterator[Callable[[], House]]:
    opened: list[House] = []

    def start() -> House:
        if not opened:
            folder = place.folder / "house"
            folder.mkdir()
            opened.append(House(folder, place.bin / "ssh"))
            place.meet(opened[0])
        return opened[0]

    yield start
    for house in opened:
        try:
            house.interrupt()
            assert house.wait_end() == 0
            for fault in ("host.error", "conn.error", "store.error", "app.abandoned"):
                assert not house.events(fault), house.log
            assert "Traceback" not in house.log, house.log
        finally:
            house.close()


@pytest.fixture
def house(_house: Callable[[], House], program: Callable[[str], str]) -> House:
    """A host with accounts that runs for all tests: each makes accounts of its own there."""
    program("ssh")
    program("ssh-keygen")
    return _house()


@pytest.fixture
def own_demo(place: Place, tmp_path: Path) -> Iterator[Demo]:
    """A demo for one test, which may end it."""
    demo = Demo(tmp_path)
    try:
        place.meet(demo)
        yield demo
    finally:
        demo.close()


@pytest.fixture(scope="session")
def _tmux(place: Place) -> Iterator[Tmux | None]:
    found = shutil.which("tmux")
    if found is None:
        yield None
        return
    tmux = Tmux(found, place.folder, place.bin)
    yield tmux
    tmux.close()


@pytest.fixture
def open_terminal(_tmux: Tmux | None, program: Callable[[str], str]) -> Iterator[Open]:
    """Opens terminals with a shell, in which `ssh` is OpenSSH's; closes them after the test."""
    program("ssh")
    program("tmux")
    assert _tmux is not None
    opened: list[Terminal] = []

    def open(columns: int = 80, rows: int = 24, env: Mapping[str, str] | None = None) -> Terminal:
        opened.append(_tmux.open(columns, rows, env))
        return opened[-1]

    yield open
    for terminal in opened:
        terminal.close()


@pytest.fixture
def visit(demo: Demo, open_terminal: Open) -> Open:
    """Opens a terminal and in it `ssh`, to the first screen."""

    def visit(
        user: str, columns: int = 80, rows: int = 24, *, asks: str = "", first: str = "Menu"
    ) -> Terminal:
        terminal = open_terminal(columns, rows)
        terminal.shell(f"ssh {'-t ' if asks else ''}-p {demo.port} {user}@127.0.0.1 {asks}")
        return terminal.wait_for(first)

    return visit


@pytest.fixture
def ssh(demo: Demo, place: Place, program: Callable[[str], str]) -> Run:
    """`ssh -p PORT WORDS…` without a terminal, to its end."""
    program("ssh")

    def run(*words: str, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [str(place.bin / "ssh"), "-p", str(demo.port), *words],
            input=input,
            capture_output=True,
            timeout=DEADLINE,
            env=clean_env(place.folder),
        )

    return run


@pytest.fixture(scope="session")
def _screens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Screen]]:
    started: list[tuple[subprocess.Popen[bytes], Screen]] = []

    def start(program: Callable[[str], str]) -> Screen:
        if not started:
            started.append(start_server(tmp_path_factory.mktemp("x"), program))
        return started[0][1]

    yield start
    for process, _ in started:
        process.terminate()
        process.wait(DEADLINE)


@pytest.fixture
def start_screen(_screens: Callable[..., Screen], program: Callable[[str], str]) -> StartScreen:
    """Gives the X server of all tests; it starts when the first one asks for it."""
    return lambda: _screens(program)
