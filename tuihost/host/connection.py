"""A Connection: the story of one client, from accept to close.

Thread: `run` and everything of `wire.Answerer` is the connection's transport thread, which
decides and never waits: programs run on threads of their own. `close` and `farewell` may come
from any.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from tuihost.core.auth import AuthMachine
from tuihost.core.limits import TransportLimits
from tuihost.core.policy import TERMINAL_ENV
from tuihost.core.routing import route
from tuihost.core.session import SessionMachine
from tuihost.host.host import Host
from tuihost.host.journey import Visit
from tuihost.host.program import Program
from tuihost.logs import Event, EventLog
from tuihost.session import Account
from tuihost.ssh.keys import HostKeys
from tuihost.ssh.transport import HostTransport
from tuihost.terminal import facts_of
from tuihost.text import clean
from tuihost.wire import (
    Answer,
    ByteChannel,
    Disconnect,
    GlobalRequest,
    Grant,
    Identity,
    OpenFailure,
    OpenRequest,
    OpenSession,
    OpenUnknown,
    Peer,
    Refuse,
    SessionEvent,
    SessionRequest,
    SubsystemRequest,
    WindowChange,
)


@dataclass(slots=True)
class _Slot:
    """One session channel: what was granted on it, and its program once that has started."""

    channel: ByteChannel
    machine: SessionMachine
    program: Program | None = None


class Connection:
    """One client."""

    def __init__(
        self,
        number: int,
        sock: socket.socket,
        peer: Peer,
        *,
        host: Host,
        keys: HostKeys,
        auth: AuthMachine,
        limits: TransportLimits,
        banner: str,
        ended: Callable[[Connection], None],
    ) -> None:
        self.number = number
        self.peer = peer
        self.identity: Identity | None = None
        self._host = host
        self._log = host.log.bound(conn=number)
        self._ended = ended
        self._slots: dict[int, _Slot] = {}
        self._closing = False
        self.link = HostTransport(
            sock,
            peer=peer,
            keys=keys,
            auth=auth,
            answerer=self,
            limits=limits,
            timer=host.watchdog,
            log=self._log,
            story=self.run,
            ended=self._parted,
            banner=banner,
        )

    def start(self) -> None:
        """Begins the transport thread."""
        self.link.start()

    # ---------------------------------------------------------------- the story

    def run(self) -> None:
        """Shakes hands, logs in, serves channels. What ends the story, and how it parts, is the
        link's to tell: whatever is raised here passes through it."""
        self._log.info(Event.CONN_OPEN, peer=self.peer)
        self.link.shake_hands()
        self.link.log_in()
        self.link.serve()

    def _parted(self) -> None:
        for slot in tuple(self._slots.values()):
            self.channel_closed(slot.channel)
        self._ended(self)

    def close(self, reason: str) -> None:
        """Ends the connection now."""
        self.link.close(reason, Disconnect.BY_APPLICATION)

    # ---------------------------------------------------------------- login

    def logged_in(self, identity: Identity) -> None:
        self.identity = identity
        self._log = self._log.bound(user=identity.user)

    @property
    def _account(self) -> Account:
        assert self.identity is not None, "channels are opened only after the login"
        return Account(self.identity.user, guest=self.identity.guest)

    # ---------------------------------------------------------------- channels

    def open(self, request: OpenRequest) -> Answer:
        match request:
            case OpenSession() if not self._closing:
                return Grant()
            case OpenSession():
                return Refuse("the host is closing", OpenFailure.RESOURCE_SHORTAGE)
            case OpenUnknown(kind=kind):
                return Refuse(
                    f"no channels of kind {clean(kind, limit=40)} here", OpenFailure.UNKNOWN_KIND
                )
            case _:
                return Refuse("no app here answers that address")

    def opened(self, request: OpenRequest, channel: ByteChannel) -> None:
        patterns = (*TERMINAL_ENV, *self._host.catalog.env_patterns())
        self._slots[channel.number] = _Slot(channel, SessionMachine(patterns))

    def channel_closed(self, channel: ByteChannel) -> None:
        slot = self._slots.pop(channel.number, None)
        if slot is not None:
            slot.machine.close()
            if slot.program is not None:
                slot.program.gone()

    # ---------------------------------------------------------------- requests

    def request(self, channel: ByteChannel, request: SessionRequest) -> Answer:
        slot = self._slots.get(channel.number)
        if slot is None:
            return Refuse("the session is closed")
        if isinstance(request, SubsystemRequest) and not self._serves(request.name):
            return Refuse(f"no app here serves the subsystem {clean(request.name, limit=40)}")
        return slot.machine.decide(request)

    def _serves(self, subsystem: str) -> bool:
        return self._host.subsystem_app(subsystem) is not None

    def replied(self, channel: ByteChannel, request: SessionRequest) -> None:
        """The client knows that its program was granted: it starts, on a thread of its own."""
        slot = self._slots.get(channel.number)
        if slot is None or slot.machine.program is None or slot.program is not None:
            return
        assert self.identity is not None
        machine, account = slot.machine, self._account
        facts = facts_of(machine.pty, machine.env).resized(machine.size)
        where = route(
            slot.machine.program,
            target=self.identity.target,
            default=self._host.default_app,
            apps=self._host.names_for(account),
            pty=facts.pty,
        )
        log = self._log.bound(chan=channel.number)
        log.info(Event.SESSION_START, route=type(where).__name__, term=facts.term)
        visit = Visit(account, self.peer, where, facts, dict(machine.env))
        slot.program = Program(self._host, channel, visit, log)
        slot.program.start(f"app-{self.number}-{channel.number}")

    def event(self, channel: ByteChannel, event: SessionEvent) -> None:
        slot = self._slots.get(channel.number)
        if slot is None:
            return
        if isinstance(event, WindowChange):
            size = slot.machine.resize(event)
            event = WindowChange(size.columns, size.rows)
        if slot.program is not None:
            slot.program.event(event)

    def global_request(self, request: GlobalRequest) -> Answer:
        return Refuse("that is not offered here")

    # ---------------------------------------------------------------- the host closes

    def farewell(self, sentence: str) -> None:
        """Shows everybody on this connection out; new sessions are refused. Any thread."""
        self._closing = True
        programs = self.programs()
        for program in programs:
            program.farewell(sentence)
        if not programs:
            self.close(sentence)

    def programs(self) -> tuple[Program, ...]:
        """What runs on this connection now. Any thread."""
        return tuple(slot.program for slot in tuple(self._slots.values()) if slot.program)


def log_refusal(log: EventLog, peer: Peer, reason: str) -> None:
    """One line for a client that was turned away before it became a connection."""
    log.info(Event.CONN_REFUSED, peer=peer, reason=reason)
