"""What the commands of a line write to on the shell's screen: the transcript, or a page."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from tuihost import Interrupted, Session, Stream, TerminalFacts, TookTooMuch, size_of

HELD = 512 * 1024  # bytes that may wait to be shown
PAGED = 1_000_000  # bytes of output for one page
PAGE_COST = 6  # bytes that a page holds for each of them: its text twice, and where lines begin

Ask = Callable[[str, bool, str, "Future[str]"], None]
"""Asks a question, hidden or not, with a default; the answer comes later."""


class ScreenOutput:
    """The screen as what commands write to, from any thread. One that writes faster than it is
    shown has to wait. `show` and `ask` are called on the session's thread; with `paged` everything
    is kept for `take`."""

    def __init__(
        self, session: Session, show: Callable[[bytes], None], ask: Ask, *, paged: bool
    ) -> None:
        self._session = session
        self._show = show
        self._ask = ask
        self.paged = paged
        self.cut = ""
        """Why a page has not all of it."""
        self._parts: deque[bytes] = deque()
        self._held = 0
        self._memory = session.hold()
        self._due = self._closed = False
        self._changed = threading.Condition()
        terminal = session.terminal
        size = replace(terminal.size, columns=max(10, terminal.size.columns - 2))
        self.facts: TerminalFacts = terminal.resized(size)

    def write(self, data: bytes, stream: Stream) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self.paged or self._held < HELD or self._closed)
            if self._closed:
                raise Interrupted("the line was stopped")
            if self.paged:
                data = self._what_fits(data)
            self._parts.append(data)
            self._held += len(data)
            if self.cut:
                raise Interrupted("the page is full")
            due, self._due = self._due, True
        if not due and not self.paged:
            self._session.invoke(self.flush)

    def _what_fits(self, data: bytes) -> bytes:
        """As much of it as the page has room for, which it takes."""
        if self._held + len(data) > PAGED:
            data = data[: PAGED - self._held]
            self.cut = f"A page holds {size_of(PAGED)}; the rest is not shown."
        try:
            self._memory.add(len(data) * PAGE_COST)
        except TookTooMuch as error:
            self.cut = f"The rest is not shown: {error}."
            return b""
        return data

    async def ask(self, question: str, *, hidden: bool, default: str) -> str:
        """Asks over the shell. The command's thread."""
        answer: Future[str] = Future()
        self._session.invoke(lambda: self._ask(question, hidden, default, answer))
        return await asyncio.wrap_future(answer)

    def take(self) -> bytes:
        """What waits to be shown."""
        with self._changed:
            data = b"".join(self._parts)
            self._parts.clear()
            self._held, self._due = 0, False
            self._changed.notify_all()
        return data

    def flush(self) -> None:
        """Shows what waits. The session's thread."""
        if not self.paged and (data := self.take()):
            self._show(data)

    @property
    def full(self) -> bool:
        """Whether its command was ended because the page has no more room."""
        return bool(self.cut) and not self._closed

    def close(self) -> None:
        """Nobody is looking any more: a command that waits is told. Any thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def forget(self) -> None:
        """The page is not shown any more, or there is none. The session's thread."""
        with self._changed:
            self._closed = True
            self._memory.close()
