"""A Connection: the story of one client, from accept to close.

Thread: `run` and everything of `wire.Answerer` is the connection's transport thread, which
decides and never waits: programs run on threads of their own. `close` and `farewell` may come
from any.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from tuihost.core.accepts import TERMINAL_ENV
from tuihost.core.limits import TransportLimits
from tuihost.core.login.authentication import AuthMachine
from tuihost.core.routing import BadCommand, Route, RunCommand, route
from tuihost.core.session_channel import SessionMachine
from tuihost.host.forwarding.forwards import Forwards
from tuihost.host.host import Host
from tuihost.host.login.visitor import Visitor, original_command
from tuihost.host.programs.app_stack import Visit
from tuihost.host.programs.program import SFTP, Program
from tuihost.host.relay.client_agent import ClientAgent
from tuihost.host.relay.client_resources import ClientResources
from tuihost.host.relay.x11_display import Display
from tuihost.logs import Event, EventLog
from tuihost.ssh.keys.host_keys import HostKeys
from tuihost.ssh.transport import HostTransport
from tuihost.terminal_facts import facts_of
from tuihost.text import clean
from tuihost.wire import (
    AgentRequest,
    Answer,
    ByteChannel,
    CancelRemoteForward,
    CancelRemoteStreamlocal,
    Disconnect,
    ExecRequest,
    GlobalRequest,
    Grant,
    Identity,
    Later,
    OpenDirectStreamlocal,
    OpenDirectTcpip,
    OpenFailure,
    OpenRequest,
    OpenSession,
    OpenUnknown,
    OtherGlobal,
    Peer,
    PtyRequest,
    Refuse,
    RemoteForward,
    RemoteStreamlocal,
    Restrictions,
    SessionEvent,
    SessionRequest,
    ShellRequest,
    SubsystemRequest,
    WindowChange,
    X11Request,
)
from tuihost.wire import Program as Asked


@dataclass(slots=True)
class _Slot:
    """One session channel: what was granted on it, and its program once that has started."""

    channel: ByteChannel
    machine: SessionMachine
    program: Program | None = None
    original: dict[str, str] = field(default_factory=dict)
    wants_pty: bool = False


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
        self._account: Visitor | None = None
        self._restrictions = Restrictions()
        self._forwards: Forwards | None = None
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
        if self._forwards is not None:
            self._forwards.close()
        self._host.go_out(self.number)
        self._ended(self)

    def close(self, reason: str) -> None:
        """Ends the connection now."""
        self.link.close(reason, Disconnect.BY_APPLICATION)

    # ---------------------------------------------------------------- login

    def logged_in(self, identity: Identity) -> None:
        self.identity = identity
        self._log = self.link.log = self._log.bound(user=identity.user)
        self._restrictions = identity.restrictions or Restrictions()
        self._account = self._host.come_in(self.number, identity, self.peer, self.close)
        self._forwards = Forwards(
            self._host, self.link, self._account, self._restrictions, f"{self.number}", self._log
        )

    @property
    def _visitor(self) -> Visitor:
        assert self._account is not None, "channels are opened only after the login"
        return self._account

    @property
    def _forwarding(self) -> Forwards:
        assert self._forwards is not None, "nothing is forwarded before the login"
        return self._forwards

    # ---------------------------------------------------------------- channels

    def open(self, request: OpenRequest) -> Answer | Later:
        match request:
            case OpenSession() if not self._closing:
                return Grant()
            case OpenSession():
                return Refuse("the host is closing", OpenFailure.RESOURCE_SHORTAGE)
            case OpenUnknown(kind=kind):
                return Refuse(
                    f"no channels of kind {clean(kind, limit=40)} here", OpenFailure.UNKNOWN_KIND
                )
            case OpenDirectTcpip() | OpenDirectStreamlocal():
                return self._forwarding.open(request)

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
        slot.wants_pty = slot.wants_pty or isinstance(request, PtyRequest)
        reason = self._taken_away(request)
        if reason is not None:
            return Refuse(reason)
        if isinstance(request, ShellRequest | ExecRequest | SubsystemRequest):
            return self._program(slot, request)
        return slot.machine.decide(request)

    def _taken_away(self, request: SessionRequest) -> str | None:
        """Why the key that somebody came in with does not let them have that."""
        match request:
            case PtyRequest() if not self._restrictions.pty:
                return "the key takes the terminal away"
            case X11Request():
                if not self._restrictions.x11_forwarding:
                    return "the key takes X11 forwarding away"
                return self._host.why_no_x11(self._visitor)
            case AgentRequest():
                if not self._restrictions.agent_forwarding:
                    return "the key takes agent forwarding away"
                return self._host.why_no_agent(self._visitor)
        return None

    def _program(self, slot: _Slot, request: Asked) -> Answer:
        """A key's command stands in for whatever is asked for, also for a subsystem."""
        forced = self._restrictions.command
        if forced is not None:
            slot.original = original_command(request)
            return slot.machine.decide(ExecRequest(forced))
        if isinstance(request, SubsystemRequest) and not self._serves(request.name):
            return Refuse(f"no app here serves the subsystem {clean(request.name, limit=40)}")
        return slot.machine.decide(request)

    def _serves(self, subsystem: str) -> bool:
        app = self._host.subsystem_app(subsystem)
        if app is None and subsystem == SFTP:
            return bool(self._host.file_apps(self._visitor))
        return app is not None and self._host.may_open(self._visitor, app.name)

    def replied(self, channel: ByteChannel, request: SessionRequest) -> None:
        """The client knows that its program was granted: it starts, on a thread of its own."""
        slot = self._slots.get(channel.number)
        if slot is None or slot.machine.program is None or slot.program is not None:
            return
        machine, account = slot.machine, self._visitor
        env = {**machine.env, **dict(self._restrictions.environment), **slot.original}
        facts = facts_of(machine.pty, env)
        if machine.pty is not None:
            facts = facts.resized(machine.size)
        where = self._route(slot.machine.program, facts.pty, person=slot.wants_pty)
        log = self._log.bound(chan=channel.number)
        log.info(Event.SESSION_START, route=type(where).__name__, term=facts.term)
        visit = Visit(account, self.peer, where, facts, env, self._resources(machine, log))
        slot.program = Program(self._host, channel, visit, log)
        slot.program.start(f"app-{self.number}-{channel.number}")

    def _resources(self, machine: SessionMachine, log: EventLog) -> ClientResources:
        display, agent = None, None
        if machine.x11 is not None:
            display = Display(self.link, machine.x11, self._forwarding.pump, log)
        if machine.agent:
            agent = ClientAgent(self.link, log)
        return ClientResources(display, agent)

    def _route(self, program: Asked, pty: bool, *, person: bool) -> Route:
        account = self._visitor
        where = route(
            program,
            # The app in the name is the client's wish; a key's command is not theirs to bend.
            target=None if self._restrictions.command is not None else account.target,
            default=self._host.default_app,
            apps=self._host.names_for(account),
            pty=pty,
            # Who asked for a terminal and may have none is a person all the same.
            script=() if person else self._host.script_for(account),
        )
        if isinstance(where, RunCommand):
            command = next((word for word in where.words if not word.startswith("-")), None)
            if command is not None and not self._host.may_run(account, where.app, command):
                return BadCommand(f"{where.app} {clean(command, limit=40)} is not yours to run")
        return where

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
        match request:
            case RemoteForward() | RemoteStreamlocal():
                return self._forwarding.listen(request)
            case CancelRemoteForward() | CancelRemoteStreamlocal():
                return self._forwarding.cancel(request)
            case OtherGlobal():
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
