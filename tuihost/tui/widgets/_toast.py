"""Short notes in a corner that disappear by themselves.

screen.toast("Saved", kind="success")
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

from prompt_toolkit.application import get_app
from prompt_toolkit.filters import Condition
from prompt_toolkit.layout.containers import ConditionalContainer, Float, Window
from prompt_toolkit.layout.controls import FormattedTextControl
from prompt_toolkit.layout.dimension import Dimension

from tuihost.session.session import Session
from tuihost.tui.widgets.cells import Fragments, glyph, pad, width_of
from tuihost.tui.widgets.cells import fit as fit_text

Kind = Literal["info", "success", "warning", "error"]

LIMIT = 3
"""Toasts on the screen at once; the oldest makes room."""
WIDEST = 60
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
        window = Window(
            FormattedTextControl(self._fragments),
            width=lambda: Dimension.exact(self._width()),
            height=lambda: Dimension.exact(len(self._toasts)),
            style="class:toast",
            dont_extend_height=True,
            dont_extend_width=True,
        )
        shown = ConditionalContainer(window, filter=Condition(lambda: bool(self._toasts)))
        self.float = Float(shown, right=1, bottom=2, z_index=100)

    def show(self, text: str, kind: Kind = "info", seconds: float = 3.0) -> None:
        """Adds a toast, in place of one that says the same. Thread: the session's, while its
        Application runs."""
        toast = _Toast(fit_text(text, WIDEST), kind)
        others = [old for old in self._toasts if (old.text, old.kind) != (toast.text, kind)]
        self._toasts = [*others, toast][-LIMIT:]
        app = get_app()
        asyncio.get_running_loop().call_later(seconds, self._remove, toast, app)
        app.invalidate()

    def _remove(self, toast: _Toast, app: Any) -> None:
        if toast in self._toasts:
            self._toasts.remove(toast)
            app.invalidate()

    def _width(self) -> int:
        widest = max((width_of(toast.text) for toast in self._toasts), default=0) + 4
        return min(widest, max(4, self.session.terminal.size.columns - 2))

    def _fragments(self) -> Any:
        width = self._width()
        fragments: Fragments = []
        for index, toast in enumerate(self._toasts):
            if index:
                fragments.append(("", "\n"))
            sign = glyph(self.session, _GLYPHS[toast.kind])
            fragments.append((f"class:{toast.kind}", f" {sign} "))
            fragments.append(("", pad(toast.text, width - 2 - width_of(sign))))
        return fragments
