"""A Program: what one session runs, on a thread of its own, from the grant to the exit status.

Making and starting one takes no time: all that it needs is made on its own thread, and events that
come before that wait. When the person is gone the program gets `STOP_LADDER`, one step after the
other. If it is deaf to all of them it is left behind: it is named in the log, and its thread is
counted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import Protocol

from tuihost.core.budget.ledger import FREE, Lease, Turn
from tuihost.core.exit_statuses import DISCONNECTED
from tuihost.core.routing import OpenApp
from tuihost.errors import Disconnected, new_incident
from tuihost.host.host import Host
from tuihost.host.programs._app_stack import AppStack
from tuihost.host.programs._early_calls import EarlyCalls
from tuihost.host.programs._hosted_apps import HostedApps
from tuihost.host.programs._incidents import report_crash
from tuihost.host.programs._job import Job
from tuihost.host.programs._session_maker import SessionMaker, SessionTheme
from tuihost.host.programs._stopping import Step, Stopping, ThreadStopped
from tuihost.host.programs.visit import Visit
from tuihost.host.relay.client_resources import ClientResources
from tuihost.logs import Event, EventLog
from tuihost.tui.running.command_stages import Signalled
from tuihost.tui.running.runner import StopStep
from tuihost.wire import ByteChannel, Exit, ExitSignal, ExitStatus, SessionEvent

STOP_LADDER = (
    (0.3, StopStep.CANCEL),
    (0.6, StopStep.STOP_LOOP),
)
"""Seconds after the person is gone, and what is tried then. The end of input comes at once."""

WAIVE_AFTER = 0.8
"""The thread need not wait for its turn any more."""
RAISE_AFTER = 0.9
ABANDON_AFTER = 3.0

INPUT_ENDED = "Your input has ended, and with it the session."


VisitOf = Callable[[EventLog], Visit]
"""Says who came and for what; it is given the log of the session."""


class Work(Protocol):
    """What a program does: apps on a terminal (`AppStack`), or a `Job`. Made and played on the
    program's thread; `deliver`, `stop` and `end` come from any, and never wait."""

    def play(self) -> int:
        """All of it; the exit status."""

    def leave(self, farewell: str) -> None:
        """Gives back what it took, with a last sentence for the person, if there is one."""

    def deliver(self, event: SessionEvent) -> None:
        """Something happened in the session."""

    def stop(self, step: StopStep) -> None:
        """The person is gone."""

    def end(self) -> None:
        """The person is shown out."""


class Program:
    """One program of one session. `visit_of` is called on its thread, which works in its `turn`;
    `lease` is given back when that ends.

    Thread: its own, except the constructor, `start`, `event`, `gone`, `farewell`, `running` and
    `join`. These are for any thread, and only `join` waits."""

    def __init__(
        self,
        host: Host,
        channel: ByteChannel,
        visit_of: VisitOf,
        log: EventLog,
        lease: Lease = FREE,
        turn: Turn = FREE,
    ) -> None:
        self.channel = channel
        self._lease = lease
        self._turn = turn
        self.thread = threading.Thread(target=self.run, daemon=True)
        self._host = host
        self._visit_of = visit_of
        self._log = log
        self._work: Work | None = None
        self._other_apps: HostedApps | None = None
        self._resources = ClientResources()
        self._farewell = ""
        self._early_calls = EarlyCalls()
        self._stopping = Stopping(host, self.thread, log)

    def start(self, name: str) -> None:
        """Begins; `name` is the thread's, for the log. Raises RuntimeError if there can be no more
        threads."""
        self.thread.name = name
        try:
            self.thread.start()
        except RuntimeError:
            self._lease.give_back()
            self._stopping.over()
            raise

    # ---------------------------------------------------------------- from other threads

    def event(self, event: SessionEvent) -> None:
        """Something happened in the session."""
        self._early_calls.offer(partial(self._with_work, lambda work: work.deliver(event)))

    def gone(self) -> None:
        """The person is gone: the ladder begins. Does nothing after the end."""
        gentle: list[Step] = [(seconds, partial(self._stop, step)) for seconds, step in STOP_LADDER]
        gentle.append((WAIVE_AFTER, self._turn.waive))
        if self._stopping.begin(
            raise_after=RAISE_AFTER, abandon_after=ABANDON_AFTER, gentle=gentle
        ):
            self._early_calls.call(self._let_go_apart)

    def farewell(self, sentence: str) -> None:
        """Shows the person out, with `sentence` on the screen that is theirs again."""
        self._farewell = sentence
        self._early_calls.call(partial(self._with_work, lambda work: work.end()))

    def running(self) -> bool:
        """Whether it has begun and has not ended."""
        return self.thread.is_alive()

    def join(self, timeout: float) -> bool:
        """Waits for the end; False after `timeout` seconds."""
        return self._stopping.wait(timeout)

    def _stop(self, step: StopStep) -> None:
        self._with_work(lambda work: work.stop(step))

    def _with_work(self, action: Callable[[Work], None]) -> None:
        work = self._work
        if work is not None:
            action(work)

    def _let_go_apart(self) -> None:
        """The same on a thread of its own, if there is anything to let go of: the app is called
        then, and may wait."""
        runs = self._other_apps is not None and self._other_apps.bar()
        if runs or self._resources != ClientResources():
            thread = threading.Thread(
                target=self._let_go, name=f"end-{self.thread.name}", daemon=True
            )
            with suppress(RuntimeError):  # no thread to be had: it is forced soon
                thread.start()

    def _let_go(self) -> None:
        """Stops the commands of other apps; closes the person's display and agent, of which apps
        may want to be told."""
        if self._other_apps is not None:
            self._other_apps.close()
        try:
            self._resources.close()
        except BaseException as error:  # noqa: BLE001 - the boundary between an app and the host
            report_crash(self._log, self._host.catalog.app_of(error), error)

    # ---------------------------------------------------------------- the thread

    def run(self) -> None:
        """From the first frame to the exit status, whatever happens."""
        begun = time.monotonic()
        end: Exit = ExitStatus(DISCONNECTED)
        try:
            self._turn.begin()
            self._work = work = self._make_work()
            self._early_calls.open()
            end = ExitStatus(work.play())
        except Disconnected:
            end = ExitStatus(DISCONNECTED)
            if not self.channel.closed:  # there is still somebody who reads
                self._farewell = self._farewell or INPUT_ENDED
        except Signalled as signalled:
            end = ExitSignal(signalled.name)
        except ThreadStopped:
            self._log.warning(Event.APP_STUCK, thread=self.thread.name, ended=True)
        except BaseException as error:  # noqa: BLE001 - a fault of the host's own, with its trace
            self._log.error(Event.HOST_ERROR, trace=error, incident=new_incident())
        finally:
            self._part(end, time.monotonic() - begun)

    def _make_work(self) -> Work:
        host, channel = self._host, self.channel
        self._log = self._stopping.log = log = self._log.bound(chan=channel.number)
        visit = self._visit_of(log)
        log.info(Event.SESSION_START, route=type(visit.route).__name__, term=visit.facts.term)
        self._resources = visit.resources
        theme = SessionTheme(host, visit.account)
        self._other_apps = HostedApps(host, visit, host.default_app, theme, log)
        sessions = SessionMaker(host, visit, self._other_apps, log)
        if isinstance(visit.route, OpenApp):
            return AppStack(host, channel, visit, sessions, theme, log, self.farewell)
        return Job(host, channel, visit, sessions, log)

    def _part(self, end: Exit, seconds: float) -> None:
        """Gives the person's terminal back, says goodbye, and sends the exit status."""
        work, self._work = self._work, None
        with ExitStack() as parting:  # from the last to the first, whatever one of them raises
            parting.callback(self._turn.end)
            parting.callback(self._lease.give_back)
            parting.callback(self._log_end, end, seconds)
            parting.callback(self._stopping.over)
            parting.callback(self.channel.finish, end)
            parting.callback(self._let_go)
            if work is not None:
                work.leave(self._farewell)

    def _log_end(self, end: Exit, seconds: float) -> None:
        self._log.info(Event.SESSION_END, exit=_exit_text(end), seconds=round(seconds, 1))


def _exit_text(end: Exit) -> str:
    return end.name if isinstance(end, ExitSignal) else str(end.code)
