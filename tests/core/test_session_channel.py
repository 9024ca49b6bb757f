"""One session channel, from its first request to the close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuihost.core.environment import MAX_ENV, MAX_ENV_BYTES
from tuihost.core.session_channel import (
    MAX_TERM,
    SessionMachine,
    State,
    forced,
    why_refused,
)
from tuihost.core.x11_setup import COOKIE, MAX_SCREEN
from tuihost.wire import (
    AgentRequest,
    EnvRequest,
    ExecRequest,
    Grant,
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

PTY = PtyRequest("xterm", WindowSize(100, 30), {1: 3})
SHELL, EXEC, SUBSYSTEM = ShellRequest(), ExecRequest("ls"), SubsystemRequest("sftp")
LANG = EnvRequest("LANG", "C")
X11 = X11Request(False, COOKIE, "00" * 16, 0)
AGENT = AgentRequest()


def decided(requests: Sequence[SessionRequest]) -> list[bool]:
    """Which were granted, of a session that keeps LANG and LC_*."""
    machine = SessionMachine(("LANG", "LC_*"))
    return [isinstance(machine.decide(request), Grant) for request in requests]


@pytest.mark.parametrize(
    ("requests", "granted"),
    [
        # What is set up before the program, in any order.
        ((PTY, LANG, X11, AGENT, SHELL), [True] * 5),
        ((LANG, PTY, EXEC), [True] * 3),
        ((AGENT, AGENT, SUBSYSTEM), [True] * 3),
        # One program, ever.
        ((SHELL, SHELL), [True, False]),
        ((EXEC, SUBSYSTEM), [True, False]),
        ((SUBSYSTEM, EXEC), [True, False]),
        # Nothing is set up after it.
        ((SHELL, PTY, LANG, X11, AGENT), [True, False, False, False, False]),
        # One terminal and one display.
        ((PTY, PTY, SHELL), [True, False, True]),
        ((X11, X11, SHELL), [True, False, True]),
        # A refusal leaves everything as it was.
        ((EnvRequest("PATH", "/"), EnvRequest("LANG", "C"), SHELL), [False, True, True]),
    ],
)
def test_what_is_granted_in_which_order(
    requests: tuple[SessionRequest, ...], granted: list[bool]
) -> None:
    assert decided(requests) == granted


def test_what_was_granted_is_remembered() -> None:
    machine = SessionMachine(("LANG",))
    for request in (PTY, LANG, X11, AGENT, EXEC):
        assert machine.decide(request) == Grant()
    assert (machine.pty, machine.env, machine.x11) == (PTY, {"LANG": "C"}, X11)
    assert (machine.agent, machine.program, machine.size) == (True, EXEC, PTY.size)
    assert machine.state is State.RUNNING


def test_a_closed_session_grants_nothing() -> None:
    machine = SessionMachine(())
    machine.close()
    assert machine.decide(SHELL) == Refuse("the session is closed already")
    assert machine.program is None


@pytest.mark.parametrize(
    ("term", "kept"),
    [
        ("xterm-256color", "xterm-256color"),
        ("", ""),
        ("a" * MAX_TERM, "a" * MAX_TERM),
        ("a" * (MAX_TERM + 1), "unknown"),
        ("xterm\x1b[2J", "unknown"),
        ("x y", "unknown"),
    ],
)
def test_the_name_of_a_terminal_is_a_name(term: str, kept: str) -> None:
    machine = SessionMachine(())
    assert machine.decide(PtyRequest(term, WindowSize())) == Grant()
    assert machine.pty is not None
    assert machine.pty.term == kept


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (EnvRequest("LC_ALL", "C"), None),
        (EnvRequest("LANG", ""), None),
        (EnvRequest("LC_X", "x" * MAX_ENV_BYTES), None),
        (EnvRequest("LC_X", "x" * (MAX_ENV_BYTES + 1)), "too long"),
        (EnvRequest("LC_X", "a\0b"), "NUL"),
        (EnvRequest("LC_=X", "a"), "not the name of a variable"),
        (EnvRequest("", "a"), "not the name of a variable"),
        (EnvRequest("1LANG", "a"), "not the name of a variable"),
        (EnvRequest("PATH", "/tmp"), "no app asks"),
    ],
)
def test_which_variables_are_kept(request_: EnvRequest, why: str | None) -> None:
    machine = SessionMachine(("LANG", "LC_*"))
    answer = machine.decide(request_)
    if why is None:
        assert answer == Grant()
        assert machine.env == {request_.name: request_.value}
    else:
        assert isinstance(answer, Refuse)
        assert why in answer.reason
        assert machine.env == {}


def test_variables_are_counted_and_may_be_changed() -> None:
    machine = SessionMachine(("LC_*",))
    for number in range(MAX_ENV):
        assert machine.decide(EnvRequest(f"LC_{number}", "")) == Grant()
    assert machine.decide(EnvRequest("LC_MORE", "")) == Refuse("too many variables")
    assert machine.decide(EnvRequest("LC_0", "changed")) == Grant()
    assert (len(machine.env), machine.env["LC_0"]) == (MAX_ENV, "changed")


@pytest.mark.parametrize(
    "request_",
    [
        X11Request(False, "XDM-AUTHORIZATION-1", "00" * 16, 0),
        X11Request(False, COOKIE, "", 0),
        X11Request(False, COOKIE, "no hex", 0),
        X11Request(False, COOKIE, "00" * 16, MAX_SCREEN + 1),
    ],
)
def test_a_display_that_nobody_could_use_is_refused(request_: X11Request) -> None:
    machine = SessionMachine(())
    assert isinstance(machine.decide(request_), Refuse)
    assert machine.x11 is None


def test_a_display_can_have_as_many_screens_as_a_byte_says() -> None:
    last = X11Request(False, COOKIE, "00" * 16, MAX_SCREEN)
    assert SessionMachine(()).decide(last) == Grant()


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ((), WindowSize(80, 24)),
        ((WindowChange(120, 40),), WindowSize(120, 40)),
        ((WindowChange(120, 40), WindowChange(0, 50)), WindowSize(120, 50)),
        ((WindowChange(0, 0),), WindowSize(80, 24)),
        ((WindowChange(2**32 - 1, 2**32 - 1),), WindowSize(500, 100)),
    ],
)
def test_a_size_can_be_drawn_whatever_is_sent(
    changes: tuple[WindowChange, ...], size: WindowSize
) -> None:
    machine = SessionMachine(())
    for change in changes:
        assert machine.resize(change) == WindowSize.clamped(
            change.columns, change.rows, machine.size
        )
    assert machine.size == size


def test_a_size_may_come_before_the_terminal_and_after_the_program() -> None:
    machine = SessionMachine(())
    machine.resize(WindowChange(90, 20))
    assert machine.decide(PTY) == Grant()
    assert machine.size == PTY.size
    machine.decide(SHELL)
    assert machine.resize(WindowChange(70, 20)) == WindowSize(70, 20)


REQUESTS: tuple[SessionRequest, ...] = (PTY, LANG, X11, AGENT, SHELL, EXEC, SUBSYSTEM)


@given(st.lists(st.sampled_from(REQUESTS), max_size=20))
def test_no_order_gives_two_programs_or_a_change_after_one(
    requests: list[SessionRequest],
) -> None:
    granted = decided(requests)
    programs = [
        at
        for at, (request, yes) in enumerate(zip(requests, granted, strict=True))
        if yes and isinstance(request, ShellRequest | ExecRequest | SubsystemRequest)
    ]
    assert len(programs) <= 1
    if programs:
        assert not any(granted[programs[0] + 1 :])


X11_REQUEST = X11Request(False, "MIT-MAGIC-COOKIE-1", "ab", 0)
SWITCHES = ("pty", "x11_forwarding", "agent_forwarding")
NOTHING = Restrictions()


@pytest.mark.parametrize(
    ("request_", "switch", "reason"),
    [
        (PtyRequest("xterm", WindowSize()), "pty", "the key does not allow a terminal"),
        (X11_REQUEST, "x11_forwarding", "the key does not allow X11 forwarding"),
        (AgentRequest(), "agent_forwarding", "the key does not allow agent forwarding"),
    ],
)
def test_a_key_refuses_what_it_takes_away_and_nothing_else(
    request_: SessionRequest, switch: str, reason: str
) -> None:
    assert why_refused(replace(NOTHING, **{switch: False}), request_) == reason
    others = {each: False for each in SWITCHES if each != switch}
    assert why_refused(replace(NOTHING, **others), request_) is None
    assert why_refused(replace(NOTHING, **{switch: False}), ShellRequest()) is None


def test_a_keys_command_is_what_runs() -> None:
    assert forced(NOTHING) is None
    assert forced(Restrictions(command="menu")) == ExecRequest("menu")
