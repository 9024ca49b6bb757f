"""Makes the Python environment in which the Makefile runs everything, or says why it cannot.

    python set_up.py FOLDER [development]

One process at a time, and only what is missing. Needs Python 3.11 and nothing that is installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PARTS = {
    "runtime": (("--editable", "."),),
    # `--group` came with pip 25.1.
    "development": (("--upgrade", "pip>=25.1"), ("--group", "test", "--group", "lint")),
}
WORDS = {
    "runtime": "Installing tuihost and what it needs ...",
    "development": "Installing the tools for tests and checks ...",
}
_INTERPRETER = re.compile(rb"/[^\n\"']*?/bin(?=/python[\w.]*)")
_NO_NETWORK = re.compile(
    r"No matching distribution|resolve|resolution|connect|timed out|Network|SSL|Proxy",
    re.IGNORECASE,
)


def main(folder: str, *more: str) -> None:
    venv, parts = Path(folder), ["runtime", *more]
    digest = hashlib.sha256(Path("pyproject.toml").read_bytes()).hexdigest()
    with locked(venv):
        if os.path.lexists(venv):
            problem = problem_with(venv)
            if problem:
                sys.exit(f"The environment in {venv} {problem}. Type: make clean. {AGAIN}")
        else:
            make(venv)
        for part in parts:
            stamp = venv / f".ready-{part}"
            if not stamp.exists() or stamp.read_text() != digest:
                install(venv, part)
                stamp.write_text(digest)


AGAIN = "Then type the same as before."


@contextmanager
def locked(venv: Path) -> Iterator[None]:
    """Waits for another process that makes the same environment."""
    with Path(f"{venv}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for another make, which prepares {venv} ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def problem_with(venv: Path) -> str | None:
    """Why nothing can be run in an environment; None if all is well."""
    python = venv / "bin" / "python"
    if not os.access(python, os.X_OK):
        return "has no Python any more"
    for script in (venv / "bin" / "pip", venv / "bin" / "tuihost"):
        if script.exists() and not is_at_home(script):
            return "was made in another folder, and cannot be moved"
    done = subprocess.run([python, "-I", "-c", "import pip"], capture_output=True, check=False)
    return "is broken" if done.returncode else None


def is_at_home(script: Path) -> bool:
    """Whether a script runs the Python that is beside it."""
    with script.open("rb") as file:
        found = _INTERPRETER.search(file.read(4096))
    folder = os.fsdecode(found[0]) if found else ""
    return os.path.isdir(folder) and os.path.samefile(folder, script.parent)


def make(venv: Path) -> None:
    if subprocess.run([sys.executable, "-c", "import ensurepip, venv"], check=False).returncode:
        sys.exit("This Python has no venv module. On Debian and Ubuntu: apt install python3-venv")
    say(f"Making a Python environment in {venv} ...")
    if subprocess.run([sys.executable, "-m", "venv", venv], check=False).returncode:
        shutil.rmtree(venv, ignore_errors=True)
        sys.exit(f"No Python environment could be made in {venv}: see above.")


def install(venv: Path, part: str) -> None:
    say(WORDS[part])
    pip = [venv / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check"]
    log = venv / "pip.log"
    for words in PARTS[part]:
        with log.open("wb") as file:
            done = subprocess.run(
                [*pip, *words], stdout=file, stderr=subprocess.STDOUT, check=False
            )
        if done.returncode:
            sys.exit(why_not(log))


def why_not(log: Path) -> str:
    """What to tell of an installation that failed."""
    lines = log.read_text("utf-8", "replace").splitlines()
    if any(_NO_NETWORK.search(line) for line in lines):
        return (
            f"The packages that tuihost needs cannot be downloaded; {log} has what pip says. "
            f"Is there a network? {AGAIN}"
        )
    last = next((line for line in reversed(lines) if line.strip()), "it said nothing")
    return f"pip failed: {last.strip()} ({log} has more). Type: make clean. {AGAIN}"


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is what the person who called make reads


if __name__ == "__main__":
    main(*sys.argv[1:])
