"""Keys that know what they are for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from prompt_toolkit.layout.containers import HSplit, Window
from prompt_toolkit.layout.controls import FormattedTextControl
from prompt_toolkit.widgets import TextArea

from tests.tui.screen import Person, make_session, play
from tuihost.tui.widgets.keymap import Keymap, key_name, labels, live_hints
from tuihost.tui.widgets.screen import Screen


def nothing(event: Any) -> None:
    pass


@pytest.mark.parametrize(
    ("key", "name", "plain"),
    [
        ("enter", "⏎", "Enter"),
        ("c-m", "⏎", "Enter"),
        ("up", "↑", "Up"),
        ("c-s", "^S", "^S"),
        ("escape", "Esc", "Esc"),
        ("escape x", "Alt-x", "Alt-x"),
        ("c-x c-s", "^X ^S", "^X ^S"),
        ("f5", "F5", "F5"),
        ("s-tab", "Shift-Tab", "Shift-Tab"),
        ("space", "Space", "Space"),
        ("f", "f", "f"),
        ("G", "G", "G"),
    ],
)
def test_keys_have_the_names_that_people_know(key: str, name: str, plain: str) -> None:
    assert key_name(key) == name
    assert key_name(key, unicode=False) == plain


def hints(person: Person) -> list[tuple[str, str]]:
    person.redraw()
    found: list[tuple[str, str]] = []
    person.in_app(
        lambda: found.extend(
            (label.keys, label.label)
            for label in labels(live_hints(person.application), unicode=True)
        )
    )
    return found


def focusable() -> Window:
    return Window(FormattedTextControl("body", focusable=True))


def test_one_label_for_keys_that_do_the_same_and_aliases_once() -> None:
    keys = Keymap()
    keys.add("up", "k", label="move")(nothing)
    keys.add("down", "j", label="move")(nothing)
    keys.add("pageup", label="page")(nothing)
    keys.add("pagedown", label="page")(nothing)
    session = make_session()
    with play(lambda: Screen(session, "T", focusable(), keys=keys).application(), session) as me:
        found = hints(me)
        assert ("↑↓", "move") in found
        assert ("PgUp/PgDn", "page") in found


def test_only_keys_that_work_now_are_shown() -> None:
    ready = False
    keys = Keymap()
    keys.add("x", label="explode", when=lambda: ready)(nothing)
    keys.add("c-o", label="open")(nothing)
    session = make_session()
    with play(lambda: Screen(session, "T", focusable(), keys=keys).application(), session) as me:
        assert ("x", "explode") not in hints(me)
        assert "x explode" not in me.lines[-1]
        ready = True
        assert ("x", "explode") in hints(me)
        assert "x explode" in me.lines[-1]


def test_letters_rest_while_text_is_typed() -> None:
    pressed: list[str] = []
    keys = Keymap()
    keys.add("d", label="delete")(lambda event: pressed.append("d"))
    keys.add("c-d", label="delete hard")(lambda event: pressed.append("c-d"))
    session = make_session()
    area = TextArea()
    other = focusable()
    screen = Screen(session, "T", HSplit([other, area]), keys=keys)
    with play(screen.application, session) as me:
        me.press("d")
        assert pressed == ["d"]
        me.press("tab")
        me.press("d", "?", "q")
        assert area.text == "d?q"
        assert "d delete" not in me.lines[-1]
        assert "^D delete hard" in me.lines[-1]
        me.press("c-d")
        assert pressed == ["d", "c-d"]


def test_an_inner_key_hides_the_outer_one_of_the_same_name() -> None:
    inner, outer = Keymap("Inner"), Keymap("Outer")
    inner.add("c-o", label="inner")(nothing)
    outer.add("c-o", label="outer")(nothing)
    body = HSplit([focusable()], key_bindings=inner.bindings)
    session = make_session()
    with play(lambda: Screen(session, "T", body, keys=outer).application(), session) as me:
        assert ("^O", "inner") in hints(me)
        assert ("^O", "outer") not in hints(me)


def test_an_app_can_take_a_key_of_every_screen() -> None:
    keys = Keymap()
    keys.add("q", label="quote")(nothing)
    session = make_session()
    with play(lambda: Screen(session, "T", focusable(), keys=keys).application(), session) as me:
        assert ("q", "quote") in hints(me)
        assert ("^C", "leave") in hints(me)
        me.press("q")
        assert not me.ended


def test_the_first_frame_knows_its_keys() -> None:
    keys = Keymap()
    keys.add("n", label="new")(nothing)
    session = make_session()
    with play(lambda: Screen(session, "T", focusable(), keys=keys).application(), session) as me:
        assert me.frames == 1
        assert "n new" in me.lines[-1]


def test_a_handler_that_waits_runs_once_at_a_time() -> None:
    keys = Keymap()
    begun: list[str] = []
    waiting: list[asyncio.Future[None]] = []

    @keys.add("x", "y")
    async def _wait(event: Any) -> None:
        begun.append(event.data)
        waiting.append(asyncio.get_running_loop().create_future())
        await waiting[-1]

    session = make_session()
    screen = Screen(session, "Notes", focusable(), keys=keys)
    with play(screen.application, session) as me:
        me.hold("x", 5)
        me.press("x", "y")
        assert begun == ["x"]
        me.in_app(lambda: waiting[-1].set_result(None))
        me.press("y")
        assert begun == ["x", "y"]
        me.in_app(lambda: me.application.exit())
    with play(screen.application, session) as me:  # nor does the end of an Application block it
        me.press("x")
        assert begun == ["x", "y", "x"]


def test_a_key_that_waits_runs_as_a_task_of_the_application() -> None:
    seen: list[str] = []
    keys = Keymap()

    @keys.add("c-o", label="open")
    async def _open(event: Any) -> None:
        seen.append("opened")

    session = make_session()
    with play(lambda: Screen(session, "T", focusable(), keys=keys).application(), session) as me:
        me.press("c-o")
        assert seen == ["opened"]


def test_sequences_and_blanks() -> None:
    seen: list[str] = []
    keys = Keymap()
    keys.add("c-x c-s", label="save")(lambda event: seen.append("save"))
    keys.add("space", label="pick")(lambda event: seen.append("pick"))
    session = make_session()
    with play(lambda: Screen(session, "T", focusable(), keys=keys).application(), session) as me:
        me.press("c-x", "c-s", " ")
        assert seen == ["save", "pick"]


def test_a_click_on_the_line_of_keys_presses_the_key() -> None:
    seen: list[str] = []
    keys = Keymap()
    keys.add("n", label="new note")(lambda event: seen.append("n"))
    session = make_session()
    with play(lambda: Screen(session, "T", focusable(), keys=keys).application(), session) as me:
        me.click_on("new note")
        me.press("f9")  # the click's own key is processed with it on a real terminal
        assert seen == ["n"]
        me.click_on("? keys")
        me.press("f9")
        assert "Everywhere" in me.text
