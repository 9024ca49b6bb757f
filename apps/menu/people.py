"""Who is here: their name and app, since when, and how long they have not pressed a key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tuihost import AppCard, Presence, Session, clean, duration
from tuihost.widgets import Dialog, Keymap, ListView

NEW, IDLE = 60, 300
"""Somebody is new for so many seconds, and idle after so many without a key."""


def people_dialog(session: Session, cards: Iterable[AppCard]) -> Dialog[Any]:
    """Everybody, longest first."""
    known = places(session, cards)
    keys = Keymap(group="People")
    people = session.host.people()
    view: ListView[Presence] = ListView(
        session,
        people,
        label=lambda person: shown_name(person, session),
        description=lambda person: what_they_do(person, known, session.host.now()),
        key=lambda person: person.id,
        filterable=False,
        empty="Nobody is here.",
    )
    title = f"{len(people)} people are here" if len(people) > 1 else "Only you are here"
    dialog: Dialog[Any] = Dialog(session, title, view, focus=view.window, width=64, keys=keys)

    @keys.add("enter", "q", "c-p", label="close", rank=20)
    def _close(event: Any) -> None:
        dialog.close(None)

    return dialog


def places(session: Session, cards: Iterable[AppCard]) -> dict[str, str]:
    """The titles of the apps that this person can see, by name, and the menu itself."""
    return {session.app: "the menu", **{card.name: clean(card.title, limit=24) for card in cards}}


def what_they_do(person: Presence, known: dict[str, str], now: float) -> str:
    """`in Notes, here 12 min`, and `, idle 6 min` if they are away. An app that the reader cannot
    see is not named."""
    text = f"in {known[person.app]}, " if person.app in known else "elsewhere, "
    here, idle = now - person.since, now - person.touched
    text += f"here {duration(here, short=True)}" if here >= NEW else "just arrived"
    if idle >= IDLE:
        text += f", idle {duration(idle, short=True)}"
    return text


def shown_name(person: Presence, session: Session) -> str:
    """`ada (you)`, or `ada (guest)`."""
    if person.id == session.presence:
        return f"{person.user} (you)"
    return f"{person.user} (guest)" if person.guest else person.user
