"""Tunnels: names, the listener, what is carried and what is not, who sees what."""

from __future__ import annotations

import contextlib
import http.client
import importlib
import json
import math
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import paramiko
import pytest

from tests.waiting import DEADLINE, until
from tuihost import Account, AppLoadError, Peer, TcpAddress
from tuihost.accounts import AccountRecord
from tuihost.testing import Hosted, Pilot, hosted
from tuihost.testing.hosted import hang_up

MAX_OPEN = 64
ADA, GUEST = Account("Ada L.", guest=False), Account("ada")


@pytest.fixture
def host() -> Iterator[Hosted]:
    options = {"app.tunnels": {"listen": "127.0.0.1:0", "domain": "example.org"}}
    with hosted(bundled=["menu", "tunnels"], settings=options) as host:
        yield host


def part(host: Hosted, name: str) -> Any:
    """A module of the app, as the host has loaded it."""
    module = type(host.host.catalog.apps["tunnels"].app).__module__
    return importlib.import_module(f"{module}.{name}")


# ------------------------------------------------------------------------------------- names


def test_who_asks_for_no_name_gets_one(host: Hosted) -> None:
    name_for = part(host, "names").name_for
    assert name_for("localhost", ADA, ()) == "ada-l"
    assert name_for("", ADA, {"ada-l", "ada-l-2"}) == "ada-l-3"
    assert name_for("*", Account("www", guest=False), (), lambda _: 0) == "brisk-anchor-000000"
    numbers = iter((0, 0, 7, 1, 1, 8))
    assert name_for("", GUEST, {"brisk-anchor-000007"}, lambda _: next(numbers)) == (
        "calm-beacon-000008"
    )


def test_the_name_of_a_guests_tunnel_is_not_found_by_trying(host: Hosted) -> None:
    sizes: list[int] = []
    name = part(host, "names").name_for("", GUEST, (), lambda size: sizes.append(size) or 0)
    assert name == "brisk-anchor-000000"
    assert math.prod(sizes) == 10**8


def test_a_name_may_be_asked_for(host: Hosted) -> None:
    names = part(host, "names")
    name_for, NoName = names.name_for, names.NoName
    assert name_for("Demo", GUEST, ()) == "demo"
    assert name_for("demo.example.org", GUEST, ()) == "demo"
    for asked in ("-x", "x-", "a_b", "é", "a" * 41, "..", "a b", "x\0"):
        with pytest.raises(NoName, match="lower-case letters"):
            name_for(asked, GUEST, ())
    with pytest.raises(NoName, match="is reserved"):
        name_for("www", GUEST, ())
    with pytest.raises(NoName, match="taken"):
        name_for("demo", GUEST, {"demo"})


@pytest.mark.parametrize("asked", ["adm1n", "ADMIN", "adrnin", "l0gin", "1ogin", "mai1", "rnail"])
def test_nobody_has_a_name_that_reads_as_a_reserved_one(host: Hosted, asked: str) -> None:
    names = part(host, "names")
    with pytest.raises(names.NoName, match="is reserved"):
        names.name_for(asked, GUEST, ())
    own = names.name_for("", Account(asked, guest=False), (), lambda _: 0)
    assert own == "brisk-anchor-000000"


def test_nobody_has_a_name_that_looks_like_a_strangers(host: Hosted) -> None:
    names = part(host, "names")
    name_for, NoName = names.name_for, names.NoName
    for asked in ("dem0", "derno", "dern0"):
        with pytest.raises(NoName, match=f"the name {asked} looks like one that is taken"):
            name_for(asked, GUEST, {"demo", "harbor"})
    assert name_for("demo", GUEST, {"demo"}, again={"demo"}) == "demo"
    assert name_for("demo-2", GUEST, {"demo"}) == "demo-2"
    assert name_for("", Account("a1ice", guest=False), {"alice"}) == "a1ice-2"


class Held:
    """A forward that has ended before the app is told."""

    address = TcpAddress("demo", 80)
    ended = False

    def __init__(self, account: Account = GUEST, peer: Peer | None = None) -> None:
        self.account = account
        self.peer = peer or Peer("192.0.2.1", 1)
        self.where = "here"
        self.actions: list[Callable[[], None]] = []
        self.anothers: Callable[[str], bool] = lambda name: False

    def is_anothers_name(self, name: str) -> bool:
        return self.anothers(name)

    def reached_at(self, where: str) -> None:
        self.where = where

    def on_end(self, action: Callable[[], None]) -> None:
        self.actions.append(action)


def test_a_name_is_free_as_soon_as_its_forward_has_ended(host: Hosted) -> None:
    tunnels = part(host, "open_tunnels").OpenTunnels()
    first, second = Held(), Held()
    tunnels.open(first)
    with pytest.raises(part(host, "names").NoName, match="taken"):
        tunnels.open(second)
    first.ended = True
    tunnel = tunnels.open(second)
    first.actions[0]()
    assert tunnels.find("demo") is tunnel, "the end of the old one is not its end"
    second.actions[0]()
    assert tunnels.find("demo") is None


def test_a_name_that_comes_of_an_accounts_own_is_nobody_elses(host: Hosted) -> None:
    tunnels = part(host, "open_tunnels").OpenTunnels()

    def ask(anothers: Callable[[str], bool]) -> str:
        held = Held(Account("élan", guest=False))
        held.address, held.anothers = TcpAddress("localhost", 80), anothers
        return tunnels.open(held).name

    assert ask({"lan", "lan-2"}.__contains__) == "lan-3"
    with pytest.raises(part(host, "names").NoName, match="ask for one"):
        ask(lambda name: True)  # as while the store does not work

    def meanwhile(name: str) -> bool:
        if name == "lan":
            tunnels.open(rival)
        return False

    rival = Held(Account("lan", guest=False))
    rival.address = TcpAddress("lan", 80)
    assert ask(meanwhile) == "lan-2"
    assert tunnels.find("lan").listening is rival


@pytest.mark.parametrize(
    ("first", "second", "taken_over"),
    [
        ((ADA, Peer("192.0.2.1", 1)), (ADA, Peer("198.51.100.1", 1)), True),
        ((GUEST, Peer("192.0.2.1", 1)), (GUEST, Peer("192.0.2.1", 2)), True),
        ((GUEST, Peer("192.0.2.1", 1)), (GUEST, Peer("198.51.100.1", 1)), False),
        ((GUEST, Peer("192.0.2.1", 1)), (Account("bob"), Peer("192.0.2.1", 2)), False),
        ((GUEST, Peer("192.0.2.1", 1)), (Account("ada", guest=False), Peer("192.0.2.1", 2)), False),
        ((ADA, Peer("192.0.2.1", 1)), (ADA, Peer("192.0.2.1", 1)), False),
    ],
)
def test_whoever_connects_again_takes_their_own_name_over(
    host: Hosted, first: tuple[Account, Peer], second: tuple[Account, Peer], taken_over: bool
) -> None:
    tunnels = part(host, "open_tunnels").OpenTunnels()
    old, new = Held(*first), Held(*second)
    tunnels.open(old)
    if not taken_over:
        with pytest.raises(part(host, "names").NoName, match="taken"):
            tunnels.open(new)
        return
    tunnel = tunnels.open(new)
    assert (old.where, new.where) == ("", "here"), "the old one is left without a question"
    old.actions[0]()
    assert tunnels.find("demo") is tunnel, "the end of the old one is not its end"


def test_one_person_has_so_many_tunnels_and_may_still_take_their_own_over(host: Hosted) -> None:
    module = part(host, "open_tunnels")
    tunnels = module.OpenTunnels()

    def ask(name: str, account: Account = ADA, peer: Peer | None = None) -> Held:
        held = Held(account, peer)
        held.address = TcpAddress(name, 80)
        tunnels.open(held)
        return held

    first, *_ = [ask(f"name-{number}") for number in range(module.MAX_OF_ONE)]
    with pytest.raises(part(host, "names").NoName, match="already"):
        ask("more")
    ask("more", GUEST)
    ask("name-0", ADA, Peer("198.51.100.1", 1))
    first.ended = True
    with pytest.raises(part(host, "names").NoName, match="already"):
        ask("yet-more")
    tunnels.find("name-1").listening.ended = True
    ask("yet-more")


def test_addresses_for_people(host: Hosted) -> None:
    WebFront = part(host, "web_front").WebFront
    front = WebFront(TcpAddress("::", 80), "t.example.org")
    assert front.url("demo", 80) == "http://demo.t.example.org/"
    behind = WebFront(TcpAddress("127.0.0.1", 8080), "t.example.org", "https", 443)
    assert behind.url("demo", 8080) == "https://demo.t.example.org/"
    local = WebFront(TcpAddress("", 0), "localhost")
    assert local.url("demo", 8081) == "http://demo.localhost:8081/"


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("demo.example.org", "demo"), ("DEMO.Example.org:8080", "demo"),
        ("demo.example.org.", "demo"),
        ("example.org", None), ("a.demo.example.org", None), ("demo.example.com", None),
        (".example.org", None), ("127.0.0.1:80", None), ("", None),
        ("demo.example.org:80@elsewhere.net", None), ("demo.example.org:", "demo"),
        ("demo.example.org:80:80", None), ("demo.example.org/", None), ("x@demo.example.org", None),
    ],
)  # fmt: skip
def test_the_name_in_what_a_browser_calls_host(host: Hosted, called: str, name: str | None) -> None:
    front = part(host, "web_front").WebFront(TcpAddress("", 0), "example.org")
    assert front.name_of(called) == name


@pytest.mark.parametrize(
    "options",
    [
        {"listen": "80"}, {"listen": 80}, {"listen": "a:99999"},
        {"listen": "a:1", "domain": "Example.ORG"}, {"listen": "a:1", "domain": 5},
        {"listen": "a:1", "scheme": "gopher"}, {"listen": "a:1", "port": 0},
        {"listen": "a:1", "port": "80"},
    ],
)  # fmt: skip
def test_mistakes_of_the_operator_are_told(host: Hosted, options: dict[str, Any]) -> None:
    web_front_of = part(host, "web_front").web_front_of
    with pytest.raises(AppLoadError, match="should be"):
        web_front_of(options)


# -------------------------------------------------------------------------------- the listener

Serve = Callable[[paramiko.Channel], None]


class Machine:
    """Somebody with a tunnel to their machine, where `serve` answers each connection."""

    def __init__(self, host: Hosted, serve: Serve, asked: str = "demo", user: str = "ada") -> None:
        self.transport = host.connect(user)
        self._serve = serve
        self._threads: list[threading.Thread] = []
        self.origins: list[tuple[str, int]] = []
        self.transport.request_port_forward(asked, 80, self._came)

    def _came(self, channel: paramiko.Channel, origin: Any, _: Any) -> None:
        self.origins.append(origin)
        channel.settimeout(DEADLINE)
        thread = threading.Thread(target=self._run, args=(channel,), name="machine")
        self._threads.append(thread)
        thread.start()

    def _run(self, channel: paramiko.Channel) -> None:
        with contextlib.suppress(OSError, EOFError), contextlib.closing(channel):
            self._serve(channel)

    def close(self) -> None:
        hang_up(self.transport)
        for thread in self._threads:
            thread.join(DEADLINE)


def read_head(channel: paramiko.Channel) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        data = channel.recv(1)
        if not data:
            raise EOFError
        head += data
    return head


def answering(*parts: bytes, again: bool = False) -> tuple[Serve, queue.Queue[bytes]]:
    """A machine that says `parts` to each request, and what it was asked."""
    asked: queue.Queue[bytes] = queue.Queue()

    def serve(channel: paramiko.Channel) -> None:
        while True:
            head = read_head(channel)
            length = 0
            for line in head.split(b"\r\n"):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            body = b""
            while len(body) < length:
                body += channel.recv(length - len(body))
            asked.put(head + body)
            for part in parts:
                channel.sendall(part)
            if not again:
                return

    return serve, asked


HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Mine: 1\r\n\r\nhello"


def port_of(host: Hosted) -> int:
    # The app was loaded from its folder, so its class is not to be had by an import.
    return int(host.host.catalog.apps["tunnels"].app.listener.port)  # type: ignore[attr-defined]


@contextlib.contextmanager
def browser(host: Hosted) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port_of(host), timeout=DEADLINE)
    try:
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def tunnel(host: Hosted, serve: Serve, asked: str = "demo", user: str = "ada") -> Iterator[Machine]:
    machine = Machine(host, serve, asked, user)
    try:
        until_listed(host, user)
        yield machine
    finally:
        machine.close()


def until_listed(host: Hosted, user: str, count: int = 1) -> list[dict[str, Any]]:
    """The tunnels of `user`, once there are so many."""
    # The app was loaded from its folder, so its class is not to be had by an import.
    tunnels = host.host.catalog.apps["tunnels"].app.tunnels  # type: ignore[attr-defined]
    until(lambda: len(tunnels.of(Account(user))) == count, f"{count} tunnels of {user}")
    listed: list[dict[str, Any]] = json.loads(host.run("tunnels list --json", user=user).stdout)
    assert len(listed) == count
    return listed


def get(
    connection: http.client.HTTPConnection, path: str = "/", **headers: str
) -> tuple[int, bytes]:
    given = {"Host": "demo.example.org", **headers}
    connection.request("GET", path, headers=given)
    answer = connection.getresponse()
    return answer.status, answer.read()


def raw(host: Hosted, data: bytes) -> bytes:
    """What comes of these bytes, to the end."""
    with socket.create_connection(("127.0.0.1", port_of(host)), DEADLINE) as sock:
        sock.sendall(data)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while more := sock.recv(65536):
                answer += more
        return answer


def test_a_request_gets_to_the_machine_and_its_answer_back(host: Hosted) -> None:
    serve, asked = answering(HELLO, again=True)
    with tunnel(host, serve) as machine, browser(host) as connection:
        for number in range(3):
            assert get(connection, f"/{number}?q=1") == (200, b"hello")
            head = asked.get(timeout=DEADLINE).decode()
            assert head.startswith(f"GET /{number}?q=1 HTTP/1.1\r\n")
            assert "\r\nHost: demo.example.org\r\n" in head
            assert "\r\nX-Forwarded-For: 127.0.0.1\r\n" in head
        assert len(machine.origins) == 1, "one connection serves them all"
        (told,) = until_listed(host, "ada")
        assert (told["name"], told["requests"]) == ("demo", 3)
        log = host.run("tunnels log demo --json").text.splitlines()
        first = json.loads(log[0])
        assert (first["method"], first["target"], first["status"]) == ("GET", "/0?q=1", 200)
        assert first["sent"] == len(HELLO)


def test_bodies_go_both_ways_however_they_are_framed(host: Hosted) -> None:
    chunked = b"HTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwell\r\n0\r\n\r\n"
    serve, asked = answering(chunked)
    with tunnel(host, serve), browser(host) as connection:
        body = bytes(range(256)) * 1000
        connection.request("POST", "/up", body=body, headers={"Host": "demo.example.org"})
        answer = connection.getresponse()
        assert (answer.status, answer.reason, answer.read()) == (201, "Made", b"well")
        assert asked.get(timeout=DEADLINE).endswith(body)


def test_an_answer_that_ends_with_the_connection(host: Hosted) -> None:
    serve, _ = answering(b"HTTP/1.0 200 OK\r\n\r\n", b"to the end")
    with tunnel(host, serve), browser(host) as connection:
        assert get(connection) == (200, b"to the end")


def test_what_comes_before_an_answer_is_passed_on_from_an_old_machine_too(host: Hosted) -> None:
    serve, _ = answering(b"HTTP/1.0 100 Continue\r\n\r\n" + HELLO)
    with tunnel(host, serve), browser(host) as connection:
        assert get(connection) == (200, b"hello")


def test_a_head_has_no_body(host: Hosted) -> None:
    serve, _ = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", again=True)
    with tunnel(host, serve), browser(host) as connection:
        connection.request("HEAD", "/", headers={"Host": "demo.example.org"})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
        assert answer.headers["Content-Length"] == "5"


def test_another_protocol_is_carried_both_ways(host: Hosted) -> None:
    def serve(channel: paramiko.Channel) -> None:
        assert b"\r\nUpgrade: websocket\r\n" in read_head(channel)
        switch = b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
        channel.sendall(switch + b"first")
        while data := channel.recv(100):
            channel.sendall(data.upper())

    with (
        tunnel(host, serve),
        socket.create_connection(("127.0.0.1", port_of(host)), DEADLINE) as sock,
    ):
        sock.sendall(
            b"GET / HTTP/1.1\r\nHost: demo.example.org\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\n\r\nearly"
        )
        got = b""
        while not got.endswith(b"firstEARLY"):
            got += sock.recv(1000)
        sock.sendall(b"and more")
        assert sock.recv(100) == b"AND MORE"
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(100) == b""


def test_where_a_request_came_from_cannot_be_made_up(host: Hosted) -> None:
    serve, asked = answering(HELLO)
    with tunnel(host, serve), browser(host) as connection:
        made_up = (
            "X-Forwarded-For", "Forwarded", "X-Real-IP", "X_Forwarded_For", "x-Forwarded-Port",
            "True-Client-IP", "TRUE_CLIENT_IP", "CF-Connecting-IP", "Content_Length",
            "X-Original-Forwarded-For", "X-Forwarded", "X.Real.IP", "Remote-Addr", "Fly-Client-IP",
            "X-Azure-ClientIP", "X-Envoy-External-Address", "X-Appengine-User-Ip", "Cdn-Src-Ip",
            "WL-Proxy-Client-IP", "X-NF-Client-Connection-IP", "X-ProxyUser-Ip", "Proxy", "Via",
            "X-Original-URL", "X-Rewrite-URL", "X-Scheme", "Front-End-Https", "CF-Connecting-IPv6",
            "CloudFront-Viewer-Address", "X-Peer-IP", "X_Origin_IP", "X-True-IP", "X-Visitor-Ip",
            "IP", "X-IP", "X-IP-Address", "X-Remote-Host", "X-HTTP-Host-Override", "Coming-From",
            "X-Forward-For", "X-Azure-SocketIP",
        )  # fmt: skip
        kept = ("X-Own_Header", "User-Agent", "X-User-Description", "X-Client-Version", "X-Zip",
                "Origin", "X-Strip", "X-Forward-Slash")  # fmt: skip
        get(connection, **dict.fromkeys(made_up, "10.9.9.9"), **dict.fromkeys(kept, "kept"))
        head = asked.get(timeout=DEADLINE).lower()
        assert b"10.9.9.9" not in head
        assert [name for name in kept if f"{name}: kept".lower().encode() not in head] == []


def test_what_is_for_one_connection_goes_no_further(host: Hosted) -> None:
    serve, asked = answering(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: X-Mine, content-length\r\n"
        b"X-Mine: 1\r\nX-Yours: 1\r\n\r\nhi"
    )
    with tunnel(host, serve):
        answer = raw(
            host,
            b"GET / HTTP/1.1\r\nHost: demo.example.org\r\nConnection: close, X-Secret, host\r\n"
            b"connection:x-other ,x-forwarded-for\r\nX-Secret: 1\r\n"
            b"X-Other: 1\r\nX-Kept: 1\r\n\r\n",
        )
        head = asked.get(timeout=DEADLINE).lower()
        assert b"x-secret" not in head
        assert b"x-other" not in head
        for kept in (b"x-kept: 1", b"host: demo.example.org", b"x-forwarded-for: 127.0.0.1"):
            assert kept in head
        assert b"X-Mine" not in answer
        assert b"X-Yours: 1" in answer
        assert answer.endswith(b"\r\n\r\nhi")


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (b"GET http://demo.example.org/a?b HTTP/1.1", b"/a?b"),
        (b"GET HTTPS://DEMO.example.org?b HTTP/1.1", b"/?b"),
        (b"GET http://demo.example.org HTTP/1.1", b"/"),
        (b"OPTIONS * HTTP/1.1", b"*"),
        (b"GET http://internal.example.com/a HTTP/1.1", None),
        (b"GET http://demo.example.org:81/a HTTP/1.1", None),
        (b"GET http://x@demo.example.org/a HTTP/1.1", None),
        (b"GET ftp://demo.example.org/a HTTP/1.1", None),
        (b"GET a HTTP/1.1", None),
        (b"GET * HTTP/1.1", None),
        (b"CONNECT demo.example.org:80 HTTP/1.1", None),
        (b"CONNECT / HTTP/1.1", None),
        (b"connect http://demo.example.org/a HTTP/1.1", None),
    ],
)
def test_a_request_asks_the_machine_for_a_path_and_nobody_else(
    host: Hosted, line: bytes, path: bytes | None
) -> None:
    serve, asked = answering(HELLO)
    with tunnel(host, serve):
        answer = raw(host, line + b"\r\nHost: demo.example.org\r\nConnection: close\r\n\r\n")
        if path is None:
            assert answer.startswith(b"HTTP/1.1 400 ")
            assert asked.empty()
        else:
            assert asked.get(timeout=DEADLINE).split(b" ")[1] == path


# ------------------------------------------------------------------------------------ slowness

HOST_LINE = b"Host: demo.example.org\r\n"


@pytest.mark.parametrize(
    ("said", "limit"),
    [
        (b"", "HEAD_TIME"),
        (b"GET / HTTP/1.1\r\n", "HEAD_TIME"),
        (b"GET / HTTP/1.1\r\n" + HOST_LINE + b"\r\n", "IDLE"),
        (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n" + HOST_LINE + b"\r\n1", "IDLE"),
        (
            b"GET / HTTP/1.1\r\nUpgrade: x\r\nConnection: upgrade\r\n" + HOST_LINE + b"\r\n",
            "IDLE_SWITCHED",
        ),
    ],
)
def test_a_browser_that_stalls_is_given_up(
    host: Hosted, monkeypatch: pytest.MonkeyPatch, said: bytes, limit: str
) -> None:
    monkeypatch.setattr(part(host, "listener"), "LOOK_EVERY", 0.01)
    monkeypatch.setattr(part(host, "browser_connection"), limit, 0.1)
    ended = threading.Event()

    def serve(channel: paramiko.Channel) -> None:
        if b"upgrade: x" in read_head(channel).lower():
            channel.sendall(b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
        ended.wait(DEADLINE)

    with tunnel(host, serve):
        with socket.create_connection(("127.0.0.1", port_of(host)), DEADLINE) as sock:
            sock.sendall(said)
            while sock.recv(4096):
                continue
        ended.set()


def test_the_head_has_one_deadline_however_it_dribbles(
    host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_module = part(host, "browser_connection")
    near, far = socket.socketpair()
    with near, far:
        connection = connection_module.BrowserConnection(far, Peer("192.0.2.1", 1), None, None)
        begun = connection._head_since
        for seconds in range(0, 10, 2):
            connection._touched = begun + seconds
            assert not connection.overdue(begun + seconds)
        assert connection.overdue(begun + connection_module.HEAD_TIME + 0.1)
        connection._head_since, connection._body_since = None, begun
        for seconds, received, late in ((59, 0, False), (61, 0, True), (600, 400_000, False),
                                        (900, 400_000, True)):  # fmt: skip
            connection._touched, connection._body_bytes = begun + seconds, received
            assert connection.overdue(begun + seconds) is late


def test_those_who_ask_for_nothing_give_way(host: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part(host, "listener"), "MAX_BROWSERS", 4)
    serve, _ = answering(HELLO)
    with tunnel(host, serve), contextlib.ExitStack() as stack:
        for _ in range(20):
            sock = socket.create_connection(("127.0.0.1", port_of(host)), DEADLINE)
            stack.enter_context(sock).sendall(b"GET / HT")
        with browser(host) as connection:
            assert get(connection) == (200, b"hello")


def test_one_address_does_not_take_the_whole_listener(
    host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part(host, "listener"), "MAX_BROWSERS", 4)
    release = threading.Event()

    def serve(channel: paramiko.Channel) -> None:
        if b"/held" in read_head(channel):
            release.wait(DEADLINE)
        else:
            channel.sendall(HELLO)

    with tunnel(host, serve), contextlib.ExitStack() as stack:
        for _ in range(4):
            sock = socket.create_connection(("127.0.0.1", port_of(host)), DEADLINE)
            stack.enter_context(sock).sendall(b"GET /held HTTP/1.1\r\n" + HOST_LINE + b"\r\n")
        until(lambda: until_listed(host, "ada")[0]["connections"] == 4, "all connections")
        assert raw(host, b"GET / HTTP/1.1\r\n" + HOST_LINE + b"\r\n") == b"", "the same address"
        elsewhere = ("127.0.0.2", 0)
        with socket.create_connection(
            ("127.0.0.1", port_of(host)), DEADLINE, source_address=elsewhere
        ) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\n" + HOST_LINE + b"\r\n")
            assert sock.recv(12) == b"HTTP/1.1 200"
        release.set()


def test_a_site_of_ipv6_is_one_source_however_many_addresses_it_has(host: Hosted) -> None:
    who_gives_way = part(host, "listener")._who_gives_way

    def busy(address: str, idle: float) -> Any:
        return SimpleNamespace(origin=Peer(address, 1), waiting=False, idle=lambda now: idle)

    site = [busy(f"2001:db8:1:2::{number:x}", number) for number in range(4)]
    assert who_gives_way(site, Peer("2001:db8:1:2::ff", 1), 0.0) is None
    assert who_gives_way(site, Peer("2001:db8:1:3::1", 1), 0.0) is site[-1]
    several = [busy(f"192.0.2.{number}", number) for number in range(4)]
    assert who_gives_way(several, Peer("192.0.2.9", 1), 0.0) is None


def test_what_is_remembered_of_a_request_is_bounded(host: Hosted) -> None:
    serve, asked = answering(HELLO)
    with tunnel(host, serve), browser(host) as connection:
        assert get(connection, "/" + "x" * 20_000)[0] == 200
        assert len(asked.get(timeout=DEADLINE)) > 20_000
        (line,) = host.run("tunnels log demo --json").text.splitlines()
        assert json.loads(line)["target"] == "/" + "x" * 499


def test_the_whole_world_is_ipv4_too(host: Hosted) -> None:
    if not socket.has_dualstack_ipv6():  # as in many containers: nothing can listen on both there
        pytest.skip("this machine has no IPv6")
    module = part(host, "listener")
    front = part(host, "web_front").WebFront(TcpAddress("::", 0), "example.org")
    came: queue.Queue[Peer] = queue.Queue()

    # The host loads an app's modules under names of its own, which a checker cannot follow.
    class Listener(module.BrowserListener):  # type: ignore[name-defined, misc]
        def _begin(self, connection: Any) -> None:
            came.put(connection.origin)
            connection.abandon()

    listener = Listener(front, None)
    try:
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, listener.port), DEADLINE).close()
            assert came.get(timeout=DEADLINE).address == address
    finally:
        listener.close()


# ---------------------------------------------------------------------------------- bad input


def test_a_name_that_nobody_has(host: Hosted) -> None:
    with browser(host) as connection:
        status, body = get(connection)
        assert status == 404
        assert b"There is no tunnel with that name" in body


def test_a_machine_that_refuses(host: Hosted) -> None:
    serve, _ = answering(HELLO)
    with tunnel(host, serve) as machine, browser(host) as connection:
        machine.transport._tcp_handler = None  # paramiko refuses then
        status, body = get(connection)
        assert status == 502
        assert b"does not answer" in body


@pytest.mark.parametrize("said", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 999999 x\r\n\r\n", b""])
def test_a_machine_that_makes_no_sense(host: Hosted, said: bytes) -> None:
    serve, _ = answering(said)
    with tunnel(host, serve):
        answer = raw(host, b"GET / HTTP/1.1\r\nHost: demo.example.org\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 502 ") or answer == b""


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: demo.example.org\r\nHost: other.example.org\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: demo.example.org\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: demo.example.org\r\nContent-Length: 5\r\n"
        b"Content-Length: 6\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: demo.example.org\r\nTransfer-Encoding: cow\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: demo.example.org\r\nBad Header: 1\r\n\r\n",
    ],
)
def test_a_request_that_makes_no_sense_gets_no_further(host: Hosted, request_: bytes) -> None:
    serve, asked = answering(HELLO)
    with tunnel(host, serve), browser(host) as connection:
        answer = raw(host, request_)
        assert answer.split()[1:2] in ([b"400"], [b"404"], [b"431"], [b"501"], []), answer
        assert asked.empty()
        assert get(connection) == (200, b"hello")


POST = b"POST / HTTP/1.1\r\nHost: demo.example.org\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: demo.example.org\r\n\r\n"


# Each could be read in two ways, or is not HTTP/1.
AMBIGUOUS = (
    (CHUNKED + b"Content-Length: %d\r\n\r\n0\r\n\r\n" % len(HIDDEN), 400),
    (POST + b"Content-Length: 0\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400),
    (CHUNKED.replace(b"1.1", b"1.0") + b"\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked, identity\r\n\r\n", 501),
    (POST + b"Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n", 501),
    (CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
    (POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN), 400),
    (POST + b"Content-Length: 0, %d\r\n\r\n" % len(HIDDEN), 400),
    (POST + b"Content-Length: +0\r\n\r\n", 400),
    (POST + b"Content-Length: 0x0\r\n\r\n", 400),
    (POST + b"Content-Length:\r\n\r\n", 400),
    (POST + b"X: a\0b\r\n\r\n", 400),
    (POST + b"X: a\rContent-Length: 9\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n X: a\r\nHost: demo.example.org\r\n\r\n", 400),
    (b"GET / HTTP/2.0\r\nHost: demo.example.org\r\n\r\n", 505),
    (b"GET / HTTP/0.9\r\nHost: demo.example.org\r\n\r\n", 505),
    (b"GET / HTTP/1.1\r\nHost: demo.example.org:80@elsewhere.net\r\n\r\n", 404),
)


def test_a_request_that_could_be_read_in_two_ways_is_the_last_of_its_connection(
    host: Hosted,
) -> None:
    serve, asked = answering(HELLO, again=True)
    with tunnel(host, serve):
        for request, status in AMBIGUOUS:
            answer = raw(host, request + HIDDEN)
            assert answer.startswith(b"HTTP/1.1 %d " % status), (request, answer)
            assert b"\r\nconnection: close\r\n" in answer.lower(), request
            assert answer.count(b"HTTP/1.1 ") == 1, request
            assert asked.empty(), request


def test_a_body_in_wrong_pieces_ends_both_connections(host: Hosted) -> None:
    asked: queue.Queue[bytes] = queue.Queue()

    def serve(channel: paramiko.Channel) -> None:
        read_head(channel)
        asked.put(b"".join(iter(lambda: channel.recv(4096), b"")))

    with tunnel(host, serve):
        for size in (b"0x5", b"-5", b" 5", b"5;\n", b"4", b""):
            answer = raw(host, CHUNKED + b"\r\n" + size + b"\r\nhello\r\n0\r\n\r\n" + HIDDEN)
            assert answer.startswith(b"HTTP/1.1 400 "), size
            came = asked.get(timeout=DEADLINE)
            assert not came.endswith(b"0\r\n\r\n"), "no whole request came of it"
            assert b"hidden" not in came, size


def test_requests_that_come_together_are_read_as_each_of_them_says(host: Hosted) -> None:
    serve, asked = answering(HELLO, again=True)
    folded = b"GET /folded HTTP/1.1\r\nHost: demo.example.org\r\nX: a\r\n\tb\r\n\r\n"
    in_body = POST + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN
    bare = b"GET /bare HTTP/1.1\nHost: demo.example.org\nConnection: close\n\n"
    with tunnel(host, serve):
        assert raw(host, folded + in_body + bare).count(b"hello") == 3
        heads = [asked.get(timeout=DEADLINE) for _ in range(3)]
        assert [head.split()[1] for head in heads] == [b"/folded", b"/", b"/bare"]
        assert b"\r\nX: a b\r\n" in heads[0]
        assert heads[1].endswith(b"\r\n\r\n" + HIDDEN)
        assert b"\r\nHost: demo.example.org\r\n" in heads[2]


def test_no_other_form_of_http_gets_past_what_reads_it(host: Hosted) -> None:
    serve, asked = answering(HELLO, again=True)
    with tunnel(host, serve):
        for wanted in (b"h2c", b"websocket, H2C", b"HTTP/2.0", b"TLS/1.0"):
            answer = raw(
                host,
                b"GET / HTTP/1.1\r\nHost: demo.example.org\r\nUpgrade: " + wanted + b"\r\n"
                b"Connection: Upgrade, HTTP2-Settings, close\r\nHTTP2-Settings: AAMAAA\r\n\r\n",
            )
            assert answer.endswith(b"hello"), wanted
            head = asked.get(timeout=DEADLINE).lower()
            assert b"upgrade" not in head, wanted
            assert b"http2-settings" not in head, wanted


def test_a_connection_stays_with_its_tunnel(host: Hosted) -> None:
    serve, _ = answering(HELLO, again=True)
    with tunnel(host, serve), browser(host) as connection:
        assert get(connection)[0] == 200
        assert get(connection, Host="other.example.org")[0] == 421


def test_one_tunnel_does_not_take_the_whole_listener(host: Hosted) -> None:
    release = threading.Event()

    def serve(channel: paramiko.Channel) -> None:
        read_head(channel)
        release.wait(DEADLINE)
        channel.sendall(HELLO)

    busy, _ = answering(HELLO)
    with tunnel(host, serve), tunnel(host, busy, "other", "bob"):
        request = b"GET / HTTP/1.1\r\nHost: demo.example.org\r\n\r\n"
        held = []
        for _ in range(MAX_OPEN):
            sock = socket.create_connection(("127.0.0.1", port_of(host)), DEADLINE)
            sock.sendall(request)
            held.append(sock)
        until(lambda: until_listed(host, "ada")[0]["connections"] == MAX_OPEN, "all connections")
        assert raw(host, request).startswith(b"HTTP/1.1 503 ")
        with browser(host) as connection:
            assert get(connection, Host="other.example.org")[0] == 200
        release.set()
        for sock in held:
            assert sock.recv(12) == b"HTTP/1.1 200"
            sock.close()


# ------------------------------------------------------------------------------- whose they are


def test_tunnels_are_their_owners_and_end_with_them(host: Hosted) -> None:
    serve, _ = answering(HELLO)
    with tunnel(host, serve, "mine") as machine:
        assert until_listed(host, "bob", 0) == []
        assert host.run("tunnels log mine", user="bob").status == 1
        assert host.run("tunnels list").text.splitlines()[1].startswith("http://mine.example.org:")
        machine.transport.cancel_port_forward("mine", 80)
        until_listed(host, "ada", 0)
        assert host.run("tunnels list").text.startswith("No tunnel of yours is open")
    with browser(host) as connection:
        assert get(connection, Host="mine.example.org")[0] == 404


def refusal_of(client: paramiko.Transport, name: str, port: int = 80) -> str:
    """What is told with the refusal of a tunnel."""
    told: list[str] = []

    def note(message: paramiko.Message) -> None:
        message.get_boolean()
        told.append(message.get_text())

    client._parse_debug = note
    with pytest.raises(paramiko.SSHException, match="denied"):
        client.request_port_forward(name, port, lambda *_: None)
    (sentence,) = told
    return sentence


def test_a_name_that_nobody_may_have_is_refused_and_told(host: Hosted) -> None:
    store = host.server.login_services.store
    for name in ("Grace", "grace.hopper", "a1ice"):
        store.create(AccountRecord(name))
    serve, _ = answering(HELLO)
    with tunnel(host, serve), contextlib.closing(host.connect("bob")) as bob:
        assert refusal_of(bob, "demo") == "No tunnel: the name demo is taken."
        assert refusal_of(bob, "www") == "No tunnel: the name www is reserved."
        assert "lower-case letters" in refusal_of(bob, "a_b")
        for name in ("grace", "GRACE.any", "grace-hopper", "alice", "al1ce"):
            assert refusal_of(bob, name) == (
                "That name belongs to an account, or looks like one that does. Ask for another."
            )
        assert refusal_of(bob, "mine", 8080) == (
            "Remote forward refused: listening is not allowed on mine:8080."
        )
        bob.request_port_forward("other", 80, lambda *_: None)
        assert [found["name"] for found in until_listed(host, "bob", 1)] == ["other"]
        hang_up(bob)


def test_the_names_of_accounts_are_theirs(host: Hosted) -> None:
    store = host.server.login_services.store
    for name in ("Grace", "grace.hopper"):
        store.create(AccountRecord(name))
    grace, hopper = Account("Grace", guest=False), Account("grace.hopper", guest=False)
    bob = Account("bob", guest=False)
    for address, owner in (("grace", grace), ("grace-hopper", hopper)):
        for account in (grace, hopper, bob, Account("grace"), Account("eve")):
            others = host.host.is_anothers_name(TcpAddress(address, 80), account)
            assert others is (account is not owner), (address, account)
    assert not host.host.is_anothers_name(TcpAddress("bobs-page", 80), bob)


def test_nobody_has_a_tunnel_by_a_reserved_name(host: Hosted) -> None:
    store, reserved = host.server.login_services.store, "That name is reserved. Ask for another."
    services, word = host.server.login_services, "correct horse battery"
    store.create(AccountRecord("support", password_hash=services.passwords.hash(word)))
    with contextlib.closing(host.connect("bob")) as bob:
        for name in ("root", "r00t", "Hostmaster.any", "support"):
            assert refusal_of(bob, name) == reserved
        hang_up(bob)
    with contextlib.closing(host.connect("support", password=word)) as own:
        own.request_port_forward("support", 80, lambda *_: None)  # the operator made it
        hang_up(own)


def test_a_label_with_many_signs_is_an_accounts_however_it_is_read(host: Hosted) -> None:
    host.server.login_services.store.create(AccountRecord("ada.l-the_2nd@of.oz"))
    with contextlib.closing(host.connect("bob")) as bob:
        for name in ("ada-l-the-2nd-of-oz", "ada-1-the-2nd-0f-oz"):
            assert refusal_of(bob, name).startswith("That name belongs to an account")
        hang_up(bob)


def test_nobody_gets_the_name_of_an_account_without_asking_for_it(host: Hosted) -> None:
    services, word = host.server.login_services, "correct horse battery"
    hashed = services.passwords.hash(word)
    for name in ("bob", "bob.2"):
        services.store.create(AccountRecord(name, password_hash=hashed))
    with contextlib.closing(host.connect("bob", password=word)) as bob:
        for port in (80, 443):
            bob.request_port_forward("localhost", port, lambda *_: None)
        listed = host.run("tunnels list --json", user="bob", password=word)
        found = [tunnel["name"] for tunnel in json.loads(listed.text)]
        assert found == ["bob", "bob-3"]
        hang_up(bob)


def test_without_a_listener_nothing_is_taken() -> None:
    with hosted(bundled=["menu", "tunnels"]) as host, contextlib.closing(host.connect()) as client:
        assert refusal_of(client, "demo").startswith("No tunnels here yet")
        assert "No tunnels here yet" in host.run("tunnels list").text
        hang_up(client)


def test_they_are_shown_live(host: Hosted) -> None:
    serve, _ = answering(HELLO, again=True)
    with tunnel(host, serve), host.open("tunnels") as pilot, browser(host) as connection:
        pilot.wait_for("1 open").wait_for("demo.example.org")
        get(connection, "/first")
        pilot.press("enter").wait_for("GET /first")
        get(connection, "/second")
        pilot.wait_for("GET /second")
        pilot.press("f2").wait_for("▄▄▄▄▄").press("escape").wait_for("GET /second")
        pilot.type("css").wait_gone("GET /second").wait_for("› css").press("escape").wait_for(
            "GET /second"
        )
        pilot.press("escape").wait_for("1 open")
        pilot.press("c").wait_for("▄▄▄▄▄")
        pilot.press("escape").wait_for("1 open")


@pytest.mark.parametrize("key", ["escape", "q", "c-c"])
def test_leaving_asks_first_where_it_closes_a_tunnel(host: Hosted, key: str) -> None:
    client = host.connect()
    client.request_port_forward("demo", 80, lambda *_: None)
    until_listed(host, "ada")
    with on_screen(client, "tunnels") as pilot:
        pilot.wait_for("leave, which closes the tunnel")
        pilot.press(key).wait_for("http://demo.example.org").wait_for("Close it and leave?")
        assert not pilot.at_end
        pilot.press("enter").wait_for("1 open")  # what Enter says at first is to stay
        pilot.press("enter").wait_gone("closes the tunnel")  # in the list of its requests
        pilot.press("escape").wait_for("1 open").press(key).wait_for("Close it and leave?")
        pilot.press("left", "enter")
        assert pilot.wait_end() == 0


def test_leaving_the_menu_asks_too(host: Hosted) -> None:
    client = host.connect()
    client.request_port_forward("demo", 80, lambda *_: None)
    with on_screen(client) as pilot:
        pilot.wait_for("Tunnels").press("enter").wait_for("1 open")
        assert "closes" not in pilot.text
        pilot.press("escape").wait_for("Type to filter").press("c-c").wait_for("Close it and leave")
        pilot.press("escape").wait_for("Type to filter")


def test_a_tunnel_of_another_connection_stays(host: Hosted) -> None:
    serve, _ = answering(HELLO)
    with tunnel(host, serve), host.open("tunnels") as pilot:
        pilot.wait_for("1 open")
        assert "closes" not in pilot.text
        pilot.press("q")
        assert pilot.wait_end() == 0


def on_screen(client: paramiko.Transport, app: str | None = None) -> Pilot:
    """Somebody at a terminal of a connection that is there already."""
    channel = client.open_session(timeout=DEADLINE)
    channel.get_pty("xterm-256color", 80, 24)
    if app is None:
        channel.invoke_shell()
    else:
        channel.exec_command(app)
    return Pilot(channel, lambda: hang_up(client), 80, 24)
