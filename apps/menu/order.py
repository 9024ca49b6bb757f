"""The order of the apps in the menu."""

from __future__ import annotations

from tuihost import AppCard, Session


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
