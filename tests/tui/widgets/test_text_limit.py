"""What is too much for a field is refused as a whole, and said."""

from __future__ import annotations

from typing import Any

import pytest
from prompt_toolkit.application import Application
from prompt_toolkit.layout import FormattedTextControl, Layout, Window

from tests.tui.screen import make_session, play
from tuihost import App, Session
from tuihost.testing import hosted
from tuihost.tui.widgets.filter_line import LIMIT
from tuihost.tui.widgets.text_limit import LINE_LIMIT
from tuihost.widgets import ListView, Screen

LONG = "x" * (LINE_LIMIT - 5)


def test_a_line_of_a_dialog_refuses_what_is_too_much() -> None:
    session = make_session()
    answers: list[str | None] = []

    def build() -> Application[Any]:
        screen = Screen(session, "Test", ListView(session, ["row"], label=str))

        async def ask() -> None:
            answers.append(await screen.prompt("Name"))

        application = screen.application()
        application.pre_run_callables.append(lambda: application.create_background_task(ask()))
        return application

    with play(build, session) as me:
        me.paste(LONG)
        me.paste("seven more")
        assert "that is 5 characters too" in me.text
        me.type("abcdef")
        assert "that is 1 character too" in me.text
        me.press("backspace")
        assert "Nothing was added" not in me.text
        me.press("enter")
        assert [len(answer or "") for answer in answers] == [LINE_LIMIT - 1]


class Asks(App):
    """Asks over a screen."""

    name = "asks"

    def build(self, session: Session) -> Application[Any]:
        application: Application[Any] = Application(
            layout=Layout(Window(FormattedTextControl("the work"))), full_screen=True
        )

        async def ask() -> None:
            application.exit(result=len(await session.ask("How? ")) % 256)

        application.pre_run_callables.append(lambda: application.create_background_task(ask()))
        return application


class Talks(App):
    """Asks in a talk."""

    name = "talks"

    async def talk(self, session: Session) -> int:
        return len(await session.ask("How? ")) % 256


@pytest.mark.parametrize("app", ["asks", "talks"])
def test_an_answer_refuses_what_is_too_much(app: str) -> None:
    with hosted(Asks(), Talks()) as host, host.open(app) as pilot:
        pilot.wait_for("How?").paste(LONG).paste("seven more").wait_for("Nothing was added: that")
        pilot.press("enter")
        if app == "talks":  # what was said has not been read
            pilot.wait_for("Press Enter to go on").press("down", "enter")
        assert pilot.wait_end() == len(LONG) % 256


def test_a_filter_refuses_what_is_too_much() -> None:
    session = make_session()
    rows = ListView(session, ["row", "y" * 30], label=str)
    with play(Screen(session, "Test", rows).application, session) as me:
        me.type("row")
        me.paste("x" * LIMIT)
        assert rows.filter.text == "row"
        assert f"at most {LIMIT}" in me.text
        me.press("backspace")
        assert rows.filter.text == "ro"
        assert "at most" not in me.text
