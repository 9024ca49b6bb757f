"""Our difference of two frames shows what prompt_toolkit's own shows, and more where it is wrong."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from paper import Eyes, Paper, screen_of, stock_output
from prompt_toolkit.data_structures import Point, Size
from prompt_toolkit.layout.screen import Screen
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.renderer import (
    _output_screen_diff,
    _StyleStringHasStyleCache,
    _StyleStringToAttrsCache,
)
from prompt_toolkit.styles import DummyStyleTransformation

from tuihost.tui.defaults import base_style
from tuihost.tui.frame import Pens, draw_difference
from tuihost.tui.output import TerminalOutput

STYLES = ("", "bold", "fg:ansired", "bg:ansiblue", "reverse", "underline", "fg:#abcdef bg:#123456")
WIDE = "漢"


class Ours:
    """Frames drawn by us, one after another."""

    def __init__(self, paper: Paper, absolute: bool) -> None:
        self.paper, self.absolute = paper, absolute
        self.output = TerminalOutput(paper)
        self.pens = Pens(base_style(), None, ColorDepth.DEPTH_8_BIT)
        self.last: Screen | None = None
        self.at = Point(0, 0)

    def draw(self, screen: Screen, cursor: Point, done: bool = False) -> bytes:
        size = self.paper.facts.size
        self.at = draw_difference(
            self.output,
            self.last,
            screen,
            pens=self.pens,
            size=Size(rows=size.rows, columns=size.columns),
            position=self.at,
            cursor=cursor,
            absolute=self.absolute,
            done=done,
        )
        self.last = screen
        self.output.flush()
        return self.paper.take()


class Stock:
    """The same frames drawn by prompt_toolkit."""

    def __init__(self, paper: Paper, full_screen: bool) -> None:
        self.paper, self.full_screen = paper, full_screen
        self.output, self.stream = stock_output(paper)
        attrs = _StyleStringToAttrsCache(
            base_style().get_attrs_for_style_str, DummyStyleTransformation()
        )
        self.attrs, self.has_style = attrs, _StyleStringHasStyleCache(attrs)
        self.last: Screen | None = None
        self.at, self.style = Point(0, 0), cast("str | None", None)

    def draw(self, screen: Screen, cursor: Point, done: bool = False) -> bytes:
        size = self.paper.facts.size
        window: Any = object()
        screen.cursor_positions[window] = cursor
        app: Any = SimpleNamespace(layout=SimpleNamespace(current_window=window))
        self.at, self.style = _output_screen_diff(
            app,
            self.output,
            screen,
            self.at,
            ColorDepth.DEPTH_8_BIT,
            self.last,
            self.style,
            done,
            full_screen=self.full_screen,
            attrs_for_style_string=self.attrs,
            style_string_has_style=self.has_style,
            size=Size(rows=size.rows, columns=size.columns),
            previous_width=size.columns,
        )
        self.last = screen
        self.output.flush()
        data = self.stream.getvalue()
        self.stream.seek(0)
        self.stream.truncate()
        return data.encode()


@st.composite
def frames(draw: st.DrawFn) -> tuple[int, int, list[tuple[Any, ...]]]:
    """A terminal's size and frames for it; wide characters are whole and not at the last column,
    where terminals and prompt_toolkit disagree."""
    columns, rows = draw(st.integers(1, 12)), draw(st.integers(1, 5))
    piece = st.tuples(st.sampled_from(STYLES), st.text(alphabet="ab 漢é", max_size=6))

    def fit(row: list[tuple[str, str]]) -> list[tuple[str, str]]:
        room, fitted = columns, []
        for style, text in row:
            kept = ""
            for letter in text:
                width = 2 if letter == WIDE else 1
                if room - width < (1 if width == 2 else 0):
                    break
                room -= width
                kept += letter
            fitted.append((style, kept))
        return fitted

    row = st.lists(piece, max_size=4).map(fit)
    frame = st.tuples(
        st.lists(row, min_size=rows, max_size=rows),
        st.integers(1, rows),
        st.tuples(st.integers(0, columns - 1), st.integers(0, rows - 1)),
        st.booleans(),
    )
    return columns, rows, draw(st.lists(frame, min_size=1, max_size=4))


def _see(painter: Any, drawing: Any, columns: int, rows: int, start: int, absolute: bool) -> Any:
    eyes = Eyes(columns, rows).read(b"\r\n" * start)
    seen = []
    for cells, height, cursor, shown in drawing:
        height = rows if absolute else height
        screen = screen_of(cells[:height], height)
        screen.show_cursor = shown
        at = Point(cursor[0], min(cursor[1], height - 1))
        eyes.read(painter.draw(screen, at))
        seen.append((eyes.text, eyes.cells(), eyes.cursor))
    return seen


@settings(max_examples=250, deadline=None)
@given(frames())
def test_a_full_screen_looks_as_it_does_with_prompt_toolkit(drawn: Any) -> None:
    columns, rows, drawing = drawn
    ours = _see(Ours(Paper(columns, rows), True), drawing, columns, rows, 0, True)
    stock = _see(Stock(Paper(columns, rows), True), drawing, columns, rows, 0, True)
    assert ours == stock


@settings(max_examples=250, deadline=None)
@given(frames(), st.integers(0, 4))
def test_an_inline_app_looks_as_it_does_with_prompt_toolkit(drawn: Any, start: int) -> None:
    columns, rows, drawing = drawn
    start = min(start, rows - 1)
    ours = _see(Ours(Paper(columns, rows), False), drawing, columns, rows, start, False)
    stock = _see(Stock(Paper(columns, rows), False), drawing, columns, rows, start, False)
    assert ours == stock
