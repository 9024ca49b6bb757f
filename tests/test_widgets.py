"""The public names of the widgets."""

from __future__ import annotations

import re
from pathlib import Path

import tuihost.widgets
from tests.tui.screen import make_session, play
from tuihost.widgets import Column, Keymap, ListView, RichView, Screen, Table, TextEditor

DOCS = Path(__file__).resolve().parents[1] / "docs" / "widgets.md"


def test_every_name_is_there_once_and_in_the_docs() -> None:
    names = tuihost.widgets.__all__
    assert sorted(names) == sorted(set(names))
    text = DOCS.read_text("utf-8")
    for name in names:
        assert hasattr(tuihost.widgets, name)
        if name not in ("Fragments", "Match", "typing"):
            assert re.search(rf"\b{name}\b", text), f"docs/widgets.md does not mention {name}"


def test_sessions_leave_nothing_behind() -> None:
    """Widgets of a session that ended are freed: no module holds them, by a filter or a cache."""
    import gc
    import weakref

    def one() -> list[weakref.ref[object]]:
        session = make_session()
        keys = Keymap("Here")
        keys.add("x", label="x", when=lambda: bool(session))(lambda event: None)
        view = ListView(session, ["a", "b"], on_open=print)
        screen = Screen(session, "T", view, keys=keys)
        with play(screen.application, session) as me:
            me.press("down", "?", "escape", "/", "b", "escape")
        table = Table(session, [Column("A")], [("x",)])
        page, editor = RichView(session, "text"), TextEditor(session, "text")
        kept = (session.memory, screen, view, table, page, editor, keys)
        return [weakref.ref(thing) for thing in kept[1:]]

    one()
    references = one()
    gc.collect()
    assert [type(reference()).__name__ for reference in references if reference() is not None] == []
