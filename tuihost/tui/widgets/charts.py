"""Numbers as small charts, as fragments for a row.

sparkline([3, 5, 9, 4], 20, session)
meter(0.64, 20, session)
"""

from __future__ import annotations

from collections.abc import Sequence

from tuihost.session.session import Session
from tuihost.tui.widgets.cells import Fragments, glyph


def sparkline(
    values: Sequence[float], width: int, session: Session, *, top: float | None = None
) -> Fragments:
    """The last `width` values, the newest at the right end. The highest is full, or `top` is, if
    it is given; 0 is empty. What is not known yet is blank."""
    levels = glyph(session, "spark")
    shown = [max(0.0, value) for value in values[-width:]] if width > 0 else []
    full = max(top or 0.0, max(shown, default=0.0))
    marks = "".join(
        levels[min(len(levels) - 1, int(value / full * len(levels)))] if full else levels[0]
        for value in shown
    )
    return [("class:chart.muted", " " * (max(0, width) - len(marks))), ("class:chart", marks)]


def meter(value: float, width: int, session: Session, style: str = "class:chart") -> Fragments:
    """How much of a whole: `value` from 0 to 1 in `width` cells. What is more than nothing shows
    at least one, and only a whole is full."""
    width = max(0, width)
    value = min(1.0, max(0.0, value))
    full = int(value * width)
    if width > 1 and 0 < value < 1:
        full = min(max(full, 1), width - 1)
    return [
        (style, glyph(session, "meter.full") * full),
        ("class:chart.muted", glyph(session, "meter.empty") * (width - full)),
    ]
