"""Choosing a password: what it must be, and the questions that several steps ask for it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Generator
from functools import cache
from itertools import pairwise
from pathlib import Path

from tuihost.core.login.authentication import MAX_PASSWORD
from tuihost.core.login.chains import Chains, LoginChains
from tuihost.login import Prompt, Query

# Characters, NIST SP 800-63B-4 §3.1.1.2.
MIN_ALONE = 15
MIN_WITH_SECOND = 8
LEAST_RUN = 3  # characters
LONGEST_CUT = 64  # characters: a longer text has more than a few pieces
MOST_PIECES = 3
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
    if password and is_common(password, user):
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


def is_common(password: str, user: str = "") -> bool:
    """Whether it is known from lists of stolen passwords, or is one short piece again and again, or
    a run of characters such as `87654321` (SP 800-63B-4 §3.1.1.2), or is put together of two or
    three such pieces, `user` among them, with nothing but signs between them."""
    plain = unicodedata.normalize("NFKC", password).casefold()
    once = _piece_of(plain)
    if plain in _common() or _runs(plain) or (once != plain and len(once) < MIN_WITH_SECOND):
        return True
    doubled = re.sub(r"(.)\1", r"\1", plain)
    names = frozenset({user.casefold()})
    return any(_is_put_together(text, names) for text in {once, doubled})


def _piece_of(text: str) -> str:
    """The shortest text that this one is again and again, at least twice: `abc` of `abcabca`."""
    sizes = range(1, len(text) // 2 + 1)
    return next((text[:n] for n in sizes if text.startswith(text[n:])), text)


def _runs(text: str) -> bool:
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return steps in ({1}, {-1}) or any(text in walk or text in walk[::-1] for walk in _WALKS)


_WALKS = (
    "12345678901234567890",
    *("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm"),
    *("1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "q1w2e3r4t5y6u7i8o9p0"),
)
"""Ways along the keys of a keyboard."""


def _is_put_together(text: str, names: Collection[str]) -> bool:
    """Whether few pieces that are tried first, and no other letter or digit, make up all of it."""
    if not 0 < len(text) <= LONGEST_CUT:
        return False
    fewest: list[int] = [0]  # pieces of the text up to there, signs included
    for end in range(1, len(text) + 1):
        starts = (
            start
            for start in range(end)
            if fewest[start] < MOST_PIECES and _is_piece(text[start:end], names)
        )
        fewest.append(1 + min((fewest[start] for start in starts), default=MOST_PIECES))
    return fewest[-1] <= MOST_PIECES


def _is_piece(text: str, names: Collection[str]) -> bool:
    if len(text) == 1:
        return not text.isalnum()
    once = _piece_of(text)
    known = once in _common() or once in _SHORT or once in names
    return known or (len(text) >= LEAST_RUN and (_runs(once) or len(once) == 1))


_SHORT = frozenset(
    {
        *("abc123", "admin", "dragon", "guest", "hello", "login", "love", "master", "monkey"),
        *("letmein", "pass", "qwerty", "root", "secret", "shadow", "ssh", "test", "tuihost"),
        *("user", "welcome"),
    }
)
"""Common words that are too short for a password, and make none with what is as common."""


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
    yield Query(instruction=f"{instruction} Log in again for another try.")
    return None
