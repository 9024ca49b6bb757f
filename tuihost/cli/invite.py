"""`tuihost invite`: a code with which somebody makes their own account."""

from __future__ import annotations

import getpass
import time
from pathlib import Path

import click

from tuihost.cli.accounts import (
    INVITE,
    Book,
    accounts,
    config_option,
    day,
    is_door,
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
@click.option(
    "--door",
    default="new",
    show_default=True,
    help="The name that whoever has a code logs in as; made where there is none.",
)
def invite(config: Path | None, roles: tuple[str, ...], days: float, note: str, door: str) -> None:
    """Make a code with which one person makes an account, choosing its name and password.

    The code is shown this once: the host keeps only what it needs to know it again.
    """
    from tuihost.accounts import Invite
    from tuihost.steps.codes import invite_code, invite_hash
    from tuihost.text import clean

    with accounts(config) as book:
        open_door(book, door)
        given, now, code = roles_of(roles, book.settings), time.time(), invite_code()
        until = now + days * DAY
        book.store.add_invite(
            invite_hash(code),
            Invite(given, clean(note, limit=200), now, until, by=getpass.getuser()),
        )
        line = ssh_line(book.settings, door)
    click.echo(f"Code        {code}")
    click.echo(f"Good until  {day(until)}")
    click.echo(f"To use it   {line}")


def open_door(book: Book, door: str) -> None:
    """Sees to it that the name leads to the question for a code: an account that is nobody's,
    with no other way in."""
    from tuihost.accounts import AccountRecord
    from tuihost.core.names import name_problem

    problem = name_problem(door)
    if problem is not None:
        raise click.ClickException(f"{door!r} cannot be a door: {problem}.")
    record = AccountRecord(door, created=time.time(), chains=((INVITE,),))
    if book.store.create(record):
        return
    found = book.store.get(door)
    if found is None or not is_door(found):
        raise click.ClickException(
            f"The account {door!r} is somebody's; say with --door which name to use."
        )
    if found.disabled:
        raise click.ClickException(f"The door is closed: tuihost user enable {door}")
