"""Small screens for tests of what stands on them."""

from __future__ import annotations

from typing import Any

from prompt_toolkit.layout.containers import Window
from prompt_toolkit.layout.controls import FormattedTextControl

from tuihost.session.session import Session
from tuihost.tui.widgets.keymap import Keymap
from tuihost.tui.widgets.screen import Screen


def body() -> Window:
    return Window(FormattedTextControl("the work", focusable=True))


def plain(session: Session, **more: Any) -> Any:
    return lambda: Screen(session, "Notes", body(), **more).application()


def asking(session: Session, ask: Any, answers: list[Any]) -> Any:
    """A screen whose key `a` asks and remembers the answer."""
    keys = Keymap("Here")
    screen = Screen(session, "Notes", body(), keys=keys)

    @keys.add("a", label="ask")
    async def _ask(event: Any) -> None:
        answers.append(await ask(screen))

    return screen.application
