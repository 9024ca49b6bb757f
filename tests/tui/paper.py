"""What the drawing tests draw on: a terminal that keeps what it is sent, and eyes to look at it."""

from __future__ import annotations

import contextvars
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyte
from prompt_toolkit.application import Application, create_app_session
from prompt_toolkit.application.current import set_app
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import DummyInput
from prompt_toolkit.layout.screen import _CHAR_CACHE, Char, Screen
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output

from tuihost.terminal_facts import TerminalFacts
from tuihost.tui.rendering.renderer import install
from tuihost.tui.terminal.output import TerminalOutput
from tuihost.wire import WindowSize


class Paper:
    """A terminal as the screen side knows it; `writes` is what was written, write by write."""

    def __init__(self, columns: int = 80, rows: int = 24, **facts: Any) -> None:
        self.facts = TerminalFacts(size=WindowSize(columns, rows), **facts)
        self.congested = False
        self.writes: list[bytes] = []
        self.drains: list[Callable[[], None]] = []

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def on_drain(self, callback: Callable[[], None]) -> None:
        self.drains.append(callback)

    def drain(self) -> None:
        """The line is free again."""
        self.congested = False
        drains, self.drains = self.drains, []
        for callback in drains:
            callback()

    def resize(self, columns: int, rows: int) -> None:
        self.facts = self.facts.resized(WindowSize(columns, rows))

    def take(self) -> bytes:
        """All that was written since the last time."""
        data = b"".join(self.writes)
        self.writes.clear()
        return data


class Eyes:
    """What a person sees after some bytes, by pyte."""

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)

    def read(self, data: bytes) -> Eyes:
        self.stream.feed(data)
        return self

    @property
    def text(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display]

    def cells(self) -> list[list[Any]]:
        """Every cell with its attributes."""
        screen = self.screen
        return [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]

    @property
    def cursor(self) -> tuple[int, int, bool]:
        at = self.screen.cursor
        return min(at.x, self.screen.columns - 1), at.y, not at.hidden


def stock_output(paper: Paper) -> tuple[Vt100_Output, io.StringIO]:
    """prompt_toolkit's own output of the same size, with what it writes."""
    stream = io.StringIO()

    def size() -> Size:
        return Size(rows=paper.facts.size.rows, columns=paper.facts.size.columns)

    depth = ColorDepth.DEPTH_8_BIT
    output = Vt100_Output(
        stream, size, term="xterm-256color", default_color_depth=depth, enable_cpr=False
    )
    return output, stream


def redraw(app: Application[Any]) -> None:
    """Draws a frame now, as prompt_toolkit does once its loop comes to it."""
    app._redraw()


@contextmanager
def on_stage(app: Application[Any]) -> Iterator[Application[Any]]:
    """An Application that believes it runs, for frames drawn by hand, by `redraw`."""
    with create_app_session(input=app.input, output=app.output), set_app(app):
        app._is_running = True
        app.context = contextvars.copy_context()
        try:
            yield app
        finally:
            app._is_running = False


@contextmanager
def hosted(paper: Paper, theme: Any = None, **options: Any) -> Iterator[Application[Any]]:
    """An installed Application on `paper`; nothing is written yet."""
    app: Application[Any] = Application(
        input=DummyInput(), output=TerminalOutput(paper), **{"full_screen": True, **options}
    )
    install(app, paper, theme)
    paper.take()
    with on_stage(app):
        yield app


def screen_of(rows: list[list[tuple[str, str]]], height: int) -> Screen:
    """A `Screen` with these rows of (style, text)."""
    screen = Screen()
    screen.height = height
    for y, row in enumerate(rows):
        cells = screen.data_buffer[y]
        x = 0
        for style, text in row:
            for letter in text:
                char: Char = _CHAR_CACHE[letter, style]
                cells[x] = char
                for rest in range(1, char.width):
                    cells[x + rest] = _CHAR_CACHE["", ""]
                x += char.width
    return screen
