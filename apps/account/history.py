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
    """One login, or one attempt. `at` is a Unix time."""

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
        Entry(login.at, login.address, login.factors, login.fingerprint, login.success)
        for login in own.history(limit)
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
                value=lambda entry: ago(now - entry.at, short=True),
                order=lambda entry: -entry.at,
            ),
            Column(
                "",
                11,
                value=lambda entry: f"{marks[entry.success]} {entry.outcome}",
                sortable=False,
            ),
            Column("From", 16, value=lambda entry: entry.address),
            Column("With", flex=1, value=lambda entry: factors_in_words(entry.factors)),
            Column("Time (UTC)", 16, style="class:muted", value=lambda entry: date_time(entry.at)),
        ],
        shown,
        empty="There are no logins to show yet.",
    )
