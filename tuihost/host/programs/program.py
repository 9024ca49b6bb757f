"""A Program: what one session runs, on a thread of its own, from the grant to the exit status.

When the person is gone the program gets `STOP_LADDER`, one step after the other; one that is
deaf to all of them is abandoned by name in the log, and its thread is counted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from tuihost.commands import run_command
from tuihost.core.routing import (
    BadCommand,
    CopyFiles,
    NoSuchApp,
    OpenApp,
    OpenDisplay,
    OpenSubsystem,
    Route,
    RunCommand,
    SyncFiles,
)
from tuihost.core.rsync_args import Refused, sync_args
from tuihost.errors import Disconnected, PeerError, new_incident
from tuihost.files.tree import Folders, Names, path_of
from tuihost.host.host import Host
from tuihost.host.programs._hosted_apps import NOT_FOUND, HostedApps, files_of, no_such_app
from tuihost.host.programs.app_stack import CRASHED, AppStack, Visit, crash
from tuihost.host.transfers.rsync import Sync
from tuihost.host.transfers.scp import Scp, asked_of
from tuihost.logs import Event, EventLog
from tuihost.session.session import Session
from tuihost.ssh.sftp import TreeServer
from tuihost.text import clean
from tuihost.tui.running.loop import run as run_coroutine
from tuihost.tui.running.runner import Force, raise_in
from tuihost.tui.running.stages import CommandStage, Signalled
from tuihost.tui.terminal.output import restore
from tuihost.tui.terminal.terminal import Terminal
from tuihost.wire import (
    ByteChannel,
    Cancellable,
    Exit,
    ExitSignal,
    ExitStatus,
    SessionEvent,
    Stream,
    WindowChange,
    WindowSize,
)

STOP_LADDER = (
    (0.3, Force.CANCEL),
    (0.6, Force.STOP_LOOP),
    (0.9, Force.RAISE),
)
"""Seconds after the person is gone, and what is tried then; end of input comes at once."""

ABANDON_AFTER = 3.0
FLUSH_TIMEOUT = 1.0
SFTP = "sftp"


class Program:
    """One program of one session. Thread: its own, but for the constructor, `start`, `event`,
    `gone`, `farewell` and `join`, which are anybody's."""

    def __init__(self, host: Host, channel: ByteChannel, visit: Visit, log: EventLog) -> None:
        self.channel = channel
        self._host = host
        self._visit = visit
        self._log = log.bound(user=visit.account.name)
        self._route = self._settled(visit.route)
        self._other_apps = HostedApps(host, visit, host.default_app, self._log)
        self._terminal: Terminal | None = None
        self._app_stack: AppStack | None = None
        # Made now, so that a resize which comes before the thread runs is not lost.
        if isinstance(self._route, OpenApp):
            self._terminal = Terminal(channel, visit.facts)
            self._app_stack = AppStack(
                host, visit, self._terminal, self._log, self._complain, self._other_apps
            )
        self._stage = CommandStage(channel, visit.facts, host.theme_of(visit.account))
        self._farewell = ""
        self._ladder: list[Cancellable] = []
        self._idle: Cancellable | None = None
        self._stuck = False
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def _settled(self, route: Route) -> Route:
        """What an app does whose name alone is the command, without a terminal: it shows itself on
        the screen that came along, or is opened line by line where it has no commands."""
        if isinstance(route, RunCommand) and not route.words:
            app = self._host.catalog.apps[route.app].app
            if app.has_x11 and app.accepts.x11 and self._visit.resources.display is not None:
                return OpenDisplay(route.app)
            if app.has_talk and not app.command_methods():
                return OpenApp(route.app)
        return route

    def start(self, name: str) -> None:
        """Begins; `name` is the thread's, for the log."""
        self.thread.name = name
        self.thread.start()

    # ---------------------------------------------------------------- from other threads

    def event(self, event: SessionEvent) -> None:
        """Something happened in the session."""
        if isinstance(event, WindowChange):
            self._resized(WindowSize.clamped(event.columns, event.rows, self._visit.facts.size))
        if self._app_stack is not None:
            self._app_stack.deliver(event)
        else:
            self._stage.deliver(event)
            self.channel.nudge()

    def _resized(self, size: WindowSize) -> None:
        if self._terminal is not None:
            self._terminal.resize(size)
        else:
            self._stage.facts = self._stage.facts.resized(size)

    def gone(self) -> None:
        """The person is gone: the ladder begins. Does nothing after the end."""
        if self._ended.is_set() or self._ladder:
            return
        self._let_go()
        timer = self._host.watchdog
        for seconds, force in STOP_LADDER:
            self._ladder.append(timer.call_later(seconds, self._forced(force)))
        self._ladder.append(timer.call_later(ABANDON_AFTER, self._abandon))

    def _let_go(self) -> None:
        self._other_apps.close()
        self._visit.resources.close()

    def _forced(self, force: Force) -> Callable[[], None]:
        def act() -> None:
            if self._ended.is_set():
                return
            if force is Force.RAISE:
                self._log.warning(Event.APP_STUCK, thread=self.thread.name)
                raise_in(self.thread)
            elif self._app_stack is not None:
                self._app_stack.stop(force)

        return act

    def _abandon(self) -> None:
        with self._lock:
            if self._ended.is_set():
                return
            self._stuck = True
            self._host.count_stuck(+1)
        self._log.error(Event.APP_ABANDONED, thread=self.thread.name)

    def farewell(self, sentence: str) -> None:
        """Shows the person out, with `sentence` on the screen that is theirs again."""
        self._farewell = sentence
        if self._app_stack is not None:
            self._app_stack.evict()
        else:
            self._stage.end_with_signal("TERM")
            self.channel.nudge()

    def join(self, timeout: float) -> bool:
        """Waits for the end; False after `timeout` seconds."""
        return self._ended.wait(timeout)

    def _watch_idle(self) -> None:
        """Shows out who has not pressed a key for `limits.idle` seconds. Looks only then."""
        limit, terminal = self._host.settings.limits.idle, self._terminal
        if not limit or terminal is None or self._ended.is_set():
            return
        left = limit - (time.monotonic() - terminal.touched)
        if left > 0:
            self._idle = self._host.watchdog.call_later(left, self._watch_idle)
        else:
            self.farewell("Nobody pressed a key for a while, so the session has ended.")

    # ---------------------------------------------------------------- the thread

    def run(self) -> None:
        """From the first frame to the exit status, whatever happens."""
        begun = time.monotonic()
        end: Exit = ExitStatus(255)
        try:
            end = self._play()
        except Disconnected:
            end = ExitStatus(255)
        except Signalled as signalled:
            end = ExitSignal(signalled.name)
        except Exception as error:  # noqa: BLE001 - a fault of the host's own; the trace is logged
            self._log.error(Event.HOST_ERROR, trace=error, incident=new_incident())
        except SystemExit:
            self._log.warning(Event.APP_STUCK, thread=self.thread.name, ended=True)
        finally:
            self._part(end, time.monotonic() - begun)

    def _play(self) -> Exit:
        match self._route:
            case OpenApp(name=name):
                assert self._app_stack is not None
                self._watch_idle()
                return ExitStatus(self._app_stack.go(name))
            case RunCommand(app=name, words=words):
                return ExitStatus(self._command(name, words))
            case OpenDisplay(name=name):
                return ExitStatus(self._display(name))
            case OpenSubsystem(name=name):
                return ExitStatus(self._subsystem(name))
            case CopyFiles(words=words):
                return ExitStatus(self._copy_files(words))
            case SyncFiles(words=words):
                return ExitStatus(self._sync_files(words))
            case NoSuchApp(name=name):
                return ExitStatus(self._no_such_app(name))
            case BadCommand(reason=reason):
                self._complain(reason)
                return ExitStatus(2)

    def _part(self, end: Exit, seconds: float) -> None:
        """Gives the person's terminal back, says good-bye, and sends the exit status."""
        try:
            if self._terminal is not None:
                self._give_back(self._terminal)
            self._let_go()
            self.channel.finish(end)
        finally:
            with self._lock:
                self._ended.set()
                if self._stuck:
                    self._host.count_stuck(-1)
            for step in (*self._ladder, self._idle):
                if step is not None:
                    step.cancel()
            self._app_stack = self._terminal = None
            self._log.info(Event.SESSION_END, exit=_exit_text(end), seconds=round(seconds, 1))

    def _give_back(self, terminal: Terminal) -> None:
        if terminal.drawn and terminal.facts.pty:
            text = f"{self._farewell}\r\n" if self._farewell else ""
            alternate = self._app_stack is not None and self._app_stack.alternate
            terminal.write(restore(terminal.facts, alternate=alternate) + text.encode())
        terminal.flush(FLUSH_TIMEOUT)

    # ---------------------------------------------------------------- commands, subsystems

    def _session(self, name: str) -> Session:
        surroundings = self._visit.surroundings(self._host, self._log, self._other_apps)
        return self._host.session(surroundings, name, self._stage)

    def _command(self, name: str, words: tuple[str, ...]) -> int:
        app = self._host.catalog.apps[name].app
        run_async = partial(run_coroutine, kind=app.loop)
        self._log.info(Event.APP_START, app=name, command=words[0] if words else "")
        try:
            return self._guarded(
                name, lambda: run_command(app, self._session(name), words, run_async=run_async)
            )
        finally:
            self._log.info(Event.APP_END, app=name)

    def _display(self, name: str) -> int:
        app, display = self._host.catalog.apps[name].app, self._visit.resources.display
        assert display is not None, "without a display nothing is shown on it"
        self._log.info(Event.APP_START, app=name)
        try:
            return self._guarded(name, lambda: app.x11(self._session(name), display) or 0)
        finally:
            self._log.info(Event.APP_END, app=name)

    def _subsystem(self, name: str) -> int:
        app = self._host.subsystem_app(name)
        if app is None and name == SFTP:
            return self._serve_files()
        if app is None:
            self._complain(f"no app here serves the subsystem {clean(name, limit=40)}")
            return NOT_FOUND
        return self._guarded(app.name, lambda: app.subsystem(self._session(app.name), name))

    def _guarded(self, name: str, run: Callable[[], int]) -> int:
        """Has the app `name` do something; a mistake of its costs one sentence."""
        try:
            return run()
        except (Disconnected, Signalled):
            raise
        except Exception as error:  # noqa: BLE001 - the boundary between an app and the host
            self._complain(crash(self._log, name, error))
            return CRASHED

    # ---------------------------------------------------------------- files

    def _serve_files(self) -> int:
        """SFTP over what the apps serve."""
        server = TreeServer(self._shelf(), self._stage.read, self._send, self._note_file)
        try:
            server.serve()
        except PeerError as error:
            self._log.info(Event.REQUEST_REFUSED, kind=SFTP, reason=str(error))
            return 1
        return 0

    def _copy_files(self, words: tuple[str, ...]) -> int:
        """The old protocol of scp."""
        asked = asked_of(words)
        if asked is None:
            self._complain("scp is for copying files: scp FILE HOST:")
            return 2
        return Scp(self._shelf(), asked, self._stage.read, self._send, self._note_file).run()

    def _sync_files(self, words: tuple[str, ...]) -> int:
        """rsync."""
        try:
            sync = Sync(self._shelf(), sync_args(words), self._stage.read, self._send)
            status, said = sync.run()
        except Refused as refused:
            self._complain(str(refused))
            return 1
        self._log.info(Event.FILE_CHANGED, what="rsync", path=words[-1][:200], size=sync.received)
        if sync.full:
            said += "your room for files is full\n"
        if said:
            self._stage.write(clean(said, lines=True).encode(), Stream.ERR)
        return status

    def _shelf(self) -> Folders:
        return files_of(self._host, self._visit, self._session, self._log)

    def _send(self, data: bytes) -> None:
        self._stage.write(data, Stream.OUT)

    def _note_file(self, what: str, names: Names, size: int) -> None:
        self._log.info(Event.FILE_CHANGED, what=what, path=clean(path_of(names)), size=size)

    def _no_such_app(self, name: str) -> int:
        self._complain(no_such_app(self._host, self._visit, name))
        return NOT_FOUND

    def _complain(self, sentence: str) -> None:
        """One sentence on standard error, or on the only screen that a pty has."""
        pty = self._visit.facts.pty
        data = f"{self._host.name}: {sentence}".encode() + (b"\r\n" if pty else b"\n")
        try:
            self._stage.write(data, Stream.OUT if pty else Stream.ERR)
        except Signalled:
            return  # the client has asked for the end already


def _exit_text(end: Exit) -> str:
    return end.name if isinstance(end, ExitSignal) else str(end.code)
