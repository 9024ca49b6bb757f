"""What two sources of restrictions take away together: a line and a certificate, or two keys."""

from __future__ import annotations

from tuihost.wire import Restrictions


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
        limited=first.limited or second.limited,
    )


def _common(
    first: tuple[str, ...] | None, second: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    """What both permit; None is everything."""
    if first is None or second is None:
        return second if first is None else first
    return tuple(target for target in first if target in second)
