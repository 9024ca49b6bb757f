"""`tuihost user totp`: the second factor of an account."""

from __future__ import annotations

from pathlib import Path

import click

from tuihost.cli.accounts import Book, accounts, config_option, no_such, sure, yes_option


@click.group()
def totp() -> None:
    """The second factor: codes of an authenticator app."""


@totp.command()
@config_option
@click.argument("name")
@yes_option
def on(config: Path | None, name: str, yes: bool) -> None:
    """Give NAME a secret, shown with its QR code, and recovery codes. Each is shown once."""
    from tuihost.login.steps.codes import base32, grouped, new_totp_secret, totp_uri

    with accounts(config) as book:
        if book.account(name).totp:
            sure(f"{name} has a second factor; what is set up now stops working. Go on?", yes)
        secret = new_totp_secret()
        book.store.set_totp(name, secret)
        codes = _new_codes(book, name)
        uri = totp_uri(secret, name, book.settings.server.name)
    click.echo(f"Secret of {name}, for an authenticator app:\n")
    click.echo(f"  {grouped(base32(secret))}\n")
    _show_picture(uri)
    _show_codes(codes)


@totp.command()
@config_option
@click.argument("name")
@yes_option
def off(config: Path | None, name: str, yes: bool) -> None:
    """Take the second factor of NAME away, with its recovery codes."""
    with accounts(config) as book:
        if not book.account(name).totp:
            raise click.ClickException(f"{name} has no second factor.")
        sure(f"Take the second factor of {name} away?", yes)
        book.store.set_totp(name, None)
        book.store.set_recovery(name, ())
    click.echo(f"{name} has no second factor any more.")


@totp.command()
@config_option
@click.argument("name")
def recovery(config: Path | None, name: str) -> None:
    """Make new recovery codes for NAME; those from before stop working."""
    with accounts(config) as book:
        if not book.account(name).totp:
            raise click.ClickException(f"{name} has no second factor to recover.")
        codes = _new_codes(book, name)
    _show_codes(codes)


def _new_codes(book: Book, name: str) -> tuple[str, ...]:
    from tuihost.login.steps.codes import recovery_codes, recovery_hash

    if book.store.get(name) is None:
        raise no_such(name, book.store)
    codes = recovery_codes()
    book.store.set_recovery(name, [recovery_hash(name, one) for one in codes])
    return codes


def _show_picture(uri: str) -> None:
    from tuihost.login.steps.pictures import qr_lines

    for line in qr_lines(uri) or (uri,):
        click.echo(f" {line}")
    click.echo()


def _show_codes(codes: tuple[str, ...]) -> None:
    click.echo(
        "Recovery codes. Each lets in once, in place of the app; they are not shown again:\n"
    )
    for left, right in zip(codes[::2], codes[1::2], strict=True):
        click.echo(f"  {left}    {right}")
