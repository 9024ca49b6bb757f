"""Our difference of two frames shows what prompt_toolkit's own shows, or better."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace
from typing import Any, cast

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.application import Application, create_app_session
from prompt_toolkit.cursor_shapes import CursorShape
from prompt_toolkit.data_structures import Point, Size
from prompt_toolkit.filters import Always, Condition
from prompt_toolkit.input import DummyInput
from prompt_toolkit.layout import (
    ConditionalContainer,
    Float,
    FloatContainer,
    FormattedTextControl,
    Layout,
    Window,
)
from prompt_toolkit.layout.screen import _CHAR_CACHE, Screen
from prompt_toolkit.mouse_events import MouseEvent
from prompt_toolkit.output import ColorDepth, DummyOutput
from prompt_toolkit.renderer import (
    _output_screen_diff,
    _StyleStringHasStyleCache,
    _StyleStringToAttrsCache,
)
from prompt_toolkit.styles import DummyStyleTransformation, Style, merge_styles

from tests.tui.paper import Eyes, Paper, hosted, redraw, screen_of, stock_output
from tests.waiting import DEADLINE
from tuihost.errors import MisuseError
from tuihost.tui.defaults import base_style
from tuihost.tui.layout.rows import draw_row
from tuihost.tui.rendering._difference import draw_difference
from tuihost.tui.rendering._styles import StyleCache
from tuihost.tui.rendering.frame import DrawnRow, FrameScreen, MouseRegions
from tuihost.tui.rendering.renderer import HostRenderer, install
from tuihost.tui.running.loop import run
from tuihost.tui.terminal.output import SYNC_BEGIN, SYNC_END, TerminalOutput

THEME = merge_styles(
    [base_style(), Style([("paper", "bg:#202020 fg:#c0c0c0"), ("", "bg:#101010")])]
)
STYLES = (
    "",
    "bold",
    "fg:ansired",
    "bg:ansiblue",
    "reverse",
    "underline",
    "fg:#abcdef bg:#123456",
    "class:paper",
)
WIDE = "漢"


class Ours:
    """Frames drawn by us, one after another."""

    def __init__(self, paper: Paper, absolute: bool, shares: bool = False) -> None:
        self.paper, self.absolute, self.shares = paper, absolute, shares
        self.output = TerminalOutput(paper)
        self.styles = StyleCache(THEME, None, ColorDepth.DEPTH_8_BIT)
        self.last: Screen | None = None
        self.at = Point(0, 0)

    def draw(self, screen: Screen, cursor: Point, done: bool = False) -> bytes:
        size = self.paper.facts.size
        self.at = draw_difference(
            self.output,
            self.last,
            screen,
            styles=self.styles,
            size=Size(rows=size.rows, columns=size.columns),
            position=self.at,
            cursor=cursor,
            absolute=self.absolute,
            done=done,
        )
        self.last = screen
        self.output.flush()
        return self.paper.take()


_ROWS: dict[tuple[tuple[int, str, str], ...], DrawnRow] = {}


def shared(screen: Screen) -> Screen:
    """The same frame of rows that are the same object whenever the same is in them."""
    for y, cells in tuple(screen.data_buffer.items()):
        key = tuple((x, cell.char, cell.style) for x, cell in cells.items())
        row = _ROWS.setdefault(key, DrawnRow())
        row.update(cells)
        screen.data_buffer[y] = cast(Any, row)
    return screen


class Stock:
    """The same frames drawn by prompt_toolkit."""

    def __init__(self, paper: Paper, full_screen: bool) -> None:
        self.paper, self.full_screen = paper, full_screen
        self.output, self.stream = stock_output(paper)
        attrs = _StyleStringToAttrsCache(THEME.get_attrs_for_style_str, DummyStyleTransformation())
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
    columns, rows = draw(st.integers(1, 24)), draw(st.integers(1, 5))
    piece = st.tuples(
        st.sampled_from(STYLES),
        st.text(alphabet="ab 漢é", max_size=6) | st.integers(1, 16).map(" ".__mul__),
    )

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


def _looks(cell: Any) -> Any:
    """What can be seen of a cell: of a blank one, its background and lines."""
    if cell.data != " " or cell.underscore or cell.strikethrough or cell.reverse or cell.blink:
        return cell
    return cell.bg


def _seen_cells(eyes: Eyes) -> Any:
    return [[_looks(cell) for cell in row] for row in eyes.cells()]


def _see(painter: Any, drawing: Any, columns: int, rows: int, start: int, absolute: bool) -> Any:
    eyes = Eyes(columns, rows).read(b"\r\n" * start)
    seen = []
    for cells, height, cursor, shown in drawing:
        height = rows if absolute else height
        screen = screen_of(cells[:height], height)
        screen.show_cursor = shown
        at = Point(cursor[0], min(cursor[1], height - 1))
        if isinstance(painter, Ours) and painter.shares:
            screen = shared(screen)
        eyes.read(painter.draw(screen, at))
        seen.append((eyes.text, _seen_cells(eyes), eyes.cursor))
    return seen


TERMS = st.sampled_from(("xterm-256color", "screen-256color", "vt220"))


@given(frames(), TERMS, st.booleans())
def test_a_full_screen_looks_as_it_does_with_prompt_toolkit(
    drawn: Any, term: str, shares: bool
) -> None:
    columns, rows, drawing = drawn
    painter = Ours(Paper(columns, rows, term=term), True, shares)
    ours = _see(painter, drawing, columns, rows, 0, True)
    stock = _see(Stock(Paper(columns, rows), True), drawing, columns, rows, 0, True)
    assert ours == stock


@given(frames(), st.integers(0, 4), TERMS)
def test_an_inline_app_looks_as_it_does_with_prompt_toolkit(
    drawn: Any, start: int, term: str
) -> None:
    columns, rows, drawing = drawn
    start = min(start, rows - 1)
    painter = Ours(Paper(columns, rows, term=term), False)
    ours = _see(painter, drawing, columns, rows, start, False)
    stock = _see(Stock(Paper(columns, rows), False), drawing, columns, rows, start, False)
    assert ours == stock


@given(frames(), st.booleans())
def test_a_last_frame_looks_as_it_does_with_prompt_toolkit(drawn: Any, absolute: bool) -> None:
    columns, rows, drawing = drawn
    seen = []
    for painter in (Ours(Paper(columns, rows), absolute), Stock(Paper(columns, rows), absolute)):
        eyes = Eyes(columns, rows)
        for last, (cells, _, (x, y), shown) in enumerate(drawing, 1 - len(drawing)):
            screen = screen_of(cells, rows)
            screen.show_cursor = shown
            eyes.read(painter.draw(screen, Point(x, y), done=last == 0))
        seen.append((eyes.text, _seen_cells(eyes), eyes.cursor))
    assert seen[0] == seen[1]


# ------------------------------------------------------------------- cells that do not fit


def _draw_all(columns: int, *screens: Screen) -> Eyes:
    painter = Ours(Paper(columns, 1), True)
    eyes = Eyes(columns, 1)
    for screen in screens:
        eyes.read(painter.draw(screen, Point(0, 0)))
    return eyes


def test_a_wide_character_without_room_at_the_margin_is_a_space() -> None:
    assert _draw_all(4, screen_of([[("", "abc漢")]], 1)).text == ["abc"]


@pytest.mark.parametrize(("x", "expected"), [(2, "ab| d"), (3, "ab |d")])
def test_half_of_a_wide_character_under_a_float_is_a_space(x: int, expected: str) -> None:
    before, after = screen_of([[("", "ab漢d")]], 1), screen_of([[("", "ab漢d")]], 1)
    after.data_buffer[0][x] = _CHAR_CACHE["|", ""]
    assert _draw_all(6, before, after).text == [expected]
    assert _draw_all(6, before, after, before).screen.display == ["ab漢d "]


def test_prompt_toolkit_loses_the_border_that_covers_half_a_wide_character() -> None:
    before, after = screen_of([[("", "ab漢d")]], 1), screen_of([[("", "ab漢d")]], 1)
    after.data_buffer[0][3] = _CHAR_CACHE["|", ""]
    painter, eyes = Stock(Paper(6, 1), True), Eyes(6, 1)
    for screen in (before, after):
        eyes.read(painter.draw(screen, Point(0, 0)))
    assert "|" not in eyes.text[0]


def test_what_has_no_certain_width_is_followed_by_an_absolute_move() -> None:
    painter = Ours(Paper(20, 1), True)
    data = painter.draw(screen_of([[("", "\U0001f600x")]], 1), Point(0, 0))
    assert "\U0001f600\r\x1b[2Cx".encode() in data


NARROW = {"🇩": 1, "🇪": 1, "👩": 1, "👧": 1}
"""How wide an older terminal draws them."""


@pytest.mark.parametrize("widths", [{}, NARROW])
@pytest.mark.parametrize("emoji", ["🇩🇪", "👩\u200d👧", "👩", "❤\ufe0f"])
def test_no_letter_stays_behind_an_emoji(
    emoji: str, widths: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = pyte.screens.wcwidth
    monkeypatch.setattr(pyte.screens, "wcwidth", lambda char: widths.get(char, known(char)))

    def row(text: str) -> Screen:
        screen = screen_of([], 1)
        screen.data_buffer[0].update(draw_row([("", text)], 0, 20, "", fill=False).cells)
        return screen

    letters, flag, other = row("old letters"), row(f"a{emoji}b"), row(f"a{emoji}{emoji}c")
    seen = _draw_all(20, letters, flag).text[0]
    assert [char for char in seen if char.isascii() and char != " "] == ["a", "b"]
    seen = _draw_all(20, letters, other, flag).text[0]
    assert [char for char in seen if char.isascii() and char != " "] == ["a", "b"]
    assert _draw_all(20, flag, letters).text == ["old letters"]
    assert _draw_all(20, other, flag, letters).text == ["old letters"]


def test_marks_that_would_reorder_a_row_are_left_out() -> None:
    painter = Ours(Paper(20, 1), True)
    screen = screen_of([], 1)
    screen.data_buffer[0][0] = _CHAR_CACHE["a\u202e\x1b\u0301", ""]
    data = painter.draw(screen, Point(0, 0)).decode()
    assert "a\u0301" in data
    assert "\u202e" not in data


def test_an_escape_of_no_width_goes_out_with_its_cell_and_only_then() -> None:
    first, second, third = (screen_of([[("", text)]], 1) for text in ("ab", "ab", "aB"))
    for screen in (first, second, third):
        screen.zero_width_escapes[0][1] = "\x1b]133;A\x07"
    painter = Ours(Paper(20, 1), True)
    assert b"a\x1b]133;A\x07b" in painter.draw(first, Point(0, 0))
    assert painter.draw(second, Point(0, 0)) == b""
    assert re.search(rb"\x1b\]133;A\x07(\x1b\[[0-9;]+m)?B", painter.draw(third, Point(0, 0)))


# ------------------------------------------------------------------------------- links

LINK = "[link:https://example.org/a]"
_OPEN = re.compile(rb"\x1b\]8;id=[0-9a-f]+;(.*?)\x1b\\")
_CLOSE = b"\x1b]8;;\x1b\\"


def test_a_link_is_opened_and_closed_around_what_is_drawn_of_it() -> None:
    painter = Ours(Paper(20, 1), True)
    data = painter.draw(screen_of([[("", "see "), (LINK, "this"), ("", " now")]], 1), Point(0, 0))
    assert [match[1] for match in _OPEN.finditer(data)] == [b"https://example.org/a"]
    assert data.count(_CLOSE) == 1
    assert data.index(b"this") < data.index(_CLOSE) < data.index(b" now")
    data = painter.draw(screen_of([[("", "see "), (LINK, "That"), ("", " now")]], 1), Point(0, 0))
    assert len(_OPEN.findall(data)) == data.count(_CLOSE) == 1


@pytest.mark.parametrize(
    "link", ["[link:javascript:alert(1)]", "[link:file:///etc/passwd]", "[link:https://a\x1b\\]"]
)
def test_only_links_that_are_safe_to_open_become_links(link: str) -> None:
    data = Ours(Paper(20, 1), True).draw(screen_of([[(link, "x")]], 1), Point(0, 0))
    assert b"]8;" not in data


def test_a_terminal_that_would_print_a_link_gets_none() -> None:
    painter = Ours(Paper(20, 1, term="linux"), True)
    assert b"]8;" not in painter.draw(screen_of([[(LINK, "x")]], 1), Point(0, 0))


# ------------------------------------------------------------------------- whole frames


class Quiet(DummyInput):
    """An input that is open and never says anything."""

    @property
    def closed(self) -> bool:
        return False


class Words:
    """A layout of a few lines that tests can change."""

    def __init__(self, text: str = "hello", **options: Any) -> None:
        self.text = text
        self.control = FormattedTextControl(lambda: self.text, **options)
        self.layout = Layout(Window(self.control))


def test_a_frame_is_one_write_in_one_synchronized_update() -> None:
    paper, words = Paper(20, 3), Words()
    with hosted(paper, layout=words.layout, mouse_support=True) as app:
        redraw(app)
        assert len(paper.writes) == 1
        frame = paper.writes[0]
        assert frame.startswith(SYNC_BEGIN)
        assert frame.endswith(SYNC_END)
        assert frame.count(SYNC_BEGIN) == 1
        assert b"\x1b[?1049h" in frame
        assert b"\x1b[?1002h" in frame
        assert Eyes(20, 3).read(paper.take()).text[0] == "hello"
        redraw(app)
        assert paper.writes == []
        words.text = "hellO"
        redraw(app)
        assert len(paper.take()) < 60


def test_nothing_is_drawn_while_the_line_is_full_and_then_the_newest() -> None:
    paper, words = Paper(20, 3), Words("one")
    with hosted(paper, layout=words.layout) as app:
        eyes = Eyes(20, 3)
        redraw(app)
        eyes.read(paper.take())
        asked: list[bool] = []
        app.invalidate = lambda: asked.append(True)  # type: ignore[method-assign]
        paper.congested = True
        for words.text in ("two", "three", "four"):
            redraw(app)
        renderer = cast(HostRenderer, app.renderer)
        assert (paper.writes, len(paper.drains), renderer.skipped) == ([], 1, 3)
        paper.drain()
        assert asked == [True]
        redraw(app)
        assert eyes.read(paper.take()).text[0] == "four"


def test_a_resize_repaints_in_one_write_without_leaving_the_screen() -> None:
    paper, words = Paper(20, 3), Words("one")
    with hosted(paper, layout=words.layout) as app:
        redraw(app)
        paper.take()
        paper.resize(10, 2)
        app._on_resize()
        assert len(paper.writes) == 1
        frame = paper.take()
        assert b"1049" not in frame
        assert Eyes(10, 2).read(frame).text == ["one", ""]


def test_leaving_takes_one_write_and_draws_no_last_frame() -> None:
    paper, words = Paper(20, 3), Words("something to see")
    with hosted(paper, layout=words.layout, mouse_support=True) as app:
        redraw(app)
        paper.take()
        app._redraw(render_as_done=True)
        assert len(paper.writes) == 1
        farewell = paper.take()
        assert b"\x1b[?1049l" in farewell
        assert b"\x1b[?1002l" in farewell
        assert b"\x1b[?2004l" in farewell
        assert b"something" not in farewell


def test_an_inline_app_leaves_its_last_frame_and_the_cursor_below() -> None:
    paper, words = Paper(20, 5), Words("stays")
    with hosted(paper, layout=words.layout, full_screen=False) as app:
        eyes = Eyes(20, 5)
        redraw(app)
        app._redraw(render_as_done=True)
        eyes.read(paper.take())
        assert eyes.text[0] == "stays"
        assert eyes.cursor == (0, 1, True)


def test_clearing_redraws_the_whole_screen() -> None:
    paper, words = Paper(20, 3), Words("again")
    with hosted(paper, layout=words.layout) as app:
        redraw(app)
        paper.take()
        app.renderer.clear()
        assert paper.writes == []
        redraw(app)
        assert b"again" in paper.take()


def test_another_terminal_is_set_up_from_nothing() -> None:
    paper, words = Paper(20, 3), Words("moved")
    with hosted(paper, layout=words.layout, mouse_support=True) as app:
        redraw(app)
        paper.take()
        cast(TerminalOutput, app.output).use(paper.facts)
        cast(HostRenderer, app.renderer).attached()
        assert paper.writes == []
        redraw(app)
        frame = paper.take()
        assert b"\x1b[?1049h" in frame
        assert b"\x1b[?1002h" in frame
        assert b"\x1b[?1049l" not in frame
        assert Eyes(20, 3).read(frame).text[0] == "moved"


def test_the_cursor_is_where_the_focus_is_and_has_its_shape() -> None:
    paper = Paper(20, 3)
    words = Words("abc\ndef", focusable=True, get_cursor_position=lambda: Point(2, 1))
    with hosted(paper, layout=words.layout, cursor=CursorShape.BEAM) as app:
        redraw(app)
        frame = paper.take()
        assert b"\x1b[6 q" in frame
        assert Eyes(20, 3).read(frame.replace(b"\x1b[6 q", b"")).cursor == (2, 1, True)
        words.layout.current_window.always_hide_cursor = Always()
        redraw(app)
        assert b"\x1b[?25l" in paper.take()


def test_a_float_over_shared_rows_changes_only_its_own_frame() -> None:
    screen = FrameScreen(5)
    row = dict.fromkeys(range(5), _CHAR_CACHE["a", ""])
    screen.place(0, 0, row)
    assert dict.get(screen.data_buffer, 0) is row
    screen.data_buffer[0][2] = _CHAR_CACHE["|", ""]
    assert row[2].char == "a"
    assert screen.data_buffer[0][2].char == "|"
    assert screen.data_buffer[0][7].char == " "
    other = FrameScreen(5)
    other.place(0, 0, row)
    other.append_style_to_content("class:exiting")
    assert row[0].style == ""
    assert other.data_buffer[0][0].style == " class:exiting"


def test_a_float_is_drawn_over_and_taken_off_again() -> None:
    paper, shown = Paper(20, 3), [True]
    text = Window(FormattedTextControl("under under under"))
    over = ConditionalContainer(
        Window(FormattedTextControl("OVER"), width=4, height=1), Condition(lambda: shown[0])
    )
    layout = Layout(FloatContainer(text, [Float(over, left=2, top=0)]))
    with hosted(paper, layout=layout) as app:
        eyes = Eyes(20, 3)
        redraw(app)
        assert eyes.read(paper.take()).text[0] == "unOVERunder under"
        shown[0] = False
        redraw(app)
        assert eyes.read(paper.take()).text[0] == "under under under"


def test_the_mouse_finds_whoever_was_drawn_last_there() -> None:
    regions = MouseRegions()
    event = cast(MouseEvent, None)
    regions.set_mouse_handler_for_range(0, 10, 0, 5, lambda _: None)
    regions.mouse_handlers[2][3] = lambda _: cast(Any, "inner")
    assert regions.mouse_handlers[2][3](event) == "inner"
    assert regions.mouse_handlers[2][4](event) is None
    assert regions.mouse_handlers[9][9](event) is NotImplemented


# ------------------------------------------------------------------------------- install


def test_install_changes_only_what_the_author_left_alone() -> None:
    with hosted(Paper(), layout=Words().layout) as app:
        assert app.terminal_size_polling_interval is None
        assert (app.ttimeoutlen, app.timeoutlen) == (0.05, 0.3)
        assert app.min_redraw_interval == 0.02
        assert app.erase_when_done
    paper = Paper()
    chosen: Application[Any] = Application(
        output=TerminalOutput(paper), input=DummyInput(), min_redraw_interval=0.5
    )
    chosen.timeoutlen, chosen.ttimeoutlen = 2.0, 0.2
    renderer = install(chosen, paper, None)
    assert (chosen.ttimeoutlen, chosen.timeoutlen) == (0.2, 2.0)
    assert chosen.min_redraw_interval == 0.5
    assert not chosen.erase_when_done
    assert chosen.renderer is renderer


def test_an_application_made_elsewhere_is_refused() -> None:
    with create_app_session(input=DummyInput(), output=DummyOutput()):
        app: Application[Any] = Application()
    with pytest.raises(MisuseError, match="inside this session"):
        install(app, Paper(), None)


def test_a_whole_run_enters_draws_and_leaves() -> None:
    paper, words = Paper(20, 3), Words("a whole run")

    async def main() -> str:
        with create_app_session(input=Quiet(), output=TerminalOutput(paper)):
            app: Application[str] = Application(words.layout, full_screen=True)
            renderer = install(app, paper, None)
            app.after_render += lambda app: app.is_done or app.exit(result="bye")
            result = await app.run_async(set_exception_handler=False, handle_sigint=False)
            assert renderer.frames == 1
            return result

    assert run(asyncio.wait_for(main(), DEADLINE)) == "bye"
    data = paper.take()
    assert data.count(b"\x1b[?1049h") == data.count(b"\x1b[?1049l") == 1
    assert data.count(b"a whole run") == 1
    assert data.index(b"a whole run") < data.index(b"\x1b[?1049l")
