"""The connection layer on a bench: no socket and no thread, messages in and messages out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import paramiko

from tests.log import kept_log
from tests.ssh.answerers import Recorder
from tests.ssh.messages import packed
from tests.timers import ManualTimer
from tuihost.core.limits import TransportLimits
from tuihost.ssh.connection._channel import HostChannel
from tuihost.ssh.connection.layer import ConnectionLayer
from tuihost.wire import Disconnect


class Keys:
    def __init__(self, *keys: paramiko.PKey) -> None:
        self.keys = keys


class Bench(ConnectionLayer):
    """The layer with a transport that keeps what it is given to send."""

    host_key_type = "ssh-ed25519"
    session_id = b"the session"

    def __init__(self, *keys: paramiko.PKey, **limits: Any) -> None:
        self.answerer = Recorder()
        self.limits = TransportLimits(**limits)
        self.timer = ManualTimer()
        self.log, self.records = kept_log()
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
