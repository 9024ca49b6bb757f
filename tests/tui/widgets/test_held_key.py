"""A key that is held down does nothing in what it has opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys

from tests.tui.screen import make_session, play
from tuihost.session.session import Session
from tuihost.tui.running._talk_screen import TalkScreen
from tuihost.tui.running.notices import notice
from tuihost.widgets import HeldKey, Keymap, RichView, Screen, TextEditor
from tuihost.wire import Stream


def after(key: str | Keys, build: Callable[[], Application[Any]]) -> Callable[[], Application[Any]]:
    """The same Application, run when `key` was pressed last in the one before."""

    def built() -> Application[Any]:
        application = build()
        # The input of every session has it; prompt_toolkit's class does not.
        application.input.last_key = KeyPress(key)  # type: ignore[attr-defined]
        return application

    return built


def page() -> Application[None]:
    return notice("That did not work", "It stopped.", "Enter goes back")


def test_a_page_of_the_host_is_not_closed_by_a_key_that_is_held_down() -> None:
    session = make_session()
    with play(after(Keys.ControlM, page), session) as me:
        me.hold("enter", 3)
        me.wait(0.2)
        me.press("enter")
        assert not me.ended
        me.wait(1.3)
        me.press("enter")
        assert me.ended


def test_another_key_closes_it_at_once() -> None:
    session = make_session()
    with play(after(Keys.ControlM, page), session) as me:
        me.press("space")
        assert me.ended


def test_after_another_key_the_first_one_works_again() -> None:
    session = make_session()
    with play(after(Keys.ControlM, page), session) as me:
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
        me.wait(1.3)
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
        me.press("enter", *["enter"] * 3)
        me.hold("enter", 5)
        me.wait(1.3)
        assert answers == ["the First? "]
        me.press("enter")
        assert len(answers) == 2


def test_nor_does_the_enter_that_opened_the_talk_answer_its_first_question() -> None:
    session = make_session()
    build, answers = asking_three(session)
    with play(after(Keys.ControlM, build), session) as me:
        me.hold("enter", 3)
        assert not answers
        me.press("b", "enter")
        assert answers == ["the First? b"]


def test_answers_that_are_typed_at_once_are_all_taken() -> None:
    session = make_session()
    build, answers = asking_three(session)
    with play(after(Keys.ControlM, build), session) as me:
        me.press("a", "a", "enter", "b", "enter")
        me.paste("c")
        me.press("enter")
        assert answers == ["the First? aa", "the Second? b", "the Third? c"]


def test_a_page_of_an_app_can_have_it_too() -> None:
    session = make_session()
    keys, held, closed = Keymap("Page"), HeldKey(), list[int]()
    held.guard(keys)

    @keys.add("enter", label="done")
    def _done(event: Any) -> None:
        closed.append(1)

    @keys.add("x")
    def _opens(event: Any) -> None:
        held.begin()

    screen = Screen(session, "Page", RichView(session, "codes"), keys=keys)
    with play(screen.application, session) as me:
        me.press("enter")
        me.in_app(held.begin)
        me.press("enter", "enter")
        assert closed == [1]
        me.press("x", "enter")
        assert closed == [1, 1]


def test_the_enter_that_opened_a_text_does_not_write_in_it_while_it_is_held_down() -> None:
    session = make_session()
    editor = TextEditor(session, "a note")
    with play(after(Keys.ControlM, Screen(session, "Note", editor).application), session) as me:
        me.hold("enter", 5)
        assert editor.text == "a note"
        me.wait(1.3)
        me.press("enter")
        assert editor.text == "\na note"


def test_a_text_takes_an_enter_after_another_key() -> None:
    session = make_session()
    editor = TextEditor(session, "a note")
    with play(after(Keys.ControlM, Screen(session, "Note", editor).application), session) as me:
        me.press("b", "enter", "enter")
        assert editor.text == "b\n\na note"
