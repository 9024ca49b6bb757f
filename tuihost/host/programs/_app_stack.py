"""The apps of one terminal, one on top of another: how a person goes from app to app.

An app that ends leads back to the one that launched it, the keys of `menu.escape` lead home from
anywhere (to the default app, if the person may open it), and an app that crashes costs one
sentence with an incident id.

Thread: the program's; `deliver`, `stop` and `end` may be called from any.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tuihost.core.exit_statuses import UNAVAILABLE
from tuihost.core.routing import OpenApp
from tuihost.errors import Disconnected
from tuihost.host.host import Host
from tuihost.host.presence import TerminalSession
from tuihost.host.programs._incidents import end_of
from tuihost.host.programs._no_app import complain, needs_terminal
from tuihost.host.programs._session_maker import SessionMaker, SessionTheme
from tuihost.host.programs._stopping import ThreadStopped
from tuihost.host.programs.visit import Visit
from tuihost.logs import Event, EventLog
from tuihost.plugin import App
from tuihost.session.held_memory import HeldMemory
from tuihost.session.session import Launch, Result, Session, nothing_closes
from tuihost.text import clean
from tuihost.tui.running.command_stages import CommandStage
from tuihost.tui.running.line_stage import LineStage
from tuihost.tui.running.notices import notice
from tuihost.tui.running.runner import EndedByHost, ReturnToMenu, Runner, StopStep
from tuihost.tui.running.stages import LoopStage
from tuihost.tui.terminal.output import restore
from tuihost.tui.terminal.terminal import Terminal
from tuihost.wire import ByteChannel, Cancellable, SessionEvent, WindowChange, WindowSize

FLUSH_TIMEOUT = 1.0
"""Seconds that a person's line has to take what gives their terminal back."""


class AppStack:
    """One person at one terminal, for as long as they stay. Implements `program.Work`."""

    def __init__(
        self,
        host: Host,
        channel: ByteChannel,
        visit: Visit,
        sessions: SessionMaker,
        theme: SessionTheme,
        log: EventLog,
        show_out: Callable[[str], None],
    ) -> None:
        self.terminal = Terminal(channel, visit.facts)
        self._host = host
        self._channel = channel
        self._visit = visit
        self._sessions = sessions
        self._theme = theme
        self._log = log
        self._show_out = show_out
        self._memory: dict[str, dict[str, Any]] = {}
        self._home = host.access.home_of(visit.account)
        self._ended_by_host = self._over = False
        self._runner: Runner | None = None
        self._lines: LineStage | None = None
        self._idle: Cancellable | None = None
        self._presence: int | None = None

    # ---------------------------------------------------------------- from other threads

    def deliver(self, event: SessionEvent) -> None:
        """Tells the terminal, and the app that runs now. Nobody hears it between two apps."""
        if isinstance(event, WindowChange):
            size = WindowSize.clamped(event.columns, event.rows, self._visit.facts.size)
            self.terminal.resize(size)
        if self._lines is not None:
            self._lines.deliver(event)
        elif self._runner is not None:
            self._runner.stage.deliver(event)

    def stop(self, step: StopStep) -> None:
        """The person is gone: one step of the way out."""
        if self._runner is not None:
            self._runner.stop(step)

    def end(self) -> None:
        """Ends it from outside, with the terminal given back."""
        self._ended_by_host = True
        if self._runner is not None:
            self._runner.end(EndedByHost())
        if self._lines is not None:
            self._lines.hurry()

    # ---------------------------------------------------------------- the whole of it

    def play(self) -> int:
        """From the app that the person came for until they leave; the status of that app."""
        assert isinstance(self._visit.route, OpenApp), "everything else needs no terminal"
        self._watch_idle()
        try:
            return self._go(self._visit.route.name)
        finally:
            self._over = True
            if self._idle is not None:
                self._idle.cancel()

    def leave(self, farewell: str) -> None:
        """Gives the terminal back, with the sentence `farewell` on the screen from before."""
        terminal, runner = self.terminal, self._runner
        if terminal.drawn and terminal.facts.pty:
            text = f"{farewell}\r\n" if farewell else ""
            goodbye = restore(terminal.facts) if runner is None else runner.output.restore()
            terminal.write(goodbye + text.encode())
        elif farewell and terminal.facts.pty:
            terminal.write(f"{farewell}\r\n".encode())
        terminal.flush(FLUSH_TIMEOUT)
        if runner is not None:
            runner.background.take_in(terminal)

    def _watch_idle(self) -> None:
        """Shows out somebody who has not pressed a key for `limits.idle` seconds; until then it
        looks again when these could be over."""
        limit = self._host.settings.limits.idle
        if not limit or self._over:
            return
        left = limit - self._idle_for()
        if left > 0:
            self._idle = self._host.watchdog.call_later(left, self._watch_idle)
        else:
            self._show_out("Nobody pressed a key for a while, so the session has ended.")

    def _idle_for(self) -> float:
        return time.monotonic() - self.terminal.touched

    def _size(self) -> tuple[int, int]:
        size = self.terminal.facts.size
        return size.columns, size.rows

    # ---------------------------------------------------------------- the way

    def _go(self, name: str) -> int:
        account, terminal = self._visit.account, self.terminal
        here = self._host.roster.enter(
            account, name, self._visit.peer, idle=self._idle_for, size=self._size
        )
        self._presence = here.id
        theme = self._theme.now
        escape = None if terminal.facts.dumb else self._host.settings.menu.escape
        pasted = HeldMemory(self._host.share_of(account))
        self._runner = runner = Runner(terminal, theme, self._log, escape=escape, pasted=pasted)
        runner.background.on_answer = lambda: self._suit(runner)
        if terminal.facts.dumb:
            self._lines = LineStage(terminal, theme)
        if self._ended_by_host:
            self._runner.end(EndedByHost())
        try:
            return self._go_about([name], here)
        except EndedByHost:
            return 0
        finally:
            self._host.roster.leave(here)
            self._runner.close()

    def _suit(self, runner: Runner) -> None:
        """The terminal has said whether it is light: the screen follows, unless what it shows was
        chosen for it."""
        before, stage = self._theme.now, runner.stage
        self._theme.light = runner.background.light
        stage.theme_changed(self._theme.now if stage.theme is before else stage.theme)

    def _go_about(self, stack: list[str], here: TerminalSession) -> int:
        while True:
            name = here.app = stack[-1]
            try:
                result = self._run(name, last=len(stack) == 1)
            except ReturnToMenu:
                assert self._home is not None, "without a home nobody can escape"
                stack[:] = [self._home]
                continue
            match result:
                case Launch(app=app) if app in self._host.access.names_for(self._visit.account):
                    stack.append(app)
                case Launch(app=app):
                    self._show("Not here", f"No app is called {clean(app, limit=40)}.")
                case _ if len(stack) > 1:
                    stack.pop()
                case _ if self._may_leave(name):
                    return result or 0

    def _may_leave(self, name: str) -> bool:
        """Whether the person leaves the host with the app `name`, their last one: they are asked if
        that closes something for others."""
        closing = self._visit.closes()
        if not closing or not self.terminal.facts.pty:  # a script has nobody to ask
            return True
        from tuihost.tui.running.leaving import LEAVES, ask_to_leave, leave_screen  # rarely needed

        assert self._runner is not None
        app = self._host.catalog.apps[name].app
        session = self._session(app, self._lines or self._runner.stage, from_menu=False, last=False)
        if self._lines is not None:
            answer = self._runner.run_talk(lambda: ask_to_leave(session, closing), self._lines)
        else:
            self._runner.can_escape = False
            answer = self._runner.run_screen(lambda: leave_screen(session, app.title, closing))
        return answer == LEAVES

    def _run(self, name: str, *, last: bool) -> Result:
        """One app, from its first frame to its result; `last` if no other waits behind it."""
        from_menu = self._home is not None and name != self._home
        app = self._host.catalog.apps[name].app
        self._host.used(self._visit.account, name)
        begun = time.monotonic()
        self._log.info(Event.APP_START, app=name)
        session: Session | None = None
        try:
            assert self._runner is not None
            session = self._session(app, self._lines or self._runner.stage, from_menu, last)
            if self._lines is not None:
                return self._in_lines(app, session)
            return self._on_screen(app, session)
        except (Disconnected, ReturnToMenu, EndedByHost, ThreadStopped):
            raise
        except BaseException as error:  # noqa: BLE001 - the boundary between an app and the host
            return self._crashed(name, error, leaving=last)
        finally:
            if session is not None:
                session.let_go()
            self._log.info(Event.APP_END, app=name, seconds=round(time.monotonic() - begun, 1))

    def _session(self, app: App, stage: LoopStage, from_menu: bool, last: bool) -> Session:
        stage.theme = self._theme.now
        memory = self._memory.setdefault(app.name, {})
        return self._sessions.make(
            app.name,
            stage,
            memory=memory,
            from_menu=from_menu,
            closes=self._visit.closes if last else nothing_closes,
            presence=self._presence,
        )

    def _on_screen(self, app: App, session: Session) -> Result:
        runner = self._runner
        assert runner is not None
        runner.can_escape = session.from_menu
        if app.has_screen:
            return runner.run_screen(lambda: app.build(session), app.loop, session)
        if app.has_talk:
            return runner.run_talk_screen(session, app.title, app.talk, app.loop)
        words = ", ".join(app.command_methods())
        sentence = f"This app has commands only: {words}." if words else "This app has no screen."
        return runner.run_screen(lambda: notice(app.title, sentence, "Enter goes back"))

    def _in_lines(self, app: App, session: Session) -> Result:
        stage = self._lines
        assert self._runner is not None
        assert stage is not None
        if app.has_talk:
            return self._runner.run_talk(lambda: app.talk(session), stage, app.loop)

        async def explain() -> int:
            await stage.say(needs_terminal(app, session.ssh_target))
            return UNAVAILABLE

        return self._runner.run_talk(explain, stage)

    def _crashed(self, name: str, error: BaseException, *, leaving: bool) -> int:
        end = end_of(self._log, name, error)
        if end.sentence:
            self._show("That did not work", end.sentence, leaving=leaving)
        return end.status

    def _show(self, title: str, sentence: str, *, leaving: bool = False) -> None:
        """One sentence of the host's own, on the screen or as a line."""
        if self._lines is not None or self._runner is None:
            stage = CommandStage(self._channel, self._visit.facts, self._theme.now)
            complain(self._host, stage, sentence)
            return
        keys = "Enter leaves" if leaving else "Enter goes back"
        self._runner.can_escape = False
        self._runner.run_screen(lambda: notice(title, sentence, keys))
