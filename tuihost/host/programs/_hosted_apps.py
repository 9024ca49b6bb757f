"""Commands of other apps, run for somebody within a session: `tuihost.OtherApps`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING

from tuihost.commands.running import run_command
from tuihost.core.budget.ledger import FREE, Exceeded, Kind
from tuihost.core.exit_statuses import FAILED, NOT_FOUND, NOT_YOURS, STOPPED
from tuihost.core.familiar_words import (
    Answer,
    HostCommand,
    Instead,
    familiar_words,
    host_command,
    instead_of,
)
from tuihost.errors import Disconnected, Interrupted
from tuihost.files.noted import NotedFolders, WrongTree
from tuihost.files.tree import FileTree, Folders, Names, path_of
from tuihost.host.access import NotAllowed
from tuihost.host.host import Host
from tuihost.host.programs._incidents import end_of, report_crash
from tuihost.host.programs._no_app import commands_of, no_such_app, output_of
from tuihost.host.programs._session_maker import SessionMaker, SessionTheme
from tuihost.host.programs._stopping import ThreadStopped
from tuihost.host.programs.app_thread import AppThread
from tuihost.host.programs.visit import Visit
from tuihost.logs import Event, EventLog
from tuihost.session.other_apps import CommandInfo, Stdio
from tuihost.text import clean
from tuihost.tui.running.command_stages import Signalled, StdioStage
from tuihost.tui.running.loop import run as run_coroutine
from tuihost.wire import Stream

if TYPE_CHECKING:
    from tuihost.plugin import App
    from tuihost.session.session import Session
    from tuihost.terminal_facts import TerminalFacts
    from tuihost.theme.theme import Theme

MAX_DEPTH = 8
"""Commands that run one within the other, such as scripts that run scripts."""
_DEPTH: ContextVar[int] = ContextVar("depth of commands", default=0)

FILES = "files"
"""The app in whose folder people begin, if it serves files."""


class HostedApps:
    """Implements `OtherApps`, for one session. A command of an app that does not exist runs on
    behalf of the app `name`."""

    def __init__(
        self, host: Host, visit: Visit, name: str, theme: SessionTheme, log: EventLog
    ) -> None:
        self._host = host
        self._visit = visit
        self._name = name
        self._theme = theme
        self._log = log
        self._sessions = SessionMaker(host, visit, self, log)
        self._lock = threading.Lock()
        self._running: set[StartedCommand] = set()
        self._closed = False

    def bar(self) -> bool:
        """The session is over: a command that starts from now on is stopped at once. True if some
        run already, for `close` to stop. Any thread; never waits."""
        with self._lock:
            self._closed = True
            return bool(self._running)

    def close(self) -> None:
        """The session is over: what still runs is stopped. Any thread; may wait for an app."""
        with self._lock:
            self._closed = True
            running = tuple(self._running)
        for command in running:
            command.stop()

    # ---------------------------------------------------------------- OtherApps

    def apps(self) -> Mapping[str, tuple[CommandInfo, ...]]:
        return commands_of(self._host, self._visit.account)

    def familiar_words(self) -> Mapping[str, str]:
        return dict(familiar_words(self._host.access.names_for(self._visit.account)))

    def run(self, app: str, words: Sequence[str], stdio: Stdio) -> int:
        return self.run_on(StdioStage(stdio, self.theme), app, words)

    def start(
        self, app: str, words: Sequence[str], stdio: Stdio, ended: Callable[[int], None]
    ) -> StartedCommand:
        catalog = self._host.catalog.apps
        # A word such as `ls` is not an app, and the app that people start in may be out of order.
        owners = [name for name in (app, self._name, *catalog) if name in catalog]
        owner = catalog[owners[0]].app
        command = StartedCommand(self, app, words, stdio, ended)
        share = self._host.share_of(self._visit.account)
        lease = share.take(Kind.THREADS)
        command.thread = AppThread(
            self._host,
            owner,
            f"command-{app}"[:40],
            command.run,
            self._log,
            FREE if isinstance(lease, Exceeded) else lease,
            share.turn(),
        )
        if isinstance(lease, Exceeded):
            self._complain(StdioStage(stdio, self.theme), lease.sentence)
            command.end(FAILED)
            return command
        with self._lock:
            self._running.add(command)
            late = self._closed
        try:
            command.thread.start()
        except RuntimeError:
            self._complain(StdioStage(stdio, self.theme), "too many commands run at once")
            command.end(FAILED)
            return command
        if late:
            command.stop()
        return command

    def files(self) -> Folders:
        return files_of(self._host, self._visit, self._files_session, self._log)

    # ---------------------------------------------------------------- for the commands that run

    @property
    def theme(self) -> Theme:
        """The person's, as it is now."""
        return self._theme.now

    def run_on(self, stage: StdioStage, name: str, words: Sequence[str]) -> int:
        """Judges the command and runs it on `stage`; its exit status."""
        depth = _DEPTH.get()
        if depth >= MAX_DEPTH:
            self._complain(stage, f"commands run commands {MAX_DEPTH} levels deep at most")
            return FAILED
        token = _DEPTH.set(depth + 1)
        try:
            return self._run_on(stage, name, words)
        finally:
            _DEPTH.reset(token)

    def _run_on(self, stage: StdioStage, name: str, words: Sequence[str]) -> int:
        account = self._visit.account
        apps = self._host.access.names_for(account)
        if name not in apps:
            match instead_of((name, *words), apps):
                case Instead(app=app, words=instead):
                    name, words = app, instead
                case Answer(sentence=sentence, status=status):
                    if sentence:
                        self._complain(stage, sentence)
                    return status
                case HostCommand() as command:
                    return self._by_host(stage, command)
                case None:
                    self._complain(stage, no_such_app(self._host, account, name))
                    return NOT_FOUND
        line = self._host.access.resolved(account, name, words)
        if isinstance(line, NotAllowed):
            if (by_host := host_command(name, words)) is not None:
                return self._by_host(stage, by_host)
            self._complain(stage, line.reason)
            return NOT_YOURS
        try:
            run_async = partial(run_coroutine, kind=line.app.loop)
            session = self._sessions.make(name, stage)
            try:
                return run_command(line, session, run_async=run_async)
            finally:
                session.let_go()
        except (Disconnected, Interrupted, Signalled, ThreadStopped):
            raise
        except BaseException as error:  # noqa: BLE001 - the boundary between an app and the host
            end = end_of(self._log, name, error)
            if end.sentence:
                self._complain(stage, end.sentence)
            return end.status

    def _by_host(self, stage: StdioStage, command: HostCommand) -> int:
        stage.print(output_of(command, self._host, self._visit.account), Stream.OUT)
        return 0

    def _complain(self, stage: StdioStage, sentence: str) -> None:
        stage.print((f"{self._host.name}: {sentence}",), Stream.ERR)

    def forget(self, command: StartedCommand) -> None:
        """It has ended."""
        with self._lock:
            self._running.discard(command)

    def _files_session(self, app: str) -> Session:
        return self._sessions.make(app, StdioStage(_Unheard(self._visit.facts), self.theme))


class StartedCommand:
    """Implements `Running`: a command on a thread of its own."""

    thread: AppThread

    def __init__(
        self,
        other_apps: HostedApps,
        app: str,
        words: Sequence[str],
        stdio: Stdio,
        ended: Callable[[int], None],
    ) -> None:
        self._other_apps = other_apps
        self._app = app
        self._words = words
        self._stdio = stdio
        self._ended = ended
        self._stage = StdioStage(stdio, other_apps.theme, lambda: self._stopped)
        self._depth = _DEPTH.get()
        self._stopped = False

    def run(self) -> None:
        """All of it, on its thread."""
        _DEPTH.set(self._depth)
        status = STOPPED
        try:
            status = self._other_apps.run_on(self._stage, self._app, self._words)
        except (Disconnected, Interrupted, Signalled):
            pass
        finally:
            self.end(status)

    def end(self, status: int) -> None:
        """Nothing more comes of it."""
        self.thread.guard(self._stdio.close)
        self._other_apps.forget(self)
        self._ended(status)

    def stop(self) -> None:
        self._stopped = True
        self.thread.gone()
        self.thread.guard(self._stdio.close)


class _Unheard:
    """Standard input and output for sessions without a command: empty, and read by nobody."""

    def __init__(self, facts: TerminalFacts) -> None:
        self.facts = facts

    def read(self, limit: int) -> bytes:
        return b""

    def write(self, data: bytes, stream: Stream) -> None:
        pass

    def close(self) -> None:
        pass


def _checked(app: App, tree: FileTree) -> FileTree:
    """The tree itself. Raises `WrongTree` for what can be none, such as a path."""
    if all(hasattr(tree, name) for name in ("home", "info", "list")):
        return tree
    files = f"{type(app).__module__}.{type(app).__qualname__}.files"
    raise WrongTree(app.name, f"{files} should return a FileTree, not a {type(tree).__name__}")


def files_of(
    host: Host, visit: Visit, session_of: Callable[[str], Session], log: EventLog
) -> Folders:
    """The files of every app that serves some to this person. Each change is in the log, whatever
    way it comes."""
    trees: dict[str, FileTree] = {}
    for app in host.access.file_apps(visit.account):
        try:
            tree = _checked(app, app.files(session_of(app.name)))
            trees[app.name] = host.access.allowed_files(visit.account, app.name, tree)
        except (Disconnected, Signalled, ThreadStopped):
            raise
        except BaseException as error:  # noqa: BLE001 - the boundary between an app and the host
            report_crash(log, app.name, error)

    def noted(what: str, names: Names, size: int) -> None:
        log.info(Event.FILE_CHANGED, what=what, path=clean(path_of(names)), size=size)

    first = next((name for name in (FILES, *trees) if name in trees), None)
    return NotedFolders(trees, first, noted)
