"""Short notes above the line of keys."""

from __future__ import annotations

import pytest
from prompt_toolkit.widgets import TextArea

from tests.tui.screen import make_session, play
from tests.tui.widgets.screens import body
from tuihost.tui.widgets.list_view import ListView
from tuihost.tui.widgets.screen import Screen


def test_toasts_go_by_themselves_and_never_take_the_keys() -> None:
    session = make_session()
    area = TextArea()
    screen = Screen(session, "Notes", area)
    with play(screen.application, session) as me:
        me.in_app(lambda: screen.toast("Saved", kind="success"))
        assert "✓ Saved" in me.text
        assert "class:success" in me.styles("✓")
        me.type("text")
        assert area.text == "text"
        me.wait(2.0)
        me.in_app(lambda: screen.toast("Again\x1b[2J", kind="error"))
        assert "✗ Again·[2J" in me.text
        me.wait(1.0)
        assert "Saved" not in me.text
        assert "Again" in me.text
        me.wait(2.0)
        assert "Again" not in me.text


def test_toasts_make_room_for_the_newest() -> None:
    session = make_session(40, 12)
    screen = Screen(session, "Notes", body())
    with play(screen.application, session) as me:
        for number in range(5):
            me.in_app(lambda number=number: screen.toast(f"toast {number}"))
        assert [f"toast {number}" in me.text for number in range(5)] == [
            False,
            False,
            True,
            True,
            True,
        ]
        me.wait(3.0)
        assert "toast" not in me.text


def test_a_toast_that_says_the_same_again_stays_one_and_longer() -> None:
    session = make_session()
    screen = Screen(session, "Notes", body())
    with play(screen.application, session) as me:
        for seconds in (0.0, 2.0):
            me.wait(seconds)
            me.in_app(lambda: screen.toast("Nothing there"))
        assert me.text.count("Nothing there") == 1
        me.wait(2.0)
        assert "Nothing there" in me.text
        me.in_app(lambda: screen.toast("Nothing there", kind="error"))
        assert me.text.count("Nothing there") == 2, "another kind is not the same"
        me.wait(3.0)
        assert "Nothing there" not in me.text


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
def test_a_toast_covers_nothing_and_is_shown_in_full(size: tuple[int, int]) -> None:
    session = make_session(*size)
    rows = size[1] - 2 - (2 if size[1] >= 14 else 0)
    view = ListView(session, [f"row {number}" for number in range(rows)], filterable=False)
    screen = Screen(session, "Notes", view)
    sentence = (
        "The notes cannot be written now, since the disk of the host is full. " * 2 + "So wait."
    )
    with play(screen.application, session) as me:
        me.press("end")
        before = me.lines
        assert f"row {rows - 1}" in me.text
        me.in_app(lambda: screen.toast(sentence, "error"))
        assert " ".join(sentence.split()) in " ".join(me.text.split())
        assert me.lines[-1] == before[-1]  # the line of keys
        assert f"▌ row {rows - 1}" in me.text  # and the chosen row stays in view
        me.wait(3.0)
        assert "So wait." in me.text  # not everybody has read it yet
        me.wait(5.0)
        assert "So wait." not in me.text


def test_what_was_about_one_body_goes_with_it() -> None:
    session = make_session()
    screen = Screen(session, "Notes", body())
    with play(screen.application, session) as me:
        me.in_app(lambda: screen.toast("A note cannot be empty.", "error", 6.0))
        me.in_app(lambda: screen.toast("Saved", "success"))
        me.in_app(lambda: screen.show(screen.body))
        assert "cannot be empty" in me.text, "it is still about this body"

        def go_on() -> None:
            screen.toast("Changed elsewhere", "warning", 8.0)
            screen.show(body())

        me.in_app(go_on)
        assert "cannot be empty" not in me.text
        assert "Saved" in me.text
        assert "Changed elsewhere" in me.text, "nobody has read it before"
        me.in_app(lambda: screen.show(body()))
        assert "Changed elsewhere" not in me.text
        me.wait(8.0)
        assert "Saved" not in me.text
