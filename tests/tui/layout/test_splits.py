"""Our splits give what prompt_toolkit's give."""

from __future__ import annotations

from concurrent.futures import Future

from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.application import Application, create_app_session
from prompt_toolkit.application.current import set_app
from prompt_toolkit.input import DummyInput
from prompt_toolkit.layout import Window, containers
from prompt_toolkit.layout.containers import HorizontalAlign, VerticalAlign
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.screen import WritePosition
from prompt_toolkit.output import DummyOutput

from tuihost.tui.layout.splits import HSplit, VSplit, dealt_out

SIZES = st.integers(0, 30)


@st.composite
def dimensions(draw: st.DrawFn) -> Dimension:
    least, most = sorted((draw(SIZES), draw(SIZES)))
    return Dimension(
        min=least,
        max=most,
        preferred=draw(st.integers(least, most)),
        weight=draw(st.integers(1, 5)),
    )


WINDOWS = st.lists(dimensions(), max_size=5)


@given(
    asked=WINDOWS, room=st.integers(0, 80), done=st.booleans(), align=st.sampled_from(VerticalAlign)
)
def test_rows_are_those_of_prompt_toolkit(
    asked: list[Dimension], room: int, done: bool, align: VerticalAlign
) -> None:
    windows = [Window(height=height) for height in asked]
    where = WritePosition(xpos=0, ypos=0, width=80, height=room)
    with create_app_session(input=DummyInput(), output=DummyOutput()):
        application: Application[None] = Application()
        if done:
            application.future = Future()
            application.future.set_result(None)
        with set_app(application):
            assert application.is_done == done
            ours = HSplit(windows, align=align, padding=1)._divide_heights(where)
            theirs = containers.HSplit(windows, align=align, padding=1)._divide_heights(where)
    assert ours == theirs


@given(asked=WINDOWS, room=st.integers(0, 80), align=st.sampled_from(HorizontalAlign))
def test_columns_are_those_of_prompt_toolkit(
    asked: list[Dimension], room: int, align: HorizontalAlign
) -> None:
    windows = [Window(width=width) for width in asked]
    ours = VSplit(windows, align=align, padding=1)._divide_widths(room)
    assert ours == containers.VSplit(windows, align=align, padding=1)._divide_widths(room)


def test_after_the_end_nothing_is_filled() -> None:
    wishes = ((1, 2, 9, 1), (1, 1, 1, 1))
    assert dealt_out(wishes, 8, True) == (7, 1)
    assert dealt_out(wishes, 8, False) == (2, 1)


def test_the_same_is_dealt_out_once() -> None:
    dealt_out.cache_clear()
    split = VSplit([Window(width=3), Window()])
    first = split._divide_widths(40)
    assert split._divide_widths(40) == first == [3, 0, 37]
    assert dealt_out.cache_info()[:2] == (1, 1)
    assert first is not None
    first.append(9)
    assert split._divide_widths(40) == [3, 0, 37], "it is the caller's own list"
