"""One session channel from open to close, as a state machine without I/O.

The rules (RFC 4254 §6, and OpenSSH's session.c where the RFC is silent):
1. A session is LARVAL until a program is granted; it gets one program, ever (§6.5).
2. pty, env, X11 and agent requests are legal only while it is larval, a pty only once.
3. Window changes, signals and breaks are legal at any time and change nothing but themselves.
4. Every count and every length is bounded; what is beyond is refused and costs nothing more.
5. What the key of the login takes away is refused (`why_refused`), and the key's command stands in
   for whatever program is asked for (`forced`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import Enum

from tuihost.core.environment import why_not_kept
from tuihost.core.x11_setup import MAX_SCREEN, cookie_of
from tuihost.wire import (
    AgentRequest,
    Answer,
    EnvRequest,
    ExecRequest,
    Grant,
    ProgramRequest,
    PtyRequest,
    Refuse,
    Restrictions,
    SessionRequest,
    ShellRequest,
    SubsystemRequest,
    WindowChange,
    WindowSize,
    X11Request,
)

MAX_TERM = 64
_TERM = re.compile(r"[A-Za-z0-9._+-]*")


class State(Enum):
    """How far a session has come."""

    LARVAL = "larval"
    RUNNING = "running"
    CLOSED = "closed"


@dataclass(slots=True)
class SessionMachine:
    """Judges what one session channel asks for and remembers what was granted.

    Thread: the transport's. `env_patterns` are the names of variables that some app wants.
    """

    env_patterns: tuple[str, ...]
    state: State = State.LARVAL
    pty: PtyRequest | None = None
    env: dict[str, str] = field(default_factory=dict)
    program: ProgramRequest | None = None
    size: WindowSize = WindowSize()
    x11: X11Request | None = None
    agent: bool = False

    def decide(self, request: SessionRequest) -> Answer:
        """The answer to `request`, which is in force from then on where it is a `Grant`."""
        if self.state is not State.LARVAL:
            return Refuse(f"the session is {self.state.value} already")
        match request:
            case PtyRequest():
                return self._pty(request)
            case EnvRequest():
                return self._env(request)
            case ShellRequest() | ExecRequest() | SubsystemRequest():
                self.program = request
                self.state = State.RUNNING
                return Grant()
            case X11Request():
                return self._x11(request)
            case AgentRequest():
                self.agent = True
                return Grant()

    def resize(self, change: WindowChange) -> WindowSize:
        """The size that `change` comes to; before a pty too (some clients send it early)."""
        self.size = WindowSize.clamped(change.columns, change.rows, self.size)
        return self.size

    def close(self) -> None:
        """Nothing is granted any more."""
        self.state = State.CLOSED

    def _pty(self, request: PtyRequest) -> Answer:
        if self.pty is not None:
            return Refuse("the session has a terminal already")
        term = request.term
        if len(term) > MAX_TERM or not _TERM.fullmatch(term):
            # A name that no terminal has: the session is still of use, line by line.
            term = "unknown"
        self.size = request.size
        self.pty = replace(request, term=term)
        return Grant()

    def _env(self, request: EnvRequest) -> Answer:
        reason = why_not_kept(request, self.env, self.env_patterns)
        if reason is not None:
            return Refuse(reason)
        self.env[request.name] = request.value
        return Grant()

    def _x11(self, request: X11Request) -> Answer:
        if self.x11 is not None:
            return Refuse("the session has a display already")
        if cookie_of(request.protocol, request.cookie) is None or request.screen > MAX_SCREEN:
            return Refuse("the display's cookie is of an unknown kind")
        self.x11 = request
        return Grant()


def why_refused(restrictions: Restrictions, request: SessionRequest) -> str | None:
    """Why a login with these restrictions cannot have that; None if it can."""
    match request:
        case PtyRequest() if not restrictions.pty:
            return "the key does not allow a terminal"
        case X11Request() if not restrictions.x11_forwarding:
            return "the key does not allow X11 forwarding"
        case AgentRequest() if not restrictions.agent_forwarding:
            return "the key does not allow agent forwarding"
        case _:
            return None


def forced(restrictions: Restrictions) -> ProgramRequest | None:
    """What runs whatever such a login asks for, a subsystem too; None if it may ask."""
    return None if restrictions.command is None else ExecRequest(restrictions.command)
