"""Commands of other apps, run for somebody within a session: `tuihost.OtherApps`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING

from tuihost.commands import command_infos, run_command
from tuihost.errors import Disconnected, Interrupted
from tuihost.files.tree import FileTree, Folders
from tuihost.host.host import Host
from tuihost.host.login.visitor import Visitor
from tuihost.host.programs.app_stack import CRASHED, Visit, crash
from tuihost.host.programs.app_thread import AppThread
from tuihost.logs import EventLog
from tuihost.session.other_apps import CommandInfo, Stdio
from tuihost.text import clean
from tuihost.tui.running.loop import run as run_coroutine
from tuihost.tui.running.stages import Signalled, StdioStage
from tuihost.wire import Stream

if TYPE_CHECKING:
    from tuihost.session.session import Session
    from tuihost.theme.theme import Theme

NOT_FOUND, NOT_YOURS, STOPPED, FAILED = 127, 2, 130, 1
FILES = "files"  # the app whose files are where somebody begins


class HostedApps:
    """Implements `OtherApps`, for one session."""

    def __init__(self, host: Host, visit: Visit, name: str, log: EventLog) -> None:
        self._host = host
        self._visit = visit
        self._name = name
        self._log = log
        self._lock = threading.Lock()
        self._running: set[_Running] = set()
        self._closed = False

    def close(self) -> None:
        """The session is over. Any thread."""
        with self._lock:
            self._closed = True
            running = tuple(self._running)
        for one in running:
            one.stop()

    def apps(self) -> Mapping[str, tuple[CommandInfo, ...]]:
        account = self._visit.account
        return {
            name: tuple(
                info
                for info in command_infos(self._host.catalog.apps[name].app)
                if self._host.may_run(account, name, info.name)
            )
            for name in sorted(self._host.names_for(account))
        }

    def run(self, app: str, words: Sequence[str], stdio: Stdio) -> int:
        return self._run(app, words, stdio, StdioStage(stdio, self._theme))

    def start(
        self, app: str, words: Sequence[str], stdio: Stdio, ended: Callable[[int], None]
    ) -> _Running:
        running = _Running(self, stdio)
        stage = StdioStage(stdio, self._theme, lambda: running.stopped)

        def work() -> None:
            status = STOPPED
            try:
                status = self._run(app, words, stdio, stage)
            except (Disconnected, Interrupted, Signalled):
                pass
            finally:
                stdio.close()
                self._forget(running)
                ended(status)

        catalog = self._host.catalog.apps
        owner = catalog[app if app in catalog else self._name].app
        name = f"command-{app}"[:40]
        running.thread = AppThread(self._host, owner, name, work, self._log, self._client)
        with self._lock:
            self._running.add(running)
            late = self._closed
        try:
            running.thread.start()
        except RuntimeError:
            self._forget(running)
            _say(stdio, self._host.name, "too many commands run at once")
            stdio.close()
            ended(FAILED)
            return running
        if late:
            running.stop()
        return running

    def files(self) -> Folders:
        return files_of(self._host, self._visit, self._files_session, self._log)

    @property
    def _client(self) -> int:
        account = self._visit.account
        return account.connection if isinstance(account, Visitor) else 0

    @property
    def _theme(self) -> Theme:
        return self._host.theme_of(self._visit.account)

    def _files_session(self, app: str) -> Session:
        return self._session(app, StdioStage(_Nothing(self._visit), self._theme))

    def _session(self, app: str, stage: StdioStage) -> Session:
        surroundings = self._visit.surroundings(self._host, self._log, self)
        return self._host.session(surroundings, app, stage)

    def _run(self, name: str, words: Sequence[str], stdio: Stdio, stage: StdioStage) -> int:
        account = self._visit.account
        if name not in self._host.names_for(account):
            _say(stdio, self._host.name, no_such_app(self._host, self._visit, name))
            return NOT_FOUND
        command = next((word for word in words if not word.startswith("-")), None)
        if command is not None and not self._host.may_run(account, name, command):
            text = f"{name} {clean(command, limit=40)} is not yours to run"
            _say(stdio, self._host.name, text)
            return NOT_YOURS
        app = self._host.catalog.apps[name].app
        try:
            run_async = partial(run_coroutine, kind=app.loop)
            return run_command(app, self._session(name, stage), words, run_async=run_async)
        except (Disconnected, Interrupted, Signalled):
            raise
        except Exception as error:  # noqa: BLE001 - the boundary between an app and the host
            _say(stdio, self._host.name, crash(self._log, name, error))
            return CRASHED

    def _forget(self, running: _Running) -> None:
        with self._lock:
            self._running.discard(running)


class _Running:
    """Implements `Running`."""

    thread: AppThread

    def __init__(self, other_apps: HostedApps, stdio: Stdio) -> None:
        self._other_apps = other_apps
        self._stdio = stdio
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True
        self._stdio.close()
        self.thread.gone()


class _Nothing:
    """The ends of what is no command."""

    def __init__(self, visit: Visit) -> None:
        self.facts = visit.facts

    def read(self, limit: int) -> bytes:
        return b""

    def write(self, data: bytes, stream: Stream) -> None:
        pass

    def close(self) -> None:
        pass


def _say(stdio: Stdio, host: str, sentence: str) -> None:
    newline = "\r\n" if stdio.facts.pty else "\n"
    stdio.write(f"{host}: {sentence}{newline}".encode(), Stream.ERR)


def no_such_app(host: Host, visit: Visit, name: str) -> str:
    """What somebody reads who asks for an app that is not there, or not theirs."""
    shown = clean(name, limit=40)
    if any(one.name == name for one in host.catalog.broken):
        return f"{shown} is out of order at the moment; the operator knows why."
    known = sorted(host.names_for(visit.account))
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
    return f"no app is called {shown}; {hint}"


def files_of(
    host: Host, visit: Visit, session_of: Callable[[str], Session], log: EventLog
) -> Folders:
    """The files of every app that serves some to this person."""
    trees: dict[str, FileTree] = {}
    for app in host.file_apps(visit.account):
        try:
            trees[app.name] = app.files(session_of(app.name))
        except (Disconnected, Signalled):
            raise
        except Exception as error:  # noqa: BLE001 - the boundary between an app and the host
            crash(log, app.name, error)
    return Folders(trees, next((name for name in (FILES, *trees) if name in trees), None))
