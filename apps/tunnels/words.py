"""Amounts and moments as people say them."""

from __future__ import annotations

from datetime import UTC, datetime


def amount(count: float) -> str:
    """Bytes: `0 B`, `840 B`, `1.2 kB`, `34 MB`."""
    value, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" or value >= 10 else f"{value:.1f} {unit}"


def clock(at: float) -> str:
    """The time of day of a Unix time, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")
