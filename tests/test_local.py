"""An app in the terminal of this machine: what its keys do, and what it leaves behind."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.calling import environment, tuihost
from tests.waiting import DEADLINE

APP = '''
from tuihost import App, command

class Vault(App):
    """Keeps a secret."""

    async def talk(self, session):
        await session.say(f"Hello, {await session.ask('Your name? ')}!")

    @command
    async def open(self, session) -> int:
        """Open it."""
        word = await session.ask("Which word? ", hidden=True)
        session.print("open" if word == "sesame" else f"not {len(word)} letters")
        session.write(b"one\\ntwo\\n")
        return 0 if word == "sesame" else 3

    @command
    def count(self, session) -> None:
        """Count lines."""
        session.print("ready")
        session.print(len(list(session.lines())), "lines")
'''


class Run:
    """`tuihost run` at a terminal of its own."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self.master = master
        self.shown = b""

    def wait_for(self, text: bytes) -> None:
        deadline = time.monotonic() + DEADLINE
        while text not in self.shown:
            left = deadline - time.monotonic()
            assert left > 0, f"waited for {text!r}; there is {self.shown!r}"
            if select.select([self.master], [], [], left)[0]:
                self.shown += os.read(self.master, 4096)

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)


@contextmanager
def run(place: Path, *words: str) -> Iterator[Run]:
    (place / "apps").mkdir(exist_ok=True)
    (place / "apps" / "vault.py").write_text(APP)
    env = environment(
        place,
        TERM="xterm",
        TUIHOST_APPS__FOLDERS=str(place / "apps"),
        TUIHOST_APPS__ENABLED="vault",
        TUIHOST_SERVER__DEFAULT_APP="vault",
    )
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "tuihost", "run", "vault", *words],
            cwd=place,
            env=env,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        ) as process:
            try:
                yield Run(process, master)
                process.wait(DEADLINE)
            finally:
                process.kill()
        assert termios.tcgetattr(slave) == before, "the terminal is as it was"
    finally:
        os.close(master)
        os.close(slave)


def test_a_command_asks_and_shows_no_secret(tmp_path: Path) -> None:
    with run(tmp_path, "open") as here:
        here.wait_for(b"Which word? ")
        here.type(b"sesanE\x7f\x7fme\r")
        here.wait_for(b"open\r")
        here.wait_for(b"one\r\ntwo\r\n")
    assert here.process.returncode == 0
    assert b"sesa" not in here.shown


def test_a_command_reads_lines(tmp_path: Path) -> None:
    with run(tmp_path, "count") as here:
        here.wait_for(b"ready")
        here.type(b"one\rtwo\r\x04")
        here.wait_for(b"2 lines")
    assert here.process.returncode == 0
    assert here.shown.count(b"one") == 1


def test_the_name_alone_runs_what_it_runs_over_ssh(tmp_path: Path) -> None:
    (tmp_path / "apps").mkdir()
    text = APP.replace('secret."""', 'secret."""\n    default_command = "count"')
    (tmp_path / "apps" / "vault.py").write_text(text)
    done = tuihost(tmp_path, "run", "vault", TUIHOST_APPS__FOLDERS=str(tmp_path / "apps"))
    assert done.stdout == "ready\n0 lines\n"


def test_a_talk_is_a_screen(tmp_path: Path) -> None:
    with run(tmp_path) as here:
        here.wait_for(b"Your name?")
        here.type(b"Ada\r")
        here.wait_for(b"Press Enter to go on")
        here.type(b"\x1b[B\r")  # a second Enter might be the first one, held down
    assert here.process.returncode == 0
