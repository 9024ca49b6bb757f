"""Sizes and times as people read them."""

from __future__ import annotations

from datetime import datetime


def size_of(count: int) -> str:
    """`0 B`, `1.5 KB`, `12 MB`."""
    if count < 1000:
        return f"{count} B"
    units = iter(("KB", "MB", "GB", "TB"))
    unit, size = next(units), count / 1000
    while size >= 999.5 and (larger := next(units, None)):
        unit, size = larger, size / 1000
    return f"{size:.1f} {unit}" if size < 9.95 else f"{size:.0f} {unit}"


def day_of(moment: float) -> str:
    """The day and the minute, by the host's clock."""
    return datetime.fromtimestamp(moment).strftime("%Y-%m-%d %H:%M")
