"""The frame around every app: title, work, keys, and what floats above."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout.containers import Window
from prompt_toolkit.layout.controls import FormattedTextControl
from prompt_toolkit.widgets import TextArea

from tests.tui.screen import EVENING, StubHost, make_session, play
from tests.waiting import DEADLINE
from tuihost.session.session import Session
from tuihost.tui.widgets.keymap import Keymap
from tuihost.tui.widgets.list_view import ListView
from tuihost.tui.widgets.screen import Screen


def body() -> Window:
    return Window(FormattedTextControl("the work", focusable=True))


def plain(session: Session, **more: Any) -> Any:
    return lambda: Screen(session, "Notes", body(), **more).application()


def asking(session: Session, ask: Any, answers: list[Any]) -> Any:
    """A screen whose key `a` asks and remembers the answer."""
    keys = Keymap("Here")
    screen = Screen(session, "Notes", body(), keys=keys)

    @keys.add("a", label="ask")
    async def _ask(event: Any) -> None:
        answers.append(await ask(screen))

    return screen.application


# ----------------------------------------------------------------------------- the three zones


def test_the_title_line_says_where_and_who() -> None:
    session = make_session()
    with play(plain(session, status="unsaved"), session) as me:
        assert me.lines[0] == " demo · Notes" + "unsaved · ada · 3 here · 21:04 ".rjust(67).rstrip()
        assert set(me.lines[1].strip()) == {"─"}
        assert me.lines[-1].endswith("q leave")


def test_the_time_is_the_persons_and_goes_on() -> None:
    session = make_session(env={"TZ": "Asia/Tokyo"})
    host = session.host
    assert isinstance(host, StubHost)
    with play(plain(session), session) as me:
        assert me.lines[0].endswith("06:04")
        frames = me.frames
        host.clock += 60 - EVENING % 60
        me.wait(60 - EVENING % 60)
        assert me.lines[0].endswith("06:05")
        assert me.frames == frames + 1
        host.clock += 60
        me.wait(DEADLINE)
        assert me.lines[0].endswith("06:06")


@pytest.mark.parametrize("zone", ["", "../../etc/passwd", "Nowhere/Town", "\0", "Europe"])
def test_a_zone_that_is_none_is_the_hosts(zone: str) -> None:
    session = make_session(env={"TZ": zone})
    with play(plain(session), session) as me:
        assert me.lines[0][-3] == ":"


def test_people_are_counted_once_a_second_at_most() -> None:
    session = make_session()
    asked: list[int] = []
    host = session.host
    assert isinstance(host, StubHost)
    everybody = host.here

    class Counting(StubHost):
        def people(self) -> Any:
            asked.append(1)
            return everybody

    session.host = Counting(here=everybody)
    with play(plain(session), session) as me:
        me.redraw()
        me.redraw()
        assert len(asked) == 1
        session.host.clock += 1
        me.redraw()
        assert len(asked) == 2


def test_a_small_window_keeps_what_matters() -> None:
    session = make_session(40, 12)
    with play(plain(session), session) as me:
        assert me.lines[0] == " Notes"
        assert me.lines[1] == "the work"
        assert "? keys" in me.lines[-1]


@pytest.mark.parametrize("size", [(19, 24), (80, 4), (5, 2), (1, 1)])
def test_a_window_too_small_says_so_kindly(size: tuple[int, int]) -> None:
    session = make_session(*size)
    with play(plain(session), session) as me:
        assert "the work" not in me.text
        if size[0] > 5:
            assert f"{max(20, size[0])}×{max(5, size[1])}" in me.text
        me.resize(80, 24)
        assert "the work" in me.text


def test_a_screen_may_need_more_and_nobody_presses_keys_blindly() -> None:
    session = make_session(60, 20)
    pressed: list[str] = []
    keys = Keymap()
    keys.add("d", label="delete")(lambda event: pressed.append("d"))
    with play(plain(session, keys=keys, min_size=(70, 10)), session) as me:
        assert "Make it 70×20, or press q to leave." in me.text.replace("\n", " ")
        me.press("d", "enter", "c-x")
        assert pressed == []
        me.press("q")
        assert me.result == 0


def test_wide_characters_in_a_title_keep_the_line_in_shape() -> None:
    session = make_session()
    app = lambda: Screen(session, "日本語のメモ帳", body()).application()  # noqa: E731
    with play(app, session) as me:
        assert "日本語のメモ帳" in me.lines[0]
        assert me.lines[0].endswith("21:04")
    narrow = make_session(21, 6)
    with play(lambda: Screen(narrow, "日" * 40, body()).application(), narrow) as me:
        assert me.lines[0].startswith(" 日")


# ----------------------------------------------------------------------------- ways out


def test_q_leaves_and_escape_only_goes_back_where_there_is_a_menu() -> None:
    session = make_session()
    with play(plain(session), session) as me:
        me.press("escape")
        assert not me.ended
        me.press("q")
        assert me.result == 0
    session = make_session(from_menu=True)
    with play(plain(session), session) as me:
        assert me.lines[-1].endswith("^] menu")
        me.press("escape")
        assert me.result == 0


def test_a_screen_can_leave_in_its_own_way_or_keep_q() -> None:
    left: list[str] = []
    session = make_session()
    with play(plain(session, leave=lambda: left.append("asked")), session) as me:
        me.press("q")
        assert left == ["asked"]
        assert not me.ended
    with play(plain(session, quits=False), session) as me:
        me.press("q", "escape")
        assert not me.ended
        assert "leave" not in me.text


def test_leaving_twice_is_leaving_once() -> None:
    session = make_session()
    screen = Screen(session, "Notes", body())
    with play(screen.application, session) as me:

        def twice() -> None:
            screen.exit(3)
            screen.exit(4)

        me._in_app(twice)
        assert me.result == 3


def test_another_body_takes_the_keys() -> None:
    session = make_session()
    first = ListView(session, ["one"])
    second = ListView(session, ["two"])
    screen = Screen(session, "First", first)
    with play(screen.application, session) as me:
        me._in_app(lambda: screen.show(second, title="Second"))
        assert "two" in me.text
        assert "Second" in me.lines[0]
        me.type("x")
        assert (first.filter.text, second.filter.text) == ("", "x")


# ----------------------------------------------------------------------------- what floats above


def test_help_is_made_from_the_live_bindings(snapshot: Any) -> None:
    ready = False
    keys = Keymap("Notes")
    keys.add("n", label="new note")(lambda event: None)
    keys.add("x", label="only sometimes", when=lambda: ready)(lambda event: None)
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
        me.press("n")


def test_help_scrolls_in_a_small_window() -> None:
    session = make_session(40, 12)
    view = ListView(session, ["a", "b"], on_open=print)
    with play(lambda: Screen(session, "Notes", view).application(), session) as me:
        me.press("?")
        assert "move" in me.text
        assert "leave" not in "\n".join(me.lines[:-1])
        me.press("pagedown", "pagedown")
        assert "leave" in "\n".join(me.lines[:-1])


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
        me._in_app(lambda: me.application.create_background_task(ask()) and None)
        assert "Still there?" in me.text
        me._in_app(lambda: screen.exit(0))
        assert me.result == 0
    assert ended == ["cancelled"]
    assert len(screen._floats) == 1


def test_toasts_go_by_themselves_and_never_take_the_keys() -> None:
    session = make_session()
    area = TextArea()
    screen = Screen(session, "Notes", area)
    with play(screen.application, session) as me:
        me._in_app(lambda: screen.toast("Saved", kind="success"))
        assert "✓ Saved" in me.text
        assert "class:success" in me.styles("✓")
        me.type("text")
        assert area.text == "text"
        me.wait(2.0)
        me._in_app(lambda: screen.toast("Again\x1b[2J" + "x" * 200, kind="error"))
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
            me._in_app(lambda number=number: screen.toast(f"toast {number}"))
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
            me._in_app(lambda: screen.toast("Nothing there"))
        assert me.text.count("Nothing there") == 1
        me.wait(2.0)
        assert "Nothing there" in me.text
        me._in_app(lambda: screen.toast("Nothing there", kind="error"))
        assert me.text.count("Nothing there") == 2, "another kind is not the same"
        me.wait(3.0)
        assert "Nothing there" not in me.text


# ----------------------------------------------------------------------------- the Application


def test_what_an_application_gets() -> None:
    session = make_session()
    with play(plain(session), session) as me:
        app = me.application
        assert app.full_screen
        assert app.mouse_support()
        assert app.style is None  # the host's theme must not lie beneath a fixed one
    session.preferences.set("mouse", "off")
    with play(plain(session), session) as me:
        assert not me.application.mouse_support()
    screen = Screen(session, "Notes", body())
    own = KeyBindings()
    with play(lambda: screen.application(key_bindings=own), session) as me:
        assert me.application.key_bindings is own


def test_another_theme_draws_every_row_again() -> None:
    session = make_session()
    view = ListView(session, ["one", "two"])
    asked: list[int] = []
    with play(lambda: Screen(session, "Notes", view).application(), session) as me:
        row = view.row
        view.row = lambda index, width: asked.append(index) or row(index, width)  # type: ignore
        me.redraw()
        assert asked == []
        session.stage.theme_changed(make_session(theme="harbor-day").theme)
        me.redraw()
        assert asked == [0, 1]


def test_a_person_at_rest_costs_nothing() -> None:
    session = make_session()
    with play(plain(session), session) as me:
        before = me.frames
        me.wait(1.0)
        me.wait(1.0)
        assert me.frames == before


def test_styles_stay_cheap() -> None:
    """prompt_toolkit's work on a style string doubles with every class name in it."""
    session = make_session()
    keys = Keymap()
    view = ListView(session, ["one", "two", "three"], description=str.upper, number_keys=True)
    screen = Screen(session, "Notes", view, keys=keys)

    @keys.add("a", label="ask")
    async def _ask(event: Any) -> None:
        await screen.choose("Which", [str(number) for number in range(20)])

    with play(screen.application, session) as me:
        me.press("a")
        me.type("1")
        me._in_app(lambda: screen.toast("Hello"))
        for style in {style for row in me.cells for _, style in row}:
            names = {
                name
                for word in style.split()
                if word.startswith("class:")
                for dotted in word[6:].split(",")
                for name in _prefixes(dotted)
            }
            assert len(names) <= 5, style


def _prefixes(dotted: str) -> set[str]:
    parts = dotted.split(".")
    return {".".join(parts[: end + 1]) for end in range(len(parts))}
