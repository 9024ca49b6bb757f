"""Where a granted program leads, and what it knows of its client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tuihost import Accepts, App, Session, command
from tuihost.core.routing import BadCommand, NoSuchApp, OpenApp, OpenDisplay, Route, RunCommand
from tuihost.host.programs.visit import Granted, Visit, visit_of
from tuihost.host.relay.client_resources import ClientResources
from tuihost.testing import Hosted, hosted
from tuihost.wire import (
    ExecRequest,
    Identity,
    Peer,
    PtyRequest,
    Restrictions,
    ShellRequest,
    SubsystemRequest,
    WindowSize,
)

PEER = Peer("192.0.2.1", 4321)
PTY = PtyRequest("xterm", WindowSize(80, 24))


class Box(App):
    """Has commands, and shows itself on a display."""

    name = "box"
    accepts = Accepts(x11=True)

    @command
    def show(self, session: Session) -> None:
        """Shows it."""

    @command
    def drop(self, session: Session) -> None:
        """Drops it."""

    def x11(self, session: Session, display: Any) -> None: ...


class Chat(App):
    """Talks, and has no commands."""

    name = "chat"

    async def talk(self, session: Session) -> None: ...


@pytest.fixture(scope="module")
def host() -> Iterator[Hosted]:
    settings = {
        "roles": {"guest": {"commands": ["box show", "chat *"]}},
        "server.script": "box show",
        "server.default_app": "chat",
    }
    with hosted(Box(), Chat(), settings=settings) as host:
        yield host


def visit(
    host: Hosted,
    program: ShellRequest | ExecRequest | SubsystemRequest,
    *,
    target: str | None = None,
    restrictions: Restrictions | None = None,
    resources: ClientResources | None = None,
    **granted: Any,
) -> Visit:
    identity = Identity("ada", target, guest=True, factors=("none",), restrictions=restrictions)
    visitor = host.host.access.visitor(identity)
    given = {"pty": None, "size": WindowSize(), "env": {}, **granted}
    return visit_of(
        host.host, visitor, PEER, Granted(program, **given), resources or ClientResources()
    )


@pytest.mark.parametrize(
    ("program", "granted", "route"),
    [
        (ShellRequest(), {"pty": PTY}, OpenApp("chat")),
        (ShellRequest(), {}, RunCommand("box", ("show",))),
        (ShellRequest(), {"wanted_pty": True}, OpenApp("chat")),
        (ExecRequest("chat"), {"pty": PTY}, OpenApp("chat")),
        (ExecRequest("chat"), {}, OpenApp("chat")),
        (ExecRequest("box"), {}, RunCommand("box", ())),
        (ExecRequest("box show"), {"pty": PTY}, RunCommand("box", ("show",))),
        (ExecRequest("box drop"), {}, BadCommand("you may not run box drop")),
        (ExecRequest("box -- drop"), {}, BadCommand("you may not run box drop")),
        (ExecRequest("box --help drop"), {}, RunCommand("box", ("--help", "drop"))),
        (ExecRequest("nots"), {}, NoSuchApp("nots")),
    ],
)
def test_where_it_leads(host: Hosted, program: Any, granted: dict[str, Any], route: Route) -> None:
    assert visit(host, program, **granted).route == route


def test_an_app_shows_itself_on_the_display_of_somebody_who_has_one(host: Hosted) -> None:
    display: Any = object()
    brought = ClientResources(display=display)
    assert visit(host, ExecRequest("box"), resources=brought).route == OpenDisplay("box")
    assert visit(host, ExecRequest("chat"), resources=brought).route == OpenApp("chat")


def test_a_keys_command_takes_no_notice_of_the_name(host: Hosted) -> None:
    forced = Restrictions(command="box show", environment=(("LANG", "de"),))
    here = visit(
        host,
        ExecRequest("box show"),
        target="chat",
        restrictions=forced,
        asked=SubsystemRequest("sftp"),
        env={"LANG": "fr", "TZ": "UTC"},
    )
    assert here.route == RunCommand("box", ("show",))
    assert here.env == {"LANG": "de", "TZ": "UTC", "SSH_ORIGINAL_COMMAND": "sftp"}


def test_a_terminal_is_as_large_as_its_window_is_now(host: Hosted) -> None:
    here = visit(host, ShellRequest(), pty=PTY, size=WindowSize(100, 30))
    assert (here.facts.size, here.facts.term, here.peer) == (WindowSize(100, 30), "xterm", PEER)


@pytest.mark.parametrize(
    ("asked", "env"),
    [
        (ExecRequest("rm -r /"), {"SSH_ORIGINAL_COMMAND": "rm -r /"}),
        (SubsystemRequest("sftp"), {"SSH_ORIGINAL_COMMAND": "sftp"}),
        (ShellRequest(), {}),
    ],
)
def test_a_keys_command_is_told_what_was_asked_for(
    host: Hosted, asked: Any, env: dict[str, str]
) -> None:
    assert visit(host, ExecRequest("box show"), asked=asked).env == env
