"""What is shown beside and above the apps if there is room: the chosen app, and a greeting."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from tuihost import AppCard, Session, clean
from tuihost.widgets import Fragments, fit, glyph, wrap

from .words import OUT_OF_ORDER, last_used, people_in

COMMANDS = 8
"""The most commands that are named; the rest is counted."""
GREETING_ROWS = 3
"""The most rows of the operator's message."""
_LABEL = 11


class AppPage:
    """Rows for a `RowWindow`: what the app is, who is in it, how to reach it from a shell."""

    def __init__(self, session: Session, card: Callable[[], AppCard | None]) -> None:
        self.session = session
        self._card = card
        self._rows: list[Fragments] = []
        self._made_of: Hashable = None

    def columns(self) -> int:
        """How wide the page is, with its margin."""
        return max(38, min(72, self.session.terminal.size.columns * 2 // 5))

    def row_count(self) -> int:
        """Asked once a frame: the page is made anew here if something has changed."""
        card = self._card()
        if card is None:
            return 0
        session = self.session
        here = people_in(session.host.people(), card.name)
        used = last_used(session, card)
        made_of = (card, here, used, self.columns(), session.theme.name, session.terminal.unicode)
        if made_of != self._made_of:
            self._made_of = made_of
            self._rows = self._broken(card) if card.broken else self._works(card, here, used)
        return len(self._rows)

    def row_key(self, index: int) -> Hashable:
        return (index, self._made_of)

    def row(self, index: int, width: int) -> Fragments:
        return self._rows[index]

    def _works(self, card: AppCard, here: tuple[str, ...], used: str) -> list[Fragments]:
        rows = self._head(card)
        rows += self._fact("Last used", used or "never")
        rows += self._fact("In it now", ", ".join(here) or "nobody")
        rows += [[], [("class:heading", "From your shell")]]
        rows.append([("class:text", fit(f"ssh -t host {card.name}", self._room))])
        for name in card.commands[:COMMANDS]:
            rows.append([("class:text", f"ssh host {card.name} "), ("class:accent", fit(name, 24))])
        if len(card.commands) > COMMANDS:
            rows.append([("class:muted", f"and {len(card.commands) - COMMANDS} more")])
        return rows

    def _broken(self, card: AppCard) -> list[Fragments]:
        rows = self._head(card)
        rows += self._words("class:warning", f"{glyph(self.session, 'warn')} {OUT_OF_ORDER}")
        rows += self._words("class:text", card.broken or "")
        return [
            *rows,
            [],
            *self._words("class:muted", "The operator finds more in the host's log."),
        ]

    def _head(self, card: AppCard) -> list[Fragments]:
        rows: list[Fragments] = [[], [("class:title", fit(card.title, self._room))]]
        return [*rows, *self._words("class:muted", card.description), []]

    def _fact(self, label: str, text: str) -> list[Fragments]:
        lines = wrap(text, self._room - _LABEL)
        labels = [label, *[""] * (len(lines) - 1)]
        return [
            [("class:muted", f"{label:<{_LABEL}}"), ("class:text", line)]
            for label, line in zip(labels, lines, strict=True)
        ]

    def _words(self, style: str, text: str) -> list[Fragments]:
        return [[(style, line)] for line in wrap(clean(text), self._room)] if text else []

    @property
    def _room(self) -> int:
        return self.columns() - 2


class Greeting:
    """Rows for a `RowWindow`: the operator's message, wrapped, with a blank row below it."""

    def __init__(self, session: Session, text: str) -> None:
        self.session = session
        self.text = text

    def _lines(self) -> list[str]:
        width = max(8, self.session.terminal.size.columns - 4)
        return [*wrap(self.text, width)[:GREETING_ROWS], ""]

    def row_count(self) -> int:
        return len(self._lines())

    def row_key(self, index: int) -> Hashable:
        return (index, self.text, self.session.terminal.size.columns)

    def row(self, index: int, width: int) -> Fragments:
        return [("class:quote", f"  {self._lines()[index]}")]
