"""Patterns of file names, as a shell reads them: `*`, `?` and `[…]` (POSIX.1-2017, XCU 2.13)."""

from __future__ import annotations

import re
from collections.abc import Collection
from fnmatch import translate
from itertools import count

_CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
    "blank": " \\t",
    "space": " \\t\\n\\r\\f\\v",
}
"""Classes of characters inside brackets (POSIX.1-2017, XBD 9.3.5), in ASCII."""
_SIGNS = "*?["


def name_pattern(
    pattern: str, quoted: Collection[int] = (), *, ignore_case: bool = False
) -> re.Pattern[str]:
    """What a name has to match for `pattern`. The characters at `quoted` stand for themselves, and
    a `[` without its `]` does too. A match takes time in proportion to the length of both, for each
    `*`; nothing of the pattern is kept."""
    stands_for = dict[str, str]()
    free = (sign for sign in map(chr, count(0xE000)) if sign not in pattern)
    text, at = "", 0
    while at < len(pattern):
        char, plain = pattern[at], at in quoted
        brackets = _brackets(pattern, at, quoted) if char == "[" and not plain else None
        if brackets is not None:
            at, expression = brackets
            sign = next(free)
            stands_for[sign] = expression
            text += sign
            continue
        text += f"[{char}]" if char in _SIGNS and (plain or char == "[") else char
        at += 1
    # Since Python 3.11 nothing behind a `*` is tried again. Not by fnmatch itself, which keeps
    # thousands of patterns.
    expression = translate(text)
    for sign, brackets_expression in stands_for.items():
        expression = expression.replace(sign, brackets_expression)
    return re.compile(expression, re.IGNORECASE if ignore_case else 0)


def _brackets(pattern: str, start: int, quoted: Collection[int]) -> tuple[int, str] | None:
    """Where the brackets that begin at `start` are over, and their expression; None without a `]`
    that closes them."""
    at = start + 1
    negated = pattern[at : at + 1] in ("!", "^") and at not in quoted
    at += negated
    first, found = at, ""

    def is_sign(at: int, sign: str) -> bool:
        return pattern[at : at + 1] == sign and at not in quoted

    while at == first or not is_sign(at, "]"):
        if at >= len(pattern):
            return None
        name = pattern[at + 2 : pattern.find(":]", at + 2)] if is_sign(at, "[") else ""
        if is_sign(at, "[") and is_sign(at + 1, ":") and name in _CLASSES:
            found += _CLASSES[name]
            at += len(name) + 4
        elif is_sign(at + 1, "-") and at + 2 < len(pattern) and not is_sign(at + 2, "]"):
            low, high = pattern[at], pattern[at + 2]
            found += f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""
            at += 3
        else:
            found += re.escape(pattern[at])
            at += 1
    if not found:  # only ranges of nothing
        return at + 1, "(?s:.)" if negated else "(?!)"
    return at + 1, f"[{'^' * negated}{found}]"
