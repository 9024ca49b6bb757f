"""What a client may ask of a connection and its channels, and how it is answered."""

from __future__ import annotations

from typing import Any

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from tests.ssh.connection.channel_bench import Bench, Keys
from tests.ssh.messages import fields, packed
from tuihost.errors import PeerError
from tuihost.wire import (
    AgentRequest,
    AwaitedReply,
    BreakSent,
    CancelRemoteForward,
    EndOfWrite,
    EnvRequest,
    ExecRequest,
    Grant,
    LaterReply,
    OpenDirect,
    OpenFailure,
    OpenSession,
    OpenUnknown,
    OtherGlobal,
    Peer,
    PtyRequest,
    Refuse,
    RemoteForward,
    ShellRequest,
    SignalSent,
    SubsystemRequest,
    TcpAddress,
    UnixAddress,
    WindowChange,
    WindowSize,
    X11Request,
)

GLOBAL, YES, NO = 80, 81, 82
OPEN, CONFIRMED, FAILED = 90, 91, 92
SUCCESS, FAILURE, CLOSE = 99, 100, 97


@pytest.fixture
def bench() -> Bench:
    return Bench()


# --------------------------------------------------------------------------------- opening


@pytest.mark.parametrize(
    ("kind", "rest", "request_"),
    [
        ("session", (), OpenSession()),
        ("direct-tcpip", ("a", 80, "b", 9), OpenDirect(TcpAddress("a", 80), Peer("b", 9))),
        (
            "direct-streamlocal@openssh.com",
            ("/x", "", 0),
            OpenDirect(UnixAddress("/x"), Peer("", 0)),
        ),
        ("tun@openssh.com", (1, 2), OpenUnknown("tun@openssh.com")),
        (b"\xff\xfe", (), OpenUnknown("\ufffd\ufffd")),
        (b"x" * 5000, (), OpenUnknown("(too long)")),
    ],
)
def test_each_kind_of_channel_is_read(
    bench: Bench, kind: Any, rest: tuple[Any, ...], request_: object
) -> None:
    bench.feed(OPEN, kind, 7, 1000, 32768, *rest)
    assert bench.answerer.told == [("open", request_), ("opened", request_)]
    (confirmed,) = bench.take()
    assert confirmed == bytes([CONFIRMED]) + packed(7, 0, 131_072, 32_768)


@pytest.mark.parametrize(
    ("answer", "code", "why"),
    [
        (Refuse("not here", OpenFailure.UNKNOWN_KIND), 3, b"not here"),
        (Refuse("not\x1b[2J here"), 1, "not·[2J here".encode()),
        (False, 1, b"not answered"),
        (True, 1, b"not answered"),
        (0, 1, b"not answered"),
        (None, 1, b"not answered"),
        (RuntimeError("a bug"), 1, b"an error in the host"),
    ],
)
def test_a_channel_opens_for_a_grant_and_for_nothing_else(
    bench: Bench, answer: object, code: int, why: bytes
) -> None:
    bench.answerer.answers["open"] = answer
    bench.feed(OPEN, "session", 7, 1000, 32768)
    assert [told[0] for told in bench.answerer.told] == ["open"]
    (refused,) = bench.take()
    assert refused == bytes([FAILED]) + packed(7, code, why, "en")


@pytest.mark.parametrize(
    ("window", "packet", "kind"), [(0, 32768, CONFIRMED), (2**32 - 1, 2**32 - 1, CONFIRMED),
                                   (1000, 0, FAILED), (1000, 255, FAILED)],
)  # fmt: skip
def test_absurd_windows_and_packets(bench: Bench, window: int, packet: int, kind: int) -> None:
    bench.feed(OPEN, "session", 7, window, packet)
    assert bench.kinds() == [kind]


def test_an_address_that_is_none_is_not_asked_about(bench: Bench) -> None:
    bench.feed(OPEN, "direct-tcpip", 7, 0, 32768, "a", 70_000, "b", 9)
    bench.feed(OPEN, "direct-tcpip", 7, 0, 32768, "a" * 2000, 80, "b", 9)
    bench.feed(OPEN, "direct-streamlocal@openssh.com", 7, 0, 32768, "a" * 2000, "", 0)
    assert bench.kinds() == [FAILED] * 3
    assert bench.answerer.told == []


def test_only_so_many_channels_at_once() -> None:
    bench = Bench(channels=2)
    first = bench.open_session()
    bench.open_session()
    bench.take()
    bench.feed(OPEN, "session", 7, 0, 32768)
    (refused,) = bench.take()
    read = fields(refused)
    assert (read.integer(), read.integer()) == (7, OpenFailure.RESOURCE_SHORTAGE)
    bench.feed(CLOSE, first.number)
    third = bench.open_session()
    assert third.number == 2, "a number is never used again"


def test_a_closed_channel_is_forgotten_and_late_messages_for_it_are_ignored(bench: Bench) -> None:
    channel = bench.open_session()
    bench.feed(CLOSE, 0)
    assert bench.open_channels == 0
    bench.take()
    told = len(bench.answerer.told)
    bench.feed(94, channel.number, b"late")
    bench.ask(channel, "shell")
    bench.feed(CLOSE, 0)
    assert bench.take() == []
    assert len(bench.answerer.told) == told


@pytest.mark.parametrize("number", [93, 94, 95, 96, 97, 98, 99, 100])
def test_a_channel_that_never_was_ends_the_connection(bench: Bench, number: int) -> None:
    with pytest.raises(PeerError, match="never opened"):
        bench.feed(number, 0, b"")


@pytest.mark.parametrize(("number", "rest"), [(91, (0, 0, 0, 0)), (92, (0, 1, "", ""))])
def test_an_opening_that_was_not_asked_for_ends_the_connection(
    bench: Bench, number: int, rest: tuple[Any, ...]
) -> None:
    with pytest.raises(PeerError, match="answered"):
        bench.feed(number, *rest)


def test_replies_to_what_wants_none_are_ignored(bench: Bench) -> None:
    """phpseclib answers `hostkeys-00` so."""
    channel = bench.open_session()
    bench.take()
    for reply in (YES, NO):
        bench.feed(reply)
    for reply in (SUCCESS, FAILURE):
        bench.feed(reply, channel.number)
    assert bench.sent == []


def test_a_fault_once_it_is_open_closes_it(bench: Bench) -> None:
    bench.answerer.answers["opened"] = RuntimeError("a bug")
    bench.open_session()
    assert bench.kinds() == [CONFIRMED, 96, CLOSE]


# -------------------------------------------------------------------------------- requests

MODES = bytes([3, 0, 0, 0, 127, 53, 0, 0, 0, 1, 0])


@pytest.mark.parametrize(
    ("name", "parts", "request_"),
    [
        (
            "pty-req",
            ("xterm", 100, 30, 0, 0, MODES),
            PtyRequest("xterm", WindowSize(100, 30), {3: 127, 53: 1}),
        ),
        ("pty-req", (b"\xff", 0, 2**32 - 1, 0, 0, b""), PtyRequest("\ufffd", WindowSize(80, 200))),
        ("env", ("LANG", b"de_DE\xff"), EnvRequest("LANG", "de_DE\udcff")),
        ("shell", (), ShellRequest()),
        ("exec", (b"ls \xff",), ExecRequest("ls \udcff")),
        ("exec", (b"x" * 32_768,), ExecRequest("x" * 32_768)),
        ("subsystem", ("sftp",), SubsystemRequest("sftp")),
        ("x11-req", (True, "MIT", "c0ffee", 1), X11Request(True, "MIT", "c0ffee", 1)),
        ("auth-agent-req@openssh.com", (), AgentRequest()),
    ],
)
def test_each_request_is_read_and_asked_about(
    bench: Bench, name: str, parts: tuple[Any, ...], request_: object
) -> None:
    channel = bench.open_session()
    bench.take()
    bench.ask(channel, name, *parts)
    assert ("request", request_) in bench.answerer.told
    assert bench.kinds() == [SUCCESS]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("exec", (b"x" * 32_769,)),
        ("env", ("N" * 300, "v")),
        ("env", ("N", "v" * 32_769)),
        ("pty-req", ("t" * 2000, 1, 1, 0, 0, b"")),
        ("x11-req", (True, "MIT", "c" * 2000, 1)),
        ("nonsense", (b"anything",)),
        ("xon-xoff", (True,)),
        ("exit-status", (0,)),
        ("winadj@putty.projects.tartarus.org", ()),
        (b"\xff" * 300, ()),
    ],
)
def test_what_is_unknown_or_too_long_is_refused_without_asking(
    bench: Bench, name: Any, parts: tuple[Any, ...]
) -> None:
    channel = bench.open_session()
    bench.take()
    bench.ask(channel, name, *parts)
    bench.ask(channel, name, *parts, reply=False)
    assert bench.kinds() == [FAILURE]
    assert len(bench.answerer.told) == 2


@pytest.mark.parametrize(
    ("name", "parts", "event"),
    [
        ("window-change", (2**32 - 1, 0, 0, 0), WindowChange(2**32 - 1, 0)),
        ("signal", ("INT",), SignalSent("INT")),
        ("break", (500,), BreakSent(500)),
        ("eow@openssh.com", (), EndOfWrite()),
    ],
)
def test_events_are_told(bench: Bench, name: str, parts: tuple[Any, ...], event: object) -> None:
    channel = bench.open_session()
    bench.take()
    bench.ask(channel, name, *parts, reply=False)
    assert bench.take() == []
    bench.answerer.answers["event"] = RuntimeError("a bug")
    bench.ask(channel, name, *parts)
    assert bench.answerer.told[-2:] == [("event", event)] * 2
    assert bench.kinds() == [SUCCESS]


@pytest.mark.parametrize("name", ["shell", "exec", "subsystem"])
def test_the_reply_goes_before_the_program_starts(bench: Bench, name: str) -> None:
    channel = bench.open_session()
    bench.take()
    at_start: list[list[int]] = []
    bench.answerer.replied = lambda channel, request: at_start.append(bench.kinds())
    bench.ask(channel, name, "x")
    assert at_start == [[SUCCESS]]


def test_a_program_starts_without_a_reply_where_none_is_wanted(bench: Bench) -> None:
    channel = bench.open_session()
    bench.take()
    bench.ask(channel, "shell", reply=False)
    assert bench.answerer.told[-1] == ("replied", ShellRequest())
    assert bench.take() == []


@pytest.mark.parametrize("answer", [Refuse("no"), False, True, None, "yes", RuntimeError("a bug")])
def test_a_request_is_granted_for_a_grant_and_for_nothing_else(
    bench: Bench, answer: object
) -> None:
    channel = bench.open_session()
    bench.take()
    bench.answerer.answers["request"] = answer
    bench.ask(channel, "shell")
    assert bench.kinds() == [FAILURE]
    assert "replied" not in [told[0] for told in bench.answerer.told]


def test_a_fault_at_the_start_of_a_program_closes_its_channel(bench: Bench) -> None:
    channel = bench.open_session()
    bench.take()
    bench.answerer.answers["replied"] = RuntimeError("a bug")
    bench.ask(channel, "shell")
    assert bench.kinds() == [SUCCESS, 96, CLOSE]


def test_only_sessions_are_asked_of(bench: Bench) -> None:
    bench.feed(OPEN, "direct-tcpip", 7, 0, 32768, "a", 80, "b", 9)
    bench.take()
    told = len(bench.answerer.told)
    for name, parts in (("shell", ()), ("signal", ("INT",)), ("break", (1,))):
        bench.feed(98, 0, name, True, *parts)
    bench.feed(96, 0)
    assert bench.kinds() == [FAILURE] * 3
    assert len(bench.answerer.told) == told


def test_nothing_is_answered_on_a_channel_that_we_closed(bench: Bench) -> None:
    channel = bench.open_session()
    channel.close()
    bench.take()
    bench.ask(channel, "shell")
    bench.ask(channel, "signal", "INT")
    assert bench.take() == []
    assert len(bench.answerer.told) == 2


# ------------------------------------------------------------------------- global requests


@pytest.mark.parametrize(
    ("name", "parts", "request_"),
    [
        ("tcpip-forward", ("", 8080), RemoteForward(TcpAddress("", 8080))),
        ("cancel-tcpip-forward", ("x", 1), CancelRemoteForward(TcpAddress("x", 1))),
        ("other@example.com", (b"data",), OtherGlobal("other@example.com")),
    ],
)
def test_each_global_request_is_asked_about(
    bench: Bench, name: str, parts: tuple[Any, ...], request_: object
) -> None:
    bench.feed(GLOBAL, name, True, *parts)
    bench.answerer.answers["global_request"] = Refuse("no")
    bench.feed(GLOBAL, name, True, *parts)
    bench.answerer.answers["global_request"] = True
    bench.feed(GLOBAL, name, True, *parts)
    bench.feed(GLOBAL, name, False, *parts)
    assert bench.answerer.told == [("global_request", request_)] * 4
    assert bench.take() == [bytes([YES]), bytes([NO]), bytes([NO])]


@pytest.mark.parametrize(("port", "said"), [(0, packed(4242)), (80, b"")])
def test_the_bound_port_is_said_where_it_was_left_open(
    bench: Bench, port: int, said: bytes
) -> None:
    bench.answerer.answers["global_request"] = Grant(port=4242)
    bench.feed(GLOBAL, "tcpip-forward", True, "localhost", port)
    assert bench.take() == [bytes([YES]) + said]


def test_a_port_that_is_none_is_not_asked_about(bench: Bench) -> None:
    bench.feed(GLOBAL, "tcpip-forward", True, "localhost", 70_000)
    assert bench.kinds() == [NO]
    assert bench.answerer.told == []


def test_keepalives_are_answered(bench: Bench) -> None:
    bench.feed(GLOBAL, "keepalive@openssh.com", True)
    bench.feed(GLOBAL, "keepalive@openssh.com", False)
    assert bench.kinds() == [NO]


def test_an_answer_that_takes_time_holds_back_the_replies_behind_it(bench: Bench) -> None:
    held: list[AwaitedReply] = []
    bench.answerer.answers["global_request"] = LaterReply(held.append)
    bench.feed(GLOBAL, "tcpip-forward", True, "demo", 80)
    bench.feed(GLOBAL, "keepalive@openssh.com", True)
    bench.feed(GLOBAL, "tcpip-forward", True, "other", 0)
    assert bench.take() == []
    assert held[1].answer(Grant(port=4242))
    assert held[0].answer(Refuse("the name is taken"))
    assert bench.take() == [bytes([NO]), bytes([NO]), bytes([YES]) + packed(4242)]
    assert not held[0].answer(Grant()), "the first answer stands"
    (refusal,) = bench.records.named("request.refused")
    assert refusal["reason"] == "the name is taken"
    bench.feed(GLOBAL, "tcpip-forward", True, "last", 80)
    bench.end()
    assert not held[2].answer(Grant())
    assert bench.take() == []


def test_an_answer_that_nobody_wants_takes_its_time_too(bench: Bench) -> None:
    held: list[AwaitedReply] = []
    bench.answerer.answers["global_request"] = LaterReply(held.append)
    bench.feed(GLOBAL, "tcpip-forward", False, "demo", 80)
    bench.feed(GLOBAL, "keepalive@openssh.com", True)
    assert bench.kinds() == [NO]
    assert held[0].answer(Grant())
    assert bench.take() == []


def test_a_fault_in_the_beginning_of_an_answer_is_a_refusal(bench: Bench) -> None:
    def begin(awaited: AwaitedReply) -> None:
        raise RuntimeError("no thread to be had")

    bench.answerer.answers["global_request"] = LaterReply(begin)
    bench.feed(GLOBAL, "tcpip-forward", True, "demo", 80)
    assert bench.kinds() == [NO]


def test_no_more_sessions_is_kept(bench: Bench) -> None:
    bench.open_session()
    bench.take()
    bench.feed(GLOBAL, "no-more-sessions@openssh.com", False)
    bench.feed(OPEN, "session", 8, 0, 32768)
    bench.feed(OPEN, "direct-tcpip", 9, 0, 32768, "a", 80, "b", 9)
    assert bench.kinds() == [FAILED, CONFIRMED]


# ------------------------------------------------------------------------------- host keys


def rsa_key() -> paramiko.RSAKey:
    return paramiko.RSAKey(key=generate_private_key(65537, 3072))


def ed25519_key() -> paramiko.PKey:
    from tuihost.ssh.keys.host_keys import HostKeys

    return HostKeys.fresh().keys[0]


@pytest.mark.parametrize(
    ("negotiated", "algorithm"), [("ssh-ed25519", "rsa-sha2-512"), ("rsa-sha2-256", "rsa-sha2-256")]
)
def test_host_keys_are_told_and_proved(negotiated: str, algorithm: str) -> None:
    keys = Keys(ed25519_key(), rsa_key())
    bench = Bench(*keys.keys, keepalive_interval=0.0)
    bench.host_key_type = negotiated
    bench._after_login()
    blobs = [key.asbytes() for key in keys.keys]
    assert bench.take() == [bytes([GLOBAL]) + packed("hostkeys-00@openssh.com", False, *blobs)]
    bench.feed(GLOBAL, "hostkeys-prove-00@openssh.com", True, *blobs)
    (proofs,) = bench.take()
    assert proofs[0] == YES
    reader = fields(proofs)
    for key, blob in zip(keys.keys, blobs, strict=True):
        signature = paramiko.Message(reader.string())
        told = packed("hostkeys-prove-00@openssh.com", b"the session", blob)
        assert type(key)(data=blob).verify_ssh_sig(told, signature)
    assert signature.asbytes().startswith(packed(algorithm))


def test_only_our_own_keys_are_proved_and_not_for_ever() -> None:
    key, other = ed25519_key(), ed25519_key()
    bench = Bench(key)
    ours, theirs = key.asbytes(), other.asbytes()
    for blobs in ((theirs,), (ours, theirs), (), (ours,) * 17):
        bench.feed(GLOBAL, "hostkeys-prove-00@openssh.com", True, *blobs)
    assert bench.kinds() == [NO] * 4
    bench.feed(GLOBAL, "hostkeys-prove-00@openssh.com", True, ours)
    assert bench.kinds() == [NO], "four times were enough"


# ------------------------------------------------------------------------- staying bounded


@pytest.mark.parametrize(
    ("flood", "cost"),
    [
        (lambda bench: bench.feed(GLOBAL, "x", True), 1),
        (lambda bench: bench.feed(OPEN, "x", 1, 1, 300), 1),
        (lambda bench: bench.ask(bench.answerer.channels[0], "window-change", 1, 1, 0, 0), 1),
        (lambda bench: bench.feed(YES), 1),
        (lambda bench: bench.feed(FAILURE, 0), 1),
        (lambda bench: bench.feed(96, 0), 1),
        (lambda bench: bench.feed(94, 1, b""), 1),  # of a channel that is closed
        (lambda bench: bench.feed(93, 0, 1), 0.1),
        (lambda bench: bench.feed(94, 0, b"x"), 0.1),
        (lambda bench: bench.feed(95, 0, 1, b"x"), 0.1),
    ],
)
def test_a_flood_of_anything_small_is_read_slowly(flood: Any, cost: float) -> None:
    bench = Bench(requests=100, requests_rate=100.0)
    bench.open_session()
    bench.feed(CLOSE, bench.open_session().number)
    for _ in range(round(96 / cost)):
        flood(bench)
    assert not bench.paused, "so much at once is fine"
    for _ in range(round(1000 / cost)):
        flood(bench)
    assert bench.paused == pytest.approx(10.0, abs=0.1)
    assert bench.closed_because is None
    bench.timer.advance(1)
    paused = bench.paused
    for _ in range(round(100 / cost)):
        flood(bench)
    assert bench.paused == paused


def test_a_program_costs_five_requests_besides_those_that_asked_for_it() -> None:
    bench = Bench(requests=100, requests_rate=100.0)
    for _ in range(14):
        bench.ask(bench.open_session(), "exec", b"true")
    assert not bench.paused
    bench.ask(bench.open_session(), "exec", b"true")
    assert bench.paused


def test_large_data_costs_nothing_but_its_window() -> None:
    bench = Bench(requests=10)
    channel = bench.open_session()
    for _ in range(2000):
        bench.feed(94, channel.number, bytes(1024))
        channel.read()
    assert not bench.paused


def test_a_client_that_reads_what_we_send_may_say_so() -> None:
    """Window adjusts of a long download, and PuTTY's questions between them."""
    bench = Bench(requests=100, requests_rate=0.1)
    channel = bench.open_session(window=8192)
    for _ in range(2000):
        assert channel.write(bytes(8192)) == 8192
        bench.feed(93, 0, 8192)
        bench.ask(channel, "winadj@putty.projects.tartarus.org")
    assert not bench.paused
    for _ in range(1001):
        bench.feed(93, 0, 2**32 - 1)
    assert bench.paused, "claims that pay nothing back earn nothing"


def test_a_client_that_throws_our_output_away_is_never_cut_off() -> None:
    """OpenSSH's, once `head` is gone: a WINDOW_ADJUST for each of the smallest pieces."""
    bench = Bench()
    channel = bench.open_session(window=2**21)
    for _ in range(30_000):  # costs 3000 requests
        channel.write(b"a line\n")
        bench.feed(93, channel.number, 7)
    assert bench.closed_because is None


def test_a_connection_that_opens_channels_for_days_is_never_refused() -> None:
    """A ControlMaster with a command each five seconds."""
    bench = Bench()
    for _ in range(5_000):
        bench.feed(CLOSE, bench.open_session().number)
        bench.timer.advance(5)
    assert not bench.paused


def test_refusals_do_not_fill_the_log(bench: Bench) -> None:
    channel = bench.open_session()
    for _ in range(500):
        bench.ask(channel, "nonsense")
    assert len(bench.records.events) == 50
