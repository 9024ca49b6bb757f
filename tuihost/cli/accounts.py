"""What the commands about accounts do alike: open the store, find the account, ask for a password.

Only what `--help` needs is imported at once.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from tuihost.accounts import AccountRecord, AccountStore
    from tuihost.settings.models import Settings

INVITE = "invite"

config_option = click.option(
    "--config",
    "-c",
    type=click.Path(path_type=Path),
    envvar="TUIHOST_CONFIG",
    help="The settings file; ./tuihost.toml where there is one.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")
password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input, one line."
)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


@dataclass(frozen=True, slots=True)
class Book:
    """The accounts of one host, and the settings that it runs by."""

    settings: Settings
    store: AccountStore

    def account(self, name: str) -> AccountRecord:
        """The account of that name; without one the command ends with status 1."""
        found = self.store.get(name)
        if found is None:
            raise no_such(name, self.store)
        return found


@contextmanager
def accounts(config: Path | None) -> Iterator[Book]:
    """The accounts of the host with these settings. Raises SettingsError, StoreError."""
    # Not by way of `common`, which brings the whole host along.
    from tuihost.settings.loading import load

    if config is None and Path("tuihost.toml").exists():
        config = Path("tuihost.toml")
    settings = load(config, os.environ)
    with opened(settings) as store:
        yield Book(settings, store)


@contextmanager
def opened(settings: Settings) -> Iterator[AccountStore]:
    """The store that the settings name, and the folder that it stands in."""
    from tuihost.accounts import StoreError
    from tuihost.host.login.services import open_accounts

    folder = settings.server.state_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder {folder} cannot be made: {error.strerror}") from None
    store = open_accounts(settings)
    try:
        yield store
    finally:
        store.close()


def no_such(name: str, store: AccountStore) -> click.ClickException:
    """What is said of a name that nobody has, and which one might have been meant."""
    from tuihost.core.login.account_names import folded

    near = [one.name for one in store.all() if folded(one.name) == folded(name)]
    hint = f" There is {near[0]!r}." if near else ""
    return click.ClickException(f"There is no account {name!r}.{hint}")


def takes_invitations(record: AccountRecord) -> bool:
    """Whether an account is nobody's, but a name under which people come with invitations."""
    return bool(record.chains) and all(INVITE in chain for chain in record.chains)


def invited_as(book: Book) -> str:
    """The name under which people come with an invitation; where none could, the command ends."""
    name = book.settings.login.invite_name
    if not name:
        raise click.ClickException("login.invite_name is empty: nobody comes by invitation.")
    found = book.store.get(name)
    if found is not None and not takes_invitations(found):
        raise click.ClickException(
            f"The account {name!r} is somebody's; set login.invite_name to another name."
        )
    if found is not None and found.disabled:
        raise click.ClickException(f"The door is closed: tuihost user enable {name}")
    return name


# -------------------------------------------------------------------------------- asking


def new_password(name: str, *, from_stdin: bool) -> str:
    """A password for `name`: typed twice at a terminal, or the first line of standard input."""
    from tuihost.login.steps.choosing import password_problem

    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = click.prompt("New password", hide_input=True, confirmation_prompt=True)
    else:
        raise click.UsageError("There is no terminal to ask at; use --password-stdin.")
    problem = password_problem(password, user=name)
    if problem is not None:
        raise click.ClickException(problem)
    return password


def hashed(password: str) -> str:
    """What the store keeps of a password."""
    from tuihost.host.login.passwords import Passwords

    passwords = Passwords(1)
    try:
        return passwords.hash(password)
    finally:
        passwords.close()


def sure(question: str, yes: bool) -> None:
    """Asks before something is lost; no, or nobody to ask, ends the command with status 1."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.ClickException(f"{question} There is nobody to ask; say --yes.")
    if not click.confirm(question):
        raise click.ClickException("Nothing was changed.")


def groups_of(names: Iterable[str], settings: Settings) -> frozenset[str]:
    """Groups as they are kept. One without a description is listed as giving nothing."""
    from tuihost.plugin import NAME

    groups = frozenset(name.strip() for name in names)
    for group in sorted(groups):
        if not NAME.fullmatch(group):
            raise click.ClickException(
                f"{group!r} cannot be a group: small letters, digits and '-' only."
            )
        if group not in settings.groups:
            click.echo(
                f"The settings do not describe the group {group!r}: it brings no roles.", err=True
            )
    return groups


def roles_of(names: Iterable[str], settings: Settings) -> frozenset[str]:
    """Roles as they are kept. One without a description is listed as giving nothing."""
    from tuihost.plugin import NAME

    roles = frozenset(name.strip() for name in names)
    for role in sorted(roles):
        if not NAME.fullmatch(role):
            raise click.ClickException(
                f"{role!r} cannot be a role: small letters, digits and '-' only."
            )
        if role == "guest":
            raise click.ClickException("The role 'guest' is that of people without an account.")
        if role != "user" and role not in settings.roles:
            click.echo(
                f"The settings do not describe the role {role!r}: it gives nothing.", err=True
            )
    return roles


def chains_of(lines: Sequence[str], settings: Settings) -> tuple[tuple[str, ...], ...]:
    """Ways in as they are kept. Of a factor that nothing here can settle the command ends."""
    from tuihost.core.login.chains import chains_of
    from tuihost.core.login.factors import NONE
    from tuihost.host.plugins.step_catalog import StepCatalog
    from tuihost.logs import EventLog

    if not all(chains_of([line]) for line in lines):
        raise click.ClickException("A way in has one factor at least.")
    chains = chains_of(lines)
    if any(NONE in chain for chain in chains):
        raise click.ClickException("The factor 'none' is for people without an account.")
    if chains:
        # `tuihost check` says which steps are broken.
        unheard = EventLog(logging.Logger("steps", logging.CRITICAL))
        steps = StepCatalog.of(settings, unheard)
        for factor in steps.unknown(chains):
            known = ", ".join(sorted({*steps.steps, "password", "publickey"}))
            raise click.ClickException(f"No factor is called {factor!r}; there are {known}.")
    return chains


# -------------------------------------------------------------------------------- showing


def day(at: float | None) -> str:
    """A date in UTC; a dash for never."""
    return "-" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def say_json(value: Any) -> None:
    # Whatever it holds, it is ASCII: nothing in it can steer a terminal.
    click.echo(json.dumps(value, indent=2))


def say_table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Columns under their headings. What is shown is made harmless."""
    from tuihost.cli.common import rows
    from tuihost.text import clean

    for line in rows([head, *([clean(cell) for cell in line] for line in lines)]):
        click.echo(line)


def ssh_line(settings: Settings, user: str) -> str:
    """What `user` types to come here, as far as the host itself can know that: the address in
    `[app.about]` where there is one, else the one that it listens on."""
    import socket

    host, port = settings.server.host, settings.server.port
    told = str(settings.app.get("about", {}).get("address", "")).strip()
    if told:
        name, _, number = told.rpartition(":")
        host = name if name and number.isdecimal() else told
        port = int(number) if host == name else port
    elif host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    elif host in ("127.0.0.1", "::1"):
        host = "localhost"
    return f"ssh {user}@{host}" if port == 22 else f"ssh -p {port} {user}@{host}"
