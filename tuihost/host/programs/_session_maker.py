"""The one place that makes a `Session`: what an app holds while it runs for somebody; its theme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tuihost.errors import TuihostError
from tuihost.host.helpers.pool import PersonHelpers
from tuihost.host.host import Host
from tuihost.host.programs.visit import Visit
from tuihost.logs import EventLog
from tuihost.session.host_view import Account
from tuihost.session.other_apps import OtherApps
from tuihost.session.session import Closes, Session, Stage, Surroundings, nothing_closes
from tuihost.theme.theme import Theme


@dataclass(slots=True)
class SessionTheme:
    """Which theme a session has at the moment. `light` is None until its terminal has said what it
    is. Threads: the program's sets `light`, any reads."""

    host: Host
    account: Account
    light: bool | None = None

    @property
    def now(self) -> Theme:
        return self.host.theme_of(self.account, self.light)


@dataclass(frozen=True, slots=True)
class SessionMaker:
    """Makes the sessions of one visit. Thread: the app's."""

    host: Host
    visit: Visit
    other_apps: OtherApps
    log: EventLog

    def make(
        self,
        name: str,
        stage: Stage,
        *,
        memory: dict[str, Any] | None = None,
        from_menu: bool = False,
        closes: Closes = nothing_closes,
        presence: int | None = None,
    ) -> Session:
        """A session of the app `name` on `stage`. Raises `TuihostError` if the person may not
        open it: whatever way led here, none of its code has run yet."""
        account = self.visit.account
        if not self.host.access.may_open(account, name):
            raise TuihostError(f"{account.name} may not open {name}")
        app = self.host.catalog.apps[name].app
        return Session(
            self._surroundings(name).seen_by(name, app.accepts),
            name,
            stage,
            data=app.data,
            memory=memory,
            from_menu=from_menu,
            closes=closes,
            presence=presence,
        )

    def _surroundings(self, name: str) -> Surroundings:
        visit, log = self.visit, self.log.bound(app=name)
        share = self.host.share_of(visit.account)
        return Surroundings(
            visit.account,
            self.host,
            self.log,
            visit.env,
            visit.resources.display,
            visit.resources.agent,
            self.other_apps,
            PersonHelpers(self.host.helpers, visit.account.key, log, share),
            share,
        )
