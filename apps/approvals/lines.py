"""The door line by line: for screen readers, dumb terminals and scripts."""

from __future__ import annotations

import asyncio

from tuihost import ApprovalsView, NotPossible, Session, TuihostError, clean, duration

from .words import EMPTY, OUT_OF_REACH, app_of, say, who

COMMANDS = "list, allow NUMBER, refuse NUMBER"


async def converse(session: Session, approvals: ApprovalsView) -> int:
    """Tells who waits and does what is asked, until an empty line."""
    await session.say(_list(session, approvals))
    await session.say(f"You can type: {COMMANDS}. An empty line leaves.")
    while line := (await session.ask("approvals> ")).strip():
        match line.lower().split():
            case ["list"]:
                await session.say(_list(session, approvals))
            case ["allow" | "refuse" as word, number] if number.isdecimal():
                await session.say(await _answer(session, approvals, int(number), word == "allow"))
            case _:
                await session.say(f"That is none of these: {COMMANDS}.")
    return 0


def _list(session: Session, approvals: ApprovalsView) -> str:
    now = session.host.now()
    return (
        "\n".join(
            f"{one.number}: {who(one)}, wants {clean(app_of(session, one), limit=40)}, "
            f"waits for {duration(now - one.since, units=2)}, "
            f"{duration(one.until - now, units=2)} left" + (", your own name" if one.own else "")
            for one in approvals.waiting()
        )
        or EMPTY
    )


async def _answer(session: Session, approvals: ApprovalsView, number: int, granted: bool) -> str:
    caller = next((one for one in approvals.waiting() if one.number == number), None)
    if caller is None:
        return "Nobody waits under this number."
    if granted:
        sure = await session.ask(f"Let {who(caller)} in? yes or no: ")
        if sure.strip().lower() not in ("y", "yes"):
            return "Not answered."
    try:
        return await asyncio.to_thread(say, session, approvals, caller, granted=granted)
    except NotPossible as error:
        return str(error)
    except TuihostError:
        if session.ended:
            raise
        return OUT_OF_REACH
