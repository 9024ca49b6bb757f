"""A Terminal: what a person looks at, while programs come and go on it.

It owns the bytes of one channel at a time and can be detached from it and attached to another
while its program runs on: the program then gets a full repaint. Recording and watching are
`Tap`s on the same place.

Thread: the app's, whose loop is bound with `bind`. `resize`, `attach`, `detach` and the channel's
wake may come from any thread: they only leave the newest value and wake the loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from tuihost.terminal_facts import TerminalFacts
from tuihost.wire import ByteChannel, WindowSize

PENDING_LIMIT = 256 * 1024
"""Bytes that may wait for a person's line; frames are not drawn while any wait."""

DRAIN_POLL = 0.02
"""Seconds between looks at a full line: the kernel tells nobody when it has drained. Only
while a frame waits for it."""


class Tap(Protocol):
    """Sees what passes a terminal. Called on the app's thread; must be quick, must not raise."""

    def output(self, data: bytes) -> None: ...

    def input(self, data: bytes) -> None: ...

    def resized(self, size: WindowSize) -> None: ...


class Terminal:
    """One person's screen and keyboard."""

    def __init__(self, channel: ByteChannel | None, facts: TerminalFacts) -> None:
        self._facts = facts
        self._channel: ByteChannel | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._scheduled = False
        self._pending = bytearray()
        self._drains: list[Callable[[], None]] = []
        self._poll: asyncio.TimerHandle | None = None
        self._reader: Callable[[], None] | None = None
        self._at_end = False
        self._new_size: WindowSize | None = None
        self._incoming: tuple[ByteChannel, TerminalFacts] | None = None
        self._taps: tuple[Tap, ...] = ()
        self._resized: Callable[[], None] | None = None
        self._ended: Callable[[], None] | None = None
        self.attached_anew: Callable[[], None] | None = None
        """Called on the loop after `attach`: draw everything again, for the new facts."""
        self.drawn = False
        """Whether anything was written: then the way out has something to restore."""
        self.touched = monotonic()
        """When the person last pressed a key, in monotonic seconds."""
        if channel is not None:
            self._take(channel)

    # ---------------------------------------------------------------- what it is

    @property
    def facts(self) -> TerminalFacts:
        return self._facts

    @property
    def channel(self) -> ByteChannel | None:
        return self._channel

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop of the program that runs now."""
        assert self._loop is not None, "no program runs on this terminal"
        return self._loop

    @property
    def closed(self) -> bool:
        """The person is gone and all they typed was read. Never true while detached."""
        return self._at_end

    # ---------------------------------------------------------------- a program on it

    def bind(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        resized: Callable[[], None] | None = None,
        ended: Callable[[], None] | None = None,
    ) -> None:
        """A program starts: from now on `loop` is woken for what happens here."""
        self._resized, self._ended = resized, ended
        with self._lock:
            self._loop = loop
            self._scheduled = False
        self._wake()

    def unbind(self) -> None:
        """The program has ended; what is typed waits for the next."""
        with self._lock:
            self._loop = None
        if self._poll is not None:
            self._poll.cancel()
            self._poll = None
        self._drains.clear()
        self._reader = self._resized = self._ended = None

    def set_reader(self, reader: Callable[[], None] | None) -> None:
        """Calls `reader` on the loop when there may be something to read, once right away."""
        self._reader = reader
        if reader is not None:
            self._wake()

    # ---------------------------------------------------------------- bytes

    def read(self, limit: int = 65536) -> bytes | None:
        """What was typed. None: nothing now. b"": the person is gone."""
        channel = self._channel
        if channel is None:
            return None
        data = channel.read(limit)
        if data is None:
            return None
        if not data:
            self._at_end = True
            return b""
        self.touched = monotonic()
        for tap in self._taps:
            tap.input(data)
        return data

    def write(self, data: bytes) -> None:
        """Sends `data`, keeping for later what the person's line does not take now. Never
        blocks on the person, never raises for one who is gone."""
        channel = self._channel
        if channel is None or not data:
            return
        self.drawn = True
        for tap in self._taps:
            tap.output(data)
        if not self._pending:
            sent = channel.write(data)
            if sent < len(data):
                self._pending += memoryview(data)[sent:]
        elif len(self._pending) + len(data) <= PENDING_LIMIT:
            self._pending += data
        else:
            # Frames are not drawn while bytes wait, so only a program that writes past the
            # renderer gets here. Half a sequence would garble the screen: the line is given up.
            channel.close()

    @property
    def congested(self) -> bool:
        """What was written last has not left: draw nothing now, `on_drain` tells when."""
        channel = self._channel
        return channel is None or bool(self._pending) or channel.congested

    def on_drain(self, callback: Callable[[], None]) -> None:
        """Calls `callback` once, on the loop, when the line is free again."""
        if callback not in self._drains:
            self._drains.append(callback)
        self._poll_drain()

    def flush(self, timeout: float) -> bool:
        """Waits until all that was written has left; False after `timeout` seconds."""
        channel = self._channel
        if channel is None:
            return False
        return channel.wait(lambda: self.sent_all() or channel.closed, timeout)

    def sent_all(self) -> bool:
        """Sends what the line takes now; whether all that was written has left."""
        self._send_pending()
        return not self._pending

    # ---------------------------------------------------------------- from any thread

    def resize(self, size: WindowSize) -> None:
        """The window has a new size. Only the newest counts."""
        self._new_size = size
        self._wake()

    def attach(self, channel: ByteChannel, facts: TerminalFacts) -> None:
        """Goes on at another channel, with a full repaint. The old one is left as it is."""
        with self._lock:
            self._incoming = (channel, facts)
        self._wake()

    def detach(self) -> ByteChannel | None:
        """Lets go of the channel; the program runs on unseen. Returns what it was."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.set_wake(None)
        return channel

    def add_tap(self, tap: Tap) -> Callable[[], None]:
        """Shows all that passes to `tap`; returns what ends that."""
        self._taps += (tap,)

        def remove() -> None:
            self._taps = tuple(other for other in self._taps if other is not tap)

        return remove

    # ---------------------------------------------------------------- waking

    def _take(self, channel: ByteChannel) -> None:
        self._channel = channel
        channel.set_wake(self._wake)

    def _wake(self) -> None:
        with self._lock:
            loop = self._loop
            if loop is None or self._scheduled:
                return
            self._scheduled = True
            try:
                loop.call_soon_threadsafe(self._woken)
            except RuntimeError:
                # The loop is closed: the program ended a moment ago.
                self._loop = None

    def _woken(self) -> None:
        with self._lock:
            self._scheduled = False
            incoming, self._incoming = self._incoming, None
        if incoming is not None:
            self._switch(*incoming)
        size, self._new_size = self._new_size, None
        if size is not None and size != self._facts.size:
            self._facts = self._facts.resized(size)
            for tap in self._taps:
                tap.resized(size)
            if self._resized is not None:
                self._resized()
        self._drained()
        if self._reader is not None:
            self._reader()
        channel = self._channel
        if channel is not None and channel.closed and self._ended is not None:
            ended, self._ended = self._ended, None
            ended()

    def _switch(self, channel: ByteChannel, facts: TerminalFacts) -> None:
        if self._channel is not None:
            self._channel.set_wake(None)
        self._pending.clear()
        self._facts = facts
        self._at_end = False
        self._take(channel)
        if self.attached_anew is not None:
            self.attached_anew()

    def _send_pending(self) -> None:
        channel = self._channel
        if channel is not None and self._pending:
            sent = channel.write(bytes(self._pending))
            del self._pending[:sent]

    def _drained(self) -> None:
        self._send_pending()
        if self._drains and not self.congested:
            drains, self._drains = self._drains, []
            for callback in drains:
                callback()
        self._poll_drain()

    def _poll_drain(self) -> None:
        """Looks again soon, as long as somebody waits for a line that is attached."""
        if self._poll is None and self._drains and self._loop is not None and self._channel:
            self._poll = self._loop.call_later(DRAIN_POLL, self._polled)

    def _polled(self) -> None:
        self._poll = None
        self._drained()
