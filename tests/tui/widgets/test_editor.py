"""Text to write, over many lines."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.screen import Person, make_session, play
from tuihost.session.session import Session
from tuihost.tui.widgets.editor import TextEditor
from tuihost.tui.widgets.screen import Screen


def edited(session: Session, editor: TextEditor) -> Any:
    status = lambda: "unsaved" if editor.dirty else ""  # noqa: E731
    return lambda: Screen(session, "Note", editor, status=status).application()


def test_text_is_written_and_saved(snapshot: Any) -> None:
    session = make_session(60, 14)
    saved: list[str] = []
    editor = TextEditor(session, "first line\n", on_save=saved.append, line_numbers=True)

    def press(me: Person) -> None:
        me.press("c-end")
        me.type("second? q")

    with play(edited(session, editor), session) as me:
        assert "unsaved" not in me.text
        press(me)
        assert "unsaved" in me.lines[0]
        assert me.text == snapshot
        me.press("c-s")
        assert saved == ["first line\nsecond? q"]
        assert "unsaved" not in me.lines[0]
        assert editor.position_text() == "2:10"
        me.press("c-z")
        assert editor.dirty


@pytest.mark.parametrize("answer", [None, False, True])
def test_saving_may_wait_and_may_fail(answer: bool | None) -> None:
    session = make_session()

    async def store(text: str) -> bool | None:
        return answer

    editor = TextEditor(session, "", on_save=store)
    with play(edited(session, editor), session) as me:
        me.type("x")
        me.press("c-s")
        assert editor.dirty == (answer is False)


def test_a_text_has_a_limit_and_holds_nothing_harmful() -> None:
    session = make_session()
    editor = TextEditor(session, "a\x1b[2J", limit=20)
    with play(edited(session, editor), session) as me:
        assert editor.text == "a·[2J"
        me.paste("y" * 1000)
        assert len(editor.text) == 20
        me.type("zz")
        assert len(editor.text) == 20
        editor.text = "new"
        assert not editor.dirty


def test_a_scrollbar_only_where_there_is_something_to_scroll() -> None:
    session = make_session(40, 12)
    editor = TextEditor(session, "short")
    with play(edited(session, editor), session) as me:
        assert me.lines[1] == "  short"
        assert "scrollbar" not in " ".join(style for row in me.cells for _, style in row)
        editor.text = "long\n" * 50
        me.redraw()
        me.redraw()
        assert "scrollbar" in " ".join(style for row in me.cells for _, style in row)


def test_escape_and_q_are_not_ways_out_of_a_text() -> None:
    session = make_session(from_menu=True)
    editor = TextEditor(session)
    with play(edited(session, editor), session) as me:
        me.press("q", "escape")
        assert not me.ended
        assert editor.text == "q"
