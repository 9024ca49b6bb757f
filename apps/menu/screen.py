"""The menu on a screen: apps by group, a filter, and on wide windows the chosen app's page."""

from __future__ import annotations

from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.filters import Condition
from prompt_toolkit.layout.containers import AnyContainer, ConditionalContainer, Window

from tuihost import AppCard, Launch, Session, clean
from tuihost.widgets import (
    Fragments,
    HSplit,
    Keymap,
    ListView,
    RowWindow,
    Screen,
    SideBySide,
    VSplit,
    choose_theme,
    fit,
    glyph,
)

from .order import in_order
from .page import AppPage, Greeting
from .people import people_dialog
from .words import OUT_OF_ORDER, last_used

GAP = 3
"""Columns between the apps and the page on the chosen one."""
HEADED = 14
"""The fewest rows at which the groups have headings."""
GREETED = 18
"""The fewest rows at which the operator's message is shown."""
SPELLED = 78
"""The fewest columns at which the line of keys says in full how to come back."""


class CardList(ListView[AppCard]):
    """The apps, under quiet headings; those that are out of order are muted."""

    def row(self, index: int, width: int) -> Fragments:
        fragments = super().row(index, width)
        card = self.entries[index] if self.entries else None
        if card is None:
            return [(style.replace("heading", "muted bold"), text) for style, text, *_ in fragments]
        if card.broken is not None:
            return [(style.replace("text", "muted"), text) for style, text, *_ in fragments]
        return fragments

    def count_text(self) -> str:
        return f"{super().count_text()} {'app' if len(self.items) == 1 else 'apps'}"


class MenuScreen:
    """One person's menu. It ends with the `Launch` of what they chose, or with 0 if they leave."""

    def __init__(self, session: Session, title: str, motd: str) -> None:
        self.session = session
        self.cards = in_order(session)
        self._leaving = False
        self._headed = self._has_headings()
        self.view = CardList(
            session,
            self.cards,
            label=lambda card: card.title,
            description=lambda card: card.description,
            icon=self._icon,
            note=self._note,
            section=self._section,
            key=lambda card: card.name,
            on_open=self.open,
            number_keys=True,
            empty="No apps are installed here yet.",
        )
        self._come_back()
        self.screen = Screen(
            session,
            title,
            self._body(motd),
            keys=self._keys(),
            leave=self.leave,
            min_size=(24, 6),
        )

    def application(self) -> Application[Any]:
        """A fresh Application."""
        application = self.screen.application(focus=self.view.window)
        application.before_render += lambda _: self._fit()
        application.after_render += self._say_goodbye
        return application

    # ------------------------------------------------------------------ leaving and coming back

    def open(self, card: AppCard) -> None:
        """Opens an app, or says why that is not possible."""
        if card.broken is not None:
            self.screen.toast(f"{card.title} is {OUT_OF_ORDER}: {card.broken}", "warning", 5.0)
            return
        self.session.memory["chosen"] = card.name
        self.screen.exit(Launch(card.name))

    def leave(self) -> None:
        self._leaving = True
        self.screen.exit(0)

    def _come_back(self) -> None:
        """The choice is as it was when the person opened an app. The filter has done its work: it
        begins anew, for the name of the next app."""
        self.view.select(self.session.memory.get("chosen"))

    def _say_goodbye(self, application: Application[Any]) -> None:
        """Says goodbye in the person's own shell, after the last frame."""
        if self._leaving and application.is_done:
            name = clean(self.session.user, limit=40)
            application.output.write(f"Goodbye, {name}. Come back soon.\r\n")
            application.output.flush()

    # ------------------------------------------------------------------ what is shown

    def _body(self, motd: str) -> AnyContainer:
        page = AppPage(self.session, lambda: self.view.selected)
        beside = VSplit([Window(width=GAP), RowWindow(page, focusable=False)])
        parts = SideBySide(self.session, self.view, beside, width=lambda: page.columns() + GAP)
        if not motd:
            return parts
        greeting = Greeting(self.session, motd)
        above = RowWindow(greeting, height=greeting.row_count, focusable=False)
        roomy = Condition(lambda: self.session.terminal.size.rows >= GREETED)
        return HSplit([ConditionalContainer(above, filter=roomy), parts])

    def _icon(self, card: AppCard) -> str:
        if card.broken is not None:
            return glyph(self.session, "warn")
        return fit(card.icon, 2, "") if self.session.terminal.unicode else ""

    def _note(self, card: AppCard) -> str:
        if card.broken is None:
            return last_used(self.session, card)
        return "" if self._headed and not self.view.filter.text else OUT_OF_ORDER

    def _section(self, card: AppCard) -> str:
        if not self._headed:
            return ""
        return OUT_OF_ORDER.capitalize() if card.broken is not None else card.group

    def _has_headings(self) -> bool:
        several = len({(card.group, card.broken is None) for card in self.cards}) > 1
        return several and self.session.terminal.size.rows >= HEADED

    def _fit(self) -> None:
        """Headings come and go with the height of the window."""
        if self._headed != self._has_headings():
            self._headed = self._has_headings()
            self.view.refresh()

    # ------------------------------------------------------------------ keys

    def _keys(self) -> Keymap:
        keys = Keymap(group="Menu")
        self._show_the_way_back(keys)

        @keys.add("c-t", label="theme", rank=50)
        async def _theme(event: Any) -> None:
            await self.choose_theme()

        @keys.add("c-p", label="people", rank=55)
        async def _who(event: Any) -> None:
            await self.screen.open(people_dialog(self.session, self.cards))

        if any(card.name == "shell" and card.broken is None for card in self.cards):

            @keys.add(":", label="shell", rank=45, before_typing=True)
            def _shell(event: Any) -> None:
                self.open(next(card for card in self.cards if card.name == "shell"))

        return keys

    def _show_the_way_back(self, keys: Keymap) -> None:
        """The host takes this key itself, in every app. It is bound here so that people find it in
        the line of keys and in the help."""
        label = self.session.host.escape_label
        key = f"c-{label[1:].lower()}" if label.startswith("^") else label.lower()

        def roomy() -> bool:
            return self.session.terminal.size.columns >= SPELLED

        @keys.add(key, label="back here from any app", name=label, rank=30, when=roomy)
        @keys.add(key, label="back here", name=label, rank=30, when=lambda: not roomy())
        def _here(event: Any) -> None:
            self.screen.toast("You are in the menu already")

    async def choose_theme(self) -> None:
        """Lets the person choose a theme."""
        if theme := await choose_theme(self.screen):
            self.screen.toast(f"{theme.title} it is", "success")
