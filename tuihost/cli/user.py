"""`tuihost user`: who has an account here, and what belongs to it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuihost.cli.accounts import (
    Book,
    accounts,
    chains_of,
    config_option,
    day,
    groups_of,
    hashed,
    json_option,
    new_password,
    no_such,
    password_option,
    roles_of,
    say_json,
    say_table,
    sure,
    takes_invitations,
    yes_option,
)
from tuihost.cli.user_keys import key
from tuihost.cli.user_totp import totp
from tuihost.phrases import counted, iso_time

if TYPE_CHECKING:
    from tuihost.accounts import AccountRecord


@click.group()
def user() -> None:
    """Accounts: add, show, change and delete them.

    A host that runs sees each change at once. Exit status: 1 there is no such account or it
    cannot be, 69 the store does not work, 78 the settings are wrong.
    """


user.add_command(key)
user.add_command(totp)


@user.command()
@config_option
@click.argument("name")
@click.option("--role", "roles", multiple=True, help="A role; may be given more than once.")
@password_option
@click.option("--no-password", is_flag=True, help="None: they come in by their keys alone.")
def add(
    config: Path | None, name: str, roles: tuple[str, ...], password_stdin: bool, no_password: bool
) -> None:
    """Make an account for NAME, and ask for its password."""
    from tuihost.accounts import AccountRecord
    from tuihost.core.login.account_names import name_problem

    if password_stdin and no_password:
        raise click.UsageError("--password-stdin and --no-password exclude each other.")
    problem = name_problem(name)
    if problem is not None:
        raise click.ClickException(f"{name!r} cannot be an account: {problem}.")
    with accounts(config) as book:
        if book.store.get(name) is not None:
            raise click.ClickException(f"There is an account {name!r} already.")
        given = roles_of(roles, book.settings)
        stored = None if no_password else hashed(new_password(name, from_stdin=password_stdin))
        record = AccountRecord(name, roles=given, created=time.time(), password_hash=stored)
        if not book.store.create(record):
            raise click.ClickException(f"There is an account {name!r} in other letters already.")
        if name == book.settings.login.invite_name:
            click.echo(
                f"login.invite_name is {name!r}, too: nobody comes in by an invitation any more.",
                err=True,
            )
    click.echo(f"{name} has an account now.")
    if no_password:
        click.echo(f"Next: tuihost user key add {name} FILE")


@user.command(name="list")
@config_option
@json_option
def list_(config: Path | None, as_json: bool) -> None:
    """List the accounts."""
    with accounts(config) as book:
        found = book.store.all()
        if as_json:
            say_json([_data(book, record) for record in found])
            return
        lines = [
            (
                record.name,
                " ".join(sorted(record.roles)) or "-",
                ", ".join(_ways(record, len(book.store.keys(record.name)))) or "-",
                _state(record),
                day(record.created),
                day(_last_login(book, record.name)),
            )
            for record in found
        ]
    if not lines:
        click.echo("There are no accounts yet: tuihost user add NAME", err=True)
        return
    say_table(("NAME", "ROLES", "PROVES WITH", "STATE", "SINCE", "LAST LOGIN"), lines)


@user.command()
@config_option
@click.argument("name")
@json_option
def show(config: Path | None, name: str, as_json: bool) -> None:
    """Show the account NAME: roles, keys, second factor, the last logins."""
    with accounts(config) as book:
        record = book.account(name)
        keys, logins = book.store.keys(name), book.store.logins(name, 5)
        if as_json:
            say_json(_data(book, record, whole=True))
            return
    chains = "; ".join(", ".join(chain) for chain in record.chains) or "as the host's settings say"
    codes = f", {record.recovery_left} recovery codes left" if record.totp else ""
    click.echo(f"Name           {record.name}")
    click.echo(f"State          {_state(record)}")
    click.echo(f"Since          {day(record.created)}")
    click.echo(f"Roles          {' '.join(sorted(record.roles)) or '-'}")
    if record.groups:
        click.echo(f"Groups         {' '.join(sorted(record.groups))}")
    click.echo(f"Ways in        {chains}")
    click.echo(f"Password       {_password_state(record)}")
    click.echo(f"Second factor  {'yes' if record.totp else 'no'}{codes}")
    if keys:
        click.echo("\nKeys")
        say_table(
            ("  NAME", "FINGERPRINT", "LAST USED"),
            [(f"  {one.name}", one.fingerprint, day(one.last_used)) for one in keys],
        )
    if logins:
        click.echo("\nLast logins")
        say_table(
            ("  WHEN (UTC)", "FROM", "WITH", ""),
            [
                (
                    f"  {iso_time(one.at)}",
                    one.address,
                    ", ".join(one.factors),
                    _outcome(one.success),
                )
                for one in logins
            ],
        )


@user.command()
@config_option
@click.argument("name")
@password_option
@click.option("--expire", is_flag=True, help="They have to choose another one at the next login.")
def passwd(config: Path | None, name: str, password_stdin: bool, expire: bool) -> None:
    """Give NAME a new password."""
    with accounts(config) as book:
        book.account(name)
        stored = hashed(new_password(name, from_stdin=password_stdin))
        if not book.store.update(name, password_hash=stored, password_expired=expire):
            raise no_such(name, book.store)
    later = ", until the next login" if expire else ""
    click.echo(f"{name} has a new password{later}.")


@dataclass(frozen=True, slots=True)
class Change:
    """How a set of names is changed: to `names`, or by adding and taking some, or to none. Raises
    click's UsageError where several of these are meant at once."""

    names: tuple[str, ...]
    more: tuple[str, ...]
    less: tuple[str, ...]
    none: bool
    called: str

    def __post_init__(self) -> None:
        if bool(self.names) + bool(self.more or self.less) + self.none > 1:
            raise click.UsageError(
                f"{self.called}, --none, and --add or --remove exclude each other."
            )

    @property
    def wanted(self) -> bool:
        return bool(self.names or self.more or self.less or self.none)

    def of(self, now: frozenset[str]) -> list[str]:
        kept = frozenset(self.names) if self.names or self.none else now - frozenset(self.less)
        return [*kept, *self.more]


@user.command()
@config_option
@click.argument("name")
@click.argument("roles", nargs=-1)
@click.option("--add", "more", multiple=True, metavar="ROLE", help="Give this one, too.")
@click.option("--remove", "less", multiple=True, metavar="ROLE", help="Take this one away.")
@click.option("--none", is_flag=True, help="Take all away.")
def roles(
    config: Path | None,
    name: str,
    roles: tuple[str, ...],
    more: tuple[str, ...],
    less: tuple[str, ...],
    none: bool,
) -> None:
    """Show the roles of NAME; with ROLES, make them those.

    Whoever is inside keeps theirs until they log in again.
    """
    change = Change(roles, more, less, none, "ROLES")
    with accounts(config) as book:
        now = book.account(name).roles
        if change.wanted:
            now = roles_of(change.of(now), book.settings)
            if not book.store.update(name, roles=now):
                raise no_such(name, book.store)
    click.echo(" ".join(sorted(now)) or f"{name} has no roles.")


@user.command()
@config_option
@click.argument("name")
@click.argument("groups", nargs=-1)
@click.option("--add", "more", multiple=True, metavar="GROUP", help="Put them into this one, too.")
@click.option("--remove", "less", multiple=True, metavar="GROUP", help="Take them out of this one.")
@click.option("--none", is_flag=True, help="Take them out of all.")
def groups(
    config: Path | None,
    name: str,
    groups: tuple[str, ...],
    more: tuple[str, ...],
    less: tuple[str, ...],
    none: bool,
) -> None:
    """Show the groups of NAME; with GROUPS, make them those.

    What roles a group brings stands in the settings, [groups.GROUP].
    """
    change = Change(groups, more, less, none, "GROUPS")
    with accounts(config) as book:
        now = book.account(name).groups
        if change.wanted:
            now = groups_of(change.of(now), book.settings)
            if not book.store.update(name, groups=now):
                raise no_such(name, book.store)
    click.echo(" ".join(sorted(now)) or f"{name} is in no group.")


@user.command()
@config_option
@click.argument("name")
@click.argument("chains", nargs=-1, metavar="[CHAIN…]")
@click.option("--default", is_flag=True, help="As the host's settings say.")
def chains(config: Path | None, name: str, chains: tuple[str, ...], default: bool) -> None:
    """Show the ways in of NAME; with CHAINs, make them those.

    A chain is the factors that are asked one after another, such as publickey,totp; any one of
    the chains lets in.
    """
    if chains and default:
        raise click.UsageError("CHAIN and --default exclude each other.")
    with accounts(config) as book:
        now = book.account(name).chains
        if chains or default:
            now = chains_of(chains, book.settings)
            if not book.store.update(name, chains=now):
                raise no_such(name, book.store)
    for chain in now:
        click.echo(",".join(chain))
    if not now:
        click.echo(f"{name} comes in as the host's settings say.")


@user.command()
@config_option
@click.argument("name")
def disable(config: Path | None, name: str) -> None:
    """Close the account NAME: nobody logs in with it, and nothing of it is lost."""
    _close(config, name, True)
    click.echo(f"{name} is closed. Whoever is inside stays until they leave.")


@user.command()
@config_option
@click.argument("name")
def enable(config: Path | None, name: str) -> None:
    """Open the account NAME again."""
    _close(config, name, False)
    click.echo(f"{name} is open.")


@user.command()
@config_option
@click.argument("name")
def unlock(config: Path | None, name: str) -> None:
    """Forget the failed tries of the account NAME, from everywhere: a lock ends at once."""
    from tuihost.core.login.lockout import Lockout

    with accounts(config) as book:
        book.account(name)
        forgotten = Lockout(book.store).unlock(name)
    if forgotten:
        click.echo(f"{name} is unlocked; {counted(forgotten, 'failure')} forgotten.")
    else:
        click.echo(f"{name} was not locked: nobody has failed.")


def _close(config: Path | None, name: str, disabled: bool) -> None:
    with accounts(config) as book:
        if not book.store.update(name, disabled=disabled):
            raise no_such(name, book.store)


@user.command()
@config_option
@click.argument("name")
@yes_option
def delete(config: Path | None, name: str, yes: bool) -> None:
    """Delete the account NAME with its keys, its second factor and its history.

    What apps keep for it stays, and is found by whoever gets the name next.
    """
    with accounts(config) as book:
        book.account(name)
        sure(f"Delete {name} for good?", yes)
        if not book.store.delete(name):
            raise no_such(name, book.store)
    click.echo(f"{name} is deleted.")


# -------------------------------------------------------------------------------- in words


def _state(record: AccountRecord) -> str:
    if record.disabled:
        return "closed"
    return "door for invitations" if takes_invitations(record) else "open"


def _password_state(record: AccountRecord) -> str:
    if record.password_hash is None:
        return "none"
    return "expired: they choose another at the next login" if record.password_expired else "yes"


def _ways(record: AccountRecord, keys: int) -> list[str]:
    """What they have to prove themselves with."""
    shown = ["password"] if record.password_hash is not None else []
    shown += ["totp"] if record.totp else []
    shown += [counted(keys, "key")] if keys else []
    return shown


def _outcome(success: bool) -> str:
    return "" if success else "failed"


def _last_login(book: Book, name: str) -> float | None:
    return next((one.at for one in book.store.logins(name, 200) if one.success), None)


def _data(book: Book, record: AccountRecord, *, whole: bool = False) -> dict[str, Any]:
    """An account for programs; nothing in it is a secret."""
    keys = book.store.keys(record.name)
    data: dict[str, Any] = {
        "name": record.name,
        "roles": sorted(record.roles),
        "groups": sorted(record.groups),
        "disabled": record.disabled,
        "created": iso_time(record.created),
        "last_login": iso_time(_last_login(book, record.name)),
        "password": record.password_hash is not None,
        "password_expired": record.password_expired,
        "totp": record.totp,
        "recovery_codes_left": record.recovery_left,
        "chains": [list(chain) for chain in record.chains],
    }
    if not whole:
        return {**data, "keys": len(keys)}
    return {
        **data,
        "keys": [
            {
                "name": one.name,
                "fingerprint": one.fingerprint,
                "line": one.line,
                "added": iso_time(one.added),
                "last_used": iso_time(one.last_used),
            }
            for one in keys
        ],
        "logins": [
            {
                "at": iso_time(one.at),
                "address": one.address,
                "factors": list(one.factors),
                "fingerprint": one.fingerprint,
                "success": one.success,
            }
            for one in book.store.logins(record.name, 20)
        ],
    }
