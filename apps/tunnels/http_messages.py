"""Requests and answers as they are passed on, and which requests are not (RFC 9110, RFC 9112)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Any

import h11

MAX_HEAD = 32 * 1024
HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"te", b"proxy-authorization"})
FRAMING = frozenset({b"host", b"content-length", b"transfer-encoding"})
# What proxies say about where a request came from, and where to: a browser's own are dropped. There
# is no list of all names that programs rely on, so these are what they look like.
MADE_UP = re.compile(
    rb"forwarded|forward-for|proxy|(?:^|-)(?:via|scheme)$|coming-from$|front-end-https"
    rb"|x-(?:host$|original-|rewrite-)|host-override$|(?:client|real|remote)-host$"
    rb"|(?:^|-)ip(?:v[46])?(?:-addr(?:ess)?)?$"
    rb"|(?:client|real|true|remote|connecting|external|origin|source|src|user|viewer|peer|visitor|socket)"
    rb"[a-z0-9-]*?(?:ip(?:v[46])?|addr|address)(?:-|$)"
)
# HTTP in another form, in which nobody would look at what a browser says: RFC 9113 §3.1, RFC 2817.
OTHER_HTTP = re.compile(rb"h2|h3|http|tls", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a request is not passed on."""

    status: int
    sentence: str


def fault_of(request: h11.Request) -> Fault | None:
    """What is wrong with a request that h11 could read."""
    if request.http_version[:2] != b"1.":
        return Fault(505, "Only HTTP/1 is understood here.")
    if sum(len(name) + len(value) for name, value in request.headers) > MAX_HEAD:
        return Fault(431, "The headers of that request are too long.")
    names = {name for name, _ in request.headers}
    if b"transfer-encoding" in names and b"content-length" in names:
        # RFC 9112 §6.1: a proxy that passed this on may have read the other one of the two.
        return Fault(400, "That request says twice how long it is, in two different ways.")
    if b"transfer-encoding" in names and request.http_version == b"1.0":
        return Fault(400, "A request of HTTP/1.0 cannot be chunked.")
    if path_of(request) is None:
        return Fault(400, "That is not a request for one of the names here.")
    return None


def host_of(request: h11.Request) -> bytes:
    """The header `Host`; empty if there is none (HTTP/1.0)."""
    return next((value for name, value in request.headers if name == b"host"), b"")


def path_of(request: h11.Request) -> bytes | None:
    """What the machine is asked for. None if the browser takes this for a proxy to another host,
    or asks for nothing that has a path (RFC 9112 §3.2). A CONNECT never has one: what follows its
    answer would be read by nobody on the way."""
    target = request.target
    if request.method.upper() == b"CONNECT":
        return None
    if target[:1] == b"/" or (target == b"*" and request.method == b"OPTIONS"):
        return target
    scheme, separator, rest = target.partition(b"://")
    if not separator or scheme.lower() not in (b"http", b"https"):
        return None
    end = next((at for at, byte in enumerate(rest) if byte in b"/?#"), len(rest))
    if not end or rest[:end].lower() != host_of(request).lower():
        return None
    path = rest[end:].partition(b"#")[0]
    return path if path[:1] == b"/" else b"/" + path


def passed_on(request: h11.Request, origin: str) -> h11.Request:
    """The request as the machine sees it, with the address `origin` that it came from. Only for one
    without a fault."""
    options = _connection_options(request.headers)
    wants = b"upgrade" in options and not _upgrades_http(request)
    left_out = (options | HOP | {b"expect", b"upgrade"}) - FRAMING
    if wants:
        left_out -= {b"upgrade"}
    headers = [
        (name, value)
        for name, value in _kept(request.headers, left_out)
        if not MADE_UP.search(_plain(name))
    ]
    headers += [
        (b"X-Forwarded-For", origin.encode()),
        (b"X-Forwarded-Host", host_of(request)),
    ]
    if wants:
        headers.append((b"Connection", b"upgrade"))
    target = path_of(request)
    assert target is not None, "it has no fault"
    return h11.Request(method=request.method, target=target, headers=headers)


def answer_passed_on(response: h11.Response) -> h11.Response:
    """The machine's answer, without what concerned its own connection only."""
    options = _connection_options(response.headers)
    headers = list(_kept(response.headers, (options | HOP) - FRAMING))
    return h11.Response(status_code=response.status_code, headers=headers, reason=response.reason)


def interim_passed_on(response: h11.InformationalResponse) -> h11.InformationalResponse:
    """What comes before an answer, as this host says it: a machine may say it in HTTP/1.0."""
    headers = list(response.headers.raw_items())
    return h11.InformationalResponse(
        status_code=response.status_code, headers=headers, reason=response.reason
    )


def _upgrades_http(request: h11.Request) -> bool:
    """Whether it wants to go on in another form of HTTP, in which nobody would read its requests
    on the way."""
    wanted = b",".join(value for name, value in request.headers if name == b"upgrade")
    return any(OTHER_HTTP.match(token.strip()) for token in wanted.split(b","))


def _connection_options(headers: Any) -> frozenset[bytes]:
    """What the headers `Connection` name: headers for this connection only (RFC 9110 §7.6.1)."""
    values = b",".join(value for name, value in headers if name == b"connection")
    return frozenset(option.strip().lower() for option in values.split(b",")) - {b""}


def _kept(headers: Any, left_out: Set[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """What is said again on the other side. Of two lengths of an answer only the one that counts
    (RFC 9112 §6.3): the other would have somebody see two messages where there is one."""
    if any(name == b"transfer-encoding" for name, _ in headers):
        left_out = left_out | {b"content-length"}
    for name, value in headers.raw_items():
        if not _is_left_out(name, left_out):
            yield name, value


def _is_left_out(name: bytes, left_out: Set[bytes]) -> bool:
    plain = _plain(name)
    return plain in left_out or (plain != name.lower() and plain in FRAMING)


def _plain(name: bytes) -> bytes:
    """A header's name as a program sees it that gets headers as variables (CGI, WSGI): there `_`
    and `.` are the same as `-`."""
    return re.sub(rb"[^a-z0-9]", b"-", name.lower())
