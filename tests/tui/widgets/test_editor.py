"""Text to write, over many lines."""

from __future__ import annotations

from typing import Any

import pytest
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.layout.containers import HSplit
from prompt_toolkit.mouse_events import MouseEventType

from tests.tui.screen import Person, StubStage, make_session, play
from tuihost.core.budget.ledger import BOUNDS, Bounds, Holder, Kind
from tuihost.host.budget.budget import Budget
from tuihost.logs import event_log
from tuihost.session.session import Session
from tuihost.tui import defaults
from tuihost.tui.widgets.editor import TextEditor
from tuihost.tui.widgets.keymap import Keymap
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


def test_what_steers_a_terminal_is_shown_as_a_dot_and_kept_as_it_is() -> None:
    session = make_session()
    text = "a\x1b[2J b\u200ec\u200bd\u2028e"
    saved: list[str] = []
    editor = TextEditor(session, text, on_save=saved.append)
    with play(edited(session, editor), session) as me:
        assert "a·[2J b·c·d·e" in me.text
        assert not editor.dirty
        me.press("c-end")
        me.type("f")
        me.press("c-s")
    assert saved == [f"{text}f"]


def test_a_change_that_would_be_too_long_is_refused_as_a_whole() -> None:
    session = make_session()
    editor = TextEditor(session, "start", limit=20)
    with play(edited(session, editor), session) as me:
        me.press("end")
        me.paste("y" * 1000)
        assert editor.text == "start"  # nothing of it, and nothing is cut
        assert (
            "Nothing was added: that is 985 characters too long. There is room for 20." in me.text
        )
        me.paste("y" * 15)
        assert "Nothing was" not in me.text
        me.press("home")
        me.type("z")
        assert editor.text == "start" + "y" * 15
        assert "1 character too long" in me.text
        me.press("s-right")
        me.paste("longer")  # nor is what it would replace
        assert editor.text == "start" + "y" * 15
        assert "5 characters too long" in me.text
        me.press("left", "delete")
        assert "too long" not in me.text
        editor.text = "new"
        assert not editor.dirty


def test_what_can_be_undone_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defaults, "UNDO", 8000)
    monkeypatch.setattr(Buffer, "save_to_undo_stack", defaults._save_within_bounds)
    session = make_session()
    editor = TextEditor(session, "\U0001f600" * 100)
    with play(edited(session, editor), session) as me:
        for _ in range(30):
            me.press("a", "right", "backspace", "left")
        assert 4000 < defaults.undo_bytes(editor.buffer) <= 8000, "bytes, of four each"
        before = editor.text
        me.press("delete", "c-z")
        assert editor.text == before


def test_what_an_editor_holds_is_taken_from_its_person_and_given_back() -> None:
    budget = Budget({**BOUNDS, Kind.MEMORY: Bounds(10**6, 10**6, 10**6, 10**7)})
    session = make_session()
    session._share = budget.share(Holder(1, "ada", "192.0.2.1"), event_log())
    editor = TextEditor(session, "small")
    with play(edited(session, editor), session) as me:
        assert budget.held(Kind.MEMORY) == 0, "a small text costs no count"
        me.paste("x" * 80_000)
        me.paste("y" * 10_000)
        held = budget.held(Kind.MEMORY)
        assert 600_000 < held < 1_000_000
        me.paste("z" * 60_000)
        assert "z" not in editor.text
        assert "There are no more than 1,000,000 bytes of memory" in me.text
        me.press("backspace")
        assert len(editor.text) == 90_004
        assert "no more than" not in me.text
        editor.close()
        assert budget.held(Kind.MEMORY) == 0
        other = TextEditor(session, "x" * 100_000)
        assert budget.held(Kind.MEMORY) > 500_000
        session.let_go()
        assert other.text
        assert budget.held(Kind.MEMORY) == 0


def test_a_text_that_is_too_long_already_can_only_become_shorter() -> None:
    session = make_session()
    editor = TextEditor(session, "x" * 30, limit=20)
    with play(edited(session, editor), session) as me:
        me.type("a")
        assert editor.text == "x" * 30
        me.press("delete")
        assert editor.text == "x" * 29


def test_a_paste_has_one_kind_of_line_end_and_no_byte_order_mark() -> None:
    session = make_session()
    editor = TextEditor(session)
    with play(edited(session, editor), session) as me:
        me.paste("\ufeffone\r\ntwo\rthree\n")
        assert editor.text == "one\ntwo\nthree\n"


def test_lines_break_between_words() -> None:
    session = make_session(40, 12)
    words = "The quick brown fox jumps over the lazy dog and goes on to the river "
    editor = TextEditor(session, words * 2)
    with play(edited(session, editor), session) as me:
        shown = [line.strip() for line in me.lines[1:-1] if line.strip()]
        assert " ".join(shown).split() == (words * 2).split()
        assert all(len(line) <= 38 for line in shown)
        assert shown[0] == "The quick brown fox jumps over the"


def test_up_and_down_go_by_the_rows_that_are_seen() -> None:
    session = make_session(40, 12)
    editor = TextEditor(session, "word " * 20 + "\nend")
    with play(edited(session, editor), session) as me:
        me.press("right", "right", "right", "down")
        assert editor.position_text() == "1:39"
        me.press("down", "down")
        assert editor.position_text() == "2:4"
        me.press("up")
        assert editor.position_text() == "1:74"
        me.press("pageup")
        assert editor.position_text() == "1:4"
        me.press("pagedown")
        assert editor.position_text() == "2:4"


def test_a_click_puts_the_cursor_where_it_is_seen() -> None:
    session = make_session(40, 12)
    editor = TextEditor(session, "one two three four five six seven eight nine ten eleven twelve")
    with play(edited(session, editor), session) as me:
        row = next(y for y, line in enumerate(me.lines) if "nine" in line)
        column = me.lines[row].index("nine")
        me.click(column, row, MouseEventType.MOUSE_DOWN)
        me.type("!")
        assert "eight !nine" in editor.text


def test_a_tab_is_shown_as_blanks_and_stays_a_tab() -> None:
    session = make_session()
    editor = TextEditor(session, "a\tb")
    with play(edited(session, editor), session) as me:
        assert "  a   b" in me.text
        assert "^I" not in me.text
        me.press("right", "right")
        me.type("c")
        assert editor.text == "a\tcb"


FAMILY, FLAG, ACCENT = "👨\u200d👩\u200d👧", "🇩🇪", "e\u0301\u0323"


@pytest.mark.parametrize("cluster", [FAMILY, FLAG, ACCENT, "👍🏽", "☝️", "각"])
def test_what_looks_like_one_character_is_moved_over_and_deleted_as_one(cluster: str) -> None:
    session = make_session()
    editor = TextEditor(session, f"a{cluster}b")
    with play(edited(session, editor), session) as me:
        me.press("right", "right")
        assert editor.buffer.cursor_position == 1 + len(cluster)
        me.press("left")
        assert editor.buffer.cursor_position == 1
        me.press("delete")
        assert editor.text == "ab"
        me.press("c-z")
        assert editor.text == f"a{cluster}b"
        me.press("end", "left", "backspace")
        assert editor.text == "ab"


def test_a_selection_can_be_copied_cut_and_pasted() -> None:
    session = make_session()
    left: list[int] = []
    editor = TextEditor(session, "one two")
    keys = Keymap()
    keys.add("c-c")(lambda event: left.append(1))
    screen = Screen(session, "Note", HSplit([editor], key_bindings=keys.bindings))
    stage = session.stage
    assert isinstance(stage, StubStage)
    with play(screen.application, session) as me:
        assert "paste" not in me.lines[-1]
        me.press("s-right", "s-right", "s-right")
        assert "^C copy" in me.lines[-1]
        me.press("c-c")
        assert stage.copied == ["one"]  # for the person's own machine
        assert left == []
        me.press("end", "c-v")
        assert editor.text == "one twoone"
        me.press("s-left", "s-left", "s-left", "c-x")
        assert editor.text == "one two"
        assert stage.copied == ["one", "one"]
        me.press("c-z")
        assert editor.text == "one twoone"
        me.press("c-y")
        assert editor.text == "one two"
        me.press("c-c")  # nothing is selected
        assert left == [1]


def test_line_numbers_stand_beside_the_first_row_of_a_line() -> None:
    session = make_session(40, 12)
    editor = TextEditor(session, "word " * 12 + "\nend", line_numbers=True)
    with play(edited(session, editor), session) as me:
        numbers = [line[:2].strip() for line in me.lines[1:-1]]
        assert numbers[:3] == ["1", "", "2"]


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
