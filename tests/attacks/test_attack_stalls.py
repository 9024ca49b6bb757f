"""Connecting and staying there; and numbers that count what is not there. Each story is
told twice: what plain paramiko does, and what happens here."""

from __future__ import annotations

from typing import Any

import paramiko
import pytest

from tests.ssh.raw_client import RawClient, host_pair, plain_pair
from tuihost.core.limits import TransportLimits

COUNT = 50_000


class Asks(paramiko.ServerInterface):
    """A server of paramiko's that asks a question, and takes what it is told."""

    def __init__(self) -> None:
        self.answers: list[int] = []

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        self.answers.append(len(responses))
        return paramiko.AUTH_FAILED


def stall_after_keys(client: RawClient) -> None:
    client.shake_hands()


def stall_after_asking(client: RawClient) -> None:
    client.shake_hands()
    client.ask_for_login()


@pytest.mark.parametrize("stall", [stall_after_keys, stall_after_asking])
def test_plain_paramiko_has_no_deadline_for_a_login(stall: Any) -> None:
    with plain_pair(Asks()) as (transport, client):
        transport.auth_timeout = transport.handshake_timeout = transport.banner_timeout = 0.05
        stall(client)
        transport.join(0.5)  # ten times as long as any limit that it knows
        assert transport.is_alive(), "paramiko closes by itself now: is our deadline still needed?"


@pytest.mark.parametrize("stall", [stall_after_keys, stall_after_asking])
def test_whoever_stalls_is_gone_after_the_grace(stall: Any) -> None:
    with host_pair(limits=TransportLimits(login_grace=30.0)) as (host, client):
        stall(client)
        host.timer.advance(29.0)
        assert host.transport.is_alive()
        host.timer.advance(1.5)
        assert client.gone()
        assert "too long" in host.wait()


def test_whoever_does_not_say_what_it_is_has_less_time_and_dribbling_does_not_stretch_it() -> None:
    with host_pair(limits=TransportLimits(hello_grace=10.0)) as (host, client):
        for letter in b"SSH-2.0-a":
            client.send_bytes(bytes([letter]))
            host.timer.advance(1.0)
        assert host.transport.is_alive()
        host.timer.advance(1.5)
        assert "did not identify itself" in host.wait()


def test_a_count_is_believed_by_plain_paramiko() -> None:
    server = Asks()
    with plain_pair(server) as (_, client):
        client.shake_hands()
        client.ask_for_login()
        client.send(61, COUNT)  # no question was asked, and no answer follows
        client.expect(51)
        assert server.answers == [COUNT], "a count of 2^32 would keep a core busy for an hour"


def test_a_count_without_a_question_ends_the_connection_here() -> None:
    with host_pair() as (host, client):
        client.shake_hands()
        client.ask_for_login()
        client.send(61, COUNT)
        assert client.gone()
        assert "no question" in host.wait()
