"""Approvals line by line: for screen readers, dumb terminals and scripts."""

from __future__ import annotations

import asyncio

from tuihost import ApprovalsView, NotPossible, Session, TuihostError, clean, duration

from .words import (
    EMPTY,
    NO_SUCH_NUMBER,
    OUT_OF_REACH,
    answer,
    app_of,
    check_may_answer,
    described,
    numbered,
)

COMMANDS = "list, allow NUMBER, refuse NUMBER"
MAX_DIGITS = 9  # of the number of somebody who waits: of thousands Python makes no number


async def converse(session: Session, approvals: ApprovalsView) -> int:
    """Says who is waiting and does what is asked, until an empty line."""
    await session.say(_list(session, approvals))
    await session.say(f"You can type: {COMMANDS}. An empty line leaves.")
    while line := (await session.ask("approvals> ")).strip():
        match line.lower().split():
            case ["q" | "quit" | "exit" | "logout"]:
                break
            case ["list"]:
                await session.say(_list(session, approvals))
            case ["allow" | "refuse" as word, number] if number.isdecimal():
                await session.say(await _answer(session, approvals, number, word == "allow"))
            case _:
                await session.say(f"Please type one of these: {COMMANDS}.")
    return 0


def _list(session: Session, approvals: ApprovalsView) -> str:
    now = session.host.now()
    return (
        "\n".join(
            f"{request.number}: {described(request)}, "
            f"wants {clean(app_of(session, request), limit=40)}, "
            f"has waited {duration(now - request.since, units=2)}, "
            f"{duration(request.until - now, units=2)} left"
            + (", in your own name" if request.own else "")
            for request in approvals.waiting()
        )
        or EMPTY
    )


async def _answer(session: Session, approvals: ApprovalsView, number: str, granted: bool) -> str:
    request = numbered(approvals, int(number)) if len(number) <= MAX_DIGITS else None
    if request is None:
        return NO_SUCH_NUMBER
    try:
        check_may_answer(session, granted=granted)
        if granted:
            sure = await session.ask(f"Let {described(request)} in? yes or no: ")
            if sure.strip().lower() not in ("y", "yes"):
                return "You have not answered yet."
        return await asyncio.to_thread(answer, session, approvals, request, granted=granted)
    except NotPossible as error:
        return str(error)
    except TuihostError:
        if session.ended:
            raise
        return OUT_OF_REACH
