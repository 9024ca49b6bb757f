"""Work that an app gives away: wherever it has a session, and wherever the app was found."""

from __future__ import annotations

import asyncio
import textwrap
from pathlib import Path
from typing import Any

import pytest
from prompt_toolkit.application import Application
from prompt_toolkit.layout import FormattedTextControl, Layout, Window

from tests.host.helpers.work import catastrophe, double, hold, time_out
from tests.waiting import until
from tuihost import App, Session, TookTooLong, command
from tuihost.errors import MisuseError
from tuihost.testing import hosted
from tuihost.widgets import Keymap, ListView, Screen


class Giver(App):
    """Gives work away."""

    name = "giver"

    @command
    def wait(self, session: Session) -> None:
        session.print(session.offload_now(double, 21))

    @command
    async def await_(self, session: Session) -> None:
        session.print(await session.offload(double, 21))

    @command
    async def side_by_side(self, session: Session) -> None:
        ticks = 0
        work = asyncio.ensure_future(session.offload(catastrophe, 40, seconds=0.5))
        while not work.done():
            await asyncio.sleep(0.01)
            ticks += 1
        assert isinstance(work.exception(), TookTooLong)
        session.print("ticked" if ticks > 10 else f"stood still: {ticks}")

    @command
    def pattern(self, session: Session) -> None:
        session.offload_now(catastrophe, 28, seconds=0.2)

    @command
    def memory(self, session: Session) -> None:
        session.offload_now(hold, 512 << 20)

    @command
    async def wrong(self, session: Session) -> None:
        try:
            session.offload_now(double, 21)
        except MisuseError as error:
            session.print(error)

    @command
    def time_out(self, session: Session) -> None:
        try:
            session.offload_now(time_out)
        except TimeoutError as error:
            session.print(error)

    @command
    def long(self, session: Session) -> None:
        session.offload_now(catastrophe, 60, seconds=60.0)

    async def talk(self, session: Session) -> None:
        await session.say(f"it is {await session.offload(double, 21)}")
        await session.ask("More? ")
        await session.offload(catastrophe, 40, seconds=0.2)


class Drawn(App):
    """Gives work away from a screen."""

    name = "drawn"
    doubled = ""

    def build(self, session: Session) -> Application[int]:
        screen: Application[int] = Application(
            layout=Layout(Window(FormattedTextControl(lambda: f"it is {self.doubled}")))
        )

        async def work() -> None:
            self.doubled = str(await session.offload(double, 21))
            screen.invalidate()

        screen.pre_run_callables.append(lambda: screen.create_background_task(work()))
        return screen


class Strained(App):
    """A screen whose keys want more than there is."""

    name = "strained"
    broken = marked = False

    def build(self, session: Session) -> Application[Any]:
        keys = Keymap()

        @keys.add("a")
        async def _async(event: Any) -> None:
            await session.offload(catastrophe, 40, seconds=0.1)

        @keys.add("h")
        def _plain(event: Any) -> None:
            with session.hold() as held:
                held.add(1 << 40)

        @keys.add("t")
        def _task(event: Any) -> None:
            event.app.create_background_task(session.offload(catastrophe, 40, seconds=0.1))

        @keys.add("i")
        def _invoked(event: Any) -> None:
            session.invoke(lambda: _plain(event))

        @keys.add("m")
        def _mark(event: Any) -> None:
            self.marked = True

        @keys.add("f")
        def _frame(event: Any) -> None:
            self.broken = True

        def drawn() -> str:
            if self.broken:
                _plain(None)
            return "a list, marked" if self.marked else "a list"

        body = Window(FormattedTextControl(drawn, focusable=True))
        return Screen(session, "Strained", body, keys=keys).application()


class Picking(App):
    """A list whose rows cannot be opened."""

    name = "picking"

    def build(self, session: Session) -> Application[Any]:
        def wants(row: str) -> None:
            with session.hold() as held:
                held.add(1 << 40)

        rows = ListView(session, ["first", "second"], label=str, on_open=wants)
        return Screen(session, "Picking", rows).application()


@pytest.mark.parametrize(
    ("key", "said"),
    [("a", "That takes"), ("t", "That takes"), ("h", "bytes of"), ("i", "bytes of")],
)
def test_a_screen_stays_when_its_work_goes_over_a_limit(key: str, said: str) -> None:
    with hosted(Strained()) as host, host.open("strained") as pilot:
        pilot.wait_for("a list").press(key)
        pilot.wait_for(said).wait_for("a list").press("q")
        assert pilot.wait_end() == 0
        assert host.log.named("app.error") == []


def test_what_is_refused_twice_is_said_once() -> None:
    with hosted(Strained()) as host, host.open("strained") as pilot:
        pilot.wait_for("a list").press("h", "h", "m").wait_for("marked")
        assert pilot.text.count("bytes of") == 1


def test_a_list_stays_when_opening_a_row_goes_over_a_limit() -> None:
    with hosted(Picking()) as host, host.open("picking") as pilot:
        pilot.wait_for("first").press("enter").wait_for("no more than").wait_for("second")


def test_a_screen_that_cannot_be_drawn_ends_with_the_sentence() -> None:
    with hosted(Strained()) as host, host.open("strained") as pilot:
        pilot.wait_for("a list").press("f").wait_for("strained stopped. There are no more than")


@pytest.mark.parametrize("words", ["wait", "await-"])
def test_a_command_gives_work_away(words: str) -> None:
    with hosted(Giver()) as host:
        assert host.run(f"giver {words}").text == "42\n"


def test_a_talk_and_a_screen_give_work_away() -> None:
    with hosted(Giver(), Drawn()) as host:
        with host.open("giver") as pilot:
            pilot.wait_for("it is 42").wait_for("More?").press("enter")
            pilot.wait_for("That takes too long here")
            assert "it is 42" in pilot.text
        with host.open("drawn") as pilot:
            pilot.wait_for("it is 42")


def test_the_loop_goes_on_meanwhile() -> None:
    with hosted(Giver()) as host:
        assert host.run("giver side-by-side").text == "ticked\n"


def test_what_goes_over_its_limits_costs_one_sentence_and_no_incident() -> None:
    with hosted(Giver()) as host:
        late = host.run("giver pattern")
        assert (late.status, late.text) == (1, "")
        assert late.errors == "Error: that takes too long here: more than 0.2 s of work\n"
        large = host.run("giver memory")
        assert (
            large.errors
            == "Error: that needs too much memory here: no more than 67 MB are allowed\n"
        )
        assert host.log.named("app.error") == []
        rows = host.log.named("helper.limit")
        assert [(row["app"], row["function"]) for row in rows] == [
            ("giver", "catastrophe"), ("giver", "hold"),
        ]  # fmt: skip


def test_a_loop_is_not_kept_waiting() -> None:
    with hosted(Giver()) as host:
        assert "await session.offload" in host.run("giver wrong").text


def test_a_time_out_of_the_function_is_not_one_of_waiting() -> None:
    with hosted(Giver()) as host:
        assert host.run("giver time-out").text == "of its own\n"


def test_work_ends_when_nobody_waits_for_it() -> None:
    app = Giver()
    with hosted(app) as host:
        pool = host.server.host.helpers
        with host.open("giver long"):
            until(lambda: pool._busy and pool._busy[0].helper, "the work to begin")
        until(lambda: not pool._busy, "the work to end")
    assert pool.helpers == 0


FILES = {
    "single.py": """
        from tuihost import App, Session, command

        def triple(value: int) -> int:
            return value * 3

        class Single(App):
            name = "single"

            @command
            def go(self, session: Session) -> None:
                session.print(session.offload_now(triple, 7))
        """,
    "whole/__init__.py": """
        from tuihost import App, Session, command
        from .inside.work import triple

        class Whole(App):
            name = "whole"

            @command
            def go(self, session: Session) -> None:
                session.print(session.offload_now(triple, 7))
        """,
    "whole/inside/__init__.py": "",
    "whole/inside/work.py": """
        from pathlib import Path
        from ..factor import FACTOR

        def triple(value: int) -> int:
            return value * int((Path(__file__).parent / "three.txt").read_text()) * FACTOR
        """,
    "whole/inside/three.txt": "3",
    "whole/factor.py": "FACTOR = 1",
    "bare/app.py": """
        from tuihost import App, Session, command
        from .work import triple

        class Bare(App):
            name = "bare"

            @command
            def go(self, session: Session) -> None:
                session.print(session.offload_now(triple, 7))
        """,
    "bare/work.py": """
        def triple(value: int) -> int:
            return value * 3
        """,
}


def test_functions_of_apps_from_a_folder_can_go(tmp_path: Path) -> None:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    settings = {
        "apps.folders": [str(tmp_path)],
        "apps.enabled": ["*"],
        "server.default_app": "single",
    }
    with hosted(settings=settings) as host:
        for name in ("single", "whole", "bare"):
            assert host.run(f"{name} go").text == "21\n"
        assert not list(tmp_path.rglob("*.pyc.*")), "a helper writes nothing"
