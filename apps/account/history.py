"""Who logged in as this person, and who tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuihost import OwnAccount, Session, ago, date_time
from tuihost.widgets import Column, Table, glyph

from .words import factors_in_words

SHOWN = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """One login, or one try. `at` is a Unix time."""

    at: float
    address: str
    factors: tuple[str, ...]
    fingerprint: str | None
    success: bool

    @property
    def outcome(self) -> str:
        return "logged in" if self.success else "failed"


def entries(own: OwnAccount, limit: int = SHOWN) -> list[Entry]:
    """The latest first."""
    return [
        Entry(one.at, one.address, one.factors, one.fingerprint, one.success)
        for one in own.history(limit)
    ]


def table(session: Session, shown: Sequence[Entry]) -> Table[Entry]:
    """The most telling columns first: a narrow window leaves out the last ones."""
    now = session.host.now()
    marks = {True: glyph(session, "check"), False: glyph(session, "cross")}
    return Table(
        session,
        [
            Column(
                "When",
                13,
                value=lambda one: ago(now - one.at, short=True),
                order=lambda one: -one.at,
            ),
            Column("", 9, value=lambda one: f"{marks[one.success]} {one.outcome}", sortable=False),
            Column("From", 16, value=lambda one: one.address),
            Column("With", flex=1, value=lambda one: factors_in_words(one.factors)),
            Column("Time (UTC)", 16, style="class:muted", value=lambda one: date_time(one.at)),
        ],
        shown,
        empty="There are no logins to show yet.",
    )
