"""Windows without a display: what is offered, and what is said where nothing can be shown."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from prompt_toolkit.application import Application

from apps.windows.programs import MAX_RUNNING, Places, Program, Programs
from apps.windows.screen import WindowsScreen
from tests.tui.screen import make_session, play
from tests.waiting import until
from tuihost import NotPossible, X11Display
from tuihost.testing import Hosted, hosted

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


def test_line_by_line_and_on_a_screen(host: Hosted) -> None:
    with host.lines() as pilot:
        pilot.wait_for("words").wait_for("ssh -X")
        assert pilot.wait_end() == 0
    with host.open("windows") as pilot:
        pilot.wait_for("sleep").wait_for("words")
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

    def environment(self) -> dict[str, str]:
        return {}

    def on_close(self, action: Callable[[], None]) -> None:
        pass


def test_the_programs_of_all_sessions_of_a_person_count_together() -> None:
    places, display = Places(), cast(X11Display, StubDisplay())
    sessions = [Programs(display, make_session(), places) for _ in range(2)]
    waits, ghost = Program("waits", ("sleep", "60")), Program("ghost", ("no-such-program",))
    with pytest.raises(OSError, match="no-such-program"):
        sessions[0].start(ghost)  # takes no place
    running = [sessions[number % 2].start(waits) for number in range(MAX_RUNNING)]
    try:
        for session in sessions:
            with pytest.raises(NotPossible, match="close one first"):
                session.start(waits)
    finally:
        for program in running:
            program.stop()
    ended = [program.wait() for program in running]
    assert len(ended) == MAX_RUNNING
    again = started(sessions[1], waits)
    again.stop()
    again.wait()


def test_without_a_thread_to_wait_for_it_no_program_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    places = Places()
    programs = Programs(cast(X11Display, StubDisplay()), make_session(), places)
    waits = Program("waits", ("sleep", "60"))
    for _ in range(MAX_RUNNING + 1):  # none of them takes a place
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", full)
            with pytest.raises(OSError, match="no thread left"):
                programs.start(waits)
    assert programs.running == []
    running = programs.start(waits)
    running.stop()
    running.wait()


def started(programs: Programs, program: Program) -> Any:
    """Starts it as soon as there is a place: they are given back on other threads."""
    found: list[Any] = []

    def tried() -> bool:
        try:
            found.append(programs.start(program))
        except NotPossible:
            return False
        return True

    until(tried, "a place for one more program")
    return found[0]


def test_enter_that_is_held_down_opens_one_program() -> None:
    session = make_session()
    session.display = cast(X11Display, StubDisplay())
    screens: list[WindowsScreen] = []

    def build() -> Application[Any]:
        screens.append(WindowsScreen(session, [Program("waits", ("sleep", "60"))], Places()))
        return screens[0].app

    with play(build, session) as me:
        me.press("enter")
        me.hold("enter", 5)
        programs = screens[0].programs
        assert programs is not None
        running = list(programs.running)
        for program in running:
            program.stop()
    assert len(running) == 1
