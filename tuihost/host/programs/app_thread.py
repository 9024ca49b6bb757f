"""Threads on which apps work beside the programs: for a forward, for another app's command."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tuihost.core.budget.ledger import FREE, Lease, Turn
from tuihost.errors import Disconnected, TuihostError
from tuihost.host.host import Host
from tuihost.host.programs._incidents import end_of, report_crash
from tuihost.host.programs._stopping import Stopping, ThreadStopped
from tuihost.logs import Event, EventLog
from tuihost.plugin import App
from tuihost.wire import ByteChannel

WAIVE_AFTER = 0.9
RAISE_AFTER = 1.0
ABANDON_AFTER = 3.0
"""Seconds after nobody wants the work any more: the thread need not wait for its turn, and is made
to end if it has not noticed."""


class AppThread:
    """One thread of an app, which works when it is its `turn`, and gives `lease` back at its end.
    What is raised on it costs what it works for, and nothing else."""

    def __init__(
        self,
        host: Host,
        app: App,
        name: str,
        run: Callable[[], object],
        log: EventLog,
        lease: Lease = FREE,
        turn: Turn = FREE,
    ) -> None:
        self._lease = lease
        self._turn = turn
        self._app = app
        self._log = log.bound(app=app.name)
        self._run_app = run
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._stopping = Stopping(host, self.thread, self._log)

    def start(self) -> None:
        """Begins. Raises RuntimeError if there can be no more threads."""
        try:
            self.thread.start()
        except BaseException:
            self._over()
            raise

    def _run(self) -> None:
        try:
            self._turn.begin()
            self._run_app()
        except ThreadStopped:
            self._log.warning(Event.APP_STUCK, thread=self.thread.name, ended=True)
        except BaseException as error:  # noqa: BLE001 - the boundary between an app and the host
            report_crash(self._log, self._app.name, error)
        finally:
            self._over()
            self._turn.end()

    def _over(self) -> None:
        self._lease.give_back()
        self._stopping.over()

    def guard(self, work: Callable[[], object]) -> str | None:
        """Does `work`, which is the app's; a sentence for the person if it failed."""
        try:
            work()
        except ThreadStopped:
            raise
        except Disconnected:
            return None
        except TuihostError as error:
            return str(error)
        except BaseException as error:  # noqa: BLE001 - the boundary between an app and the host
            return end_of(self._log, self._app.name, error).sentence or None
        return None

    def ends_with(self, channel: ByteChannel) -> None:
        """When the channel is closed the work has to end soon."""

        def look() -> None:
            if channel.closed:
                self.gone()

        channel.set_wake(look)

    def gone(self) -> None:
        """Nobody wants the work any more. Any thread."""
        waive = (WAIVE_AFTER, self._turn.waive)
        self._stopping.begin(raise_after=RAISE_AFTER, abandon_after=ABANDON_AFTER, gentle=(waive,))
