"""How far something has come: a bar that redraws itself on a terminal, or a line now and then if
the output goes anywhere else. A command's is written to standard error, so it never mixes with the
output.

    with session.progress("Copying", total=size) as bar:
        for block in blocks:
            ...
            bar.advance(len(block))
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from tuihost.phrases import duration
from tuihost.terminal_facts import TerminalFacts
from tuihost.text import clean

REDRAWN_EVERY = 0.1  # seconds, on a terminal
SAID_EVERY = 10.0  # seconds, elsewhere; or every ten percent
_STEP = 10
_WIDTH = 30  # cells of the bar, at most
_SIGNS = {True: ("━", "─"), False: ("#", "-")}


class ProgressLine(Protocol):
    """The place where it is shown, `width` cells wide. If it `redraws`, each text replaces the one
    before; if not, each is a new line."""

    @property
    def redraws(self) -> bool: ...

    @property
    def width(self) -> int: ...

    def show(self, text: str) -> None: ...

    def end(self) -> None:
        """The last text stays."""


class WrittenLine:
    """A line on a command's standard error."""

    def __init__(self, facts: Callable[[], TerminalFacts], write: Callable[[bytes], None]) -> None:
        self._facts = facts
        self._write = write

    @property
    def redraws(self) -> bool:
        return self._facts().pty

    @property
    def width(self) -> int:
        return self._facts().size.columns

    def show(self, text: str) -> None:
        self._write((f"\r{text}\x1b[K" if self.redraws else f"{text}\n").encode())

    def end(self) -> None:
        if self.redraws:
            self._write(b"\r\n")


class Progress:
    """One piece of work that takes its time. Thread: the app's."""

    def __init__(
        self,
        label: str,
        total: float | None,
        facts: Callable[[], TerminalFacts],
        line: ProgressLine,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.label = clean(label, limit=60)
        self.total = total
        self.done = 0.0
        self._facts = facts
        self._line = line
        self._clock = clock
        self._begun = self._shown = clock()
        self._step = -1
        self._last = ""

    def advance(self, count: float = 1) -> None:
        """Says that so much more of it is done."""
        self.done += count
        now = self._clock()
        if self._line.redraws:
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
        if self._line.redraws:
            if kind is None or issubclass(kind, Exception):
                self._redraw()
                self._line.end()
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
        self._line.show(self._last)

    def _redraw(self) -> None:
        self._last = self._text()
        bar = self._bar()
        self._line.show(f"{self._last} {bar}" if bar else self._last)

    def _text(self) -> str:
        percent = self.percent
        if percent is None:
            taken = duration(self._clock() - self._begun, units=2, short=True)
            return f"{self.label} {self.done:g}, {taken}"
        return f"{self.label} {percent:3}%"

    def _bar(self) -> str:
        percent = self.percent
        room = min(_WIDTH, self._line.width - len(self._last) - 2)
        if percent is None or room < 5:
            return ""
        full, empty = _SIGNS[self._facts().unicode]
        count = room * percent // 100
        return full * count + empty * (room - count)
