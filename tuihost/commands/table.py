"""The command table of an app: its `@command` methods, as click has them.

It is made once, when the app is loaded (`check_commands`), and kept with the app.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import click

from tuihost.commands.parameters import parameters_of
from tuihost.errors import AppLoadError
from tuihost.phrases import nearest
from tuihost.plugin import App, FunctionApp, first_line
from tuihost.session.other_apps import ArgumentInfo, CommandInfo, OptionInfo
from tuihost.session.session import Session

RunAsync = Callable[[Coroutine[Any, Any, Any]], Any]


@dataclass(frozen=True, slots=True)
class CommandTable:
    """The commands of one app: the same for everybody who runs one."""

    group: click.Group
    infos: tuple[CommandInfo, ...]


_TABLE = "_command_table"


def check_commands(app: App) -> None:
    """Raises `AppLoadError` for a command whose parameters cannot come from a command line."""
    command_table(app)


def command_infos(app: App) -> tuple[CommandInfo, ...]:
    """What completion and help have to know of the app's commands, by name."""
    return command_table(app).infos


def command_table(app: App) -> CommandTable:
    """The table of `app`, made when it is first asked for. Any thread."""
    table = vars(app).get(_TABLE)
    if table is None:
        table = vars(app)[_TABLE] = _made(app)
    return typing.cast(CommandTable, table)


def _made(app: App) -> CommandTable:
    methods = app.command_methods()
    for name, method in methods.items():
        if not _is_word(name):
            raise AppLoadError(f"{name!r} cannot be a command's name: it is not one word", method)
    commands = [_Command(name, method) for name, method in methods.items()]
    _check_default(app, commands)
    group = click.Group(
        app.name,
        commands=commands,
        help=_about(app),
        add_help_option=False,
        params=[_help_option()],
        subcommand_metavar="COMMAND [ARGS]..." if commands else "",
    )
    return CommandTable(group, tuple(sorted((own.info for own in commands), key=_by_name)))


def _check_default(app: App, commands: Sequence[_Command]) -> None:
    """Raises `AppLoadError` for a default command that is not there or needs arguments."""
    name = app.default_command
    if not name:
        return
    found = next((own for own in commands if own.name == name), None)
    if found is None:
        near = nearest(name, [own.name or "" for own in commands])
        hint = f"; did you mean {near!r}?" if near else ""
        raise AppLoadError(f"default_command: there is no command {name!r}{hint}", type(app))
    if any(parameter.required for parameter in found.params):
        raise AppLoadError(f"default_command: {name!r} cannot run without arguments", type(app))


def _is_word(name: object) -> bool:
    return isinstance(name, str) and name.isprintable() and name.split() == [name]


def _by_name(info: CommandInfo) -> str:
    return info.name


def _about(app: App) -> str:
    written = None if isinstance(app, FunctionApp) else type(app).__doc__
    return inspect.cleandoc(written or "") or app.description or app.title


@dataclass(frozen=True, slots=True)
class Run:
    """One command line that runs: what is not in the table."""

    session: Session
    run_async: RunAsync


def exit_status(result: int) -> int:
    """What an exit status comes to, as in a shell: its lower eight bits. What was not 0 stays so: a
    failure is never taken for a success."""
    return result & 0xFF or int(result != 0)


class _Command(click.Command):
    """One method of an app. Its result is its exit status."""

    def __init__(self, name: str, method: Callable[..., Any]) -> None:
        self._method = method
        self._parameters = parameters_of(name, method)
        about = inspect.getdoc(method)
        super().__init__(
            name,
            params=[*(own.parameter for own in self._parameters), _help_option()],
            help=about or "",
            short_help=first_line(about),
            add_help_option=False,
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`head -3` is `head -n 3`, as everywhere."""
        if args and _COUNT.fullmatch(args[0]) and any(map(_is_count, self.params)):
            args = ["-n", args[0][1:], *args[1:]]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> int:
        run = ctx.find_object(Run)
        assert run is not None, "`run_command` gives it"
        positional: list[Any] = [run.session]
        named: dict[str, Any] = {}
        for own in self._parameters:
            value = own.value(ctx.params[own.name])
            if own.spread:
                positional.extend(value)
            elif own.by_name:
                named[own.name] = value
            else:
                positional.append(value)
        result = self._method(*positional, **named)
        if inspect.iscoroutine(result):
            result = run.run_async(result)
        if result is not None and not isinstance(result, int):
            kind = type(result).__name__
            raise TypeError(f"the command {self.name!r} returned {kind}, not an int")
        return exit_status(result or 0)

    @property
    def info(self) -> CommandInfo:
        parameters = [own.parameter for own in self._parameters]
        return CommandInfo(
            self.name or "",
            self.short_help or "",
            tuple(_option_info(own) for own in parameters if isinstance(own, click.Option)),
            tuple(_argument_info(own) for own in parameters if isinstance(own, click.Argument)),
        )


_COUNT = re.compile(r"-[0-9]+")


def _is_count(parameter: click.Parameter) -> bool:
    return "-n" in parameter.opts and parameter.type is click.INT


def _option_info(option: click.Option) -> OptionInfo:
    flags = (*option.opts, *option.secondary_opts)
    return OptionInfo(flags, option.help or "", not option.is_flag, _choices_of(option))


def _argument_info(argument: click.Argument) -> ArgumentInfo:
    several = argument.nargs == -1
    return ArgumentInfo(argument.name or "", _choices_of(argument), several, argument.required)


def _choices_of(parameter: click.Parameter) -> tuple[str, ...]:
    kind = parameter.type
    return tuple(map(str, kind.choices)) if isinstance(kind, click.Choice) else ()


def _help_option() -> click.Option:
    # click's own prints to the process's standard output.
    def show(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
        if wanted and not context.resilient_parsing:
            run = context.find_object(Run)
            assert run is not None, "`run_command` gives it"
            run.session.print(context.get_help())
            context.exit()

    return click.Option(
        ["--help"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=show,
        help="Show this and exit.",
    )
