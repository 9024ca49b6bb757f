"""The connection protocol (RFC 4254) of one client: its channels, and what it asks of them.

A mixin of the transport, on whose thread everything here runs but the keepalive's question and what
`openings` allows to any. The rules:
1. The answerer decides; here its decisions are put into messages. What it raises becomes a
   refusal and a line in the log, never the end of a connection.
2. A request is answered before anything is started because of it.
3. The number of a channel is never used again, so a message for a smaller number than the next
   is a late one, and a message for any other is a lie, which ends the connection.
4. What a client may ask costs it something of a bounded allowance, which reading what the host
   sent refills. A client that has used it up is read more slowly, and is never cut off for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import paramiko

from tuihost.core.limits import PROGRAM_COST, SMALL_DATA, STREAM_COST
from tuihost.errors import PeerError
from tuihost.logs import Event
from tuihost.ssh.connection import _messages as messages
from tuihost.ssh.connection._channel import HostChannel
from tuihost.ssh.connection._global_replies import Expected, GlobalReplies
from tuihost.ssh.connection._keepalive import Keepalive
from tuihost.ssh.connection._openings import GONE, Openings
from tuihost.ssh.packets.fields import Fields
from tuihost.wire import (
    Answer,
    BreakSent,
    Disconnect,
    EndOfInput,
    EndOfWrite,
    ExecRequest,
    GlobalRequest,
    Grant,
    LaterReply,
    OpenSession,
    OtherGlobal,
    Refuse,
    RemoteForward,
    SessionEvent,
    SessionRequest,
    ShellRequest,
    SignalSent,
    SubsystemRequest,
    TcpAddress,
    WindowChange,
)

MAX_PROOFS: Final = 4  # of the host keys, in one connection: each is a signature or more
BYTES_A_MESSAGE: Final = 1024  # so much of our output read earns the client one message

_EVENTS = (WindowChange, SignalSent, BreakSent, EndOfWrite, EndOfInput)
_PROGRAMS = (ShellRequest, ExecRequest, SubsystemRequest)


class _AwaitedReply:
    """A reply that some other thread gives. See `tuihost.wire.AwaitedReply`."""

    def __init__(
        self,
        layer: ConnectionLayer,
        asked: messages.GlobalAsked,
        expected: Expected[paramiko.Message],
    ) -> None:
        self._layer = layer
        self._asked = asked
        self._expected = expected

    def answer(self, answer: Answer) -> bool:
        if self._expected.given:
            return False
        message = self._layer._global_answer(self._asked, answer)
        return self._layer._replies.give(self._expected, message)


class HostKeySet(Protocol):
    """The host's private keys, as paramiko's `PKey`."""

    @property
    def keys(self) -> Sequence[Any]: ...


class ConnectionLayer(Openings):
    """Serves the connection protocol once the client is logged in. Thread: the transport's."""

    host_keys: HostKeySet

    if TYPE_CHECKING:  # what the transport gives
        session_id: bytes
        host_key_type: str

        @property
        def packets_received(self) -> int: ...
        def try_send(self, message: paramiko.Message) -> bool: ...

    # ------------------------------------------------------------- what the transport calls

    def _init_connection_layer(self) -> None:
        """Sets the state up. Once, before any message."""
        self._init_openings()
        self._proofs = 0
        self._replies = GlobalReplies(self._send_user_message)
        self._channel_table = self._channel_handlers()
        self._keepalive = Keepalive(
            self.timer,
            self.limits,
            heard=lambda: self.packets_received,
            ask=self._ask_keepalive,
            give_up=self._give_up,
        )

    def _connection_handlers(self) -> dict[int, Callable[[bytes], None]]:
        """By number, the messages that belong to no open channel."""
        return {
            messages.GLOBAL_REQUEST: self._global_request,
            messages.CHANNEL_OPEN: self._channel_open,
            messages.CHANNEL_OPEN_CONFIRMATION: self._open_confirmed,
            messages.CHANNEL_OPEN_FAILURE: self._open_failed,
            messages.REQUEST_SUCCESS: self._global_reply,
            messages.REQUEST_FAILURE: self._global_reply,
        }

    def _channel_handlers(self) -> dict[int, Callable[[HostChannel, Fields], None]]:
        """By number, the messages that name a channel; `_dispatch_channel` finds it."""
        return {
            messages.CHANNEL_WINDOW_ADJUST: self._window_adjust,
            messages.CHANNEL_DATA: self._data,
            messages.CHANNEL_EXTENDED_DATA: self._extended_data,
            messages.CHANNEL_EOF: self._eof,
            messages.CHANNEL_CLOSE: self._close,
            messages.CHANNEL_REQUEST: self._channel_request,
            messages.CHANNEL_SUCCESS: self._channel_reply,
            messages.CHANNEL_FAILURE: self._channel_reply,
        }

    def _dispatch_channel(self, ptype: int, body: bytes) -> None:
        """Brings `message` to its channel. Raises `PeerError` for one that never was."""
        fields = Fields(body)
        number = fields.integer()
        channel = self._channels.get(number)
        if channel is not None:
            self._channel_table[ptype](channel, fields)
        elif self._channels.was_given(number):
            self._charge()
        else:
            raise PeerError("the client named a channel that was never opened")

    def _after_login(self) -> None:
        """Says which keys the host has (OpenSSH's UpdateHostKeys) and begins to keep watch."""
        blobs = [key.asbytes() for key in self.host_keys.keys]
        self.reply(messages.global_request(messages.HOST_KEYS, False, blobs))
        self._keepalive.start()

    def _connection_ended(self) -> None:
        """Closes every channel, and tells the threads that wait for one. Never raises."""
        self._keepalive.stop()
        self._replies.drop()
        channels, awaited = self._channels.end()
        for channel in channels:
            channel.lost()
            self._told("channel_closed", self.answerer.channel_closed, channel)
        for waiting in awaited:
            self._told("settled", waiting.settled, GONE)
        self._channel_table = {}  # it holds this object, which holds it

    # ------------------------------------------------------- what a channel is sent and told

    def _data(self, channel: HostChannel, fields: Fields) -> None:
        data = fields.string()
        self._charge_small(data)
        channel.received(data)

    def _extended_data(self, channel: HostChannel, fields: Fields) -> None:
        fields.integer()  # its type
        data = fields.string()
        self._charge_small(data)
        channel.received_extended(data)

    def _charge_small(self, data: bytes) -> None:
        """A packet costs as much work with one byte as with many, and the window bounds only the
        bytes."""
        if len(data) < SMALL_DATA:
            self._charge(STREAM_COST)

    def _window_adjust(self, channel: HostChannel, fields: Fields) -> None:
        """WINDOW_ADJUST. A client may send one for each piece of our output, also where it throws
        that away: OpenSSH's does so once nobody reads it any more."""
        self._charge(STREAM_COST)
        self._earn(channel.adjusted(fields.integer()) / BYTES_A_MESSAGE)

    def _eof(self, channel: HostChannel, fields: Fields) -> None:
        self._charge()
        if channel.received_eof() and isinstance(channel.request, OpenSession):
            self._told("event", self.answerer.event, channel, EndOfInput())

    def _close(self, channel: HostChannel, fields: Fields) -> None:
        """CLOSE, RFC 4254 §5.3: answered, and the channel forgotten."""
        self._charge()
        self._channels.remove(channel.number)
        channel.received_close()
        self._told("channel_closed", self.answerer.channel_closed, channel)

    # ----------------------------------------------------------------------------- requests

    def _channel_request(self, channel: HostChannel, fields: Fields) -> None:
        """CHANNEL_REQUEST, RFC 4254 §5.4."""
        self._charge()
        asked = messages.read_channel_request(fields)
        if channel.closed:  # its number on the client's side may name another channel by now
            return
        answer = self._judge_request(channel, asked.what)
        if isinstance(answer, Refuse):
            self._log_refusal(Event.REQUEST_REFUSED, asked.name, answer, channel.number)
        granted = isinstance(answer, Grant)
        if asked.want_reply:
            channel.reply(granted)
        if granted and isinstance(asked.what, _PROGRAMS):
            self._charge(PROGRAM_COST)
            told = self._told("replied", self.answerer.replied, channel, asked.what)
            if not told:
                channel.close()

    def _judge_request(
        self, channel: HostChannel, what: SessionRequest | SessionEvent | Refuse
    ) -> Answer:
        if isinstance(what, Refuse):
            return what
        if not isinstance(channel.request, OpenSession):
            return Refuse("the channel is not a session")
        if isinstance(what, _EVENTS):
            self._told("event", self.answerer.event, channel, what)
            return Grant()
        return self._asked("request", self.answerer.request, channel, what)

    def _channel_reply(self, channel: HostChannel, fields: Fields) -> None:
        """CHANNEL_SUCCESS or _FAILURE. Nothing is asked of a client's channels with a reply, but
        some answer all the same."""
        self._charge()

    # ---------------------------------------------------------------------- global requests

    def _global_request(self, body: bytes) -> None:
        """GLOBAL_REQUEST, RFC 4254 §4."""
        self._charge()
        fields = Fields(body)
        asked = messages.read_global_request(fields)
        expected = self._replies.expect(wanted=asked.want_reply)
        reply = self._answer_global(asked, fields)
        if isinstance(reply, LaterReply):
            self._charge(PROGRAM_COST)  # a thread, as with a program
            awaited = _AwaitedReply(self, asked, expected)
            if not self._told("global_request", reply.begin, awaited):
                awaited.answer(Refuse("an error in the host"))
        else:
            self._replies.give(expected, reply)

    def _answer_global(
        self, asked: messages.GlobalAsked, fields: Fields
    ) -> paramiko.Message | LaterReply:
        match asked.name:
            case messages.KEEPALIVE:
                return messages.request_failure()  # an answer all the same, as OpenSSH's own
            case messages.NO_MORE_SESSIONS:
                self._sessions_barred = True
                return messages.request_success()
            case messages.HOST_KEYS_PROVE:
                return self._prove_host_keys(fields)
        request = asked.request
        if isinstance(request, Refuse):
            return self._global_answer(asked, request)
        kinds = (Grant, Refuse, LaterReply)
        answer = self._asked("global_request", self.answerer.global_request, request, kinds=kinds)
        return answer if isinstance(answer, LaterReply) else self._global_answer(asked, answer)

    def _global_answer(self, asked: messages.GlobalAsked, answer: Answer) -> paramiko.Message:
        """An answer as a message; a refusal is logged. Any thread."""
        if isinstance(answer, Grant):
            port = answer.port if _leaves_port(asked.request) else None
            return messages.request_success(port=port)
        if not isinstance(asked.request, OtherGlobal):
            self._log_refusal(Event.REQUEST_REFUSED, asked.name, answer)
        return messages.request_failure()

    def _prove_host_keys(self, fields: Fields) -> paramiko.Message:
        """hostkeys-prove-00@openssh.com: a signature for each key that is really ours."""
        self._proofs += 1
        keys = {key.asbytes(): key for key in self.host_keys.keys}
        blobs = messages.read_host_keys(fields)
        if blobs is None or self._proofs > MAX_PROOFS or not keys.keys() >= set(blobs):
            return messages.request_failure()
        return messages.request_success(*(self._prove(keys[blob], blob) for blob in blobs))

    def _prove(self, key: Any, blob: bytes) -> bytes:
        statement = paramiko.Message()
        for part in (messages.HOST_KEYS_PROVE.encode(), self.session_id, blob):
            statement.add_string(part)
        algorithm = None
        if key.get_name() == "ssh-rsa":  # SHA-1 is what that name means; nobody takes it
            algorithm = self.host_key_type
            if algorithm not in ("rsa-sha2-256", "rsa-sha2-512"):
                algorithm = "rsa-sha2-512"
        signature: bytes = key.sign_ssh_data(statement.asbytes(), algorithm).asbytes()
        return signature

    # ------------------------------------------------------------------------ is it there?

    def _global_reply(self, body: bytes) -> None:
        """REQUEST_SUCCESS or _FAILURE: the answer to a keepalive, the one thing we ask. Any other
        is ignored: phpseclib answers `hostkeys-00`, which wants no reply."""
        self._charge()
        self._keepalive.answered()

    def _ask_keepalive(self) -> bool:
        return self.try_send(messages.global_request(messages.KEEPALIVE, True))

    def _give_up(self) -> None:
        self.close("keepalive", Disconnect.BY_APPLICATION)


def _leaves_port(request: GlobalRequest | Refuse) -> bool:
    """Whether it leaves the port to the host, and wants to be told which it is."""
    match request:
        case RemoteForward(TcpAddress(port=0)):
            return True
        case _:
            return False
