"""A key that is held down does nothing in what it has opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from prompt_toolkit.application import Application
from prompt_toolkit.layout.containers import VSplit

from tests.tui.screen import make_session, play
from tuihost.session.session import Session
from tuihost.tui.running._talk_screen import TalkScreen
from tuihost.tui.running.notices import notice
from tuihost.widgets import Keymap, ListView, RichView, Screen, TextEditor, ignore_held_key
from tuihost.wire import Stream


def page() -> Application[None]:
    return notice("That did not work", "It stopped.", "Enter goes back")


def test_a_page_of_the_host_is_not_closed_by_a_key_that_is_held_down() -> None:
    session = make_session()
    with play(page, session, before="enter") as me:
        me.hold("enter", 3)
        me.wait(0.2)
        me.press("enter")
        assert not me.ended
        me.wait(0.7)
        me.press("enter")
        assert me.ended


def test_a_second_press_closes_it_though_it_is_the_same_key() -> None:
    session = make_session()
    with play(page, session, before="enter") as me:
        me.wait(0.3)
        me.press("enter")
        assert me.ended


def test_another_key_closes_it_at_once() -> None:
    session = make_session()
    with play(page, session, before="enter") as me:
        me.press("space")
        assert me.ended


def test_after_another_key_the_first_one_works_again() -> None:
    session = make_session()
    with play(page, session, before="enter") as me:
        me.press("enter", "down", "enter")
        assert me.ended


def test_the_last_words_of_a_talk_stay_while_the_answer_is_held_down() -> None:
    session = make_session()
    talk = TalkScreen(session, "Talk")

    async def asks(session: Session) -> None:
        await talk.ask("Name? ", hidden=False, default="")
        talk.write(b"Hello\n", Stream.OUT)

    with play(lambda: talk.build(asks), session) as me:
        me.press("a", "enter")
        assert "Press Enter to go on" in me.text
        me.hold("enter", 5)
        assert not me.ended
        me.wait(0.7)
        me.press("enter")
        assert me.ended


def asking_three(session: Session) -> tuple[Callable[[], Application[Any]], list[str]]:
    """A talk with three questions, and what was answered so far."""
    talk, answers = TalkScreen(session, "Talk"), list[str]()

    async def asks(session: Session) -> None:
        for question in ("First? ", "Second? ", "Third? "):
            answers.append(await talk.ask(question, hidden=False, default=f"the {question}"))

    return lambda: talk.build(asks), answers


def test_a_held_enter_does_not_answer_the_next_question_of_a_talk() -> None:
    session = make_session()
    build, answers = asking_three(session)
    with play(build, session) as me:
        me.hold("enter", 9)
        me.wait(0.7)
        assert answers == ["the First? "]
        me.press("enter")
        assert len(answers) == 2


def test_nor_does_the_enter_that_opened_the_talk_answer_its_first_question() -> None:
    session = make_session()
    build, answers = asking_three(session)
    with play(build, session, before="enter") as me:
        me.hold("enter", 3)
        assert not answers
        me.press("b", "enter")
        assert answers == ["the First? b"]


def test_answers_that_are_typed_at_once_are_all_taken() -> None:
    session = make_session()
    build, answers = asking_three(session)
    with play(build, session, before="enter") as me:
        me.press("a", "a", "enter", "b", "enter")
        me.paste("c")
        me.press("enter")
        assert answers == ["the First? aa", "the Second? b", "the Third? c"]


def test_a_page_of_an_app_can_ask_for_it() -> None:
    session = make_session()
    keys, closed = Keymap("Page"), list[int]()

    @keys.add("enter", label="done")
    def _done(event: Any) -> None:
        closed.append(1)
        ignore_held_key()

    screen = Screen(session, "Page", RichView(session, "codes"), keys=keys)
    with play(screen.application, session) as me:
        me.hold("enter", 8)
        assert closed == [1]
        me.wait(0.7)
        me.press("enter")
        assert closed == [1, 1]


@pytest.mark.parametrize("key", ["q", "c-c", "escape", "backspace"])
def test_a_key_that_left_one_app_does_not_leave_the_next_too(key: str) -> None:
    session = make_session(from_menu=True)
    screen = Screen(session, "Menu", RichView(session, "apps"), keys=Keymap())
    screen.keys.add("backspace")(lambda event: screen.leave())
    with play(screen.application, session, before=key) as me:
        me.hold(key, 90)
        assert not me.ended
        me.wait(0.7)
        me.press(key)
        assert me.ended


@pytest.mark.parametrize("key", ["escape", "c-c"])
def test_a_key_that_closed_a_question_does_not_leave_the_app_too(key: str) -> None:
    session = make_session(from_menu=True)
    screen = Screen(session, "App", RichView(session, "text"), keys=Keymap())
    screen.keys.add("x")(lambda event: screen.confirm("Sure?"))
    with play(screen.application, session) as me:
        me.press("x")
        assert "Sure?" in me.text
        me.hold(key, 90)
        assert "Sure?" not in me.text
        assert not me.ended
        me.wait(0.7)
        me.press(key)
        assert me.ended


@pytest.mark.parametrize("key", ["escape", "backspace"])
def test_a_key_that_emptied_a_filter_does_not_leave_the_list_too(key: str) -> None:
    session = make_session(from_menu=True)
    view = ListView(session, ["one", "two"])
    screen = Screen(session, "List", view, keys=Keymap())
    screen.keys.add("backspace")(lambda event: screen.leave())
    with play(screen.application, session) as me:
        me.type("two")
        me.hold(key, 90)
        assert not view.filter.text
        assert not me.ended
        me.wait(0.7)
        me.press(key)
        assert me.ended


def test_a_key_may_be_held_down_to_move_through_parts() -> None:
    session = make_session()
    left, right = (ListView(session, ["one", "two"], filterable=False) for _ in range(2))
    screen = Screen(session, "Two", VSplit([left, right]), keys=Keymap())
    with play(screen.application, session) as me:
        me.hold("tab", 3)
        assert me.application.layout.current_window is right.window


def test_the_enter_that_opened_a_text_does_not_write_in_it_while_it_is_held_down() -> None:
    session = make_session()
    editor = TextEditor(session, "a note")
    with play(Screen(session, "Note", editor).application, session, before="enter") as me:
        me.hold("enter", 5)
        assert editor.text == "a note"
        me.wait(0.7)
        me.press("enter")
        assert editor.text == "\na note"


def test_a_text_takes_an_enter_after_another_key() -> None:
    session = make_session()
    editor = TextEditor(session, "a note")
    with play(Screen(session, "Note", editor).application, session, before="enter") as me:
        me.press("b", "enter", "enter")
        assert editor.text == "b\n\na note"
