"""How sessions end: the person leaves, the line drops, the app is deaf, the host closes."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from prompt_toolkit.application import Application
from prompt_toolkit.filters import to_filter
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout import FormattedTextControl, Layout, Window

from tests.waiting import DEADLINE, allowed
from tuihost import App, Disconnected, Session, command
from tuihost.host.login.hosted_account import CLOSED
from tuihost.host.programs import program
from tuihost.testing import Hosted, Pilot, hosted
from tuihost.testing.hosted import hang_up
from tuihost.tui.running.loop import LoopKind
from tuihost.tui.terminal.output import CURSOR_COLOR_OFF, KITTY_OFF, RESTORE

STEPS = tuple((at / 10, force) for at, force in program.STOP_LADDER)


@pytest.fixture
def quick_ladder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same ladder, ten times as fast."""
    monkeypatch.setattr(program, "STOP_LADDER", STEPS)
    monkeypatch.setattr(program, "RAISE_AFTER", program.RAISE_AFTER / 10)
    monkeypatch.setattr(program, "ABANDON_AFTER", program.ABANDON_AFTER / 10)


class Deaf(App):
    """Does on a key what no app should."""

    name = "deaf"
    title = "Deaf"

    def __init__(self) -> None:
        self.release = threading.Event()
        self.busy = threading.Event()

    def build(self, session: Session) -> Application[Any]:
        keys = KeyBindings()

        @keys.add("l")
        def _loop(event: Any) -> None:
            self.busy.set()
            while True:
                pass

        @keys.add("w")
        def _wait(event: Any) -> None:
            self.busy.set()
            self.release.wait()

        @keys.add("s")
        def _swallow(event: Any) -> None:
            async def stubborn() -> None:
                self.busy.set()
                while not self.release.is_set():
                    try:
                        await asyncio.sleep(60)
                    except asyncio.CancelledError:
                        continue

            event.app.create_background_task(stubborn())

        return Application(
            layout=Layout(Window(FormattedTextControl("deaf"))), key_bindings=keys, full_screen=True
        )

    @command
    def wait(self, session: Session) -> None:
        """Reads until somebody is gone."""
        try:
            while True:
                session.read()
        except Disconnected:
            self.busy.set()
            raise

    @command
    async def linger(self, session: Session) -> None:
        """Waits for what never comes, and reads nothing."""
        self.busy.set()
        await asyncio.Event().wait()


def opened(host: Hosted) -> Pilot:
    return host.open().wait_for("deaf")


def test_a_dropped_line_ends_the_session_within_a_second() -> None:
    with hosted(Deaf()) as host:
        pilot = opened(host)
        begun = time.monotonic()
        pilot.drop()
        host.log.wait_for("session.end", seconds=allowed(1.0))
        assert time.monotonic() - begun < allowed(1.0)
        assert not host.log.named("app.stuck")


# A task that cannot be cancelled is dropped with its loop, which Python mentions.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("key", ["l", "s"])
@pytest.mark.usefixtures("quick_ladder")
def test_a_deaf_app_is_made_to_stop(key: str) -> None:
    deaf = Deaf()
    with hosted(deaf) as host:
        pilot = opened(host)
        pilot.press(key)
        assert deaf.busy.wait(DEADLINE), "the app did not get the key"
        pilot.drop()
        host.log.wait_for("session.end")
        assert not host.log.named("app.abandoned")
        assert host.host.gauges().stuck_threads == 0
    gc.collect()


@pytest.mark.usefixtures("quick_ladder")
def test_what_nothing_can_stop_is_abandoned_by_name_and_counted() -> None:
    deaf = Deaf()
    with hosted(deaf) as host:
        pilot = opened(host)
        pilot.press("w")
        assert deaf.busy.wait(DEADLINE), "the app did not get the key"
        pilot.drop()
        event = host.log.wait_for("app.abandoned")
        assert event["thread"].startswith("app-")
        assert host.host.gauges().stuck_threads == 1
        deaf.release.set()
        host.log.wait_for("session.end")
        assert host.host.gauges().stuck_threads == 0
    gc.collect()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_host_that_closes_lets_an_app_end_whose_person_has_just_left() -> None:
    deaf = Deaf()
    with hosted(deaf) as host:
        pilot = opened(host)
        pilot.press("s")
        assert deaf.busy.wait(DEADLINE), "the app did not get the key"
        (app,) = (thread for thread in threading.enumerate() if thread.name.startswith("app-"))
        pilot.drop()
    assert not host.host.endings, "what stops it was stopped first"
    app.join(DEADLINE)
    assert not app.is_alive()
    gc.collect()


def test_a_command_learns_that_its_client_is_gone() -> None:
    deaf = Deaf()
    with hosted(deaf) as host:
        transport = host.connect()
        channel = transport.open_session()
        channel.exec_command("deaf wait")
        host.log.wait_for("app.start")
        transport.close()
        transport.join(DEADLINE)
        assert deaf.busy.wait(DEADLINE), "the command was not told"
        host.log.wait_for("session.end")


@pytest.mark.parametrize("loop", ["light", "selector"])
@pytest.mark.usefixtures("quick_ladder")
def test_a_command_that_waits_for_something_else_is_made_to_stop(loop: LoopKind) -> None:
    deaf = Deaf()
    deaf.loop = loop
    with hosted(deaf) as host:
        transport = host.connect()
        channel = transport.open_session()
        channel.exec_command("deaf linger")
        assert deaf.busy.wait(DEADLINE), "the command did not begin"
        hang_up(transport)
        host.log.wait_for("session.end")
        assert not host.log.named("app.abandoned")


class Leaves(Deaf):
    """With the mouse on, words to type and the kitty protocol, so that there is much to restore."""

    def build(self, session: Session) -> Application[Any]:
        application = super().build(session)
        keys = application.key_bindings
        assert isinstance(keys, KeyBindings)
        keys.add("q")(lambda event: event.app.exit())
        keys.add("x")(lambda event: 1 / 0)
        application.mouse_support = to_filter(True)
        application.pre_run_callables.append(lambda: application.output.write_raw("\x1b[>1u"))
        return application


def _quit(host: Hosted, pilot: Pilot) -> None:
    pilot.press("q")


def _crash(host: Hosted, pilot: Pilot) -> None:
    pilot.press("x").wait_for("error in it").press("enter")


def _end_of_input(host: Hosted, pilot: Pilot) -> None:
    pilot.end_input()


def _close_from_another_login(host: Hosted, pilot: Pilot) -> None:
    (inside,) = host.host.inside()
    inside.close(CLOSED)
    assert host.host.inside() == (), "it no longer counts as a login"


def _close_the_host(host: Hosted, pilot: Pilot) -> None:
    threading.Thread(target=host.server.stop, args=("The host is closing. Bye!",)).start()


def _nothing(host: Hosted, pilot: Pilot) -> None:
    """The time-out comes."""


@pytest.mark.parametrize(
    ("leave", "sentence", "settings"),
    [
        (_quit, "", {}),
        (_crash, "", {}),
        (_end_of_input, "", {}),
        (_close_from_another_login, CLOSED, {}),
        (_close_the_host, "The host is closing. Bye!", {}),
        (_nothing, "Nobody pressed a key for a while", {"limits.idle": 1.0}),
    ],
)
def test_every_way_out_gives_the_terminal_back(
    leave: Callable[[Hosted, Pilot], None], sentence: str, settings: dict[str, Any]
) -> None:
    settings = {"server.theme": "ember", **settings}
    with hosted(Leaves(), settings=settings) as host, host.open(background="#ffffff") as pilot:
        pilot.wait_for("deaf").wait_until(lambda: b"\x1b]12;#" in pilot.received, "the cursor")
        assert pilot.screen.alternate
        assert b"\x1b[?1000h" in pilot.received
        leave(host, pilot)
        pilot.wait_until(lambda: pilot.at_end, "the end")
        assert sentence in pilot.text
        assert not pilot.screen.alternate
        end = bytes(pilot.received)
        undone = KITTY_OFF + CURSOR_COLOR_OFF + RESTORE
        assert undone in end[end.rindex(b"\x1b[?1000h") :]


def test_what_was_not_turned_on_is_not_turned_off() -> None:
    """Konsole 22.12 takes the end of the kitty protocol for a cursor to restore."""
    with hosted(Deaf()) as host, opened(host) as pilot:
        pilot.end_input()
        pilot.wait_until(lambda: pilot.at_end, "the end")
        farewell = b"Your input has ended, and with it the session.\r\n"
        assert bytes(pilot.received).endswith(RESTORE + farewell)
        assert KITTY_OFF not in pilot.received
        assert CURSOR_COLOR_OFF not in pilot.received


def test_who_is_away_too_long_is_shown_out() -> None:
    with hosted(Deaf(), settings={"limits.idle": 0.2}) as host, opened(host) as pilot:
        assert pilot.wait_end() == 0
        assert "Nobody pressed a key for a while" in pilot.text


def test_the_host_shows_people_out_with_a_sentence() -> None:
    with hosted(Deaf()) as host, opened(host) as pilot:
        stopping = threading.Thread(target=host.server.stop, args=("The host is closing. Bye!",))
        stopping.start()
        assert pilot.wait_end() == 0
        assert "The host is closing. Bye!" in pilot.text
        assert not pilot.screen.alternate
        pilot.drop()
        stopping.join(DEADLINE)
        assert not stopping.is_alive()
