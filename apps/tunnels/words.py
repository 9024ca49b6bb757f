"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def clock(at: float) -> str:
    """The time of day of a Unix time, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")
