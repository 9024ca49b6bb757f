"""Asking people to prove who they are before they change how they log in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tuihost import AccountChange, OwnAccount, ProofNeeded

QUESTIONS = {
    ProofNeeded.PASSWORD: "Your password, to go on",
    ProofNeeded.CODE: "A code of your second factor, to go on",
}
ALREADY_PROVED = ""
"""What is given as the password where none is asked for."""


async def proved(
    own: OwnAccount, change: AccountChange, ask: Callable[[str], Awaitable[str | None]]
) -> bool:
    """Asks for what the change needs, if it needs anything; False if the person would not say.
    Raises what the account raises."""
    needed = own.proof_for(change)
    if needed is ProofNeeded.NOTHING:
        return True
    answer = await ask(QUESTIONS[needed])
    if not answer:
        return False
    await asyncio.to_thread(own.prove, needed, answer)
    return True


async def password_for(
    own: OwnAccount,
    change: AccountChange,
    ask: Callable[[str], Awaitable[str | None]],
    label: str = "Your password",
) -> str | None:
    """The password for a change that takes it along; empty where the account has none and the
    person proved who they are by something else, and None if they would not say."""
    if own.proof_for(change) is ProofNeeded.PASSWORD:
        return await ask(label) or None
    return ALREADY_PROVED if await proved(own, change, ask) else None
