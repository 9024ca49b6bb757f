"""Who is here, as rows for the table and for scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tuihost import Account, HostView, Session, duration
from tuihost.widgets import Column

from .words import AWAY


class Onlooker(Protocol):
    """A person who looks, and their host: a session, or one for a browser."""

    @property
    def account(self) -> Account: ...

    @property
    def host(self) -> HostView: ...


@dataclass(frozen=True, slots=True)
class Browser:
    """Somebody who looks over a forward."""

    account: Account
    host: HostView


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is here. `since` is a Unix time, `here` and `idle` are seconds. `address` is
    where they connect from, empty for people who may not see that."""

    id: int
    user: str
    guest: bool
    app: str
    title: str
    since: float
    here: float
    idle: float
    size: tuple[int, int] | None
    address: str = ""

    @property
    def name(self) -> str:
        return f"{self.user} (guest)" if self.guest else self.user

    @property
    def idle_text(self) -> str:
        return duration(self.idle, short=True) if self.idle >= AWAY else ""

    @property
    def window(self) -> str:
        return "{}x{}".format(*self.size) if self.size else ""


def people(session: Onlooker) -> list[Person]:
    """Everybody, longest first. Guests do not learn where the others connect from."""
    now = session.host.now()
    titles = {card.name: card.title for card in session.host.apps(session.account)}
    return [
        Person(
            id=one.id,
            user=one.user,
            guest=one.guest,
            app=one.app,
            title=titles.get(one.app, one.app.capitalize()),
            since=one.since,
            here=max(0.0, now - one.since),
            idle=max(0.0, now - one.touched),
            size=one.size,
            address="" if session.account.guest else one.peer.address,
        )
        for one in session.host.people()
    ]


def columns(session: Session) -> list[Column[Person]]:
    """The most important first, since a narrow window leaves out the last ones."""
    shown: list[Column[Person]] = [
        Column("Who", flex=1, value=lambda one: one.name),
        Column("In", 11, value=lambda one: one.title),
        Column(
            "Here", 8, align="right", value=lambda one: duration(one.here, short=True), order=_here
        ),
        Column("Idle", 8, align="right", value=lambda one: one.idle_text, order=_idle),
        Column("Window", 8, align="right", style="class:muted", value=lambda one: one.window),
    ]
    if not session.account.guest:
        shown.append(Column("From", 16, style="class:muted", value=lambda one: one.address))
    return shown


def _here(one: Person) -> float:
    return one.here


def _idle(one: Person) -> float:
    return one.idle
