"""Rows are asked for when they are in view, drawn once, and look like prompt_toolkit's."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.application import Application
from prompt_toolkit.data_structures import Point
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import DummyInput
from prompt_toolkit.layout import (
    Dimension,
    Float,
    FloatContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    VSplit,
    Window,
)
from prompt_toolkit.layout.screen import Screen
from prompt_toolkit.mouse_events import MouseButton, MouseEvent, MouseEventType
from prompt_toolkit.styles import Style
from prompt_toolkit.widgets import Frame

from tests.tui.paper import Eyes, Paper, hosted, on_stage, redraw, stock_output
from tuihost.tui.layout.rows import RowWindow

THEME = Style.from_dict({"selection": "bg:ansiblue", "dialog": "bg:ansigreen"})


class Items:
    """A source that counts how often it is asked."""

    def __init__(self, *items: Any) -> None:
        self.items = list(items)
        self.asked: list[int] = []
        self.window: RowWindow | None = None

    def row_count(self) -> int:
        return len(self.items)

    def row_key(self, index: int) -> Any:
        return self.items[index] if isinstance(self.items[index], str) else index

    def row(self, index: int, width: int) -> StyleAndTextTuples:
        self.asked.append(index)
        item = self.items[index]
        return [("", item)] if isinstance(item, str) else item


def numbers(count: int) -> Items:
    return Items(*(f"row {index}" for index in range(count)))


def drawn_row(app: Application[Any]) -> object:
    """The first row of the frame that stands."""
    screen = app.renderer.last_rendered_screen
    assert screen is not None
    return dict.get(screen.data_buffer, 0)


def seen(app: Application[Any], paper: Paper, eyes: Eyes) -> list[str]:
    redraw(app)
    return eyes.read(paper.take()).text


def test_only_rows_in_view_are_asked_for_and_each_once() -> None:
    paper, source = Paper(20, 4), numbers(1000)
    window = RowWindow(source, cursor=500)
    with hosted(paper, layout=Layout(window)) as app:
        eyes = Eyes(20, 4)
        assert seen(app, paper, eyes) == ["row 498", "row 499", "row 500", "row 501"]
        assert source.asked == [498, 499, 500, 501]
        redraw(app)
        assert paper.writes == []
        window.cursor = 501
        assert seen(app, paper, eyes) == ["row 499", "row 500", "row 501", "row 502"]
        assert source.asked == [498, 499, 500, 501, 502]
        source.items[500] = "new"
        assert seen(app, paper, eyes)[1] == "new"
        assert source.asked[5:] == [500]
        window.forget()
        redraw(app)
        assert len(source.asked) == 10


def test_unchanged_rows_are_the_same_object_in_both_frames() -> None:
    paper, window = Paper(20, 4), RowWindow(numbers(4), cursor=0)
    with hosted(paper, layout=Layout(window)) as app:
        redraw(app)
        # The renderer empties a frame once the next one is out.
        before = dict.copy(cast(Screen, app.renderer.last_rendered_screen).data_buffer)
        redraw(app)
        after = cast(Screen, app.renderer.last_rendered_screen).data_buffer
        assert [dict.get(before, y) is dict.get(after, y) for y in range(4)] == [True] * 4


def test_people_who_see_the_same_row_share_it_while_it_is_on_a_screen() -> None:
    own, others = RowWindow(Items("the same")), RowWindow(Items([("", "the same")]))
    paper, others_paper = Paper(30, 1), Paper(30, 1)
    with hosted(paper, layout=Layout(own)) as app:
        redraw(app)
        row = drawn_row(app)
        with hosted(others_paper, layout=Layout(others)) as other:
            redraw(other)
            assert drawn_row(other) is row
            others.source = Items([("bold", "the same")])
            others.forget()
            redraw(other)
            assert drawn_row(other) is not row
    kept = weakref.ref(next(iter(own._rows.values())))
    del app, other, own, others
    gc.collect()
    assert kept() is None


def test_what_is_kept_is_bounded_by_the_view() -> None:
    paper, window = Paper(20, 4), RowWindow(numbers(1000), cursor=0)
    with hosted(paper, layout=Layout(window)) as app:
        for window.cursor in range(0, 1000, 3):
            redraw(app)
        assert len(window._rows) <= 2 * 4 + 8


@pytest.mark.parametrize(
    ("cursor", "offset", "expected"),
    [(0, 0, 0), (3, 0, 1), (2, 0, 0), (9, 0, 6), (0, 6, 0), (5, 4, 4), (4, 4, 3), (99, 0, 6)],
)
def test_the_cursor_stays_in_view_with_a_margin(cursor: int, offset: int, expected: int) -> None:
    paper, window = Paper(20, 4), RowWindow(numbers(10), cursor=cursor)
    window.offset = offset
    with hosted(paper, layout=Layout(window)) as app:
        redraw(app)
        assert window.offset == expected
        assert window.cursor == min(cursor, 9)


def test_scrolling_takes_the_cursor_along_and_stops_at_the_ends() -> None:
    paper, window = Paper(20, 4), RowWindow(numbers(10), cursor=0)
    with hosted(paper, layout=Layout(window)) as app:
        redraw(app)
        for rows, offset, cursor in ((3, 3, 4), (99, 6, 7), (-1, 5, 7), (-99, 0, 2)):
            window.scroll(rows)
            assert (window.offset, window.cursor) == (offset, cursor)
            redraw(app)
            assert (window.offset, window.cursor) == (offset, cursor)
        window.cursor = None
        window.scroll(2)
        redraw(app)
        assert (window.offset, window.cursor) == (2, None)
        window.move(3)
        assert window.cursor == 3


def test_an_empty_source_and_a_shrinking_one_are_drawn() -> None:
    paper, source = Paper(20, 3), numbers(9)
    window = RowWindow(source, cursor=8)
    with hosted(paper, layout=Layout(window)) as app:
        eyes = Eyes(20, 3)
        assert seen(app, paper, eyes)[-1] == "row 8"
        del source.items[2:]
        assert seen(app, paper, eyes) == ["row 0", "row 1", ""]
        assert window.cursor == 1
        source.items.clear()
        assert seen(app, paper, eyes) == ["", "", ""]


def test_a_row_style_fills_the_row_to_its_right_edge() -> None:
    paper = Paper(10, 2)
    window = RowWindow(numbers(2), row_style=lambda index: "class:selection" if index else "")
    with hosted(paper, THEME, layout=Layout(window)) as app:
        redraw(app)
        cells = Eyes(10, 2).read(paper.take()).cells()
        assert {cell.bg for cell in cells[1]} == {"blue"}
        assert {cell.bg for cell in cells[0]} == {"default"}


def _stock(source: Items) -> Window:
    text: StyleAndTextTuples = []
    for index in range(source.row_count()):
        text += [*source.row(index, 0), ("", "\n")]
    return Window(FormattedTextControl(text))


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "alone": lambda rows: rows,
    "below": lambda rows: HSplit([Window(FormattedTextControl("title"), height=1), rows]),
    "beside": lambda rows: VSplit(
        [Window(FormattedTextControl("left"), width=5), rows, Window(width=3, char="|")]
    ),
    "framed": lambda rows: Frame(rows, title="frame"),
    "styled": lambda rows: HSplit([rows], style="class:dialog"),
    "float": lambda rows: FloatContainer(
        Window(FormattedTextControl("under " * 20), wrap_lines=True),
        [Float(rows, left=2, top=1, width=8, height=3)],
    ),
    "under a float": lambda rows: FloatContainer(
        rows, [Float(Window(FormattedTextControl("over"), width=4, height=1), left=1, top=1)]
    ),
}


@pytest.mark.parametrize("kind", LAYOUTS)
@given(
    st.lists(st.text(alphabet="ab \xa0é", max_size=14), max_size=6),
    st.sampled_from([(12, 5), (20, 8), (9, 3)]),
)
def test_a_row_window_looks_like_a_window(
    kind: str, items: list[str], size: tuple[int, int]
) -> None:
    shown = []
    for make in (lambda source: RowWindow(source), _stock):
        paper = Paper(*size)
        body = LAYOUTS[kind](make(Items(*("." + item for item in items))))
        with hosted(paper, THEME, layout=Layout(body)) as app:
            redraw(app)
            eyes = Eyes(*size).read(paper.take())
            shown.append((eyes.text, [[cell.bg for cell in row] for row in eyes.cells()]))
    assert shown[0] == shown[1]


def test_wide_characters_and_marks_stay_inside_their_window() -> None:
    paper = Paper(12, 3)
    rows = RowWindow(Items("漢漢漢漢", "a漢漢漢", "eeee\u0301e\u0301\u0301x"))
    layout = Layout(VSplit([rows, Window(width=7, char="|")]))
    with hosted(paper, layout=layout) as app:
        redraw(app)
        text = Eyes(12, 3).read(paper.take()).text
        assert text == ["漢漢 |||||||", "a漢漢|||||||", "eeeéé\u0301|||||||"]


def test_other_renderers_can_draw_the_rows_too() -> None:
    paper = Paper(20, 3)
    output, stream = stock_output(paper)
    layout = Layout(HSplit([RowWindow(numbers(3)), Window(height=1, char="-")]))
    app: Application[Any] = Application(layout, full_screen=True, output=output, input=DummyInput())
    with on_stage(app):
        redraw(app)
    assert Eyes(20, 3).read(stream.getvalue().encode()).text == ["row 0", "row 1", "-" * 20]


def test_control_characters_are_shown_and_not_sent() -> None:
    paper, window = Paper(30, 1), RowWindow(Items("a\x1b[2Jb\x9b\x07c\u202ed"))
    with hosted(paper, layout=Layout(window)) as app:
        redraw(app)
        frame = paper.take().decode()
        assert Eyes(30, 1).read(frame.encode()).text == ["a^[[2Jb<9b>^Gcd"]
        assert "\x9b" not in frame
        assert "\u202e" not in frame


def test_a_pile_of_marks_on_one_letter_stays_small() -> None:
    paper, window = Paper(30, 1), RowWindow(Items("a" + "\u0301" * 5000))
    with hosted(paper, layout=Layout(window)) as app:
        redraw(app)
        assert paper.take().decode().count("\u0301") < 10


def test_the_mouse_clicks_rows_and_turns_the_wheel() -> None:
    clicked: list[int] = []
    turned: list[int] = []
    pressed: list[Point] = []
    button: Any = ("", "[x]", lambda event: pressed.append(event.position))
    source = Items("row 0", [("", "press "), button], "row 2")
    window = RowWindow(source, on_click=clicked.append, on_scroll=turned.append)
    layout = Layout(HSplit([Window(height=1), window]))
    with hosted(Paper(20, 5), layout=layout, mouse_support=True) as app:
        redraw(app)

        def mouse(kind: MouseEventType, x: int, y: int) -> Any:
            event = MouseEvent(Point(x, y), kind, MouseButton.LEFT, frozenset())
            return app.renderer.mouse_handlers.mouse_handlers[y][x](event)

        assert mouse(MouseEventType.MOUSE_UP, 3, 3) is None
        assert mouse(MouseEventType.MOUSE_UP, 7, 2) is None
        assert mouse(MouseEventType.MOUSE_UP, 1, 2) is None
        assert mouse(MouseEventType.MOUSE_DOWN, 1, 2) is NotImplemented
        assert mouse(MouseEventType.MOUSE_UP, 1, 4) is NotImplemented
        mouse(MouseEventType.SCROLL_DOWN, 1, 1)
        mouse(MouseEventType.SCROLL_UP, 1, 1)
        assert clicked == [2, 1]
        assert pressed == [Point(7, 1)]
        assert turned == [3, -3]


def test_it_has_dimensions_focus_and_a_place_for_the_cursor() -> None:
    window = RowWindow(numbers(3), cursor=2, height=Dimension(min=1, max=2))
    plain = RowWindow(numbers(3), dont_extend_height=True)
    layout = Layout(HSplit([plain, window]), focused_element=window)
    paper = Paper(20, 9)
    with hosted(paper, layout=layout) as app:
        assert plain.preferred_height(20, 9).preferred == 3
        assert window.preferred_height(20, 9).max == 2
        redraw(app)
        assert layout.current_window is window
        assert (plain.page, window.page, window.columns) == (3, 2, 20)
        assert Eyes(20, 9).read(paper.take()).cursor == (0, 4, False)
    content = window.content.create_content(20, 2)
    assert (content.line_count, content.get_line(1)) == (3, [("", "row 1")])
