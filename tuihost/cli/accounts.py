"""What the commands about accounts share: opening the store, finding an account, asking.

It imports only what `--help` needs.
"""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuihost.cli.common import read_settings, say_settings_found
from tuihost.phrases import date_time

if TYPE_CHECKING:
    from tuihost.accounts import AccountRecord, AccountStore
    from tuihost.core.login.chains import Chains
    from tuihost.settings.models import Settings

password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of stdin."
)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


@dataclass(frozen=True, slots=True)
class HostAccounts:
    """The account store of a host, and the host's settings."""

    settings: Settings
    store: AccountStore

    def account(self, name: str) -> AccountRecord:
        """The account of that name; if there is none, the command ends with status 1."""
        found = self.store.get(name)
        if found is None:
            raise no_such_account(name, self.store)
        return found

    def roles_by_groups(self, record: AccountRecord) -> frozenset[str]:
        """The roles that an account has by its groups."""
        from tuihost.core.login.rights import roles_with_groups

        return roles_with_groups(frozenset(), record.groups, self.settings.groups)

    def looking_like(self, name: str) -> tuple[str, ...]:
        """The accounts of other names that look the same."""
        from tuihost.core.login.account_names import skeleton

        looks = skeleton(name)
        names = (account.name for account in self.store.all())
        return tuple(each for each in names if each != name and skeleton(each) == looks)


@contextmanager
def host_accounts(config: Path | None) -> Iterator[HostAccounts]:
    """The accounts of the host with these settings. Raises SettingsError, StoreError."""
    say_settings_found(config)
    settings = read_settings(config)
    with opened_store(settings) as store:
        yield HostAccounts(settings, store)


@contextmanager
def opened_store(settings: Settings) -> Iterator[AccountStore]:
    """The store that the settings name; makes the folder it is in. Raises StoreError."""
    from tuihost.accounts import StoreError
    from tuihost.host.login.services import open_accounts

    folder = settings.server.state_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder {folder} cannot be made: {error.strerror}") from None
    _check_user(folder)
    store = open_accounts(settings)
    try:
        yield store
    finally:
        store.close()


def host_user(state_dir: Path) -> int:
    """The id of the user that the host runs as: the owner of its lock; before it has run, of the
    folder if root asks, who has made it for somebody."""
    from tuihost.files.secret_files import HOST_LOCK

    try:
        return (state_dir / HOST_LOCK).stat().st_uid
    except FileNotFoundError:
        return state_dir.stat().st_uid if os.geteuid() == 0 else os.geteuid()
    except OSError:  # nobody lets us look: what is opened next says why
        return os.geteuid()


def name_of_user(uid: int) -> str:
    """Their name; `#1000` if the machine does not know them."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def _check_user(state_dir: Path) -> None:
    """Ends the command where it would make files that the host could not read: with an account
    made by root, nobody could log in any more."""
    owner = host_user(state_dir)
    if owner != os.geteuid():
        user = name_of_user(owner)
        raise click.ClickException(
            f"{state_dir} is kept by the user {user}, who could not read what you make there. "
            f"Run the command as that user: sudo -u '{user}' tuihost …"
        )


def look_alike(names: Sequence[str]) -> str:
    """That people may confuse these accounts, for the operator."""
    return f"People may take these accounts for one another: {', '.join(names)}."


def no_such_account(name: str, store: AccountStore) -> click.ClickException:
    """The error for a name that nobody has; it says which name may have been meant."""
    from tuihost.core.login.account_names import folded

    near = [account.name for account in store.all() if folded(account.name) == folded(name)]
    hint = f" There is {near[0]!r}." if near else ""
    return click.ClickException(f"There is no account {name!r}.{hint}")


def invitation_name(accounts: HostAccounts) -> str:
    """The name that people with an invitation log in under; if nobody could, the command ends."""
    from tuihost.core.login.chains import only_by_invitation

    name = accounts.settings.login.invite_name
    if not name:
        raise click.ClickException(
            "Nobody can use an invitation: login.invite_name is empty in the settings."
        )
    found = accounts.store.get(name)
    if found is not None and not only_by_invitation(found.chains):
        raise click.ClickException(
            f"The account {name!r} is somebody's; set login.invite_name to another name."
        )
    if found is not None and found.disabled:
        raise click.ClickException(
            f"The account {name!r}, which takes invitations, is closed: tuihost user enable {name}"
        )
    return name


# -------------------------------------------------------------------------------- asking


def new_password(name: str, settings: Settings, own: Chains = (), *, from_stdin: bool) -> str:
    """A password for `name`: typed twice at a terminal, or the first line of standard input. `own`
    are the chains of that account alone."""
    from tuihost.core.login.chains import LoginChains
    from tuihost.login.steps.new_password import min_password, password_problem, password_rule

    chains = LoginChains.of(settings.login.chains, settings.login.app_chains)
    shortest = min_password(chains, own)
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        click.echo(f"The password of {name}: {password_rule(shortest)}", err=True)
        password = click.prompt("New password", hide_input=True)
    else:
        raise click.UsageError("There is no terminal to ask at; use --password-stdin.")
    problem = password_problem(password, user=name, shortest=shortest)
    if problem is not None:
        raise click.ClickException(problem)
    if not from_stdin and click.prompt("New password again", hide_input=True) != password:
        raise click.ClickException("The two passwords differ.")
    return password


def hashed(password: str) -> str:
    """The hash of a password, as the store keeps it."""
    from tuihost.host.login.passwords import Passwords

    passwords = Passwords(1)
    try:
        return passwords.hash(password)
    finally:
        passwords.close()


def confirm(question: str, yes: bool) -> None:
    """Asks before something is lost. If the answer is no, or there is nobody to ask, the command
    ends with status 1. `yes` is the answer given in advance."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.ClickException(f"{question} There is nobody to ask; add --yes.")
    if not click.confirm(question):
        raise click.ClickException("Nothing was changed.")


# -------------------------------------------------------------------------------- showing


def day(at: float | None) -> str:
    """A date in UTC; a dash for never."""
    return "-" if at is None else date_time(at).partition(" ")[0]


def ssh_line(settings: Settings, user: str) -> str:
    """What `user` types to log in, as far as the host can know it."""
    from tuihost.host.host import ssh_target
    from tuihost.session.host_view import ssh_target_of

    return f"ssh {ssh_target_of(ssh_target(settings), user)}"
