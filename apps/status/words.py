"""Numbers as people say them: spans of time, amounts of memory, who does what for how long."""

from __future__ import annotations

MINUTE, HOUR, DAY = 60, 3600, 86400
AWAY = 60
"""Seconds without a key from which on somebody counts as idle."""


def span(seconds: float) -> str:
    """A span of time in its two largest units: `40 s`, `12 min`, `3 h 12 min`, `2 days 5 h`."""
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min"
    if whole < DAY:
        minutes = whole % HOUR // MINUTE
        return f"{whole // HOUR} h {minutes} min" if minutes else f"{whole // HOUR} h"
    days = count(whole // DAY, "day")
    hours = whole % DAY // HOUR
    return f"{days} {hours} h" if hours else days


def brief(seconds: float) -> str:
    """A span in one unit, that changes once a minute at most: `0 min`, `12 min`, `3 h`."""
    whole = max(0, int(seconds))
    if whole < HOUR:
        return f"{whole // MINUTE} min"
    return f"{whole // HOUR} h" if whole < 2 * DAY else f"{whole // DAY} days"


def memory(amount: int) -> str:
    """Bytes: `84 MiB`, `1.4 GiB`."""
    mebi = amount / 2**20
    return f"{mebi:.0f} MiB" if mebi < 1000 else f"{mebi / 1024:.1f} GiB"


def percent(value: float | None) -> str:
    """`3.1 %`; a dash for what is not known yet."""
    if value is None:
        return "-"
    return f"{value:.1f} %" if value < 10 else f"{value:.0f} %"


def count(number: int, one: str, many: str = "") -> str:
    """`1 session`, `3 sessions`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
