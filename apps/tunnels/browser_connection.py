"""One connection of a browser: its requests, carried to the machine that a name leads to.

What reads and writes HTTP is h11, on both sides: nothing is passed on that it does not understand,
so no request can be smuggled in another's body. A connection stays with the tunnel that its first
request named.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Set
from contextlib import suppress
from html import escape
from http.client import responses
from typing import Any

import h11

from tuihost import ByteStream, Disconnected, NotOpened, Peer

from .open_tunnels import OpenTunnels, Request, Tunnel

CHUNK = 65_536
MAX_HEAD = 32 * 1024
CONNECT_TIMEOUT = 10.0
HEAD_TIME = 10.0  # seconds for the head of a request, from its first byte
IDLE = 60.0  # seconds in which nothing moves
IDLE_SWITCHED = 300.0  # the same for another protocol, such as a WebSocket
LEAST_RATE = 500  # bytes a second of a long body, after `IDLE`
HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"te", b"proxy-authorization"})
FRAMING = frozenset({b"host", b"content-length", b"transfer-encoding"})
# What proxies say about where a request came from, and where to: of a browser's own, nothing is
# believed. There is no list of all names that programs believe, so these are what they look like.
MADE_UP = re.compile(
    rb"forwarded|proxy|(?:^|-)(?:via|scheme)$|x-(?:host$|original-|rewrite-)|front-end-https"
    rb"|(?:client|real|remote|connecting|external|originating|source|src|user)"
    rb"[a-z0-9-]*?(?:ip(?:v6)?|addr|address)(?:-|$)"
)
Headers = list[tuple[bytes, bytes]]


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
        if sum(len(name) + len(value) for name, value in event.headers) > MAX_HEAD:
            self._say(431, "The headers of that request are too long.")
            return False
        target = _path_of(event)
        if target is None:
            self._say(400, "That is not a request for one of the names here.")
            return False
        begun, before = time.monotonic(), self._counted()
        if not self._find_machine(event):
            return False
        assert self._tunnel is not None
        status = 0
        try:
            with suppress(Disconnected):  # it may have answered before it heard all of it
                self._send_machine(self._outgoing(event, target))
                self._carry_body()
            status = self._carry_answer(event)
        except h11.RemoteProtocolError as error:
            if self._browser.their_state is h11.ERROR:
                raise  # it was the browser's mistake
            self._say(502, f"The machine behind this name sent an invalid answer: {error}.")
        finally:
            received, sent = self._counted()
            self._tunnels.note(
                self._tunnel,
                Request(
                    at=self._tunnels.now(),
                    method=event.method.decode("ascii"),
                    target=event.target.decode("ascii"),
                    status=status,
                    seconds=time.monotonic() - begun,
                    received=received - before[0],
                    sent=sent - before[1],
                    origin=self.origin.address,
                ),
            )
        if self._browser.our_state is h11.SWITCHED_PROTOCOL:
            self._pipe()
            return False
        done = {self._browser.our_state, self._browser.their_state, self._machine.our_state,
                self._machine.their_state}  # fmt: skip
        return done == {h11.DONE}

    def _counted(self) -> tuple[int, int]:
        tunnel = self._tunnel
        return (tunnel.received, tunnel.sent) if tunnel is not None else (0, 0)

    def _find_machine(self, request: h11.Request) -> bool:
        """Opens the way to the machine, once; False if there is none, and the browser knows."""
        hosts = [value for name, value in request.headers if name == b"host"]
        name = self._name_of(hosts[0].decode("latin-1")) if hosts else None
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

    def _outgoing(self, request: h11.Request, target: bytes) -> h11.Request:
        """The request as the machine sees it, with where it came from."""
        options = _connection_options(request.headers)
        wants = b"upgrade" in options
        left_out = (options | HOP | {b"expect", b"upgrade"}) - FRAMING
        if wants:
            left_out -= {b"upgrade"}
        headers = [
            (name, value)
            for name, value in _passed_on(request.headers, left_out)
            if not MADE_UP.search(_plain(name))
        ]
        host = next((value for name, value in request.headers if name == b"host"), b"")
        headers += [
            (b"X-Forwarded-For", self.origin.address.encode()),
            (b"X-Forwarded-Host", host),
        ]
        if wants:
            headers.append((b"Connection", b"upgrade"))
        return h11.Request(method=request.method, target=target, headers=headers)

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
                case h11.InformationalResponse(status_code=101):
                    self._send_browser(event)
                    return 101
                case h11.InformationalResponse():
                    self._send_browser(event)
                case h11.Response():
                    status = event.status_code
                    self._send_browser(_answer(event))
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


def _path_of(request: h11.Request) -> bytes | None:
    """What the machine is asked for. None if the browser takes this for a proxy to another host,
    or asks for nothing that has a path (RFC 9112 §3.2)."""
    target = request.target
    if target[:1] == b"/" or (target == b"*" and request.method == b"OPTIONS"):
        return target
    scheme, separator, rest = target.partition(b"://")
    if not separator or scheme.lower() not in (b"http", b"https"):
        return None
    end = next((at for at, byte in enumerate(rest) if byte in b"/?#"), len(rest))
    hosts = [value for name, value in request.headers if name == b"host"]
    if [rest[:end].lower()] != [host.lower() for host in hosts]:
        return None
    path = rest[end:].partition(b"#")[0]
    return path if path[:1] == b"/" else b"/" + path


def _connection_options(headers: Any) -> frozenset[bytes]:
    """What the headers `Connection` name: headers for this connection only (RFC 9110 §7.6.1)."""
    values = b",".join(value for name, value in headers if name == b"connection")
    return frozenset(option.strip().lower() for option in values.split(b",")) - {b""}


def _answer(response: h11.Response) -> h11.Response:
    """The machine's answer, without what concerned its own connection only."""
    options = _connection_options(response.headers)
    headers = _passed_on(response.headers, (options | HOP) - FRAMING)
    return h11.Response(status_code=response.status_code, headers=headers, reason=response.reason)


def _passed_on(headers: Any, left_out: Set[bytes]) -> Headers:
    """What is said again on the other side. Of two lengths only the one that counts (RFC 9112
    §6.3): the other would have somebody see two messages where there is one."""
    if any(name == b"transfer-encoding" for name, _ in headers):
        left_out = left_out | {b"content-length"}
    return [
        (name, value) for name, value in headers.raw_items() if not _is_left_out(name, left_out)
    ]


def _is_left_out(name: bytes, left_out: Set[bytes]) -> bool:
    plain = _plain(name)
    return plain in left_out or (plain != name.lower() and plain in FRAMING)


def _plain(name: bytes) -> bytes:
    """A header's name as a program sees it that gets headers as variables (CGI, WSGI): there `_`
    and `.` are the same as `-`."""
    return re.sub(rb"[^a-z0-9]", b"-", name.lower())


def page(status: int, sentence: str) -> bytes:
    """A page that says one sentence."""
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<title>{status}</title><style>:root{{color-scheme:light dark;font:16px/1.5 system-ui}}"
        "body{max-width:34rem;margin:20vh auto;padding:0 1rem}p{opacity:.75}</style>"
        f"<h1>{status}</h1><p>{escape(sentence)}</p>\n"
    ).encode()
