"""The stages of commands: bytes in, bytes out on two streams, and questions on their terminal.

`CommandStage` is for a client's command (`ssh HOST APP COMMAND`), and `StdioStage` for one that
another app runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from tuihost.errors import Disconnected, Interrupted, NoTerminal
from tuihost.session.other_apps import AskingStdio
from tuihost.session.progress import WrittenLine
from tuihost.session.turns import Waiting
from tuihost.terminal_facts import TerminalFacts
from tuihost.text import clean
from tuihost.tui.running.stages import HostStage, asked, printed
from tuihost.tui.terminal.line_discipline import LineDiscipline
from tuihost.wire import ByteChannel, EndOfWrite, SessionEvent, SignalSent, Stream

if TYPE_CHECKING:
    from tuihost.session.other_apps import Stdio
    from tuihost.session.progress import ProgressLine
    from tuihost.theme.theme import Theme

_PIECE = 65536
DEADLY = ("INT", "TERM", "HUP", "QUIT", "KILL")
"""Signals that end a command which does not listen for them."""


class Signalled(Exception):
    """A command was ended by a signal of its client, RFC 4254 §6.9."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class _Actions:
    """What is to be done on a command's thread, in order: an action that writes does not start the
    next one. Any thread may add one."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._running = False

    def __bool__(self) -> bool:
        return bool(self._waiting) and not self._running

    def add(self, action: Callable[[], None]) -> None:
        self._waiting.append(action)

    def run(self) -> None:
        """Runs the actions that wait. The command's thread."""
        if self._running:
            return
        self._running = True
        try:
            while self._waiting:
                self._waiting.popleft()()
        finally:
            self._running = False


class _OutputStage(HostStage):
    """What is printed to the two outputs of a command."""

    def print(self, items: Sequence[Any], stream: Stream) -> None:
        if stream is Stream.ERR and self.facts.pty and all(isinstance(item, str) for item in items):
            items = (Text(clean(" ".join(items), lines=True)),)  # rich breaks it between words
        self.write(printed(items, self.facts, self.theme), stream)

    async def say(self, what: Any) -> None:
        self.print((what,), Stream.OUT)

    def progress_line(self) -> ProgressLine:
        return WrittenLine(lambda: self.facts, lambda data: self.write(data, Stream.ERR))


class StdioStage(_OutputStage):
    """A command that another app runs: bytes in and out where that says. Everything may wait."""

    def __init__(
        self, stdio: Stdio, theme: Theme, stopped: Callable[[], bool] = lambda: False
    ) -> None:
        super().__init__(theme)
        self._stdio = stdio
        self._stopped = stopped
        self._actions = _Actions()

    @property
    def facts(self) -> TerminalFacts:
        return self._stdio.facts

    @property
    def ended(self) -> bool:
        return self._stopped()

    def invoke(self, action: Callable[[], None]) -> None:
        """Runs at the command's next read or write."""
        self._actions.add(action)

    def _go_on(self) -> None:
        if self._stopped():
            raise Interrupted("the command is no longer wanted")
        self._actions.run()

    async def ask(self, question: str, *, hidden: bool, default: str) -> str:
        self._go_on()
        if not (self._stdio.facts.pty and isinstance(self._stdio, AskingStdio)):
            raise NoTerminal(question)
        return await self._stdio.ask(question, hidden=hidden, default=default)

    def write(self, data: bytes, stream: Stream) -> None:
        self._go_on()
        with Waiting():
            self._stdio.write(data, stream)

    def read(self, limit: int) -> bytes:
        self._go_on()
        with Waiting():
            return self._stdio.read(limit)

    def readable(self, seconds: float) -> bool:
        self._go_on()
        return True


class CommandStage(_OutputStage):
    """A command: bytes in, bytes out on two streams, no loop. Everything here may wait."""

    def __init__(self, channel: ByteChannel, facts: TerminalFacts, theme: Theme) -> None:
        super().__init__(theme)
        self._channel = channel
        self._facts = facts
        self._actions = _Actions()
        self._cooked = LineDiscipline(facts.erase) if facts.pty and facts.cooked else None
        self._unread = False
        self._reads = False
        self._ahead: bytes | None = None
        self._asking = asyncio.Lock()

    @property
    def facts(self) -> TerminalFacts:
        return self._facts

    @facts.setter
    def facts(self, facts: TerminalFacts) -> None:
        self._facts = facts

    @property
    def ended(self) -> bool:
        return self._channel.closed

    def invoke(self, action: Callable[[], None]) -> None:
        """Runs at the command's next read or write: nothing else of it can be interrupted."""
        self._actions.add(action)

    def _tell(self, event: SessionEvent) -> None:
        if not self._listeners and isinstance(event, SignalSent) and event.name in DEADLY:
            raise Signalled(event.name)
        if isinstance(event, EndOfWrite):
            self._unread = True
        super()._tell(event)

    def end_with_signal(self, name: str) -> None:
        """Ends the command at its next read or write. Any thread."""

        def act() -> None:
            raise Signalled(name)

        self._actions.add(act)

    def write(self, data: bytes, stream: Stream) -> None:
        if self._facts.pty:
            stream = Stream.OUT  # a terminal has one screen
        rest = memoryview(data)

        def gone() -> bool:
            nonlocal rest
            rest = rest[self._channel.write(rest, stream) :]
            return not rest or self._channel.closed or bool(self._actions)

        self._listen()
        while rest:
            self._actions.run()
            if self._channel.closed:
                raise Disconnected("the client is gone")
            if self._unread and stream is Stream.OUT:
                raise Disconnected("the client reads no more")
            self._channel.wait(gone)
        self._actions.run()

    def read(self, limit: int) -> bytes:
        if not self._reads:
            self._reads = True
            _wait_for_turns()
        while not self._arrived(limit, None):
            pass
        data = self._taken(limit)
        if not data and self._channel.closed:
            raise Disconnected("the client is gone")
        return data

    def readable(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self._arrived(_PIECE, max(0.0, deadline - time.monotonic())):
            if time.monotonic() >= deadline:
                return False
        return True

    def _arrived(self, limit: int, seconds: float | None) -> bool:
        """Waits until something has come, or the end, and keeps it for `read`. False after so many
        seconds, or if there was something else to do."""

        def arrived() -> bool:
            if self._ahead is None:
                if self._cooked is None:
                    self._ahead = self._channel.read(limit)
                else:
                    self._hear(self._cooked)
                    self._ahead = self._cooked.take(limit)
            return self._ahead is not None or bool(self._actions)

        self._actions.run()
        self._channel.wait(arrived, seconds)
        return self._ahead is not None

    def _taken(self, limit: int) -> bytes:
        """What was kept for `read`, at most so many bytes."""
        kept = self._ahead or b""
        self._ahead = kept[limit:] or None
        return kept[:limit]

    def _key(self) -> bytes | None:
        return self._channel.read(1) if self._ahead is None else self._taken(1)

    # ---------------------------------------------------------------- questions

    async def ask(self, question: str, *, hidden: bool, default: str) -> str:
        """On the command's own terminal; other tasks of the command go on meanwhile."""
        if not self._facts.pty:
            raise NoTerminal(question)
        async with self._asking:
            keys = self._cooked or LineDiscipline(self._facts.erase)
            keys.echo = not hidden
            try:
                self.write(asked(question, default, self._facts), Stream.OUT)
                return await self._answer(keys) or default
            finally:
                keys.echo = True

    async def _answer(self, keys: LineDiscipline) -> str:
        loop, woken = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(woken.set)

        self._channel.set_wake(wake)
        try:
            line = bytearray()
            while not line.endswith(b"\n"):
                woken.clear()
                self._actions.run()
                if self._channel.closed:
                    raise Disconnected("the client is gone")
                char = self._next_char(keys)
                if char is None:
                    if not self._actions:
                        await woken.wait()
                elif char:
                    line += char
                else:
                    raise Disconnected("end of input")
            return line[:-1].decode("utf-8", "replace")
        finally:
            self._channel.set_wake(None)

    def _next_char(self, keys: LineDiscipline) -> bytes | None:
        """One byte of what was typed, b"" at the end of input."""
        if keys is self._cooked:
            if self._ahead is not None:
                return self._taken(1)
            self._hear(keys)
            return keys.take(1)
        # A raw terminal: no key beyond the line may be taken from the next reader.
        while (char := keys.take(1)) is None and (key := self._key()) is not None:
            if not key:
                return b""
            self._show(keys.feed(key))
            self._deliver_signals(keys)
        return char

    # ---------------------------------------------------------------- keys

    def _listen(self) -> None:
        """Sees to the keys of somebody at a terminal, so that they can end what only writes."""
        if self._cooked is not None:
            self._hear(self._cooked)

    def _hear(self, cooked: LineDiscipline) -> None:
        """Takes the keys that have come: shows them, and heeds those that mean something."""
        while not cooked.full and not cooked.ended:
            keys = self._channel.read(4096)
            if keys is None:
                break
            if not keys:
                self._show(cooked.end())
                break
            self._show(cooked.feed(keys))
        self._deliver_signals(cooked)

    def _show(self, echo: bytes) -> None:
        while echo and not self._channel.closed:
            written = self._channel.write(echo)
            if not written:
                break  # the window is shut: what is typed now is not seen
            echo = echo[written:]

    def _deliver_signals(self, cooked: LineDiscipline) -> None:
        while cooked.signals:
            self.deliver(SignalSent(cooked.signals.pop(0)))


def _wait_for_turns() -> None:
    """Tells the scheduler that this thread need not push another one aside as soon as there is
    something to read, least of all its own connection's, which has the next packet by then."""
    if hasattr(os, "SCHED_BATCH"):
        with contextlib.suppress(OSError):  # it may be forbidden
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
