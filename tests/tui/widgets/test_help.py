"""The help over a screen."""

from __future__ import annotations

from typing import Any

from tests.tui.screen import make_session, play
from tuihost.tui.widgets.keymap import Keymap
from tuihost.tui.widgets.list_view import ListView
from tuihost.tui.widgets.screen import Screen


def test_help_is_made_from_the_live_bindings(snapshot: Any) -> None:
    ready = False
    keys = Keymap("Notes")
    keys.add("c-n", label="new note")(lambda event: None)
    keys.add("f2", label="only sometimes", when=lambda: ready)(lambda event: None)
    session = make_session(from_menu=True)
    view = ListView(session, ["a", "b"], on_open=print)
    app = lambda: Screen(session, "Notes", view, keys=keys, help_text="About.").application()  # noqa: E731
    with play(app, session) as me:
        me.press("?")
        assert me.text == snapshot
        assert "only sometimes" not in me.text
        me.press("?")
        assert "Everywhere" not in me.text
        me.press("f1")
        assert "Everywhere" in me.text
        me.press("q")
        assert "Everywhere" not in me.text
        assert not me.ended
        me.press("c-n")


def test_help_scrolls_in_a_small_window() -> None:
    session = make_session(40, 12)
    view = ListView(session, ["a", "b"], on_open=print)
    with play(lambda: Screen(session, "Notes", view).application(), session) as me:
        me.press("?")
        assert "move" in me.text
        assert "leave" not in "\n".join(me.lines[:-1])
        me.press("pagedown", "pagedown")
        assert "leave" in "\n".join(me.lines[:-1])
