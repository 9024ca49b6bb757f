"""Runs `ssh host APP METHOD args…`: an app's `@command` methods as a command line.

A parameter without a default is an argument, one with a default an argument that may be left
out, `*names` takes all that are left, and a parameter after `*` is an option. Nothing here touches
the process's own standard streams: help and mistakes go to the session.

The command table of an app is made once, when the app is loaded (`check_commands`), and kept with
the app.
"""

from __future__ import annotations

import builtins
import enum
import inspect
import types
import typing
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from tuihost.errors import AppLoadError, NoTerminal, TookTooLong, TookTooMuch
from tuihost.phrases import nearest
from tuihost.plugin import App, FunctionApp, first_line
from tuihost.session.other_apps import ArgumentInfo, CommandInfo, OptionInfo
from tuihost.session.session import Session
from tuihost.text import clean

USAGE = 2  # the exit status of a command line that makes no sense, as everywhere
MAX_WIDTH = 100  # columns of a help text; wider lines are hard to read

RunAsync = Callable[[Coroutine[Any, Any, Any]], Any]


@dataclass(frozen=True, slots=True)
class Short:
    """A short flag for an option: `ignore_case: Annotated[bool, Short("i"), "whatever case"]`."""

    letter: str


# ---------------------------------------------------------------------------------- the table


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


def _help(app: App, context: click.Context, session: Session, width: int) -> str:
    """The help of an app, and below it how to come to its screen."""
    more = []
    if app.default_command:
        more.append(f"`{app.name}` alone runs `{app.name} {app.default_command}`.")
    if app.has_screen:
        target = clean(session.host.ssh_target)
        more.append(f"On a terminal, `ssh -t {target} {app.name}` opens it.")
    below = [click.formatting.wrap_text(" ".join(more), width, "  ", "  ")] if more else []
    return "\n\n".join([context.get_help(), *below])


def _is_word(name: object) -> bool:
    return isinstance(name, str) and name.isprintable() and name.split() == [name]


def _by_name(info: CommandInfo) -> str:
    return info.name


def _about(app: App) -> str:
    written = None if isinstance(app, FunctionApp) else type(app).__doc__
    return inspect.cleandoc(written or "") or app.description or app.title


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
    option `--help`, so the first word is the command's name, or the second one after `--`."""
    known = command_table(app).group.commands
    match tuple(words):
        case ():
            return CommandLine(app, app.default_command or None)
        case ("--help", *_):
            return CommandLine(app)
        case ("--", *ahead):
            pass
        case ahead:
            pass
    match tuple(ahead):
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


# ------------------------------------------------------------------------------------- running


@dataclass(frozen=True, slots=True)
class _Run:
    """One command line that runs: what is not in the table."""

    session: Session
    run_async: RunAsync


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
        obj=_Run(session, run_async),
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


def exit_status(result: int) -> int:
    """What an exit status comes to, as in a shell: its lower eight bits. What was not 0 stays so: a
    failure is never taken for a success."""
    return result & 0xFF or int(result != 0)


class _Command(click.Command):
    """One method of an app. Its result is its exit status."""

    def __init__(self, name: str, method: Callable[..., Any]) -> None:
        self._method = method
        self._parameters = _parameters(name, method)
        about = inspect.getdoc(method)
        super().__init__(
            name,
            params=[*(own.parameter for own in self._parameters), _help_option()],
            help=about or "",
            short_help=first_line(about),
            add_help_option=False,
        )

    def invoke(self, ctx: click.Context) -> int:
        run = ctx.find_object(_Run)
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
            run = context.find_object(_Run)
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


def _sentence(mistake: click.ClickException) -> str:
    """The text for a mistake: how to use the command, where help is, what is wrong."""
    lines = []
    context = mistake.ctx if isinstance(mistake, click.UsageError) else None
    if context is not None:
        lines = [context.get_usage(), f"Try '{context.command_path} --help' for help.", ""]
    return "\n".join([*lines, f"Error: {mistake.format_message()}"])


# ------------------------------------------------------------------------------- parameters


@dataclass(frozen=True, slots=True)
class _Parameter:
    """One parameter of a method, and how its value comes out of a command line."""

    name: str
    parameter: click.Parameter
    by_name: bool
    spread: bool
    choices: Mapping[str, Any] | None
    as_list: bool

    def value(self, given: Any) -> Any:
        if isinstance(given, tuple):
            several = [self._chosen(word) for word in given]
            return several if self.as_list else tuple(several)
        return self._chosen(given)

    def _chosen(self, given: Any) -> Any:
        return self.choices[given] if self.choices is not None and given is not None else given


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a type hint comes to."""

    type: click.ParamType[Any]
    choices: Mapping[str, Any] | None = None
    several: bool = False
    as_list: bool = False
    help: str | None = None
    short: str | None = None


def _parameters(command: str, method: Callable[..., Any]) -> list[_Parameter]:
    """The parameters of a command after its session. Raises `AppLoadError`."""
    _, *own = _signature(command, method)
    hints = _hints(command, method, own)
    found = []
    for written in own:
        name = written.name
        if written.kind is written.VAR_KEYWORD or name == "help":
            raise AppLoadError(f"command {command!r}: cannot take a parameter {name!r}", method)
        try:
            kind = _kind(hints.get(name, str))
        except TypeError as error:
            raise AppLoadError(f"command {command!r}: parameter {name!r} {error}", method) from None
        found.append(_parameter(written, kind))
    if sum(parameter.parameter.nargs == -1 for parameter in found) > 1:
        raise AppLoadError(
            f"command {command!r}: two parameters would take all that is left", method
        )
    return found


def _signature(command: str, method: Callable[..., Any]) -> list[inspect.Parameter]:
    parameters = list(inspect.signature(method).parameters.values())
    if not parameters or parameters[0].kind is inspect.Parameter.KEYWORD_ONLY:
        raise AppLoadError(
            f"command {command!r}: the first parameter has to be the session", method
        )
    return parameters


def _hints(
    command: str, method: Callable[..., Any], parameters: Sequence[inspect.Parameter]
) -> dict[str, Any]:
    """The types of `parameters` alone: the session's may be known to type checkers only."""
    raw = {own.name: own.annotation for own in parameters if own.annotation is not own.empty}
    holder = type("Hints", (), {"__annotations__": raw})
    names = getattr(inspect.unwrap(method), "__globals__", {})
    try:
        return typing.get_type_hints(holder, globalns=names, include_extras=True)
    except (NameError, TypeError, SyntaxError) as error:
        raise AppLoadError(
            f"command {command!r}: a type hint cannot be read: {error}", method
        ) from None


_PLAIN: Mapping[Any, click.ParamType[Any]] = {
    Any: click.STRING,
    str: click.STRING,
    int: click.INT,
    float: click.FLOAT,
    bool: click.BOOL,
    Path: click.Path(path_type=Path),
}
_LISTS = (list, Sequence)


def _kind(hint: Any) -> _Kind:
    """What `hint` means on a command line. Raises `TypeError` if it means nothing there."""
    arguments = typing.get_args(hint)
    match typing.get_origin(hint):
        case typing.Annotated:
            return _annotated(*arguments)
        case typing.Union | types.UnionType:
            kind = _optional(arguments)
        case typing.Literal:
            kind = _choice({str(value): value for value in arguments})
        case builtins.tuple if arguments[1:] == (Ellipsis,):
            kind = _several(arguments[0], as_list=False)
        case origin if origin in _LISTS:
            kind = _several(arguments[0], as_list=True)
        case None:
            kind = _plain(hint)
        case _:
            kind = None
    if kind is None:
        shown = getattr(hint, "__name__", hint) if not arguments else hint
        raise TypeError(f"has a type that no command line can give: {shown}")
    return kind


def _annotated(hint: Any, *notes: Any) -> _Kind:
    """A type with a line of help, or with a short flag."""
    text = next((note for note in notes if isinstance(note, str)), None)
    short = next((note.letter for note in notes if isinstance(note, Short)), None)
    return replace(_kind(hint), help=text, short=short)


def _optional(hints: tuple[Any, ...]) -> _Kind | None:
    """`X | None`."""
    others = [hint for hint in hints if hint is not type(None)]
    return _kind(others[0]) if len(others) == 1 else None


def _several(hint: Any, *, as_list: bool) -> _Kind | None:
    kind = _kind(hint)
    return None if kind.several else replace(kind, several=True, as_list=as_list)


def _plain(hint: Any) -> _Kind | None:
    """A type that holds no other."""
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _choice({_member_name(member): member for member in hint})
    return _Kind(_PLAIN[hint]) if hint in _PLAIN else None


def _choice(choices: Mapping[str, Any]) -> _Kind:
    return _Kind(click.Choice(list(choices), case_sensitive=False), choices)


def _member_name(member: enum.Enum) -> str:
    return member.value if isinstance(member.value, str) else member.name.lower()


def _parameter(written: inspect.Parameter, kind: _Kind) -> _Parameter:
    name, default = written.name, written.default
    by_name = written.kind is written.KEYWORD_ONLY
    spread = written.kind is written.VAR_POSITIONAL
    required = default is written.empty and not spread
    # To click a default of None is a default too: where there is none, none may be passed.
    given = {} if default is written.empty else {"default": _default(default, kind)}
    parameter: click.Parameter
    if by_name:
        parameter = _option(name, kind, given)
    elif spread or kind.several:
        parameter = click.Argument([name], type=kind.type, nargs=-1, required=required, **given)
    else:
        parameter = click.Argument([name], type=kind.type, required=required, **given)
    return _Parameter(name, parameter, by_name, spread, kind.choices, kind.as_list)


def _option(name: str, kind: _Kind, given: dict[str, Any]) -> click.Option:
    """An option; `given` holds its default, and nothing if it has to be there."""
    flag = "--" + name.strip("_").replace("_", "-")
    short = [f"-{kind.short}"] if kind.short else []
    if kind.type is click.BOOL and not kind.several:
        names = [name, *short, flag if given == {"default": False} else f"{flag}/--no-{flag[2:]}"]
        return click.Option(names, is_flag=True, required=not given, help=kind.help, **given)
    return click.Option(
        [name, *short, flag],
        type=kind.type,
        required=not given,
        multiple=kind.several,
        show_default=given.get("default") not in (None, "", ()),
        help=kind.help,
        **given,
    )


def _default(value: Any, kind: _Kind) -> Any:
    """A default as click knows it: choices by their names."""

    def named(value: Any) -> Any:
        if kind.choices is None or value is None:
            return value
        return next((name for name, choice in kind.choices.items() if choice == value), value)

    return tuple(map(named, value or ())) if kind.several else named(value)
