"""The host as an app sees it: accounts, the other apps as cards, who is here, how the host is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Protocol

from tuihost.wire import Peer, TcpAddress

if TYPE_CHECKING:
    from tuihost.files.tree import FileTree
    from tuihost.login.approvals import ApprovalsView
    from tuihost.session.own_account import OwnAccount
    from tuihost.theme.theme import Theme


def ssh_target_of(target: str, user: str) -> str:
    """What a person of that name types after `ssh`; `target` is `HostView.ssh_target`."""
    options, _, host = target.rpartition(" ")
    return f"{options} {quote(user)}@{host}".lstrip()


@dataclass(frozen=True, slots=True)
class Account:
    """Who a person is to the apps. `key` is what an app stores their data under.

    A guest proved nothing: everybody who gives the same name gets the same `key`.
    """

    name: str
    guest: bool = True
    roles: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        return f"guest:{self.name}" if self.guest else self.name


@dataclass(frozen=True, slots=True)
class AppCard:
    """An app as the menu shows it. `broken` is the reason why it cannot be opened."""

    name: str
    title: str
    description: str = ""
    group: str = "Apps"
    icon: str = ""
    order: int = 100
    broken: str | None = None
    last_used: float | None = None
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody who is here now. `since` and `touched` (the last key) are Unix times."""

    id: int
    user: str
    guest: bool
    app: str
    since: float
    touched: float
    peer: Peer
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class HostKeyCard:
    """A key of the host, for people to compare with what their client shows."""

    kind: str
    bits: int
    sha256: str
    line: str


@dataclass(frozen=True, slots=True)
class Gauges:
    """How the host's process is, at one moment."""

    uptime: float
    connections: int
    sessions: int
    sessions_total: int
    threads: int
    stuck_threads: int
    memory_bytes: int
    cpu_seconds: float
    load: tuple[float, float, float]


class Preferences(Protocol):
    """Small things remembered for one account: the theme, what was used last. Any thread."""

    def get(self, name: str, default: str = "") -> str: ...

    def set(self, name: str, value: str) -> None:
        """Remembers a text of at most 4096 characters, under a name of at most 128. Raises
        `ValueError` for longer ones, and for a new name where the account has 1000, those of all
        apps together; then what was remembered before stays."""


class HostView(Protocol):
    """The running host, as far as an app may look. Every method from any thread, none blocks."""

    @property
    def name(self) -> str:
        """What the operator calls it."""

    @property
    def version(self) -> str: ...

    @property
    def address(self) -> TcpAddress | None:
        """Where it listens; None without SSH."""

    @property
    def ssh_target(self) -> str:
        """What people type after `ssh` to get here, as far as the host can know it:
        `-p 8022 localhost`. With a person's name before the host: `Session.ssh_target`."""

    @property
    def escape_label(self) -> str:
        """The keys that lead back to the menu from anywhere, as shown to a person: `^]`."""

    @property
    def default_app(self) -> str: ...

    def now(self) -> float:
        """Unix time."""

    def apps(self, account: Account) -> tuple[AppCard, ...]:
        """What this account may use, broken ones included, most recently used first."""

    def people(self) -> tuple[Presence, ...]:
        """Who is here, longest first."""

    def keys(self) -> tuple[HostKeyCard, ...]: ...

    def gauges(self) -> Gauges: ...

    def themes(self) -> tuple[Theme, ...]:
        """All themes, by name."""

    def automatic_theme(self, light: bool | None) -> Theme:
        """The theme for people who have not chosen one, on a light or a dark terminal; None if that
        has not said which it is."""

    def preferences(self, account: Account) -> Preferences: ...

    def own_account(self, account: Account) -> OwnAccount | None:
        """What the person may do with their own account; None for guests."""

    def may_run(self, account: Account, app: str, command: str) -> bool:
        """Whether the person's roles let them run that command of an app that they may open."""

    def allowed_files(self, account: Account, app: str, tree: FileTree) -> FileTree:
        """The files of an app as the person's roles let them use these: as they are, without any
        change, or none. sftp and the other ways to copy files apply it to `App.files` by
        themselves; an app that uses the same tree on its screen or in its commands asks for it."""

    def approvals(self, account: Account) -> ApprovalsView | None:
        """Who waits to be let in; None for those who do not decide about that."""


def by_recency(cards: Iterable[AppCard]) -> tuple[AppCard, ...]:
    """Most recently used first, then by the order that their authors chose, then by title."""
    return tuple(
        sorted(cards, key=lambda card: (-(card.last_used or 0), card.order, card.title.lower()))
    )
