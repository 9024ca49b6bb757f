"""The forwards of one connection: who answers them, and whether they are answered at all.

A target or an address that an app claims in its `accepts` is *virtual*: the app answers it, for
everybody who may open that app. Any other is *real*, and reached only if the operator's rules, the
roles of the person and the key that they logged in with all allow it.

Thread: the transport's decides. What was granted lives on threads of its own: the pump's for real
sockets, one a stream for what an app answers.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from socket import socket

from tuihost.core.budget.ledger import FREE, Exceeded, Kind, Lease
from tuihost.core.forward_rules import key_permits, may_dial, reachable, rule_of
from tuihost.core.sources import Address, unwrapped
from tuihost.errors import TuihostError
from tuihost.host.budget.descriptors import counted
from tuihost.host.forwarding._dialing import Dial, is_here
from tuihost.host.forwarding._listening import (
    CannotListen,
    HostedListening,
    SocketListener,
    bind,
    ended,
    shown,
    unbind,
)
from tuihost.host.host import Host
from tuihost.host.login.visitor import Visitor
from tuihost.host.programs.app_thread import AppThread
from tuihost.host.relay.channel_stream import ChannelStream
from tuihost.host.relay.pump import Pump
from tuihost.logs import Event, EventLog
from tuihost.plugin import App
from tuihost.session.streams import Forward
from tuihost.wire import (
    Answer,
    AwaitedReply,
    CancelRemoteForward,
    Grant,
    Later,
    LaterReply,
    Link,
    OpenDirect,
    OpenFailure,
    Peer,
    Refuse,
    RemoteForward,
    SocketAddress,
    TcpAddress,
    Undecided,
    UnixAddress,
)

MAX_DIALS = 32  # targets of one connection that have not answered yet
LISTEN_TIME = 10.0  # seconds in which an app takes an address, or says why not
LISTENING_MEMORY = 262_144  # bytes that an app may hold for an address, about
TRY_AGAIN = 1.0  # seconds until an app is told of an end, if there was no thread to do it on

NO_THREADS = Refuse(
    "the host has no threads left; try again in a minute", OpenFailure.RESOURCE_SHORTAGE
)


Guard = Callable[[Callable[[], object]], str | None]
"""What `AppThread.guard` is."""
Work = Callable[[Guard], object]


class Forwards:
    """What one person forwards, both ways."""

    def __init__(
        self,
        host: Host,
        link: Link,
        visitor: Visitor,
        name: str,
        log: EventLog,
    ) -> None:
        self._host = host
        self._link = link
        self._visitor = visitor
        self._restrictions = visitor.restrictions
        self._name = name
        self._log = log
        self._settings = host.settings.forwarding
        self._dial_rules = tuple(rule_of(text) for text in self._settings.dial)
        self._listen_rules = tuple(rule_of(text) for text in self._settings.listen)
        self._listening: dict[SocketAddress, HostedListening | SocketListener] = {}
        self._offers: dict[str, deque[Work]] = {}
        self._endings: dict[str, deque[Work]] = {}
        self._dials: set[Dial] = set()
        self._pump: Pump | None = None
        self._lock = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """The person is gone: everything ends."""
        with self._lock:
            listenings = tuple(self._listening.values())
            self._listening.clear()
        for listening in listenings:
            self._end(listening)
        with self._lock:
            self._closed = True
            if self._pump is not None:
                self._pump.close()

    # ---------------------------------------------------------------- from the client outwards

    def open(self, request: OpenDirect) -> Answer | Later:
        """A stream to a target, RFC 4254 §7.2."""
        target, origin = request.target, request.origin
        if not self._restrictions.port_forwarding:
            return Refuse("the key does not allow forwarding")
        if not key_permits(self._restrictions.permit_open, target):
            return Refuse(f"the key does not permit {shown(target)}")
        app = self._host.access.forward_app(self._visitor, target)
        if app is not None:
            lease = self._visitor.share.take(Kind.THREADS)
            if isinstance(lease, Exceeded):
                return Refuse(lease.sentence, OpenFailure.RESOURCE_SHORTAGE)
            return Later(lambda undecided: self._answer(app, target, origin, undecided, lease))
        if not (self._visitor.rights.forward(target) and may_dial(self._dial_rules, target)):
            return Refuse(f"forwarding is not allowed to {shown(target)}")
        if len(self._dials) >= MAX_DIALS:
            return Refuse("too many targets have not answered", OpenFailure.RESOURCE_SHORTAGE)
        return Later(lambda undecided: self._dial(target, undecided))

    def _answer(
        self,
        app: App,
        target: SocketAddress,
        origin: Peer,
        undecided: Undecided,
        lease: Lease,
    ) -> None:
        """Has the app answer, on a thread of its own."""

        def run() -> None:
            channel = undecided.grant()
            if channel is None:
                return
            thread.ends_with(channel)
            log = self._log.bound(app=app.name, chan=channel.number)
            log.info(Event.FORWARD_OPEN, target=shown(target))
            stream = ChannelStream(channel)
            try:
                thread.guard(lambda: app.forward(self._forward(app, target, origin, stream, log)))
            finally:
                stream.close()
                log.info(Event.FORWARD_CLOSED, sent=stream.received, received=stream.sent)

        thread = self._thread(app, "forward", run, lease)
        try:
            thread.start()
        except RuntimeError:
            undecided.refuse(NO_THREADS)

    def _forward(
        self, app: App, target: SocketAddress, origin: Peer, stream: ChannelStream, log: EventLog
    ) -> Forward:
        return Forward(
            account=self._visitor,
            target=target,
            origin=origin,
            stream=stream,
            view=self._host,
            log=log,
            data=app.data,
        )

    def _dial(self, target: SocketAddress, undecided: Undecided) -> None:
        """Dials, and answers the client when that has come to something."""
        try:
            pump = self.pump()
        except RuntimeError:
            undecided.refuse(NO_THREADS)
            return

        def connected(sock: socket) -> None:
            self._dials.discard(dial)
            channel = undecided.grant()
            if channel is None:
                sock.close()
                return
            log = self._log.bound(chan=channel.number)
            log.info(Event.FORWARD_OPEN, target=shown(target))
            pump.relay(channel, sock, ended(log))

        def failed(reason: str) -> None:
            self._dials.discard(dial)
            text = f"{shown(target)} cannot be reached: {reason}"
            undecided.refuse(Refuse(text, OpenFailure.CONNECT_FAILED))

        share = self._visitor.share
        dial = Dial(pump, self._settings.dial_timeout, connected, failed, share)
        self._dials.add(dial)
        try:
            dial.begin(target, self._allowed)
        except RuntimeError:
            self._dials.discard(dial)
            undecided.refuse(NO_THREADS)

    def _allowed(self, target: TcpAddress, found: Sequence[Address]) -> Sequence[Address]:
        """Of the addresses that a host came to, those that may be dialled."""
        rights, own = self._visitor.rights, self._host.address
        here = {address for address in found if is_here(unwrapped(address))}
        allowed = reachable(self._dial_rules, target, found, own=here)
        own_port = own is not None and target.port == own.port
        return tuple(
            address
            for address in allowed
            if rights.forward_to(target, address) and not (own_port and address in here)
        )

    # ---------------------------------------------------------------- from outside to the client

    def listen(self, request: RemoteForward) -> Answer | LaterReply:
        """An address that leads to the client, RFC 4254 §7.1. A refusal has no room for a reason,
        so the person is told."""
        answer = self._listen(request.address)
        if isinstance(answer, Refuse):
            self._link.tell(f"Remote forward refused: {answer.reason.rstrip('.')}.")
        return answer

    def _listen(self, address: SocketAddress) -> Answer | LaterReply:
        if not self._restrictions.port_forwarding:
            return Refuse("the key does not allow forwarding")
        if not key_permits(self._restrictions.permit_listen, address):
            return Refuse(f"the key does not permit {shown(address)}")
        if len(self._listening) >= self._settings.listeners:
            return Refuse("too many remote forwards")
        if address in self._listening:
            return Refuse(f"{shown(address)} is forwarded already")
        app = self._host.access.listen_app(self._visitor, address)
        if app is not None:
            return self._offer(app, address)
        try:
            return self._bind(address)
        except RuntimeError:
            return NO_THREADS
        except CannotListen as why:
            return Refuse(f"{shown(address)} cannot be listened on: {why}")

    def open_to_others(self) -> tuple[str, ...]:
        """What leads to the client now, as people call it. Any thread."""
        with self._lock:
            listenings = tuple(self._listening.values())
        return tuple(called for listening in listenings if (called := listening.called))

    def cancel(self, request: CancelRemoteForward) -> Answer:
        """The address is forwarded no longer; connections that came over it go on."""
        address = request.address
        with self._lock:
            listening = self._listening.pop(address, None)
        if listening is None:
            return Refuse(f"{shown(address)} is not forwarded")
        self._end(listening)
        self._log.info(Event.FORWARD_UNLISTEN, target=shown(address))
        return Grant()

    def _offer(self, app: App, address: SocketAddress) -> Answer | LaterReply:
        """Offers the address to an app."""
        share = self._visitor.share
        held = share.take(Kind.MEMORY, LISTENING_MEMORY)
        if isinstance(held, Exceeded):
            return Refuse(held.sentence)
        thread = share.take(Kind.THREADS)
        if isinstance(thread, Exceeded):
            held.give_back()
            return Refuse(thread.sentence)
        now = self._host.now()
        listening = HostedListening(
            app, self._link, self._visitor, address, now, self._is_anothers, held
        )
        return LaterReply(lambda awaited: self._lend(listening, awaited, thread))

    def _lend(self, listening: HostedListening, awaited: AwaitedReply, lease: Lease) -> None:
        """Has the app take the address, on a thread of its own, one after the other; the client is
        answered as soon as the app has."""
        app = listening.app

        def give_up() -> None:
            why_not = f"The app {app.name} did not answer in time."
            self._apart(app, "late", lambda _: self._answer_listen(listening, awaited, why_not))

        too_late = self._host.watchdog.call_later(LISTEN_TIME, give_up)

        def ask(guard: Guard) -> None:
            with lease:
                why_not = guard(lambda: self._listened(listening))
            too_late.cancel()
            self._answer_listen(listening, awaited, why_not)

        with self._lock:
            self._listening[listening.address] = listening
            waiting = self._offers.setdefault(app.name, deque())
            waiting.append(ask)
            if len(waiting) > 1:
                return  # a thread is on its way there
        thread = self._thread(app, "listen", lambda: self._work_off(waiting, thread.guard))
        try:
            thread.start()
        except RuntimeError:
            waiting.clear()  # this one: only the transport's thread adds to them
            lease.give_back()
            too_late.cancel()
            self._answer_listen(listening, awaited, NO_THREADS.reason)

    def _listened(self, listening: HostedListening) -> None:
        """Asks the app. Raises `TuihostError` if the person cannot have the address."""
        if listening.ended:
            raise TuihostError("It was taken back before.")
        if self._is_reserved(listening):
            raise TuihostError("That name is reserved. Ask for another.")
        if self._is_anothers(listening.address):
            raise TuihostError(
                "That name belongs to an account, or looks like one that does. Ask for another."
            )
        listening.app.listen(listening)

    def _is_reserved(self, listening: HostedListening) -> bool:
        """Whether nobody can have that name; what an app itself calls an address is its own."""
        called = {getattr(rule, "host", "") for rule in listening.app.accepts.listens}
        address = listening.address
        if isinstance(address, TcpAddress) and address.host in called:
            return False
        return self._host.is_reserved_name(address, self._visitor)

    def _is_anothers(self, address: SocketAddress) -> bool:
        """For an app, which may make up names of its own, too."""
        host, visitor = self._host, self._visitor
        return host.is_reserved_name(address, visitor) or host.is_anothers_name(address, visitor)

    def _work_off(self, waiting: deque[Work], guard: Guard) -> None:
        """Does all that waits for one app. Its own thread."""
        while True:
            waiting[0](guard)
            with self._lock:
                waiting.popleft()
                if not waiting:
                    return

    def _answer_listen(
        self, listening: HostedListening, awaited: AwaitedReply, why_not: str | None
    ) -> None:
        """Answers the client for its app, which may have said why not. Any thread; only the first
        answer counts."""
        address = listening.address
        if not listening.settle():
            return
        if why_not is not None:
            with self._lock:
                if self._listening.get(address) is listening:
                    del self._listening[address]
            listening.stop()
            listening.tell(why_not)
            awaited.answer(Refuse(why_not))
            listening.cancel()
        elif awaited.answer(_granted(address)):
            log = self._log.bound(app=listening.app.name)
            log.info(Event.FORWARD_LISTEN, target=shown(address))

    def _end(self, listening: HostedListening | SocketListener) -> None:
        """Ends it; an app is told on a thread apart, since it may wait. Any thread."""
        if isinstance(listening, SocketListener):
            listening.cancel()
            return
        listening.stop()
        with self._lock:
            waiting = self._endings.setdefault(listening.app.name, deque())
            waiting.append(lambda guard: guard(listening.cancel))
            if len(waiting) > 1:
                return  # a thread is on its way there
        self._apart(listening.app, "end", lambda guard: self._work_off(waiting, guard))

    def _apart(self, app: App, what: str, work: Work) -> None:
        """Does `work`, which may wait, on a thread of its own. Any thread."""
        thread = self._thread(app, what, lambda: work(thread.guard))
        try:
            thread.start()
        except RuntimeError:  # there can be no more threads now
            self._host.watchdog.call_later(TRY_AGAIN, lambda: self._apart(app, what, work))

    def _thread(
        self, app: App, what: str, run: Callable[[], object], lease: Lease = FREE
    ) -> AppThread:
        return AppThread(
            self._host,
            app,
            f"{what}-{self._name}",
            run,
            self._log,
            lease,
            self._visitor.share.turn(),
        )

    def _bind(self, address: SocketAddress) -> Answer:
        """Listens on a real address. Raises `CannotListen`; RuntimeError if there can be no more
        threads."""
        pump = self.pump()
        sockets = bind(self._listen_rules, address, self._visitor.rights.listen)
        if not sockets:
            return Refuse(f"listening is not allowed on {shown(address)}")
        if isinstance(address, TcpAddress):
            address = TcpAddress(address.host, sockets[0].getsockname()[1])
        share = self._visitor.share
        for number, sock in enumerate(sockets):
            lease = share.take(Kind.DESCRIPTORS)
            if isinstance(lease, Exceeded):
                unbind(sockets)
                return Refuse(lease.sentence)
            sockets[number] = counted(sock, lease)
        self._listening[address] = SocketListener(
            pump, self._link, sockets, address, self._log, share
        )
        self._log.info(Event.FORWARD_LISTEN, target=shown(address))
        return _granted(address)

    def pump(self) -> Pump:
        """The thread of this connection's real sockets, which begins when it is first wanted. Any
        thread. Raises RuntimeError if there can be no more threads."""
        with self._lock:
            if self._pump is None:
                self._pump = Pump(f"forward-{self._name}", self._host.watchdog, self._log)
                if self._closed:
                    self._pump.close()
            return self._pump


def _granted(address: SocketAddress) -> Grant:
    match address:
        case TcpAddress(_, port):
            return Grant(port=port)
        case UnixAddress():
            return Grant()
