"""The traps of prompt_toolkit in a server, one test a trap: what it does by itself, and what it
does not do here."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import io
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

import pytest
from prompt_toolkit.application import Application, create_app_session, get_app
from prompt_toolkit.application import application as ptk_application
from prompt_toolkit.input import DummyInput, create_pipe_input, typeahead
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout import FormattedTextControl, Layout, Window
from prompt_toolkit.output import ColorDepth, DummyOutput, create_output

from tests.waiting import DEADLINE
from tuihost import App, Session
from tuihost.testing import hosted
from tuihost.tui.server_actions import refuse_server_actions


class Probe(App):
    """Runs what a test gives it, in its Application."""

    name = "probe"
    title = "Probe"

    def __init__(self, act: Callable[[Application[Any], Session], Any] | None = None) -> None:
        self.act = act
        self.found: list[Any] = []
        self.application: Application[Any] | None = None

    def build(self, session: Session) -> Application[Any]:
        keys = KeyBindings()

        @keys.add("x")
        def _act(event: Any) -> None:
            assert self.act is not None
            self.found.append(self.act(event.app, session))
            event.app.invalidate()

        @keys.add("q")
        def _quit(event: Any) -> None:
            event.app.exit()

        self.application = Application(
            layout=Layout(Window(FormattedTextControl(lambda: f"ready {len(self.found)}"))),
            key_bindings=keys,
            full_screen=True,
        )
        return self.application


def play(act: Callable[[Application[Any], Session], Any]) -> Any:
    """What `act` returns when it is called inside a hosted Application."""
    probe = Probe(act)
    with hosted(probe) as host, host.open() as pilot:
        pilot.wait_for("ready 0").press("x").wait_for("ready 1").press("q").wait_end()
    return probe.found[0]


def plain(**options: Any) -> Application[Any]:
    return Application(layout=Layout(Window()), output=DummyOutput(), input=DummyInput(), **options)


# -------------------------------------------------------------------------- exception handler


def test_exception_handler() -> None:
    async def scene() -> str:
        application = plain()
        printed = io.StringIO()

        def fail() -> None:
            # What follows the print is a prompt for Enter, on the client's side, that never ends.
            application.loop.call_soon(application.exit)  # type: ignore[union-attr]
            raise ZeroDivisionError("secret of the server")

        async def run() -> None:
            with redirect_stdout(printed):
                task = asyncio.get_running_loop().create_task(application.run_async())
                await asyncio.sleep(0)
                asyncio.get_running_loop().call_soon(fail)
                await asyncio.wait([task], timeout=0.3)
                task.cancel()
                await asyncio.wait([task], timeout=1)

        await run()
        return printed.getvalue()

    assert "secret of the server" in asyncio.run(scene()), "it prints to the server's stdout"

    def fail(application: Any, session: Session) -> None:
        raise ZeroDivisionError("secret of the server")

    printed = io.StringIO()
    with redirect_stdout(printed), hosted(Probe(fail)) as host, host.open() as pilot:
        pilot.wait_for("ready 0").press("x").wait_for("because of an error")
        assert "secret" not in pilot.text
        assert isinstance(host.log.named("app.error")[0]["error"], ZeroDivisionError)
    assert printed.getvalue() == ""


# ------------------------------------------------------------------------------- size polling


def test_size_polling() -> None:
    assert plain().terminal_size_polling_interval == 0.5
    assert play(lambda app, session: app.terminal_size_polling_interval) is None


# ------------------------------------------------------------------------ server's environment


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("PROMPT_TOOLKIT_COLOR_DEPTH", "DEPTH_1_BIT")
    server_sided = create_output(stdout=io.StringIO(), always_prefer_tty=False)
    assert server_sided.get_default_color_depth() == ColorDepth.DEPTH_1_BIT
    assert play(lambda app, session: app.color_depth) == ColorDepth.DEPTH_8_BIT


# ------------------------------------------------------------------------------ server's stdin


def test_stdin() -> None:
    """The fallback itself is shown in test_ptk_input.py."""

    def descriptor(app: Any, session: Session) -> str:
        try:
            return f"descriptor {app.input.fileno()}"
        except NotImplementedError as error:
            return type(error).__name__

    assert play(descriptor) == "NotImplementedError"


# ----------------------------------------------------------------------------------- typeahead


def test_typeahead() -> None:
    typeahead.store_typeahead(DummyInput(), [])
    before = dict(typeahead._buffer)
    play(lambda app, session: typeahead.store_typeahead(app.input, []))
    assert dict(typeahead._buffer) == before, "the session's entry is still there"


# ----------------------------------------------------------------------------------- in_thread


def test_in_thread() -> None:
    session_variable: Any = ptk_application.get_app_session.__globals__["_current_app_session"]

    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        assert session_variable in contextvars.copy_context()
        application: Application[None] = Application(layout=Layout(Window()))
        application.run(in_thread=True, pre_run=application.exit)
    assert application.context is not None
    # Without a session of its own it falls back on the one of the process, as all others do.
    assert session_variable not in application.context

    sessions: list[Any] = []
    probe = Probe(lambda app, session: sessions.append((app, get_app(), app.context)))
    with hosted(probe) as host, host.open() as one, host.open() as two:
        one.wait_for("ready 0").press("x").wait_for("ready 1")
        two.wait_for("ready").press("x").wait_for("ready 2")
    (first, seen_first, _), (second, seen_second, _) = sessions
    assert first is seen_first
    assert second is seen_second
    assert first is not second


# ---------------------------------------------------------------------------- default executor


def test_default_executor() -> None:
    release = threading.Event()

    async def leave_a_job() -> None:
        asyncio.get_running_loop().run_in_executor(None, release.wait, 30)

    threading.Timer(0.2, release.set).start()
    begun = time.monotonic()
    asyncio.run(leave_a_job())
    assert time.monotonic() - begun > 0.15, "asyncio.run waits for the job, however long it lasts"

    release.clear()
    probe = Probe(lambda app, session: app.loop.run_in_executor(None, release.wait, 30) and None)
    try:
        with hosted(probe) as host, host.open() as pilot:
            pilot.wait_for("ready 0").press("x").wait_for("ready 1").press("q")
            assert pilot.wait_end(seconds=DEADLINE) == 0
            assert not release.is_set()
    finally:
        release.set()


# ----------------------------------------------------------------------------- breakpoint hook


def test_breakpoint_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "breakpointhook", sys.__breakpointhook__)

    async def scene() -> bool:
        with create_pipe_input() as pipe:
            application: Application[None] = Application(
                layout=Layout(Window()), input=pipe, output=DummyOutput()
            )
            hooks: list[Any] = []

            def look() -> None:
                hooks.append(sys.breakpointhook)
                application.exit()

            def begin() -> None:
                assert application.loop is not None
                application.loop.call_soon(look)

            await application.run_async(pre_run=begin)
            return hooks[0] is not sys.__breakpointhook__

    assert asyncio.run(scene()), "the first Application takes the whole process's hook"

    sys.breakpointhook = sys.__breakpointhook__
    refuse_server_actions()
    ours = sys.breakpointhook
    assert play(lambda app, session: sys.breakpointhook) is ours


# ------------------------------------------------------------------------------------- suspend


def test_suspend(monkeypatch: pytest.MonkeyPatch) -> None:
    by_itself = inspect.getsource(ptk_application)
    assert "signal = cast(int, _SIGTSTP)" in by_itself
    assert "os.kill(0, signal)" in by_itself, "it stops the process group of the server"
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *what: killed.append(what))
    play(lambda app, session: app.suspend_to_background())
    assert killed == []
