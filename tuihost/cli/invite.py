"""`tuihost invite`: a code with which somebody can make their own account."""

from __future__ import annotations

import time
from pathlib import Path

import click

from tuihost.cli.accounts import day, host_accounts, invitation_name, ssh_line
from tuihost.cli.common import config_option, own_user
from tuihost.cli.user_access import roles_of
from tuihost.phrases import DAY


@click.command()
@config_option
@click.option("--role", "roles", multiple=True, help="A role for the new account; may be repeated.")
@click.option(
    "--days",
    type=click.FloatRange(0, 3650, min_open=True),
    default=7.0,
    show_default=True,
    help="How many days the code is valid.",
)
@click.option("--note", default="", help="A note on the person; only you see it.")
def invite(config: Path | None, roles: tuple[str, ...], days: float, note: str) -> None:
    """Make a code with which one person can make their own account.

    The code is shown only this once: the host stores its hash.
    """
    from tuihost.accounts import Invite
    from tuihost.login.steps.codes import invite_code, invite_hash
    from tuihost.text import clean

    with host_accounts(config) as accounts:
        name = invitation_name(accounts)
        given, now, code = roles_of(roles, accounts.settings), time.time(), invite_code()
        until = now + days * DAY
        accounts.store.drop_invites(now)
        accounts.store.add_invite(
            invite_hash(code),
            Invite(given, clean(note, limit=200), now, until, by=own_user()),
        )
        line = ssh_line(accounts.settings, name)
    click.echo(f"Code        {code}")
    click.echo(f"Valid until {day(until)}")
    click.echo(f"To use it   {line}")
