"""Short notes above the line of keys that disappear by themselves.

screen.toast("Saved", kind="success")

They have rows of their own for as long as they are there, so that they cover nothing, and as many
as they need.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Literal

from prompt_toolkit.application import get_app
from prompt_toolkit.filters import Condition
from prompt_toolkit.layout.containers import ConditionalContainer

from tuihost.session.session import Session
from tuihost.text import clean
from tuihost.tui.characters import width_of
from tuihost.tui.layout.rows import RowWindow
from tuihost.tui.widgets.cells import Fragments, fit, glyph, pad, wrap

Kind = Literal["info", "success", "warning", "error"]

LIMIT = 3
"""Toasts on the screen at once; the oldest makes room."""
LEFT = 6
"""Rows that are left to the rest of the screen, however much is said."""
READ = 20.0
"""Characters that somebody reads in a second: a long text stays until it could be read."""
_GLYPHS: dict[Kind, str] = {"info": "info", "success": "check", "warning": "warn", "error": "cross"}


@dataclass(frozen=True, slots=True, eq=False)
class _Toast:
    text: str
    kind: Kind


class Toasts:
    """The toasts of one screen. Their timers live in the Application's loop and end with it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._toasts: list[_Toast] = []
        self._rows: list[Fragments] = []
        self._made_of: Hashable = None
        self._drawn: tuple[_Toast, ...] = ()
        window = RowWindow(self, height=self.row_count, focusable=False, style="class:toast")
        self.container = ConditionalContainer(window, Condition(lambda: bool(self._toasts)))

    def show(self, text: str, kind: Kind = "info", seconds: float = 3.0) -> None:
        """Adds a toast, in place of one that says the same. Thread: the session's, while its
        Application runs."""
        toast = _Toast(clean(text, lines=True), kind)
        others = [old for old in self._toasts if (old.text, old.kind) != (toast.text, kind)]
        self._toasts = [*others, toast][-LIMIT:]
        app = get_app()
        seconds = max(seconds, len(toast.text) / READ)
        asyncio.get_running_loop().call_later(seconds, self._remove, toast, app)
        app.invalidate()

    def take_back(self, text: str) -> None:
        """Removes a toast that is no longer true."""
        self._toasts = [toast for toast in self._toasts if toast.text != clean(text, lines=True)]

    def left(self) -> None:
        """The person goes on to another part of the screen: what they have seen was about the part
        before, and goes with it, unless it says that something is done. What has not been drawn
        yet is for the part that comes."""
        self._toasts = [
            toast for toast in self._toasts if toast.kind == "success" or toast not in self._drawn
        ]

    def _remove(self, toast: _Toast, app: Any) -> None:
        if toast in self._toasts:
            self._toasts.remove(toast)
            app.invalidate()

    # ------------------------------------------------------------------ rows for a RowWindow

    def row_count(self) -> int:
        """Asked once a frame: the rows are made anew here if something has changed."""
        size = self.session.terminal.size
        look = (self.session.theme.name, self.session.terminal.unicode)
        self._drawn = tuple(self._toasts)
        made_of = (self._drawn, size, look)
        if made_of != self._made_of:
            self._made_of = made_of
            rows = [row for toast in self._toasts for row in self._lines(toast, size.columns)]
            most = max(1, size.rows - LEFT)
            self._rows = rows[-most:] if len(self._toasts) > 1 else rows[:most]
        return len(self._rows)

    def row_key(self, index: int) -> Hashable:
        return (index, self._made_of)

    def row(self, index: int, width: int) -> Fragments:
        return self._rows[index]

    def _lines(self, toast: _Toast, columns: int) -> list[Fragments]:
        sign = f"  {glyph(self.session, _GLYPHS[toast.kind])} "
        room = max(4, columns - width_of(sign) - 1)
        lines = wrap(toast.text, room)
        signs = [sign, *[" " * width_of(sign)] * (len(lines) - 1)]
        return [
            [(f"class:{toast.kind}", before), ("", pad(fit(line, room), room + 1))]
            for before, line in zip(signs, lines, strict=True)
        ]
