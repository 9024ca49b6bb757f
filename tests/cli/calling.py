"""Calls the command line as a person does: in a process and a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.waiting import DEADLINE

ROOT = Path(__file__).parents[2]


APP = """
from tuihost import App, command

class Echo(App):
    '''Says it again.'''
    title = "Écho 你好"
    @command
    def say(self, session, text: str) -> int:
        session.print(text)
        return 7
"""


FRONT = """
from tuihost.plugin import app

@app("front")
async def front(session):
    await session.ask("Your name? ")
"""


def environment(place: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    home = {"HOME": str(place), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "COLUMNS": "100"}
    return {**kept, **home, **more}


def tuihost(
    place: Path, *words: str, status: int = 0, **env: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "tuihost", *words],
        cwd=place,
        env=environment(place, **env),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def started(place: Path, *words: str, **env: str) -> subprocess.Popen[str]:
    """The same, without waiting for its end. What it writes comes at once."""
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "tuihost", *words],
        cwd=place,
        env=environment(place, **env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def only_ours(place: Path) -> dict[str, str]:
    return {
        "TUIHOST_APPS__FOLDERS": str(place / "apps"),
        "TUIHOST_APPS__ENABLED": "echo, front",
        "TUIHOST_SERVER__DEFAULT_APP": "front",
    }
