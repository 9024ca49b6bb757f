"""`tuihost user totp`: the second factor of an account."""

from __future__ import annotations

from pathlib import Path

import click

from tuihost.cli.accounts import (
    HostAccounts,
    confirm,
    host_accounts,
    no_such_account,
    yes_option,
)
from tuihost.cli.common import config_option


@click.group()
def totp() -> None:
    """Set up or remove the second factor: codes from an authenticator app."""


@totp.command()
@config_option
@click.argument("name")
@yes_option
def on(config: Path | None, name: str, yes: bool) -> None:
    """Give NAME a second factor: a secret with its QR code, and recovery codes. Each is shown
    only this once."""
    from tuihost.login.steps.codes import base32, grouped, new_totp_secret, totp_uri

    with host_accounts(config) as accounts:
        if accounts.account(name).totp:
            confirm(f"{name} already has a second factor, which stops working. Go on?", yes)
        secret = new_totp_secret()
        accounts.store.set_totp(name, secret)
        codes = _new_codes(accounts, name)
        uri = totp_uri(secret, name, accounts.settings.server.name)
    click.echo(f"Secret of {name}, for an authenticator app:\n")
    click.echo(f"  {grouped(base32(secret))}\n")
    _show_picture(uri)
    _show_codes(codes)


@totp.command()
@config_option
@click.argument("name")
@yes_option
def off(config: Path | None, name: str, yes: bool) -> None:
    """Remove the second factor of NAME, and its recovery codes."""
    with host_accounts(config) as accounts:
        if not accounts.account(name).totp:
            raise click.ClickException(f"{name} has no second factor.")
        confirm(f"Remove the second factor of {name}?", yes)
        accounts.store.set_totp(name, None)
        accounts.store.set_recovery(name, ())
    click.echo(f"{name} no longer has a second factor.")


@totp.command()
@config_option
@click.argument("name")
def recovery(config: Path | None, name: str) -> None:
    """Make new recovery codes for NAME; the old ones stop working."""
    with host_accounts(config) as accounts:
        if not accounts.account(name).totp:
            raise click.ClickException(
                f"{name} has no second factor, so there is nothing to recover."
            )
        codes = _new_codes(accounts, name)
    _show_codes(codes)


def _new_codes(accounts: HostAccounts, name: str) -> tuple[str, ...]:
    from tuihost.login.steps.codes import recovery_codes, recovery_hash

    if accounts.store.get(name) is None:
        raise no_such_account(name, accounts.store)
    codes = recovery_codes()
    accounts.store.set_recovery(name, [recovery_hash(name, code) for code in codes])
    return codes


def _show_picture(uri: str) -> None:
    from tuihost.login.steps.qr_code import qr_lines

    for line in qr_lines(uri) or (uri,):
        click.echo(f" {line}")
    click.echo()


def _show_codes(codes: tuple[str, ...]) -> None:
    click.echo("Recovery codes. Each works once, in place of the app. They are not shown again:\n")
    for left, right in zip(codes[::2], codes[1::2], strict=True):
        click.echo(f"  {left}    {right}")
