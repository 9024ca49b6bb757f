"""Pages drawn by rich, and text to write."""

from __future__ import annotations

from typing import Any

import pytest
from prompt_toolkit.mouse_events import MouseEventType
from rich.markdown import Markdown
from rich.text import Text

from tests.tui.screen import make_session, play
from tuihost.session.session import Session
from tuihost.tui.widgets.rich_view import RichView
from tuihost.tui.widgets.screen import Screen

PAGE = "# Handbook\n\nRead [the rules](app:rules) first.\n\n" + "\n\n".join(
    f"## Chapter {number}\n\nThe quick brown fox jumps over the lazy dog, number {number}. "
    f"See [chapter {number + 1}](app:{number + 1})."
    for number in range(20)
)


def played(session: Session, view: RichView) -> Any:
    return lambda: Screen(session, "Book", view, status=view.position_text).application()


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
def test_how_it_looks(size: tuple[int, int], snapshot: Any) -> None:
    session = make_session(*size)
    view = RichView(session, Markdown(PAGE), on_link=print)
    with play(played(session, view), session) as me:
        me.press("pagedown", "tab")
        assert me.text == snapshot


def test_scrolling_and_where_one_is() -> None:
    session = make_session()
    view = RichView(session, Markdown(PAGE), place="book")
    with play(played(session, view), session) as me:
        assert me.lines[0].lstrip().split(" · ")[2].strip().endswith("ada") or "Top" in me.lines[0]
        me.press("down", "j", "k")
        assert view.window.offset == 1
        me.press("space")
        assert "%" in me.lines[0]
        me.press("end")
        assert "End" in me.lines[0]
        assert "number 19" in me.text
        me.press("g")
        assert "Top" in me.lines[0]
        me.click(10, 10, MouseEventType.SCROLL_DOWN)
        assert view.window.offset == 3
        me.press("down")
    assert RichView(session, Markdown(PAGE), place="book").window.offset == 4


def test_it_is_drawn_once_for_each_width() -> None:
    session = make_session()
    widths: list[int] = []

    def content(width: int) -> Text:
        widths.append(width)
        return Text("line\n" * 100)

    view = RichView(session, content)
    with play(played(session, view), session) as me:
        me.press("down", "pagedown", "end", "home")
        assert widths == [76]
        me.resize(60, 20)
        assert widths == [76, 56]
        me.resize(80, 24)
        assert widths == [76, 56]
        view.content = Text("other")
        me.redraw()
        assert "other" in me.text


def test_a_smaller_window_shows_no_lines_that_are_gone() -> None:
    session = make_session(200, 60)
    view = RichView(session, Markdown(PAGE))
    with play(played(session, view), session) as me:
        me.press("end")
        me.resize(30, 10)
        me.press("end")
        assert "20." in me.text
        me.resize(200, 60)
        assert "number 19" in me.text


def test_search_marks_what_it_finds_and_goes_on() -> None:
    session = make_session()
    view = RichView(session, Markdown(PAGE))
    with play(played(session, view), session) as me:
        me.press("/")
        me.type("NUMBER 1")
        assert "1 of 11" in me.text
        assert "class:match.selection" in me.styles("number 1")
        me.press("enter", "n")
        assert "2 of 11" in me.text
        assert "number 10" in me.text
        me.press("N", "N")
        assert "11 of 11" in me.text
        me.press("escape")
        assert "of 11" not in me.text
        me.press("/")
        me.type("zzz")
        assert "nothing found" in me.text
        me.press("escape", "q")
        assert me.ended


def test_links_are_visited_and_followed() -> None:
    session = make_session()
    followed: list[str] = []
    view = RichView(session, Markdown(PAGE), on_link=followed.append)
    with play(played(session, view), session) as me:
        me.press("enter")
        assert followed == []
        me.press("tab")
        assert "class:selection" in me.styles("the rules")
        me.press("enter", "tab", "enter")
        assert followed == ["app:rules", "app:1"]
        me.press("s-tab", "s-tab", "enter")
        assert followed[-1] == "app:20"
        assert "number 19" in me.text
        me.press("home")
        me.click_on("the rules")
        assert followed[-1] == "app:rules"


def test_following_may_wait() -> None:
    session = make_session()
    followed: list[str] = []

    async def on_link(url: str) -> None:
        followed.append(url)

    view = RichView(session, Markdown(PAGE), on_link=on_link)
    with play(played(session, view), session) as me:
        me.press("tab", "enter")
        me.click_on("the rules")
        assert followed == ["app:rules", "app:rules"]


def test_nothing_in_a_page_steers_the_terminal() -> None:
    session = make_session()
    view = RichView(session, Text("a\x1b[2Jb\u202ec\x9bd"))
    with play(played(session, view), session) as me:
        assert not set("\x1b\u202e\x9b") & set("".join(me.lines))


def test_an_empty_page() -> None:
    session = make_session()
    view = RichView(session, "")
    with play(played(session, view), session) as me:
        me.press("down", "pagedown", "end", "tab", "n", "/", "x", "enter", "escape")
        assert view.window.offset == 0
        assert view.position_text() == ""
