"""Times, sizes and counts are said in one way, and no rounding says `60 minutes` or `1000 kB`."""

from __future__ import annotations

import re
from datetime import timedelta, timezone

import pytest

from tuihost import ago, counted, date_time, duration, iso_time, size_of
from tuihost.phrases import as_sentence, nearest

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 notes"), (1, "1 note"), (2, "2 notes"), (1001, "1,001 notes")]
)
def test_a_noun_follows_its_number(number: int, said: str) -> None:
    assert counted(number, "note") == said


def test_a_plural_can_be_irregular() -> None:
    assert counted(1, "entry", "entries") == "1 entry"
    assert counted(0, "entry", "entries") == "0 entries"


def test_a_reason_is_read_as_a_sentence() -> None:
    assert as_sentence("that takes too long here") == "That takes too long here."
    assert as_sentence("There is no room. Try again.") == "There is no room. Try again."


@pytest.mark.parametrize(
    ("seconds", "said", "short"),
    [
        (-5, "0 seconds", "0 s"),
        (0.9, "0 seconds", "0 s"),
        (1, "1 second", "1 s"),
        (59.99, "59 seconds", "59 s"),
        (MINUTE, "1 minute", "1 min"),
        (119, "1 minute", "1 min"),
        (12 * MINUTE, "12 minutes", "12 min"),
        (HOUR - 0.01, "59 minutes", "59 min"),
        (HOUR, "1 hour", "1 h"),
        (DAY - 0.01, "23 hours", "23 h"),
        (DAY, "1 day", "1 day"),
        (2 * DAY - 1, "1 day", "1 day"),
        (400 * DAY, "400 days", "400 days"),
        (12_000 * DAY, "12,000 days", "12,000 days"),
    ],
)
def test_a_duration_has_the_largest_unit_that_fits(seconds: float, said: str, short: str) -> None:
    assert duration(seconds) == said
    assert duration(seconds, short=True) == short


@pytest.mark.parametrize(
    ("seconds", "said", "short"),
    [
        (59, "59 seconds", "59 s"),
        (61, "1 minute and 1 second", "1 min 1 s"),
        (HOUR - 1, "59 minutes and 59 seconds", "59 min 59 s"),
        (HOUR + 59, "1 hour", "1 h"),
        (3 * HOUR + 12 * MINUTE, "3 hours and 12 minutes", "3 h 12 min"),
        (DAY - 1, "23 hours and 59 minutes", "23 h 59 min"),
        (DAY + 59 * MINUTE, "1 day", "1 day"),
        (2 * DAY + 5 * HOUR, "2 days and 5 hours", "2 days 5 h"),
    ],
)
def test_a_duration_in_two_units_has_the_next_one_too(
    seconds: float, said: str, short: str
) -> None:
    assert duration(seconds, units=2) == said
    assert duration(seconds, units=2, short=True) == short


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-100, "just now"),
        (59.9, "just now"),
        (MINUTE, "1 minute ago"),
        (HOUR - 1, "59 minutes ago"),
        (2 * HOUR, "2 hours ago"),
        (DAY - 1, "23 hours ago"),
        (DAY, "yesterday"),
        (2 * DAY - 1, "yesterday"),
        (2 * DAY, "2 days ago"),
        (14 * DAY - 1, "13 days ago"),
        (14 * DAY, "2 weeks ago"),
        (60 * DAY - 1, "8 weeks ago"),
        (60 * DAY, "2 months ago"),
        (365 * DAY - 1, "12 months ago"),
        (365 * DAY, "1 year ago"),
        (800 * DAY, "2 years ago"),
    ],
)
def test_how_long_ago(seconds: float, said: str) -> None:
    assert ago(seconds) == said
    short = re.sub(r"hours?", "h", re.sub(r"minutes?", "min", said))
    assert ago(seconds, short=True) == short


def test_how_long_ago_fits_its_column() -> None:
    moments = [*range(0, DAY, MINUTE), *range(DAY, 4000 * DAY, DAY)]
    assert max(len(ago(moment)) for moment in moments) == 14
    assert max(len(ago(moment, short=True)) for moment in moments) == 13


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (0.7, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (9_950, "10 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (4_700_000, "4.7 MB"),
        (999_500_000, "1.0 GB"),
        (3 * 2**30, "3.2 GB"),
        (10**13, "10 TB"),
        (10**15, "1.0 PB"),
        (2**63, "9.2 EB"),
    ],
)
def test_sizes_are_decimal(count: float, said: str) -> None:
    assert size_of(count) == said


def test_moments() -> None:
    at = 1_769_879_109.9
    assert date_time(at) == "2026-01-31 17:05"
    assert date_time(at, timezone(timedelta(hours=1))) == "2026-01-31 18:05"
    assert iso_time(at) == "2026-01-31T17:05:09Z"
    assert iso_time(None) is None


def test_the_nearest_name_is_what_was_probably_meant() -> None:
    known = ("start", "stop", "build")
    assert nearest("strat", known) == "start"
    assert nearest("BUILD", known) is None
    assert nearest("biuld", known) == "build"
    assert nearest("strat", known, 0.9) is None
    assert nearest("x", ()) is None
