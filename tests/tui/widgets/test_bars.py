"""The two lines around a screen: where one is and who is here, and the keys that work."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.screen import EVENING, StubHost, make_session, play
from tests.tui.widgets.screens import body, plain
from tests.waiting import DEADLINE
from tuihost.tui.characters import width_of
from tuihost.tui.widgets._bars import TitleBar
from tuihost.tui.widgets.screen import Screen


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


def test_wide_characters_in_a_title_keep_the_line_in_shape() -> None:
    session = make_session()
    app = lambda: Screen(session, "日本語のメモ帳", body()).application()  # noqa: E731
    with play(app, session) as me:
        assert "日本語のメモ帳" in me.lines[0]
        assert me.lines[0].endswith("21:04")
    narrow = make_session(21, 6)
    with play(lambda: Screen(narrow, "日" * 40, body()).application(), narrow) as me:
        assert me.lines[0].startswith(" 日")


@pytest.mark.parametrize("title", ["Notes", "Notes: Lorem ipsum dolor sit amet, consectetur elit"])
def test_the_title_and_what_stands_beside_it_never_touch(title: str) -> None:
    for columns in range(24, 120):
        bar = TitleBar(make_session(columns, 24), title, "saved  1:1")
        line = "".join(part[1] for part in bar.row(0, columns))
        assert width_of(line) == columns
        left, gap, _ = line.partition("  saved  1:1")
        assert gap, line
        shown = left.strip().removeprefix("demo · ")
        assert shown == title or (shown.endswith("…") and title.startswith(shown[:-1])), line
