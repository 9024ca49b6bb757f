"""Who is here: name, app, since when, and how long without a key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tuihost import AppCard, Presence, Session, clean, duration
from tuihost.widgets import Dialog, Keymap, ListView

NEW, IDLE = 60, 300
"""Seconds for which somebody counts as just arrived; seconds without a key until they are away."""


def people_dialog(session: Session, cards: Iterable[AppCard]) -> Dialog[Any]:
    """Everybody, those who came first at the top."""
    known = places(session, cards)
    keys = Keymap(group="People")
    people = session.host.people()
    view: ListView[Presence] = ListView(
        session,
        people,
        label=_name,
        description=lambda one: what_they_do(one, known, session.host.now()),
        key=lambda one: one.id,
        filterable=False,
        empty="Nobody is here.",
    )
    title = f"{len(people)} here" if len(people) > 1 else "Only you are here"
    dialog: Dialog[Any] = Dialog(session, title, view, focus=view.window, width=64, keys=keys)

    @keys.add("enter", "q", "w", "@", label="close", rank=20)
    def _close(event: Any) -> None:
        dialog.close(None)

    return dialog


def places(session: Session, cards: Iterable[AppCard]) -> dict[str, str]:
    """The titles of the apps that this person may see, and of the menu itself."""
    return {session.app: "the menu", **{card.name: clean(card.title, limit=24) for card in cards}}


def what_they_do(one: Presence, known: dict[str, str], now: float) -> str:
    """`in Notes, here 12 min`, and `, idle 6 min` if they are away. An app that not everybody may
    see is not named."""
    text = f"in {known[one.app]}, " if one.app in known else "elsewhere, "
    here, idle = now - one.since, now - one.touched
    text += f"here {duration(here, short=True)}" if here >= NEW else "just came"
    if idle >= IDLE:
        text += f", idle {duration(idle, short=True)}"
    return text


def _name(one: Presence) -> str:
    return f"{one.user} (guest)" if one.guest else one.user
