"""This host for bulk data: a command that writes, one that reads, files, and forwards anywhere."""

import sys
import tempfile
import threading

from tuihost import App, Session, command
from tuihost.host.plugins.app_catalog import Catalog, Loaded
from tuihost.host.server.server import Server
from tuihost.logs import configure, event_log
from tuihost.settings.loading import load


class Bulk(App):
    """Writes and reads a lot."""

    name = "bulk"

    @command
    def out(self, session: Session, megabytes: int) -> None:
        """So many megabytes to standard output."""
        block = bytes(262_144)
        for _ in range(4 * megabytes):
            session.write(block)

    @command
    def take(self, session: Session) -> None:
        """Everything from standard input; how much that was."""
        count = 0
        while data := session.read(262_144):
            count += len(data)
        session.print(str(count))


def main() -> None:
    configure(level="error")
    with tempfile.TemporaryDirectory(prefix="tuihost-bench-") as folder:
        settings = load(
            None,
            {},
            {
                "server.port": 0,
                "server.state_dir": folder,
                "forwarding.dial": ["127.0.0.1:*"],
                "roles": {"guest": {"forwards": ["*"]}},
                "app.files": {"guest_quota": 4000},
            },
        )
        catalog = Catalog.load(settings, log=event_log())
        catalog.apps["bulk"] = Loaded(Bulk(), "the benchmark")
        server = Server(settings, catalog, event_log())
        server.start()
        assert server.address is not None
        print(server.address.port, flush=True)

        def until_closed() -> None:
            sys.stdin.read()
            server.request_stop()

        threading.Thread(target=until_closed, daemon=True).start()
        server.serve_forever()
        server.stop()


main()
