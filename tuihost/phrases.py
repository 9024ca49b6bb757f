"""Times, sizes, counts and hints in words: everything that people read says them in the same way.

In a sentence a time is written out, `12 minutes`; `short` makes it `12 min`, for tables and lists,
where the room is scarce. Nothing is rounded up in time, so it never says `60 minutes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches

MINUTE, HOUR, DAY = 60, 3600, 86400

_UNITS = ((DAY, "day", ""), (HOUR, "hour", "h"), (MINUTE, "minute", "min"), (1, "second", "s"))
_SIZES = ("kB", "MB", "GB", "TB", "PB", "EB")


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 note`, `2 notes`, `12,000 notes`; `plural` is for what does not just take an s: `2
    entries`."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def as_sentence(text: str) -> str:
    """A reason as people read it: with a capital at the beginning and a full stop at the end."""
    end = "" if text.endswith((".", "?", "…")) else "."
    return f"{text[:1].upper()}{text[1:]}{end}"


def nearest(name: str, known: Iterable[str], likeness: float = 0.5) -> str | None:
    """The known name that was probably meant by `name`, or None. `likeness` is from 0 to 1, where
    1 is the same name."""
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=likeness)), None)


def duration(seconds: float, *, units: int = 1, short: bool = False) -> str:
    """How long something takes or lasts: `40 seconds`, `12 minutes`, `3 hours`, `2 days`.

    With two `units`: `3 hours and 12 minutes`, short `3 h 12 min`.
    """
    left = max(0, int(seconds))
    first = next(at for at, (size, *_) in enumerate(_UNITS) if left >= size or size == 1)
    parts: list[str] = []
    for size, name, sign in _UNITS[first : first + units]:
        number, left = divmod(left, size)
        if number or not parts:
            parts.append(f"{number:,} {sign}" if short and sign else counted(number, name))
    return (" " if short else " and ").join(parts)


def ago(seconds: float, *, short: bool = False) -> str:
    """How long ago that was: `just now`, `5 minutes ago`, `yesterday`, `3 weeks ago`.

    At most 14 characters, and 13 where it is short.
    """
    days = int(seconds // DAY)
    if seconds < MINUTE:
        return "just now"
    if days < 1:
        return f"{duration(seconds, short=short)} ago"
    if days < 2:
        return "yesterday"
    if days < 14:
        return f"{days} days ago"
    if days < 60:
        return f"{days // 7} weeks ago"
    return f"{days // 30} months ago" if days < 365 else f"{counted(days // 365, 'year')} ago"


def size_of(count: float) -> str:
    """So many bytes: `0 B`, `999 B`, `1.5 kB`, `12 MB`. A kB is 1000 bytes."""
    size, unit = float(int(count)), "B"
    for larger in _SIZES:
        if size < 999.5:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 9.95 else f"{size:.1f} {unit}"


def date_time(at: float, zone: tzinfo | None = UTC) -> str:
    """A Unix time to the minute, `2026-01-31 17:05`; without a `zone` by the host's clock."""
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M")


def iso_time(at: float | None) -> str | None:
    """A Unix time for programs, ISO 8601 in UTC: `2026-01-31T17:05:09Z`. None stays None."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
