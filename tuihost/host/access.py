"""Who may use which app, and which app answers what.

What somebody may open is decided once, when they have logged in (`Access.visitor`). Nothing here
waits. Threads: any.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tuihost.commands.running import CommandLine, resolve
from tuihost.core.accepts import Accepts, ForwardRule, SocketRule
from tuihost.core.login.chains import LoginChains
from tuihost.core.login.proof import Proof
from tuihost.core.login.rights import FileRight, Rights, rights_of
from tuihost.files.disk import without_changes
from tuihost.files.tree import FileTree, Folders
from tuihost.host.login.visitor import Visitor
from tuihost.host.plugins.app_catalog import Loaded
from tuihost.plugin import App
from tuihost.session.host_view import Account
from tuihost.settings.models import Settings
from tuihost.text import clean
from tuihost.wire import Identity, Restrictions, SocketAddress

SFTP = "sftp"
"""The subsystem that the host serves itself if no app does."""
REMEMBERED_WAYS = 128
"""Ways in for which the host remembers what they give."""


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """Somebody's roles do not give them a command. `reason` is for them."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Way:
    """How somebody came in, as far as it decides which apps are theirs."""

    guest: bool
    roles: frozenset[str]
    factors: tuple[str, ...]
    target: str | None
    confined: str | None


class Access:
    """The apps of one host, as its people may use them. `login_chains` are None if nobody logs
    in."""

    def __init__(
        self,
        settings: Settings,
        apps: Mapping[str, Loaded],
        login_chains: LoginChains | None = None,
    ) -> None:
        self._apps = apps
        self._roles = settings.roles
        self._login_chains = login_chains
        self._default_app = settings.server.default_app
        self._script = settings.server.script
        # Most people come in the same few ways: the guests all in one.
        self._given = lru_cache(maxsize=REMEMBERED_WAYS)(self._what_is_given)

    # ---------------------------------------------------------------- who comes in

    def visitor(self, identity: Identity, connection: int = 0) -> Visitor:
        """Somebody who has logged in over the connection of that number, with all that they may
        use."""
        restrictions = identity.restrictions or Restrictions()
        way = _Way(
            guest=identity.guest,
            roles=identity.roles,
            factors=identity.factors,
            target=identity.target,
            confined=_confined(restrictions),
        )
        rights, apps = self._given(way)
        proof = Proof.of(identity)
        return Visitor(
            name=identity.user,
            guest=way.guest,
            roles=way.roles,
            rights=rights,
            apps=apps,
            restrictions=restrictions,
            factors=way.factors,
            target=way.target,
            confined=way.confined,
            fingerprint=identity.fingerprint,
            connection=connection,
            key_line=None if proof.limited else identity.key,
            proof=proof,
        )

    def _what_is_given(self, way: _Way) -> tuple[Rights, frozenset[str]]:
        rights = rights_of(self._roles, guest=way.guest, roles=way.roles)
        apps = (
            name
            for name in self._apps
            if self._takes(name, way) and self._leads_to(way, rights, name)
        )
        return rights, frozenset(apps)

    def _takes(self, app: str, account: Account | _Way) -> bool:
        """Whether the app itself accepts such people."""
        accepts = self._apps[app].app.accepts
        return accepts.may_use(guest=account.guest, roles=account.roles)

    def _leads_to(self, way: Visitor | _Way, rights: Rights, app: str) -> bool:
        """Whether roles, factors and a forced command lead to an app of that name, be it there or
        not."""
        if way.confined is not None and app != way.confined:
            return False
        if self._login_chains is not None and not self._login_chains.open(
            app, factors=way.factors, target=way.target, guest=way.guest
        ):
            return False
        return rights.app(app)

    # ---------------------------------------------------------------- what somebody may do

    def names_for(self, account: Account) -> frozenset[str]:
        """The apps that this account may use, hidden ones too."""
        if isinstance(account, Visitor):
            return account.apps
        return frozenset(name for name in self._apps if self.may_open(account, name))

    def may_open(self, account: Account, app: str) -> bool:
        """Whether the app accepts this account, and the operator lets it in: by its roles, by how
        it logged in, and by the options of its key. Decided once, at the login."""
        if isinstance(account, Visitor):
            return account.may_open(app)
        return self._takes(app, account)

    def may_see(self, account: Account, app: str) -> bool:
        """Whether the menu may show them the app: they may open it, or could if it worked."""
        if app in self._apps:
            return self.may_open(account, app)
        return not isinstance(account, Visitor) or self._leads_to(account, account.rights, app)

    def may_run(self, account: Account, app: str, command: str) -> bool:
        """Whether they may run that command of an app that they may open."""
        return not isinstance(account, Visitor) or account.may_run(app, command)

    def resolved(
        self, account: Account, app: str, words: Sequence[str]
    ) -> CommandLine | NotAllowed:
        """What the words of a command line of that app come to, if the person may run it. There is
        no other way to a command: what is judged here is the value that runs."""
        line = resolve(self._apps[app].app, words)
        if line.command is None or self.may_run(account, app, line.command):
            return line
        return NotAllowed(f"you may not run {app} {clean(line.command, limit=40)}")

    def home_of(self, account: Account) -> str | None:
        """The app that all others lead back to: the default one. For somebody who is confined to
        one app it is that app; None if the default one is closed to them."""
        confined = account.confined if isinstance(account, Visitor) else None
        home = self._default_app if confined is None else confined
        return home if home in self.names_for(account) else None

    # ---------------------------------------------------------------- which app it is

    def subsystem_app(self, name: str) -> App | None:
        """The app that serves the subsystem `name`."""
        for loaded in self._apps.values():
            if name in loaded.app.accepts.subsystems:
                return loaded.app
        return None

    def serves(self, account: Account, subsystem: str) -> bool:
        """Whether an app that they may open serves the subsystem. The host itself serves files, and
        tells those who may see none of them why there are none."""
        app = self.subsystem_app(subsystem)
        if app is None and subsystem == SFTP:
            return any(loaded.app.has_files for loaded in self._apps.values())
        return app is not None and self.may_open(account, app.name)

    def file_apps(self, account: Account) -> tuple[App, ...]:
        """The apps that serve files to somebody who may open them and read these."""
        apps = (loaded.app for loaded in self._apps.values())
        return tuple(
            app
            for app in apps
            if app.has_files
            and self.may_open(account, app.name)
            and self.file_right(account, app.name) is not FileRight.NONE
        )

    def file_right(self, account: Account, app: str) -> FileRight:
        """What their roles let them do with the files of an app, in whatever way they come."""
        return account.rights.files(app) if isinstance(account, Visitor) else FileRight.WRITE

    def allowed_files(self, account: Account, app: str, tree: FileTree) -> FileTree:
        """The files of an app as somebody may use them."""
        match self.file_right(account, app):
            case FileRight.WRITE:
                return tree
            case FileRight.READ:
                return without_changes(tree)
            case FileRight.NONE:
                return Folders({})

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
        """An app that names it exactly comes before one that has a pattern for it."""
        found = [
            (not rule.exact, loaded.app)
            for loaded in self._apps.values()
            for rule in rules_of(loaded.app.accepts)
            if rule.matches(address)
        ]
        if not found:
            return None
        app = min(found, key=lambda candidate: candidate[0])[1]
        return app if self.may_open(account, app.name) else None

    def script_for(self, account: Account) -> tuple[str, ...]:
        """The command that reads lines if there is no terminal; empty if they may not run it."""
        app, *words = self._script.split() or [""]
        if app not in self._apps or not self.may_open(account, app):
            return ()
        line = self.resolved(account, app, words)
        return (app, *words) if isinstance(line, CommandLine) else ()

    def why_no_x11(self, account: Account) -> str | None:
        """Why no app shows anything on the screen that somebody brings."""
        if isinstance(account, Visitor) and not account.rights.x11:
            return "their roles do not allow X11"
        wanted = any(self._apps[name].app.accepts.x11 for name in self.names_for(account))
        return None if wanted else "no app here uses X11"

    def why_no_agent(self, account: Account) -> str | None:
        """Why no app uses the agent that somebody brings."""
        if isinstance(account, Visitor) and not account.rights.agent:
            return "their roles do not allow an agent"
        wanted = any(self._apps[name].app.accepts.agent for name in self.names_for(account))
        return None if wanted else "no app here uses an agent"


def _confined(restrictions: Restrictions) -> str | None:
    """The one app that a key's command allows; empty if it names none."""
    if restrictions.command is None:
        return None
    try:
        words = shlex.split(restrictions.command)
    except ValueError:
        return ""
    return words[0] if words else ""
