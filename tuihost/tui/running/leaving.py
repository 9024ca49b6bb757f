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
from tuihost.tui.widgets.screen import Screen

LEAVES, STAYS = 1, 0
"""What the person answered."""


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
    """Asks on a screen of its own; ends with `LEAVES` or `STAYS`."""
    body = Window(FormattedTextControl("", focusable=True))
    screen = Screen(session, title, body, quits=False)
    application = screen.application()

    async def ask() -> None:
        leaves = await screen.confirm(
            close_what(addresses), detail=still_open(addresses), yes="Leave", no="Stay"
        )
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
