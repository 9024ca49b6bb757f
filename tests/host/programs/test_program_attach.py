"""A program that runs on while its terminal changes under it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout import FormattedTextControl, Layout, Window

from tests.waiting import DEADLINE
from tuihost import App, Session
from tuihost.host.programs._app_stack import AppStack
from tuihost.terminal_facts import TerminalFacts
from tuihost.testing import Screen, hosted
from tuihost.wire import Exit, Stream, WindowSize


class Counter(App):
    """Counts what is pressed."""

    name = "counter"
    title = "Counter"

    def build(self, session: Session) -> Application[Any]:
        keys, count = KeyBindings(), [0]

        @keys.add("j")
        def _(event: Any) -> None:
            count[0] += 1

        def text() -> str:
            size = session.terminal.size
            return f"count {count[0]} on {size.columns}x{size.rows}"

        return Application(
            layout=Layout(Window(FormattedTextControl(text))), key_bindings=keys, full_screen=True
        )


class Elsewhere:
    """Another channel, with a screen behind it that any thread may wait for."""

    number = 1
    closed = congested = False

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = Screen(columns, rows)
        self._typed = b""
        self._wake: Callable[[], None] | None = None
        self._drawn = threading.Condition()

    def set_wake(self, wake: Callable[[], None] | None) -> None:
        self._wake = wake

    def type(self, data: bytes) -> None:
        self._typed += data
        self.nudge()

    def nudge(self) -> None:
        if self._wake is not None:
            self._wake()

    def read(self, limit: int = 65536) -> bytes | None:
        data, self._typed = self._typed[:limit], self._typed[limit:]
        return data or None

    def write(self, data: bytes | memoryview, stream: Stream = Stream.OUT) -> int:
        with self._drawn:
            self.screen.feed(bytes(data))
            self._drawn.notify_all()
        return len(data)

    def wait_for(self, text: str) -> None:
        with self._drawn:
            seen = self._drawn.wait_for(lambda: text in self.screen.text, 5)
        assert seen, f"waited for {text!r}; the screen:\n{self.screen.text}"

    def wait(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        return ready()

    def finish(self, end: Exit) -> None: ...

    def close(self) -> None: ...


def test_a_program_goes_on_at_another_terminal_with_a_full_repaint() -> None:
    with hosted(Counter()) as host, host.open() as pilot:
        pilot.wait_for("count 0 on 80x24").press("j").wait_for("count 1")
        (program,) = host.server._open()[0].programs()
        assert isinstance(program._work, AppStack)
        terminal = program._work.terminal
        elsewhere = Elsewhere(60, 20)
        terminal.attach(elsewhere, TerminalFacts(size=WindowSize(60, 20)))
        elsewhere.wait_for("count 1 on 60x20")
        assert elsewhere.screen.alternate
        elsewhere.type(b"j")
        elsewhere.wait_for("count 2")
        pilot.press("j")  # the old one is let go of: nobody reads it any more
        elsewhere.type(b"j")
        elsewhere.wait_for("count 3")
        assert "count 1" in pilot.text
        program.farewell("Goodbye.")
        assert program.join(DEADLINE), "the program did not end"
