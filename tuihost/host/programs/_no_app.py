"""What the host itself says when no app can answer: no such app, no terminal, `help`, `whoami`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from tuihost.commands.table import command_infos
from tuihost.core.familiar_words import HostCommand
from tuihost.host.host import Host
from tuihost.phrases import nearest
from tuihost.plugin import App
from tuihost.session.host_view import Account
from tuihost.session.other_apps import CommandInfo
from tuihost.text import clean
from tuihost.tui.running.command_stages import CommandStage, Signalled
from tuihost.wire import Stream

_NOTHING = "No app here is open to you; the host's operator can change that."
_OUT_OF_ORDER = "{} is out of order at the moment; the operator knows why."


def complain(host: Host, stage: CommandStage, sentence: str) -> None:
    """Says it on standard error; on a terminal, in lines that fit."""
    try:
        stage.print((f"{host.name}: {sentence}",), Stream.ERR)
    except Signalled:
        return  # the client has asked for the end already


def no_such_app(host: Host, account: Account, name: str, hint: str = "") -> str:
    """For people who ask for an app that does not exist, or that they may not open. `hint` says how
    to have a shell run their line, which knows their aliases too."""
    shown = clean(name, limit=40)
    if _is_broken(host, name):
        return _OUT_OF_ORDER.format(shown)
    known = sorted(host.access.names_for(account))
    near = nearest(name, known, 0.6)
    if near:
        return f"no app is called {shown}; did you mean {near}?"
    if hint:
        return f"no app is called {shown}. If it is one of your aliases: {hint}"
    if not known:
        return f"no app is called {shown}, and no other is open to you."
    return f"no app is called {shown}; {_there_are(known)}."


def no_first_app(host: Host, account: Account, name: str) -> str:
    """For people who ask for no app, and may not open `name`, which comes first."""
    if _is_broken(host, name):
        return _OUT_OF_ORDER.format(clean(name, limit=40))
    known = sorted(host.access.names_for(account))
    if not known:
        return "no app is open to you; the host's operator can change that."
    return f"no app opens here by itself for you, so name one: {_there_are(known)}."


def _is_broken(host: Host, name: str) -> bool:
    return any(broken.name == name for broken in host.catalog.broken)


def _there_are(names: Sequence[str]) -> str:
    return f"there {'is' if len(names) == 1 else 'are'} {', '.join(names)}"


def needs_terminal(app: App, target: str) -> str:
    """For people who open a screen without a terminal; `target` is what they type after `ssh`."""
    text = f"{app.title} needs a terminal that can draw: ssh -t {target} {app.name}"
    commands = ", ".join(app.command_methods())
    return f"{text}. Without one it has these commands: {commands}." if commands else f"{text}."


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
    return table if apps else _NOTHING
