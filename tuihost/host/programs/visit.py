"""A Visit: what is known of somebody when their program begins, and where it leads.

Thread: the program's. What the transport's thread hands over is frozen (`Granted`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tuihost.commands.running import CommandLine
from tuihost.core.familiar_words import host_command
from tuihost.core.routing import (
    BadCommand,
    OpenApp,
    OpenDisplay,
    Route,
    RunCommand,
    has_shell_word,
    route,
    shell_operator,
    words_for_a_shell,
)
from tuihost.host.access import NotAllowed
from tuihost.host.host import Host
from tuihost.host.login.visitor import Visitor
from tuihost.host.relay.client_resources import ClientResources
from tuihost.session.host_view import Account, ssh_target_of
from tuihost.session.session import Closes, nothing_closes
from tuihost.terminal_facts import TerminalFacts, facts_of
from tuihost.wire import (
    ExecRequest,
    Peer,
    ProgramRequest,
    PtyRequest,
    SubsystemRequest,
    WindowSize,
    X11Request,
)

SHELL, RUN_LINE = "shell", "-c"
MAX_SHOWN_LINE = 60  # characters
_UNPLAIN = re.compile(r"""['"$`\\!]|[^ -~]""")  # not the same between two pairs of quotes


@dataclass(frozen=True, slots=True)
class Visit:
    """What is known of somebody when their program begins. `line` is the command that runs, if
    `route` is one. `hint` is for somebody whose command fails, and empty if there is nothing to
    say; it explains the errors about the words in `misread`. If it is `always_hinted`, those whose
    command succeeds are told as well: it took the words of a shell for its own. `closes` says what
    closes when the program ends: the addresses of the person's remote forwards, if nothing else
    runs for them on the same connection. Any thread may call it."""

    account: Account
    peer: Peer
    route: Route
    facts: TerminalFacts
    env: Mapping[str, str] = field(default_factory=dict)
    resources: ClientResources = field(default_factory=ClientResources)
    line: CommandLine | None = None
    hint: str = ""
    misread: tuple[str, ...] = ()
    always_hinted: bool = False
    closes: Closes = nothing_closes


@dataclass(frozen=True, slots=True)
class Granted:
    """What a client was granted on a session channel, up to its program. `asked` is its own request
    if its key runs another command instead; `wanted_pty` is true even if the terminal that it asked
    for was refused."""

    program: ProgramRequest
    pty: PtyRequest | None
    size: WindowSize
    env: Mapping[str, str]
    x11: X11Request | None = None
    agent: bool = False
    asked: ProgramRequest | None = None
    wanted_pty: bool = False


def visit_of(
    host: Host,
    visitor: Visitor,
    peer: Peer,
    granted: Granted,
    resources: ClientResources,
    closes: Closes = nothing_closes,
) -> Visit:
    """The visit of somebody who was granted a program."""
    env = {**granted.env, **dict(visitor.restrictions.environment)}
    if granted.asked is not None:
        env |= _original_command(granted.asked)
    facts = facts_of(granted.pty, env)
    if granted.pty is not None:
        facts = facts.resized(granted.size)
    where = _route(host, visitor, granted, facts.pty)
    line = None
    if isinstance(where, RunCommand):
        resolved = host.access.resolved(visitor, where.app, where.words)
        if isinstance(resolved, NotAllowed):
            by_host = host_command(where.app, where.words)
            where = BadCommand(resolved.reason) if by_host is None else by_host
        elif not where.words:
            where = _without_words(host, where, resources)
        line = resolved if isinstance(resolved, CommandLine) else None
    hint, misread = _hint(host, visitor, granted.program)
    always = bool(hint) and line is not None and _is_for_a_shell(visitor, granted.program)
    return Visit(visitor, peer, where, facts, env, resources, line, hint, misread, always, closes)


def _hint(host: Host, visitor: Visitor, program: ProgramRequest) -> tuple[str, tuple[str, ...]]:
    """For a command line that is meant for a shell, how to have the shell here run it, and the
    words that the command was given instead."""
    if not isinstance(program, ExecRequest) or visitor.restrictions.command is not None:
        return "", ()
    line, operator = program.command, shell_operator(program.command)
    if not operator or SHELL not in visitor.apps or not visitor.may_run(SHELL, RUN_LINE):
        return "", ()
    target = ssh_target_of(host.ssh_target, visitor.name)
    shown = "…" if _UNPLAIN.search(line) or len(line) > MAX_SHOWN_LINE else line
    hint = f"{operator} works in the shell: ssh {target} {SHELL} {RUN_LINE} \"'{shown}'\""
    return hint, words_for_a_shell(line)


def _is_for_a_shell(visitor: Visitor, program: ProgramRequest) -> bool:
    """Whether a line was hardly meant for the command alone that it calls. Behind the name of an
    app (`user+notes@host`) the shell here would not understand it either."""
    line = program.command if isinstance(program, ExecRequest) else ""
    return visitor.target is None and has_shell_word(line)


def _original_command(program: ProgramRequest) -> dict[str, str]:
    """What a client asked to run, for the command that a key runs instead, in the variable of
    sshd(8)."""
    match program:
        case ExecRequest(command=line):
            return {"SSH_ORIGINAL_COMMAND": line}
        case SubsystemRequest(name=name):
            return {"SSH_ORIGINAL_COMMAND": name}
        case _:
            return {}


def _route(host: Host, visitor: Visitor, granted: Granted, pty: bool) -> Route:
    return route(
        granted.program,
        # The app in the name is the client's wish; a key's command is not theirs to bend.
        target=None if visitor.restrictions.command is not None else visitor.target,
        default=host.default_app,
        apps=host.access.names_for(visitor),
        pty=pty,
        # Somebody who asked for a terminal in vain is a person all the same.
        script=() if granted.wanted_pty else host.access.script_for(visitor),
    )


def _without_words(host: Host, where: RunCommand, resources: ClientResources) -> Route:
    """For an app's name alone, without a terminal: the app shows itself on the person's display, or
    is opened line by line if it has no commands."""
    app = host.catalog.apps[where.app].app
    if app.has_x11 and app.accepts.x11 and resources.display is not None:
        return OpenDisplay(where.app)
    if app.has_talk and not app.command_methods():
        return OpenApp(where.app)
    return where
