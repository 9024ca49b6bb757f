"""The menu: the first thing that people see, and what every app leads back to."""

from __future__ import annotations

from typing import Any

from prompt_toolkit.application import Application

from tuihost import App, Launch, Session

from .lines import converse
from .screen import MenuScreen


class Menu(App):
    """Choose what to open."""

    name = "menu"
    title = "Menu"
    known_options = {"title": str, "motd": str}
    hidden = True

    def build(self, session: Session) -> Application[Any]:
        return MenuScreen(session, self._heading, self._motd).application()

    async def talk(self, session: Session) -> int | Launch:
        return await converse(session, self._motd)

    @property
    def _heading(self) -> str:
        return str(self.options.get("title") or self.title)

    @property
    def _motd(self) -> str:
        """The operator's message for everybody."""
        return str(self.options.get("motd") or "").strip()


app = Menu()
