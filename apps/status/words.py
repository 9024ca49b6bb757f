"""What the screen, the page and the sentences about the host have in common."""

from __future__ import annotations

NEW = AWAY = 60
"""Somebody is new for so many seconds, and idle after so many without a key."""


def percent(value: float | None) -> str:
    """`3.1%`; a dash if it is not known yet."""
    if value is None:
        return "-"
    return f"{value:.1f}%" if value < 10 else f"{value:.0f}%"
