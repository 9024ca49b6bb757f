"""The menu line by line: for screen readers, dumb terminals and scripts."""

from __future__ import annotations

from collections.abc import Sequence

from tuihost import AppCard, Disconnected, Launch, Presence, Session, clean
from tuihost.widgets import filter_items

from .order import in_order
from .people import places, shown_name, what_they_do
from .words import OUT_OF_ORDER, how_many

QUESTION = "Type a number or a name, ? for help, q to leave: "
HELP = """\
A number or a name opens an app; the first letters of a name are enough.
l lists the apps again.
w shows who is here.
q leaves, and so does the end of input."""
FAMILIAR = {"help": "?", "exit": "q", "quit": "q", "logout": "q", "ls": "l", "who": "w"}
"""Words that people know from elsewhere, and the letters for them. An app of that name comes
first."""
OFFERED = 4
"""How many names are offered if several could be meant."""
MAX_DIGITS = 9  # of the number of an app


async def converse(session: Session, motd: str) -> int | Launch:
    """Asks until the person chooses an app or leaves. The end of input leaves, too."""
    cards = in_order(session)
    try:
        await session.say(_greeting(session, cards, motd))
        while True:
            answer = (await session.ask(QUESTION)).strip()
            found = meant(answer, cards)
            match found:
                case "q":
                    await session.say(f"Goodbye, {clean(session.user, limit=40)}. Come back soon.")
                    return 0
                case [AppCard(broken=None) as card]:
                    return Launch(card.name)
                case _:
                    await session.say(_reply(session, answer, found, cards))
    except Disconnected:
        return 0


def meant(answer: str, cards: Sequence[AppCard]) -> str | list[AppCard]:
    """One of the letters `?`, `l`, `w`, `q`, or the apps that could be meant: by number, by the
    whole name, by its beginning, or by a few letters, whichever finds any first."""
    if answer.isdecimal() and answer.isascii():
        number = int(answer) if len(answer) <= MAX_DIGITS else 0
        return list(cards[number - 1 : number]) if number else []
    word = answer.casefold()
    if not word:
        return []
    names = [(card, (card.name, card.title.casefold())) for card in cards]
    exact = [card for card, both in names if word in both]
    if exact:
        return exact
    word = FAMILIAR.get(word, word)
    if word in ("?", "l", "w", "q"):
        return word
    begin = [card for card, both in names if any(name.startswith(word) for name in both)]
    return begin or [card for card, _ in filter_items(answer, cards, lambda card: card.title)]


def listing(cards: Sequence[AppCard], *, brief: bool = False) -> str:
    """The apps with their numbers, one a line. `brief` leaves out what they are for."""
    if not cards:
        return "No apps are installed here yet."
    return "\n".join(
        f"{number}. {_entry(card, brief)}" for number, card in enumerate(cards, start=1)
    )


def _entry(card: AppCard, brief: bool) -> str:
    title = clean(card.title)
    if card.broken is not None:
        return f"{title} ({OUT_OF_ORDER})"
    return title if brief or not card.description else f"{title}: {clean(card.description)}"


def _greeting(session: Session, cards: Sequence[AppCard], motd: str) -> str:
    """Everything on arrival. After an app only the names, since the rest has been read out."""
    if session.memory.get("greeted"):
        return listing(cards, brief=True)
    session.memory["greeted"] = True
    name = clean(session.user, limit=40)
    welcome = f"Welcome to {clean(session.host.name)}, {name}."
    around = how_many(len(session.host.people()))
    parts = [f"{welcome} {around}", clean(motd, lines=True), listing(cards)]
    return "\n".join(part for part in parts if part)


def _reply(
    session: Session, answer: str, found: str | list[AppCard], cards: Sequence[AppCard]
) -> str:
    """The reply to an answer that does not open an app."""
    match found:
        case "?":
            return HELP
        case "l":
            return listing(cards)
        case "w":
            return _people(session, session.host.people(), cards)
        case [AppCard() as card]:
            return f"{clean(card.title)} is {OUT_OF_ORDER}: {clean(card.broken or '')}"
        case [*several] if several:
            titles = [clean(card.title) for card in several[:OFFERED]]
            return f"Which one: {', '.join(titles[:-1])} or {titles[-1]}?"
    hint = f"A number from 1 to {len(cards)} opens an app." if len(cards) > 1 else listing(cards)
    return f"Nothing here is called {clean(answer, limit=30)}. {hint}" if answer else hint


def _people(session: Session, people: Sequence[Presence], cards: Sequence[AppCard]) -> str:
    known, now = places(session, cards), session.host.now()
    return "\n".join(
        f"{clean(shown_name(person, session), limit=60)}: {what_they_do(person, known, now)}"
        for person in people
    )
