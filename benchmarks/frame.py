"""What a frame costs: prompt_toolkit as it comes, against the renderer and rows of tuihost.

    python benchmarks/frame.py [frames]

Prints milliseconds of this thread's CPU a key (cursor down, render, difference, bytes), the
tenth percentile of many, with both interleaved in one process: compare the ratios, not the
numbers of two machines. Then the cost of making an Application, and of keeping one.
"""

from __future__ import annotations

import contextvars
import gc
import io
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

from prompt_toolkit.application import Application, create_app_session
from prompt_toolkit.application.current import set_app
from prompt_toolkit.data_structures import Point, Size
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import DummyInput
from prompt_toolkit.layout import FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.styles import Style

from tuihost.terminal_facts import TerminalFacts
from tuihost.tui.defaults import share_defaults
from tuihost.tui.layout.rows import RowWindow
from tuihost.tui.rendering.renderer import install
from tuihost.tui.terminal.output import TerminalOutput
from tuihost.wire import WindowSize

STYLE = Style.from_dict(
    {
        "bar": "bg:#1f2430 #c8d0e0",
        "selection": "bg:#2d4f67 #ffffff",
        "accent": "#7fb4ca bold",
        "muted": "#7a8292",
    }
)


class Paper:
    """A terminal that only counts."""

    def __init__(self, columns: int, rows: int) -> None:
        self.facts = TerminalFacts(size=WindowSize(columns, rows))
        self.congested = False
        self.bytes = 0

    def write(self, data: bytes) -> None:
        self.bytes += len(data)

    def on_drain(self, callback: Callable[[], None]) -> None:
        """It never drains, since it is never full."""


class Menu:
    """Rows with a key, a name and a description."""

    count = 50

    def __init__(self) -> None:
        self.cursor = 0

    def row_count(self) -> int:
        return self.count

    def row_key(self, index: int) -> tuple[int, bool]:
        return index, index == self.cursor

    def row(self, index: int, width: int) -> StyleAndTextTuples:
        chosen = "class:selection " if index == self.cursor else ""
        return [
            (chosen + "class:muted", f" {index:3} "),
            (chosen + "class:accent", f"Application {index}".ljust(24)),
            (chosen, f"What application {index} is good for".ljust(width)[: max(0, width - 29)]),
        ]


class List(Menu):
    count = 1000


class Table(Menu):
    count = 200

    def row(self, index: int, width: int) -> StyleAndTextTuples:
        chosen = "class:selection " if index == self.cursor else ""
        cell = max(4, width // 6)
        return [
            (
                chosen + ("class:accent" if column == 0 else ""),
                f"r{index}c{column}".ljust(cell)[:cell],
            )
            for column in range(6)
        ]


def bar(text: str) -> Window:
    return Window(FormattedTextControl(text), height=1, style="class:bar")


def stock(source: Menu, columns: int, rows: int) -> tuple[Application[Any], Callable[[], int]]:
    stream = io.StringIO()

    def text() -> StyleAndTextTuples:
        lines: StyleAndTextTuples = []
        for index in range(source.row_count()):
            lines += source.row(index, columns)
            lines.append(("", "\n"))
        return lines

    control = FormattedTextControl(
        text, get_cursor_position=lambda: Point(0, source.cursor), show_cursor=False, focusable=True
    )
    output = Vt100_Output(
        stream,
        lambda: Size(rows=rows, columns=columns),
        term="xterm-256color",
        default_color_depth=ColorDepth.DEPTH_8_BIT,
        enable_cpr=False,
    )
    app: Application[Any] = Application(
        Layout(HSplit([bar("title"), Window(control), bar("keys")])),
        style=STYLE,
        full_screen=True,
        output=output,
        input=DummyInput(),
    )
    return app, stream.tell


def ours(source: Menu, columns: int, rows: int) -> tuple[Application[Any], Callable[[], int]]:
    paper = Paper(columns, rows)
    window = RowWindow(source, cursor=0)
    app: Application[Any] = Application(
        Layout(HSplit([bar("title"), window, bar("keys")])),
        full_screen=True,
        output=TerminalOutput(paper),
        input=DummyInput(),
        before_render=lambda _: setattr(window, "cursor", source.cursor),
    )
    install(app, paper, STYLE)
    return app, lambda: paper.bytes


def keys(
    app: Application[Any], source: Menu, written: Callable[[], int]
) -> Iterator[tuple[float, int]]:
    """One key after another: the CPU seconds and the bytes of its frame."""
    with create_app_session(input=app.input, output=app.output), set_app(app):
        app._is_running = True
        app.context = contextvars.copy_context()
        while True:
            source.cursor = (source.cursor + 1) % source.row_count()
            before, began = written(), time.thread_time()
            app._redraw()
            yield time.thread_time() - began, written() - before


def tenth(values: list[float]) -> float:
    return sorted(values)[len(values) // 10]


def compare(kind: type[Menu], columns: int, rows: int, frames: int) -> None:
    sides: list[tuple[Iterator[tuple[float, int]], list[float], list[int]]] = []
    for make in (stock, ours):
        source = kind()
        app, written = make(source, columns, rows)
        sides.append((keys(app, source, written), [], []))
    first = [next(side[0]) for side in sides]
    for _ in range(frames):
        for stepper, seconds, sizes in sides:
            cost, size = next(stepper)
            seconds.append(cost)
            sizes.append(size)
    theirs, own = (tenth(side[1]) * 1000 for side in sides)
    print(
        f"{kind.__name__.lower():6} {columns:3}x{rows:<3}"
        f" key {theirs:7.2f} -> {own:6.2f} ms ({theirs / own:4.1f}x)"
        f"   first frame {first[0][0] * 1000:6.1f} -> {first[1][0] * 1000:5.1f} ms"
        f"   bytes a key {sum(sides[0][2]) // frames:5} -> {sum(sides[1][2]) // frames:5}"
    )


def make_cost(make: Callable[..., Any], times: int = 20) -> float:
    seconds = []
    for _ in range(times):
        began = time.thread_time()
        make(Menu(), 80, 24)
        seconds.append(time.thread_time() - began)
    return tenth(seconds) * 1000


def keep_cost(make: Callable[..., Any], count: int = 10) -> float:
    """KiB that one Application keeps after its first frames."""
    kept = []
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(count):
        source = Menu()
        app, written = make(source, 80, 24)
        stepper = keys(app, source, written)
        for _ in range(5):
            next(stepper)
        kept.append((app, stepper))
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / count / 1024


def main() -> None:
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with create_app_session(input=DummyInput()):
        stock_make, stock_keep = make_cost(stock, 10), keep_cost(stock)
        share_defaults()
        print(f"Application()  {stock_make:6.2f} -> {make_cost(ours):5.2f} ms")
        make_and_warm = ours(Menu(), 80, 24)
        next(keys(make_and_warm[0], Menu(), make_and_warm[1]))
        print(f"kept by one    {stock_keep:6.0f} -> {keep_cost(ours):5.0f} KiB (80x24)")
        for kind in (Menu, List, Table):
            for columns, rows in ((80, 24), (200, 60)):
                compare(kind, columns, rows, frames if kind is not List else max(20, frames // 5))


if __name__ == "__main__":
    main()
