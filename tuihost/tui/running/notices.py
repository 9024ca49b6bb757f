"""The pages that the host itself shows, drawn by the simplest means so that they cannot fail."""

from __future__ import annotations

import textwrap

from prompt_toolkit.application import Application
from prompt_toolkit.application.current import get_app
from prompt_toolkit.filters import Always
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import FormattedTextControl, Layout, Window

from tuihost.tui.layout.splits import HSplit, VSplit

MARGIN = 2


def notice(title: str, text: str, keys: str) -> Application[None]:
    """A page with a title, one paragraph, and a line that says which key to press."""
    bindings = KeyBindings()

    @bindings.add("enter")
    @bindings.add("escape", eager=Always())
    @bindings.add("c-c")
    @bindings.add("q")
    @bindings.add(" ")
    def _leave(event: KeyPressEvent) -> None:
        event.app.exit()

    body = HSplit(
        [
            Window(height=1, style="class:text"),
            _paragraph("class:title", title),
            Window(height=1, style="class:text"),
            _paragraph("class:text", text),
            Window(height=1, style="class:text"),
            _paragraph("class:muted", keys),
            Window(style="class:text"),
        ]
    )
    left, right = (Window(width=MARGIN, style="class:text") for _ in range(2))
    return Application(
        layout=Layout(VSplit([left, body, right])), key_bindings=bindings, full_screen=True
    )


def _paragraph(style: str, content: str) -> Window:
    """A text, broken between words: the id of an incident must stay in one piece."""

    def wrapped() -> StyleAndTextTuples:
        width = max(10, get_app().output.get_size().columns - 2 * MARGIN)
        return [(style, textwrap.fill(content, width, break_on_hyphens=False))]

    return Window(FormattedTextControl(wrapped), dont_extend_height=True, style="class:text")
