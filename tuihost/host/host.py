"""The Host: everything that the sessions of one process share, with or without SSH.

It implements `session.HostView`, the part of itself that apps may look at. Threads: any, after
`start`.
"""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import tuihost
from tuihost.core.accepts import TERMINAL_ENV, Accepts, ForwardRule, SocketRule
from tuihost.errors import TuihostError
from tuihost.host._thread_budget import ThreadBudget
from tuihost.host._watchdog import Watchdog
from tuihost.host.login.approval_desk import ApprovalDesk, may_answer
from tuihost.host.login.hosted_account import HostedAccount, Inside
from tuihost.host.login.services import LoginServices
from tuihost.host.login.visitor import Visitor
from tuihost.host.plugins.app_catalog import Catalog, may_use, note_use
from tuihost.host.presence import Roster
from tuihost.host.store.preferences import AccountPreferences, PreferenceStore
from tuihost.login.approvals import ApprovalsView
from tuihost.logs import Event, EventLog
from tuihost.plugin import App
from tuihost.session.host_view import Account, AppCard, Gauges, HostKeyCard, Presence
from tuihost.session.own_account import OwnAccount
from tuihost.settings.models import Settings
from tuihost.theme.theme import Theme
from tuihost.wire import Identity, Peer, SocketAddress, TcpAddress

SFTP = "sftp"
"""The subsystem that the host itself serves, where no app does."""


class Host:
    """The running host."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        log: EventLog,
        *,
        keys: tuple[HostKeyCard, ...] = (),
        state_dir: Path | None = None,
        login_services: LoginServices | None = None,
    ) -> None:
        self.settings = settings
        self.catalog = catalog
        self.log = log
        self.login_services = login_services
        self.roster = Roster(self.now)
        self.watchdog = Watchdog(log)
        self.stuck_threads = 0
        self.threads = ThreadBudget()
        self.connections = 0
        self.address: TcpAddress | None = None
        self._keys = keys
        self._state_dir = state_dir or settings.server.state_dir
        self._started = time.monotonic()
        self._default_theme = self._theme(settings.server.theme)
        self._count_lock = threading.Lock()
        self._inside: dict[int, Inside] = {}

    def _theme(self, name: str) -> Theme:
        themes = self.catalog.themes
        if name in themes:
            return themes[name]
        raise TuihostError(f"no theme is called {name!r}; there are: {', '.join(sorted(themes))}")

    def start(self) -> None:
        """Opens what is kept on disk and starts the apps."""
        self._state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.preference_store = PreferenceStore(self._state_dir / "host.sqlite3", self.log)
        self.watchdog.start()
        self.catalog.start(self._state_dir)
        self.env_patterns = (*TERMINAL_ENV, *self.catalog.env_patterns())

    def stop(self) -> None:
        """Stops the apps and closes what is kept on disk."""
        self.catalog.stop()
        self.watchdog.stop()
        self.preference_store.close()
        if self.login_services is not None:
            self.login_services.close()

    # ---------------------------------------------------------------- who may use what

    def theme_of(self, account: Account) -> Theme:
        chosen = self.preferences(account).get("theme")
        return self.catalog.themes.get(chosen, self._default_theme)

    def names_for(self, account: Account) -> frozenset[str]:
        """The apps that this account may use, hidden ones too."""
        if isinstance(account, Visitor):
            return account.apps
        return frozenset(name for name in self.catalog.apps if self.may_open(account, name))

    def may_open(self, account: Account, app: str) -> bool:
        """Whether the app accepts this account, and the operator lets it in: by its roles, by how
        it logged in, and by what the key says that it came with. Decided once, at the login."""
        if isinstance(account, Visitor):
            return account.may_open(app)
        return may_use(self.catalog.apps[app].app, account)

    def may_run(self, account: Account, app: str, command: str) -> bool:
        """Whether they may run that command of an app that they may open."""
        return not isinstance(account, Visitor) or account.may_run(app, command)

    def home_of(self, account: Account) -> str | None:
        """The app that all others lead back to: the default one. For somebody who is confined to
        one app it is that app; None where the default one is closed to them."""
        confined = account.confined if isinstance(account, Visitor) else None
        home = self.default_app if confined is None else confined
        return home if home in self.names_for(account) else None

    # ---------------------------------------------------------------- who came in

    def come_in(
        self, number: int, identity: Identity, peer: Peer, close: Callable[[str], None]
    ) -> Visitor:
        """Somebody logged in over the connection `number`, which `close` ends."""
        services = self.login_services
        login_chains = None if services is None else services.login_chains
        apps = {name: loaded.app.accepts for name, loaded in self.catalog.apps.items()}
        visitor = Visitor.of(identity, self.settings, login_chains, apps, number)
        with self._count_lock:
            self._inside[number] = Inside(visitor, peer, self.now(), close)
        return visitor

    def go_out(self, number: int) -> None:
        """The connection is over."""
        with self._count_lock:
            self._inside.pop(number, None)

    def inside(self) -> tuple[Inside, ...]:
        """Who is logged in, longest first."""
        with self._count_lock:
            return tuple(self._inside.values())

    def own_account(self, account: Account) -> OwnAccount | None:
        """What somebody may do with their own account; None for guests, and where there are no
        accounts."""
        if self.login_services is None or not isinstance(account, Visitor) or account.guest:
            return None
        return HostedAccount(self.login_services, account, self.inside)

    def approvals(self, account: Account) -> ApprovalsView | None:
        """Who waits to be let in; None for those whose roles do not let them decide about that."""
        if (
            self.login_services is None
            or not isinstance(account, Visitor)
            or not may_answer(account)
        ):
            return None
        return ApprovalDesk(self.login_services, account, self.log)

    def used(self, account: Account, app: str) -> None:
        """Remembers when an app was opened, for the menu's order."""
        if app != self.default_app:
            note_use(self.preferences(account), app, self.now())

    def subsystem_app(self, name: str) -> App | None:
        """The app that serves the subsystem `name`."""
        for loaded in self.catalog.apps.values():
            if name in loaded.app.accepts.subsystems:
                return loaded.app
        return None

    def serves(self, account: Account, subsystem: str) -> bool:
        """Whether an app that they may open serves the subsystem; the host itself serves files."""
        app = self.subsystem_app(subsystem)
        if app is None and subsystem == SFTP:
            return bool(self.file_apps(account))
        return app is not None and self.may_open(account, app.name)

    def file_apps(self, account: Account) -> tuple[App, ...]:
        """The apps that serve files to somebody who may open them."""
        apps = (loaded.app for loaded in self.catalog.apps.values())
        return tuple(app for app in apps if app.has_files and self.may_open(account, app.name))

    def forward_app(self, account: Account, target: SocketAddress) -> App | None:
        """The app that answers that target for somebody who may open it."""
        return self._claimant(account, target, lambda accepts: accepts.forwards)

    def listen_app(self, account: Account, address: SocketAddress) -> App | None:
        """The app that takes that address for somebody who may open it."""
        return self._claimant(account, address, lambda accepts: accepts.listens)

    def _claimant(
        self,
        account: Account,
        address: SocketAddress,
        rules_of: Callable[[Accepts], Sequence[ForwardRule | SocketRule]],
    ) -> App | None:
        """An app that names it exactly comes before one with a pattern for it."""
        found = [
            (not rule.exact, loaded.app)
            for loaded in self.catalog.apps.values()
            for rule in rules_of(loaded.app.accepts)
            if rule.matches(address)
        ]
        if not found:
            return None
        app = min(found, key=lambda one: one[0])[1]
        return app if self.may_open(account, app.name) else None

    def script_for(self, account: Account) -> tuple[str, ...]:
        """The command that reads lines where there is no terminal; nothing where that is not
        theirs to run."""
        app, *words = self.settings.server.script.split() or [""]
        may = app in self.catalog.apps and self.may_open(account, app)
        return (app, *words) if may and self.may_run(account, app, " ".join(words)) else ()

    def why_no_x11(self, account: Account) -> str | None:
        """Why no app shows anything on the screen that somebody brings."""
        if isinstance(account, Visitor) and not account.rights.x11:
            return "their roles give no X11"
        wanted = any(self.catalog.apps[name].app.accepts.x11 for name in self.names_for(account))
        return None if wanted else "no app here takes X11"

    def why_no_agent(self, account: Account) -> str | None:
        """Why no app uses the agent that somebody brings."""
        if isinstance(account, Visitor) and not account.rights.agent:
            return "their roles give no agent"
        wanted = any(self.catalog.apps[name].app.accepts.agent for name in self.names_for(account))
        return None if wanted else "no app here takes an agent"

    def count_stuck(self, change: int) -> None:
        with self._count_lock:
            self.stuck_threads += change

    # ---------------------------------------------------------------- HostView

    @property
    def name(self) -> str:
        return self.settings.server.name

    @property
    def version(self) -> str:
        return tuihost.__version__

    @property
    def escape_label(self) -> str:
        key = self.settings.menu.escape
        return f"^{key[2:].upper()}" if key.startswith("c-") else key.upper()

    @property
    def default_app(self) -> str:
        return self.settings.server.default_app

    def now(self) -> float:
        return time.time()

    def apps(self, account: Account) -> tuple[AppCard, ...]:
        cards = self.catalog.cards(account, self.preferences(account))
        if not isinstance(account, Visitor):
            return cards
        return tuple(
            replace(card, commands=tuple(c for c in card.commands if account.may_run(card.name, c)))
            for card in cards
            if account.may_see(card.name)
        )

    def people(self) -> tuple[Presence, ...]:
        return self.roster.people()

    def keys(self) -> tuple[HostKeyCard, ...]:
        return self._keys

    def gauges(self) -> Gauges:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return Gauges(
            uptime=time.monotonic() - self._started,
            connections=self.connections,
            sessions=self.roster.count,
            sessions_total=self.roster.total,
            threads=threading.active_count(),
            stuck_threads=self.stuck_threads,
            memory_bytes=_resident_bytes(),
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            load=os.getloadavg(),
        )

    def themes(self) -> tuple[Theme, ...]:
        return tuple(theme for _, theme in sorted(self.catalog.themes.items()))

    def preferences(self, account: Account) -> AccountPreferences:
        return self.preference_store.of(account.key)


def _resident_bytes() -> int:
    """Memory of this process: now where the system tells (Linux), else the most it ever was."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return int(pages) * resource.getpagesize()


def log_start(host: Host) -> None:
    """One line that tells which host this is and what it serves."""
    host.log.info(
        Event.HOST_START,
        version=host.version,
        address=host.address,
        apps=len(host.catalog.apps),
        broken=len(host.catalog.broken),
        themes=len(host.catalog.themes),
        pid=os.getpid(),
    )
