"""What the key of a login takes away: of a session, and by a line and a certificate together."""

from __future__ import annotations

from tuihost.wire import (
    AgentRequest,
    ExecRequest,
    ProgramRequest,
    PtyRequest,
    Restrictions,
    SessionRequest,
    X11Request,
)


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


def together(first: Restrictions, second: Restrictions) -> Restrictions | None:
    """What is taken away by either; None if they want different commands. Where both set one
    variable of the environment, the first counts."""
    commands = {first.command, second.command} - {None}
    if len(commands) > 1:
        return None
    return Restrictions(
        command=commands.pop() if commands else None,
        environment=tuple({**dict(second.environment), **dict(first.environment)}.items()),
        pty=first.pty and second.pty,
        port_forwarding=first.port_forwarding and second.port_forwarding,
        x11_forwarding=first.x11_forwarding and second.x11_forwarding,
        agent_forwarding=first.agent_forwarding and second.agent_forwarding,
        permit_open=_common(first.permit_open, second.permit_open),
        permit_listen=_common(first.permit_listen, second.permit_listen),
        conditional=first.conditional or second.conditional,
    )


def _common(
    first: tuple[str, ...] | None, second: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    """What both permit; None is everything."""
    if first is None or second is None:
        return second if first is None else first
    return tuple(target for target in first if target in second)
