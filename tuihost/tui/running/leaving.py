"""The question to somebody who leaves while others can still reach their machine through the host:
with their last app their client goes, and what it forwards is closed.

Thread: the session's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.layout import FormattedTextControl, Window

from tuihost.session.session import Session
from tuihost.tui.widgets.dialogs import confirm_dialog
from tuihost.tui.widgets.screen import Screen

LEAVES, STAYS = 1, 0
"""What the person answered."""
MIN_SIZE = (27, 8)
"""Columns and rows that the dialog needs. In a smaller window the question is all there is."""


def still_open(addresses: Sequence[str]) -> str:
    """A sentence about the addresses that others can still reach."""
    match addresses:
        case [only]:
            return f"{only} is still open for visitors."
        case [first, second]:
            return f"{first} and {second} are still open for visitors."
        case _:
            return f"{addresses[0]} and {len(addresses) - 1} more are still open for visitors."


def close_what(addresses: Sequence[str]) -> str:
    """The question itself."""
    return f"Close {'it' if len(addresses) == 1 else 'them'} and leave?"


def leave_screen(session: Session, title: str, addresses: Sequence[str]) -> Application[Any]:
    """Asks on a screen of its own; ends with `LEAVES` or `STAYS`. Where the window is too small for
    the dialog, `q` and Ctrl-C leave, too, as they do in every app then."""
    body = Window(FormattedTextControl("", focusable=True))

    def leave() -> None:
        screen.exit(LEAVES)

    screen = Screen(session, title, body, quits=False, leave=leave, min_size=MIN_SIZE)
    question, open_now = close_what(addresses), still_open(addresses)
    small = screen.container
    small.says = (
        f"{open_now} {question} l: leave, s: stay",
        f"{question} l/s",
        "Leave? l/s",
        "l/s?",
    )
    application = screen.application()
    dialog = confirm_dialog(session, question, open_now, yes="Leave", no="Stay", default=False)

    @dialog.keys.add("<any>", when=small.too_small, eager=True)
    def _nothing(event: Any) -> None:
        """What the dialog would do cannot be seen."""

    @dialog.keys.add("l", "q", "c-c", when=small.too_small, eager=True)
    def _leave(event: Any) -> None:
        dialog.close(True)

    @dialog.keys.add("s", "escape", when=small.too_small, eager=True)
    def _stay(event: Any) -> None:
        dialog.close(False)

    async def ask() -> None:
        leaves = await screen.open(dialog)
        screen.exit(LEAVES if leaves else STAYS)

    def begin() -> None:
        application.create_background_task(ask())

    application.pre_run_callables.append(begin)
    return application


async def ask_to_leave(session: Session, addresses: Sequence[str]) -> int:
    """The same in lines."""
    await session.say(still_open(addresses))
    answer = await session.ask(f"{close_what(addresses)} (yes or no) ")
    return LEAVES if answer.strip().lower() in ("y", "yes") else STAYS
