"""Where a session plays: on a screen, line by line, or as a command with two outputs.

Each stage is what stands behind a `Session`. Their own thread is the app's; `invoke` and `deliver`
may be called from any.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import contextvars
import os
import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tuihost.errors import Disconnected, Interrupted, MisuseError
from tuihost.terminal_facts import Colors, TerminalFacts
from tuihost.text import clean
from tuihost.tui.layout.renderables import render_ansi
from tuihost.tui.terminal.line_discipline import LineDiscipline
from tuihost.wire import ByteChannel, EndOfWrite, SessionEvent, SignalSent, Stream

if TYPE_CHECKING:
    from tuihost.session.other_apps import Stdio
    from tuihost.theme.theme import Theme
    from tuihost.tui.terminal.terminal import Terminal

Listener = Callable[[SessionEvent], None]

DEADLY = ("INT", "TERM", "HUP", "QUIT", "KILL")
"""Signals that end a command which does not listen for them."""


class Signalled(Exception):
    """A command was ended by a signal of its client, RFC 4254 §6.9."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Stage:
    """What all stages share: listeners, and refusals for what a stage has not."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self._listeners: list[Listener] = []

    @property
    def facts(self) -> TerminalFacts:
        raise NotImplementedError

    @property
    def ended(self) -> bool:
        raise NotImplementedError

    def invoke(self, action: Callable[[], None]) -> None:
        raise NotImplementedError

    async def ask(self, question: str, *, hidden: bool, default: str) -> str:
        raise MisuseError("session.ask belongs to `talk` and to function apps")

    async def say(self, what: Any) -> None:
        raise MisuseError("session.say belongs to `talk` and to function apps")

    def print(self, items: Sequence[Any], stream: Stream) -> None:
        raise MisuseError("session.print belongs to commands")

    def write(self, data: bytes, stream: Stream) -> None:
        raise MisuseError("session.write belongs to commands")

    def read(self, limit: int) -> bytes:
        raise MisuseError("session.read belongs to commands")

    def copy(self, text: str) -> bool:
        return False

    def theme_changed(self, theme: Theme) -> None:
        self.theme = theme

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def deliver(self, event: SessionEvent) -> None:
        """Tells the listeners, on the app's thread. Any thread."""
        self.invoke(lambda: self._tell(event))

    def _tell(self, event: SessionEvent) -> None:
        for listener in tuple(self._listeners):
            listener(event)


class LoopStage(Stage):
    """A stage with a Terminal and, while a program runs, an event loop."""

    def __init__(self, terminal: Terminal, theme: Theme) -> None:
        super().__init__(theme)
        self.terminal = terminal
        self._loop: asyncio.AbstractEventLoop | None = None
        self._context: contextvars.Context | None = None

    def enter(self, loop: asyncio.AbstractEventLoop) -> None:
        """The program starts on `loop`, in the context of the caller."""
        self._context = contextvars.copy_context()
        self._loop = loop

    def leave(self) -> None:
        """The program has ended."""
        self._loop = self._context = None

    @property
    def facts(self) -> TerminalFacts:
        return self.terminal.facts

    @property
    def ended(self) -> bool:
        return self.terminal.closed

    def invoke(self, action: Callable[[], None]) -> None:
        loop, context = self._loop, self._context
        if loop is None or context is None:
            return
        try:
            # A copy, since a context can be entered only once at a time.
            loop.call_soon_threadsafe(lambda: context.copy().run(action))
        except RuntimeError:
            return  # closed between the look and the call: the program has ended


_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?")


class LineStage(LoopStage):
    """Plain lines, for clients without a terminal, for TERM=dumb, for screen readers and scripts.

    With a pty nobody else echoes and edits what is typed, so this does; without one the client's
    own terminal does it, or there is no person at all. One stage serves all apps of a visit: what
    is typed ahead of one goes to the next.
    """

    def __init__(self, terminal: Terminal, theme: Theme) -> None:
        super().__init__(terminal, theme)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._typed = ""
        self._after_return = False

    @property
    def _newline(self) -> str:
        return "\r\n" if self.facts.pty else "\n"

    async def say(self, what: Any) -> None:
        facts = self.facts
        width = facts.size.columns if facts.pty else None
        data = render_ansi(
            (what,), width=width, colors=Colors.MONO, unicode=facts.unicode, theme=self.theme
        )
        await self._put(data.decode("utf-8"))

    async def ask(self, question: str, *, hidden: bool, default: str) -> str:
        suffix = f"[{default}] " if default else ""
        await self._put(clean(question, lines=True) + suffix)
        line = await self._line(echo=self.facts.pty and not hidden)
        return line or default

    async def _put(self, text: str) -> None:
        if self.terminal.closed:
            raise Disconnected("the person is gone")
        if not self.facts.unicode:
            text = text.encode("ascii", "replace").decode("ascii")
        self.terminal.write(text.replace("\n", self._newline).encode())
        while self.terminal.congested and not self._gone:
            free = asyncio.Event()
            self.terminal.on_drain(free.set)
            await free.wait()

    @property
    def _gone(self) -> bool:
        channel = self.terminal.channel
        return self.terminal.closed or (channel is not None and channel.closed)

    async def _line(self, *, echo: bool) -> str:
        """One line, with the little editing that a dumb terminal allows."""
        line: list[str] = []
        while True:
            while self._typed:
                char, self._typed = self._typed[0], self._typed[1:]
                if char == "\n" and self._after_return:
                    self._after_return = False
                    continue
                self._after_return = char == "\r"
                if char in "\r\n":
                    if self.facts.pty:
                        await self._put("\n")
                    return "".join(line)
                await self._edit(line, char, echo=echo)
            if not await self._more():
                if line and not self.facts.pty:
                    return "".join(line)
                raise Disconnected("end of input")

    async def _edit(self, line: list[str], char: str, *, echo: bool) -> None:
        if char == "\x03":
            raise KeyboardInterrupt
        if char == "\x04" and not line:
            raise Disconnected("end of input")
        if char in ("\x7f", "\x08", self.facts.erase):
            if line:
                line.pop()
                if echo:
                    await self._put("\b \b")
        elif char == "\x15":
            if echo:
                await self._put("\b \b" * len(line))
            line.clear()
        elif char.isprintable() and len(line) < 4096:
            line.append(char)
            if echo:
                await self._put(char)

    async def _more(self) -> bool:
        """Reads more of what was typed; False at the end."""
        while True:
            data = self.terminal.read(4096)
            if data == b"":
                return False
            if data:
                text = self._decoder.decode(data)
                self._typed += _ESCAPES.sub("", text) if self.facts.pty else text
                return True
            readable = asyncio.Event()
            self.terminal.set_reader(readable.set)
            await readable.wait()
            self.terminal.set_reader(None)


class _Actions:
    """What is to be done on a command's thread, one after the other in their order: what one of
    them writes does not begin the next. Added from any thread."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._running = False

    def __bool__(self) -> bool:
        return bool(self._waiting) and not self._running

    def add(self, action: Callable[[], None]) -> None:
        self._waiting.append(action)

    def run(self) -> None:
        """Does what waits. The command's thread."""
        if self._running:
            return
        self._running = True
        try:
            while self._waiting:
                self._waiting.popleft()()
        finally:
            self._running = False


class StdioStage(Stage):
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
            raise Interrupted("the command is not wanted any more")
        self._actions.run()

    def print(self, items: Sequence[Any], stream: Stream) -> None:
        self.write(printed(items, self.facts, self.theme), stream)

    def write(self, data: bytes, stream: Stream) -> None:
        self._go_on()
        self._stdio.write(data, stream)

    def read(self, limit: int) -> bytes:
        self._go_on()
        return self._stdio.read(limit)


def printed(items: Sequence[Any], facts: TerminalFacts, theme: Theme) -> bytes:
    """What `session.print` comes to on such a terminal."""
    data = render_ansi(
        tuple(items),
        width=facts.size.columns if facts.sized else None,
        colors=facts.colors,
        unicode=facts.unicode,
        theme=theme,
    )
    return data.replace(b"\n", b"\r\n") if facts.pty else data


class CommandStage(Stage):
    """A command: bytes in, bytes out on two streams, no loop. Everything here may wait."""

    def __init__(self, channel: ByteChannel, facts: TerminalFacts, theme: Theme) -> None:
        super().__init__(theme)
        self._channel = channel
        self._facts = facts
        self._actions = _Actions()
        self._cooked = LineDiscipline(facts.erase) if facts.pty and facts.cooked else None
        self._unread = False
        self._reads = False

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

    def print(self, items: Sequence[Any], stream: Stream) -> None:
        self.write(printed(items, self._facts, self.theme), stream)

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
        data: bytes | None = None

        def arrived() -> bool:
            nonlocal data
            if self._cooked is None:
                data = self._channel.read(limit)
            else:
                self._hear(self._cooked)
                data = self._cooked.take(limit)
            return data is not None or bool(self._actions)

        while True:
            self._actions.run()
            self._channel.wait(arrived)
            if data is not None:
                if not data and self._channel.closed:
                    raise Disconnected("the client is gone")
                return data

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
                cooked.end()
                break
            echo = cooked.feed(keys)
            while echo and not self._channel.closed:
                written = self._channel.write(echo)
                if not written:
                    break  # the window is shut: what is typed now is not seen
                echo = echo[written:]
        while cooked.signals:
            self.deliver(SignalSent(cooked.signals.pop(0)))


def _wait_for_turns() -> None:
    """Tells the scheduler that this thread need not push another one aside as soon as there is
    something to read: least of all its own connection's, which has the next packet by then."""
    if hasattr(os, "SCHED_BATCH"):
        with contextlib.suppress(OSError):  # it may be forbidden
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
