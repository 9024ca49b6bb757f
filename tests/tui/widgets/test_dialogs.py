"""Questions above a running screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.tui.screen import make_session, play
from tests.tui.widgets.screens import asking, body
from tuihost.session.session import Session
from tuihost.tui.widgets.dialogs import Dialog
from tuihost.tui.widgets.keymap import Keymap
from tuihost.tui.widgets.list_view import ListView
from tuihost.tui.widgets.screen import Screen


@pytest.mark.parametrize(
    ("presses", "answer"),
    [
        (["enter"], False),  # what cannot be undone is not what Enter says
        (["y"], True),
        (["n"], False),
        (["escape"], False),
        (["c-c"], False),
        (["left", "enter"], True),
        (["tab", "space"], True),
        (["tab", "tab", "enter"], False),
    ],
)
def test_confirm(presses: list[str], answer: bool) -> None:
    session = make_session()
    answers: list[Any] = []
    ask = asking(session, lambda screen: screen.confirm("Delete?", detail="For ever."), answers)
    with play(ask, session) as me:
        me.press("a")
        assert "Delete?" in me.text
        assert "For ever." in me.text
        me.press("a", "?")  # keys do not pass through
        assert "ask" not in me.lines[-1]
        me.press(*presses)
        assert answers == [answer]
        assert "Delete?" not in me.text
        assert "a ask" in me.lines[-1]


QUESTIONS: dict[str, Callable[[Screen], Any]] = {
    "message": lambda screen: screen.message("Careful", "A text"),
    "confirm": lambda screen: screen.confirm("Delete?", yes="Delete", no="Keep"),
    "default": lambda screen: screen.confirm("Delete?", yes="Delete", no="Keep", default=True),
    "prompt": lambda screen: screen.prompt("Name", default="as it was"),
    "choose": lambda screen: screen.choose("Which", ["yes", "no"]),
    "many": lambda screen: screen.choose("Which", [f"yes {number}" for number in range(20)]),
    "own": lambda screen: screen.open(own_dialog(screen.session)),
}


def own_dialog(session: Session) -> Dialog[str]:
    """One as an app makes it."""
    keys = Keymap("Own")
    view: ListView[str] = ListView(session, ["a", "b"], filterable=False)
    dialog: Dialog[str] = Dialog(session, "Own", view, focus=view.window, keys=keys)
    for key in ("enter", "y", "d", "k", "space", "delete"):
        keys.add(key)(lambda event: dialog.close("answered"))
    return dialog


@pytest.mark.parametrize("key", ["enter", "escape", "c-c", "space", "y", "d", "delete"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_the_key_that_opens_a_question_does_not_answer_it(question: str, key: str) -> None:
    session = make_session()
    answers: list[Any] = []
    asked: list[int] = []
    keys = Keymap("Here")
    screen = Screen(session, "Notes", body(), keys=keys, quits=False)

    @keys.add(key)
    async def _ask(event: Any) -> None:
        asked.append(1)
        answers.append(await QUESTIONS[question](screen))

    with play(screen.application, session) as me:
        me.hold(key, 8)  # at once, before the question is there
        assert (asked, answers) == ([1], [])
        for _ in range(5):  # and while it is there
            me.wait(0.2)
            me.hold(key, 1)
        assert (asked, answers) == ([1], [])
        if question != "message":
            me.press("down", "escape", "escape") if key != "escape" else me.press("down", "c-c")
            assert len(answers) == 1


def test_a_key_answers_again_once_it_has_rested() -> None:
    session = make_session()
    answers: list[Any] = []
    keys = Keymap("Here")
    screen = Screen(session, "Notes", body(), keys=keys)

    @keys.add("y")
    async def _ask(event: Any) -> None:
        answers.append(await screen.confirm("Delete?"))

    with play(screen.application, session) as me:
        me.hold("y", 9)
        assert answers == []
        me.wait(0.7)
        me.press("y")
        assert answers == [True]
        me.press("y", "right", "y")  # another key in between
        assert answers == [True, True]


def test_a_paste_is_another_key() -> None:
    session = make_session()
    answers: list[Any] = []
    keys = Keymap("Here")
    screen = Screen(session, "Notes", body(), keys=keys)

    @keys.add("enter")
    async def _ask(event: Any) -> None:
        answers.append(await screen.prompt("Key"))

    with play(screen.application, session) as me:
        me.hold("enter", 9)
        assert answers == []
        me.paste("KEY\n")
        me.press("enter")
        assert answers == ["KEY"]


def test_the_key_that_was_held_is_text_where_text_is_asked_for() -> None:
    session = make_session()
    answers: list[Any] = []
    with play(asking(session, lambda screen: screen.prompt("Name"), answers), session) as me:
        me.press("a")
        me.type("ada")
        me.press("enter")
        assert answers == ["ada"]


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (20, 5)])
def test_a_dialog_fits_every_window(size: tuple[int, int], snapshot: Any) -> None:
    session = make_session(*size)
    text = "A long text that says what will be lost, and what will not. " * 6
    ask = asking(session, lambda screen: screen.message("Careful", text), [])
    with play(ask, session) as me:
        me.press("a")
        assert me.text == snapshot


def test_a_click_presses_a_button_and_the_ground_is_no_way_through() -> None:
    session = make_session()
    answers: list[Any] = []
    with play(asking(session, lambda s: s.confirm("Delete?"), answers), session) as me:
        me.press("a")
        me.click_on("the work")
        me.click_on("Delete?")
        assert answers == []
        me.click_on("Yes")
        assert answers == [True]


def test_prompt_takes_a_line_checks_it_and_gives_it() -> None:
    session = make_session()
    answers: list[Any] = []

    def validate(text: str) -> str | None:
        return None if text.strip() else "It needs a title"

    ask = asking(
        session,
        lambda s: s.prompt("Title", default="Old", placeholder="in a word", validate=validate),
        answers,
    )
    with play(ask, session) as me:
        me.press("a")
        assert "Old" in me.text
        assert "in a word" not in me.text
        me.press("c-u", "enter")
        assert "in a word" in me.text
        assert "✗ It needs a title" in me.text
        me.type("New?")
        assert "It needs a title" not in me.text
        me.press("enter")
        assert answers == ["New?"]
        me.press("a", "escape")
        assert answers == ["New?", None]


def test_a_prompt_stays_one_line_and_hides_secrets() -> None:
    session = make_session()
    answers: list[Any] = []
    with play(asking(session, lambda s: s.prompt("Word", hidden=True), answers), session) as me:
        me.press("a")
        me.paste("two\nlines")
        assert "two" not in me.text
        me.press("enter")
        assert answers == ["two lines"]


def test_a_line_that_was_pasted_with_its_end_is_shown() -> None:
    session = make_session()
    answers: list[Any] = []
    with play(asking(session, lambda s: s.prompt("Key"), answers), session) as me:
        me.press("a")
        me.paste("KEY\n")
        assert "KEY" in me.text
        me.press("enter")
        assert answers == ["KEY"]


def test_choose_filters_where_there_are_many() -> None:
    session = make_session()
    answers: list[Any] = []
    tried: list[str] = []
    names = ["ember", "harbor", "mono", "moss", "nordic", "paper", "plain", "slate", "tide"]
    ask = asking(
        session,
        lambda s: s.choose(
            "Theme", names, label=str.title, selected="moss", on_change=tried.append
        ),
        answers,
    )
    with play(ask, session) as me:
        me.press("a")
        assert any("▌ Moss" in line for line in me.lines)
        assert "⏎ choose" in me.text
        assert "open" not in me.text
        me.press("down")
        assert tried == ["nordic"]
        me.type("pap")
        me.press("enter")
        assert answers == ["paper"]
        me.press("a", "escape")
        assert answers == ["paper", None]
        me.press("a")
        me.type("pa")
        me.press("escape")  # first the filter
        assert len(answers) == 2
        me.press("escape")
        assert answers == ["paper", None, None]


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
def test_a_long_dialog_leaves_the_line_of_keys_in_view_and_says_that_it_goes_on(
    size: tuple[int, int],
) -> None:
    session = make_session(*size)
    names = [f"option {number}" for number in range(100)]
    ask = asking(session, lambda screen: screen.choose("Which", names), [])
    with play(ask, session) as me:
        me.press("a")
        assert "Esc cancel" in me.lines[-1]
        assert "option 0" in me.text
        edge = "".join(line.rstrip()[-1:] for line in me.lines if "option" in line)
        assert (edge[0], edge[-1]) == ("│", "↓")
        me.press("pagedown")
        edge = "".join(line.rstrip()[-1:] for line in me.lines if "option" in line)
        assert (edge[0], edge[-1]) == ("↑", "↓")
        me.press("end")
        edge = "".join(line.rstrip()[-1:] for line in me.lines if "option" in line)
        assert (edge[0], edge[-1]) == ("↑", "│")


def test_a_dialog_uses_the_width_that_there_is() -> None:
    session = make_session(200, 60)
    key = "ssh-ed25519 " + "A" * 68 + " ada@laptop"
    about = "a long description that says what choosing this would do, and what not " * 2
    asks: tuple[tuple[Callable[[Screen], Any], str], ...] = (
        (lambda screen: screen.prompt("Key", default=key), key),
        (lambda screen: screen.choose("Which", ["a", "b"], description=lambda _: about), about),
        (lambda screen: screen.message("Look", "word " * 16), "word " * 15),
    )
    for ask, text in asks:
        with play(asking(session, ask, []), session) as me:
            me.press("a")
            assert text.strip() in me.text


def test_dialogs_stack_and_give_the_focus_back() -> None:
    session = make_session()
    answers: list[Any] = []

    async def both(screen: Screen) -> Any:
        name = await screen.prompt("Name")
        return (name, await screen.confirm(f"Really {name}?"))

    with play(asking(session, both, answers), session) as me:
        before = me.application.layout.current_window
        me.press("a")
        me.type("ada")
        me.press("enter", "y")
        assert answers == [("ada", True)]
        assert me.application.layout.current_window is before


def test_a_dialog_ends_with_its_application() -> None:
    session = make_session()
    screen = Screen(session, "Notes", body())
    ended: list[str] = []

    async def ask() -> None:
        try:
            await screen.confirm("Still there?")
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    with play(screen.application, session) as me:
        me.in_app(lambda: me.application.create_background_task(ask()) and None)
        assert "Still there?" in me.text
        me.in_app(lambda: screen.exit(0))
        assert me.result == 0
    assert ended == ["cancelled"]
    assert screen._floats == []
