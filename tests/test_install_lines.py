"""The lines that the README gives to install tuihost, run as they stand: from a checkout whose path
has a blank, by a user with a strict and with a loose umask."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.waiting import DEADLINE

ROOT = Path(__file__).parents[1]
PARTS = (
    "tuihost",
    "apps",
    "themes",
    "README.md",
    "LICENSE",
    "pyproject.toml",
    "hatch_build.py",
    "Makefile",
    "set_up.py",
)
INSTALLING = 600.0  # seconds for pip to download and install what is needed


def ways() -> dict[str, list[str]]:
    """The lines of each way to install it, by the program that it begins with."""
    text = (ROOT / "README.md").read_text("utf-8").partition("\n## Install\n")[2]
    blocks = re.findall(r"^```console\n(.*?)^```$", text.partition("\n## ")[0], re.M | re.S)
    lines = [[line.removeprefix("$ ") for line in block.splitlines()] for block in blocks]
    return {block[0].split()[0]: block for block in lines}


def test_the_readme_has_three_ways_that_end_in_a_host() -> None:
    assert list(ways()) == ["python3", "pipx", "uv"]
    for *_, init, serve in ways().values():
        assert init.endswith("/bin/tuihost init my-host")
        assert serve.endswith("/bin/tuihost serve --config my-host/tuihost.toml")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part)
        else:
            shutil.copy(ROOT / part, folder)
    return folder


def environment(home: Path) -> dict[str, str]:
    """That of a new user: pip's and the test run's own settings hold, its environment does not."""
    env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    return env | {"HOME": str(home), "PATH": f"{home}/.local/bin:{env['PATH']}"}


def ends_well(words: list[str], checkout: Path, umask: int, ready: str) -> None:
    """Starts a host, and ends it once `ready` is in a line that it says."""
    with subprocess.Popen(
        words,
        cwd=checkout,
        env=environment(checkout.parent),
        umask=umask,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as host:
        assert host.stdout is not None
        said = []
        for line in host.stdout:
            said.append(line)
            if ready in line:
                break
        host.send_signal(signal.SIGTERM)
        said.append(host.communicate(timeout=DEADLINE)[0])
    assert host.returncode == 0, "".join(said)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "umask"), [("python3", 0o077), ("python3", 0o002), ("pipx", 0o077), ("uv", 0o002)]
)
def test_the_lines_of_the_readme_install_a_host(
    way: str, umask: int, checkout: Path, program: Callable[[str], str]
) -> None:
    *lines, serve = ways()[way]
    if way == "uv" and shutil.which("uv") is None:
        lines.insert(0, "pipx install uv")
    if "pipx" in lines[0]:
        program("pipx")
    done = subprocess.run(
        ["bash", "-euc", "\n".join(lines)],
        cwd=checkout,
        env=environment(checkout.parent),
        umask=umask,
        capture_output=True,
        text=True,
        timeout=INSTALLING,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ends_well(["bash", "-c", f"exec {serve} --port 0"], checkout, umask, "host.start")


@pytest.mark.slow
@pytest.mark.parametrize("umask", [0o077, 0o002])
def test_make_demo_needs_no_installation(
    umask: int, checkout: Path, program: Callable[[str], str]
) -> None:
    made = subprocess.run(
        [program("make"), "ready"],
        cwd=checkout,
        env=environment(checkout.parent),
        umask=umask,
        capture_output=True,
        text=True,
        timeout=INSTALLING,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    # Without make itself, whose status for a signal is its own.
    told = subprocess.run(
        [program("make"), "--dry-run", "demo", "ARGS=--port 0"],
        cwd=checkout,
        env=environment(checkout.parent),
        capture_output=True,
        text=True,
        check=True,
    )
    last = told.stdout.splitlines()[-1]
    ends_well(["bash", "-c", last], checkout, umask, "Stop ")
