"""The apps of one terminal, one on top of another: a person's way from app to app on one terminal.

An app that ends leads back to the one that launched it, the keys of `menu.escape` lead home from
anywhere (the default app, where the person may open it), and an app that crashes costs one
sentence with an incident id.

Thread: the program's; `deliver`, `stop` and `evict` may be called from any.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tuihost.core.routing import Route
from tuihost.errors import Disconnected, new_incident
from tuihost.host.host import Host
from tuihost.host.presence import Entry
from tuihost.host.relay.client_resources import ClientResources
from tuihost.logs import Event, EventLog
from tuihost.plugin import App, Result
from tuihost.session.host_view import Account
from tuihost.session.other_apps import OtherApps
from tuihost.session.session import Launch, Session, Surroundings
from tuihost.terminal_facts import TerminalFacts
from tuihost.text import clean
from tuihost.tui.running.notices import notice
from tuihost.tui.running.runner import Escaped, Farewell, Force, Runner
from tuihost.tui.running.stages import LineStage, LoopStage
from tuihost.tui.terminal.terminal import Terminal
from tuihost.wire import Peer, SessionEvent

CRASHED, UNAVAILABLE = 70, 69


@dataclass(frozen=True, slots=True)
class Visit:
    """What is known of somebody when their program starts."""

    account: Account
    peer: Peer
    route: Route
    facts: TerminalFacts
    env: Mapping[str, str] = field(default_factory=dict)
    resources: ClientResources = field(default_factory=ClientResources)

    def surroundings(self, host: Host, log: EventLog, other_apps: OtherApps) -> Surroundings:
        """What is around the apps that this visit goes to."""
        return Surroundings(
            self.account,
            host,
            log,
            self.env,
            self.resources.display,
            self.resources.agent,
            other_apps,
        )


class AppStack:
    """One person at one terminal, for as long as they stay."""

    def __init__(
        self,
        host: Host,
        visit: Visit,
        terminal: Terminal,
        log: EventLog,
        complain: Callable[[str], None],
        other_apps: OtherApps,
    ) -> None:
        self._host = host
        self._visit = visit
        self._terminal = terminal
        self._log = log
        self._complain = complain
        self._other_apps = other_apps
        self._memory: dict[str, dict[str, Any]] = {}
        home = host.home_of(visit.account)
        self._home = home if home in host.names_for(visit.account) else None
        self._evicted = False
        self._runner: Runner | None = None
        self._lines: LineStage | None = None

    # ---------------------------------------------------------------- from other threads

    def deliver(self, event: SessionEvent) -> None:
        """Tells the app that runs now. Nobody hears it between two apps."""
        if self._lines is not None:
            self._lines.deliver(event)
        elif self._runner is not None:
            self._runner.stage.deliver(event)

    def stop(self, force: Force) -> None:
        """One step of the way out for somebody who is gone."""
        if self._runner is not None:
            self._runner.stop(force)

    @property
    def alternate(self) -> bool:
        """Whether the person's terminal was left on its alternate screen."""
        return self._runner is not None and self._runner.output.alternate

    def evict(self) -> None:
        """Ends it from outside, with the terminal given back."""
        self._evicted = True
        if self._runner is not None:
            self._runner.evict(Farewell())

    # ---------------------------------------------------------------- the way

    def go(self, name: str) -> int:
        """Begins with the app `name`, until the person leaves; the status of the first app."""
        account, terminal = self._visit.account, self._terminal
        entry = self._host.roster.enter(
            account,
            name,
            self._visit.peer,
            idle=lambda: time.monotonic() - terminal.touched,
            size=lambda: (terminal.facts.size.columns, terminal.facts.size.rows),
        )
        theme = self._host.theme_of(account)
        escape = None if terminal.facts.dumb else self._host.settings.menu.escape
        self._runner = Runner(terminal, theme, self._log, escape=escape)
        if terminal.facts.dumb:
            self._lines = LineStage(terminal, theme)
        if self._evicted:
            self._runner.evict(Farewell())
        try:
            return self._wander([name], entry)
        except Farewell:
            return 0
        finally:
            self._host.roster.leave(entry)
            self._runner.close()

    def _wander(self, stack: list[str], entry: Entry) -> int:
        while True:
            name = entry.app = stack[-1]
            try:
                result = self._run(name, last=len(stack) == 1)
            except Escaped:
                assert self._home is not None, "without a home nobody can escape"
                stack[:] = [self._home]
                continue
            match result:
                case Launch(app=app) if app in self._host.names_for(self._visit.account):
                    stack.append(app)
                case Launch(app=app):
                    self._show("Not here", f"No app is called {clean(app, limit=40)}.")
                case _:
                    stack.pop()
                    if not stack:
                        return result or 0

    def _run(self, name: str, *, last: bool) -> Result:
        """One app, from its first frame to its result; `last` where none waits behind it."""
        from_menu = self._home is not None and name != self._home
        app = self._host.catalog.apps[name].app
        self._host.used(self._visit.account, name)
        begun = time.monotonic()
        self._log.info(Event.APP_START, app=name)
        try:
            if self._lines is not None:
                return self._in_lines(app, self._lines, from_menu)
            return self._on_screen(app, from_menu)
        except (Disconnected, Escaped, Farewell):
            raise
        except Exception as error:  # noqa: BLE001 - the boundary between an app and the host
            return self._crashed(name, error, leaving=last)
        finally:
            self._log.info(Event.APP_END, app=name, seconds=round(time.monotonic() - begun, 1))

    def _session(self, app: App, stage: LoopStage, from_menu: bool) -> Session:
        stage.theme = self._host.theme_of(self._visit.account)
        return self._host.session(
            self._visit.surroundings(self._host, self._log, self._other_apps),
            app.name,
            stage,
            memory=self._memory.setdefault(app.name, {}),
            from_menu=from_menu,
        )

    def _on_screen(self, app: App, from_menu: bool) -> Result:
        runner = self._runner
        assert runner is not None
        runner.can_escape = from_menu
        session = self._session(app, runner.stage, from_menu)
        if app.has_screen:
            return runner.run_screen(lambda: app.build(session), app.loop)
        if app.has_talk:
            return runner.run_conversation(session, app.title, app.talk, app.loop)
        words = ", ".join(app.command_methods()) or "none"
        sentence = f"This app has commands only: {words}."
        return runner.run_screen(lambda: notice(app.title, sentence, "Enter goes back"))

    def _in_lines(self, app: App, stage: LineStage, from_menu: bool) -> Result:
        assert self._runner is not None
        session = self._session(app, stage, from_menu)
        if app.has_talk:
            return self._runner.run_talk(lambda: app.talk(session), stage, app.loop)

        async def explain() -> int:
            await stage.say(needs_terminal(app))
            return UNAVAILABLE

        return self._runner.run_talk(explain, stage)

    def _crashed(self, name: str, error: Exception, *, leaving: bool) -> int:
        sentence = crash(self._log, name, error)
        self._show("That did not work", sentence, leaving=leaving)
        return CRASHED

    def _show(self, title: str, sentence: str, *, leaving: bool = False) -> None:
        """One sentence of the host's own, where the person is now."""
        if self._lines is not None or self._runner is None:
            self._complain(sentence)
            return
        keys = "Enter leaves" if leaving else "Enter goes back"
        self._runner.can_escape = False
        self._runner.run_screen(lambda: notice(title, sentence, keys))


def crash(log: EventLog, app: str, error: Exception) -> str:
    """Logs the trace of an app's mistake under an incident id; the sentence for the person."""
    incident = new_incident()
    log.error(Event.APP_ERROR, trace=error, app=app, incident=incident)
    return f"{app} stopped because of a mistake in it. The operator finds it as {incident}."


def needs_terminal(app: App) -> str:
    """What somebody reads who opens a screen without a terminal."""
    text = f"{app.title} needs a terminal that can draw: ssh -t"
    commands = ", ".join(app.command_methods())
    return f"{text}. Without one it has these commands: {commands}." if commands else f"{text}."
