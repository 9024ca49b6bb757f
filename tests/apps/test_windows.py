"""Windows without a display: what is offered, and what is said where nothing can be shown."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from prompt_toolkit.application import Application

from apps.windows import screen as windows_screen
from apps.windows.drawn import Note
from apps.windows.programs import Program, Programs, Running
from apps.windows.screen import WindowsScreen
from tests.log import SILENT
from tests.tui.screen import make_session, play
from tests.waiting import DEADLINE, until
from tuihost import NotOpened, Session, TookTooMuch, X11Display
from tuihost.core.budget.ledger import FREE, Holder, Kind, Lease, Share
from tuihost.core.x11_setup import COOKIE
from tuihost.host.budget.budget import Budget
from tuihost.host.relay import display_files
from tuihost.host.relay.end_actions import EndActions
from tuihost.host.relay.x11_display import ClientDisplay
from tuihost.testing import Hosted, hosted
from tuihost.testing.hosted import hang_up

PROGRAMS = {"sleep": "sleep 1", "words": "echo 'two words'"}


@pytest.fixture
def host() -> Iterator[Hosted]:
    settings = {"app.windows.programs": PROGRAMS, "server.default_app": "windows"}
    with hosted(bundled=["windows"], settings=settings) as host:
        yield host


def test_the_programs_are_listed(host: Hosted) -> None:
    assert host.run("windows list").text.split() == ["sleep", "words"]
    assert json.loads(host.run("windows list --json").stdout) == [
        {"name": "sleep"},
        {"name": "words"},
    ]


def test_without_a_display_it_says_how_to_get_one(host: Hosted) -> None:
    said = host.run("windows run sleep")
    assert (said.status, said.stdout) == (69, b"")
    assert "ssh -X" in said.errors


def test_a_program_that_nobody_offers(host: Hosted) -> None:
    said = host.run("windows run 'rm\x1b[31m'")
    assert said.status == 2
    assert "windows list" in said.errors
    assert "\x1b" not in said.errors


def test_a_program_that_does_not_start_is_said(
    host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> Any:
        raise NotOpened("no display is free on the host")

    monkeypatch.setattr(display_files, "_take_number", none)
    transport = host.connect()
    channel = transport.open_session(timeout=DEADLINE)
    channel.request_x11(0, COOKIE, "00" * 16, False, lambda *_: None)
    channel.exec_command("windows run sleep")
    said = channel.makefile_stderr("rb").read()
    assert said == b"sleep does not start: no display is free on the host\n"
    assert channel.recv_exit_status() == 1
    hang_up(transport)


def test_line_by_line_and_on_a_screen(host: Hosted) -> None:
    with host.lines() as pilot:
        pilot.wait_for("words").wait_for("ssh -X")
        assert pilot.wait_end() == 0
    with host.open("windows") as pilot:
        pilot.wait_for("sleep").wait_for("words")
        pilot.wait_for("connect with: ssh -X -t -p 8022 ada@localhost windows")
        pilot.type("wo").wait_gone("sleep").wait_for("▌ words")
        pilot.press("escape").wait_for("sleep").press("c-c")
        assert pilot.wait_end() == 0


def test_a_program_that_is_not_there_breaks_the_app() -> None:
    programs = {"ghost": "no-such-program-anywhere"}
    with hosted(bundled=["menu", "windows"], settings={"app.windows.programs": programs}) as host:
        (broken,) = host.host.catalog.broken
        assert (broken.name, "'no-such-program-anywhere'" in broken.reason) == ("windows", True)


class StubDisplay:
    """A display that nothing is shown on."""

    def __init__(self, share: Share = FREE) -> None:
        self.share = share
        self.ending = EndActions()

    def take_place(self) -> Lease:
        return ClientDisplay.take_place(cast(ClientDisplay, self))

    def environment(self) -> dict[str, str]:
        return {}

    def on_close(self, action: Callable[[], None]) -> Callable[[], None]:
        return self.ending.add(action)


def display_of(budget: Budget, connection: int, guest: str = "eve") -> X11Display:
    holder = Holder(connection, guest, "192.0.2.1")
    return cast(X11Display, StubDisplay(budget.share(holder, SILENT)))


WAITS = Program("waits", ("sleep", "60"))


def test_the_programs_of_all_sessions_of_a_person_count_together() -> None:
    budget = Budget()
    sessions = [Programs(display_of(budget, number), make_session()) for number in range(2)]
    with pytest.raises(OSError, match="no-such-program"):
        sessions[0].start(Program("ghost", ("no-such-program",)))  # takes no place
    running = [sessions[number % 2].start(WAITS) for number in range(8)]
    try:
        for session in sessions:
            with pytest.raises(TookTooMuch, match="no more than 8 programs with windows that one"):
                session.start(WAITS)
    finally:
        for program in running:
            program.stop()
    for program in running:
        program.wait()
    until(lambda: budget.held(Kind.WINDOWS) == 0, "the places, which other threads give back")


def test_the_display_remembers_no_program_that_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    display, stopped, over = StubDisplay(), list[Running](), threading.Semaphore(0)
    monkeypatch.setattr(Running, "stop", lambda running: stopped.append(running))
    programs = Programs(cast(X11Display, display), make_session())
    programs.start(Program("ends", ("true",)), lambda _: over.release())
    assert over.acquire(timeout=DEADLINE)
    runs = programs.start(WAITS, lambda _: over.release())
    display.ending.end()
    runs.end()
    assert over.acquire(timeout=DEADLINE)
    assert stopped == [runs]


def test_a_guest_with_many_names_gets_no_more_programs() -> None:
    budget = Budget()
    places = [
        display_of(budget, connection, guest).take_place()
        for connection, guest in enumerate(("eve", "mallory", "trudy"))
        for _ in range(4)
    ]
    with pytest.raises(TookTooMuch, match="no more than 12 programs with windows that people from"):
        display_of(budget, 4, "oscar").take_place()
    places[0].give_back()
    display_of(budget, 4, "oscar").take_place()


def test_a_window_that_the_app_draws_itself_takes_a_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    budget, shown = Budget(), threading.Semaphore(0)
    display = display_of(budget, 1)

    def run(note: Note) -> None:
        assert shown.acquire(timeout=DEADLINE)

    monkeypatch.setattr(Note, "run", run)
    monkeypatch.setattr(windows_screen, "can_draw", lambda: True)
    session = make_session()
    session.display = display
    with play(lambda: WindowsScreen(session, []).app, session) as me:
        for _ in range(9):
            me.press("enter")
            me.wait(2.0)  # the key is let go
        held, text = budget.held(Kind.WINDOWS), me.text
        shown.release(9)
        until(lambda: budget.held(Kind.WINDOWS) == 0, "the end of the windows")
    assert held == 8
    assert "no more than 8 programs with windows" in text


def test_without_a_thread_to_wait_for_it_no_program_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    budget = Budget()
    programs = Programs(display_of(budget, 1), make_session())
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", full)
        with pytest.raises(OSError, match="no thread left"):
            programs.start(WAITS)
    assert budget.held(Kind.WINDOWS) == 0
    assert programs.running == []
    running = programs.start(WAITS)
    running.stop()
    running.wait()


def with_a_program() -> tuple[Session, Callable[[], Application[Any]], list[WindowsScreen]]:
    """A session with a display, what builds its screen, and where that then is."""
    session = make_session()
    session.display = cast(X11Display, StubDisplay())
    screens: list[WindowsScreen] = []

    def build() -> Application[Any]:
        screens.append(WindowsScreen(session, [WAITS]))
        return screens[0].app

    return session, build, screens


def test_enter_that_is_held_down_opens_one_program() -> None:
    session, build, screens = with_a_program()
    with play(build, session) as me:
        me.press("enter")
        me.hold("enter", 5)
        programs = screens[0].programs
        assert programs is not None
        running = list(programs.running)
        for program in running:
            program.stop()
        for thread in threading.enumerate():
            if thread.name == "windows-wait":  # it tells the screen, which has to be there
                thread.join(DEADLINE)
    assert len(running) == 1


def test_a_program_needs_the_right_of_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    session, build, screens = with_a_program()
    monkeypatch.setattr(session, "may_run", lambda command: command != "run")
    with play(build, session) as me:
        me.press("enter")
        programs = screens[0].programs
        assert programs is not None
        assert programs.running == []
        assert "You may not run windows run." in me.text
