"""A Job: what a program does without a screen. A command, a subsystem, files that come and go."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from tuihost.commands.running import CommandLine, run_command
from tuihost.commands.table import exit_status
from tuihost.core.exit_statuses import FAILED, NOT_FOUND, NOT_YOURS
from tuihost.core.familiar_words import Answer, HostCommand
from tuihost.core.routing import (
    BadCommand,
    CopyFiles,
    NoSuchApp,
    OpenApp,
    OpenDisplay,
    OpenSubsystem,
    RunCommand,
    SyncFiles,
)
from tuihost.errors import Disconnected
from tuihost.files.noted import WrongTree
from tuihost.host.host import Host
from tuihost.host.programs._file_transfers import FileTransfers
from tuihost.host.programs._hosted_apps import files_of
from tuihost.host.programs._incidents import end_of
from tuihost.host.programs._no_app import complain, no_first_app, no_such_app, output_of
from tuihost.host.programs._session_maker import SessionMaker
from tuihost.host.programs._stopping import ThreadStopped
from tuihost.host.programs.visit import Visit
from tuihost.logs import Event, EventLog
from tuihost.plugin import App
from tuihost.session.session import Session
from tuihost.text import clean
from tuihost.tui.running.command_stages import CommandStage, Signalled
from tuihost.tui.running.loop import run as run_coroutine
from tuihost.tui.running.runner import StopStep
from tuihost.wire import ByteChannel, SessionEvent, Stream, WindowChange, WindowSize

if TYPE_CHECKING:
    from tuihost.terminal_facts import TerminalFacts
    from tuihost.theme.theme import Theme

HINTED = (FAILED, NOT_YOURS, NOT_FOUND)
"""The statuses of a command line that was perhaps meant for a shell."""
NO_FILES = "your roles allow no files here; the host's operator can change that."


class _JobStage(CommandStage):
    """The stage of a command line that was perhaps meant for a shell: errors about the words that
    were `misread` wait, since a hint may say all of it in one sentence."""

    def __init__(
        self, channel: ByteChannel, facts: TerminalFacts, theme: Theme, misread: Sequence[str]
    ) -> None:
        super().__init__(channel, facts, theme)
        self._misread = tuple(f"{clean(word, limit=200)}: " for word in misread)
        self._errors: list[Sequence[Any]] = []

    def print(self, items: Sequence[Any], stream: Stream) -> None:
        if stream is Stream.ERR and self._misread and str(items[0]).startswith(self._misread):
            self._errors.append(items)
        else:
            super().print(items, stream)

    def show_errors(self) -> None:
        """Shows the errors that wait: no hint is given."""
        self._misread = ()
        for items in self._errors:
            super().print(items, Stream.ERR)


class Job:
    """Implements `program.Work`: bytes in, bytes out, an exit status."""

    def __init__(
        self,
        host: Host,
        channel: ByteChannel,
        visit: Visit,
        sessions: SessionMaker,
        log: EventLog,
    ) -> None:
        self._host = host
        self._channel = channel
        self._visit = visit
        self._sessions = sessions
        self._log = log
        self._made: list[Session] = []
        self._stage = _JobStage(channel, visit.facts, host.theme_of(visit.account), visit.misread)

    # ---------------------------------------------------------------- from other threads

    def deliver(self, event: SessionEvent) -> None:
        if isinstance(event, WindowChange):
            facts = self._stage.facts
            size = WindowSize.clamped(event.columns, event.rows, facts.size)
            self._stage.facts = facts.resized(size)
        self._stage.deliver(event)
        self._channel.nudge()

    def stop(self, step: StopStep) -> None:
        """There is no gentle way: reads and writes have already said that the client is gone."""

    def end(self) -> None:
        self._stage.end_with_signal("TERM")
        self._channel.nudge()

    # ---------------------------------------------------------------- its own thread

    def play(self) -> int:
        status = self._play()
        hinted = status in HINTED or (status == 0 and self._visit.always_hinted)
        if self._visit.hint and hinted and not self._is_answered():
            self._complain(self._visit.hint)
        else:
            self._stage.show_errors()
        return status

    def _is_answered(self) -> bool:
        """Whether all has been said about the word that the line begins with."""
        match self._visit.route:
            case NoSuchApp(name=name):
                return name not in self._visit.misread
            case Answer(sentence=sentence):
                return bool(sentence)
            case _:
                return False

    def _play(self) -> int:
        match self._visit.route:
            case RunCommand():
                assert self._visit.line is not None, "a command was resolved before it began"
                return self._command(self._visit.line)
            case OpenDisplay(name=name):
                return self._display(name)
            case OpenSubsystem(name=name):
                return self._subsystem(name)
            case CopyFiles(words=words):
                return self._copied(lambda files: files.scp(words))
            case SyncFiles(words=words):
                return self._copied(lambda files: files.rsync(words))
            case NoSuchApp(name=name) if name in self._visit.misread:
                return NOT_FOUND  # the hint says more
            case NoSuchApp(name=name, asked=False):
                self._complain(no_first_app(self._host, self._visit.account, name))
                return NOT_FOUND
            case NoSuchApp(name=name):
                sentence = no_such_app(self._host, self._visit.account, name, self._visit.hint)
                self._complain(sentence)
                return NOT_FOUND
            case BadCommand(reason=reason):
                self._complain(reason)
                return NOT_YOURS
            case Answer(sentence="") if self._visit.misread:
                return NOT_YOURS  # `true && ls`: the hint says how to run the rest of it
            case Answer(sentence=sentence, status=status):
                if sentence:
                    self._complain(sentence)
                return status
            case HostCommand() as command:
                self._stage.print(output_of(command, self._host, self._visit.account), Stream.OUT)
                return 0
            case OpenApp(name=name):
                raise AssertionError(f"{name} is opened on a terminal")

    def leave(self, farewell: str) -> None:
        """No screen was taken; what the apps still hold is given back."""
        for session in self._made:
            session.let_go()

    def _command(self, line: CommandLine) -> int:
        name = line.app.name
        run_async = partial(run_coroutine, kind=line.app.loop)
        return self._started(
            name,
            lambda: run_command(line, self._session(name), run_async=run_async),
            command=line.command or "",
        )

    def _display(self, name: str) -> int:
        app, display = self._app(name), self._visit.resources.display
        assert display is not None, "without a display nothing is shown on it"
        return self._started(name, lambda: app.x11(self._session(name), display) or 0)

    def _subsystem(self, name: str) -> int:
        if not self._host.access.serves(self._visit.account, name):
            self._complain(f"no app here serves the subsystem {clean(name, limit=40)} for you")
            return NOT_FOUND
        app = self._host.access.subsystem_app(name)
        if app is None:
            return self._copied(FileTransfers.sftp)
        return self._guarded(app.name, lambda: app.subsystem(self._session(app.name), name))

    def _started(self, name: str, run: Callable[[], int], **fields: object) -> int:
        """The same with a line in the log at both ends."""
        self._log.info(Event.APP_START, app=name, **fields)
        begun = time.monotonic()
        try:
            return self._guarded(name, run)
        finally:
            self._log.info(Event.APP_END, app=name, seconds=round(time.monotonic() - begun, 1))

    def _guarded(self, name: str, run: Callable[[], int]) -> int:
        """Has the app `name` do something; a mistake in it costs one sentence."""
        try:
            return exit_status(run() or 0)
        except (Disconnected, Signalled, ThreadStopped):
            raise
        except BaseException as error:  # noqa: BLE001 - the boundary between an app and the host
            return self._ended_by(name, error)

    def _copied(self, copy: Callable[[FileTransfers], int]) -> int:
        """The same for the files of all apps: the mistake is that of the app whose tree it is."""
        if not self._host.access.file_apps(self._visit.account):
            self._complain(NO_FILES)
            return FAILED
        folders = files_of(self._host, self._visit, self._session, self._log)
        share = self._host.share_of(self._visit.account)
        try:
            return copy(FileTransfers(folders, self._stage, self._complain, self._log, share))
        except (Disconnected, Signalled, ThreadStopped):
            raise
        except BaseException as error:
            known = isinstance(error, WrongTree) and error.app
            name = known or self._host.catalog.app_of(error)
            if not name:  # nobody's but the host's
                raise
            return self._ended_by(name, error)

    def _ended_by(self, name: str, error: BaseException) -> int:
        end = end_of(self._log, name, error)
        if end.sentence:
            self._complain(end.sentence)
        return end.status

    def _app(self, name: str) -> App:
        return self._host.catalog.apps[name].app

    def _session(self, name: str) -> Session:
        session = self._sessions.make(name, self._stage)
        self._made.append(session)
        return session

    def _complain(self, sentence: str) -> None:
        complain(self._host, self._stage, sentence)
