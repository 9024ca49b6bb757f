"""One connection of a browser: its requests, carried to the machine that a name leads to.

What reads and writes HTTP is h11, on both sides: nothing is passed on that it does not understand,
so no request can be smuggled in another's body. A connection stays with the tunnel that its first
request named.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from html import escape
from http.client import responses

import h11

from tuihost import ByteStream, Disconnected, NotOpened, Peer

from .http_messages import (
    MAX_HEAD,
    answer_passed_on,
    fault_of,
    host_of,
    interim_passed_on,
    passed_on,
)
from .open_tunnels import KEPT_TEXT, OpenTunnels, Request, Tunnel

CHUNK = 65_536
CONNECT_TIMEOUT = 10.0
HEAD_TIME = 10.0  # seconds for the head of a request, from its first byte
IDLE = 60.0  # seconds in which nothing moves
IDLE_SWITCHED = 300.0  # the same for another protocol, such as a WebSocket
LEAST_RATE = 500  # bytes a second of a long body, after `IDLE`


class _Over(Exception):
    """Nothing more comes of this connection."""


class BrowserConnection:
    """Everything that one browser asks for over one connection. Thread: its own, except
    `close` and `idle`."""

    def __init__(
        self,
        sock: socket.socket,
        origin: Peer,
        tunnels: OpenTunnels,
        name_of: Callable[[str], str | None],
    ) -> None:
        self._sock = sock
        self.origin = origin
        self._tunnels = tunnels
        self._name_of = name_of
        self._tunnel: Tunnel | None = None
        self._stream: ByteStream | None = None
        self._browser = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        self._machine = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        self._touched = time.monotonic()
        self._head_since: float | None = self._touched  # of the first, since it connected
        self._body_since: float | None = None
        self._body_bytes = 0
        self._closed = False
        self._switched = False
        self.waiting = True
        """It has not asked for anything, or has its answer. Any thread."""

    def idle(self, now: float) -> float:
        """Seconds since anything moved. Any thread."""
        return now - self._touched

    def overdue(self, now: float) -> bool:
        """It takes longer than anybody needs. Any thread."""
        head, body = self._head_since, self._body_since
        return (
            self.idle(now) > (IDLE_SWITCHED if self._switched else IDLE)
            or (head is not None and now - head > HEAD_TIME)
            or (body is not None and now - body > IDLE + self._body_bytes / LEAST_RATE)
        )

    def close(self) -> None:
        """Ends it from outside. Any thread."""
        self._closed = True
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        if (stream := self._stream) is not None:
            stream.close()

    def abandon(self) -> None:
        """It never runs."""
        self._sock.close()

    def run(self) -> None:
        """Until either side has enough."""
        try:
            while self._request():
                self._browser.start_next_cycle()
                self._machine.start_next_cycle()
        except h11.RemoteProtocolError as error:
            self._say(error.error_status_hint, f"That is not a request: {error}.")
        except (_Over, Disconnected, OSError):
            pass  # one of the two is gone
        finally:
            if self._stream is not None:
                self._stream.close()
            if self._tunnel is not None:
                self._tunnels.leave(self._tunnel)
            self._sock.close()

    # ---------------------------------------------------------------- one request

    def _request(self) -> bool:
        """Carries one request and its answer; True if another may follow."""
        self.waiting = True
        event = next(self._from_browser())
        self._head_since = None
        self.waiting = False
        if not isinstance(event, h11.Request):
            return False
        fault = fault_of(event)
        if fault is not None:
            self._say(fault.status, fault.sentence)
            return False
        begun, before = time.monotonic(), self._counted()
        if not self._find_machine(event):
            return False
        assert self._tunnel is not None
        status = 0
        try:
            with suppress(Disconnected):  # it may have answered before it heard all of it
                self._send_machine(passed_on(event, self.origin.address))
                self._carry_body()
            status = self._carry_answer(event)
        except h11.RemoteProtocolError as error:
            if self._browser.their_state is h11.ERROR:
                raise  # it was the browser's mistake
            self._say(502, f"The machine behind this name sent an invalid answer: {error}.")
        finally:
            self._note(self._tunnel, event, status, begun, before)
        if self._browser.our_state is h11.SWITCHED_PROTOCOL:
            self._pipe()
            return False
        ends = (self._browser, self._machine)
        return all(end.our_state is end.their_state is h11.DONE for end in ends)

    def _note(
        self,
        tunnel: Tunnel,
        event: h11.Request,
        status: int,
        begun: float,
        before: tuple[int, int],
    ) -> None:
        """Puts a request into the list of its tunnel. `before` is what had been carried when it
        began."""
        received, sent = self._counted()
        self._tunnels.note(
            tunnel,
            Request(
                at=time.time(),
                method=event.method[:KEPT_TEXT].decode("ascii"),
                target=event.target[:KEPT_TEXT].decode("ascii"),
                status=status,
                seconds=time.monotonic() - begun,
                received=received - before[0],
                sent=sent - before[1],
                origin=self.origin.address,
            ),
        )

    def _counted(self) -> tuple[int, int]:
        tunnel = self._tunnel
        return (tunnel.received, tunnel.sent) if tunnel is not None else (0, 0)

    def _find_machine(self, request: h11.Request) -> bool:
        """Opens the way to the machine, once; False if there is none, and the browser knows."""
        name = self._name_of(host_of(request).decode("latin-1"))
        tunnel = self._tunnels.find(name) if name is not None else None
        if self._tunnel is not None:
            if tunnel is self._tunnel:
                return True
            self._say(421, "This connection belongs to another tunnel.")
            return False
        if tunnel is None:
            self._say(404, "There is no tunnel with that name now.")
            return False
        if not self._tunnels.enter(tunnel):
            self._say(503, "Too many connections use this tunnel at the moment.")
            return False
        self._tunnel = tunnel
        try:
            self._stream = tunnel.listening.connect(self.origin, CONNECT_TIMEOUT)
        except (NotOpened, Disconnected):
            self._say(502, "The machine behind this name does not answer.")
            return False
        if self._closed:
            raise _Over
        return True

    def _carry_body(self) -> None:
        self._body_since, self._body_bytes = time.monotonic(), 0
        try:
            self._carry_whole_body()
        finally:
            self._body_since = None

    def _carry_whole_body(self) -> None:
        for event in self._from_browser():
            match event:
                case h11.Data(data=data):
                    self._body_bytes += len(data)
                    self._send_machine(h11.Data(data=data))
                case h11.EndOfMessage():
                    self._send_machine(h11.EndOfMessage())
                    return
                case _:
                    raise _Over

    def _carry_answer(self, request: h11.Request) -> int:
        """The status of the answer, which is carried whole."""
        status = 0
        for event in self._from_machine():
            match event:
                case h11.InformationalResponse():
                    self._send_browser(interim_passed_on(event))
                    if event.status_code == 101:
                        return 101
                case h11.Response():
                    status = event.status_code
                    self._send_browser(answer_passed_on(event))
                case h11.Data(data=data):
                    self._send_browser(h11.Data(data=data))
                case h11.EndOfMessage():
                    self._send_browser(h11.EndOfMessage())
                    return status
                case _:
                    raise _Over
        return status

    # ---------------------------------------------------------------- the two sides

    def _from_browser(self) -> Iterator[object]:
        browser = self._browser
        while True:
            event = browser.next_event()
            if event is h11.NEED_DATA:
                if browser.they_are_waiting_for_100_continue:
                    self._send_browser(h11.InformationalResponse(status_code=100, headers=[]))
                browser.receive_data(self._sock.recv(CHUNK))
                self._touched = time.monotonic()
                if self.waiting and self._head_since is None:
                    self._head_since = self._touched
            else:
                yield event

    def _from_machine(self) -> Iterator[object]:
        assert self._stream is not None
        while True:
            event = self._machine.next_event()
            if event is h11.NEED_DATA:
                data = self._stream.read(CHUNK)
                self._count(sent=len(data))
                self._machine.receive_data(data)
            else:
                yield event

    def _send_browser(self, event: h11.Event) -> None:
        data = self._browser.send(event)
        if data:
            self._sock.sendall(data)
            self._touched = time.monotonic()

    def _send_machine(self, event: h11.Event) -> None:
        assert self._stream is not None
        data = self._machine.send(event)
        if data:
            self._stream.write(data)
            self._count(received=len(data))

    def _count(self, *, received: int = 0, sent: int = 0) -> None:
        self._touched = time.monotonic()
        if self._tunnel is not None:
            self._tunnels.count(self._tunnel, received=received, sent=sent)

    # ---------------------------------------------------------------- another protocol

    def _pipe(self) -> None:
        """Bytes both ways, from here on: a WebSocket, say."""
        assert self._stream is not None
        self._switched = True
        self._sock.settimeout(None)
        up, down = self._browser.trailing_data[0], self._machine.trailing_data[0]
        if up:
            self._stream.write(up)
        if down:
            self._sock.sendall(down)
        thread = threading.Thread(target=self._pipe_down, name="tunnels-pipe", daemon=True)
        thread.start()
        try:
            while data := self._sock.recv(CHUNK):
                self._stream.write(data)
                self._count(received=len(data))
        finally:
            self.close()
            thread.join()

    def _pipe_down(self) -> None:
        assert self._stream is not None
        with suppress(OSError, Disconnected):
            while data := self._stream.read(CHUNK):
                self._sock.sendall(data)
                self._count(sent=len(data))
        self.close()

    # ---------------------------------------------------------------- the host's own words

    def _say(self, status: int, sentence: str) -> None:
        """A page of the host's own, where one can still be sent."""
        if self._browser.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        data = page(status, sentence)
        headers = [
            ("content-type", "text/html; charset=utf-8"),
            ("content-length", str(len(data))),
            ("cache-control", "no-store"),
            ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'"),
            ("connection", "close"),
        ]
        reason = responses.get(status, "").encode()
        head = self._browser.send(h11.Response(status_code=status, headers=headers, reason=reason))
        with suppress(OSError):
            self._sock.sendall((head or b"") + data)
            self._sock.shutdown(socket.SHUT_WR)


def page(status: int, sentence: str) -> bytes:
    """A page that says one sentence."""
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<title>{status}</title><style>:root{{color-scheme:light dark;font:16px/1.5 system-ui}}"
        "body{max-width:34rem;margin:20vh auto;padding:0 1rem}p{opacity:.75}</style>"
        f"<h1>{status}</h1><p>{escape(sentence)}</p>\n"
    ).encode()
