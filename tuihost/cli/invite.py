"""`tuihost invite`: a code with which somebody makes their own account."""

from __future__ import annotations

import getpass
import time
from pathlib import Path

import click

from tuihost.cli.accounts import (
    accounts,
    config_option,
    day,
    invited_as,
    roles_of,
    ssh_line,
)

DAY = 86_400.0  # seconds


@click.command()
@config_option
@click.option("--role", "roles", multiple=True, help="A role that the new account has.")
@click.option(
    "--days",
    type=click.FloatRange(0, 3650, min_open=True),
    default=7.0,
    show_default=True,
    help="How long the code is good.",
)
@click.option("--note", default="", help="For whom it is, for your own records.")
def invite(config: Path | None, roles: tuple[str, ...], days: float, note: str) -> None:
    """Make a code with which one person makes an account, choosing its name and password.

    The code is shown this once: the host keeps only what it needs to know it again.
    """
    from tuihost.accounts import Invite
    from tuihost.login.steps.codes import invite_code, invite_hash
    from tuihost.text import clean

    with accounts(config) as book:
        name = invited_as(book)
        given, now, code = roles_of(roles, book.settings), time.time(), invite_code()
        until = now + days * DAY
        book.store.drop_invites(now)
        book.store.add_invite(
            invite_hash(code),
            Invite(given, clean(note, limit=200), now, until, by=getpass.getuser()),
        )
        line = ssh_line(book.settings, name)
    click.echo(f"Code        {code}")
    click.echo(f"Good until  {day(until)}")
    click.echo(f"To use it   {line}")
