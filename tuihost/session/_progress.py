"""How far a command has come: a bar that redraws itself on a terminal, or a line now and then if
the output goes anywhere else. It is written to standard error, so it never mixes with the output.

    with session.progress("Copying", total=size) as bar:
        for block in blocks:
            ...
            bar.advance(len(block))
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tuihost.phrases import duration
from tuihost.terminal_facts import TerminalFacts
from tuihost.text import clean

REDRAWN_EVERY = 0.1  # seconds, on a terminal
SAID_EVERY = 10.0  # seconds, elsewhere; or every ten percent
_STEP = 10
_WIDTH = 30  # cells of the bar, at most
_SIGNS = {True: ("━", "─"), False: ("#", "-")}


class Progress:
    """One piece of work that takes its time. Thread: the command's."""

    def __init__(
        self,
        label: str,
        total: float | None,
        facts: Callable[[], TerminalFacts],
        write: Callable[[bytes], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.label = clean(label, limit=60)
        self.total = total
        self.done = 0.0
        self._facts = facts
        self._write = write
        self._clock = clock
        self._begun = self._shown = clock()
        self._step = -1
        self._last = ""

    def advance(self, count: float = 1) -> None:
        """Says that so much more of it is done."""
        self.done += count
        now = self._clock()
        if self._facts().pty:
            if now - self._shown >= REDRAWN_EVERY or not self._last:
                self._shown = now
                self._redraw()
        elif self._step < 0 or self._stepped() or now - self._shown >= SAID_EVERY:
            self._shown = now
            self._say()

    def __enter__(self) -> Self:
        self.advance(0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Shows how far it came."""
        if self._facts().pty:
            if kind is None or issubclass(kind, Exception):
                self._redraw()
                self._write(b"\r\n")
        elif kind is None and self._text() != self._last:
            self._say()

    @property
    def percent(self) -> int | None:
        """Percent of the total. None if the total is not known."""
        if not self.total or self.total < 0:
            return None
        return int(100 * min(1.0, self.done / self.total))

    def _stepped(self) -> bool:
        percent = self.percent
        return percent is not None and percent // _STEP > self._step

    def _say(self) -> None:
        self._step = (self.percent or 0) // _STEP
        self._last = self._text()
        self._write(f"{self._last}\n".encode())

    def _redraw(self) -> None:
        self._last = self._text()
        bar = self._bar()
        self._write(f"\r{self._last}{' ' if bar else ''}{bar}\x1b[K".encode())

    def _text(self) -> str:
        percent = self.percent
        if percent is None:
            taken = duration(self._clock() - self._begun, units=2, short=True)
            return f"{self.label} {self.done:g}, {taken}"
        return f"{self.label} {percent:3}%"

    def _bar(self) -> str:
        percent, facts = self.percent, self._facts()
        room = min(_WIDTH, facts.size.columns - len(self._last) - 2)
        if percent is None or room < 5:
            return ""
        full, empty = _SIGNS[facts.unicode]
        count = room * percent // 100
        return full * count + empty * (room - count)
