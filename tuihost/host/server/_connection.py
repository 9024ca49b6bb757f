"""A Connection: one client, from accept to close.

Thread: `run` and everything of `wire.Answerer` is the connection's transport thread, which
decides and never waits: programs run on threads of their own, and make there what they need.
`close`, `show_out` and `farewell` may come from any.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tuihost.core.budget.ledger import FREE, Exceeded, Kind, Lease, Share, Turn
from tuihost.core.exit_statuses import NO_ROOM
from tuihost.core.limits import TransportLimits
from tuihost.core.login.authentication import AuthMachine
from tuihost.core.session_channel import SessionMachine, forced, why_refused
from tuihost.host.budget.budget import metered, take_together
from tuihost.host.forwarding.forwards import Forwards
from tuihost.host.host import Host
from tuihost.host.login.visitor import Visitor
from tuihost.host.programs.program import Program
from tuihost.host.programs.visit import Granted, Visit, visit_of
from tuihost.host.relay.client_agent import ClientAgent
from tuihost.host.relay.client_resources import ClientResources
from tuihost.host.relay.x11_display import ClientDisplay
from tuihost.logs import Event, EventLog
from tuihost.ssh.keys.host_keys import HostKeys
from tuihost.ssh.packets.algorithms import Selection
from tuihost.ssh.transport import HostTransport
from tuihost.text import clean
from tuihost.wire import (
    AgentRequest,
    Answer,
    ByteChannel,
    CancelRemoteForward,
    Disconnect,
    ExecRequest,
    ExitStatus,
    GlobalRequest,
    Grant,
    Identity,
    Later,
    LaterReply,
    OpenDirect,
    OpenFailure,
    OpenRequest,
    OpenSession,
    OpenUnknown,
    OtherGlobal,
    Peer,
    ProgramRequest,
    PtyRequest,
    Refuse,
    RemoteForward,
    SessionEvent,
    SessionRequest,
    ShellRequest,
    Stream,
    SubsystemRequest,
    WindowChange,
    X11Request,
)

PARTING = 1.0
"""Seconds from the end of the programs to that of the connection: a client that runs nothing else
closes it by itself, once it has read how they ended."""
PROGRAM_MEMORY = 65_536
CELL_MEMORY = 64
"""Bytes of a program, and of each cell of its terminal."""
NO_THREAD = "The host can start nothing more at the moment. Try again later."


@dataclass(slots=True)
class _SessionChannel:
    """One session channel: what was granted on it, the room that it has taken for its program, or
    why there is none, and the program once that has started."""

    channel: ByteChannel
    machine: SessionMachine
    program: Program | None = None
    asked: ProgramRequest | None = None
    wanted_pty: bool = False
    room: Lease | Exceeded = FREE
    turn: Turn = FREE
    held: int = 0  # bytes of that room

    def memory(self) -> int:
        """Bytes that its program needs, about, with a frame of the terminal's size."""
        size = self.machine.size
        cells = size.columns * size.rows if self.machine.pty is not None else 0
        return PROGRAM_MEMORY + CELL_MEMORY * cells

    def take_room(self, share: Share) -> None:
        """Takes the thread and the memory that its program needs, and makes its turn."""
        self.turn = share.turn()
        self.held = self.memory()
        self.room = take_together(share, (Kind.THREADS, 1), (Kind.MEMORY, self.held))

    def grow(self) -> Exceeded | None:
        """Takes what its terminal has come to need since, or gives back what it no longer does."""
        if isinstance(self.room, Exceeded):
            return self.room
        needed = self.memory()
        exceeded = self.room.grow(needed - self.held)
        if exceeded is None:
            self.held = needed
        return exceeded

    def give_room_back(self, why: Exceeded) -> None:
        """Its program cannot run: it is told `why` once the client asks for it."""
        if not isinstance(self.room, Exceeded):
            self.room.give_back()
        self.room = why

    def granted(self, program: ProgramRequest) -> Granted:
        """What was granted, for the program's thread."""
        machine = self.machine
        return Granted(
            program,
            machine.pty,
            machine.size,
            dict(machine.env),
            machine.x11,
            machine.agent,
            self.asked,
            self.wanted_pty,
        )


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
        algorithms: Selection,
        spoke: Callable[[], None],
        ended: Callable[[Connection], None],
    ) -> None:
        self.number = number
        self.peer = peer
        self._host = host
        self._log = host.log.bound(conn=number)
        self._spoke = spoke
        self._ended = ended
        self._sessions: dict[int, _SessionChannel] = {}
        self._closing = False
        self._account: Visitor | None = None
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
            run=self.run,
            ended=self._parted,
            banner=banner,
            algorithms=algorithms,
        )

    def start(self) -> None:
        """Begins the transport thread."""
        self.link.start()

    # ---------------------------------------------------------------- from accept to close

    def run(self) -> None:
        """Shakes hands, logs in, serves channels. What it ends with is the link's to log:
        whatever is raised here passes through it."""
        self._log.info(Event.CONN_OPEN, peer=self.peer)
        self.link.identify()
        self.link.shake_hands(self._spoke)
        self.link.log_in()
        self.link.serve()

    def _parted(self) -> None:
        for session in tuple(self._sessions.values()):
            self.channel_closed(session.channel)
        if self._forwards is not None:
            self._forwards.close()
        self._host.go_out(self.number)
        self._ended(self)

    def close(self, reason: str) -> None:
        """Ends the connection now."""
        self.link.close(reason, Disconnect.BY_APPLICATION)

    # ---------------------------------------------------------------- login

    def logged_in(self, identity: Identity) -> None:
        log = self._log.bound(user=identity.user)
        visitor = self._host.come_in(self.number, identity, self.peer, self.show_out, log)
        self._account, self.link.share = visitor, visitor.share
        self._log = self.link.log = metered(log, visitor.share)
        self._forwards = Forwards(self._host, self.link, visitor, f"{self.number}", self._log)

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
            case OpenSession() if self._closing:
                return Refuse("this connection is closing", OpenFailure.RESOURCE_SHORTAGE)
            case OpenSession():
                return Grant()  # if there is no room for its program, it is told in its place
            case OpenUnknown(kind=kind):
                return Refuse(
                    f"no channels of kind {clean(kind, limit=40)} here", OpenFailure.UNKNOWN_KIND
                )
            case OpenDirect():
                return self._forwarding.open(request)

    def opened(self, request: OpenRequest, channel: ByteChannel) -> None:
        session = _SessionChannel(channel, SessionMachine(self._host.env_patterns))
        session.take_room(self._visitor.share)
        self._sessions[channel.number] = session

    def channel_closed(self, channel: ByteChannel) -> None:
        session = self._sessions.pop(channel.number, None)
        if session is not None:
            session.machine.close()
            if session.program is not None:
                session.program.gone()
            elif not isinstance(session.room, Exceeded):
                session.room.give_back()

    # ---------------------------------------------------------------- requests

    def request(self, channel: ByteChannel, request: SessionRequest) -> Answer:
        session = self._sessions.get(channel.number)
        if session is None:
            return Refuse("the session is closed")
        session.wanted_pty = session.wanted_pty or isinstance(request, PtyRequest)
        reason = self._taken_away(request)
        if reason is not None:
            return Refuse(reason)
        if isinstance(request, ShellRequest | ExecRequest | SubsystemRequest):
            return self._program(session, request)
        if isinstance(request, PtyRequest):
            return self._terminal(session, request)
        return session.machine.decide(request)

    def _terminal(self, session: _SessionChannel, request: PtyRequest) -> Answer:
        """A terminal whose frames find no room is granted, and its program is then told so."""
        answer = session.machine.decide(request)
        exceeded = session.grow()
        if exceeded is not None:
            session.give_room_back(exceeded)
        return answer

    def _taken_away(self, request: SessionRequest) -> str | None:
        """Why this person cannot have that: their key does not let them, or no app would use
        it."""
        reason = why_refused(self._visitor.restrictions, request)
        match request:
            case X11Request() if reason is None:
                return self._host.access.why_no_x11(self._visitor)
            case AgentRequest() if reason is None:
                return self._host.access.why_no_agent(self._visitor)
            case _:
                return reason

    def _program(self, session: _SessionChannel, request: ProgramRequest) -> Answer:
        """A key's command stands in for whatever is asked for."""
        instead = forced(self._visitor.restrictions)
        if instead is not None:
            session.asked = request
            return session.machine.decide(instead)
        if isinstance(request, SubsystemRequest) and not self._host.access.serves(
            self._visitor, request.name
        ):
            return Refuse(f"no app here serves the subsystem {clean(request.name, limit=40)}")
        return session.machine.decide(request)

    def replied(self, channel: ByteChannel, request: SessionRequest) -> None:
        """The client knows that its program was granted: it starts, on a thread of its own."""
        session = self._sessions.get(channel.number)
        if session is None or session.machine.program is None or session.program is not None:
            return
        room = session.room
        if isinstance(room, Exceeded):
            self._turn_away(session, room.sentence)
            return
        visit = partial(self._visit, session, session.granted(session.machine.program))
        session.program = Program(self._host, channel, visit, self._log, room, session.turn)
        try:
            session.program.start(f"app-{self.number}-{channel.number}")
        except RuntimeError as error:
            self._log.error(Event.HOST_ERROR, where="program", reason=str(error))
            self._turn_away(session, NO_THREAD)

    def _turn_away(self, session: _SessionChannel, sentence: str) -> None:
        """There is no room for its program: says so where the program's own errors would come."""
        end = "\n" if session.machine.pty is None else "\r\n"
        session.channel.write(f"{self._host.name}: {sentence}{end}".encode(), Stream.ERR)
        session.channel.finish(ExitStatus(NO_ROOM))

    def _visit(self, session: _SessionChannel, granted: Granted, log: EventLog) -> Visit:
        """What a program begins with. On its thread: all that is read here was settled at the
        login."""
        display, agent = None, None
        if granted.x11 is not None:
            share = self._visitor.share
            display = ClientDisplay(self.link, granted.x11, self._forwarding.pump, log, share)
        if granted.agent:
            agent = ClientAgent(self.link, log)
        resources = ClientResources(display, agent)
        closes = partial(self._closes_with, session)
        return visit_of(self._host, self._visitor, self.peer, granted, resources, closes)

    def _closes_with(self, session: _SessionChannel) -> tuple[str, ...]:
        """Which addresses of the client close when the program of `session` ends: none while others
        run on this connection, since the client stays for them. Any thread."""
        others = (program for program in self.programs() if program is not session.program)
        return () if any(map(Program.running, others)) else self._forwarding.open_to_others()

    def event(self, channel: ByteChannel, event: SessionEvent) -> None:
        session = self._sessions.get(channel.number)
        if session is None:
            return
        if isinstance(event, WindowChange):
            before, size = session.machine.size, session.machine.resize(event)
            if session.grow() is not None:  # no memory for a larger frame: it stays as it was
                session.machine.resize(WindowChange(before.columns, before.rows))
                return
            event = WindowChange(size.columns, size.rows)
        if session.program is not None:
            session.program.event(event)

    def global_request(self, request: GlobalRequest) -> Answer | LaterReply:
        match request:
            case RemoteForward():
                return self._forwarding.listen(request)
            case CancelRemoteForward():
                return self._forwarding.cancel(request)
            case OtherGlobal():
                return Refuse("that is not offered here")

    # ---------------------------------------------------------------- the host closes

    def show_out(self, sentence: str) -> None:
        """Closes the connection, and says why: everybody on it gets their terminal back first. It
        no longer counts as a login at once. Any thread."""
        self._host.go_out(self.number)
        self.farewell(sentence)
        self._host.watchdog.call_later(PARTING, partial(self.close, sentence))

    def farewell(self, sentence: str) -> None:
        """Shows everybody on this connection out; new sessions are refused. Any thread."""
        self._closing = True
        self.link.shown_out = sentence
        programs = self.programs()
        for program in programs:
            program.farewell(sentence)
        if not programs:
            self.close(sentence)

    def programs(self) -> tuple[Program, ...]:
        """What runs on this connection now. Any thread."""
        return tuple(
            session.program for session in tuple(self._sessions.values()) if session.program
        )
