"""Tunnels on a screen, live: which are open, what goes through, and who asked for what."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from prompt_toolkit.application import Application
from rich.console import Group
from rich.text import Text

from tuihost import Session, clean, counted, qr_lines, size_of
from tuihost.widgets import Column, HSplit, Keymap, RichView, Screen, Table

from .open_tunnels import OpenTunnels, Request, Tunnel
from .words import clock

EVERY = 1.0  # seconds from one look to the next


class TunnelsScreen:
    """One person's tunnels. Thread: the session's."""

    def __init__(
        self, session: Session, tunnels: OpenTunnels, url: Callable[[Tunnel], str], empty: str
    ) -> None:
        self.session = session
        self.open_tunnels = tunnels
        self.url = url
        self.chosen: Tunnel | None = None
        self._before: dict[str, int] = {}
        self._rates: dict[str, float] = {}
        self.tunnels = self._tunnel_table(empty)
        self.requests = self._request_table()
        self.body = HSplit([self.tunnels], key_bindings=self._list_keys().bindings)
        self.log = HSplit([self.requests], key_bindings=self._log_keys().bindings)
        self.screen = Screen(
            session, self._title, self.body, status=self._status, leave=self._leave
        )
        self.look()
        self.app: Application[Any] = self.screen.application(focus=self.tunnels.window)
        self.app.pre_run_callables.append(self._begin)

    def _tunnel_table(self, empty: str) -> Table[Tunnel]:
        return Table(
            self.session,
            [
                Column("Address", value=self.url),
                Column("Now", 5, align="right", value=lambda tunnel: tunnel.connections),
                Column("Requests", 9, align="right", value=lambda tunnel: tunnel.total),
                Column("Rate", 9, align="right", value=self._rate),
                Column("In", 8, align="right", style="class:muted",
                       value=lambda tunnel: size_of(tunnel.received),
                       order=lambda tunnel: tunnel.received),
                Column("Out", 8, align="right", style="class:muted",
                       value=lambda tunnel: size_of(tunnel.sent),
                       order=lambda tunnel: tunnel.sent),
            ],
            key=lambda tunnel: tunnel.name,
            on_open=self._open,
            filterable=False,
            empty=empty,
        )  # fmt: skip

    def _request_table(self) -> Table[Request]:
        return Table(
            self.session,
            [
                Column("Time", 9, style="class:muted", value=lambda request: clock(request.at)),
                Column("", 4, align="right", value=lambda request: request.status or "-"),
                Column("Request", flex=1,
                       value=lambda request: clean(
                           f"{request.method} {request.target}", limit=500)),
                Column("Took", 9, align="right",
                       value=lambda request: f"{request.seconds * 1000:.0f} ms",
                       order=lambda request: request.seconds),
                Column("Out", 8, align="right", style="class:muted",
                       value=lambda request: size_of(request.sent),
                       order=lambda request: request.sent),
                Column("From", 16, style="class:muted", value=lambda request: request.origin),
            ],
            key=id,
            empty="Nobody has asked for anything yet.",
        )  # fmt: skip

    # ------------------------------------------------------------------ how it looks

    def _title(self) -> str:
        return f"Tunnels: {self.chosen.name}" if self.chosen is not None else "Tunnels"

    def _status(self) -> str:
        if self.chosen is not None:
            return counted(self.chosen.total, "request")
        count = len(self.tunnels.items)
        return f"{count} open" if count else ""

    def _rate(self, tunnel: Tunnel) -> str:
        rate = self._rates.get(tunnel.name, 0.0)
        return f"{size_of(rate)}/s" if rate else ""

    def _begin(self) -> None:
        self.app.create_background_task(self._watch())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self.look()
            self.app.invalidate()

    def look(self) -> None:
        """Shows how it is now."""
        found = self.open_tunnels.of(self.session.account)
        now = {tunnel.name: tunnel.received + tunnel.sent for tunnel in found}
        self._rates = {
            name: (count - self._before[name]) / EVERY
            for name, count in now.items()
            if name in self._before
        }
        self._before = now
        self.tunnels.items = found
        if self.chosen is not None:
            self.requests.items = self.open_tunnels.log_of(self.chosen)
            if self.chosen not in found:
                self.screen.toast("That tunnel is closed", kind="warning")
                self._back()

    # ------------------------------------------------------------------ going about

    def _open(self, tunnel: Tunnel) -> None:
        self.chosen = tunnel
        self.requests.items = self.open_tunnels.log_of(tunnel)
        self.screen.show(self.log, focus=self.requests.window)

    def _back(self) -> None:
        """From the requests of a tunnel to the list."""
        self.chosen = None
        self.screen.show(self.body, focus=self.tunnels.window)

    def _leave(self) -> None:
        if self.chosen is not None:
            self._back()
        else:
            self.screen.exit()

    def _closing(self) -> int:
        """How many tunnels close when the person leaves. The host asks them first."""
        return 0 if self.chosen is not None else len(self.session.closes())

    def _show_code(self, tunnel: Tunnel) -> None:
        """The address, and a picture of it for a phone. Back leads to where it was asked for."""
        back = self._back if self.chosen is None else partial(self._open, tunnel)
        self.chosen = tunnel
        url = self.url(tunnel)
        lines = qr_lines(url) or ()
        room = self.session.terminal.size
        fits = len(lines) + 5 <= room.rows and max(map(len, lines), default=0) < room.columns
        code = "\n".join(lines) if fits and self.session.terminal.unicode else ""
        view = RichView(self.session, Group(Text(url, style="bold"), Text(code)))
        keys = self._keys_back(back)
        self.screen.show(HSplit([view], key_bindings=keys.bindings), focus=view.window)

    # ------------------------------------------------------------------ the keys

    def _list_keys(self) -> Keymap:
        keys = Keymap(group="Tunnels")

        @keys.add("escape", "q", "c-c", label="leave, which closes the tunnel", rank=12,
                  when=lambda: self._closing() == 1)  # fmt: skip
        @keys.add("escape", "q", "c-c", label="leave, which closes the tunnels", rank=12,
                  when=lambda: self._closing() > 1)  # fmt: skip
        def _leave(event: Any) -> None:
            self._leave()

        def some() -> bool:
            return self.tunnels.selected is not None

        self._add_keys_of_tunnel(keys, some)
        return keys

    def _add_keys_of_tunnel(self, keys: Keymap, when: Callable[[], bool]) -> None:
        """In the list, and in the requests of a tunnel, where letters are text."""

        @keys.add("c", "f2", label="code", rank=20, when=when)
        def _code(event: Any) -> None:
            if (tunnel := self.chosen or self.tunnels.selected) is not None:
                self._show_code(tunnel)

        @keys.add("y", "f3", label="copy address", rank=21, when=when)
        def _copy(event: Any) -> None:
            if (tunnel := self.chosen or self.tunnels.selected) is not None:
                url = self.url(tunnel)
                if self.session.copy(url):
                    self.screen.toast(f"Copied {url}", kind="success", seconds=2.0)

    def _log_keys(self) -> Keymap:
        keys = self._keys_back(self._back)
        self._add_keys_of_tunnel(keys, lambda: self.chosen is not None)
        return keys

    def _keys_back(self, back: Callable[[], None]) -> Keymap:
        keys = Keymap(group="Tunnel")

        @keys.add("escape", label="back", rank=10)
        def _leave(event: Any) -> None:
            back()

        return keys
