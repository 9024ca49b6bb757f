"""`tuihost …`: the command line. A subcommand is imported when it is called, not before."""

from __future__ import annotations

import errno
import os
import resource
import sys
from importlib import import_module
from typing import TextIO

import click

import tuihost
from tuihost.accounts import StoreError
from tuihost.errors import SettingsError, TuihostError
from tuihost.phrases import nearest

EX_UNAVAILABLE = 69  # sysexits.h: something that is needed does not work
EX_CONFIG = 78  # sysexits.h: the configuration is wrong

# Help has to answer at once, so the line about each is here and not beside its code.
_COMMANDS = {
    "demo": ("tuihost.cli.demo:demo", "Start a host that anyone on this machine may enter."),
    "init": ("tuihost.cli.init:init", "Write a settings file, a host key and a first app."),
    "check": ("tuihost.cli.check:check", "Say what is wrong with settings, apps and themes."),
    "serve": ("tuihost.cli.serve:serve", "Run the host."),
    "apps": ("tuihost.cli.apps:apps", "List the apps."),
    "themes": ("tuihost.cli.themes:themes", "List, show and import themes."),
    "run": ("tuihost.cli.run:run", "Run one app in this terminal, without SSH."),
    "user": ("tuihost.cli.user:user", "Add, show, change and delete accounts."),
    "backup": ("tuihost.cli.backup:backup", "Copy the accounts and keys, also of a running host."),
    "invite": ("tuihost.cli.invite:invite", "Make a code with which somebody can make an account."),
}


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_TOO_FEW_FILES = (
    "the system lets this program open too few files. Raise the limit: `ulimit -n 1024` in a "
    "shell, or `LimitNOFILE=` in a unit of systemd."
)


class LazyGroup(click.Group):
    """A group that knows the names of its commands and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place[0].partition(":")
        found = getattr(import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            near = nearest(name, _COMMANDS)
            hint = f" Did you mean {near!r}?" if near else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in _COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(tuihost.__version__, prog_name="tuihost")
def cli() -> None:
    """Host interactive terminal apps over SSH.

    Start with `tuihost demo`, and type `ssh -p 8022 localhost` in another terminal.
    """


def main() -> None:
    """The program `tuihost`. Exit status: 0 if all went well, 1 for a failure, 2 for a command line
    that makes no sense, 69 if the account store does not work, 78 if the settings are wrong."""
    os.umask(0o077)  # what a host makes is for nobody else to read
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # secrets in its memory stay there
    if sys.stdout is None:  # it is closed
        sys.stdout = _nowhere()
    try:
        cli.main(prog_name="tuihost")
    except SettingsError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(EX_CONFIG)
    except StoreError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(EX_UNAVAILABLE)
    except TuihostError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            click.echo(f"Error: {_TOO_FEW_FILES}", err=True)
            sys.exit(1)
        if error.errno not in _FULL:
            raise
        sys.stdout = _nowhere()  # what is left is not tried again at the end
        click.echo(f"Error: nothing more can be written: {error.strerror}", err=True)
        sys.exit(1)


def _nowhere() -> TextIO:
    return open(os.devnull, "w")
