"""Rows with columns."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.screen import Person, make_session, play
from tuihost.session.session import Session
from tuihost.tui.widgets.screen import Screen
from tuihost.tui.widgets.table import Column, Table

ROWS = [
    ("notes.txt", 1200, "today", "ada"),
    ("Älter.md", 88, "yesterday", "bob"),
    ("zebra.png", 90210, "last week", "ada"),
    ("archive.tar", None, "last year", "bob"),
]
COLUMNS: list[Column[Any]] = [
    Column("Name", flex=1),
    Column("Size", align="right"),
    Column("Changed", 12, style="class:muted"),
    Column("Owner", 6, sortable=False),
]


def make(session: Session, **more: Any) -> Table[Any]:
    return Table(session, COLUMNS, ROWS, **more)


def played(session: Session, table: Table[Any]) -> Any:
    return lambda: Screen(session, "Files", table).application()


def names(person: Person) -> list[str]:
    wanted = {row[0] for row in ROWS}
    words = [line.lstrip(" ▌").split(" ")[0] for line in person.lines]
    return [word for word in words if word in wanted]


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
def test_how_it_looks(size: tuple[int, int], snapshot: Any) -> None:
    session = make_session(*size)
    with play(played(session, make(session, sort=0, stripes=True)), session) as me:
        assert me.text == snapshot


def test_sorting_goes_from_column_to_column_and_turns_around() -> None:
    session = make_session()
    table = make(session)
    with play(played(session, table), session) as me:
        assert names(me) == [row[0] for row in ROWS]
        me.press("c-s")  # by name, whatever its case and accents
        assert names(me) == ["Älter.md", "archive.tar", "notes.txt", "zebra.png"]
        assert "Name ↑" in me.text
        me.press("c-o")
        assert names(me)[0] == "zebra.png"
        assert "Name ↓" in me.text
        me.press("c-s")  # what is not known comes last
        assert names(me) == ["Älter.md", "notes.txt", "zebra.png", "archive.tar"]
        me.press("c-s", "c-s")  # past the column that does not sort, back to the first
        assert table.sort == (0, False)
        me.click_on("Size")
        assert table.sort == (1, False)
        me.click_on("Owner")
        assert table.sort == (1, False)


def test_the_chosen_row_stays_chosen_when_rows_move() -> None:
    session = make_session()
    table = make(session, key=lambda row: row[0])
    with play(played(session, table), session) as me:
        me.press("down", "down", "c-s")
        assert table.selected == ROWS[2]
        table.items = list(reversed(ROWS))
        me.redraw()
        assert table.selected == ROWS[2]


def test_a_filter_looks_at_every_column_and_shows_where() -> None:
    session = make_session()
    table = make(session)
    with play(played(session, table), session) as me:
        me.type("bob alt")
        assert names(me) == ["Älter.md"]
        assert "1 of 4" in me.text
        assert "class:match" in me.styles("Ält")
        me.press("escape")
        assert len(names(me)) == 4


def test_a_filter_leaves_out_columns_that_are_not_for_it() -> None:
    session = make_session()
    columns = [Column[Any]("Name", flex=1), Column[Any]("Size", filterable=False)]
    table = Table(session, columns, [("a", "4 B"), ("b", "4 B")])
    with play(played(session, table), session) as me:
        me.type("b")
        assert "1 of 2" in me.text
        assert table.selected == ("b", "4 B")
        assert "class:match" not in me.styles("B")
        me.press("escape")
        me.type("4")
        assert "0 of 2" in me.text


def test_letters_sort_a_table_that_does_not_filter() -> None:
    session = make_session()
    table = make(session, filterable=False)
    with play(played(session, table), session) as me:
        me.press("s", "S", "a")
        assert names(me)[0] == "zebra.png"
        assert "s sort" in me.lines[-1]
        assert "filter" not in me.text


def test_rows_open_by_enter_and_click() -> None:
    session = make_session()
    opened: list[Any] = []
    table = make(session, on_open=lambda row: opened.append(row[0]))
    with play(played(session, table), session) as me:
        me.press("enter")
        me.click_on("zebra.png")
        me.click_on("zebra.png")
        assert opened == ["notes.txt", "zebra.png"]


def test_values_can_be_made_from_anything() -> None:
    session = make_session()
    columns = [
        Column[int]("Number", value=lambda number: f"no. {number}", order=lambda number: -number),
        Column[int]("Square", value=lambda number: number * number),
    ]
    table = Table(session, columns, [1, 2, 10], sort=0)
    with play(lambda: Screen(session, "T", table).application(), session) as me:
        assert "no. 10" in me.lines[3]
        assert "100" in me.lines[3]


def test_only_rows_in_view_are_drawn() -> None:
    session = make_session()
    asked: list[int] = []

    class Counted(Table[Any]):
        def row(self, index: int, width: int) -> Any:
            asked.append(index)
            return super().row(index, width)

    table = Counted(session, COLUMNS, [(f"f{n}", n, "", "") for n in range(5000)])
    with play(played(session, table), session) as me:
        assert len(asked) <= 24
        asked.clear()
        me.press("end")
        assert len(asked) <= 24
        assert "f4999" in me.text


def test_cells_are_harmless() -> None:
    session = make_session()
    table = Table(session, COLUMNS, [("\x1b[2J", "\u202e", "a\nb", "\x9b")])
    with play(played(session, table), session) as me:
        assert not set("\x1b\u202e\x9b\n") & set("".join(me.lines))


def test_nothing_is_said() -> None:
    session = make_session()
    with play(played(session, Table(session, COLUMNS, [], empty="No files.")), session) as me:
        assert "No files." in me.text


@given(
    st.integers(1, 120),
    st.lists(
        st.builds(
            Column,
            title=st.text(max_size=8),
            width=st.integers(0, 20),
            flex=st.integers(0, 3),
            align=st.sampled_from(["left", "right", "center"]),
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_columns_never_take_more_than_there_is(width: int, columns: list[Column[Any]]) -> None:
    session = make_session()
    table = Table(session, columns, [tuple("日本語 text" for _ in columns)])
    widths = table.widths(width)
    assert all(columns >= 0 for columns in widths)
    if width >= 8:
        assert widths
        assert sum(widths) + 2 * (len(widths) - 1) <= width - 3
