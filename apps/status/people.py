"""Who is here, as rows for the table and for scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tuihost import Account, HostView, Session, duration
from tuihost.widgets import Column

from .words import AWAY


class Viewer(Protocol):
    """Somebody who looks at the status of the host: a session, or a browser."""

    @property
    def account(self) -> Account: ...

    @property
    def host(self) -> HostView: ...

    @property
    def presence(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class BrowserViewer:
    """Somebody who looks at it in a browser, over a forward."""

    account: Account
    host: HostView
    presence: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is here. `since` is a Unix time, `here` and `idle` are seconds. `address` is
    where they come from; it is empty if the viewer must not know."""

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
    you: bool = False

    @property
    def name(self) -> str:
        if self.you:
            return f"{self.user} (you)"
        return f"{self.user} (guest)" if self.guest else self.user

    @property
    def here_text(self) -> str:
        return duration(self.here, short=True)

    @property
    def idle_text(self) -> str:
        return duration(self.idle, short=True) if self.idle >= AWAY else ""

    @property
    def window(self) -> str:
        return "{}x{}".format(*self.size) if self.size else ""


def people(session: Viewer) -> list[Person]:
    """Everybody, longest first. Guests do not see where the others come from."""
    now = session.host.now()
    titles = {card.name: card.title for card in session.host.apps(session.account)}
    return [
        Person(
            id=person.id,
            user=person.user,
            guest=person.guest,
            app=person.app,
            title=titles.get(person.app, person.app.capitalize()),
            since=person.since,
            here=max(0.0, now - person.since),
            idle=max(0.0, now - person.touched),
            size=person.size,
            address="" if session.account.guest else person.peer.address,
            you=person.id == session.presence,
        )
        for person in session.host.people()
    ]


def columns(session: Session) -> list[Column[Person]]:
    """The most important first: a narrow window leaves out the last ones."""
    shown: list[Column[Person]] = [
        Column("Who", flex=1, value=lambda person: person.name),
        Column("In", 11, value=lambda person: person.title),
        Column("Here", 8, align="right", value=lambda person: person.here_text, order=_here),
        Column("Idle", 8, align="right", value=lambda person: person.idle_text, order=_idle),
        Column("Window", 8, align="right", style="class:muted", value=lambda person: person.window),
    ]
    if not session.account.guest:
        shown.append(Column("From", 16, style="class:muted", value=lambda person: person.address))
    return shown


def _here(person: Person) -> float:
    return person.here


def _idle(person: Person) -> float:
    return person.idle
