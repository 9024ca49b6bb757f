"""Names for what runs on people's own machines: `ssh -R 80:localhost:3000 HOST`.

[app.tunnels]
listen = "0.0.0.0:80"           # where browsers come; none without it
domain = "tunnels.example.org"  # names stand before it; `*.` of it has to lead here
scheme = "https"                # what people's addresses begin with, behind a proxy that does TLS
port = 443                      # and the port in them, where that is another than the one above
"""

from __future__ import annotations

import json as to_json
from typing import TYPE_CHECKING, Any

from rich.table import Table

from tuihost import (
    Accepts,
    App,
    Listening,
    ListenRule,
    Session,
    TuihostError,
    clean,
    command,
    counted,
    size_of,
)

from .book import Book, Tunnel
from .listener import BrowserListener
from .names import NoName
from .where import where_of
from .words import clock

if TYPE_CHECKING:
    from prompt_toolkit.application import Application

PORTS = (80, 443)
HOW = "No tunnel of yours is open. Open one with: ssh -R 80:localhost:3000 HOST"
EMPTY = "Open one: ssh -R 80:localhost:3000 HOST"
CLOSED = "This host has no front door for tunnels: its operator has to open one."


class Tunnels(App):
    """Show the world what runs on your machine: ssh -R 80:localhost:3000 HOST."""

    name = "tunnels"
    title = "Tunnels"
    description = "A web address for what runs on your own machine"
    group = "Everyday"
    icon = "⇄"
    order = 40
    accepts = Accepts(listens=tuple(ListenRule("*", port) for port in PORTS))

    listener: BrowserListener | None = None

    def start(self) -> None:
        self.book = Book()
        where = where_of(self.options)
        self.listener = BrowserListener(where, self.book) if where is not None else None

    def stop(self) -> None:
        if self.listener is not None:
            self.listener.close()

    def url(self, tunnel: Tunnel) -> str:
        """The address of a tunnel, for people."""
        assert self.listener is not None, "without a listener nobody has a tunnel"
        return self.listener.url(tunnel.name)

    def listen(self, listening: Listening) -> None:
        if self.listener is None:
            raise TuihostError(CLOSED)
        try:
            tunnel = self.book.open(listening)
        except NoName as error:
            raise TuihostError(f"no tunnel: {error}") from None
        listening.tell(f"{self.url(tunnel)} leads to you now")

    def build(self, session: Session) -> Application[Any]:
        from .screen import TunnelsScreen

        return TunnelsScreen(
            session, self.book, self.url, CLOSED if self.listener is None else EMPTY
        ).app

    async def talk(self, session: Session) -> int:
        """What is open, as lines."""
        found = self.book.of(session.account)
        for one in found:
            requests = counted(one.total, "request")
            await session.say(f"{self.url(one)} {requests}")
        if not found:
            await session.say(CLOSED if self.listener is None else HOW)
        return 0

    # ------------------------------------------------------------------ commands

    @command
    def list(self, session: Session, *, json: bool = False) -> None:
        """Your tunnels, the oldest first."""
        found = self.book.of(session.account)
        if json:
            session.print(to_json.dumps([self._data(one) for one in found], indent=2))
        elif not found:
            session.print(CLOSED if self.listener is None else HOW)
        else:
            table = Table(box=None, pad_edge=False, header_style="table.header")
            for title in ("Address", "Requests", "In", "Out"):
                table.add_column(title, justify="left" if title == "Address" else "right")
            for one in found:
                row = (self.url(one), str(one.total), size_of(one.received), size_of(one.sent))
                table.add_row(*row)
            session.print(table)

    @command
    def log(self, session: Session, name: str, *, json: bool = False) -> int:
        """The requests of one of your tunnels, the latest last."""
        tunnel = next((one for one in self.book.of(session.account) if one.name == name), None)
        if tunnel is None:
            session.error(f"No tunnel of yours is called {clean(name, limit=40)}.")
            return 1
        for one in reversed(self.book.log_of(tunnel)):
            if json:
                session.print(to_json.dumps({
                    "at": one.at, "method": one.method, "target": one.target,
                    "status": one.status, "seconds": round(one.seconds, 4),
                    "received": one.received, "sent": one.sent, "origin": one.origin,
                }))  # fmt: skip
            else:
                took = f"{one.seconds * 1000:.0f} ms"
                what = f"{one.method} {clean(one.target, limit=500)}"
                session.print(f"{clock(one.at)}  {one.status or '-':>3}  {took:>8}  {what}")
        return 0

    def _data(self, one: Tunnel) -> dict[str, Any]:
        return {
            "name": one.name,
            "url": self.url(one),
            "opened": one.opened,
            "connections": one.connections,
            "requests": one.total,
            "received": one.received,
            "sent": one.sent,
        }
