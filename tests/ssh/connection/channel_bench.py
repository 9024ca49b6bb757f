"""The connection layer on a bench: no socket and no thread, messages in and messages out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import paramiko

from tuihost.core.limits import TransportLimits
from tuihost.logs import EventLog
from tuihost.ssh.connection._channel import HostChannel
from tuihost.ssh.connection.layer import ConnectionLayer
from tuihost.ssh.packets.fields import Fields
from tuihost.wire import (
    Answer,
    Disconnect,
    GlobalRequest,
    Grant,
    Identity,
    OpenRequest,
    SessionEvent,
    SessionRequest,
)


class FakeTimer:
    """Time that moves when it is told to."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.due: list[FakeDeadline] = []

    def now(self) -> float:
        return self.time

    def call_later(self, seconds: float, action: Callable[[], None]) -> FakeDeadline:
        deadline = FakeDeadline(self, self.time + seconds, action)
        self.due.append(deadline)
        return deadline

    def advance(self, seconds: float) -> None:
        end = self.time + seconds
        while ripe := sorted((d for d in self.due if d.at <= end), key=lambda d: d.at):
            self.due.remove(ripe[0])
            self.time = ripe[0].at
            ripe[0].action()
        self.time = end


@dataclass(eq=False)
class FakeDeadline:
    timer: FakeTimer
    at: float
    action: Callable[[], None]

    def cancel(self) -> None:
        if self in self.timer.due:
            self.timer.due.remove(self)


@dataclass
class FakeAnswerer:
    """Says yes to everything, and remembers."""

    told: list[tuple[Any, ...]] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)  # by method, then by type of request
    channels: list[HostChannel] = field(default_factory=list)

    def _answer(self, method: str, request: object) -> Answer:
        answer = self.answers.get(type(request).__name__, self.answers.get(method, Grant()))
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def logged_in(self, identity: Identity) -> None:
        self.told.append(("logged_in", identity))

    def open(self, request: OpenRequest) -> Answer:
        self.told.append(("open", request))
        return self._answer("open", request)

    def opened(self, request: OpenRequest, channel: Any) -> None:
        self.told.append(("opened", request))
        self.channels.append(channel)
        self._answer("opened", None)

    def request(self, channel: Any, request: SessionRequest) -> Answer:
        self.told.append(("request", request))
        return self._answer("request", request)

    def replied(self, channel: Any, request: SessionRequest) -> None:
        self.told.append(("replied", request))
        self._answer("replied", None)

    def event(self, channel: Any, event: SessionEvent) -> None:
        self.told.append(("event", event))
        self._answer("event", None)

    def channel_closed(self, channel: Any) -> None:
        self.told.append(("channel_closed", channel.number))
        self._answer("channel_closed", None)

    def global_request(self, request: GlobalRequest) -> Answer:
        self.told.append(("global_request", request))
        return self._answer("global_request", request)


class Keys:
    def __init__(self, *keys: paramiko.PKey) -> None:
        self.keys = keys


class Bench(ConnectionLayer):
    """The layer with a transport that keeps what it is given to send."""

    host_key_type = "ssh-ed25519"
    session_id = b"the session"

    def __init__(self, *keys: paramiko.PKey, **limits: Any) -> None:
        self.answerer = FakeAnswerer()
        self.limits = TransportLimits(**limits)
        self.timer = FakeTimer()
        self.log = EventLog(logging.getLogger("tuihost"))
        self.host_keys = Keys(*keys)
        self.sent: list[bytes] = []
        self.full = False
        self.closed_because: tuple[str, Disconnect] | None = None
        self.packets_received = 0
        self.on_send: Callable[[bytes], None] | None = None
        self.can_send = True
        self.paused = 0.0
        self._init_connection_layer()

    @property
    def open_channels(self) -> int:
        return len(self._channels)

    def end(self) -> None:
        """The connection has ended."""
        self._connection_ended()

    # what the transport gives
    def pause(self, seconds: float) -> None:
        self.paused += seconds
        self.timer.advance(seconds)

    def reply(self, message: paramiko.Message) -> None:
        self._send_user_message(message)

    def _send_user_message(self, message: paramiko.Message) -> None:
        data = message.asbytes()
        if self.on_send is not None:
            self.on_send(data)
        self.sent.append(data)

    def try_send(self, message: paramiko.Message) -> bool:
        if self.can_send:
            self.sent.append(message.asbytes())
        return self.can_send

    def close(self, reason: str, code: Disconnect = Disconnect.BY_APPLICATION) -> None:
        self.closed_because = (reason, code)

    def line_full(self) -> bool:
        return self.full

    # what a client does
    def feed(self, number: int, *parts: object) -> None:
        """Brings message `number` of the given fields, by their types as RFC 4251 has them."""
        self.packets_received += 1
        body = packed(*parts)
        handlers = self._connection_handlers()
        if number in handlers:
            handlers[number](body)
        else:
            self._dispatch_channel(number, body)

    def open_session(self, peer: int = 7, window: int = 2**21, packet: int = 32768) -> HostChannel:
        self.feed(90, "session", peer, window, packet)
        return self.answerer.channels[-1]

    def ask(
        self, channel: HostChannel, name: str | bytes, *parts: object, reply: bool = True
    ) -> None:
        self.feed(98, channel.number, name, reply, *parts)

    def take(self) -> list[bytes]:
        """What was sent since the last time."""
        sent, self.sent = self.sent, []
        return sent

    def kinds(self) -> list[int]:
        """The numbers of the messages that were sent since the last time."""
        return [message[0] for message in self.take()]


class Raw(bytes):
    """Bytes that go into a message as they are."""


def packed(*parts: object) -> bytes:
    message = paramiko.Message()
    for part in parts:
        match part:
            case Raw():
                message.add_bytes(bytes(part))
            case bool():
                message.add_boolean(part)
            case int():
                message.add_int(part)
            case _:
                message.add_string(part)
    return message.asbytes()


def fields(message: bytes) -> Fields:
    """The fields of a sent message after its number."""
    return Fields(message[1:])
