"""The frame around every app: the ways out of it, and its Application."""

from __future__ import annotations

from typing import Any

from prompt_toolkit.key_binding import KeyBindings

from tests.tui.screen import make_session, play
from tests.tui.widgets.screens import body, plain
from tuihost.tui.widgets.keymap import Keymap
from tuihost.tui.widgets.list_view import ListView
from tuihost.tui.widgets.screen import Screen


def test_q_leaves_and_escape_only_goes_back_where_there_is_a_menu() -> None:
    session = make_session()
    with play(plain(session), session) as me:
        me.press("escape")
        assert not me.ended
        me.press("q")
        assert me.result == 0
    session = make_session(from_menu=True)
    with play(plain(session), session) as me:
        assert me.lines[-1].endswith("^] menu")
        me.press("escape")
        assert me.result == 0


def test_a_screen_can_leave_in_its_own_way_or_keep_q() -> None:
    left: list[str] = []
    session = make_session()
    with play(plain(session, leave=lambda: left.append("asked")), session) as me:
        me.press("q")
        assert left == ["asked"]
        assert not me.ended
    with play(plain(session, quits=False), session) as me:
        me.press("q", "escape")
        assert not me.ended
        assert "leave" not in me.text


def test_leaving_twice_is_leaving_once() -> None:
    session = make_session()
    screen = Screen(session, "Notes", body())
    with play(screen.application, session) as me:

        def twice() -> None:
            screen.exit(3)
            screen.exit(4)

        me.in_app(twice)
        assert me.result == 3


def test_another_body_takes_the_keys() -> None:
    session = make_session()
    first = ListView(session, ["one"])
    second = ListView(session, ["two"])
    screen = Screen(session, "First", first)
    with play(screen.application, session) as me:
        me.in_app(lambda: screen.show(second, title="Second"))
        assert "two" in me.text
        assert "Second" in me.lines[0]
        me.type("x")
        assert (first.filter.text, second.filter.text) == ("", "x")


def test_what_an_application_gets() -> None:
    session = make_session()
    with play(plain(session), session) as me:
        app = me.application
        assert app.full_screen
        assert app.mouse_support()
        assert app.style is None  # the host's theme must not lie beneath a fixed one
    session.preferences.set("mouse", "off")
    with play(plain(session), session) as me:
        assert not me.application.mouse_support()
    screen = Screen(session, "Notes", body())
    own = KeyBindings()
    with play(lambda: screen.application(key_bindings=own), session) as me:
        assert me.application.key_bindings is own


def test_another_theme_draws_every_row_again() -> None:
    session = make_session()
    view = ListView(session, ["one", "two"])
    asked: list[int] = []
    with play(lambda: Screen(session, "Notes", view).application(), session) as me:
        row = view.row
        view.row = lambda index, width: asked.append(index) or row(index, width)  # type: ignore
        me.redraw()
        assert asked == []
        session.stage.theme_changed(make_session(theme="harbor-day").theme)
        me.redraw()
        assert asked == [0, 1]


def test_a_person_at_rest_costs_nothing() -> None:
    session = make_session()
    with play(plain(session), session) as me:
        before = me.frames
        me.wait(1.0)
        me.wait(1.0)
        assert me.frames == before


def test_styles_stay_cheap() -> None:
    """prompt_toolkit's work on a style string doubles with every class name in it."""
    session = make_session()
    keys = Keymap()
    view = ListView(session, ["one", "two", "three"], description=str.upper, number_keys=True)
    screen = Screen(session, "Notes", view, keys=keys)

    @keys.add("a", label="ask")
    async def _ask(event: Any) -> None:
        await screen.choose("Which", [str(number) for number in range(20)])

    with play(screen.application, session) as me:
        me.press("a")
        me.type("1")
        me.in_app(lambda: screen.toast("Hello"))
        for style in {style for row in me.cells for _, style in row}:
            names = {
                name
                for word in style.split()
                if word.startswith("class:")
                for dotted in word[6:].split(",")
                for name in _prefixes(dotted)
            }
            assert len(names) <= 5, style


def _prefixes(dotted: str) -> set[str]:
    parts = dotted.split(".")
    return {".".join(parts[: end + 1]) for end in range(len(parts))}
