"""Runs `ssh host APP METHOD args…`: an app's `@command` methods as a command line.

Nothing here touches the process's own standard streams: help and mistakes go to the session.
"""

from __future__ import annotations

import typing
from collections.abc import Sequence
from dataclasses import dataclass

import click

from tuihost.commands.table import Run, RunAsync, command_table, exit_status
from tuihost.errors import NoTerminal, TookTooLong, TookTooMuch
from tuihost.phrases import nearest
from tuihost.plugin import App
from tuihost.session.session import Session
from tuihost.text import clean

USAGE = 2  # the exit status of a command line that makes no sense, as everywhere
MAX_WIDTH = 100  # columns of a help text; wider lines are hard to read
MAX_MISTAKE = 1000  # characters that say what is wrong: click names every word that is too many


def _help(app: App, context: click.Context, session: Session, width: int) -> str:
    """The help of an app, and below it how to come to its screen."""
    more = []
    if app.default_command:
        more.append(f"`{app.name}` alone runs `{app.name} {app.default_command}`.")
    if app.has_screen:
        target = clean(session.ssh_target)
        more.append(f"On a terminal, `ssh -t {target} {app.name}` opens it.")
    below = [click.formatting.wrap_text(" ".join(more), width, "  ", "  ")] if more else []
    return "\n\n".join([context.get_help(), *below])


# ----------------------------------------------------------------------------------- resolving


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The words of a command line of `app`, resolved: what rights are judged on, and what runs.

    `command` is the name of the command; None if the app's help is asked for, or if there is a
    `problem`, a sentence: then nothing runs. `words` are what follows the name.
    """

    app: App
    command: str | None = None
    words: tuple[str, ...] = ()
    problem: str | None = None


def resolve(app: App, words: Sequence[str]) -> CommandLine:
    """Which command `words` name; without any it is the app's default. An app itself has the one
    option `--help`, so the first word is the command's name, or the second one after `--`. `-h` and
    `help` mean the same, unless the command or the app has its own."""
    known = command_table(app).group.commands
    match tuple(words):
        case ():
            return CommandLine(app, app.default_command or None)
        case ("--help" | "-h", *_):
            return CommandLine(app)
        case ("help", *about) if "help" not in known:
            return resolve(app, (*about[:1], "--help"))
        case ("--", *ahead):
            pass
        case ahead:
            pass
    match tuple(ahead):
        case (name, "-h") if name in known and not _has_option(known[name], "-h"):
            return CommandLine(app, name, ("--help",))
        case (name, *rest) if name in known:
            return CommandLine(app, name, tuple(rest))
        case (option, *_) if option.startswith("-"):
            return CommandLine(app, problem=f"No such option {clean(option, limit=40)!r}.")
        case (name, *_):
            near = nearest(name, known)
            hint = f" Did you mean {near!r}?" if near else ""
            return CommandLine(app, problem=f"No such command {clean(name, limit=40)!r}.{hint}")
        case _:
            return CommandLine(app, problem="Missing command.")


def _has_option(command: click.Command, name: str) -> bool:
    return any(name in parameter.opts for parameter in command.params)


# ------------------------------------------------------------------------------------- running


def run_command(line: CommandLine, session: Session, *, run_async: RunAsync) -> int:
    """Runs a command line and returns its exit status; without a command it shows the help.

    A method that is a coroutine is run by `run_async`. What the method raises comes out again,
    except `NoTerminal`, `TookTooLong` and `TookTooMuch`.
    """
    group = command_table(line.app).group
    width = min(session.terminal.size.columns, MAX_WIDTH)
    above = click.Context(
        group,
        info_name=line.app.name,
        max_content_width=width,
        terminal_width=width,
        obj=Run(session, run_async),
    )
    try:
        if line.problem is not None:
            raise click.UsageError(line.problem, above)
        if line.command is None:
            session.print(_help(line.app, above, session, width))
            return 0
        command = group.commands[line.command]
        with command.make_context(line.command, list(line.words), parent=above) as context:
            return typing.cast(int, command.invoke(context))
    except click.exceptions.Exit as end:
        return exit_status(end.exit_code)
    except click.ClickException as mistake:
        session.error(_sentence(mistake))
        return exit_status(mistake.exit_code)
    except click.Abort:
        return 1
    except NoTerminal as error:
        session.error(f"Error: {error}")
        return USAGE
    except (TookTooLong, TookTooMuch) as error:
        session.error(f"Error: {error}")
        return 1


def _sentence(mistake: click.ClickException) -> str:
    """The text for a mistake: how to use the command, where help is, what is wrong."""
    lines = []
    context = mistake.ctx if isinstance(mistake, click.UsageError) else None
    if context is not None:
        lines = [context.get_usage(), f"Try '{context.command_path} --help' for help.", ""]
    about = clean(mistake.format_message(), lines=True, limit=MAX_MISTAKE)
    return "\n".join([*lines, f"Error: {about}"])
