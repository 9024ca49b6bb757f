"""Where a session plays: what stands behind a `Session`.

A screen, a talk line by line and a command with two outputs each have a stage, and all that a
`Session` offers works on each of them, unless it has no meaning there. Thread: the app's, except
`invoke` and `deliver`, which any thread may call.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tuihost.session.session import Stage
from tuihost.terminal_facts import TerminalFacts
from tuihost.text import clean
from tuihost.tui.layout.renderables import render_ansi
from tuihost.wire import SessionEvent

if TYPE_CHECKING:
    from tuihost.theme.theme import Theme
    from tuihost.tui.terminal.terminal import Terminal

Listener = Callable[[SessionEvent], None]


class HostStage(Stage):
    """What all stages share: the theme, and who listens."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self._listeners: list[Listener] = []

    @property
    def light(self) -> bool | None:
        return None

    def copy(self, text: str) -> bool:
        return False

    def theme_changed(self, theme: Theme) -> None:
        self.theme = theme

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def deliver(self, event: SessionEvent) -> None:
        """Tells the listeners, on the app's thread. Any thread."""
        self.invoke(lambda: self._tell(event))

    def _tell(self, event: SessionEvent) -> None:
        for listener in tuple(self._listeners):
            listener(event)


class LoopStage(HostStage):
    """A stage with a Terminal and, while a program runs, an event loop."""

    def __init__(self, terminal: Terminal, theme: Theme) -> None:
        super().__init__(theme)
        self.terminal = terminal
        self._loop: asyncio.AbstractEventLoop | None = None
        self._context: contextvars.Context | None = None

    def enter(self, loop: asyncio.AbstractEventLoop) -> None:
        """The program starts on `loop`, in the context of the caller."""
        self._context = contextvars.copy_context()
        self._loop = loop

    def leave(self) -> None:
        """The program has ended."""
        self._loop = self._context = None

    @property
    def facts(self) -> TerminalFacts:
        return self.terminal.facts

    @property
    def ended(self) -> bool:
        return self.terminal.closed

    def invoke(self, action: Callable[[], None]) -> None:
        loop, context = self._loop, self._context
        if loop is None or context is None:
            return
        try:
            # A copy, since a context can be entered only once at a time.
            loop.call_soon_threadsafe(lambda: context.copy().run(action))
        except RuntimeError:
            return  # closed between the look and the call: the program has ended


def printed(items: Sequence[Any], facts: TerminalFacts, theme: Theme) -> bytes:
    """What `session.print` comes to on such a terminal."""
    data = render_ansi(
        tuple(items),
        width=facts.size.columns if facts.sized else None,
        colors=facts.colors,
        unicode=facts.unicode,
        theme=theme,
    )
    return data.replace(b"\n", b"\r\n") if facts.pty else data


def asked(question: str, default: str, facts: TerminalFacts) -> bytes:
    """A question on a line, with what Enter alone would answer."""
    text = clean(question, lines=True) + (f"[{clean(default)}] " if default else "")
    data = text.encode() if facts.unicode else text.encode("ascii", "replace")
    return data.replace(b"\n", b"\r\n") if facts.pty else data
