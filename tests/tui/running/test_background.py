"""A light terminal gets the light half of the theme; nobody waits for its answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from prompt_toolkit.application import Application
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout import FormattedTextControl, Layout, Window

from tests.waiting import DEADLINE, allowed
from tuihost import App, Launch, Session
from tuihost.testing import Hosted, Pilot, hosted
from tuihost.testing.hosted import hang_up
from tuihost.tui.running import _background
from tuihost.tui.running._background import QUESTION, is_light

ASKED = QUESTION.encode()
WHITE, BLACK = "#ffffff", "#000000"
ATTRIBUTES = "\x1b[?64;22c"
WHITE_ANSWER = "\x1b]11;rgb:ffff/ffff/ffff\x1b\\"
COLORED, PLAIN = b"\x1b]12;#", b"\x1b]112\x1b\\"


class Shows(App):
    """Shows its theme and what is typed; `q` leaves, `t` takes another theme, `o` opens itself."""

    name = "shows"
    title = "Shows"

    def build(self, session: Session) -> Application[Any]:
        typed: list[str] = []
        keys = KeyBindings()

        @keys.add("<any>")
        def _any(event: Any) -> None:
            typed.append(event.data)

        @keys.add("escape", eager=True)
        def _escape(event: Any) -> None:
            typed.append("Esc")

        @keys.add("q")
        def _quit(event: Any) -> None:
            event.app.exit()

        @keys.add("t")
        def _theme(event: Any) -> None:
            session.set_theme("ember")

        @keys.add("o")
        def _open(event: Any) -> None:
            event.app.exit(Launch("shows"))

        control = FormattedTextControl(
            lambda: (
                f"in {session.theme.name}, typed {''.join(typed)!r}, "
                f"others in {cast(Any, session.other_apps).theme.name}"
            ),
            focusable=True,
            show_cursor=True,
        )
        return Application(layout=Layout(Window(control)), key_bindings=keys, full_screen=True)


class Brief(App):
    """Is over before anybody has seen it."""

    name = "brief"
    title = "Brief"

    def build(self, session: Session) -> Application[Any]:
        application: Application[Any] = Application(full_screen=True)
        application.pre_run_callables.append(lambda: application.exit(result=5))
        return application


class Silent(Pilot):
    """A terminal that answers nothing by itself."""

    def _answer(self) -> None:
        pass


@contextmanager
def silent(host: Hosted) -> Iterator[Silent]:
    transport = host.connect()
    channel = transport.open_session(timeout=DEADLINE)
    channel.get_pty("xterm-256color", 80, 24)
    channel.invoke_shell()
    with Silent(channel, lambda: hang_up(transport), 80, 24) as pilot:
        yield pilot


@pytest.mark.parametrize(
    ("answer", "light"),
    [
        ("\x1b]11;rgb:ffff/ffff/ffff\x1b\\", True),
        ("\x1b]11;rgb:0000/0000/0000\x07", False),
        ("\x1b]11;rgb:f/f/f\x07", True),
        ("\x1b]11;rgb:fd/f6/e3\x1b\\", True),
        ("\x1b]11;rgba:ffff/ffff/ffff/8000\x1b\\", True),
        ("\x1b]11;rgb:1c1c/1c1c/1c1c\x1b\\", False),
        ("\x1b]11;rgb:8080/8080/8080\x1b\\", True),
        ("\x1b]11;rgb:6060/6060/6060\x1b\\", False),
        ("\x1b]10;rgb:ffff/ffff/ffff\x1b\\", None),
        ("\x1b]11;rgb:/ff/ff\x1b\\", None),
        ("\x1b]11;?\x1b\\", None),
        ("\x1b[?64;22c", None),
    ],
)
def test_an_answer_tells_whether_black_or_white_is_easier_to_read(
    answer: str, light: bool | None
) -> None:
    assert is_light(answer) is light


@pytest.mark.parametrize(
    ("background", "theme"),
    [(WHITE, "harbor-day"), (BLACK, "harbor-night"), (None, "harbor-night")],
)
def test_the_terminal_gets_the_half_of_the_theme_that_suits_it(
    background: str | None, theme: str
) -> None:
    with hosted(Shows()) as host, host.open(background=background) as pilot:
        pilot.wait_for(f"in {theme}, typed '', others in {theme}").press("q")
        assert pilot.wait_end() == 0
        assert COLORED not in pilot.received
        assert PLAIN not in pilot.received, "nothing was changed that had to be restored"


def test_the_dark_half_stands_in_for_a_light_theme_too() -> None:
    settings = {"server.theme": "harbor-day"}
    with hosted(Shows(), settings=settings) as host, host.open(background=BLACK) as pilot:
        pilot.wait_for("in harbor-night")


def test_a_chosen_theme_stays_and_its_cursor_can_be_seen() -> None:
    with hosted(Shows()) as host:
        with host.open(background=WHITE) as pilot:
            pilot.wait_for("in harbor-day").press("t").wait_for("in ember")
            pilot.wait_until(lambda: b"\x1b]12;#ede1d8\x1b\\" in pilot.received, "the cursor")
            pilot.press("q")
            assert pilot.wait_end() == 0
            assert pilot.received.count(PLAIN) == 1
        with host.open(background=WHITE) as pilot:
            pilot.wait_for("in ember").wait_until(lambda: COLORED in pilot.received, "the cursor")
            assert b"rgb:" not in pilot.received
            assert "harbor" not in pilot.text


def test_a_theme_without_a_pair_is_the_operators_word() -> None:
    settings = {"server.theme": "ember"}
    with hosted(Shows(), settings=settings) as host, host.open(background=WHITE) as pilot:
        pilot.wait_until(lambda: COLORED in pilot.received, "the cursor").wait_for("in ember")


def test_a_theme_of_the_terminals_own_colours_leaves_its_cursor_alone() -> None:
    settings = {"server.theme": "mono"}
    with hosted(Shows(), settings=settings) as host, host.open(background=WHITE) as pilot:
        pilot.wait_for("in mono").press("x").wait_for("typed 'x'")
        assert COLORED not in pilot.received


@pytest.mark.parametrize("term", ["vt100", "linux", "ansi"])
def test_a_simple_terminal_is_asked_nothing(term: str) -> None:
    with hosted(Shows()) as host, host.open(term=term, background=WHITE) as pilot:
        pilot.wait_for("in harbor-night").press("x").wait_for("typed 'x'")
        assert b"\x1b]" not in pilot.received


def test_it_is_asked_once_with_the_first_frame() -> None:
    with hosted(Shows()) as host, host.open(background=WHITE) as pilot:
        pilot.wait_for("in harbor-day")
        for typed in ("a", "b"):
            pilot.press("o").wait_for("typed ''").press(typed).wait_for(f"typed '{typed}'")
        assert pilot.received.count(ASKED) == 1
        assert pilot.received.count(b"\x1b[c") == 1
        assert "in harbor-day" in pilot.text, "the next app knows it too"


def test_a_late_answer_in_pieces_changes_the_theme_and_is_not_typed() -> None:
    with hosted(Shows()) as host, silent(host) as pilot:
        pilot.wait_for("in harbor-night").press("a").wait_for("typed 'a'")
        for piece in (*WHITE_ANSWER, *ATTRIBUTES):
            pilot.type(piece)
        pilot.type("b").wait_for("in harbor-day, typed 'ab'")
        pilot.type(WHITE_ANSWER + ATTRIBUTES + "c").wait_for("typed 'abc'")


def test_an_answer_that_was_not_asked_for_changes_nothing() -> None:
    with hosted(Shows()) as host, silent(host) as pilot:
        pilot.wait_for("in harbor-night").type(ATTRIBUTES + WHITE_ANSWER)
        pilot.type("a").wait_for("in harbor-night, typed 'a'")


def test_a_terminal_that_answers_nothing_loses_no_time() -> None:
    with hosted(Shows()) as host, silent(host) as pilot:
        begun = time.monotonic()
        pilot.wait_for("in harbor-night")
        assert time.monotonic() - begun < allowed(1.0)
        pilot.type("a").wait_for("typed 'a'").press("q")
        assert pilot.wait_end() == 0
        assert time.monotonic() - begun < allowed(1.0 + _background.ANSWER_GRACE)


def test_an_answer_on_its_way_is_not_left_to_the_persons_shell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_background, "ANSWER_GRACE", DEADLINE)
    with hosted(Brief()) as host, silent(host) as pilot:
        pilot.wait_until(lambda: ASKED in pilot.received, "the question")
        with pytest.raises(AssertionError, match="the end of the session"):
            pilot.wait_end(seconds=0.2)
        pilot.type(WHITE_ANSWER).type(ATTRIBUTES)
        assert pilot.wait_end() == 5


def test_the_end_waits_for_no_terminal_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_background, "ANSWER_GRACE", DEADLINE)
    with hosted(Brief()) as host, silent(host) as pilot:
        pilot.wait_until(lambda: ASKED in pilot.received, "the question")
        pilot.end_input()
        assert pilot.wait_end() == 5
