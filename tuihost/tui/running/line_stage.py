"""A talk in plain lines: without a terminal, with TERM=dumb, for screen readers and scripts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tuihost.errors import Disconnected, MisuseError, TookTooMuch
from tuihost.terminal_facts import Colors
from tuihost.tui.running.stages import LoopStage, asked, printed
from tuihost.tui.terminal.line_discipline import TOO_LONG, LineDiscipline
from tuihost.wire import Stream

if TYPE_CHECKING:
    from tuihost.session.progress import ProgressLine
    from tuihost.theme.theme import Theme
    from tuihost.tui.terminal.terminal import Terminal

_READ = 4096
_LINE_END = re.compile(rb"[\r\n\x04]")
_LONE_NEWLINE = re.compile(rb"(?<!\r)\n")


class LineStage(LoopStage):
    """What is said and asked, line by line.

    With a pty nobody else echoes and edits what is typed, so this does; without one the client's
    own terminal does it, or there is no person at all. One stage serves all apps of a visit: what
    is typed ahead of one goes to the next.
    """

    def __init__(self, terminal: Terminal, theme: Theme) -> None:
        super().__init__(terminal, theme)
        self._keys = LineDiscipline(terminal.facts.erase)
        self._typed = bytearray()
        self._hurried = False
        self._answering = asyncio.Lock()

    def enter(self, loop: asyncio.AbstractEventLoop) -> None:
        super().enter(loop)
        self._answering = asyncio.Lock()

    @property
    def ended(self) -> bool:
        """Nobody reads what is said. A script that has no more to say still does."""
        channel = self.terminal.channel
        return channel is not None and channel.closed

    # ---------------------------------------------------------------- showing

    async def say(self, what: Any) -> None:
        await self._send(self._printed((what,)), Stream.OUT)

    def print(self, items: Sequence[Any], stream: Stream) -> None:
        self._send_now(self._printed(items), stream)

    def write(self, data: bytes, stream: Stream) -> None:
        if self.facts.pty:
            data = _LONE_NEWLINE.sub(b"\r\n", data)
        self._send_now(data, stream)

    def progress_line(self) -> ProgressLine:
        return _Lines(self)

    def _printed(self, items: Sequence[Any]) -> bytes:
        # Without a terminal lines are as long as they are, and nobody looks at colours.
        facts = self.facts
        return printed(items, replace(facts, colors=Colors.MONO, sized=facts.pty), self.theme)

    async def _send(self, data: bytes, stream: Stream) -> None:
        """Sends all of it. While the person's line is full, other tasks go on."""
        await self._until(lambda: not self.terminal.congested)  # another task's may wait
        await self._until(self._begun(data, stream))

    def _send_now(self, data: bytes, stream: Stream) -> None:
        """The same for a plain call: the whole session waits while the person's line is full."""
        self._wait(self.terminal.sent_all)
        self._wait(self._begun(data, stream))

    def _begun(self, data: bytes, stream: Stream) -> Callable[[], bool]:
        """Sends what the line takes now; returns what sends more and says whether all has left."""
        if self.ended:
            raise Disconnected("the person is gone")
        channel = self.terminal.channel
        if stream is Stream.OUT or self.facts.pty or channel is None:
            self.terminal.write(data)
            return self.terminal.sent_all
        rest = memoryview(data)

        def sent() -> bool:
            nonlocal rest
            rest = rest[channel.write(rest, stream) :]
            return not rest

        return sent

    def _wait(self, ready: Callable[[], bool]) -> None:
        channel = self.terminal.channel
        if channel is not None:
            channel.wait(lambda: ready() or channel.closed or self._hurried)

    def hurry(self) -> None:
        """The host ends the program: what is printed waits for nobody any more. Any thread."""
        self._hurried = True
        channel = self.terminal.channel
        if channel is not None:
            channel.nudge()

    async def _until(self, ready: Callable[[], bool]) -> None:
        """Looks again each time that the line has room."""
        while not ready() and not self.ended:
            free = asyncio.Event()
            self.terminal.on_drain(free.set)
            await free.wait()

    # ---------------------------------------------------------------- asking

    async def ask(self, question: str, *, hidden: bool, default: str) -> str:
        async with self._answering:
            await self._send(asked(question, default, self.facts), Stream.OUT)
            line = await self._line(echo=not hidden)
        if not line:
            raise Disconnected("end of input")
        return line.removesuffix(b"\n").decode("utf-8", "replace") or default

    def read(self, limit: int) -> bytes:
        raise MisuseError("read() is for commands; in a talk `await session.ask(…)`")

    def readable(self, seconds: float) -> bool:
        raise MisuseError("readable() is for commands; in a talk `await session.ask(…)`")

    async def _line(self, *, echo: bool) -> bytes:
        """One line with its line end, edited as on any terminal; b"" at the end of input."""
        keys, line = self._keys, bytearray()
        keys.echo = echo
        while not line.endswith(b"\n"):
            char = keys.take(1)
            if char:
                line += char
            elif keys.refused and not self.facts.pty:
                keys.refused = 0
                raise TookTooMuch(TOO_LONG)  # the next line is not meant for this question
            elif char is not None:
                keys.ended = False  # the next app may be asked for more
                break
            elif self._typed:
                await self._type()
            elif not await self._more():
                if self.facts.pty:
                    raise Disconnected("the person is gone")
                keys.end()
        return bytes(line)

    async def _type(self) -> None:
        """Takes what was typed up to the end of a line, or of the input: what follows may be the
        answer to a question that hides it."""
        end = _LINE_END.search(self._typed)
        upto = end.end() if end else len(self._typed)
        echo = self._keys.feed(bytes(self._typed[:upto]))
        del self._typed[:upto]
        if echo and self.facts.pty:
            if not self.facts.unicode:
                echo = echo.decode().encode("ascii", "replace")
            await self._send(echo, Stream.OUT)
        if self._keys.signals:
            self._keys.signals.clear()
            raise KeyboardInterrupt

    async def _more(self) -> bool:
        """Waits for more to be typed; False at the end."""
        readable = asyncio.Event()
        self.terminal.set_reader(readable.set)  # once for all looks: it wakes right away
        try:
            while (data := self.terminal.read(_READ)) is None:
                readable.clear()
                await readable.wait()
        finally:
            self.terminal.set_reader(None)
        self._typed += data
        return bool(data)


class _Lines:
    """Progress in a talk: a line now and then."""

    redraws = False

    def __init__(self, stage: LineStage) -> None:
        self._stage = stage

    @property
    def width(self) -> int:
        return self._stage.facts.size.columns

    def show(self, text: str) -> None:
        self._stage.print((text,), Stream.OUT)

    def end(self) -> None:
        """Its last line stays."""
