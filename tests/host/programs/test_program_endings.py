"""How sessions end: the person leaves, the line drops, the app is deaf, the host closes."""

from __future__ import annotations

import gc
import threading
import time
from typing import Any

import pytest
from prompt_toolkit.application import Application
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout import FormattedTextControl, Layout, Window

from tests.waiting import DEADLINE, allowed
from tuihost import App, Disconnected, Session, command
from tuihost.host.programs import program
from tuihost.testing import Hosted, Pilot, hosted
from tuihost.tui.terminal.output import RESTORE

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
                import asyncio

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


def test_every_way_out_gives_the_terminal_back() -> None:
    class Plain(Deaf):
        def build(self, session: Session) -> Application[Any]:
            application = super().build(session)
            application.key_bindings.add("q")(lambda event: event.app.exit())  # type: ignore[union-attr]
            application.key_bindings.add("x")(lambda event: 1 / 0)  # type: ignore[union-attr]
            return application

    with hosted(Plain()) as host:
        for keys in (("q",), ("x", "enter")):
            with host.open() as pilot:
                pilot.wait_for("deaf").press(keys[0])
                if len(keys) > 1:
                    pilot.wait_for("error in it").press(keys[1])
                pilot.wait_end()
                assert bytes(pilot.received).endswith(RESTORE)
                assert not pilot.screen.alternate


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
