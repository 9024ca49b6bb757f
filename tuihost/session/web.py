"""Pages that an app answers a forward with: `ssh -L 8080:status:80 host`, and a browser.

    class Guestbook(App):
        accepts = Accepts(forwards=(ForwardRule("guestbook", 80),))

        def forward(self, forward):
            def page(request):
                return Page(f"You asked for {html.escape(request.path)}")

            serve_pages(forward.stream, page)

What reads and writes HTTP is h11; requests of one connection are answered one after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import responses
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

import h11

if TYPE_CHECKING:
    from tuihost.session.streams import ByteStream

MAX_BODY = 1 << 20  # bytes of a request
MAX_HEAD = 32 * 1024


@dataclass(frozen=True, slots=True)
class WebRequest:
    """What a browser asks for. `path` is decoded; `headers` have lower-case letters."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str, default: str = "") -> str:
        """The first header of that name."""
        return next((value for key, value in self.headers if key == name.lower()), default)


@dataclass(frozen=True, slots=True)
class Page:
    """An answer. Text is sent as UTF-8, and is HTML unless `kind` says otherwise: whatever people
    have written, and what was asked for, belongs in `html.escape`. Nothing of it may be framed,
    sniffed or kept."""

    body: str | bytes
    status: int = 200
    kind: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()

    def encoded(self) -> tuple[list[tuple[str, str]], bytes]:
        """The headers and the body."""
        data = self.body.encode() if isinstance(self.body, str) else self.body
        given = [
            ("content-type", self.kind),
            ("content-length", str(len(data))),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
        ]
        return [*given, *self.headers], data


Respond = Callable[[WebRequest], Page]


def serve_pages(stream: ByteStream, respond: Respond) -> None:
    """Answers every request on `stream`, until the other side has enough. What makes no sense is
    answered with a page that says so, and ends it; what `respond` raises comes out again, after
    a page that admits it. Raises `Disconnected`. Waits."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
    while True:
        try:
            request = _read(connection, stream)
        except h11.RemoteProtocolError as error:
            wrong = Page(f"{error}\n", error.error_status_hint, "text/plain; charset=utf-8")
            _answer(connection, stream, wrong)
            return
        if request is None:
            return
        try:
            page = respond(request)
        except Exception:
            _answer(connection, stream, Page("Something went wrong here.\n", 500, "text/plain"))
            raise
        _answer(connection, stream, page, head=request.method == "HEAD")
        if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
            return
        connection.start_next_cycle()


def _read(connection: h11.Connection, stream: ByteStream) -> WebRequest | None:
    """The next request, None if none comes any more."""
    asked: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            if connection.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[])
                stream.write(connection.send(go_on) or b"")
            connection.receive_data(stream.read())
        elif isinstance(event, h11.Request):
            asked = event
            if sum(len(name) + len(value) for name, value in event.headers) > MAX_HEAD:
                raise h11.RemoteProtocolError("its head is too long", error_status_hint=431)
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_BODY:
                raise h11.RemoteProtocolError("the request is too long", error_status_hint=413)
        elif isinstance(event, h11.EndOfMessage) and asked is not None:
            return _request(asked, bytes(body))
        else:
            return None


def _request(asked: h11.Request, body: bytes) -> WebRequest:
    try:
        target = urlsplit(asked.target.decode("ascii"))
    except ValueError:  # `//[`
        raise h11.RemoteProtocolError("its target is not an address") from None
    return WebRequest(
        method=asked.method.decode("ascii"),
        path=unquote(target.path) or "/",
        query=tuple(parse_qsl(target.query)),
        headers=tuple((name.decode("latin-1"), v.decode("latin-1")) for name, v in asked.headers),
        body=body,
    )


def _answer(
    connection: h11.Connection, stream: ByteStream, page: Page, *, head: bool = False
) -> None:
    if connection.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
        return
    headers, data = page.encoded()
    reason = responses.get(page.status, "").encode()
    response = h11.Response(status_code=page.status, headers=headers, reason=reason)
    parts = [connection.send(response)]
    if data and not head:
        parts.append(connection.send(h11.Data(data=data)))
    parts.append(connection.send(h11.EndOfMessage()))
    stream.write(b"".join(part or b"" for part in parts))
