"""Short notes in a corner of a screen."""

from __future__ import annotations

from prompt_toolkit.widgets import TextArea

from tests.tui.screen import make_session, play
from tests.tui.widgets.screens import body
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
        me.in_app(lambda: screen.toast("Again\x1b[2J" + "x" * 200, kind="error"))
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
