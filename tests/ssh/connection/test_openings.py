"""Channels whose opening takes time, and channels that the host asks its client for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ssh.connection.channel_bench import Bench
from tests.ssh.messages import fields, packed
from tuihost.errors import PeerError
from tuihost.wire import (
    CancelRemoteForward,
    HostOpen,
    Later,
    OpenAgent,
    OpenFailure,
    OpenForwarded,
    OpenX11,
    Peer,
    Refuse,
    RemoteForward,
    TcpAddress,
    Undecided,
    UnixAddress,
)

DEBUG, GLOBAL, YES, NO = 4, 80, 81, 82
OPEN, CONFIRMED, FAILED = 90, 91, 92
DATA, EOF, CLOSE = 94, 96, 97
TCPIP = ("direct-tcpip", 7, 1000, 32768, "db", 5432, "127.0.0.1", 1)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def opening(bench: Bench) -> Undecided:
    """An opening that a client waits for."""
    held: list[Undecided] = []
    bench.answerer.answers["OpenDirect"] = Later(held.append)
    bench.feed(OPEN, *TCPIP)
    assert bench.take() == [], "nothing is said before it is decided"
    return held[0]


# ------------------------------------------------------------------- openings that take time


def test_an_opening_is_answered_when_it_is_decided(bench: Bench) -> None:
    channel = opening(bench).grant()
    assert channel is not None
    assert bench.take() == [bytes([CONFIRMED]) + packed(7, 0, 131_072, 32_768)]
    bench.feed(DATA, channel.number, b"hello")
    assert channel.read() == b"hello"


def test_an_opening_may_be_refused_later(bench: Bench) -> None:
    opening(bench).refuse(Refuse("nobody listens there", OpenFailure.CONNECT_FAILED))
    (refused,) = bench.take()
    read = fields(refused)
    assert (read.integer(), read.integer()) == (7, OpenFailure.CONNECT_FAILED)
    assert read.text() == "nobody listens there"
    assert bench.open_channels == 0


def test_the_first_decision_stands(bench: Bench) -> None:
    undecided = opening(bench)
    assert undecided.grant() is not None
    bench.take()
    assert undecided.grant() is None
    undecided.refuse(Refuse("too late"))
    assert bench.take() == []


def test_a_decision_after_the_end_opens_nothing(bench: Bench) -> None:
    undecided = opening(bench)
    bench.end()
    assert undecided.grant() is None
    undecided.refuse(Refuse("too late"))
    assert bench.take() == []
    assert bench.open_channels == 0


def test_undecided_openings_count_and_may_be_opened_around(bench: Bench) -> None:
    bench = Bench(channels=2)
    undecided = opening(bench)
    session = bench.open_session()
    assert session.number == 1
    bench.take()
    bench.feed(OPEN, "session", 9, 1000, 32768)
    assert bench.kinds() == [FAILED]
    bench.take()
    undecided.refuse(Refuse("no"))
    bench.take()
    bench.open_session()
    assert bench.kinds() == [CONFIRMED]


def test_what_comes_for_an_undecided_channel_is_ignored(bench: Bench) -> None:
    undecided = opening(bench)
    bench.feed(DATA, 0, b"early")
    channel = undecided.grant()
    assert channel is not None
    assert channel.read() is None


def test_a_fault_in_the_beginning_is_a_refusal(bench: Bench) -> None:
    def begin(undecided: Undecided) -> None:
        raise RuntimeError("no thread to be had")

    bench.answerer.answers["OpenDirect"] = Later(begin)
    bench.feed(OPEN, *TCPIP)
    assert bench.kinds() == [FAILED]
    assert bench.open_channels == 0


def test_only_so_many_sessions_but_more_channels() -> None:
    bench = Bench(sessions=1)
    bench.open_session()
    bench.take()
    bench.feed(OPEN, "session", 9, 1000, 32768)
    (refused,) = bench.take()
    read = fields(refused)
    assert (read.integer(), read.integer()) == (9, OpenFailure.RESOURCE_SHORTAGE)
    assert read.text() == "too many sessions"
    bench.feed(OPEN, *TCPIP)
    assert bench.kinds() == [CONFIRMED]


# --------------------------------------------------------- channels that the host asks for


def asked(bench: Bench, request: HostOpen) -> list[Any]:
    """Asks for a channel; where the answer will be."""
    settled: list[Any] = []
    bench.open(request, settled.append)
    return settled


@pytest.mark.parametrize(
    ("request_", "rest"),
    [
        (
            OpenForwarded(TcpAddress("localhost", 80), Peer("10.0.0.1", 99)),
            packed("forwarded-tcpip", 0, 131_072, 32_768, "localhost", 80, "10.0.0.1", 99),
        ),
        (
            OpenForwarded(UnixAddress("/run/x"), Peer("", 0)),
            packed("forwarded-streamlocal@openssh.com", 0, 131_072, 32_768, "/run/x", ""),
        ),
        (OpenX11(Peer("::1", 9)), packed("x11", 0, 131_072, 32_768, "::1", 9)),
        (OpenAgent(), packed("auth-agent@openssh.com", 0, 131_072, 32_768)),
    ],
    ids=["tcpip", "streamlocal", "x11", "agent"],
)
def test_each_kind_is_asked_for_as_its_standard_says(
    bench: Bench, request_: HostOpen, rest: bytes
) -> None:
    settled = asked(bench, request_)
    assert bench.take() == [bytes([OPEN]) + rest]
    bench.feed(CONFIRMED, 0, 55, 400, 1000)
    (channel,) = settled
    assert channel.write(b"x" * 500) == 400, "the client's window counts"
    assert bench.take()[0] == bytes([DATA]) + packed(55, b"x" * 400)
    bench.feed(DATA, 0, b"back")
    assert channel.read() == b"back"


def test_a_client_may_refuse(bench: Bench) -> None:
    settled = asked(bench, OpenAgent())
    bench.feed(FAILED, 0, 2, "no agent \x1b[2J here", "en")
    (refuse,) = settled
    assert refuse.code is OpenFailure.CONNECT_FAILED
    assert "\x1b" not in refuse.reason
    assert bench.open_channels == 0


def test_an_unknown_reason_is_some_reason(bench: Bench) -> None:
    settled = asked(bench, OpenAgent())
    bench.feed(FAILED, 0, 77, "", "")
    assert settled == [Refuse("the client refused it", OpenFailure.PROHIBITED)]


@pytest.mark.parametrize("answer", [(CONFIRMED, 0, 55, 0, 0), (FAILED, 0, 1, "", "")])
def test_an_answer_to_nothing_ends_the_connection(bench: Bench, answer: tuple[Any, ...]) -> None:
    with pytest.raises(PeerError):
        bench.feed(*answer)
    asked(bench, OpenAgent())
    bench.feed(*answer)
    with pytest.raises(PeerError):
        bench.feed(*answer)


def test_packets_too_small_to_be_meant_are_no_channel(bench: Bench) -> None:
    settled = asked(bench, OpenAgent())
    bench.take()
    bench.feed(CONFIRMED, 0, 55, 1000, 1)
    assert isinstance(settled[0], Refuse)
    assert bench.kinds() == [EOF, CLOSE]


def test_whoever_waits_is_told_that_the_client_is_gone(bench: Bench) -> None:
    settled = asked(bench, OpenAgent())
    bench.end()
    assert isinstance(settled[0], Refuse)
    bench.take()
    late = asked(bench, OpenAgent())
    assert isinstance(late[0], Refuse)
    assert bench.take() == []


def test_what_is_asked_for_counts_among_the_channels() -> None:
    bench = Bench(channels=1)
    asked(bench, OpenAgent())
    (refuse,) = asked(bench, OpenAgent())
    assert refuse.code is OpenFailure.RESOURCE_SHORTAGE
    assert bench.kinds() == [OPEN]


# ---------------------------------------------------------------- ends of one side, and the rest


def test_one_side_may_end_while_the_other_goes_on(bench: Bench) -> None:
    channel = bench.open_session()
    bench.take()
    channel.write(b"all")
    channel.send_eof()
    channel.send_eof()
    assert channel.write(b"dropped") == 7
    assert bench.kinds() == [DATA, EOF]
    assert not channel.closed
    assert not channel.congested
    bench.take()
    bench.feed(DATA, channel.number, b"more")
    assert channel.read() == b"more"
    channel.close()
    assert bench.kinds() == [CLOSE], "end of file is said once"


def test_unix_sockets_are_asked_for_by_their_path(bench: Bench) -> None:
    bench.feed(GLOBAL, "streamlocal-forward@openssh.com", True, "/tmp/s")
    bench.feed(GLOBAL, "cancel-streamlocal-forward@openssh.com", True, "/tmp/s")
    assert bench.answerer.told == [
        ("global_request", RemoteForward(UnixAddress("/tmp/s"))),
        ("global_request", CancelRemoteForward(UnixAddress("/tmp/s"))),
    ]
    assert bench.kinds() == [YES, YES]
    bench.take()
    bench.feed(GLOBAL, "streamlocal-forward@openssh.com", True, "/" * 2000)
    assert bench.kinds() == [NO]


def test_the_person_is_told_in_a_message_that_is_meant_to_be_shown(bench: Bench) -> None:
    bench.tell("port 80 is taken\x1b[2J")
    (said,) = bench.take()
    read = fields(said)
    assert (said[0], read.boolean()) == (DEBUG, True)
    assert read.text().startswith("port 80 is taken")
    assert b"\x1b" not in said


def test_later_is_no_answer_to_a_global_request(bench: Bench) -> None:
    bench.answerer.answers["global_request"] = Later(lambda undecided: None)
    bench.feed(GLOBAL, "tcpip-forward", True, "", 80)
    assert bench.kinds() == [NO]
