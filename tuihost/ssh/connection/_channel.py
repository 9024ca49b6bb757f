"""One channel of a connection: the bytes between one program and one person (RFC 4254 §5).

Three kinds of thread meet here: the transport's, which brings what the client sent; the app's,
which reads and writes; and any other, which may close. The rules:
1. A channel's messages leave in the order in which they were accepted, and nothing leaves after
   CLOSE: the client may have given the channel's number to another channel by then.
2. Only `write` waits for another thread that sends. So the transport thread, on which a waiting
   writer's key exchange depends, never waits for that writer (`_send_queue`).
3. What the client sent is buffered up to the window, and the window is enforced (`_windows`).
4. A wake comes after the change that it reports.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Protocol

import paramiko

from tuihost.core.budget.ledger import FREE, Lease
from tuihost.core.limits import MAX_PACKET
from tuihost.errors import PeerError
from tuihost.logs import Event, EventLog
from tuihost.session.turns import own_turn
from tuihost.ssh.connection import _messages as messages
from tuihost.ssh.connection._inbox import Inbox
from tuihost.ssh.connection._send_queue import SendQueue
from tuihost.ssh.connection._windows import ReceiveWindow, SendWindow
from tuihost.wire import Exit, HostOpen, OpenRequest, Stream, Timer

MAX_WAITING: Final = 256  # messages left behind for the thread that has the turn
LINE_LOOK: Final = 0.02  # seconds between looks at a full line, which gives no sign when it empties


class Sender(Protocol):
    """What a channel needs of its transport."""

    @property
    def timer(self) -> Timer: ...

    @property
    def log(self) -> EventLog: ...

    def line_full(self) -> bool:
        """The socket takes nothing more just now."""

    def lend_window(self, count: int) -> bool:
        """So much more of the connection's room for windows, where there is so much left. A count
        below zero gives it back. Any thread; takes no other lock."""

    def _send_user_message(self, message: paramiko.Message) -> None:
        """Sends; off the transport's thread it may wait, for a key exchange or the line."""


class HostChannel:
    """A `ByteChannel` of one connection.

    `number` is the channel's on its connection and never used again there; `request` is what it was
    opened as, and `lease` what its window was taken by, until the client can send no more. Between
    the methods of `ByteChannel` and what the transport thread brings (`received…`, `adjusted`,
    `reply`, `lost`) there is no waiting.
    """

    def __init__(
        self,
        number: int,
        transport: Sender,
        request: OpenRequest | HostOpen,
        *,
        peer_number: int,
        peer_window: int,
        peer_packet: int,
        window: int,
        window_max: int = 0,
        lease: Lease = FREE,
    ) -> None:
        self.number = number
        self._lease = lease
        self.transport = transport
        self.request = request
        self.peer_number = peer_number
        self.inbox = Inbox()
        self.incoming = ReceiveWindow(window, window_max, transport.lend_window)
        self.outgoing: SendQueue[paramiko.Message] = SendQueue(
            SendWindow(peer_window, min(peer_packet, MAX_PACKET))
        )
        self._wake: Callable[[], None] | None = None
        self._wakes = 0
        self._woken = threading.Condition()
        self._looking = False

    # ------------------------------------------------------------------------- ByteChannel

    @property
    def closed(self) -> bool:
        """We have sent CLOSE, or will: nothing is accepted after it."""
        return self.outgoing.closed

    @property
    def congested(self) -> bool:
        """The client's window is shut, or its line is full; a wake tells when that ends."""
        if self.outgoing.ended:
            return False
        if self.outgoing.window.left == 0:
            return True
        if not self.transport.line_full():
            return False
        self._look_later()
        return True

    def set_wake(self, wake: Callable[[], None] | None) -> None:
        """Calls `wake` from now on, and once right away: what came before is not missed."""
        self._wake = wake
        self._fire()

    def read(self, limit: int = 65536) -> bytes | None:
        """What has arrived, None if nothing has, b"" where nothing will."""
        data = self.inbox.read(max(1, limit))
        if data:
            due = self.incoming.give_back(len(data), grows=not len(self.inbox))
            if due:
                self._post(messages.window_adjust(self.peer_number, due))
        return data

    def write(self, data: bytes | memoryview, stream: Stream = Stream.OUT) -> int:
        """Sends what the window takes. Waits for the line and for a key exchange, not for the
        window; takes everything where the client is gone."""
        view = memoryview(data)
        pack = messages.data if stream is Stream.OUT else messages.extended_data
        done = 0
        while done < len(view):
            count = self.outgoing.reserve(len(view) - done)
            if count is None:
                return len(view)
            if count == 0:
                break
            self._send(pack(self.peer_number, view[done : done + count]))
            done += count
        return done

    def wait(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        """Blocks until `ready()`; False after `timeout` seconds."""
        now = self.transport.timer.now
        deadline = None if timeout is None else now() + timeout
        turn = own_turn()
        turn.pass_on()
        while True:
            wakes = self._wakes
            if ready():
                return True
            left = None if deadline is None else deadline - now()
            if left is not None and left <= 0:
                return False
            turn.pause()
            try:
                with self._woken:
                    if self._wakes == wakes:
                        self._woken.wait(left)
            finally:
                turn.resume()

    def nudge(self) -> None:
        """Makes `wait` look again. Any thread."""
        self._fire()

    def send_eof(self) -> None:
        """EOF, once; what is written after it is dropped. Any thread."""
        if self.outgoing.end(messages.eof(self.peer_number)):
            self._send()

    def finish(self, end: Exit) -> None:
        """Exit status or signal, EOF, CLOSE, after everything that was accepted; once."""
        self._close(messages.exit_request(self.peer_number, end))

    def close(self) -> None:
        """EOF and CLOSE, once. Any thread."""
        self._close()

    # ----------------------------------------------------- what the transport thread brings

    def received(self, data: bytes) -> None:
        """DATA. Raises `PeerError` if the window does not take it."""
        if self.incoming.take(len(data)) and data:
            self.inbox.feed(data)
            self._fire()

    def received_extended(self, data: bytes) -> None:
        """EXTENDED_DATA, which no server has a use for: dropped, and its window given back."""
        if self.incoming.take(len(data)) and (due := self.incoming.give_back(len(data))):
            self._post(messages.window_adjust(self.peer_number, due))

    def received_eof(self) -> bool:
        """EOF: no more will come, and ours may still go. False if that was known."""
        if not self.incoming.end():
            return False
        self.inbox.close()
        self._fire()
        return True

    def received_close(self) -> None:
        """CLOSE: answered with our own, where that was not sent before."""
        self._close(eof=False)
        self._lease.give_back()

    def adjusted(self, count: int) -> int:
        """WINDOW_ADJUST. Says how much of what we sent it pays back."""
        paid = self.outgoing.adjust(count)
        self._fire()
        return paid

    def reply(self, granted: bool) -> None:
        """SUCCESS or FAILURE to a request; nothing once the channel is closed."""
        if len(self.outgoing) >= MAX_WAITING:
            raise PeerError("the client asks and does not read the answers")
        self._post(messages.request_reply(self.peer_number, granted))

    def lost(self) -> None:
        """The connection is gone: closed, and nothing is sent any more."""
        self._stop_reading()
        self.outgoing.drop()
        self._lease.give_back()
        self._fire()

    # ------------------------------------------------------------------------ the sending

    def _post(self, message: paramiko.Message) -> None:
        if self.outgoing.post(message):
            self._send()

    def _close(self, *before: paramiko.Message, eof: bool = True) -> None:
        if self.closed:
            return
        number = self.peer_number
        end = messages.eof(number) if eof else None
        self._stop_reading()
        if self.outgoing.close(*before, eof=end, last=messages.close(number)):
            self._send()
        self._fire()

    def _stop_reading(self) -> None:
        self.incoming.end()
        self.inbox.close()

    def _send(self, *first: paramiko.Message) -> None:
        """With the turn: sends `first` and then what waits."""
        try:
            for message in first:
                self.transport._send_user_message(message)
            while waiting := self.outgoing.next():
                for message in waiting:
                    self.transport._send_user_message(message)
        except (OSError, EOFError, paramiko.SSHException):
            # The connection is ending, which its own thread notices: here it is not an error.
            self.lost()
        except BaseException:
            self.lost()
            raise

    # ---------------------------------------------------------------------------- the wakes

    def _fire(self) -> None:
        with self._woken:
            self._wakes += 1
            self._woken.notify_all()
        wake = self._wake
        if wake is None:
            return
        try:
            wake()
        except BaseException as error:  # noqa: BLE001 - an app's, and this thread is everyone's
            self._wake = None
            self.transport.log.error(Event.CONN_ERROR, trace=error, chan=self.number, at="wake")

    def _look_later(self) -> None:
        if not self._looking:
            self._looking = True
            self.transport.timer.call_later(LINE_LOOK, self._look)

    def _look(self) -> None:
        """On the watchdog's thread: is the line still full?"""
        self._looking = False
        if not self.closed and self.transport.line_full():
            self._look_later()
        else:
            self._fire()

    def __repr__(self) -> str:
        return f"<HostChannel {self.number} {'closed' if self.closed else 'open'}>"
