"""Real terminals without a screen: tmux holds them, we type into them and look at them."""

from __future__ import annotations

import itertools
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.e2e.e2e_demo import clean_env
from tests.waiting import DEADLINE, until

SETTINGS = """\
set -g status off
set -g default-terminal tmux-256color
set -s escape-time 0
set -s exit-empty off
"""
PROMPT = "shell>"


class _Control:
    """A client in tmux's control mode: one that stays, since the screens are looked at fifty times
    a second, and a new client for each look takes longer than the rest of a test."""

    def __init__(self, call: Sequence[str], env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [*call, "-C", "new-session", "-s", "control"],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._unread = b""
        self._answer(("new-session",))

    def run(self, words: Sequence[str]) -> str:
        """What the command prints; no word may have the end of a line in it."""
        line = " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)
        assert "\n" not in line, f"tmux would take {line!r} for two commands"
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        return self._answer(words)

    def _answer(self, words: Sequence[str]) -> str:
        deadline = time.monotonic() + DEADLINE
        while not (line := self._line(deadline)).startswith(b"%begin "):
            pass  # a message about something else
        number, answer = line.removeprefix(b"%begin "), b""
        while (line := self._line(deadline)) not in (b"%end " + number, b"%error " + number):
            answer += line
        assert line.startswith(b"%end"), f"tmux {words}: {answer.decode()}"
        return answer.decode()

    def _line(self, deadline: float) -> bytes:
        """The next one, with its end."""
        assert self._process.stdout is not None
        while b"\n" not in self._unread:
            left = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([self._process.stdout], [], [], left)
            more = self._process.stdout.read(1 << 16) if ready else b""
            assert more, "tmux does not answer" if not ready else "tmux has ended"
            self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        return line + b"\n"

    def close(self) -> None:
        """Call when the server has ended, or is about to."""
        self._process.communicate(timeout=DEADLINE)


class Tmux:
    """A tmux server of our own, on a socket of its own."""

    def __init__(self, program: str, folder: Path, bin: Path) -> None:
        self._numbers = itertools.count(1)
        settings = folder / "tmux.conf"
        settings.write_text(SETTINGS)
        self._call = [program, "-u", "-S", str(folder / "tmux"), "-f", str(settings)]
        self._env = clean_env(folder, TERM="xterm-256color")
        self._env["PATH"] = f"{bin}{os.pathsep}{self._env['PATH']}"
        # The prompt of root's shell cannot be set in the environment.
        self._rc = folder / "shrc"
        self._rc.write_text(f"PS1='{PROMPT} '\n")
        self.folder = folder
        self._control = _Control(self._call, self._env)

    def run(self, *words: str) -> str:
        """What a command of tmux prints; it has to end well."""
        return self._control.run(words)

    def load(self, name: str, text: str) -> None:
        """Puts the text into the buffer of that name."""
        subprocess.run(
            [*self._call, "load-buffer", "-b", name, "-"],
            env=self._env,
            input=text.encode(),
            check=True,
            timeout=DEADLINE,
        )

    def open(
        self, columns: int = 80, rows: int = 24, env: Mapping[str, str] | None = None
    ) -> Terminal:
        """A terminal of that size with a shell in it, in which `ssh` knows the way."""
        name = f"t{next(self._numbers)}"
        terminal = Terminal(self, name)
        shell = {"HOME": str(self.folder), "LANG": "C.UTF-8", "ENV": str(self._rc), **(env or {})}
        given = [word for key, value in shell.items() for word in ("-e", f"{key}={value}")]
        size = ["-x", str(columns), "-y", str(rows)]
        self.run("new-session", "-d", "-s", name, *size, *given, "exec sh -i")
        return terminal.wait_for(PROMPT)

    def close(self) -> None:
        subprocess.run([*self._call, "kill-server"], env=self._env, check=True, timeout=DEADLINE)
        self._control.close()


class Terminal:
    """One terminal window with somebody's shell in it. Every wait has a deadline and shows the
    screen."""

    def __init__(self, tmux: Tmux, name: str) -> None:
        self._tmux = tmux
        self.name = name
        self._open = True

    # ---------------------------------------------------------------- doing

    def press(self, *keys: str) -> Self:
        """Presses keys by tmux's names: `Enter`, `Escape`, `C-]`, `Down`, or a character."""
        self._tmux.run("send-keys", "-t", self.name, *keys)
        return self

    def type(self, text: str) -> Self:
        """Types characters as they are."""
        self._tmux.run("send-keys", "-t", self.name, "-l", text)
        return self

    def shell(self, line: str) -> Self:
        """Runs a line in the shell. Where its prompt is the last on the screen, it stays so until
        the line is shown: whoever waits for the next one has to see that first."""
        prompted = self.text.endswith(PROMPT)
        self.type(line)
        if prompted:
            self.wait_until(lambda text: not text.endswith(PROMPT), "the line")
        return self.press("Enter")

    def click(self, column: int, row: int) -> Self:
        """What a terminal sends for a click on a cell, counted from zero."""
        at = f"{column + 1};{row + 1}"
        return self.type(f"\x1b[<0;{at}M\x1b[<0;{at}m")

    def paste(self, text: str) -> Self:
        """Pastes; in brackets where the program asked for them."""
        self._tmux.load(self.name, text)
        # From 3.7 on tmux writes control characters with a caret unless it is told not to.
        has = self._tmux.run("list-commands", "paste-buffer")
        flags = "-dprS" if "[-dprS]" in has else "-dpr"
        self._tmux.run("paste-buffer", flags, "-b", self.name, "-t", self.name)
        return self

    def resize(self, columns: int, rows: int) -> Self:
        self._tmux.run("resize-window", "-t", self.name, "-x", str(columns), "-y", str(rows))
        return self

    def kill_client(self) -> None:
        """kill -9 to the program that the shell runs: the line drops without a word."""
        shell = self._tmux.run("display", "-p", "-t", self.name, "#{pane_pid}").strip()
        children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        assert len(children) == 1, f"the shell runs {children}\n{self.text}"
        os.kill(int(children[0]), signal.SIGKILL)

    def close(self) -> None:
        """Closes the window, with whatever runs in it."""
        if self._open:
            self._open = False
            self._tmux.run("kill-session", "-t", self.name)

    # ---------------------------------------------------------------- seeing

    @property
    def lines(self) -> list[str]:
        """The rows of the screen, without blanks at their ends."""
        return self._tmux.run("capture-pane", "-p", "-t", self.name).split("\n")[:-1]

    @property
    def text(self) -> str:
        return "\n".join(self.lines).rstrip()

    @property
    def coloured(self) -> str:
        """The screen with its colours as escape sequences."""
        return self._tmux.run("capture-pane", "-p", "-e", "-t", self.name)

    def flags(self) -> dict[str, int]:
        """The modes that a program may leave behind."""
        names = ("alternate_on", "cursor_flag", "mouse_any_flag", "keypad_cursor_flag", "wrap_flag")
        shown = self._tmux.run(
            "display", "-p", "-t", self.name, " ".join(f"#{{{name}}}" for name in names)
        )
        return dict(zip(names, map(int, shown.split()), strict=True))

    def wait_until(
        self, ready: Callable[[str], object], what: str, *, seconds: float = DEADLINE
    ) -> Self:
        until(
            lambda: ready(self.text),
            what,
            seconds=seconds,
            shown=lambda: "\n".join(f"|{line}" for line in self.lines),
        )
        return self

    def wait_for(self, *parts: str, seconds: float = DEADLINE) -> Self:
        """Waits until all of `parts` stand on the screen at once."""
        what = f"{', '.join(map(repr, parts))} on the screen"
        return self.wait_until(
            lambda text: all(part in text for part in parts), what, seconds=seconds
        )

    def wait_gone(self, part: str, *, seconds: float = DEADLINE) -> Self:
        return self.wait_until(lambda text: part not in text, f"{part!r} to go", seconds=seconds)

    def wait_row(self, *parts: str, seconds: float = DEADLINE) -> Self:
        """Waits until one row has all of `parts`."""
        what = f"a row with {', '.join(map(repr, parts))}"
        return self.wait_until(
            lambda text: any(all(part in row for part in parts) for row in text.split("\n")),
            what,
            seconds=seconds,
        )

    def wait_shell(self, status: int | None = None) -> Self:
        """Waits for the shell's prompt, and looks at what the last program ended with."""
        self.wait_until(lambda text: text.endswith(PROMPT), "the shell's prompt")
        if status is not None:
            self.shell("echo status $?")
            self.wait_until(lambda text: f"status {status}\n" in text, f"exit status {status}")
        return self


WELL = {
    "alternate_on": 0,
    "cursor_flag": 1,
    "mouse_any_flag": 0,
    "keypad_cursor_flag": 0,
    "wrap_flag": 1,
}
"""The modes of a terminal that was given back as it was."""

Open = Callable[..., Terminal]
"""Opens a terminal: the fixtures say with what in it."""
