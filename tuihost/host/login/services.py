"""What the logins of one host share: who is known, by which ways they come in, and
what is lent to the steps that ask them.

Nothing is opened and nothing computed before somebody who is no guest knocks. Threads: any.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from tuihost.accounts import AccountRecord, AccountStore
from tuihost.core.login.factors import NONE, PASSWORD, PUBLICKEY, Chains
from tuihost.core.login.lockout import SEPARATOR, Lockout, LockoutLimits
from tuihost.core.login.rights import Ways, chains_of, roles_with_groups, with_second
from tuihost.core.sources import SourceBlocks
from tuihost.errors import SettingsError
from tuihost.host.login._key_files import KeyFiles
from tuihost.host.login.passwords import Passwords
from tuihost.host.plugins.deliveries import find_delivery
from tuihost.host.store.account_store import SqliteAccounts
from tuihost.host.store.secret_box import SecretBox
from tuihost.login import Delivery, Step
from tuihost.login.approvals import Approvals
from tuihost.login.steps.delivery import DELIVERY
from tuihost.login.steps.invite import INVITE
from tuihost.logs import EventLog
from tuihost.settings.models import Settings

SQLITE = "sqlite:///"
NO_WAY: Chains = ((PUBLICKEY,),)
"""Shown where the settings leave no way in at all: a method that then nobody passes."""


class LoginServices:
    """Implements `login.StepServices`, and makes what is special to one client: see `host.door`.

    `steps` are all that there are, by name. Raises SettingsError for ways in that nobody can go.
    """

    def __init__(
        self,
        settings: Settings,
        steps: Mapping[str, Step],
        log: EventLog,
        *,
        accounts: SqliteAccounts | None = None,
        delivery: Delivery | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        login, sources = settings.login, settings.sources
        self.settings = settings
        self.steps = steps
        self.now = now
        self.delivery = delivery or find_delivery(login.delivery, settings.server.state_dir)
        self.store = accounts or open_accounts(settings)
        self.passwords = Passwords(login.password_concurrency)
        self.approvals = Approvals()
        self.ways = Ways(
            chains_of(login.chains),
            {app: chains_of(lines) for app, lines in login.app_chains.items()},
        )
        self.blocks = SourceBlocks(sources.prefix_v4, sources.prefix_v6)
        limits = LockoutLimits(failures=sources.lockout_failures, window=sources.lockout)
        self.lockout = Lockout(self.store, limits)
        self.keys = KeyFiles(settings, log)
        self._check()

    def close(self) -> None:
        self.passwords.close()
        self.store.close()

    def one_by_one(self, user: str, source: str) -> AbstractContextManager[None]:
        """Tries for one account from one source are judged one after another, whichever worker
        they came to. A try counts as failed until it was right; many right ones at once must not
        lock their owner out."""
        return self.store.turn(f"{user}{SEPARATOR}{source}")

    def _check(self) -> None:
        known = {NONE, PASSWORD, PUBLICKEY, *self.steps}
        places = {"login.chains": self.ways.host} | {
            f"login.app_chains.{app}": chains for app, chains in self.ways.apps.items()
        }
        problems = [
            f"{place}: no step is called {factor!r}; there are {', '.join(sorted(known))}"
            for place, chains in places.items()
            for factor in dict.fromkeys(factor for chain in chains for factor in chain)
            if factor not in known
        ]
        problems += [f"{place}: names no way in" for place, chains in places.items() if not chains]
        problems += [
            f"{place}: the factor 'none' stands alone, or not at all"
            for place, chains in places.items()
            if any(NONE in chain and len(chain) > 1 for chain in chains)
        ]
        if self.delivery is None and any(DELIVERY in c for cs in places.values() for c in cs):
            problems.append("login.delivery: names nothing that brings the codes of `delivery`")
        if problems:
            raise SettingsError(tuple(problems))
        _ = self.terms_text

    # ------------------------------------------------------------------ StepServices

    @property
    def accounts(self) -> AccountStore:
        return self.store

    @property
    def host_name(self) -> str:
        return self.settings.server.name

    @cached_property
    def terms_text(self) -> str:
        path = self.settings.login.terms
        try:
            return "" if path is None else path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError((f"login.terms: {path}: cannot be read: {error}",)) from None

    @property
    def terms_version(self) -> str:
        return hashlib.sha256(self.terms_text.encode()).hexdigest()[:16]

    # ------------------------------------------------------------------ who comes in how

    def is_guest(self, name: str) -> bool:
        """Whether guests may use this name: the operator says so, and no account has it in any
        letter case."""
        login = self.settings.login
        listed = any(fnmatchcase(name, pattern) for pattern in login.guest_names)
        free = not self.store.taken(name) and not self.is_invited(name, None)
        return free and listed and login.guests and name != ""

    def is_invited(self, name: str, record: AccountRecord | None) -> bool:
        """Whether this is the name for people with an invitation: the operator says so, one is
        open, and the name is not somebody's own."""
        if not name or name != self.settings.login.invite_name or INVITE not in self.steps:
            return False
        nobodys = record is None or (takes_invitations(record) and not record.disabled)
        return nobodys and self.store.open_invites(self.now())

    def roles(self, record: AccountRecord) -> frozenset[str]:
        """The roles of an account: its own, and those of its groups."""
        return roles_with_groups(record.roles, record.groups, self.settings.groups)

    def chains(self, record: AccountRecord | None, target: str | None, *, guest: bool) -> Chains:
        """The ways in of an account, or of somebody who has none. Only guests come in by `none`."""
        chains, closed = self.ways.to(target), {INVITE}
        if record is not None and record.chains:
            chains, closed = record.chains, {INVITE} if record.disabled else set()
        elif guest and chains is self.ways.host:
            chains = ((NONE,), *chains)
        if not guest:
            closed.add(NONE)
        chains = tuple(chain for chain in chains if closed.isdisjoint(chain))
        if record is not None and record.totp:
            chains = with_second(chains)
        return tuple(dict.fromkeys(chain for chain in chains if chain)) or NO_WAY

    def chains_invited(self, record: AccountRecord | None) -> Chains:
        """The ways in of somebody with an invitation; with a key before it, that becomes theirs."""
        own = self.ways.host if record is None else record.chains
        chains = tuple(chain for chain in own if INVITE in chain) or ((INVITE,),)
        keyed = ((PUBLICKEY, *chain) for chain in chains if PUBLICKEY not in chain)
        return tuple(dict.fromkeys((*keyed, *chains)))


def takes_invitations(record: AccountRecord) -> bool:
    """Whether an account is nobody's, but a name under which people come with invitations."""
    return bool(record.chains) and all(INVITE in chain for chain in record.chains)


def open_accounts(settings: Settings) -> SqliteAccounts:
    """The store that the settings name; its file is opened when it is first needed. Raises
    SettingsError for a URL that is none."""
    state, url = settings.server.state_dir, settings.accounts.url
    if url and (not url.startswith(SQLITE) or len(url) == len(SQLITE)):
        raise SettingsError((f"accounts.url: {url!r} should be {SQLITE}PATH",))
    path = state / Path(url.removeprefix(SQLITE) or "accounts.sqlite3").expanduser()
    key = settings.accounts.secret_key
    box = SecretBox(key or state / "accounts.key")
    return SqliteAccounts(path, box, box_is_ours=key is None)
