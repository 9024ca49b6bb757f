"""Runs the tests on every other Python that pyproject.toml names: `make test-pythons`.

    python -m tests.pythons TARGET [ARGS…]

Looks for each on the path and among pyenv's, makes an environment of its own for it, and calls make
in there with the target. A Python that is not on this machine is named and left out.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
THIS = f"{sys.version_info[0]}.{sys.version_info[1]}"
NAMED = re.compile(r'"Programming Language :: Python :: (3\.\d+)"')


def candidates(version: str) -> Iterator[str]:
    """Where a Python of this version may be, pyenv's newest first."""
    if on_path := shutil.which(f"python{version}"):
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    released = re.compile(rf"{re.escape(version)}\.(\d+)")
    numbered = {
        int(match[1]): path for path in pyenv.glob("*") if (match := released.fullmatch(path.name))
    }
    for _, path in sorted(numbered.items(), reverse=True):
        yield str(path / "bin" / "python")


def can_make_environments(python: str, version: str) -> bool:
    """Only running it tells: pyenv has a program on the path for versions that are turned off."""
    asks = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        said = subprocess.run([python, "-c", asks], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return said.stdout.strip() == version


def found(version: str) -> str | None:
    """The path of a Python of this version that can make environments."""
    return next(
        (path for path in candidates(version) if can_make_environments(path, version)), None
    )


def main(target: str, *words: str) -> int:
    """Gives make what pytest takes; the exit status says whether everything passed."""
    failed = False
    hint = " `pyenv install` knows where to get it." if shutil.which("pyenv") else ""
    for version in NAMED.findall((ROOT / "pyproject.toml").read_text()):
        if version == THIS:
            continue
        if (python := found(version)) is None:
            sys.stdout.write(f"Python {version} is not on this machine: it is not tested.{hint}\n")
            continue
        sys.stdout.write(f"Python {version}: {python}\n")
        sys.stdout.flush()
        there = [f"VENV=.venv-{version}", f"PYTHON={python}", f"ARGS={' '.join(words)}"]
        failed |= subprocess.run(["make", target, *there], cwd=ROOT, check=False).returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
