"""A Program: what one session runs, on a thread of its own, from the grant to the exit status.

A person at a terminal goes from app to app on it: an app that ends leads back to the one that
launched it, the keys of `menu.escape` lead to the default app from anywhere, and an app that
crashes costs one sentence with an incident id. Commands and subsystems run once.

When the person is gone the program gets `STOP_LADDER`, one step after the other; one that is
deaf to all of them is abandoned by name in the log, and its thread is counted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from tuihost.app import App
from tuihost.commands import run_command
from tuihost.core.routing import (
    BadCommand,
    NoSuchApp,
    OpenApp,
    OpenSubsystem,
    Route,
    RunCommand,
)
from tuihost.errors import Disconnected, new_incident
from tuihost.host.host import Host
from tuihost.host.roster import Entry
from tuihost.logs import Event, EventLog
from tuihost.session import Account, Launch, Session
from tuihost.terminal import TerminalFacts
from tuihost.text import clean
from tuihost.tui.loop import run as run_coroutine
from tuihost.tui.output import restore
from tuihost.tui.pages import notice
from tuihost.tui.runner import Escaped, Farewell, Force, Result, Runner, raise_in
from tuihost.tui.stages import CommandStage, LineStage, LoopStage, Signalled
from tuihost.tui.terminal import Terminal
from tuihost.wire import (
    ByteChannel,
    Cancellable,
    Exit,
    ExitSignal,
    ExitStatus,
    Peer,
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
NOT_FOUND, CRASHED, UNAVAILABLE = 127, 70, 69


@dataclass(frozen=True, slots=True)
class Visit:
    """What is known when a program starts."""

    account: Account
    peer: Peer
    route: Route
    facts: TerminalFacts
    env: Mapping[str, str] = field(default_factory=dict)


class Program:
    """One program of one session. Everything but the constructor, `start`, `event`, `gone` and
    `farewell` happens on its own thread."""

    def __init__(self, host: Host, channel: ByteChannel, visit: Visit, log: EventLog) -> None:
        self.host = host
        self.channel = channel
        self.visit = visit
        self._log = log.bound(user=visit.account.name)
        self._memory: dict[str, dict[str, Any]] = {}
        self._terminal: Terminal | None = None
        self._runner: Runner | None = None
        self._stage: CommandStage | LoopStage | None = None
        self._lines: LineStage | None = None
        self._farewell = ""
        self._ladder: list[Cancellable] = []
        self._idle: Cancellable | None = None
        self._stuck = False
        self._ended = threading.Event()
        self.thread = threading.Thread(target=self.run, name=f"app-{channel.number}", daemon=True)

    def start(self, name: str) -> None:
        self.thread.name = name
        self.thread.start()

    # ---------------------------------------------------------------- from other threads

    def event(self, event: SessionEvent) -> None:
        """Something happened in the session. Any thread."""
        if isinstance(event, WindowChange):
            self._resized(WindowSize.clamped(event.columns, event.rows, self.visit.facts.size))
        elif self._stage is not None:
            self._stage.deliver(event)
            self.channel.nudge()

    def _resized(self, size: WindowSize) -> None:
        if self._terminal is not None:
            self._terminal.resize(size)
        elif isinstance(self._stage, CommandStage):
            self._stage.facts = self._stage.facts.resized(size)

    def gone(self) -> None:
        """The person is gone: the ladder begins. Any thread; does nothing after the end."""
        if self._ended.is_set() or self._ladder:
            return
        timer = self.host.watchdog
        for seconds, force in STOP_LADDER:
            self._ladder.append(timer.call_later(seconds, self._forced(force)))
        self._ladder.append(timer.call_later(ABANDON_AFTER, self._abandon))

    def _forced(self, force: Force) -> Callable[[], None]:
        def act() -> None:
            if self._ended.is_set():
                return
            if force is Force.RAISE:
                self._log.warning(Event.APP_STUCK, thread=self.thread.name)
                raise_in(self.thread)
            elif self._runner is not None:
                self._runner.stop(force)

        return act

    def _abandon(self) -> None:
        if not self._ended.is_set():
            self._stuck = True
            self.host.count_stuck(+1)
            self._log.error(Event.APP_ABANDONED, thread=self.thread.name)

    def farewell(self, sentence: str) -> None:
        """The host closes: ends the program and leaves `sentence` on the person's screen."""
        self._farewell = sentence
        if self._runner is not None:
            self._runner.evict(Farewell())
        elif isinstance(self._stage, CommandStage):
            self._stage.end_with_signal("TERM")
            self.channel.nudge()

    def join(self, timeout: float) -> bool:
        return self._ended.wait(timeout)

    def _watch_idle(self) -> None:
        """Shows out who has not pressed a key for `limits.idle` seconds. Looks only then."""
        limit, terminal = self.host.settings.limits.idle, self._terminal
        if not limit or terminal is None or self._ended.is_set():
            return
        left = limit - (time.monotonic() - terminal.touched)
        if left > 0:
            self._idle = self.host.watchdog.call_later(left, self._watch_idle)
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
        match self.visit.route:
            case OpenApp(name=name):
                return ExitStatus(self._open(name))
            case RunCommand(app=name, words=words):
                return ExitStatus(self._command(name, words))
            case OpenSubsystem(name=name):
                return ExitStatus(self._subsystem(name))
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
            self.channel.finish(end)
        finally:
            self._ended.set()
            for step in (*self._ladder, self._idle):
                if step is not None:
                    step.cancel()
            if self._stuck:
                self.host.count_stuck(-1)
            self._runner = self._terminal = self._stage = None
            self._log.info(Event.SESSION_END, exit=_exit_text(end), seconds=round(seconds, 1))

    def _give_back(self, terminal: Terminal) -> None:
        if terminal.drawn and terminal.facts.pty:
            text = f"{self._farewell}\r\n" if self._farewell else ""
            goodbye = b"" if terminal.facts.dumb else restore(terminal.facts)
            terminal.write(goodbye + text.encode())
        terminal.flush(FLUSH_TIMEOUT)

    # ---------------------------------------------------------------- apps on a terminal

    def _open(self, name: str) -> int:
        """Goes from app to app until the person leaves; the status of the first one."""
        self._terminal = terminal = Terminal(self.channel, self.visit.facts)
        account, default = self.visit.account, self.host.default_app
        entry = self.host.roster.enter(
            account,
            name,
            self.visit.peer,
            idle=lambda: time.monotonic() - terminal.touched,
            size=lambda: (terminal.facts.size.columns, terminal.facts.size.rows),
        )
        self._watch_idle()
        try:
            if terminal.facts.dumb:
                runner = None
            else:
                theme = self.host.theme_of(account)
                runner = self._runner = Runner(
                    terminal, theme, self._log, escape=self.host.settings.menu.escape
                )
            return self._wander([name], entry, runner, default)
        finally:
            self.host.roster.leave(entry)
            if self._runner is not None:
                self._runner.close()

    def _wander(self, stack: list[str], entry: Entry, runner: Runner | None, default: str) -> int:
        while True:
            name = entry.app = stack[-1]
            try:
                result = self._run_app(name, runner, from_menu=name != default)
            except Escaped:
                stack[:] = [default]
                continue
            except Farewell:
                return 0
            match result:
                case Launch(app=app) if app in self.host.names_for(self.visit.account):
                    stack.append(app)
                case Launch(app=app):
                    self._show(runner, "Not here", f"No app is called {clean(app, limit=40)}.")
                case _:
                    stack.pop()
                    if not stack:
                        return result or 0

    def _run_app(self, name: str, runner: Runner | None, *, from_menu: bool) -> Result:
        app = self.host.catalog.apps[name].app
        self.host.used(self.visit.account, name)
        begun = time.monotonic()
        self._log.info(Event.APP_START, app=name)
        try:
            if runner is None:
                return self._run_in_lines(app, from_menu)
            runner.can_escape = name != self.host.default_app
            return self._run_on_screen(app, runner, from_menu)
        except (Disconnected, Escaped, Farewell):
            raise
        except Exception as error:  # noqa: BLE001 - the boundary between an app and the host
            return self._crashed(name, error, runner, last=not from_menu)
        finally:
            self._log.info(Event.APP_END, app=name, seconds=round(time.monotonic() - begun, 1))

    def _session(self, app: App, stage: Any, from_menu: bool = False) -> Session:
        return self.host.session(
            self.visit.account,
            app.name,
            stage,
            env=self.visit.env,
            memory=self._memory.setdefault(app.name, {}),
            from_menu=from_menu,
            log=self._log,
        )

    def _run_on_screen(self, app: App, runner: Runner, from_menu: bool) -> Result:
        stage = self._stage = runner.stage
        session = self._session(app, stage, from_menu)
        stage.theme = session.theme
        if app.has_screen:
            return runner.run_screen(lambda: app.build(session), app.loop)
        if app.has_talk:
            return runner.run_conversation(session, app.title, app.talk, app.loop)
        words = ", ".join(app.command_methods()) or "none"
        return runner.run_screen(
            lambda: notice(app.title, f"This app has commands only: {words}.", "Enter goes back")
        )

    def _run_in_lines(self, app: App, from_menu: bool) -> Result:
        assert self._terminal is not None
        if self._lines is None:
            self._lines = LineStage(self._terminal, self.host.theme_of(self.visit.account))
        stage = self._stage = self._lines
        session = self._session(app, stage, from_menu)
        runner = self._runner = self._line_runner(stage)
        if app.has_talk:
            return runner.run_talk(lambda: app.talk(session), stage, app.loop)

        async def explain() -> int:
            await stage.say(_needs_terminal(app))
            return UNAVAILABLE

        return runner.run_talk(explain, stage)

    def _line_runner(self, stage: LineStage) -> Runner:
        if self._runner is not None:
            return self._runner
        return Runner(stage.terminal, stage.theme, self._log, escape=None)

    def _crashed(self, name: str, error: Exception, runner: Runner | None, *, last: bool) -> int:
        incident = new_incident()
        self._log.error(Event.APP_ERROR, trace=error, app=name, incident=incident)
        sentence = (
            f"{name} stopped because of a mistake in it. The operator finds it as {incident}."
        )
        self._show(runner, "That did not work", sentence, leaving=last)
        return CRASHED

    def _show(
        self, runner: Runner | None, title: str, sentence: str, *, leaving: bool = False
    ) -> None:
        """One sentence of the host's own, where the person is now."""
        if runner is None or self._terminal is None:
            self._complain(sentence)
            return
        keys = "Enter leaves" if leaving else "Enter goes back to the menu"
        runner.can_escape = False
        runner.run_screen(lambda: notice(title, sentence, keys))

    # ---------------------------------------------------------------- commands, subsystems

    def _command(self, name: str, words: tuple[str, ...]) -> int:
        app = self.host.catalog.apps[name].app
        if not words and not app.command_methods() and app.has_talk:
            return self._open(name)
        stage = self._stage = CommandStage(
            self.channel, self.visit.facts, self.host.theme_of(self.visit.account)
        )
        session = self._session(app, stage)
        self._log.info(Event.APP_START, app=name, command=words[0] if words else "")
        try:
            return run_command(app, session, words, run_async=run_coroutine)
        except (Disconnected, Signalled):
            raise
        except Exception as error:  # noqa: BLE001 - the boundary between an app and the host
            incident = new_incident()
            self._log.error(Event.APP_ERROR, trace=error, app=name, incident=incident)
            self._complain(
                f"{name} stopped because of a mistake in it. The operator finds it as {incident}."
            )
            return CRASHED
        finally:
            self._log.info(Event.APP_END, app=name)

    def _subsystem(self, name: str) -> int:
        app = self.host.subsystem_app(name)
        if app is None:
            self._complain(f"no app here serves the subsystem {clean(name, limit=40)}")
            return NOT_FOUND
        stage = self._stage = CommandStage(
            self.channel, self.visit.facts, self.host.theme_of(self.visit.account)
        )
        return app.subsystem(self._session(app, stage), name)

    def _no_such_app(self, name: str) -> int:
        shown = clean(name, limit=40)
        known = sorted(self.host.names_for(self.visit.account))
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
        broken = next((one for one in self.host.catalog.broken if one.name == name), None)
        if broken is not None:
            self._complain(f"{shown} is out of order at the moment; the operator knows why.")
        else:
            self._complain(f"no app is called {shown}; {hint}")
        return NOT_FOUND

    def _complain(self, sentence: str) -> None:
        """One sentence on standard error, or on the only screen that a pty has."""
        pty = self.visit.facts.pty
        line = f"{self.host.name}: {sentence}" + ("\r\n" if pty else "\n")
        data = line.encode()
        while data and not self.channel.closed:
            data = data[self.channel.write(data, Stream.OUT if pty else Stream.ERR) :]
            if data:
                self.channel.wait(lambda: not self.channel.congested, FLUSH_TIMEOUT)


def _needs_terminal(app: App) -> str:
    """What somebody reads who opens a screen without one."""
    text = f"{app.title} needs a terminal that can draw: ssh -t"
    commands = ", ".join(app.command_methods())
    return f"{text}. Without one it has these commands: {commands}." if commands else f"{text}."


def _exit_text(end: Exit) -> str:
    return end.name if isinstance(end, ExitSignal) else str(end.code)
