"""Runs `ssh host APP METHOD args…`: an app's `@command` methods as a command line.

A parameter without a default is an argument, one with a default an argument that may be left
out, `*names` takes all that are left, and what stands after `*` is an option. Nothing here
touches the process's own standard streams: help and mistakes go to the session.
"""

from __future__ import annotations

import difflib
import enum
import inspect
import types
import typing
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tuihost.errors import AppLoadError, NoTerminal
from tuihost.plugin import App, FunctionApp, first_line
from tuihost.session.other_apps import ArgumentInfo, CommandInfo, OptionInfo
from tuihost.session.session import Session

USAGE = 2  # the exit status of a command line that makes no sense, as everywhere
MAX_WIDTH = 100  # columns of a help text; wider lines are hard to read

RunAsync = Callable[[Coroutine[Any, Any, Any]], Any]

_SIMPLE: dict[Any, click.ParamType[Any]] = {
    str: click.STRING,
    int: click.INT,
    float: click.FLOAT,
    bool: click.BOOL,
    Path: click.Path(path_type=Path),
}


def run_command(app: App, session: Session, words: Sequence[str], *, run_async: RunAsync) -> int:
    """Runs the command line `words` of `app` and returns its exit status; no words show the help.

    A method that is a coroutine is run by `run_async`. What the method raises comes out again.
    """
    group = _group(app, session, run_async)
    width = min(session.terminal.size.columns, MAX_WIDTH)
    given = list(words) or ["--help"]
    if given[0].startswith("-") and given[0] in app.command_methods():
        given.insert(0, "--")  # a command such as `-c`, and no option
    try:
        with group.make_context(
            app.name, given, max_content_width=width, terminal_width=width
        ) as context:
            group.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except _Done as done:
        return done.status
    except click.ClickException as mistake:
        session.error(_sentence(mistake))
        return mistake.exit_code
    except click.Abort:
        return 1
    except NoTerminal as error:
        session.error(f"Error: {error}")
        return USAGE
    return 0


def check_commands(app: App) -> None:
    """Raises `AppLoadError` for a command whose parameters cannot come from a command line."""
    for name, method in app.command_methods().items():
        _parameters(name, method)


@dataclass(frozen=True, slots=True)
class Short:
    """A short flag for an option: `ignore_case: Annotated[bool, Short("i"), "whatever case"]`."""

    letter: str


def command_infos(app: App) -> tuple[CommandInfo, ...]:
    """What completion and help have to know of the app's commands, by name."""
    found = []
    for name, method in sorted(app.command_methods().items()):
        parameters = [one.parameter for one in _parameters(name, method)]
        found.append(
            CommandInfo(
                name,
                first_line(inspect.getdoc(method)),
                tuple(_option_info(one) for one in parameters if isinstance(one, click.Option)),
                tuple(_argument_info(one) for one in parameters if isinstance(one, click.Argument)),
            )
        )
    return tuple(found)


def _option_info(option: click.Option) -> OptionInfo:
    flags = (*option.opts, *option.secondary_opts)
    return OptionInfo(flags, option.help or "", not option.is_flag, _choices_of(option))


def _argument_info(argument: click.Argument) -> ArgumentInfo:
    several = argument.nargs == -1
    return ArgumentInfo(argument.name or "", _choices_of(argument), several, argument.required)


def _choices_of(parameter: click.Parameter) -> tuple[str, ...]:
    kind = parameter.type
    return tuple(str(one) for one in kind.choices) if isinstance(kind, click.Choice) else ()


class _Done(Exception):
    """A method has returned; click has no way to say with what."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Group(click.Group):
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.commands and not name.startswith("-"):
            close = difflib.get_close_matches(name, self.commands, n=1, cutoff=0.5)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)


def _group(app: App, session: Session, run_async: RunAsync) -> click.Group:
    group = _Group(
        app.name,
        help=_about(app),
        epilog=f"On a terminal, `ssh -t HOST {app.name}` opens it." if app.has_screen else None,
        add_help_option=False,
        params=[_help_option(session)],
        subcommand_metavar="COMMAND [ARGS]..." if app.command_methods() else "",
    )
    for name, method in app.command_methods().items():
        parameters = _parameters(name, method)
        group.add_command(
            click.Command(
                name,
                callback=_callback(name, method, parameters, session, run_async),
                params=[*(one.parameter for one in parameters), _help_option(session)],
                help=inspect.getdoc(method) or "",
                short_help=first_line(inspect.getdoc(method)),
                add_help_option=False,
            )
        )
    return group


def _about(app: App) -> str:
    written = None if isinstance(app, FunctionApp) else type(app).__doc__
    return inspect.cleandoc(written or "") or app.description or app.title


def _help_option(session: Session) -> click.Option:
    # click's own prints to the process's standard output.
    def show(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
        if wanted and not context.resilient_parsing:
            session.print(context.get_help())
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
    """What is said about a mistake: how it is used, where help is, what is wrong."""
    lines = []
    context = mistake.ctx if isinstance(mistake, click.UsageError) else None
    if context is not None:
        lines = [context.get_usage(), f"Try '{context.command_path} --help' for help.", ""]
    return "\n".join([*lines, f"Error: {mistake.format_message()}"])


def _callback(
    name: str,
    method: Callable[..., Any],
    parameters: Sequence[_Parameter],
    session: Session,
    run_async: RunAsync,
) -> Callable[..., None]:
    def call(**values: Any) -> None:
        positional: list[Any] = [session]
        named: dict[str, Any] = {}
        for one in parameters:
            value = one.value(values[one.name])
            if one.spread:
                positional.extend(value)
            elif one.by_name:
                named[one.name] = value
            else:
                positional.append(value)
        result = method(*positional, **named)
        if inspect.iscoroutine(result):
            result = run_async(result)
        if result is not None and not isinstance(result, int):
            raise TypeError(f"the command {name!r} returned {type(result).__name__}, not an int")
        raise _Done(result or 0)

    return call


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
            several = [self._one(each) for each in given]
            return several if self.as_list else tuple(several)
        return self._one(given)

    def _one(self, given: Any) -> Any:
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
    for one in own:
        if one.kind is one.VAR_KEYWORD or one.name == "help":
            raise AppLoadError(f"command {command!r}: cannot take a parameter {one.name!r}")
        try:
            kind = _kind(hints.get(one.name, str))
        except TypeError as error:
            raise AppLoadError(f"command {command!r}: parameter {one.name!r} {error}") from None
        found.append(_parameter(one, kind))
    if sum(one.parameter.nargs == -1 for one in found) > 1:
        raise AppLoadError(f"command {command!r}: two parameters would take all that is left")
    return found


def _signature(command: str, method: Callable[..., Any]) -> list[inspect.Parameter]:
    parameters = list(inspect.signature(method).parameters.values())
    if not parameters or parameters[0].kind is inspect.Parameter.KEYWORD_ONLY:
        raise AppLoadError(f"command {command!r}: the first parameter has to be the session")
    return parameters


def _hints(
    command: str, method: Callable[..., Any], parameters: Sequence[inspect.Parameter]
) -> dict[str, Any]:
    """The types of `parameters` alone: the session's may be known to type checkers only."""
    raw = {one.name: one.annotation for one in parameters if one.annotation is not one.empty}
    holder = type("Hints", (), {"__annotations__": raw})
    names = getattr(inspect.unwrap(method), "__globals__", {})
    try:
        return typing.get_type_hints(holder, globalns=names, include_extras=True)
    except (NameError, TypeError, SyntaxError) as error:
        raise AppLoadError(f"command {command!r}: a type hint cannot be read: {error}") from None


def _kind(hint: Any) -> _Kind:
    """What `hint` means on a command line. Raises `TypeError` where it means nothing."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in (inspect.Parameter.empty, Any):
        return _Kind(click.STRING)
    if origin is typing.Annotated:
        inner = _kind(arguments[0])
        note = next((one for one in arguments[1:] if isinstance(one, str)), None)
        short = next((one.letter for one in arguments[1:] if isinstance(one, Short)), None)
        return _Kind(inner.type, inner.choices, inner.several, inner.as_list, note, short)
    if origin in (typing.Union, types.UnionType):
        rest = [one for one in arguments if one is not type(None)]
        if len(rest) == 1:
            return _kind(rest[0])
    if origin is typing.Literal:
        return _choice({str(value): value for value in arguments})
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _choice({_member_name(member): member for member in hint})
    is_tuple = origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis
    if is_tuple or origin in (list, Sequence):
        inner = _kind(arguments[0])
        if not inner.several:
            return _Kind(inner.type, inner.choices, several=True, as_list=not is_tuple)
    elif isinstance(hint, type) and hint in _SIMPLE:
        return _Kind(_SIMPLE[hint])
    shown = getattr(hint, "__name__", None) if origin is None else None
    raise TypeError(f"has a type that no command line can give: {shown or hint}")


def _choice(choices: Mapping[str, Any]) -> _Kind:
    return _Kind(click.Choice(list(choices), case_sensitive=False), choices)


def _member_name(member: enum.Enum) -> str:
    return member.value if isinstance(member.value, str) else member.name.lower()


def _parameter(one: inspect.Parameter, kind: _Kind) -> _Parameter:
    by_name = one.kind is one.KEYWORD_ONLY
    spread = one.kind is one.VAR_POSITIONAL
    required = one.default is one.empty and not spread
    # To click a default of None is a default too: where there is none, none may be passed.
    given = {} if one.default is one.empty else {"default": _default(one.default, kind)}
    parameter: click.Parameter
    if by_name:
        parameter = _option(one.name, kind, given)
    elif spread or kind.several:
        parameter = click.Argument([one.name], type=kind.type, nargs=-1, required=required, **given)
    else:
        parameter = click.Argument([one.name], type=kind.type, required=required, **given)
    return _Parameter(one.name, parameter, by_name, spread, kind.choices, kind.as_list)


def _option(name: str, kind: _Kind, given: dict[str, Any]) -> click.Option:
    """An option; `given` holds its default, and nothing where it has to be there."""
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

    def one(value: Any) -> Any:
        if kind.choices is None or value is None:
            return value
        return next((name for name, choice in kind.choices.items() if choice == value), value)

    return tuple(one(each) for each in value or ()) if kind.several else one(value)
