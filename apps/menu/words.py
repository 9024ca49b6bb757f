"""What the menu says on a screen and in lines: who is where, and the order of the apps."""

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


def in_order(session: Session) -> list[AppCard]:
    """The apps by group, in each as their `order` says, broken ones at the end. An app has the same
    place at every visit, and so the same number."""
    cards = session.host.apps(session.account)
    first: dict[str, int] = {}
    for card in cards:
        first[card.group] = min(card.order, first.get(card.group, card.order))

    def place(card: AppCard) -> tuple[bool, int, str, int, str]:
        return card.broken is not None, first[card.group], card.group, card.order, card.name

    return sorted(cards, key=place)
