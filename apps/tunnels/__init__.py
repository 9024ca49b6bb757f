"""Names for what runs on people's own machines: `ssh -R 80:localhost:3000 HOST`.

[app.tunnels]
listen = "0.0.0.0:80"           # where browsers come; none without it
domain = "tunnels.example.org"  # names stand before it; `*.` of it has to lead here
scheme = "https"                # what people's addresses begin with, behind a proxy that does TLS
port = 443                      # and the port in them, where that is another than the one above
"""

from __future__ import annotations

import json as to_json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.table import Table

from tuihost import (
    Accepts,
    App,
    AppLoadError,
    Listening,
    ListenRule,
    Session,
    TuihostError,
    clean,
    command,
    counted,
    iso_time,
    size_of,
)

from .listener import BrowserListener, why_not_here
from .names import NoName
from .open_tunnels import KEPT_TEXT, OpenTunnels, Request, Tunnel
from .web_front import web_front_of
from .words import clock

if TYPE_CHECKING:
    from prompt_toolkit.application import Application

PORTS = (80, 443)
HOW = "No tunnel of yours is open. Open one with: ssh -R 80:localhost:3000 {}"
EMPTY = "Open one: ssh -R 80:localhost:3000 {}"
CLOSED = "No tunnels here yet: the host's operator has to set an address for browsers first."


class Tunnels(App):
    """Show the world what runs on your machine: ssh -R 80:localhost:3000 HOST."""

    name = "tunnels"
    title = "Tunnels"
    description = "A web address for what runs on your own machine"
    group = "Everyday"
    icon = "⇄"
    order = 40
    accepts = Accepts(listens=tuple(ListenRule("*", port) for port in PORTS))
    known_options = {"listen": str, "domain": str, "scheme": str, "port": int}
    default_command = "list"

    listener: BrowserListener | None = None

    def start(self) -> None:
        self.tunnels = OpenTunnels()
        front = web_front_of(self.options)
        self.listener = BrowserListener(front, self.tunnels) if front is not None else None

    def option_mistakes(self, options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for name, value in options.items():
            try:
                front = web_front_of({"listen": "127.0.0.1:0", name: value})
            except AppLoadError as error:
                yield name, str(error)
                continue
            if front is not None and (reason := why_not_here(front.listen)) is not None:
                yield name, f"cannot listen on {front.listen}: {reason}"

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
            tunnel = self.tunnels.open(listening)
        except NoName as error:
            raise TuihostError(f"No tunnel: {error}.") from None
        listening.reached_at(self.url(tunnel))
        listening.tell(f"{self.url(tunnel)} leads to you now")

    def build(self, session: Session) -> Application[Any]:
        from .screen import TunnelsScreen

        return TunnelsScreen(session, self.tunnels, self.url, self._hint(session, EMPTY)).app

    async def talk(self, session: Session) -> int:
        """What is open, as lines."""
        found = self.tunnels.of(session.account)
        for tunnel in found:
            requests = counted(tunnel.total, "request")
            await session.say(f"{self.url(tunnel)} {requests}")
        if not found:
            await session.say(self._hint(session, HOW))
        return 0

    def _hint(self, session: Session, how: str) -> str:
        return CLOSED if self.listener is None else how.format(session.ssh_target)

    # ------------------------------------------------------------------ commands

    @command
    def list(self, session: Session, *, json: bool = False) -> None:
        """List your tunnels, oldest first."""
        found = self.tunnels.of(session.account)
        if json:
            session.print(to_json.dumps([self._data(tunnel) for tunnel in found], indent=2))
        elif not found:
            session.print(self._hint(session, HOW))
        else:
            table = Table(box=None, pad_edge=False, header_style="table.header")
            for title in ("Address", "Requests", "In", "Out"):
                table.add_column(title, justify="left" if title == "Address" else "right")
            for tunnel in found:
                table.add_row(
                    self.url(tunnel),
                    str(tunnel.total),
                    size_of(tunnel.received),
                    size_of(tunnel.sent),
                )
            session.print(table)

    @command
    def log(self, session: Session, name: str, *, json: bool = False) -> int:
        """List the requests of one of your tunnels, latest last."""
        mine = self.tunnels.of(session.account)
        tunnel = next((tunnel for tunnel in mine if tunnel.name == name), None)
        if tunnel is None:
            session.error(f"No tunnel of yours is called {clean(name, limit=40)}.")
            return 1
        for request in reversed(self.tunnels.log_of(tunnel)):
            session.print(to_json.dumps(_request_data(request)) if json else _request_line(request))
        return 0

    def _data(self, tunnel: Tunnel) -> dict[str, Any]:
        return {
            "name": tunnel.name,
            "url": self.url(tunnel),
            "opened": iso_time(tunnel.opened),
            "connections": tunnel.connections,
            "requests": tunnel.total,
            "received": tunnel.received,
            "sent": tunnel.sent,
        }


def _request_data(request: Request) -> dict[str, Any]:
    return {
        "at": iso_time(request.at),
        "method": request.method,
        "target": request.target,
        "status": request.status,
        "seconds": round(request.seconds, 4),
        "received": request.received,
        "sent": request.sent,
        "origin": request.origin,
    }


def _request_line(request: Request) -> str:
    took = f"{request.seconds * 1000:.0f} ms"
    asked = f"{request.method} {clean(request.target, limit=KEPT_TEXT)}"
    return f"{clock(request.at)}  {request.status or '-':>3}  {took:>8}  {asked}"
