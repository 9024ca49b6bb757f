"""The parameters of a command, from the type hints of its method.

A parameter without a default is an argument, one with a default an argument that may be left
out, `*names` takes all that are left, and a parameter after `*` is an option.
"""

from __future__ import annotations

import builtins
import enum
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from tuihost.errors import AppLoadError


@dataclass(frozen=True, slots=True)
class Short:
    """A short flag for an option: `ignore_case: Annotated[bool, Short("i"), "whatever case"]`."""

    letter: str


@dataclass(frozen=True, slots=True)
class Parameter:
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


def parameters_of(command: str, method: Callable[..., Any]) -> list[Parameter]:
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


def _parameter(written: inspect.Parameter, kind: _Kind) -> Parameter:
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
    return Parameter(name, parameter, by_name, spread, kind.choices, kind.as_list)


_JSON = "Write JSON, for programs."
"""What the help says of `--json`, which means the same everywhere, if the app does not say it."""


def _option(name: str, kind: _Kind, given: dict[str, Any]) -> click.Option:
    """An option; `given` holds its default, and nothing if it has to be there."""
    flag = "--" + name.strip("_").replace("_", "-")
    short = [f"-{kind.short}"] if kind.short else []
    if kind.type is click.BOOL and not kind.several:
        names = [name, *short, flag if given == {"default": False} else f"{flag}/--no-{flag[2:]}"]
        text = kind.help or (_JSON if name == "json" else None)
        return click.Option(names, is_flag=True, required=not given, help=text, **given)
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
