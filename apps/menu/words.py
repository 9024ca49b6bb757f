"""What the menu says of people and of apps, on a screen and in lines."""

from __future__ import annotations

from collections.abc import Iterable

from tuihost import AppCard, Presence, Session, ago, clean

OUT_OF_ORDER = "out of order"


def last_used(session: Session, card: AppCard) -> str:
    """When this person last opened the app; empty if they never did."""
    return ago(session.host.now() - card.last_used, short=True) if card.last_used else ""


def people_in(people: Iterable[Presence], app: str) -> tuple[str, ...]:
    """The names of the people who are in an app now, each once."""
    return tuple(dict.fromkeys(clean(each.user, limit=20) for each in people if each.app == app))


def how_many(count: int) -> str:
    """`You are the only one here.`, or how many others there are."""
    if count <= 1:
        return "You are the only one here."
    return "One other person is here." if count == 2 else f"{count - 1} other people are here."
