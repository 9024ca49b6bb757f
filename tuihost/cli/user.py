"""`tuihost user`: the accounts of the host, and what belongs to each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuihost.cli.accounts import (
    HostAccounts,
    confirm,
    day,
    hashed,
    host_accounts,
    look_alike,
    new_password,
    no_such_account,
    password_option,
    yes_option,
)
from tuihost.cli.common import config_option, json_option, say_json, say_table
from tuihost.cli.user_access import chains, groups, roles, roles_of
from tuihost.cli.user_keys import key, key_data
from tuihost.cli.user_totp import totp
from tuihost.phrases import counted, iso_time

if TYPE_CHECKING:
    from tuihost.accounts import AccountRecord, KeyRecord, LoginRecord
    from tuihost.core.login.rights import Rights


@click.group()
def user() -> None:
    """Add, show, change and delete accounts.

    A running host sees each change at once. Exit status: 1 if there is no such account or the
    change is not possible, 69 if the account store does not work, 78 if the settings are wrong.
    """


for _subcommand in (roles, groups, chains, key, totp):
    user.add_command(_subcommand)


@user.command()
@config_option
@click.argument("name")
@click.option("--role", "roles", multiple=True, help="A role to give them; may be repeated.")
@password_option
@click.option("--no-password", is_flag=True, help="No password: they log in by their keys only.")
def add(
    config: Path | None, name: str, roles: tuple[str, ...], password_stdin: bool, no_password: bool
) -> None:
    """Add an account called NAME, and ask for its password."""
    from tuihost.accounts import AccountRecord
    from tuihost.core.login.account_names import name_problem

    if password_stdin and no_password:
        raise click.UsageError("Give either --password-stdin or --no-password.")
    problem = name_problem(name)
    if problem is not None:
        raise click.ClickException(f"{name!r} cannot be an account's name: {problem}.")
    with host_accounts(config) as accounts:
        if accounts.store.get(name) is not None:
            raise click.ClickException(f"There is already an account {name!r}.")
        given = roles_of(roles, accounts.settings)
        stored = None
        if not no_password:
            password = new_password(name, accounts.settings, from_stdin=password_stdin)
            stored = hashed(password)
        looks_like = accounts.looking_like(name)
        record = AccountRecord(name, roles=given, created=time.time(), password_hash=stored)
        if not accounts.store.create(record):
            raise click.ClickException(
                f"There is already an account whose name differs from {name!r} only in upper and"
                " lower case."
            )
        if looks_like:
            click.echo(look_alike((name, *looks_like)), err=True)
        if name == accounts.settings.login.invite_name:
            click.echo(
                f"login.invite_name is {name!r}, too: nobody can use an invitation any more.",
                err=True,
            )
    click.echo(f"{name} now has an account.")
    if no_password:
        click.echo(f"Next: tuihost user key add {name} FILE")


@user.command(name="list")
@config_option
@json_option
def list_(config: Path | None, as_json: bool) -> None:
    """List the accounts."""
    with host_accounts(config) as accounts:
        found = accounts.store.all()
        if as_json:
            say_json([_data(accounts, record) for record in found])
            return
        lines = [
            (
                record.name,
                " ".join(sorted(record.roles | accounts.roles_by_groups(record))) or "-",
                ", ".join(_proofs(record, len(accounts.store.keys(record.name)))) or "-",
                _state(record),
                day(record.created),
                day(_last_login(accounts, record.name)),
            )
            for record in found
        ]
    if not lines:
        click.echo("There are no accounts yet. To add one: tuihost user add NAME", err=True)
        return
    say_table(("NAME", "ROLES", "LOGS IN WITH", "STATE", "SINCE", "LAST LOGIN"), lines)


@user.command()
@config_option
@click.argument("name")
@json_option
def show(config: Path | None, name: str, as_json: bool) -> None:
    """Show the account NAME: its roles and rights, keys, second factor and latest logins."""
    from tuihost.core.login.rights import rights_of

    with host_accounts(config) as accounts:
        record = accounts.account(name)
        keys, logins = accounts.store.keys(name), accounts.store.logins(name, 5)
        if as_json:
            say_json(_data(accounts, record, whole=True))
            return
        table, by_groups = accounts.settings.roles, accounts.roles_by_groups(record)
    _show(record, by_groups, rights_of(table, guest=False, roles=record.roles | by_groups))
    _show_keys_and_logins(keys, logins)


@user.command()
@config_option
@click.argument("name")
@password_option
@click.option("--expire", is_flag=True, help="Make them choose another at their next login.")
def passwd(config: Path | None, name: str, password_stdin: bool, expire: bool) -> None:
    """Give NAME a new password."""
    with host_accounts(config) as accounts:
        own = accounts.account(name).chains
        stored = hashed(new_password(name, accounts.settings, own, from_stdin=password_stdin))
        if not accounts.store.update(name, password_hash=stored, password_expired=expire):
            raise no_such_account(name, accounts.store)
    until = ", which they have to change at their next login" if expire else ""
    click.echo(f"{name} has a new password{until}.")


@user.command()
@config_option
@click.argument("name")
def disable(config: Path | None, name: str) -> None:
    """Close the account NAME: nobody can log in with it. Nothing of it is lost."""
    _close(config, name, True)
    click.echo(f"{name} is closed. A login that is open lasts until they leave.")


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
    """Forget the failed logins of the account NAME, which ends a lock at once."""
    from tuihost.core.login.lockout import Lockout

    with host_accounts(config) as accounts:
        accounts.account(name)
        forgotten = Lockout(accounts.store).unlock(name)
    if forgotten:
        click.echo(f"{name} is unlocked; {counted(forgotten, 'failed login')} forgotten.")
    else:
        click.echo(f"{name} was not locked: there were no failed logins.")


def _close(config: Path | None, name: str, disabled: bool) -> None:
    with host_accounts(config) as accounts:
        if not accounts.store.update(name, disabled=disabled):
            raise no_such_account(name, accounts.store)


@user.command()
@config_option
@click.argument("name")
@yes_option
def delete(config: Path | None, name: str, yes: bool) -> None:
    """Delete the account NAME with its keys, its second factor and its history.

    What apps have stored for it stays: an account of the same name would find it.
    """
    with host_accounts(config) as accounts:
        accounts.account(name)
        confirm(f"Delete {name} for good?", yes)
        if not accounts.store.delete(name):
            raise no_such_account(name, accounts.store)
    click.echo(f"{name} is deleted.")


# -------------------------------------------------------------------------------- in words


def _show(record: AccountRecord, by_groups: frozenset[str], rights: Rights) -> None:
    chains = (
        "; ".join(", ".join(chain) for chain in record.chains) or "those of the host's settings"
    )
    codes = f", {record.recovery_left} recovery codes left" if record.totp else ""
    click.echo(f"Name           {record.name}")
    click.echo(f"State          {_state(record)}")
    click.echo(f"Since          {day(record.created)}")
    click.echo(f"Roles          {' '.join(sorted(record.roles)) or '-'}")
    if record.groups:
        click.echo(f"Groups         {' '.join(sorted(record.groups))}")
        click.echo(f"Roles by them  {' '.join(sorted(by_groups)) or '-'}")
    click.echo(f"Apps           {' '.join(rights.apps) or '-'}")
    click.echo(f"Commands       {', '.join(rights.commands) or '-'}")
    click.echo(f"Files          {_files(rights)}")
    click.echo(f"Forwards       {' '.join((*rights.forwards, *rights.listens)) or '-'}")
    click.echo(f"Chains         {chains}")
    click.echo(f"Password       {_password_state(record)}")
    click.echo(f"Second factor  {'yes' if record.totp else 'no'}{codes}")


def _files(rights: Rights) -> str:
    reads = " ".join(pattern for pattern in rights.read_files if pattern not in rights.write_files)
    writes = " ".join(rights.write_files)
    parts = [f"{words} {of}" for words, of in (("read", reads), ("read and write", writes)) if of]
    return "; ".join(parts) or "-"


def _show_keys_and_logins(keys: Sequence[KeyRecord], logins: Sequence[LoginRecord]) -> None:
    if keys:
        click.echo("\nKeys")
        say_table(
            ("  NAME", "FINGERPRINT", "LAST USED"),
            [(f"  {key.name}", key.fingerprint, day(key.last_used)) for key in keys],
        )
    if logins:
        click.echo("\nLatest logins")
        say_table(
            ("  WHEN (UTC)", "FROM", "WITH", ""),
            [
                (
                    f"  {iso_time(login.at)}",
                    login.address,
                    ", ".join(login.factors),
                    "" if login.success else "failed",
                )
                for login in logins
            ],
        )


def _state(record: AccountRecord) -> str:
    from tuihost.core.login.chains import only_by_invitation

    if record.disabled:
        return "closed"
    return "for invitations" if only_by_invitation(record.chains) else "open"


def _password_state(record: AccountRecord) -> str:
    if record.password_hash is None:
        return "none"
    return "expired: they have to change it" if record.password_expired else "yes"


def _proofs(record: AccountRecord, keys: int) -> list[str]:
    """What they have to log in with."""
    shown = ["password"] if record.password_hash is not None else []
    shown += ["totp"] if record.totp else []
    shown += [counted(keys, "key")] if keys else []
    return shown


def _last_login(accounts: HostAccounts, name: str) -> float | None:
    return next((login.at for login in accounts.store.logins(name, 200) if login.success), None)


def _data(accounts: HostAccounts, record: AccountRecord, *, whole: bool = False) -> dict[str, Any]:
    """An account for programs, without its secrets."""
    keys = accounts.store.keys(record.name)
    data: dict[str, Any] = {
        "name": record.name,
        "roles": sorted(record.roles),
        "groups": sorted(record.groups),
        "roles_by_groups": sorted(accounts.roles_by_groups(record)),
        "disabled": record.disabled,
        "created": iso_time(record.created),
        "last_login": iso_time(_last_login(accounts, record.name)),
        "password": record.password_hash is not None,
        "password_expired": record.password_expired,
        "second_factor": record.totp,
        "recovery_codes_left": record.recovery_left,
        "chains": [list(chain) for chain in record.chains],
    }
    if not whole:
        return {**data, "key_count": len(keys)}
    return {
        **data,
        "keys": [key_data(key) for key in keys],
        "logins": [_login_data(login) for login in accounts.store.logins(record.name, 20)],
    }


def _login_data(login: LoginRecord) -> dict[str, Any]:
    return {
        "at": iso_time(login.at),
        "address": login.address,
        "factors": list(login.factors),
        "fingerprint": login.fingerprint,
        "success": login.success,
    }
