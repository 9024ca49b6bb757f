"""Relays between the channels of one connection and real sockets, all on one thread.

One thread a connection, begun when the first forward needs it: a thousand idle forwards of a
person cost a thousand sockets and no threads, and a target that stalls holds up its own stream
only. A person whose line is full holds up their own streams, as they would anyway.
"""

from __future__ import annotations

import errno
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from tuihost.logs import Event, EventLog
from tuihost.wire import ByteChannel, Timer

CHUNK = 262_144
BURST = 4  # chunks of one stream before the others have their turn
LINGER = 30.0  # seconds for a target to read what was sent before the client went
PAUSE = 1.0  # seconds without accepting where the process has no descriptors left
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

Action = Callable[[], None]
Relayed = Callable[[int, int], None]
"""How many bytes went to the socket, and how many came from it."""


class Resource(Protocol):
    """Something that ends with the pump at the latest."""

    def end(self) -> None:
        """Gives back what it holds, once. The pump's thread, or any once the pump has closed."""


class Pump:
    """The thread, and what it waits for. Thread: its own, unless a method says otherwise. The
    constructor raises RuntimeError if there can be no more threads, OSError without descriptors."""

    def __init__(self, name: str, timer: Timer, log: EventLog) -> None:
        """Begins. Raises RuntimeError if there can be no more threads."""
        self.timer = timer
        self._log = log
        self._selector = selectors.DefaultSelector()
        self._waker, self._woken = socket.socketpair()
        self._waker.setblocking(False)
        self._woken.setblocking(False)
        self._selector.register(self._woken, READ, self._drain)
        self._actions: deque[Action] = deque()
        self._lock = threading.Lock()
        self._signalled = self._closing = False
        self._open: set[Resource] = set()
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        try:
            self.thread.start()
        except RuntimeError:
            self._give_back()
            raise

    def call(self, action: Action) -> None:
        """Runs `action` on the pump's thread, soon; never after `close`. Any thread."""
        with self._lock:
            if self._closing:
                return
            self._actions.append(action)
            signal, self._signalled = not self._signalled, True
        if signal:
            self._signal()

    def relay(
        self, channel: ByteChannel, sock: socket.socket, done: Relayed, first: bytes = b""
    ) -> None:
        """Carries bytes both ways until both sides have ended, and closes both; the channel gets
        `first` before anything else. Any thread."""
        relay = Relay(self, channel, sock, done, first)
        if self.adopt(relay):
            self.call(relay.begin)

    def adopt(self, resource: Resource) -> bool:
        """Sees to it that `resource` ends with the pump at the latest; at once, and False, if the
        pump has ended. Any thread."""
        with self._lock:
            if not self._closing:
                self._open.add(resource)
                return True
        resource.end()
        return False

    def forget(self, resource: Resource) -> None:
        """It has ended. Any thread."""
        with self._lock:
            self._open.discard(resource)

    def close(self) -> None:
        """Ends every relay, and then the thread. Any thread; does not wait."""
        with self._lock:
            self._closing = True
        self._signal()

    def watch(self, sock: socket.socket, events: int, ready: Action) -> None:
        """Calls `ready` whenever `sock` is; with no events, never again."""
        known = sock.fileno() in self._selector.get_map()
        if not events:
            if known:
                self._selector.unregister(sock)
        elif known:
            self._selector.modify(sock, events, ready)
        else:
            self._selector.register(sock, events, ready)

    def accept(self, listening: socket.socket, watch: Action) -> tuple[socket.socket, Any] | None:
        """A connection that has come, and its address; None if there is none. Where the process has
        no descriptors left, `listening` is not watched until `watch` is called, a moment later."""
        try:
            return listening.accept()
        except OSError as error:
            if error.errno in _FULL:
                self._log.error(Event.HOST_ERROR, where="forward", reason=str(error))
                self.watch(listening, 0, watch)
                self.timer.call_later(PAUSE, lambda: self.call(watch))
            return None

    # ---------------------------------------------------------------- the thread

    def _signal(self) -> None:
        with suppress(BlockingIOError, OSError):  # full: it is awake; closed: it is over
            self._waker.send(b"\0")

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            self._woken.recv(64)
        with self._lock:
            self._signalled = False
            actions, self._actions = self._actions, deque()
        for action in actions:
            self._guarded(action)

    def _guarded(self, action: Action) -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - one stream's fault is not the others'
            self._log.error(Event.HOST_ERROR, trace=error, where="forward")

    def _run(self) -> None:
        while not self._closing:
            for key, _ in self._selector.select():
                self._guarded(key.data)
        for resource in tuple(self._open):
            self._guarded(resource.end)
        self._give_back()

    def _give_back(self) -> None:
        self._selector.close()
        self._waker.close()
        self._woken.close()


class Relay:
    """One channel and one socket. Thread: the pump's, except the channel's wakes."""

    def __init__(
        self,
        pump: Pump,
        channel: ByteChannel,
        sock: socket.socket,
        done: Relayed,
        first: bytes = b"",
    ) -> None:
        self._pump = pump
        self._channel = channel
        self._sock = sock
        self._done = done
        self._to_sock, self._to_channel = memoryview(b""), memoryview(first)
        self._channel_over = self._sock_over = self._ended = self._due = self._lingers = False
        self._events = 0
        self._sent, self._received = 0, len(first)

    def begin(self) -> None:
        """Starts to carry bytes."""
        self._sock.setblocking(False)
        self._channel.set_wake(self._woken)
        self._step()

    def end(self) -> None:
        """Closes both sides, once."""
        if self._ended:
            return
        self._ended = True
        self._channel.set_wake(None)
        if self._events:
            self._pump.watch(self._sock, 0, self._step)
        self._channel.close()
        self._sock.close()
        self._pump.forget(self)
        self._done(self._sent, self._received)

    def _woken(self) -> None:
        """From any thread, and often: one step for all wakes before it."""
        if not self._due:
            self._due = True
            self._pump.call(self._step)

    def _step(self) -> None:
        self._due = False
        if self._ended:
            return
        try:
            more = self._inward()
            more = self._outward() or more
        except (ConnectionError, TimeoutError, OSError):
            self.end()  # the target broke off: the client learns of it by the close
            return
        if self._channel_over and not self._to_sock and (self._sock_over or self._channel.closed):
            self.end()
            return
        if self._channel.closed and not self._lingers:
            self._lingers = True
            self._pump.timer.call_later(LINGER, lambda: self._pump.call(self.end))
        self._wait_for_more()
        if more:
            self._woken()

    def _wait_for_more(self) -> None:
        read = READ if not self._sock_over and not self._to_channel else 0
        events = read | (WRITE if self._to_sock else 0)
        if events != self._events:
            self._events = events
            self._pump.watch(self._sock, events, self._step)

    def _inward(self) -> bool:
        """From the channel to the socket; True if there may be more at once."""
        for _ in range(BURST):
            if not self._to_sock:
                if self._channel_over:
                    return False
                data = self._channel.read(CHUNK)
                if data is None:
                    return False
                if not data:
                    self._channel_over = True
                    self._sock.shutdown(socket.SHUT_WR)
                    return False
                self._to_sock = memoryview(data)
            try:
                count = self._sock.send(self._to_sock)
            except BlockingIOError:
                return False
            self._sent += count
            self._to_sock = self._to_sock[count:]
        return True

    def _outward(self) -> bool:
        """From the socket to the channel; True if there may be more at once."""
        for _ in range(BURST):
            if not self._to_channel:
                if self._sock_over:
                    return False
                try:
                    data = self._sock.recv(CHUNK)
                except BlockingIOError:
                    return False
                if not data:
                    self._sock_over = True
                    self._channel.send_eof()
                    return False
                self._received += len(data)
                self._to_channel = memoryview(data)
            self._to_channel = self._to_channel[self._channel.write(self._to_channel) :]
            if self._to_channel:
                return False  # the client's window is shut; a wake tells when it opens
        return True
