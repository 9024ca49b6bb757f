"""How channels come to be, RFC 4254 §5.1: those that a client asks for, and those that it is asked
for.

A mixin of the transport, on which `ConnectionLayer` is built. Thread: the transport's, except
`open`, `tell` and the decision about an opening that takes time, which any thread may call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

import paramiko

from tuihost.core.budget.ledger import FREE, Exceeded, Kind, Lease, Share
from tuihost.core.limits import Allowance, TransportLimits
from tuihost.errors import PeerError
from tuihost.logs import Event, EventLog
from tuihost.ssh.connection import _messages as messages
from tuihost.ssh.connection._channel import HostChannel
from tuihost.ssh.connection._channel_table import Awaited, ChannelTable, Settled
from tuihost.ssh.packets.fields import Fields
from tuihost.wire import (
    Answer,
    Answerer,
    ByteChannel,
    Disconnect,
    Grant,
    HostOpen,
    Later,
    LaterReply,
    OpenFailure,
    OpenRequest,
    OpenSession,
    Refuse,
    Timer,
)

MIN_PACKET: Final = 256  # a client that takes less at a time is out to cost us a packet a byte
MAX_REFUSALS_LOGGED: Final = 50  # in one connection

BILL: Final = 50.0  # messages, after which they are taken from the share of the connection
BILL_PAUSE: Final = 0.1  # seconds without reading, if there are none left in that

GONE: Final = Refuse("the client is gone", OpenFailure.CONNECT_FAILED)

_Answered = TypeVar("_Answered", bound=Answer | Later | LaterReply)


def _no_room(exceeded: Exceeded) -> Refuse:
    return Refuse(exceeded.sentence, OpenFailure.RESOURCE_SHORTAGE)


class _Undecided:
    """An opening that some other thread decides, once. See `tuihost.wire.Undecided`."""

    def __init__(self, layer: Openings, opening: messages.Opening, number: int) -> None:
        self._layer = layer
        self._opening = opening
        self._number = number

    def grant(self) -> ByteChannel | None:
        if not self._layer._channels.decided(self._number):
            return None
        return self._layer._grant_open(self._opening, self._number)

    def refuse(self, refuse: Refuse) -> None:
        if self._layer._channels.decided(self._number):
            self._layer._refuse_open(self._opening, refuse)


class Openings:
    """Opens channels, and asks the answerer so that no fault of it costs more than one answer."""

    answerer: Answerer
    limits: TransportLimits
    timer: Timer
    log: EventLog
    share: Share = FREE
    """What this connection may take of the host, once its client is logged in."""

    if TYPE_CHECKING:  # what the transport gives

        def reply(self, message: paramiko.Message) -> None: ...
        def close(self, reason: str, code: Disconnect = Disconnect.BY_APPLICATION) -> None: ...
        def line_full(self) -> bool: ...

        def pause(self, seconds: float) -> bool: ...
        def hung_up(self) -> bool: ...
        def _send_user_message(self, message: paramiko.Message) -> None: ...

    def _init_openings(self) -> None:
        """Sets the state up. Once, before any message."""
        self._channels = ChannelTable()
        self._refusals = 0
        self._sessions_barred = False
        self._window_room = self.limits.window_room
        self._window_lock = threading.Lock()
        self._growth: Lease | Exceeded | None = None
        self._unbilled = 0.0
        limits = self.limits
        self._allowance = Allowance.full(limits.requests, limits.requests_rate, self.timer.now())

    # ---------------------------------------------------------- channels that a client asks for

    def _channel_open(self, body: bytes) -> None:
        """CHANNEL_OPEN, RFC 4254 §5.1."""
        self._charge()
        opening = messages.read_open(Fields(body))
        match self._judge_open(opening):
            case Refuse() as refuse:
                self._refuse_open(opening, refuse)
            case Later(begin=begin):
                undecided = _Undecided(self, opening, self._channels.hold_number())
                if not self._told("open", begin, undecided):
                    undecided.refuse(Refuse("an error in the host"))
            case Grant():
                channel = self._grant_open(opening, self._channels.take_number())
                if channel is None:
                    return
                if not self._told("opened", self.answerer.opened, channel.request, channel):
                    channel.close()

    def _judge_open(self, opening: messages.Opening) -> Answer | Later:
        if len(self._channels) >= self.limits.channels:
            return Refuse("too many channels", OpenFailure.RESOURCE_SHORTAGE)
        if opening.packet < MIN_PACKET:
            return Refuse("the client's packets are too small", OpenFailure.CONNECT_FAILED)
        request = opening.request
        if isinstance(request, Refuse):
            return request
        if isinstance(request, OpenSession):
            if self._sessions_barred:
                return Refuse("the client asked for no more sessions")
            if self._channels.sessions >= self.limits.sessions:
                return Refuse("too many sessions", OpenFailure.RESOURCE_SHORTAGE)
        kinds = (Grant, Refuse, Later)
        return self._asked("open", self.answerer.open, request, kinds=kinds)

    def _grant_open(self, opening: messages.Opening, number: int) -> HostChannel | None:
        """Opens what the client asked for, and tells it; None if the connection is over, or there
        is no room for its window."""
        assert not isinstance(opening.request, Refuse)
        lease = self.share.take(Kind.MEMORY, self.limits.window)
        if isinstance(lease, Exceeded):
            self._refuse_open(opening, _no_room(lease))
            return None
        channel = self._channel(
            number, opening.request, opening.peer_number, opening.window, opening.packet, lease
        )
        if not self._channels.add(channel):
            lease.give_back()
            return None
        window, packet = self.limits.window, self.limits.packet
        self._send_user_message(
            messages.open_confirmation(opening.peer_number, number, window, packet)
        )
        return channel

    def _refuse_open(self, opening: messages.Opening, refuse: Refuse) -> None:
        self._log_refusal(Event.CHANNEL_REFUSED, opening.kind, refuse)
        self._send_user_message(messages.open_failure(opening.peer_number, refuse))

    def _channel(
        self,
        number: int,
        request: OpenRequest | HostOpen,
        peer: int,
        window: int,
        packet: int,
        lease: Lease,
    ) -> HostChannel:
        return HostChannel(
            number,
            self,
            request,
            peer_number=peer,
            peer_window=window,
            peer_packet=packet,
            window=self.limits.window,
            window_max=self.limits.window_max,
            lease=lease,
        )

    def lend_window(self, count: int) -> bool:
        """For a window that grows; see `Sender` in `_channel`."""
        with self._window_lock:
            if count > self._window_room or not self._grows(count):
                return False
            self._window_room -= count
            return True

    def _grows(self, count: int) -> bool:
        """Takes so much more from the share of the connection, or gives it back."""
        if self._growth is None:
            self._growth = self.share.take(Kind.MEMORY, 0)
        return not isinstance(self._growth, Exceeded) and self._growth.grow(count) is None

    # --------------------------------------------------------- channels that the host asks for

    def open(self, request: HostOpen, settled: Settled) -> None:
        """Asks the client for a channel, RFC 4254 §5.1. Any thread; see `tuihost.wire.Link`."""
        if len(self._channels) >= self.limits.channels:
            settled(Refuse("too many channels", OpenFailure.RESOURCE_SHORTAGE))
            return
        number = self._channels.await_answer(Awaited(request, settled))
        if number is None:
            settled(GONE)
            return
        window, packet = self.limits.window, self.limits.packet
        self._send_user_message(messages.channel_open(number, window, packet, request))

    def _open_confirmed(self, body: bytes) -> None:
        """CHANNEL_OPEN_CONFIRMATION: a channel that we asked for."""
        said = messages.read_confirmation(Fields(body))
        awaited = self._answered(said.number)
        lease = self.share.take(Kind.MEMORY, self.limits.window)
        channel = self._channel(
            said.number,
            awaited.request,
            said.peer_number,
            said.window,
            said.packet,
            FREE if isinstance(lease, Exceeded) else lease,
        )
        self._channels.add(channel)
        if isinstance(lease, Exceeded):
            self._told("settled", awaited.settled, _no_room(lease))
            channel.close()
        elif said.packet < MIN_PACKET:
            self._told("settled", awaited.settled, Refuse("the client's packets are too small"))
            channel.close()
        elif not self._told("settled", awaited.settled, channel):
            channel.close()

    def _open_failed(self, body: bytes) -> None:
        """CHANNEL_OPEN_FAILURE: the client does not want it."""
        number, refuse = messages.read_open_failure(Fields(body))
        self._told("settled", self._answered(number).settled, refuse)

    def _answered(self, number: int) -> Awaited:
        awaited = self._channels.answered(number)
        if awaited is None:
            raise PeerError("the client answered an opening that was not asked for")
        return awaited

    def tell(self, text: str) -> None:
        """A sentence for the person, which their client shows or logs. Any thread."""
        self._send_user_message(messages.debug(text))

    # --------------------------------------------------------------------- keeping it bounded

    def _charge(self, cost: float = 1.0) -> None:
        """Takes a message from the client's allowance. If none is left, the client has to wait:
        until it has earned some, nothing more of it is read."""
        wait = self._allowance.owe(self.timer.now(), cost)
        if wait:
            self.pause(wait)
        self._unbilled += cost
        if self._unbilled >= BILL:
            self._unbilled -= BILL
            # What all connections of its person, and of its source, may send together.
            while self.share.spend(Kind.REQUESTS, BILL) is not None:
                if self.pause(BILL_PAUSE) or self.hung_up():
                    raise EOFError  # what it has sent too much is not read to its end

    def _earn(self, count: float) -> None:
        """The client has read what is worth so many messages."""
        self._allowance.earn(count)
        self._unbilled = max(-BILL, self._unbilled - count)

    def _asked(
        self,
        what: str,
        ask: Callable[..., _Answered],
        *about: object,
        kinds: tuple[type, ...] = (Grant, Refuse),
    ) -> _Answered | Refuse:
        """The answerer's answer; a refusal where it fails to give one."""
        try:
            answer = ask(*about)
        except Exception as error:  # noqa: BLE001 - a fault costs one answer, not the connection
            self.log.error(Event.CONN_ERROR, trace=error, at=what)
            return Refuse("an error in the host")
        # Whatever is not an answer, such as a bool, must not open anything.
        return answer if isinstance(answer, kinds) else Refuse("not answered")

    def _told(self, what: str, tell: Callable[..., None], *about: object) -> bool:
        """Tells the answerer; False if it failed."""
        try:
            tell(*about)
        except Exception as error:  # noqa: BLE001 - as above
            self.log.error(Event.CONN_ERROR, trace=error, at=what)
            return False
        return True

    def _log_refusal(
        self, event: Event, kind: str, refuse: Refuse, channel: int | None = None
    ) -> None:
        self._refusals += 1
        if self._refusals <= MAX_REFUSALS_LOGGED:
            self.log.info(event, chan=channel, kind=kind, reason=refuse.reason)
