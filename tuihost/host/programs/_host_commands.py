"""Which commands somebody may run, and those that the host runs itself: `help` and `whoami`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from tuihost.commands.table import command_infos
from tuihost.core.familiar_words import HostCommand
from tuihost.host.host import Host
from tuihost.session.host_view import Account
from tuihost.session.other_apps import CommandInfo
from tuihost.text import clean

NOTHING = "No app here is open to you; the host's operator can change that."


def commands_of(host: Host, account: Account) -> Mapping[str, tuple[CommandInfo, ...]]:
    """The apps that somebody may open, and of each the commands that they may run."""
    return {
        name: tuple(
            info
            for info in command_infos(host.catalog.apps[name].app)
            if host.access.may_run(account, name, info.name)
        )
        for name in sorted(host.access.names_for(account))
    }


def output_of(command: HostCommand, host: Host, account: Account) -> Sequence[Any]:
    """What the host prints for a command of its own."""
    match command:
        case HostCommand.HELP:
            return (_help(host, account),)
        case HostCommand.WHOAMI:
            guest = " (a guest)" if account.guest else ""
            return (f"{clean(account.name)}{guest}",)


def _help(host: Host, account: Account) -> Table | str:
    """Every command that they may run, and the apps that have none for them."""
    apps = commands_of(host, account)
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for name, commands in apps.items():
        for command in commands:
            table.add_row(f"{name} {command.name}", command.help)
        app = host.catalog.apps[name].app
        if not commands and not app.hidden:
            table.add_row(name, clean(app.description))
    return table if apps else NOTHING
