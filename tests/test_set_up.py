"""The environment that `make` prepares: once, by one process; if it cannot, it says why."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

import set_up
from tests.waiting import DEADLINE, until

ROOT = Path(__file__).parents[1]

PIP = """
import os, sys, time
with open("installed", "a") as file:
    file.write(" ".join(sys.argv[1:]) + "\\n")
while os.path.exists("hold"):
    time.sleep(0.01)
if os.path.exists("says"):
    print(open("says").read())
    sys.exit(1)
"""
"""A pip that notes what it is asked for. It waits as long as there is a file `hold`, and fails with
the text of a file `says`."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder, with a blank in its name, whose environment has a pip that installs nothing."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in ("Makefile", "set_up.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    venv.create(folder / ".venv", with_pip=False, symlinks=True)
    pip = next((folder / ".venv/lib").glob("python*")) / "site-packages/pip"
    pip.mkdir()
    (pip / "__init__.py").touch()
    (pip / "__main__.py").write_text(PIP)
    script(folder, "tuihost", folder, 'echo "$TUIHOST_CALLED_BY $*"')
    return folder


def script(checkout: Path, name: str, made_in: Path, line: str = "") -> None:
    """A program of the environment, as one that was made in the folder `made_in` has it."""
    path = checkout / ".venv/bin" / name
    path.write_text(f"#!/bin/sh\n# {made_in}/.venv/bin/python\n{line}\n")
    path.chmod(0o755)


def environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}


def prepare(checkout: Path, *parts: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "set_up.py", ".venv", *parts],
        cwd=checkout,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )


def test_what_is_needed_is_installed_once(checkout: Path) -> None:
    for _ in range(2):
        assert prepare(checkout, "development").returncode == 0
    asked = (checkout / "installed").read_text().splitlines()
    assert [line.rpartition("check ")[2] for line in asked] == [
        "--editable .",
        "--upgrade pip>=25.1",
        "--group test --group lint",
    ]
    with (checkout / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    assert prepare(checkout).returncode == 0
    assert len((checkout / "installed").read_text().splitlines()) == 4


def test_two_at_once_install_once(checkout: Path) -> None:
    (checkout / "hold").touch()
    first = subprocess.Popen([sys.executable, "set_up.py", ".venv"], cwd=checkout)
    try:
        until((checkout / "installed").exists, "the first one to install")
        second = subprocess.Popen(
            [sys.executable, "set_up.py", ".venv"], cwd=checkout, stdout=subprocess.PIPE, text=True
        )
        assert second.stdout is not None
        assert second.stdout.readline().startswith("Waiting for another make")
    finally:
        (checkout / "hold").unlink()
    out, _ = second.communicate(timeout=DEADLINE)
    assert (first.wait(DEADLINE), second.returncode, out) == (0, 0, "")
    assert len((checkout / "installed").read_text().splitlines()) == 1


def without_python(checkout: Path) -> Path:
    (checkout / ".venv/bin/python").unlink()
    (checkout / ".venv/bin/python").symlink_to("/nowhere/python3")
    return checkout


def without_pip(checkout: Path) -> Path:
    shutil.rmtree(next((checkout / ".venv/lib").glob("python*")) / "site-packages/pip")
    return checkout


def moved(checkout: Path) -> Path:
    return checkout.rename(checkout.parent / "elsewhere")


def copied(checkout: Path) -> Path:
    return shutil.copytree(checkout, checkout.parent / "copy", symlinks=True)


@pytest.mark.parametrize(
    ("happens", "problem"),
    [
        (without_python, "has no Python any more"),
        (without_pip, "is broken"),
        (moved, "was made in another folder, and cannot be moved"),
        (copied, "was made in another folder, and cannot be moved"),
    ],
)
def test_an_environment_that_does_not_work_is_one_sentence(
    checkout: Path, happens: Callable[[Path], Path], problem: str
) -> None:
    folder = happens(checkout)
    done = prepare(folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"The environment in .venv {problem}. Type: make clean. Then type the same as before.\n"
    )
    assert not (folder / "installed").exists()


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError'\n"
            "ERROR: No matching distribution found for hatchling>=1.27",
            "The packages that tuihost needs cannot be downloaded; .venv/pip.log has what pip "
            "says. Is there a network? Then type the same as before.\n",
        ),
        (
            "ERROR: something else\n",
            "pip failed: ERROR: something else (.venv/pip.log has more). Type: make clean. "
            "Then type the same as before.\n",
        ),
    ],
)
def test_an_installation_that_fails_is_one_sentence(checkout: Path, says: str, told: str) -> None:
    (checkout / "says").write_text(says)
    done = prepare(checkout)
    assert (done.returncode, done.stderr) == (1, told)
    assert says in (checkout / ".venv/pip.log").read_text()
    (checkout / "says").unlink()
    assert prepare(checkout).returncode == 0, "the next try does it"


def test_a_missing_environment_is_made(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(checkout / ".venv")
    monkeypatch.chdir(checkout)
    monkeypatch.setattr(set_up, "PARTS", {"runtime": ()})
    set_up.main("made here")
    assert set_up.problem_with(Path("made here")) is None


def test_make_demo_runs_the_demo_and_says_so(checkout: Path, program: Callable[[str], str]) -> None:
    done = subprocess.run(
        [program("make"), "demo", f"PYTHON={sys.executable}", "ARGS=--port 8023"],
        cwd=checkout,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("make demo --port 8023\n")


def test_make_without_a_python_is_one_sentence(
    checkout: Path, program: Callable[[str], str]
) -> None:
    done = subprocess.run(
        [program("make"), "demo", "PYTHON=python0.1"],
        cwd=checkout,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    first, _, _ = done.stderr.partition("\n")
    assert first == (
        "tuihost needs Python 3.11 or newer, and there is no 'python0.1' here."
        " Say which one to take: make PYTHON=/path/to/python3.12"
    )
