"""What the logins of one host share: the accounts, the chains, and what is lent to login steps.

Nothing is opened or computed before somebody who is not a guest logs in. Threads: any.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import pwd
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from tuihost.accounts import AccountRecord, AccountStore, StoreError
from tuihost.core.login.account_names import (
    chosen_name_problem,
    folded,
    guest_name_problem,
    is_reserved_label,
)
from tuihost.core.login.chains import INVITE, Chains, LoginChains, Who, only_by_invitation
from tuihost.core.login.lockout import SEPARATOR, Lockout, LockoutLimits
from tuihost.core.login.rights import GUEST, USER, roles_with_groups
from tuihost.core.sources import SourceBlocks
from tuihost.errors import SettingsError
from tuihost.host.login._key_files import KeyFiles, absent_folders, folder_problem
from tuihost.host.login.passwords import Passwords
from tuihost.host.plugins.deliveries import find_delivery
from tuihost.host.store.account_store import SqliteAccounts
from tuihost.host.store.secret_box import SecretBox
from tuihost.login import Step
from tuihost.login.approvals import APPROVERS, Approvals
from tuihost.login.steps.delivery import DELIVERY
from tuihost.login.steps.new_password import min_password
from tuihost.logs import EventLog
from tuihost.settings.models import Settings

SQLITE = "sqlite:///"


class LoginServices:
    """Implements `login.StepServices`. What one client has proved is kept by its `AccountVerifier`.

    `steps` are all that there are, by name. Raises SettingsError for chains that cannot work.
    """

    def __init__(
        self,
        settings: Settings,
        steps: Mapping[str, Step],
        log: EventLog,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        login, sources = settings.login, settings.sources
        self.settings = settings
        self.steps = steps
        self.now = now
        self.delivery = find_delivery(login.delivery, settings.server.state_dir)
        self.store = open_accounts(settings)
        self.passwords = Passwords(login.password_concurrency)
        self.blocks = SourceBlocks(sources.prefix_v4, sources.prefix_v6)
        self.approvals = Approvals(source_of=self.blocks.source)
        self.login_chains = LoginChains.of(login.chains, login.app_chains)
        limits = LockoutLimits(failures=sources.lockout_failures, window=sources.lockout)
        self.lockout = Lockout(self.store, limits)
        self.keys = KeyFiles(settings, log)
        self.app_names: frozenset[str] = frozenset()  # the host gives them, once it knows its apps
        self._check()

    def close(self) -> None:
        self.passwords.close()
        self.store.close()

    def one_by_one(self, user: str, source: str) -> AbstractContextManager[None]:
        """Tries for one account from one source are judged one after another, in every worker. A
        try counts as failed until it was right, so many right ones at once could lock their owner
        out otherwise."""
        return self.store.lock(f"{user}{SEPARATOR}{source}")

    def _check(self) -> None:
        mistakes = _chain_mistakes(
            self.login_chains, self.steps, delivers=self.delivery is not None
        )
        if mistakes:
            raise SettingsError(mistakes)
        _ = self.terms_text  # raises where there is none

    # ------------------------------------------------------------------ StepServices

    @property
    def accounts(self) -> AccountStore:
        return self.store

    @property
    def host_name(self) -> str:
        return self.settings.server.name

    @cached_property
    def terms_text(self) -> str:
        return _terms_of(self.settings.login.terms)

    @property
    def terms_version(self) -> str:
        return hashlib.sha256(self.terms_text.encode()).hexdigest()[:16]

    def chosen_name_problem(self, name: str) -> str | None:
        login = self.settings.login
        # A pattern of all names reserves none: guests then have whatever is left.
        guests = (pattern for pattern in login.guest_names if set(pattern) - set("*?"))
        reserved = (*guests, *self.app_names, *self._staff_words)
        return chosen_name_problem(
            name, reserved=reserved, any_letters=login.invitee_names == "any"
        )

    def is_reserved_label(self, label: str) -> bool:
        """Whether an address with this label would be in a name that guests cannot have."""
        return is_reserved_label(label, self._staff_words)

    @cached_property
    def _staff_words(self) -> tuple[str, ...]:
        """Names that say what somebody may do here."""
        settings = self.settings
        roles = (name for name in settings.roles if name not in (GUEST, USER))
        return (*settings.login.reserved_names, *APPROVERS, *roles, *settings.groups)

    def min_password(self, user: str) -> int:
        record = self.store.get(user)
        return min_password(self.login_chains, record.chains if record is not None else ())

    # ------------------------------------------------------------------ who comes in how

    def ways_in(self, name: str, target: str | None) -> tuple[Who, Chains]:
        """What this name is, and the chains for it. Asks the store the same questions for every
        name."""
        record, taken = self.store.lookup(name)
        who = self._who(name, record, taken=taken)
        if record is None:
            return who, self.login_chains.offered(who, target)
        own, second = record.chains, record.totp
        return who, self.login_chains.offered(who, target, own=own, second=second)

    def is_guest(self, name: str) -> bool:
        """Whether guests may use this name: the settings allow it, and it is not an account's, nor
        like one."""
        record, taken = self.store.lookup(name)
        return self._who(name, record, taken=taken) is Who.GUEST

    def _who(self, name: str, record: AccountRecord | None, *, taken: bool) -> Who:
        """What this name is, of which the store says this."""
        for_guests = self._is_for_guests(name) and self._guest_problem(name) is None
        if self.is_invited(name, record):
            return Who.INVITED
        if record is not None:
            return Who.CLOSED if record.disabled else Who.ACCOUNT
        return Who.GUEST if for_guests and not taken else Who.NOBODY

    def guest_advice(self, name: str) -> str:
        """Why guests cannot come in by this name although they choose theirs, and what to do; empty
        if they can, and for names of accounts."""
        record, taken = self.store.lookup(name)
        problem = self._guest_problem(name)
        if problem is None and taken:
            problem = "it looks like the name of somebody who has an account here"
        if record is not None or problem is None or not self._is_for_guests(name):
            return ""
        return f"You cannot be a guest by that name: {problem}. Choose another: ssh NAME@HOST"

    def _is_for_guests(self, name: str) -> bool:
        login = self.settings.login
        return login.guests and any(fnmatchcase(name, pattern) for pattern in login.guest_names)

    def _guest_problem(self, name: str) -> str | None:
        if folded(name) in self._open_to_guests:
            return None
        return guest_name_problem(name, reserved=self._staff_words)

    @cached_property
    def _open_to_guests(self) -> frozenset[str]:
        """Names that the settings give to guests as they stand there, whatever they are. On a host
        for its own machine alone, that of the user who runs it is one, root's too: they come in by
        it without thinking of it."""
        names = {name for name in self.settings.login.guest_names if not set(name) & set("*?[")}
        if _is_for_this_machine(self.settings.server.host):
            names.add(_own_name())
        return frozenset(folded(name) for name in names if name)

    def is_invited(self, name: str, record: AccountRecord | None) -> bool:
        """Whether this is the name for people with an invitation: the settings say so, one is open,
        and the name is not somebody's own."""
        if not name or name != self.settings.login.invite_name or INVITE not in self.steps:
            return False
        nobodys = record is None or (only_by_invitation(record.chains) and not record.disabled)
        return nobodys and self.store.open_invites(self.now())

    def roles(self, record: AccountRecord) -> frozenset[str]:
        """The roles of an account: its own, and those of its groups."""
        return roles_with_groups(record.roles, record.groups, self.settings.groups)


def login_mistakes(settings: Settings, steps: Mapping[str, Step], log: EventLog) -> tuple[str, ...]:
    """Everything for which `LoginServices` would raise, and what is wrong with the store."""
    login = settings.login
    chains = LoginChains.of(login.chains, login.app_chains)
    problems = list(_chain_mistakes(chains, steps, delivers=bool(login.delivery)))
    parts: tuple[Callable[[], object], ...] = (
        lambda: find_delivery(login.delivery, settings.server.state_dir),
        lambda: KeyFiles(settings, log),
        lambda: _check_folders(login.authorized_keys),
        lambda: _terms_of(login.terms),
        lambda: _check_store(settings),
    )
    for part in parts:
        try:
            part()
        except SettingsError as error:
            problems += error.problems
    return tuple(problems)


def _is_for_this_machine(address: str) -> bool:
    try:
        return address == "localhost" or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # as in a container
        return ""


def open_accounts(settings: Settings) -> SqliteAccounts:
    """The store that the settings name; its file is opened when it is first needed. Raises
    SettingsError for a URL that makes no sense."""
    path, secret = account_files(settings)
    return SqliteAccounts(path, SecretBox(secret), box_is_ours=settings.accounts.secret_key is None)


def account_files(settings: Settings) -> tuple[Path, Path]:
    """The files of the store and of its key. Raises SettingsError for a URL that makes no sense."""
    state, url = settings.server.state_dir, settings.accounts.url
    if url and (not url.startswith(SQLITE) or len(url) == len(SQLITE)):
        raise SettingsError((f"accounts.url: {url!r} should be {SQLITE}PATH",))
    path = state / Path(url.removeprefix(SQLITE) or "accounts.sqlite3").expanduser()
    return path, settings.accounts.secret_key or state / "accounts.key"


def _chain_mistakes(
    chains: LoginChains, steps: Mapping[str, Step], *, delivers: bool
) -> tuple[str, ...]:
    mistakes = tuple(chains.mistakes(steps))
    if not delivers and chains.ask_for(DELIVERY):
        mistakes += ("login.delivery: is not set, and a chain has the factor `delivery`",)
    return mistakes


def _terms_of(path: Path | None) -> str:
    try:
        return "" if path is None else path.read_text("utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text"
    raise SettingsError((f"login.terms: {path}: cannot be read: {reason}",))


def _check_folders(patterns: tuple[str, ...]) -> None:
    problems = [f"there is no folder {each}" for each in absent_folders(patterns)]
    folders = dict.fromkeys(Path(each).parent for each in patterns)  # `%u` may be in one: is absent
    problems += [found for folder in folders if (found := folder_problem(folder))]
    if problems:
        raise SettingsError(tuple(f"login.authorized_keys: {problem}" for problem in problems))


def _check_store(settings: Settings) -> None:
    store = open_accounts(settings)
    try:
        store.check()
    except StoreError as error:
        raise SettingsError((str(error),)) from None
    finally:
        store.close()
