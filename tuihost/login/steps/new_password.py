"""Choosing a password: what it must be, and the questions that several steps ask for it."""

from __future__ import annotations

import unicodedata
from collections.abc import Generator
from functools import cache
from itertools import pairwise
from pathlib import Path

from tuihost.core.login.authentication import MAX_PASSWORD
from tuihost.core.login.chains import Chains, LoginChains
from tuihost.login import Prompt, Query

# Characters, NIST SP 800-63B-4 §3.1.1.2.
MIN_ALONE = 15
MIN_WITH_SECOND = 8
PIECE = 4  # characters: a shorter piece makes no password however often it is repeated
ATTEMPTS = 3


def min_password(chains: LoginChains, own: Chains = ()) -> int:
    """How many characters a password needs with these chains of a host, and `own` of an account."""
    return MIN_ALONE if chains.password_alone(own) else MIN_WITH_SECOND


def password_rule(shortest: int) -> str:
    """What a new password has to be, in a sentence."""
    return f"It needs at least {shortest} characters; a few words are easy to remember."


def password_problem(
    password: str, *, user: str, shortest: int = MIN_ALONE, old: str | None = None
) -> str | None:
    """Why this should not be a password, in one sentence; None if it may."""
    if password and is_common(password):
        return "That is one of the first passwords that strangers try. Choose another one."
    if len(password) < shortest:
        return f"A password needs at least {shortest} characters."
    if len(password.encode("utf-8", "surrogatepass")) > MAX_PASSWORD:
        return f"A password can have at most {MAX_PASSWORD:,} bytes."
    if not password.isprintable():
        return "A password cannot have control characters."
    if len(password.casefold().replace(user.casefold(), "")) < MIN_WITH_SECOND:
        return "A password cannot be made of your name."
    if password == old:
        return "The new password is the same as the old one."
    return None


def is_common(password: str) -> bool:
    """Whether it is known from lists of stolen passwords, or is one piece again and again, or a
    run of characters such as `87654321` (SP 800-63B-4 §3.1.1.2)."""
    plain = unicodedata.normalize("NFKC", password).casefold()
    return plain in _common() or _repeats(plain) or _runs(plain)


def _repeats(text: str) -> bool:
    return any(text == (text[:size] * len(text))[: len(text)] for size in range(1, PIECE + 1))


def _runs(text: str) -> bool:
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return steps in ({1}, {-1}) or text in "01234567890" or text in "09876543210"


@cache
def _common() -> frozenset[str]:
    lines = Path(__file__).with_name("common_passwords.txt").read_text("utf-8").splitlines()
    return frozenset(line.casefold() for line in lines if line and not line.startswith("#"))


def new_password(
    user: str, *, shortest: int, title: str, instruction: str = "", old: str | None = None
) -> Generator[Query, tuple[str, ...], str | None]:
    """Says what a new password needs, asks for one, and for the same again if it will do; None if
    none ever did."""
    instruction = f"{instruction} {password_rule(shortest)}".lstrip()
    for _ in range(ATTEMPTS):
        (once,) = yield Query(title, (Prompt("New password: "),), instruction)
        problem = password_problem(once, user=user, shortest=shortest, old=old)
        if problem is None:
            (again,) = yield Query(prompts=(Prompt("New password again: "),))
            if once == again:
                return once
        instruction = problem or "The two passwords differ."
    return None
