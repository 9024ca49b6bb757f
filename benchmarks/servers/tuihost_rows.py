"""This host, with the real menu as its default app, and two apps of the benchmark's own:
`rows`, the fifty rows that the peer serves, and `bulk`, a command that writes a lot."""

import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from prompt_toolkit.application import Application

from tuihost import App, Session, command
from tuihost.host.plugins.app_catalog import Catalog, Loaded
from tuihost.host.server.server import Server
from tuihost.logs import configure, event_log
from tuihost.settings.loading import load
from tuihost.widgets import ListView, Screen

ROWS = [
    f"Item {number:02d}  an entry of the menu with some words behind it" for number in range(50)
]


class Rows(App):
    """Fifty rows."""

    name = "rows"
    title = "Rows"

    def build(self, session: Session) -> Application[Any]:
        return Screen(session, "Menu", ListView(session, ROWS, label=str)).application()


class Bulk(App):
    """Writes a lot."""

    name = "bulk"
    title = "Bulk"

    @command
    def out(self, session: Session, megabytes: int) -> None:
        """So many megabytes to standard output."""
        block = b"0123456789abcdef" * 65_536
        for _ in range(megabytes):
            session.write(block)


def main(default_app: str) -> None:
    configure(level="error")
    folder = tempfile.TemporaryDirectory(prefix="tuihost-bench-")
    settings = load(
        None,
        {},
        {
            "server.port": 0,
            "server.state_dir": folder.name,
            "server.default_app": default_app,
            "server.per_address": 100_000,
            "server.max_connections": 100_000,
            "server.max_unauthenticated": 100_000,
            "limits.share": 100.0,  # everybody comes under one name
        },
    )
    catalog = Catalog.load(settings, log=event_log())
    for app in (Rows(), Bulk()):
        catalog.apps[app.name] = Loaded(app, str(Path(__file__)))
    server = Server(settings, catalog, event_log())
    server.start()
    print(server.address.port, flush=True)

    def until_closed() -> None:
        sys.stdin.read()
        server.request_stop()

    threading.Thread(target=until_closed, daemon=True).start()
    server.serve_forever()
    server.stop()
    folder.cleanup()


main(sys.argv[1] if len(sys.argv) > 1 else "menu")
