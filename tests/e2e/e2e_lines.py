"""Lines of documents, typed as they stand there into a shell on a terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import DEADLINE

LAST = "printf '[ended %s]' $?; read more"
"""The shell is still there when a line has ended."""
ENDED = re.compile(rb"\[ended (\d+)\]")


def blocks(path: Path, kind: str, prompt: str) -> Iterator[tuple[str, ...]]:
    """What is typed in each block of one kind: the lines that begin with the prompt."""
    text = path.read_text("utf-8")
    for block in re.findall(rf"^```{kind}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        lines = (line for line in block.splitlines() if line.startswith(prompt))
        yield tuple(line.removeprefix(prompt).strip() for line in lines)


@dataclass(slots=True)
class Typed:
    """A line that runs in a shell on a terminal of its own."""

    process: subprocess.Popen[bytes]
    terminal: int
    seen: bytes = b""

    def until(self, ready: Callable[[], object]) -> None:
        """Reads until `ready()`."""
        deadline = time.monotonic() + DEADLINE
        while not ready():
            left = deadline - time.monotonic()
            assert left > 0, f"nothing more came in time:\n{self.text}"
            if select.select([self.terminal], [], [], min(left, 0.2))[0]:
                self.seen += os.read(self.terminal, 65536)

    def wait_for(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        """The first that fits `pattern`."""
        found: list[re.Match[bytes]] = []

        def look() -> bool:
            found.extend(pattern.finditer(self.seen))
            return bool(found)

        self.until(look)
        return found[0]

    def answer(self, text: str) -> None:
        """Types a line, and forgets what was seen before."""
        self.seen = b""
        os.write(self.terminal, f"{text}\n".encode())

    @property
    def text(self) -> str:
        return self.seen.decode("utf-8", "replace")

    def close(self) -> None:
        """Hangs up, as somebody does who closes the window."""
        os.close(self.terminal)
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(DEADLINE)


def typed(line: str, folder: Path, env: Mapping[str, str]) -> Typed:
    """Types it in that folder."""
    terminal, theirs = pty.openpty()
    # Opened by the leader of a session, it is the terminal at which programs ask for a password.
    takes = f"exec <>{os.ttyname(theirs)} >&0 2>&0"
    process = subprocess.Popen(
        ["/bin/sh", "-c", f"{takes}\n{line}\n{LAST}"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env=env,
        start_new_session=True,
    )
    os.close(theirs)
    return Typed(process, terminal)
