"""An agent that somebody brought: asked, believed only where it proves itself, gone with them."""

from __future__ import annotations

import contextlib
import queue
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.waiting import DEADLINE
from tuihost import Accepts, Agent, App, Disconnected, NotOpened, Session, command
from tuihost.host.relay import client_agent
from tuihost.session.streams import AgentKey
from tuihost.testing import Hosted, hosted
from tuihost.testing.hosted import hang_up

Answer = Callable[[bytes], bytes]


def string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


class Keyring:
    """An agent with one key, behind a client. `lies` signs something else than what is asked."""

    def __init__(self, *, lies: bool = False) -> None:
        self.lies = lies
        self.private = Ed25519PrivateKey.generate()
        self.blob = string(b"ssh-ed25519") + string(self.private.public_key().public_bytes_raw())

    def __call__(self, request: bytes) -> bytes:
        if request[0] == 11:
            return b"\x0c" + struct.pack(">I", 1) + string(self.blob) + string(b"my \x1b[31mkey")
        (length,) = struct.unpack(">I", request[1:5])
        at = 5 + length
        (size,) = struct.unpack(">I", request[at : at + 4])
        data = request[at + 4 : at + 4 + size]
        signature = self.private.sign(b"something else" if self.lies else data)
        return b"\x0e" + string(string(b"ssh-ed25519") + string(signature))


class Uses(App):
    """Hands its agent to the test, until it may end."""

    name = "uses"
    accepts = Accepts(agent=True)

    def start(self) -> None:
        self.agents: queue.Queue[Agent | None] = queue.Queue()
        self.over = threading.Event()

    @command
    def hold(self, session: Session) -> int:
        self.agents.put(session.agent)
        self.over.wait(DEADLINE)
        return 0


class Other(App):
    """Accepts none."""

    name = "other"

    @command
    def look(self, session: Session) -> int:
        return 0 if session.agent is None else 1


class Visitor:
    """A client with an agent; `answer` says what that says, None that it says nothing."""

    def __init__(self, host: Hosted, answer: Answer | None) -> None:
        self.answer = answer
        self.channels: list[paramiko.Channel] = []
        self.threads: list[threading.Thread] = []
        self.transport = host.connect()
        self.channel = self.transport.open_session(timeout=DEADLINE)
        self.asked = threading.Event()

    def offer(self) -> None:
        assert self.channel.request_forward_agent(self._came)

    def _came(self, channel: paramiko.Channel) -> None:
        self.channels.append(channel)
        thread = threading.Thread(target=self._serve, args=(channel,), name="agent")
        self.threads.append(thread)
        thread.start()

    def _serve(self, channel: paramiko.Channel) -> None:
        channel.settimeout(DEADLINE)
        head = channel.recv(4)
        request = b""
        while len(request) < struct.unpack(">I", head)[0]:
            request += channel.recv(65536)
        self.asked.set()
        if self.answer is not None:
            channel.sendall(self.answer(request))

    def close(self) -> None:
        hang_up(self.transport)
        for thread in self.threads:
            thread.join(DEADLINE)


@contextlib.contextmanager
def holding(answer: Answer | None, **settings: Any) -> Iterator[tuple[Hosted, Visitor, Agent]]:
    app = Uses()
    with hosted(app, Other(), settings=settings) as host:
        visitor = Visitor(host, answer)
        try:
            visitor.offer()
            visitor.channel.exec_command("uses hold")
            agent = app.agents.get(timeout=DEADLINE)
            assert agent is not None
            yield host, visitor, agent
        finally:
            app.over.set()
            visitor.close()


def framed(answer: Answer) -> Answer:
    return lambda request: string(answer(request))


def test_keys_are_listed_and_sign() -> None:
    keyring = Keyring()
    with holding(framed(keyring)) as (host, visitor, agent):
        (key,) = agent.keys()
        assert (key.kind, key.blob) == ("ssh-ed25519", keyring.blob)
        assert "\x1b" not in key.comment
        signature = agent.sign(key, b"data")[-64:]
        keyring.private.public_key().verify(signature, b"data")
        assert agent.proves(key)
        assert host.log.wait_for("agent.signed")["key"] == key.fingerprint
        assert all(channel.recv(1) == b"" for channel in visitor.channels)


def test_an_agent_that_signs_something_else_proves_nothing() -> None:
    with holding(framed(Keyring(lies=True))) as (_, _, agent):
        (key,) = agent.keys()
        assert not agent.proves(key)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"\x05", "refused"),
        (b"\x0c", "malformed"),
        (b"\x0c\0\0\x10\0", "too many keys"),
        (b"\x0c\0\0\0\x01\xff\xff\xff\xff", "malformed"),
        (b"\x0e", "refused"),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(answer: bytes, said: str) -> None:
    with holding(lambda _: string(answer)) as (_, _, agent), pytest.raises(NotOpened, match=said):
        agent.keys()


def test_an_answer_may_not_be_endless() -> None:
    with (
        holding(lambda _: b"\xff\xff\xff\xff") as (_, _, agent),
        pytest.raises(NotOpened, match="too long"),
    ):
        agent.keys()


@pytest.mark.parametrize("answer", [None, lambda _: b"\0"])
def test_a_silent_agent_is_given_up(answer: Answer | None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client_agent.PATIENCE == 10.0, "nobody is asked for a list of keys"
    monkeypatch.setattr(client_agent, "PATIENCE", 0.05)
    monkeypatch.setattr(client_agent, "PATIENCE_TO_SIGN", 0.07)
    key = AgentKey("ssh-ed25519", b"blob", "", "SHA256:x")
    with holding(answer) as (_, _, agent):
        with pytest.raises(NotOpened, match=r"did not answer in 0\.05 seconds"):
            agent.keys()
        with pytest.raises(NotOpened, match=r"did not answer in 0\.07 seconds"):
            agent.sign(key, b"data")


def test_a_question_ends_with_the_session() -> None:
    with holding(None) as (_, visitor, agent):
        failed: queue.Queue[Exception] = queue.Queue()

        def ask() -> None:
            try:
                agent.keys()
            except (NotOpened, Disconnected) as error:
                failed.put(error)

        thread = threading.Thread(target=ask, name="asks")
        thread.start()
        assert visitor.asked.wait(DEADLINE)
        visitor.channel.close()
        assert failed.get(timeout=DEADLINE)
        thread.join(DEADLINE)
        with pytest.raises(Disconnected):
            agent.keys()


def test_only_an_app_that_accepts_it_gets_it() -> None:
    with hosted(Uses(), Other()) as host:
        visitor = Visitor(host, None)
        visitor.offer()
        visitor.channel.exec_command("other look")
        assert visitor.channel.recv_exit_status() == 0
        visitor.close()


@pytest.mark.parametrize(
    "settings", [{"roles": {"guest": {"agent": False}}}, {"roles": {"guest": {"apps": ["other"]}}}]
)
def test_who_may_not_is_refused(settings: Any) -> None:
    with hosted(Uses(), Other(), settings=settings) as host:
        visitor = Visitor(host, None)
        visitor.offer()  # paramiko does not wait for the answer
        assert host.log.wait_for("request.refused")["kind"] == "auth-agent-req@openssh.com"
        visitor.close()
