"""The two pages on a screen: the host, and the terminal that looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prompt_toolkit.application import Application, get_app
from rich.console import Group

from tuihost import Session
from tuihost.widgets import Keymap, RichView, Screen

from .identity import Address, host_keys
from .page import page
from .sections import sections
from .terminal_card import card

TITLES = ("About this host", "Your terminal")


class AboutScreen:
    """One person's view. The page and the place on it are remembered for their visit."""

    def __init__(self, session: Session, options: Mapping[str, Any]) -> None:
        self.session = session
        self._address = Address.of(session, options)
        content = sections(session, options)
        self.views = (
            RichView(session, lambda width: page(content, width), place="host"),
            RichView(session, self._card, place="terminal"),
        )
        self.number: int = session.memory.get("page", 0)
        self._size = session.terminal.size
        self.screen = Screen(
            session,
            lambda: TITLES[self.number],
            self.views[self.number],
            keys=self._keys(),
            status=lambda: self.views[self.number].position_text(),
        )

    def application(self) -> Application[Any]:
        application = self.screen.application(focus=self.views[self.number].window)
        application.before_render += lambda _: self._measure()
        return application

    def turn(self, number: int) -> None:
        """Turns to a page."""
        self.number = self.session.memory["page"] = number
        self.screen.show(self.views[number], focus=self.views[number].window)

    def _card(self, width: int) -> Group:
        return card(self.session, self._address, width)

    def _measure(self) -> None:
        """The card also shows the height of the window, which a page is not redrawn for."""
        if self.session.terminal.size != self._size:
            self._size = self.session.terminal.size
            self.views[1].update(self._card)

    # ------------------------------------------------------------------ keys

    def _keys(self) -> Keymap:
        keys = Keymap(group="About")

        @keys.add("1", label="this host", rank=5, when=lambda: self.number != 0)
        def _host(event: Any) -> None:
            self.turn(0)

        @keys.add("2", label="your terminal", rank=5, when=lambda: self.number != 1)
        def _terminal(event: Any) -> None:
            self.turn(1)

        @keys.add("left", "right", "tab", label="the other page", show=False)
        def _other(event: Any) -> None:
            self.turn(1 - self.number)

        @keys.add("y", label="copy host key", rank=30)
        async def _copy(event: Any) -> None:
            await self.copy_keys()

        return keys

    async def copy_keys(self) -> None:
        """Puts the lines for `known_hosts` on the clipboard, and shows them, since a terminal does
        not say whether it takes them."""
        lines = [key.line for key in host_keys(self.session, self._address)]
        asked = bool(lines) and self.session.copy("\n".join(lines) + "\n")
        command = self._address.ssh("about", "fingerprints", "--known-hosts")
        outcome = (
            "Your terminal was asked to copy this. It belongs in your ~/.ssh/known_hosts:"
            if asked
            else "Your terminal cannot copy this. It belongs in your ~/.ssh/known_hosts:"
        )
        text = "\n".join([outcome, "", *lines, "", f"The same from your shell: {command}"])
        get_app().invalidate()
        await self.screen.message("Host key", text)
