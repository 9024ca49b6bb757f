"""The Host: everything that the sessions of one process share, with or without SSH.

It implements `session.HostView`, the part of itself that apps may look at. Threads: any, after
`start`.
"""

from __future__ import annotations

import os
import resource
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

import tuihost
from tuihost.accounts import StoreError
from tuihost.core.budget.ledger import FREE, Holder, Share
from tuihost.core.environment import TERMINAL_ENV
from tuihost.core.login.account_names import as_label, folded
from tuihost.core.sources import Networks, SourceBlocks
from tuihost.errors import TuihostError
from tuihost.files.tree import FileTree
from tuihost.host._watchdog import Watchdog
from tuihost.host.access import Access
from tuihost.host.budget.budget import Budget, bounds_of
from tuihost.host.helpers.pool import HelperPool
from tuihost.host.login.approval_desk import ApprovalDesk, may_answer
from tuihost.host.login.hosted_account import HostedAccount, Inside
from tuihost.host.login.services import LoginServices
from tuihost.host.login.visitor import Visitor
from tuihost.host.plugins.app_catalog import Catalog, note_use
from tuihost.host.presence import Roster
from tuihost.host.store.preferences import AccountPreferences, PreferenceStore
from tuihost.login.approvals import ApprovalsView
from tuihost.logs import Event, EventLog
from tuihost.session.host_view import Account, AppCard, Gauges, HostKeyCard, Presence
from tuihost.session.own_account import OwnAccount
from tuihost.settings.models import Settings
from tuihost.text import clean
from tuihost.theme.theme import Theme
from tuihost.wire import Identity, Peer, SocketAddress, TcpAddress

STOPPING_TIMEOUT = 1.5
"""Seconds at the end that threads have whose work nobody wants any more: by then, all that the
watchdog tries with them has been tried."""


class Ending(Protocol):
    """The end of a thread whose work nobody wants any more."""

    def wait(self, timeout: float) -> bool:
        """Waits for it; False after `timeout` seconds."""


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
        if login_services is not None:
            login_services.app_names = frozenset(catalog.apps)
        self.roster = Roster(self.now)
        self.watchdog = Watchdog(log)
        self.stuck_threads = 0
        self.endings: set[Ending] = set()
        self.budget = Budget(bounds_of(settings))
        self.helpers = HelperPool()
        self.connections = 0
        self.address: TcpAddress | None = None
        chains = None if login_services is None else login_services.login_chains
        self.access = Access(settings, catalog.apps, chains)
        self._keys = keys
        self._state_dir = state_dir or settings.server.state_dir
        self._started = time.monotonic()
        self._default_theme = self._theme(settings.server.theme)
        self._count_lock = threading.Lock()
        self._inside: dict[int, Inside] = {}
        self._blocks = SourceBlocks(settings.sources.prefix_v4, settings.sources.prefix_v6)
        self._own_networks = Networks(settings.sources.exempt)

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
        for loaded in self.catalog.apps.values():
            loaded.app.host = self
        self.catalog.start(self._state_dir)
        self.env_patterns = (*TERMINAL_ENV, *self.catalog.env_patterns())

    def stop(self) -> None:
        """Lets the threads end that are to, stops the apps and closes what is kept on disk."""
        deadline = time.monotonic() + STOPPING_TIMEOUT
        for ending in tuple(self.endings):
            ending.wait(max(0.0, deadline - time.monotonic()))
        self.catalog.stop()
        self.helpers.close()
        self.watchdog.stop()
        self.preference_store.close()
        if self.login_services is not None:
            self.login_services.close()

    # ---------------------------------------------------------------- for the programs

    def theme_of(self, account: Account, light: bool | None = None) -> Theme:
        """The theme that somebody chose, else the operator's or its pair: the one that suits a
        `light` or a dark terminal. None if the terminal did not say which it is."""
        chosen = self.catalog.themes.get(self.preferences(account).get("theme"))
        return chosen or self.automatic_theme(light)

    def automatic_theme(self, light: bool | None) -> Theme:
        themes, default = self.catalog.themes, self._default_theme
        pair = themes.get(default.pair)
        if light is None or pair is None or default.dark != light or pair.dark == light:
            return default
        return pair

    # ---------------------------------------------------------------- who came in

    def come_in(
        self,
        number: int,
        identity: Identity,
        peer: Peer,
        close: Callable[[str], None],
        log: EventLog,
    ) -> Visitor:
        """Somebody logged in over the connection `number`, which `close` ends with a sentence;
        `log` is its."""
        visitor = self.access.visitor(identity, number)
        holder = Holder(
            number,
            visitor.key,
            self._blocks.source(peer.address),
            guest=visitor.guest,
            counts_source=peer.address not in self._own_networks,
        )
        visitor = replace(visitor, share=self.budget.share(holder, log))
        with self._count_lock:
            self._inside[number] = Inside(visitor, peer, self.now(), close)
        return visitor

    def go_out(self, number: int) -> None:
        """The connection is over, or will be in a moment."""
        with self._count_lock:
            self._inside.pop(number, None)

    def share_of(self, account: Account) -> Share:
        """What somebody may take of the host; without bounds if they are not connected to it."""
        return account.share if isinstance(account, Visitor) else FREE

    def inside(self) -> tuple[Inside, ...]:
        """Who is logged in, longest first."""
        with self._count_lock:
            return tuple(self._inside.values())

    def own_account(self, account: Account) -> OwnAccount | None:
        """What somebody may do with their own account; None for guests, and if there are no
        accounts."""
        if self.login_services is None or not isinstance(account, Visitor) or account.guest:
            return None
        return HostedAccount(self.login_services, account, self.inside)

    def may_run(self, account: Account, app: str, command: str) -> bool:
        return self.access.may_run(account, app, command)

    def allowed_files(self, account: Account, app: str, tree: FileTree) -> FileTree:
        return self.access.allowed_files(account, app, tree)

    def is_reserved_name(self, address: SocketAddress, account: Account) -> bool:
        """Whether an address is in a name that nobody can choose here, and that is not theirs."""
        return (
            self.login_services is not None
            and isinstance(address, TcpAddress)
            and not _is_own(label := _label_of(address), account)
            and self.login_services.is_reserved_label(label)
        )

    def is_anothers_name(self, address: SocketAddress, account: Account) -> bool:
        """Whether somebody asks for an address in the name of an account that is not theirs. May
        wait for the store; while that does not work, every name might be one."""
        if self.login_services is None or not isinstance(address, TcpAddress):
            return False
        label = _label_of(address)
        if _is_own(label, account):
            return False
        try:
            return self.login_services.store.taken(label, label=True)
        except StoreError as error:
            self.log.error(Event.STORE_ERROR, reason=clean(str(error), limit=300))
            return True

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
    def ssh_target(self) -> str:
        return ssh_target(self.settings, self.address)

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
        cards = self.catalog.cards(self.preferences(account), partial(self.access.may_see, account))
        return tuple(replace(card, commands=self._runnable(account, card)) for card in cards)

    def _runnable(self, account: Account, card: AppCard) -> tuple[str, ...]:
        return tuple(c for c in card.commands if self.access.may_run(account, card.name, c))

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
            memory_bytes=resident_bytes(),
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            load=os.getloadavg(),
        )

    def themes(self) -> tuple[Theme, ...]:
        return tuple(theme for _, theme in sorted(self.catalog.themes.items()))

    def preferences(self, account: Account) -> AccountPreferences:
        return self.preference_store.of(account.key)


def resident_bytes() -> int:
    """Memory of this process: its present size on Linux, elsewhere the largest it ever was."""
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


def ssh_target(settings: Settings, address: TcpAddress | None = None) -> str:
    """What people type after `ssh` to get to a host with these settings: the address that
    `[app.about]` names, or else the one that it listens on, which is `address` if it runs."""
    listens = address or TcpAddress(settings.server.host, settings.server.port)
    told = str(settings.app.get("about", {}).get("address", "")).strip()
    name, _, number = told.rpartition(":")
    port = int(number) if name and number.isdecimal() else listens.port
    host = name if name and number.isdecimal() else told
    if not host:
        host = _known_as(listens.host)
    return host if port == 22 else f"-p {port} {host}"


def _known_as(listens: str) -> str:
    """A name for the address that the host listens on."""
    if listens in ("", "0.0.0.0", "::"):
        return socket.gethostname()
    return "localhost" if listens in ("127.0.0.1", "::1") else listens


def _label_of(address: TcpAddress) -> str:
    """The part of it that a name is."""
    return address.host.partition(".")[0]


def _is_own(label: str, account: Account) -> bool:
    return not account.guest and as_label(folded(account.name)) == as_label(folded(label))
