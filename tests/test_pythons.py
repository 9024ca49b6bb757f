"""`make test-pythons`: which Pythons it finds, and what it says of those that are not there."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import pythons
from tests.pythons import THIS


def put(python: Path, line: str) -> None:
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{line}\n")
    python.chmod(0o700)


@pytest.fixture
def pyenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for pyenv's versions; there is nothing else on the path, not even make."""
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "versions"


def test_the_newest_that_pyenv_has_and_that_works_is_taken(pyenv: Path) -> None:
    put(pyenv.parent / "bin" / f"python{THIS}", "echo not turned on; exit 127")
    for release in ("2", "10"):
        put(pyenv / f"{THIS}.{release}" / "bin/python", f'exec {sys.executable} "$@"')
    put(pyenv / f"{THIS}.11" / "bin/python", "echo No module named venv; exit 1")
    put(pyenv / f"{THIS}.12rc1" / "bin/python", "exit 0")
    (pyenv / f"{THIS}.13" / "bin").mkdir(parents=True)
    assert pythons.found(THIS) == str(pyenv / f"{THIS}.10" / "bin/python")


def test_another_version_than_its_name_says_is_not_taken(pyenv: Path) -> None:
    put(pyenv / "3.1.4" / "bin/python", f'exec {sys.executable} "$@"')
    assert pythons.found("3.1") is None


def test_one_that_is_not_there_is_named_and_left_out(
    pyenv: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[list[str]] = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        calls.append(command)
        return SimpleNamespace(returncode=1)

    monkeypatch.setattr(pythons, "found", {"3.12": "/a/python"}.get)
    monkeypatch.setattr(pythons, "THIS", "3.11")
    monkeypatch.setattr(pythons, "subprocess", SimpleNamespace(run=run))
    assert pythons.main("test", "-k", "paste") == 1
    assert calls == [["make", "test", "VENV=.venv-3.12", "PYTHON=/a/python", "ARGS=-k paste"]]
    assert capsys.readouterr().out.splitlines() == [
        "Python 3.12: /a/python",
        "Python 3.13 is not on this machine: it is not tested.",
    ]
