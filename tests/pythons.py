"""Runs the tests on every other Python that pyproject.toml names: `make test-pythons`.

Looks for each on the path and among pyenv's, and makes an environment of its own for it. What is
not on this machine is named and left out.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r'"Programming Language :: Python :: (3\.\d+)"')


def found(version: str) -> str | None:
    """The path of a Python of this version that can make environments."""
    pyenv = (Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python")
    for candidate in (shutil.which(f"python{version}"), *map(str, sorted(pyenv))):
        if candidate is None:
            continue
        # pyenv has a shim on the path for versions that are not turned on: only running it tells.
        asks = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
        said = subprocess.run([candidate, "-c", asks], capture_output=True, text=True, check=False)
        if said.stdout.strip() == version:
            return candidate
    return None


def main(words: Sequence[str]) -> int:
    """Takes what pytest takes; its exit status says whether everything passed."""
    failed = False
    for version in NAMED.findall((ROOT / "pyproject.toml").read_text()):
        if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
            continue
        if (python := found(version)) is None:
            sys.stdout.write(f"Python {version} is not on this machine: it is not tested.\n")
            continue
        sys.stdout.write(f"Python {version}: {python}\n")
        sys.stdout.flush()
        there = [f"VENV=.venv-{version}", f"PYTHON={python}", f"ARGS={' '.join(words)}"]
        failed |= subprocess.run(["make", "test", *there], cwd=ROOT, check=False).returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
