"""A list with a page at its right, and a table with nothing there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.screen import make_session, play
from tuihost.session.session import Session
from tuihost.tui.widgets.list_view import ListView
from tuihost.tui.widgets.rich_view import RichView
from tuihost.tui.widgets.screen import Screen
from tuihost.tui.widgets.side_by_side import SideBySide
from tuihost.tui.widgets.table import Column, Table


def with_a_page(session: Session, **more: Any) -> tuple[ListView[str], Any]:
    page = RichView(session)

    def show(word: str | None) -> None:
        page.content = f"All about {word}."

    view = ListView(session, ["red", "blue"], on_change=show)
    return view, lambda: Screen(session, "Colours", SideBySide(session, view, page, **more))


@pytest.mark.parametrize(
    ("columns", "at"), [(80, None), (99, None), (100, 45), (120, 54), (200, 96), (300, 196)]
)
def test_the_page_stands_at_the_right_of_a_wide_window(columns: int, at: int | None) -> None:
    session = make_session(columns, 24)
    view, screen = with_a_page(session)
    with play(lambda: screen().application(focus=view.window), session) as me:
        me.press("down")
        begins = [line.find("All about blue.") for line in me.lines if "All about" in line]
        # A page has a margin of two cells.
        assert begins == ([] if at is None else [at + 2])


def test_a_page_can_be_as_wide_as_it_likes() -> None:
    session = make_session(120, 24)
    view, screen = with_a_page(session, width=lambda: 60)
    with play(lambda: screen().application(focus=view.window), session) as me:
        assert [line.find("All about") for line in me.lines if "All about" in line] == [62]


def test_tab_goes_to_the_page_and_esc_back() -> None:
    session = make_session(120, 24)
    view, screen = with_a_page(session, back="to the colours")
    with play(lambda: screen().application(focus=view.window), session) as me:
        assert "to the colours" not in me.lines[-1]
        me.press("tab")
        assert not view.focused
        assert "to the colours" in me.lines[-1]
        me.press("escape")
        assert view.focused


def test_the_keys_are_not_left_with_a_page_that_is_gone() -> None:
    session = make_session(120, 24)
    view, screen = with_a_page(session)
    with play(lambda: screen().application(focus=view.window), session) as me:
        me.press("tab")
        me.resize(80, 24)
        me.press("down")
        assert view.selected == "blue"


@pytest.mark.parametrize(("columns", "wide"), [(80, 80), (100, 100), (101, 100), (250, 100)])
def test_a_table_alone_has_a_hundred_columns_at_most(columns: int, wide: int) -> None:
    session = make_session(columns, 24)
    table = Table(session, [Column("Name", flex=1), Column("Size", 8, align="right")], [("a", 1)])
    screen = Screen(session, "Files", SideBySide(session, table))
    with play(lambda: screen.application(focus=table.window), session):
        assert table.window.columns == wide
