"""Choosing a password: what it must be, and the questions that several steps ask for it."""

from __future__ import annotations

from collections.abc import Generator

from tuihost.core.login.authentication import MAX_PASSWORD
from tuihost.login import Prompt, Query

MIN_PASSWORD = 8  # characters
ATTEMPTS = 3


def password_problem(password: str, *, user: str, old: str | None = None) -> str | None:
    """Why this should not be a password, in one sentence; None if it may."""
    if len(password) < MIN_PASSWORD:
        return f"A password needs at least {MIN_PASSWORD} characters."
    if len(password.encode("utf-8", "surrogatepass")) > MAX_PASSWORD:
        return f"A password can have at most {MAX_PASSWORD} bytes."
    if not password.isprintable():
        return "A password cannot have control characters."
    if user and user.casefold() in password.casefold() and len(password) < 2 * MIN_PASSWORD:
        return "A password cannot be made of your name."
    if password == old:
        return "The new password is the same as the old one."
    return None


def new_password(
    user: str, *, title: str, instruction: str = "", old: str | None = None
) -> Generator[Query, tuple[str, ...], str | None]:
    """Asks twice for a new password, and again if it will not do; None if it never did."""
    for _ in range(ATTEMPTS):
        once, again = yield Query(
            title,
            (Prompt("New password: "), Prompt("New password again: ")),
            instruction,
        )
        problem = password_problem(once, user=user, old=old)
        if problem is None and once == again:
            return once
        instruction = problem or "The two passwords differ."
    return None
