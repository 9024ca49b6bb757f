"""The forwards of one connection: who answers them, and whether they are answered at all.

A target or an address that an app claims in its `accepts` is *virtual*: the app answers it, for
whoever may open that app. Any other is *real*, and reached only where the operator's rules, the
roles of the person and the key that they came with all say so.

Thread: the transport's decides. What was granted lives on threads of its own: the pump's for real
sockets, one a stream for what an app answers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from socket import socket

from tuihost.core.forward_rules import Address, key_permits, may_dial, place_of, reachable
from tuihost.host.forwarding._dialing import Dial, is_here
from tuihost.host.forwarding._listening import (
    HostedListening,
    Listener,
    Place,
    Taken,
    bind,
    bind_path,
    ended,
    shown,
)
from tuihost.host.host import Host
from tuihost.host.login.visitor import Visitor
from tuihost.host.programs.app_thread import AppThread
from tuihost.host.relay.channel_stream import ChannelStream
from tuihost.host.relay.pump import Pump
from tuihost.logs import Event, EventLog
from tuihost.plugin import App
from tuihost.session.streams import Forward
from tuihost.text import clean
from tuihost.wire import (
    Answer,
    CancelRemoteForward,
    CancelRemoteStreamlocal,
    Grant,
    Later,
    Link,
    OpenDirectStreamlocal,
    OpenDirectTcpip,
    OpenFailure,
    Peer,
    Refuse,
    RemoteForward,
    RemoteStreamlocal,
    Restrictions,
    Undecided,
)

MAX_DIALS = 32  # targets of one connection that have not answered yet


class Forwards:
    """What one person forwards, both ways."""

    def __init__(
        self,
        host: Host,
        link: Link,
        visitor: Visitor,
        restrictions: Restrictions,
        name: str,
        log: EventLog,
    ) -> None:
        self._host = host
        self._link = link
        self._visitor = visitor
        self._restrictions = restrictions
        self._name = name
        self._log = log
        self._rules = host.settings.forwarding
        self._dial_places = tuple(place_of(rule) for rule in self._rules.dial)
        self._listen_places = tuple(place_of(rule) for rule in self._rules.listen)
        self._listening: dict[Place, HostedListening | Listener] = {}
        self._dialling = 0
        self._pump: Pump | None = None
        self._lock = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """The person is gone: everything ends."""
        for one in self._listening.values():
            one.cancel()
        self._listening.clear()
        with self._lock:
            self._closed = True
            if self._pump is not None:
                self._pump.close()

    # ---------------------------------------------------------------- from the client outwards

    def open(self, request: OpenDirectTcpip | OpenDirectStreamlocal) -> Answer | Later:
        """A stream to a target, RFC 4254 §7.2."""
        place, origin = _target(request)
        if not self._restrictions.port_forwarding:
            return Refuse("the key takes forwarding away")
        if not key_permits(self._restrictions.permit_open, *place):
            return Refuse(f"the key does not permit {shown(place)}")
        app = self._host.forward_app(self._visitor, *place)
        if app is not None:
            if not self._host.threads.free(self._visitor.connection):
                return Refuse("apps answer too much already", OpenFailure.RESOURCE_SHORTAGE)
            return Later(lambda undecided: self._answer(app, place, origin, undecided))
        if not self._may_dial(place):
            return Refuse(f"nobody here forwards to {shown(place)}")
        if self._dialling >= MAX_DIALS:
            return Refuse("too many targets have not answered", OpenFailure.RESOURCE_SHORTAGE)
        return Later(lambda undecided: self._dial(place, undecided))

    def _may_dial(self, place: Place) -> bool:
        if not self._visitor.rights.forward(*place):
            return False
        if place[0].startswith("/"):
            return any(one.has_path(place[0]) for one in self._dial_places)
        return may_dial(self._dial_places, *place)

    def _answer(self, app: App, place: Place, origin: Peer, undecided: Undecided) -> None:
        """Has the app answer, on a thread of its own."""

        def run() -> None:
            channel = undecided.grant()
            if channel is None:
                return
            thread.ends_with(channel)
            log = self._log.bound(app=app.name, chan=channel.number)
            log.info(Event.FORWARD_OPEN, target=shown(place))
            stream = ChannelStream(channel)
            try:
                thread.guard(lambda: app.forward(self._forward(app, place, origin, stream, log)))
            finally:
                stream.close()
                log.info(Event.FORWARD_CLOSED, sent=stream.received, received=stream.sent)

        thread = self._thread(app, "forward", run)
        thread.start()

    def _forward(
        self, app: App, place: Place, origin: Peer, stream: ChannelStream, log: EventLog
    ) -> Forward:
        return Forward(
            account=self._visitor,
            host=place[0],
            port=place[1],
            origin=origin,
            stream=stream,
            view=self._host,
            log=log,
            data=app.data,
        )

    def _dial(self, place: Place, undecided: Undecided) -> None:
        """Dials, and answers the client when that has come to something."""
        pump = self.pump()

        def connected(sock: socket) -> None:
            self._dialling -= 1
            channel = undecided.grant()
            if channel is None:
                sock.close()
                return
            log = self._log.bound(chan=channel.number)
            log.info(Event.FORWARD_OPEN, target=shown(place))
            pump.relay(channel, sock, ended(log))

        def failed(reason: str) -> None:
            self._dialling -= 1
            text = f"{shown(place)} cannot be reached: {reason}"
            undecided.refuse(Refuse(text, OpenFailure.CONNECT_FAILED))

        dial = Dial(pump, self._rules.dial_timeout, connected, failed)
        self._dialling += 1
        if place[0].startswith("/"):
            dial.path(place[0])
        else:
            dial.host(*place, lambda found: self._judged(place, found))

    def _judged(self, place: Place, found: Sequence[Address]) -> Sequence[Address]:
        """Of the addresses that a name came to, those that may be dialled."""
        own = self._host.address[1] if self._host.address is not None else None
        allowed = reachable(self._dial_places, *place, found)
        return [one for one in allowed if place[1] != own or not is_here(one)]

    # ---------------------------------------------------------------- from outside to the client

    def listen(self, request: RemoteForward | RemoteStreamlocal) -> Answer:
        """An address that leads to the client, RFC 4254 §7.1."""
        place = _place(request)
        if not self._restrictions.port_forwarding:
            return Refuse("the key takes forwarding away")
        if not key_permits(self._restrictions.permit_listen, *place):
            return Refuse(f"the key does not permit {shown(place)}")
        if len(self._listening) >= self._rules.listeners:
            return Refuse("too many remote forwards")
        if place in self._listening:
            return Refuse(f"{shown(place)} is forwarded already")
        app = self._host.listen_app(self._visitor, *place)
        if app is not None:
            return self._lend(app, place)
        try:
            return self._bind(place)
        except Taken as taken:
            reason = f"{shown(place)} cannot be listened on: {taken}"
            self._link.tell(reason)
            return Refuse(reason)

    def cancel(self, request: CancelRemoteForward | CancelRemoteStreamlocal) -> Answer:
        """What was forwarded is not any more; what came over it goes on."""
        place = _place(request)
        one = self._listening.pop(place, None)
        if one is None:
            return Refuse(f"{shown(place)} is not forwarded")
        one.cancel()
        self._log.info(Event.FORWARD_UNLISTEN, target=shown(place))
        return Grant()

    def _lend(self, app: App, place: Place) -> Answer:
        """Gives the address to an app, which is told on a thread of its own."""
        listening = HostedListening(self._link, self._visitor, *place, self._host.now())

        def run() -> None:
            refused = thread.guard(lambda: app.listen(listening))
            if refused is not None:
                listening.tell(refused)
                listening.cancel()

        if not self._host.threads.free(self._visitor.connection):
            return Refuse("apps answer too much already")
        thread = self._thread(app, "listen", run)
        thread.start()
        self._listening[place] = listening
        self._log.info(Event.FORWARD_LISTEN, app=app.name, target=shown(place))
        return Grant(port=place[1])

    def _thread(self, app: App, what: str, run: Callable[[], None]) -> AppThread:
        name = f"{what}-{self._name}"
        return AppThread(self._host, app, name, run, self._log, self._visitor.connection)

    def _bind(self, place: Place) -> Answer:
        """Listens on a real address. Raises `Taken`."""
        host, port = place
        if host.startswith("/"):
            allowed = any(one.has_path(host) for one in self._listen_places)
            sockets = bind_path(host) if allowed and self._visitor.rights.listen(host, 0) else []
        else:
            may = self._visitor.rights.listen
            sockets = bind(self._listen_places, host, port, may)
        if not sockets:
            return Refuse(f"nobody here listens on {shown(place)}")
        bound = port if host.startswith("/") else sockets[0].getsockname()[1]
        listener = Listener(self.pump(), self._link, sockets, (host, bound), self._log)
        self._listening[host, bound] = listener
        self._log.info(Event.FORWARD_LISTEN, target=shown((host, bound)))
        return Grant(port=bound)

    def pump(self) -> Pump:
        """The thread of this connection's real sockets, which begins when it is first wanted. Any
        thread."""
        with self._lock:
            if self._pump is None:
                self._pump = Pump(f"forward-{self._name}", self._host.watchdog, self._log)
                if self._closed:
                    self._pump.close()
            return self._pump


def _target(request: OpenDirectTcpip | OpenDirectStreamlocal) -> tuple[Place, Peer]:
    match request:
        case OpenDirectTcpip(host, port, origin, origin_port):
            return (host, port), Peer(clean(origin, limit=64), origin_port)
        case OpenDirectStreamlocal(path):
            return (path, 0), Peer("", 0)


def _place(
    request: RemoteForward | CancelRemoteForward | RemoteStreamlocal | CancelRemoteStreamlocal,
) -> Place:
    match request:
        case RemoteForward(host, port) | CancelRemoteForward(host, port):
            return host, port
        case RemoteStreamlocal(path) | CancelRemoteStreamlocal(path):
            return path, 0
