"""A Pilot: a person at a terminal who types, resizes, drops the line and reads the screen."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import paramiko

from tuihost.testing.screen import Screen

DEADLINE = float(os.environ.get("TUIHOST_TEST_DEADLINE", "10"))
"""Seconds that any wait lasts at most. A busy machine may need more: the variable says so."""

_KEYS = {
    "enter": "\r", "tab": "\t", "escape": "\x1b", "backspace": "\x7f", "space": " ",
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
    "home": "\x1b[H", "end": "\x1b[F", "pageup": "\x1b[5~", "pagedown": "\x1b[6~",
    "delete": "\x1b[3~", "insert": "\x1b[2~", "s-tab": "\x1b[Z",
    "f1": "\x1bOP", "f2": "\x1bOQ", "f5": "\x1b[15~", "f10": "\x1b[21~",
}  # fmt: skip


def key_bytes(name: str) -> str:
    """What a terminal sends for a key: `enter`, `down`, `c-]`, `a-x`, or any one character."""
    if name in _KEYS:
        return _KEYS[name]
    if len(name) == 3 and name.startswith("c-"):
        return chr(ord(name[2].upper()) & 0x1F)
    if len(name) == 3 and name.startswith("a-"):
        return "\x1b" + name[2]
    if len(name) == 1:
        return name
    raise ValueError(f"no key is called {name!r}")


_QUESTIONS = re.compile(rb"\x1b\]11;\?(?:\x1b\\|\x07)|\x1b\[c")


class Pilot:
    """Somebody at a terminal. Every wait has a deadline, and its error shows the screen.

    The terminal answers what it is asked, as xterm does; `background` is its colour, `#rrggbb`, and
    None is a terminal that does not tell."""

    def __init__(
        self,
        channel: Any,
        close: Callable[[], None],
        columns: int,
        rows: int,
        *,
        background: str | None = None,
        plain: bool = False,
    ) -> None:
        self.background = background
        self._heard = 0
        self.channel = channel
        """The client's channel, of paramiko, for what a person does not do."""
        self._close = close
        self.screen = Screen(columns, rows, plain=plain)
        self.received = bytearray()
        """Everything that the host sent."""
        self.at_end = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # ---------------------------------------------------------------- doing

    def type(self, text: str) -> Self:
        """Types characters as they are."""
        self.channel.sendall(text.encode())
        return self

    def press(self, *keys: str) -> Self:
        """Presses keys by name, one packet each, as a person would."""
        for key in keys:
            self.channel.sendall(key_bytes(key).encode())
        return self

    def paste(self, text: str) -> Self:
        """Pastes, as a terminal with bracketed paste does."""
        return self.type(f"\x1b[200~{text}\x1b[201~")

    def resize(self, columns: int, rows: int) -> Self:
        """Makes the window another size."""
        self.screen.resize(columns, rows)
        self.channel.resize_pty(columns, rows)
        return self

    def click(self, column: int, row: int) -> Self:
        """Clicks on a cell, counted from zero."""
        at = f"{column + 1};{row + 1}"
        return self.type(f"\x1b[<0;{at}M\x1b[<0;{at}m")

    def end_input(self) -> Self:
        """Sends end of file."""
        self.channel.shutdown_write()
        return self

    def drop(self) -> None:
        """Cuts the line, without a word."""
        self._close()

    def close(self) -> None:
        """Goes away properly, also where the host went first."""
        try:
            with suppress(OSError, EOFError, paramiko.SSHException):
                self.channel.close()
        finally:
            self._close()

    # ---------------------------------------------------------------- seeing

    @property
    def text(self) -> str:
        return self.screen.text

    def wait_for(self, text: str, *, seconds: float = DEADLINE) -> Self:
        """Waits until `text` is on the screen."""
        return self.wait_until(lambda: text in self.screen.text, f"{text!r}", seconds=seconds)

    def wait_gone(self, text: str, *, seconds: float = DEADLINE) -> Self:
        """Waits until `text` is gone from the screen."""
        return self.wait_until(
            lambda: text not in self.screen.text, f"{text!r} to go", seconds=seconds
        )

    def wait_until(
        self, ready: Callable[[], bool], what: str, *, seconds: float = DEADLINE
    ) -> Self:
        """Waits until `ready()` is true, looking again after everything that the host sends. `what`
        says in the error what was waited for."""
        deadline = time.monotonic() + seconds
        while not ready():
            left = deadline - time.monotonic()
            if left <= 0 or not self._receive(left):
                why = "the session has ended" if self.at_end else f"{seconds:g} s have passed"
                raise AssertionError(f"waited for {what}, but {why}. The screen:\n{self.text}")
        return self

    def wait_end(self, *, seconds: float = DEADLINE) -> int:
        """Waits until the session has ended, and gives its exit status: -1 if none came."""
        self.wait_until(lambda: self.at_end, "the end of the session", seconds=seconds)
        return int(self.channel.recv_exit_status())

    def _receive(self, seconds: float) -> bool:
        """Reads more of what was sent; False at the end, or after `seconds`."""
        if self.at_end:
            return False
        self.channel.settimeout(seconds)
        try:
            data = self.channel.recv(65536)
        except TimeoutError:
            return False
        if not data:
            self.at_end = True
            return True
        self.received += data
        self.screen.feed(data)
        self._answer()
        return True

    def _answer(self) -> None:
        for question in _QUESTIONS.finditer(self.received, self._heard):
            self._heard = question.end()
            answer = "\x1b[?64;22c"
            if question[0] != b"\x1b[c":
                parts = (self.background or "")[1:]
                answer = f"\x1b]11;rgb:{parts[:2]}/{parts[2:4]}/{parts[4:]}\x1b\\" if parts else ""
            with suppress(OSError):  # the host may have closed the channel by now
                self.channel.sendall(answer.encode())
