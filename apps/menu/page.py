"""What is shown beside and above the apps if there is room: the chosen app, who is here, and a
greeting."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from tuihost import AppCard, Session, clean
from tuihost.widgets import Fragments, fit, glyph, pad, width_of, wrap

from .people import places, shown_name, what_they_do
from .words import OUT_OF_ORDER, last_used, people_in

PEOPLE, PEOPLED = 6, 30
"""The most people that are named, in windows with at least so many rows."""
COMMANDS = 8
"""The most commands that are named; the rest is counted."""
LINES, LINED = 2, 40
"""The most lines on what a command does, in windows with at least so many rows."""
APPS = 100
"""Columns of the apps, in windows that have more for the page beside them."""
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
        """How wide the page is, with its margin. The apps beside it need no more than `APPS`."""
        columns = self.session.terminal.size.columns
        return max(38, min(columns * 2 // 5, 72), min(columns - APPS, 100))

    def row_count(self) -> int:
        """Asked once a frame: the page is made anew here if something has changed."""
        card = self._card()
        if card is None:
            return 0
        session = self.session
        used, people = last_used(session, card), self._people()
        here = people_in(session.host.people(), card.name)
        look = (self.columns(), self._lines, session.theme.name, session.terminal.unicode)
        made_of = (card, here, used, people, look)
        if made_of != self._made_of:
            self._made_of = made_of
            self._rows = self._broken(card) if card.broken else self._works(card, used, people)
        return len(self._rows)

    def row_key(self, index: int) -> Hashable:
        return (index, self._made_of)

    def row(self, index: int, width: int) -> Fragments:
        return self._rows[index]

    def _works(
        self, card: AppCard, used: str, people: tuple[tuple[str, str], ...]
    ) -> list[Fragments]:
        rows = self._head(card)
        here = people_in(self.session.host.people(), card.name)
        rows += self._fact("Last used", used or "never")
        rows += self._fact("In it now", ", ".join(here) or "nobody")
        rows += [[], [("class:heading", "From your shell")]]
        target = clean(self.session.ssh_target)
        rows += self._words("class:text", f"ssh -t {target} {card.name}")
        if card.commands:
            rows += self._words("class:text", f"ssh {target} {card.name} …")
        rows += self._commands(card)
        if people:
            rows += [[], [("class:heading", "Here now")]]
            rows += self._pairs(people, "class:text")
        return rows

    def _commands(self, card: AppCard) -> list[Fragments]:
        """The commands, each with what it does."""
        others = self.session.other_apps
        known = others.apps().get(card.name, ()) if others is not None else ()
        about = {each.name: each.help for each in known}
        shown = [(clean(name), clean(about.get(name, ""))) for name in card.commands[:COMMANDS]]
        rows = self._pairs(shown, "class:accent", self._lines)
        if len(card.commands) > COMMANDS:
            rows.append([("class:muted", f"  and {len(card.commands) - COMMANDS} more")])
        return rows

    def _pairs(
        self, pairs: Sequence[tuple[str, str]], style: str, most: int = 1
    ) -> list[Fragments]:
        """A name in a row, and beside it what is said of it, in `most` lines at most."""
        width = min(max((width_of(name) for name, _ in pairs), default=0), self._room // 2)
        ellipsis = glyph(self.session, "ellipsis")
        room = max(1, self._room - width - 4)
        rows: list[Fragments] = []
        for name, text in pairs:
            lines = wrap(text, room)
            if len(lines) > most:
                lines[most - 1 :] = [fit(" ".join(lines[most - 1 :]), room, ellipsis)]
            rows += [
                [
                    (style, "  " + pad("" if number else name, width, ellipsis) + "  "),
                    ("class:muted", line),
                ]
                for number, line in enumerate(lines)
            ]
        return rows

    def _people(self) -> tuple[tuple[str, str], ...]:
        """Who is here, and what they do, if the window is high enough for them."""
        session = self.session
        if session.terminal.size.rows < PEOPLED:
            return ()
        now = session.host.now()
        known = places(session, session.host.apps(session.account))
        return tuple(
            (clean(shown_name(person, session)), what_they_do(person, known, now))
            for person in session.host.people()[:PEOPLE]
        )

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

    @property
    def _lines(self) -> int:
        """How many lines there may be on what a command does."""
        return LINES if self.session.terminal.size.rows >= LINED else 1


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
