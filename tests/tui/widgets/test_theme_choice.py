"""A theme is chosen by standing on it."""

from __future__ import annotations

from typing import Any

import pytest
from prompt_toolkit.layout.containers import Window
from prompt_toolkit.layout.controls import FormattedTextControl

from tests.tui.screen import THEMES, StubHost, make_session, play
from tuihost.session.session import Session
from tuihost.theme.theme import Theme, load_theme
from tuihost.tui.widgets.keymap import Keymap
from tuihost.tui.widgets.screen import Screen
from tuihost.tui.widgets.theme_choice import choose_theme


@pytest.fixture
def session() -> Session:
    session = make_session()
    host: Any = session.host
    assert isinstance(host, StubHost)
    names = ("amber-crt", "harbor-day")
    host.all_themes = (*(load_theme(THEMES / f"{name}.toml") for name in names), session.theme)
    return session


def asking(session: Session) -> tuple[Screen, list[Theme | None]]:
    """A screen on which `t` asks for a theme, and what came of that."""
    keys, chosen = Keymap("Here"), list[Theme | None]()
    body = Window(FormattedTextControl("the work", focusable=True))
    screen = Screen(session, "Test", body, keys=keys)

    @keys.add("t", label="theme")
    async def _theme(event: Any) -> None:
        chosen.append(await choose_theme(screen))

    return screen, chosen


def test_the_one_that_is_stood_on_is_shown_and_the_chosen_one_stays(session: Session) -> None:
    screen, chosen = asking(session)
    with play(screen.application, session) as person:
        person.press("t", "down", "down")
        assert session.theme.name == "harbor-day"
        person.press("up")
        assert session.theme.name == "amber-crt"
        assert session.preferences.get("theme") == "", "nothing is remembered before the choice"
        person.press("enter")
    assert [theme.name for theme in chosen if theme] == ["amber-crt"]
    assert session.theme.name == session.preferences.get("theme") == "amber-crt"


def test_escape_brings_back_the_one_from_before(session: Session) -> None:
    before = session.theme
    screen, chosen = asking(session)
    with play(screen.application, session) as person:
        person.press("t", "down", "escape")
    assert chosen == [None]
    assert session.theme is before
    assert session.preferences.get("theme") == ""


@pytest.mark.parametrize(("light", "expected"), [(True, "harbor-day"), (False, "amber-crt")])
def test_somebody_who_has_chosen_can_have_the_automatic_one_again(
    session: Session, light: bool, expected: str
) -> None:
    stage: Any = session.stage
    stage.light = light
    session.set_theme("harbor-night")
    screen, chosen = asking(session)
    with play(screen.application, session) as person:
        person.press("t", "home")
        assert session.theme.name == expected
        assert session.preferences.get("theme") == "harbor-night"
        person.press("enter")
    assert [theme.name for theme in chosen if theme] == [expected]
    assert session.preferences.get("theme") == ""
