"""Forwards of a whole host: what apps answer, what is dialled, what is listened on."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest

from tests.listening import free_port, is_open
from tests.process_state import descriptors
from tests.waiting import DEADLINE, until
from tuihost import (
    Accepts,
    App,
    Forward,
    ForwardRule,
    Listening,
    ListenRule,
    SocketRule,
    TcpAddress,
    TuihostError,
)
from tuihost.host.forwarding import forwards
from tuihost.host.forwarding._listening import HostedListening
from tuihost.host.forwarding.forwards import MAX_DIALS
from tuihost.host.programs.app_thread import AppThread
from tuihost.testing import Hosted, hosted
from tuihost.testing.hosted import hang_up

RESOURCE_SHORTAGE = 4
ALL = {"roles": {"guest": {"forwards": ["*"], "listens": ["*"]}}}


class Echo(App):
    """Answers `echo:7` with what it is sent, and takes `hook:80`."""

    name = "echo"
    accepts = Accepts(
        forwards=(ForwardRule("echo", 7), SocketRule("/echo.sock"), ForwardRule("bad", 1)),
        listens=(ListenRule("hook", 80), ListenRule("refused", 80)),
    )

    def start(self) -> None:
        self.taken: list[Listening] = []
        self.ended: list[str] = []
        self.came = threading.Condition()

    def forward(self, forward: Forward) -> None:
        if forward.target == TcpAddress("bad", 1):
            forward.stream.read()
            raise ValueError("a mistake in the app")
        while data := forward.stream.read():
            forward.stream.write(data)
        forward.stream.write(f"{forward.account.name} at {forward.target}".encode())

    def listen(self, listening: Listening) -> None:
        if listening.address == TcpAddress("refused", 80):
            raise TuihostError("that name is not free")
        listening.on_end(lambda: self.note(self.ended.append, listening.address))
        self.note(self.taken.append, listening)

    def note(self, add: Callable[[Any], None], what: object) -> None:
        with self.came:
            add(what)
            self.came.notify_all()

    def wait(self, ready: Callable[[], object]) -> None:
        with self.came:
            assert self.came.wait_for(ready, DEADLINE), "waited in vain"


@contextlib.contextmanager
def echoing(**settings: Any) -> Iterator[tuple[Hosted, paramiko.Transport, Echo]]:
    app = Echo()
    given = {name.replace("__", "."): value for name, value in settings.items()}
    with hosted(app, settings={**ALL, **given}) as host:
        client = host.connect()
        try:
            yield host, client, app
        finally:
            hang_up(client)


@contextlib.contextmanager
def target(
    serve: Callable[[socket.socket], None], family: int = socket.AF_INET, at: Any = ("127.0.0.1", 0)
) -> Iterator[Any]:
    """A real server of one connection after the other; where it listens."""
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.bind(at)
    listener.listen()

    def run() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with sock:
                serve(sock)

    thread = threading.Thread(target=run, name="target")
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(DEADLINE)


def echo(sock: socket.socket) -> None:
    while data := sock.recv(65536):
        sock.sendall(data)
    sock.sendall(b" and that was all")


def to(client: paramiko.Transport, host: str, port: int) -> paramiko.Channel:
    channel = client.open_channel(
        "direct-tcpip", (host, port), ("10.0.0.9", 1234), timeout=DEADLINE
    )
    channel.settimeout(DEADLINE)
    return channel


def refused(client: paramiko.Transport, host: str, port: int) -> int:
    """The code with which the client is refused (RFC 4254 §5.1)."""
    with pytest.raises(paramiko.ChannelException) as caught:
        to(client, host, port)
    return int(caught.value.code)


def read_all(channel: Any) -> bytes:
    parts = []
    while data := channel.recv(65536):
        parts.append(data)
    return b"".join(parts)


# ------------------------------------------------------------------------ what apps answer


def test_an_app_answers_a_target_that_it_claims() -> None:
    with echoing() as (host, client, _):
        channel = to(client, "ECHO", 7)
        channel.sendall(b"hello ")
        channel.shutdown_write()
        assert read_all(channel) == b"hello ada at ECHO:7"
        closed = host.log.wait_for("forward.closed")
        assert (closed["sent"], closed["received"]) == (6, 19)
        assert host.log.named("forward.open")[0]["target"] == "ECHO:7"


def test_a_mistake_of_an_app_costs_one_stream() -> None:
    with echoing() as (host, client, _):
        channel = to(client, "bad", 1)
        channel.sendall(b"x")
        assert read_all(channel) == b""
        assert host.log.wait_for("app.error")["app"] == "echo"
        channel = to(client, "echo", 7)
        channel.shutdown_write()
        assert read_all(channel) == b"ada at echo:7"


@pytest.mark.parametrize(
    ("error", "crashes"),
    [(KeyboardInterrupt(), 1), (GeneratorExit(), 1), (BaseException(), 1), (SystemExit(3), 0)],
)
def test_whatever_an_app_raises_is_its_own_mistake(error: BaseException, crashes: int) -> None:
    class Raises(Echo):
        def forward(self, forward: Forward) -> None:
            forward.stream.read()
            raise error

        def listen(self, listening: Listening) -> None:
            listening.on_end(lambda: self.note(self.ended.append, listening))
            raise error

    app = Raises()
    with hosted(app, settings=ALL) as host:
        client = host.connect()
        channel = to(client, "echo", 7)
        channel.sendall(b"x")
        assert read_all(channel) == b""
        # A crash refuses the address; an app that just returns has taken it.
        if crashes:
            with pytest.raises(paramiko.SSHException, match="denied"):
                client.request_port_forward("hook", 80)
            app.wait(lambda: app.ended)
            assert len(host.log.named("app.error")) == 2
        else:
            client.request_port_forward("hook", 80)
        hang_up(client)
    assert host.log.named("app.stuck") == []
    assert len(host.log.named("app.error")) == 2 * crashes


def test_an_app_is_not_answered_for_by_who_may_not_open_it() -> None:
    roles = {"guest": {"apps": ["other"], "forwards": ["*"]}}
    with echoing(roles=roles) as (_, client, _):
        assert refused(client, "echo", 7) == 1


def test_an_app_that_claims_without_answering_is_broken() -> None:
    class Claims(App):
        name = "claims"
        accepts = Accepts(forwards=(ForwardRule("claims", 80),))

    with pytest.raises(Exception, match="forward"), hosted(Claims()):
        pass


def test_an_app_takes_an_address_for_somebody() -> None:
    with echoing() as (host, client, app):
        client.request_port_forward("hook", 80, handler=_greet)
        app.wait(lambda: app.taken)
        (listening,) = app.taken
        assert (listening.account.name, listening.address) == ("ada", TcpAddress("hook", 80))
        stream = listening.connect(_peer())
        stream.send_eof()
        assert stream.read() == b"from 198.51.100.7"
        stream.close()
        client.cancel_port_forward("hook", 80)
        app.wait(lambda: app.ended)
        assert listening.ended
        assert host.log.wait_for("forward.unlisten")["target"] == "hook:80"


def test_an_address_ends_with_who_asked_for_it() -> None:
    with echoing() as (_, client, app):
        client.request_port_forward("hook", 80, handler=_greet)
        app.wait(lambda: app.taken)
        client.close()
        app.wait(lambda: app.ended)
        with pytest.raises(EOFError):
            app.taken[0].connect(_peer())


def test_an_app_is_told_of_an_end_also_if_there_was_no_thread_to_do_it_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forwards, "TRY_AGAIN", 0.0)
    start, tries = AppThread.start, list[str]()

    def full_at_first(thread: AppThread) -> None:
        tries.append(thread.thread.name)
        if len(tries) == 2:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(AppThread, "start", full_at_first)
    on: list[str] = []
    with echoing() as (_, client, app):
        client.request_port_forward("hook", 80)
        app.wait(lambda: app.taken)
        app.taken[0].on_end(lambda: app.note(on.append, threading.current_thread().name))
        assert client.global_request("cancel-tcpip-forward", ("hook", 80), wait=True)
        app.wait(lambda: on)
    assert on == [tries[2]]
    assert tries[1:] == ["end-1", "end-1"]


def test_without_threads_nothing_is_forwarded_until_there_are_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start, none_left = threading.Thread.start, ["forward", "listen"]

    def full(thread: threading.Thread) -> None:
        if any(thread.name.startswith(name) for name in none_left):
            raise RuntimeError("can't start new thread")
        start(thread)

    rules = {"forwarding__dial": ["*.test:*"], "forwarding__listen": ["127.0.0.1:*"]}
    with echoing(**rules) as (host, client, app):
        monkeypatch.setattr(threading.Thread, "start", full)
        for _ in range(2 * MAX_DIALS):  # none of them stays counted
            assert refused(client, "echo", 7) == RESOURCE_SHORTAGE
            assert refused(client, "nowhere.test", 7) == RESOURCE_SHORTAGE
        for address in ("hook", "127.0.0.1"):
            with pytest.raises(paramiko.SSHException):
                client.request_port_forward(address, 80 if address == "hook" else 0)
        none_left[:] = ["forward-resolve"]
        assert refused(client, "nowhere.test", 7) == RESOURCE_SHORTAGE
        none_left.clear()
        assert client.request_port_forward("127.0.0.1", 0)
        channel = to(client, "echo", 7)
        channel.shutdown_write()
        assert read_all(channel) == b"ada at echo:7"
        assert host.log.named("conn.error") == []
        assert app.taken == []


def test_an_app_that_raises_when_an_address_ends_is_told_all_the_same() -> None:
    with echoing() as (host, client, app):
        client.request_port_forward("hook", 80)
        app.wait(lambda: app.taken)

        def raises() -> None:
            raise KeyboardInterrupt

        app.taken[0].on_end(raises)
        app.taken[0].on_end(lambda: app.note(app.ended.append, "the last one"))
        client.close()
        app.wait(lambda: "the last one" in app.ended)
        assert host.log.wait_for("app.error")["app"] == "echo"


def test_an_address_has_ended_before_its_cancelling_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told, really = threading.Event(), HostedListening.cancel

    def late(listening: HostedListening) -> None:
        assert told.wait(DEADLINE)
        really(listening)

    monkeypatch.setattr(HostedListening, "cancel", late)
    with echoing() as (_, client, app):
        client.request_port_forward("hook", 80)
        app.wait(lambda: app.taken)
        try:
            assert client.global_request("cancel-tcpip-forward", ("hook", 80), wait=True)
            assert app.taken[0].ended
        finally:
            told.set()
        app.wait(lambda: app.ended)


def test_an_app_that_waits_when_an_address_ends_holds_up_nobody() -> None:
    go_on, in_time = threading.Event(), list[bool]()
    with echoing() as (_, client, app):
        client.request_port_forward("hook", 80, handler=_greet)
        app.wait(lambda: app.taken)
        app.taken[0].on_end(lambda: app.note(in_time.append, go_on.wait(DEADLINE)))
        client.cancel_port_forward("hook", 80)
        app.wait(lambda: app.ended)
        client.global_request("keepalive@openssh.com", wait=True)
        go_on.set()
        app.wait(lambda: in_time)
        assert in_time == [True], "the connection waited for the app"


def test_one_thread_asks_an_app_about_every_address_of_a_client() -> None:
    go_on = threading.Event()

    class Slow(Echo):
        accepts = Accepts(listens=(ListenRule("*", 80),))

        def listen(self, listening: Listening) -> None:
            assert go_on.wait(DEADLINE)
            super().listen(listening)

    app = Slow()
    with hosted(app, settings=ALL) as host, contextlib.closing(host.connect()) as client:
        before = set(threading.enumerate())
        for number in range(10):
            client.global_request("tcpip-forward", (f"name-{number}", 80), wait=False)
        client.global_request("cancel-tcpip-forward", ("name-9", 80), wait=False)
        host.log.wait_for("forward.unlisten")
        new = [thread.name for thread in set(threading.enumerate()) - before]
        try:
            assert len([name for name in new if name.startswith("listen-")]) == 1
        finally:
            go_on.set()
        host.log.wait_for("forward.listen", times=9)
        taken = [str(listening.address) for listening in app.taken]
        assert taken == [f"name-{number}:80" for number in range(9)], "in their order"
        assert host.log.wait_for("request.refused")["reason"] == "It was taken back before."
        hang_up(client)


def test_one_thread_tells_an_app_of_all_that_has_ended() -> None:
    go_on = threading.Event()
    with echoing() as (_, client, app):
        before = set(threading.enumerate())
        for count in range(1, 21):
            client.request_port_forward("hook", 80)
            app.wait(lambda count=count: len(app.taken) == count)
            app.taken[-1].on_end(lambda: app.note(app.ended.append, go_on.wait(DEADLINE)))
            client.cancel_port_forward("hook", 80)
            client.global_request("keepalive@openssh.com", wait=True)  # both are answered
        new = [thread.name for thread in set(threading.enumerate()) - before]
        telling = [name for name in new if name.startswith("end-")]
        try:
            assert len(telling) == 1
        finally:
            go_on.set()
        app.wait(lambda: len(app.ended) == 40)


def test_the_addresses_that_apps_hold_for_one_person_are_bounded() -> None:
    class Keeps(Echo):
        accepts = Accepts(listens=(ListenRule("*", 80),))

    settings = {**ALL, "limits": {"share": 0.1}, "forwarding": {"listeners": 100}}
    with hosted(Keeps(), settings=settings) as host, contextlib.closing(host.connect()) as client:
        told = told_of(client)
        names = iter(range(100))

        def take_all() -> None:
            for number in names:
                client.request_port_forward(f"name-{number}", 80)

        with pytest.raises(paramiko.SSHException, match="denied"):
            take_all()
        assert 5 < next(names) < 30
        assert "bytes of memory" in told[-1]
        client.cancel_port_forward("name-0", 80)
        client.request_port_forward("name-0", 80)
        hang_up(client)


def told_of(client: paramiko.Transport) -> list[str]:
    """What the host tells the person from now on."""
    told: list[str] = []

    def note(message: paramiko.Message) -> None:
        assert message.get_boolean(), "it is meant to be shown"
        told.append(message.get_text())

    client._parse_debug = note
    return told


def test_an_app_may_say_why_not() -> None:
    with echoing() as (host, client, app):
        told = told_of(client)
        for count in (1, 2):  # it is as free as it was
            with pytest.raises(paramiko.SSHException, match="denied"):
                client.request_port_forward("refused", 80, handler=_greet)
            assert told == ["that name is not free"] * count, "before the refusal"
        client.request_port_forward("hook", 80, handler=_greet)
        assert [listening.address for listening in app.taken] == [TcpAddress("hook", 80)]
        assert [event["reason"] for event in host.log.named("request.refused")] == told
        assert host.log.wait_for("forward.listen")["target"] == "hook:80"


def test_an_app_that_does_not_say_whether_it_takes_an_address_has_not_taken_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = threading.Event()

    class Slow(Echo):
        def listen(self, listening: Listening) -> None:
            super().listen(listening)
            assert go_on.wait(DEADLINE)

    monkeypatch.setattr(forwards, "LISTEN_TIME", 0.1)
    app = Slow()
    with hosted(app, settings=ALL) as host, contextlib.closing(host.connect()) as client:
        told = told_of(client)
        try:
            with pytest.raises(paramiko.SSHException, match="denied"):
                client.request_port_forward("hook", 80, handler=_greet)
            assert told == ["The app echo did not answer in time."]
            assert app.taken[0].ended
            app.wait(lambda: app.ended)
        finally:
            go_on.set()
        monkeypatch.undo()
        client.request_port_forward("hook", 80, handler=_greet)
        assert not app.taken[1].ended
        assert host.log.wait_for("forward.listen")["target"] == "hook:80"
        hang_up(client)


def test_other_channels_are_answered_while_an_app_makes_up_its_mind() -> None:
    go_on = threading.Event()

    class Slow(Echo):
        def listen(self, listening: Listening) -> None:
            super().listen(listening)
            assert go_on.wait(DEADLINE)

    app = Slow()
    with hosted(app, settings=ALL) as host, contextlib.closing(host.connect()) as client:
        ask = threading.Thread(target=client.request_port_forward, args=("hook", 80), name="ask")
        ask.start()
        try:
            app.wait(lambda: app.taken)
            channel = to(client, "echo", 7)
            channel.shutdown_write()
            assert read_all(channel) == b"ada at echo:7"
            assert ask.is_alive()
        finally:
            go_on.set()
            ask.join(DEADLINE)
        assert host.log.wait_for("forward.listen")["target"] == "hook:80"
        hang_up(client)


@pytest.mark.parametrize("closes", [False, True])
def test_an_address_that_is_not_wanted_any_more_is_not_kept(closes: bool) -> None:
    go_on = threading.Event()

    class Slow(Echo):
        def listen(self, listening: Listening) -> None:
            self.note(self.taken.append, listening)
            assert go_on.wait(DEADLINE)
            listening.on_end(lambda: self.note(self.ended.append, "hook"))

    app = Slow()
    with hosted(app, settings=ALL) as host, contextlib.closing(host.connect()) as client:
        client.global_request("tcpip-forward", ("hook", 80), wait=False)
        app.wait(lambda: app.taken)
        if closes:
            hang_up(client)
        else:
            client.global_request("cancel-tcpip-forward", ("hook", 80), wait=False)
        until(lambda: app.taken[0].ended, "the end of the address")
        go_on.set()
        app.wait(lambda: app.ended)
        hang_up(client)
        assert host.log.named("app.error") == []


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (("192.0.2.1", 80), "listening is not allowed on 192.0.2.1:80"),
        (("hook", 22), "listening is not allowed on hook:22"),
        (("hook", 0), "listening is not allowed on hook:0"),
        (("hook", 80), "hook:80 is forwarded already"),
        (("more", 80), "too many remote forwards"),
    ],
)
def test_every_refusal_of_an_address_is_told(address: tuple[str, int], why: str) -> None:
    most = 1 if why.startswith("too many") else 2
    with echoing(forwarding__listeners=most) as (_, client, _):
        client.request_port_forward("hook", 80)
        told = told_of(client)
        with pytest.raises(paramiko.SSHException, match="denied"):
            client.request_port_forward(*address)
        assert told == [f"Remote forward refused: {why}."]


def _greet(channel: paramiko.Channel, origin: tuple[str, int], server: tuple[str, int]) -> None:
    channel.sendall(f"from {origin[0]}".encode())
    channel.shutdown_write()


def _peer() -> Any:
    from tuihost.wire import Peer

    return Peer("198.51.100.7", 4321)


# --------------------------------------------------------------------------- what is dialled


def test_a_real_target_is_dialled_where_the_rules_say_so() -> None:
    with target(echo) as (_, port), echoing(forwarding__dial=[f"127.0.0.1:{port}"]) as given:
        host, client, _ = given
        channel = to(client, "127.0.0.1", port)
        channel.sendall(b"a" * 1_000_000)
        channel.shutdown_write()
        assert len(read_all(channel)) == 1_000_000 + len(b" and that was all")
        assert host.log.wait_for("forward.closed")["sent"] == 1_000_000


def test_a_name_is_resolved_and_what_it_comes_to_is_judged() -> None:
    with target(echo) as (_, port):
        with echoing(forwarding__dial=[f"localhost:{port}"]) as (_, client, _):
            channel = to(client, "localhost", port)
            channel.shutdown_write()
            assert read_all(channel) == b" and that was all"
        with echoing(forwarding__dial=["*:*"]) as (host, client, _):
            for name in ("localhost", "127.0.0.1", "2130706433", "127.1", "0.0.0.0", "::1", "::"):
                assert refused(client, name, port) in (1, 2), name
            assert host.log.named("forward.open") == []


def test_a_target_that_does_not_answer_says_so() -> None:
    port = free_port()
    with echoing(forwarding__dial=[f"127.0.0.1:{port}"]) as (host, client, _):
        assert refused(client, "127.0.0.1", port) == 2
        assert "Connection refused" in host.log.wait_for("channel.refused")["reason"]


def test_nothing_is_dialled_that_nobody_allows() -> None:
    with target(echo) as (_, port):
        with echoing() as (host, client, _):
            assert refused(client, "127.0.0.1", port) == 1
            reason = host.log.wait_for("channel.refused")["reason"]
            assert reason == f"forwarding is not allowed to 127.0.0.1:{port}"
        given = {"forwarding__dial": [f"127.0.0.1:{port}"], "roles": {}}
        with echoing(**given) as (_, client, _):
            assert refused(client, "127.0.0.1", port) == 1


def test_a_unix_socket_is_dialled_and_answered(tmp_path: Path) -> None:
    path, outside = str(tmp_path / "a.sock"), tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "link.sock").symlink_to(outside / "b.sock")
    (tmp_path / "file.sock").write_text("")
    with (
        target(echo, socket.AF_UNIX, path),
        target(echo, socket.AF_UNIX, str(outside / "b.sock")),
        echoing(forwarding__dial=[f"{tmp_path}/*.sock"]) as (_, client, _),
    ):
        assert _through_unix(client, path) == b"hi and that was all"
        assert _through_unix(client, "/echo.sock") == b"hiada at /echo.sock"
        for other in (
            f"{tmp_path}/../{tmp_path.name}/a.sock",
            f"{tmp_path}/none.sock",
            f"{tmp_path}/link.sock",
            f"{tmp_path}/file.sock",
            "/etc/passwd",
        ):
            with pytest.raises(paramiko.ChannelException):
                _through_unix(client, other)


def _through_unix(client: paramiko.Transport, path: str) -> bytes:
    """paramiko's client has no such kind, and takes fields for none that it does not know."""
    channel = open_raw(client, "direct-streamlocal@openssh.com", path, "", 0)
    channel.sendall(b"hi")
    channel.shutdown_write()
    return read_all(channel)


def open_raw(client: paramiko.Transport, kind: str, *fields: str | int) -> paramiko.Channel:
    """Opens a channel of any kind, with any fields."""
    number = client._next_channel()
    message = paramiko.Message()
    message.add_byte(b"\x5a")
    message.add_string(kind)
    for count in (number, 2**21, 2**15):
        message.add_int(count)
    for one in fields:
        message.add_int(one) if isinstance(one, int) else message.add_string(one)
    channel = paramiko.Channel(number)
    client._channels.put(number, channel)
    event = threading.Event()
    client.channel_events[number] = event
    client.channels_seen[number] = True
    channel._set_transport(client)
    channel._set_window(2**21, 2**15)
    client._send_user_message(message)
    assert event.wait(DEADLINE), "no answer"
    if channel.closed or client._channels.get(number) is None:
        error = client.get_exception() or paramiko.ChannelException(1, "refused")
        raise error
    channel.settimeout(DEADLINE)
    return channel


def test_a_stalled_target_holds_up_itself_alone() -> None:
    release = threading.Event()

    def stall(sock: socket.socket) -> None:
        release.wait(DEADLINE)

    with target(stall) as (_, deaf), target(echo) as (_, port):
        rules = [f"127.0.0.1:{deaf}", f"127.0.0.1:{port}"]
        with echoing(forwarding__dial=rules) as (_, client, _):
            stuck = to(client, "127.0.0.1", deaf)
            stuck.settimeout(0.0)
            sent = 0
            with contextlib.suppress(TimeoutError):
                while True:
                    sent += stuck.send(b"x" * 32_768)
            assert sent >= 131_072
            channel = to(client, "127.0.0.1", port)
            channel.sendall(b"through")
            channel.shutdown_write()
            assert read_all(channel) == b"through and that was all"
            release.set()


def test_the_hosts_own_port_is_never_dialled() -> None:
    with target(echo) as (_, port), echoing(forwarding__dial=["127.0.0.1:*"]) as given:
        host, client, _ = given
        host.host.address = TcpAddress("127.0.0.1", port)
        assert refused(client, "127.0.0.1", port) == 2


# ------------------------------------------------------------------------ what is listened on


def test_a_real_address_is_listened_on_where_the_rules_say_so() -> None:
    port = free_port()
    with echoing(forwarding__listen=[f"localhost:{port}"]) as (host, client, _):
        client.request_port_forward("localhost", port, handler=_greet)
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as sock:
            sock.settimeout(DEADLINE)
            assert read_all(sock) == b"from 127.0.0.1"
        client.cancel_port_forward("localhost", port)
        host.log.wait_for("forward.unlisten")
        until(lambda: not is_open(port), "the port to be closed")


@contextlib.contextmanager
def busy_pump(host: Hosted) -> Iterator[None]:
    """The thread of the forwards has something else to do."""
    (connection,) = host.server._open()
    pump, free, done = connection._forwarding.pump(), threading.Event(), threading.Event()
    pump.call(lambda: free.wait(DEADLINE) and None)
    try:
        yield
    finally:
        free.set()
        pump.call(done.set)
        assert done.wait(DEADLINE)


def test_a_cancelled_port_is_free_when_that_is_answered() -> None:
    with echoing(forwarding__listen=["127.0.0.1:20000-29999"]) as (host, client, _):
        where = ("127.0.0.1", client.request_port_forward("127.0.0.1", 0, handler=_greet))
        with busy_pump(host):
            assert client.global_request("cancel-tcpip-forward", where, wait=True)
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(where, DEADLINE).close()
            assert client.global_request("tcpip-forward", where, wait=True), "it can be had anew"
        with socket.create_connection(where, DEADLINE) as sock:
            sock.settimeout(DEADLINE)
            assert read_all(sock) == b"from 127.0.0.1"


def test_a_port_is_chosen_where_it_is_left_open() -> None:
    with echoing(forwarding__listen=["127.0.0.1:20000-29999"]) as (_, client, _):
        port = client.request_port_forward("127.0.0.1", 0, handler=_greet)
        assert 20_000 <= port < 30_000
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as sock:
            sock.settimeout(DEADLINE)
            assert read_all(sock) == b"from 127.0.0.1"


def test_a_port_that_is_taken_says_so() -> None:
    with (
        target(echo) as (_, port),
        echoing(forwarding__listen=[f"127.0.0.1:{port}"]) as (host, client, _),
    ):
        with pytest.raises(paramiko.SSHException):
            client.request_port_forward("127.0.0.1", port, handler=_greet)
        assert "it is in use" in host.log.wait_for("request.refused")["reason"]


@pytest.mark.parametrize("address", ["", "0.0.0.0", "::", "*", "10.0.0.1", "example.org"])
def test_what_nobody_named_is_not_listened_on(address: str) -> None:
    with (
        echoing(forwarding__listen=["localhost:20000-20010"]) as (_, client, _),
        pytest.raises(paramiko.SSHException),
    ):
        client.request_port_forward(address, 20_000, handler=_greet)


def test_only_so_many_at_one_time() -> None:
    given = {"forwarding__listen": ["127.0.0.1:20000-29999"], "forwarding__listeners": 2}
    with echoing(**given) as (host, client, _):
        for _ in range(2):
            client.request_port_forward("127.0.0.1", 0, handler=_greet)
        with pytest.raises(paramiko.SSHException):
            client.request_port_forward("127.0.0.1", 0, handler=_greet)
        assert host.log.wait_for("request.refused")["reason"] == "too many remote forwards"


def test_nobody_cancels_what_is_not_theirs() -> None:
    with echoing(forwarding__listen=["127.0.0.1:20000-29999"]) as (host, client, _):
        port = client.request_port_forward("127.0.0.1", 0, handler=_greet)
        other = host.connect("eve")
        other.global_request("cancel-tcpip-forward", ("127.0.0.1", port), wait=True)
        hang_up(other)
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as sock:
            sock.settimeout(DEADLINE)
            assert read_all(sock) == b"from 127.0.0.1"


def test_a_unix_socket_is_listened_on_and_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "mine.sock"
    with echoing(forwarding__listen=[f"{tmp_path}/*.sock"]) as (host, client, _):
        assert client.global_request("streamlocal-forward@openssh.com", (str(path),), wait=True)
        assert path.stat().st_mode & 0o777 == 0o600
        again = client.global_request("streamlocal-forward@openssh.com", (str(path),), wait=True)
        assert again is None
        (tmp_path / "theirs.sock").write_text("precious")
        theirs = (str(tmp_path / "theirs.sock"),)
        assert client.global_request("streamlocal-forward@openssh.com", theirs, wait=True) is None
        assert (tmp_path / "theirs.sock").read_text() == "precious"
        with busy_pump(host):
            client.global_request("cancel-streamlocal-forward@openssh.com", (str(path),), wait=True)
            assert not path.exists()
            assert client.global_request("streamlocal-forward@openssh.com", (str(path),), wait=True)
        client.global_request("cancel-streamlocal-forward@openssh.com", ("/no",), wait=True)
        assert path.exists(), "the old one takes nothing of the new one away"
    assert not path.exists()


def test_nothing_is_left_when_the_person_goes() -> None:
    before = descriptors()
    with (
        target(lambda sock: sock.recv(1) and None) as (_, port),
        echoing(
            forwarding__dial=[f"127.0.0.1:{port}"], forwarding__listen=["127.0.0.1:20000-29999"]
        ) as (host, client, _),
    ):
        to(client, "127.0.0.1", port)
        to(client, "echo", 7)
        client.request_port_forward("127.0.0.1", 0, handler=_greet)
        client.close()
        host.log.wait_for("conn.closed")
    until(lambda: not descriptors() - before, "every descriptor to be closed")


class Anything(App):
    """Claims every name; loaded before the other."""

    name = "anything"
    accepts = Accepts(forwards=(ForwardRule("*", 7),))

    def forward(self, forward: Forward) -> None:
        forward.stream.read()
        forward.stream.write(b"anything")


def test_who_names_a_target_comes_before_who_has_a_pattern() -> None:
    with hosted(Anything(), Echo()) as host:
        client = host.connect()
        channel = to(client, "echo", 7)
        channel.shutdown_write()
        assert read_all(channel) == b"ada at echo:7"
        channel = to(client, "other", 7)
        channel.shutdown_write()
        assert read_all(channel) == b"anything"
        hang_up(client)
