"""Threads on which apps work outside of a session: for a forward, for a display."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tuihost.errors import Disconnected, TuihostError
from tuihost.host.host import Host
from tuihost.host.programs.app_stack import crash
from tuihost.logs import Event, EventLog
from tuihost.plugin import App
from tuihost.tui.running.runner import raise_in
from tuihost.wire import ByteChannel

RAISE_AFTER = 1.0  # seconds after the client is gone, for a thread that did not notice
ABANDON_AFTER = 3.0


class AppThread:
    """One thread of an app. What is raised on it costs what it works for, and nothing else."""

    def __init__(
        self,
        host: Host,
        app: App,
        name: str,
        run: Callable[[], None],
        log: EventLog,
        client: int = 0,
    ) -> None:
        self._host = host
        self._client = client
        self._app = app
        self._log = log.bound(app=app.name)
        self._run_app = run
        self._gone = threading.Lock()
        self._over = threading.Event()
        self._stuck = False
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begins. Raises RuntimeError where no thread can be had."""
        if not self._host.threads.take(self._client):
            self._over.set()
            raise RuntimeError("too many threads of apps")
        try:
            self.thread.start()
        except BaseException:
            self._over.set()
            self._host.threads.give_back(self._client)
            raise

    def _run(self) -> None:
        try:
            self._run_app()
        except SystemExit:
            self._log.warning(Event.APP_STUCK, thread=self.thread.name, ended=True)
        finally:
            self._over.set()
            self._host.threads.give_back(self._client)
            if self._stuck:
                self._host.count_stuck(-1)

    def guard(self, work: Callable[[], object]) -> str | None:
        """Does `work`, which is the app's; a sentence for the person where it failed. On the
        thread."""
        try:
            work()
        except Disconnected:
            return None
        except TuihostError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - the boundary between an app and the host
            return crash(self._log, self._app.name, error)
        return None

    def ends_with(self, channel: ByteChannel) -> None:
        """When the channel is closed the work has to end soon."""

        def look() -> None:
            if channel.closed:
                self.gone()

        channel.set_wake(look)

    def gone(self) -> None:
        """Nobody wants the work any more. Any thread."""
        if self._over.is_set() or not self._gone.acquire(blocking=False):
            return
        timer = self._host.watchdog
        timer.call_later(RAISE_AFTER, self._force)
        timer.call_later(ABANDON_AFTER, self._abandon)

    def _force(self) -> None:
        if not self._over.is_set():
            self._log.warning(Event.APP_STUCK, thread=self.thread.name)
            raise_in(self.thread)

    def _abandon(self) -> None:
        if not self._over.is_set():
            self._stuck = True
            self._host.count_stuck(+1)
            self._log.error(Event.APP_ABANDONED, thread=self.thread.name)
