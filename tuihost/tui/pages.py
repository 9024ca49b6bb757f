"""The pages that the host itself shows: short, and drawn with nothing that could fail again."""

from __future__ import annotations

from prompt_toolkit.application import Application
from prompt_toolkit.filters import Always
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import FormattedTextControl, HSplit, Layout, VSplit, Window
from prompt_toolkit.layout.containers import WindowAlign


def notice(title: str, text: str, keys: str) -> Application[None]:
    """A page with a title, one paragraph and a line that says which key leads on."""
    bindings = KeyBindings()

    @bindings.add("enter")
    @bindings.add("escape", eager=Always())
    @bindings.add("c-c")
    @bindings.add("q")
    @bindings.add(" ")
    def _leave(event: KeyPressEvent) -> None:
        event.app.exit()

    def line(style: str, content: str) -> Window:
        return Window(
            FormattedTextControl([(style, content)]),
            align=WindowAlign.LEFT,
            dont_extend_height=True,
            wrap_lines=True,
            style="class:text",
        )

    body = HSplit(
        [
            Window(height=1, style="class:text"),
            line("class:title", title),
            Window(height=1, style="class:text"),
            line("class:text", text),
            Window(height=1, style="class:text"),
            line("class:muted", keys),
            Window(style="class:text"),
        ]
    )
    margin = Window(width=2, style="class:text")
    return Application(
        layout=Layout(VSplit([margin, body, Window(width=2, style="class:text")])),
        key_bindings=bindings,
        full_screen=True,
    )
