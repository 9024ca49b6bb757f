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
PARTS = ("tuihost", "apps", "themes", "README.md", "LICENSE", "pyproject.toml", "hatch_build.py")
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "umask"), [("python3", 0o077), ("python3", 0o002), ("pipx", 0o077), ("uv", 0o002)]
)
def test_the_lines_of_the_readme_install_a_host(
    way: str, umask: int, tmp_path: Path, program: Callable[[str], str]
) -> None:
    program(way)
    checkout = tmp_path / "a checkout"
    checkout.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, checkout / part)
        else:
            shutil.copy(ROOT / part, checkout)
    env = {name: value for name, value in os.environ.items() if not name.startswith("VIRTUAL_ENV")}
    env["HOME"] = str(tmp_path)
    *lines, serve = ways()[way]
    done = subprocess.run(
        ["bash", "-euc", "\n".join(lines)],
        cwd=checkout,
        env=env,
        umask=umask,
        capture_output=True,
        text=True,
        timeout=INSTALLING,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with subprocess.Popen(
        ["bash", "-c", f"exec {serve} --port 0"],
        cwd=checkout,
        env=env,
        umask=umask,
        stderr=subprocess.PIPE,
        text=True,
    ) as host:
        assert host.stderr is not None
        said = []
        for line in host.stderr:
            said.append(line)
            if "host.start" in line:
                break
        host.send_signal(signal.SIGTERM)
        rest = host.communicate(timeout=DEADLINE)[1]
    assert host.returncode == 0, "".join([*said, rest])
