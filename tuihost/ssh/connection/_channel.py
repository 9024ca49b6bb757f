"""One channel of a connection: the bytes between one program and one person (RFC 4254 §5).

Three kinds of thread meet here: the transport's, which brings what the client sent; the app's,
which reads and writes; and any other, which may close. The rules:
1. A channel's messages leave in the order in which they were accepted, and nothing leaves after
   CLOSE: the client may have given the channel's number to another channel by then.
2. One thread at a time has the *turn* to send. Only `write` waits for it. Whoever else finds it
   taken leaves the message behind, and the thread that has the turn sends it. So the transport
   thread, on which a waiting writer's key exchange depends, never waits for that writer.
3. What the client sent is held up to the window, and the window is enforced.
4. A wake comes after the change that it tells of.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Protocol

import paramiko

from tuihost.core.limits import MAX_PACKET
from tuihost.errors import PeerError
from tuihost.logs import Event, EventLog
from tuihost.ssh.connection import _messages as messages
from tuihost.ssh.connection._inbox import Inbox
from tuihost.wire import Exit, HostOpen, OpenRequest, Stream, Timer

MAX_WINDOW: Final = 2**32 - 1  # RFC 4254 §5.2
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


class HostChannel(paramiko.Channel):  # type: ignore[misc]  # paramiko has no types
    """A `ByteChannel` over paramiko's `Channel`, whose lock and window counts it keeps.

    `request` is what it was opened as. Between the methods of `ByteChannel` and what the
    transport thread brings (`received…`, `adjusted`, `reply`, `lost`) there is no waiting.
    """

    closed: bool  # we have sent CLOSE, or will: nothing is accepted after it
    transport: Sender
    lock: threading.Lock
    out_buffer_cv: threading.Condition  # on `lock`: the turn, the window, the end
    eof_received: bool
    in_buffer: Inbox
    in_window_size: int  # what the client may still send
    in_window_sofar: int  # what was read and not yet given back
    in_window_threshold: int
    out_window_size: int  # what the client still takes
    out_max_packet_size: int
    remote_chanid: int

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
    ) -> None:
        super().__init__(number)
        self.transport = transport
        self.request = request
        self.active = True
        self.in_buffer = Inbox()
        self.remote_chanid = peer_number
        self.in_window_size = window
        self.in_window_threshold = max(1, window // 3)
        self._window = window
        self._window_max = window_max
        self._lent = 0
        self.out_window_size = peer_window
        self.out_max_packet_size = min(peer_packet, MAX_PACKET)
        self.sent = 0
        self._paid_back = 0
        self._turn_taken = False
        self._ended = False  # we have sent EOF, or will
        self._waiting: list[paramiko.Message] = []
        self._wake: Callable[[], None] | None = None
        self._wakes = 0
        self._woken = threading.Condition()
        self._looking = False

    def __del__(self) -> None:
        """Nothing: paramiko would send from whichever thread the collector happened to run on."""

    # ------------------------------------------------------------------------- ByteChannel

    @property
    def number(self) -> int:
        """The channel's number on its connection; never used again there."""
        return int(self.chanid)

    @property
    def congested(self) -> bool:
        """The client's window is shut, or its line is full; a wake tells when that ends."""
        if self._mute:
            return False
        if self.out_window_size == 0:
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
        """What has arrived, None where nothing has, b"" where nothing will."""
        data = self.in_buffer.read(max(1, limit))
        if data:
            self._give_back(len(data))
        return data

    def write(self, data: bytes | memoryview, stream: Stream = Stream.OUT) -> int:
        """Sends what the window takes. Waits for the line and for a key exchange, not for the
        window; takes everything where the client is gone."""
        view = memoryview(data)
        pack = messages.data if stream is Stream.OUT else messages.extended_data
        done = 0
        while done < len(view):
            count = self._reserve(len(view) - done)
            if count is None:
                return len(view)
            if count == 0:
                break
            self._send_in_turn(pack(self.remote_chanid, view[done : done + count]))
            done += count
        return done

    def wait(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        """Blocks until `ready()`; False after `timeout` seconds."""
        now = self.transport.timer.now
        deadline = None if timeout is None else now() + timeout
        while True:
            wakes = self._wakes
            if ready():
                return True
            left = None if deadline is None else deadline - now()
            if left is not None and left <= 0:
                return False
            with self._woken:
                if self._wakes == wakes:
                    self._woken.wait(left)

    def nudge(self) -> None:
        """Makes `wait` look again. Any thread."""
        self._fire()

    def send_eof(self) -> None:
        """EOF, once; what is written after it is dropped. Any thread."""
        with self.lock:
            if self._ended or self.closed:
                return
            self._ended = True
            turn = self._accept((messages.eof(self.remote_chanid),))
            self.out_buffer_cv.notify_all()
        if turn:
            self._send_in_turn()

    def finish(self, end: Exit) -> None:
        """Exit status or signal, EOF, CLOSE, after everything that was accepted; once."""
        self._shut(messages.exit_request(self.remote_chanid, end))

    def close(self) -> None:
        """EOF and CLOSE, once. Any thread."""
        self._shut()

    # ----------------------------------------------------- what the transport thread brings

    def received(self, data: bytes) -> None:
        """DATA. Raises `PeerError` where the window does not take it."""
        if self._take_window(len(data)) and data:
            self.in_buffer.feed(data)
            self._fire()

    def received_extended(self, data: bytes) -> None:
        """EXTENDED_DATA, which no server has a use for: dropped, and its window given back."""
        if self._take_window(len(data)):
            self._give_back(len(data), grows=False)

    def received_eof(self) -> bool:
        """EOF: no more will come, and ours may still go. False where that was known."""
        with self.lock:
            if self.eof_received or self.closed:
                return False
            self.eof_received = True
        self.in_buffer.close()
        self._fire()
        return True

    def received_close(self) -> None:
        """CLOSE: answered with our own, where that was not sent before."""
        self._shut(eof=False)

    def adjusted(self, count: int) -> int:
        """WINDOW_ADJUST. Says how much of what we sent it pays back: a count that a client
        cannot raise by claiming."""
        with self.lock:
            self.out_window_size = min(MAX_WINDOW, self.out_window_size + count)
            paid = min(count, self.sent - self._paid_back)
            self._paid_back += paid
        self._fire()
        return paid

    def reply(self, granted: bool) -> None:
        """SUCCESS or FAILURE to a request; nothing once the channel is closed."""
        if len(self._waiting) >= MAX_WAITING:
            raise PeerError("asks and does not read the answers")
        self._post(messages.request_reply(self.remote_chanid, granted))

    def lost(self) -> None:
        """The connection is gone: closed, and nothing is sent any more."""
        with self.lock:
            self._waiting.clear()
            self._mark_closed()
        self._fire()

    # ------------------------------------------------------------------------ the windows

    def _take_window(self, count: int) -> bool:
        """Counts what the client sent; False where it comes too late to be of use."""
        with self.lock:
            if count > self.in_window_size:
                raise PeerError("sent more than the window takes")
            self.in_window_size -= count
            return not (self.closed or self.eof_received)

    def _give_back(self, count: int, *, grows: bool = True) -> None:
        """Lets the client send `count` bytes again, told when a third of the window is due."""
        with self.lock:
            self.in_window_sofar += count
            due = self.in_window_sofar
            if due < self.in_window_threshold or self.closed or self.eof_received:
                return
            due += self._grown() if grows else 0
            self.in_window_sofar = 0
            self.in_window_size += due
        self._post(messages.window_adjust(self.remote_chanid, due))

    def _grown(self) -> int:
        """With the lock held: by how much the window grows, where the reader keeps up with it."""
        more = min(self._window, self._window_max - self._window)
        if more <= 0 or len(self.in_buffer) or not self.transport.lend_window(more):
            return 0
        self._window += more
        self._lent += more
        self.in_window_threshold = self._window // 3
        return more

    @property
    def _mute(self) -> bool:
        """Nothing that is written now can be sent."""
        return self.closed or self._ended

    def _reserve(self, wanted: int) -> int | None:
        """Takes the turn and that much of the client's window; 0 where it is shut, and no turn;
        None once the channel is closed, or our side of it has ended."""
        with self.out_buffer_cv:
            while self._turn_taken and not self._mute:
                self.out_buffer_cv.wait()
            if self._mute:
                return None
            count = min(wanted, self.out_window_size, self.out_max_packet_size)
            if count:
                self.out_window_size -= count
                self.sent += count
                self._turn_taken = True
            return count

    # ------------------------------------------------------------------------ the sending

    def _post(self, *outgoing: paramiko.Message) -> None:
        """Sends in order, or leaves it to the thread that has the turn; drops after CLOSE."""
        with self.lock:
            if self.closed or not self._accept(outgoing):
                return
        self._send_in_turn()

    def _shut(self, *outgoing: paramiko.Message, eof: bool = True) -> None:
        """Like `_post`, with the last messages that there are: EOF, where it is due, and CLOSE."""
        number = self.remote_chanid
        with self.lock:
            if self.closed:
                return
            last = (messages.eof(number),) if eof and not self._ended else ()
            turn = self._accept((*outgoing, *last, messages.close(number)))
            self._mark_closed()
        if turn:
            self._send_in_turn()
        self._fire()

    def _accept(self, outgoing: tuple[paramiko.Message, ...]) -> bool:
        """With the lock held: true where the caller has got the turn, and has to send."""
        self._waiting.extend(outgoing)
        got, self._turn_taken = not self._turn_taken, True
        return got

    def _mark_closed(self) -> None:
        """With the lock held."""
        self.closed = True
        lent, self._lent = self._lent, 0
        if lent:
            self.transport.lend_window(-lent)
        self.in_buffer.close()
        self.out_buffer_cv.notify_all()

    def _send_in_turn(self, first: paramiko.Message | None = None) -> None:
        """Sends `first` and then what waits, and gives the turn back."""
        outgoing = [] if first is None else [first]
        try:
            while True:
                for message in outgoing:
                    self.transport._send_user_message(message)
                outgoing = self._next_or_no_turn()
                if not outgoing:
                    return
        except (OSError, EOFError, paramiko.SSHException):
            # The connection is ending, which its own thread notices: here it is no error.
            self.lost()
        except BaseException:
            self.lost()
            raise

    def _next_or_no_turn(self) -> list[paramiko.Message]:
        """What others left behind; where that is nothing, the turn is given back with it."""
        with self.lock:
            outgoing, self._waiting = self._waiting, []
            if not outgoing:
                self._turn_taken = False
                self.out_buffer_cv.notify_all()
            return outgoing

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
        except Exception as error:  # noqa: BLE001 - it is an app's, and this thread is everyone's
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
        return f"<HostChannel {self.chanid} {'closed' if self.closed else 'open'}>"
