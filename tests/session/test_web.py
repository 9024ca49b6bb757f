"""Pages over a forward: what a browser gets, and what makes no sense."""

from __future__ import annotations

import pytest

from tuihost import Disconnected, Page, WebRequest, serve_pages

POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n"


class Line:
    """A stream that has `came` to read, and keeps what is written."""

    closed = False

    def __init__(self, *came: bytes) -> None:
        self._came = list(came)
        self.sent = b""

    def read(self, limit: int = 65536) -> bytes:
        return self._came.pop(0) if self._came else b""

    def write(self, data: bytes | memoryview) -> None:
        self.sent += bytes(data)

    def send_eof(self) -> None:
        raise AssertionError("not needed")

    def close(self) -> None:
        raise AssertionError("that is the host's to do")


def say(request: WebRequest) -> Page:
    text = f"{request.method} {request.path} {request.query} {request.header('X-A')} "
    return Page(text + request.body.decode())


def answers(*came: bytes) -> list[bytes]:
    line = Line(*came)
    serve_pages(line, say)
    return line.sent.split(b"HTTP/1.1 ")[1:]


def test_requests_are_answered_one_after_the_other() -> None:
    first, second = answers(
        b"GET /a%20b?x=1&y HTTP/1.1\r\nHost: x\r\nX-A: 5\r\n\r\nPOST / HTT",
        b"P/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbo",
        b"dy",
    )
    assert first.startswith(b"200 OK\r\n")
    assert first.endswith(b"\r\n\r\nGET /a b (('x', '1'),) 5 ")
    assert second.endswith(b"\r\n\r\nPOST / ()  body")
    assert b"x-content-type-options: nosniff\r\n" in first


def test_a_head_gets_the_length_and_no_body() -> None:
    (answer,) = answers(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n")
    assert b"content-length: 11\r\n" in answer


def test_a_client_that_waits_to_be_asked_for_more() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    first, second = answers(head, b"hi")
    assert first.startswith(b"100 ")
    assert second.endswith(b"hi")


@pytest.mark.parametrize(
    ("came", "status"),
    [
        (b"GARBAGE\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET //[ HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000, b"431"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", b"431"),
        (POST + b"a" * 1_100_000, b"413"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told(came: bytes, status: bytes) -> None:
    (answer,) = answers(came)
    assert answer.startswith(status)


def test_a_mistake_of_the_app_is_admitted() -> None:
    line = Line(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    def wrong(_: WebRequest) -> Page:
        raise LookupError("a mistake")

    with pytest.raises(LookupError):
        serve_pages(line, wrong)
    assert line.sent.startswith(b"HTTP/1.1 500 ")


def test_a_client_that_goes_is_told_to_the_app() -> None:
    class Gone(Line):
        def read(self, limit: int = 65536) -> bytes:
            raise Disconnected("gone")

    with pytest.raises(Disconnected):
        serve_pages(Gone(), say)
