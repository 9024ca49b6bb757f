"""How the settings are read: a file, the environment, and options of the command line.

A file (TOML) gives way to the environment (`TUIHOST_SERVER__PORT=8022`), and both give way to
options of the command line. Every mistake is reported at once, with its place in the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from tuihost.errors import SettingsError
from tuihost.phrases import nearest, size_of
from tuihost.settings.environment import EnvironmentText
from tuihost.settings.models import Section, Settings
from tuihost.settings.toml import KeyLines, TomlError, parsed

if TYPE_CHECKING:
    from tuihost.settings.mistakes import Origins

MAX_FILE = 1_000_000  # bytes; a settings file has a few thousand
ENV_PREFIX = "TUIHOST_"
ENV_DEPTH = 16  # names between `__`; the settings need three
_NAMED = (("app",), ("roles",), ("groups",), ("login", "app_chains"))  # tables of what has a name


def load(
    path: Path | None,
    env: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """The settings in `path` (none: all defaults), changed by `env` and then by `overrides`.

    `overrides` has dotted names, such as `server.port`; a value of None was not given.
    Raises `SettingsError` with every mistake.
    """
    given = _given(path, env, overrides)
    try:
        settings = given.validated()
    except ValidationError as error:
        raise SettingsError(given.mistakes(error)) from None
    if given.problems:
        raise SettingsError(tuple(given.problems))
    return settings


@dataclass(frozen=True, slots=True)
class Draft:
    """Settings as far as they are right, to look for more mistakes: what is wrong has its default.
    `origins` says where each came from."""

    settings: Settings
    problems: tuple[str, ...]
    origins: Origins


def draft(
    path: Path | None,
    env: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Draft:
    """What `load` would read, with its mistakes. Raises `SettingsError` if the file cannot be read
    or is not TOML."""
    given = _given(path, env, overrides)
    origins = given.origins_of_all()
    try:
        return Draft(given.validated(), tuple(given.problems), origins)
    except ValidationError as error:
        problems = given.mistakes(error)
        given.leave_out(error)
    try:
        return Draft(given.validated(), problems, origins)
    except ValidationError:  # a default does not fit what is left: nothing more can be looked at
        raise SettingsError(problems) from None


def _given(
    path: Path | None, env: Mapping[str, str] | None, overrides: Mapping[str, Any] | None
) -> _Given:
    text = _read(path) if path is not None else ""
    given = _Given(path, text, _parse(path, text) if path is not None else {})
    for names, value, origin in _from_environment(env or {}, given):
        given.put(names, value, origin)
    for name, value in (overrides or {}).items():
        if value is not None:
            option = "--" + name.rpartition(".")[2].replace("_", "-")
            given.put(tuple(name.split(".")), value, option)
    return given


@dataclass(slots=True)
class _Given:
    """The values from every place, and where those that are not from the file came from."""

    path: Path | None
    text: str
    tree: dict[str, Any]
    elsewhere: dict[tuple[str, ...], str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def put(self, names: tuple[str, ...], value: Any, origin: str) -> None:
        table = self.tree
        for name in names[:-1]:
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                return  # the file has something else there, which is reported as its mistake
        table[names[-1]] = value
        self.elsewhere[names] = origin

    def validated(self) -> Settings:
        base = self.path.absolute().parent if self.path is not None else Path.cwd()
        return Settings.model_validate(self.tree, context={"base": base})

    def origins_of_all(self) -> Origins:
        # What explains mistakes costs an import that a host without mistakes can do without.
        from tuihost.settings.mistakes import Origins

        return Origins(self.path, KeyLines(self.text), self.elsewhere)

    def mistakes(self, error: ValidationError) -> tuple[str, ...]:
        from tuihost.settings.mistakes import describe

        return (*self.problems, *describe(error, Settings, self.origins_of_all()))

    def leave_out(self, error: ValidationError) -> None:
        """Takes away the values that are wrong; of a list, all of it."""
        for detail in error.errors(include_url=False):
            table: Any = self.tree
            names = [part for part in detail["loc"] if isinstance(part, str) and part != "[key]"]
            for name in names[:-1]:
                table = table.get(name) if isinstance(table, dict) else None
            if names and isinstance(table, dict):
                table.pop(names[-1], None)


def _read(path: Path) -> str:
    """The text of the file, or one sentence on why it cannot be read."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE + 1)
    except FileNotFoundError:
        raise SettingsError((f"{path}: there is no such file",)) from None
    except IsADirectoryError:
        raise SettingsError((f"{path}: is a folder, not a file",)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError((f"{path}: cannot be read: {reason}",)) from None
    if len(raw) > MAX_FILE:
        raise SettingsError(
            (f"{path}: is larger than {size_of(MAX_FILE)}, too large for a settings file",)
        )
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SettingsError((f"{path}:{line}: is not UTF-8 text",)) from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return parsed(text)
    except TomlError as error:
        raise SettingsError((f"{path}:{error.place}: {error.reason}",)) from None


def _from_environment(
    env: Mapping[str, str], given: _Given
) -> Iterator[tuple[tuple[str, ...], Any, str]]:
    """The settings in the environment, and the variables that were probably meant as some."""
    for variable in sorted(env):
        if not variable.startswith(ENV_PREFIX):
            continue
        rest = variable.removeprefix(ENV_PREFIX).lower()
        names = tuple(rest.split("__"))
        if 1 < len(names) <= ENV_DEPTH and all(names):
            if names[0] not in Settings.model_fields:
                given.problems.append(f"{variable}: no such setting{_meant(variable)}")
                continue
            yield _with_hyphens(names), _value(env[variable]), variable
            continue
        section, _, key = rest.partition("_")
        if rest == section:  # others may have variables of ours
            continue
        if section in Settings.model_fields and not key.strip("_"):
            given.problems.append(f"{variable}: no such setting{_meant_in(section)}")
        elif section in Settings.model_fields:
            meant = f"{ENV_PREFIX}{section}__{key.strip('_')}".upper()
            given.problems.append(f"{variable}: no such setting; did you mean {meant!r}?")
        elif near := nearest(variable, _variables(), 0.9):  # others may have variables of ours
            given.problems.append(f"{variable}: no such setting; did you mean {near!r}?")


def _variables() -> Iterator[str]:
    """The variable of every setting that has one."""
    for name, about in Settings.model_fields.items():
        section = about.annotation
        if isinstance(section, type) and issubclass(section, Section):
            yield from (f"{ENV_PREFIX}{name}__{key}".upper() for key in section.model_fields)


def _meant(variable: str) -> str:
    near = nearest(variable, _variables(), 0.7)
    if near is not None:
        return f"; did you mean {near!r}?"
    return f"; the sections are {', '.join(Settings.model_fields)}"


def _meant_in(section: str) -> str:
    """What a variable names that has the name of a section alone."""
    there_are = [
        each for each in _variables() if each.startswith(f"{ENV_PREFIX}{section}__".upper())
    ]
    example = there_are[0] if there_are else f"{ENV_PREFIX}{section}__NAME__SETTING".upper()
    return f"; a setting in [{section}] is written as {example}"


def _with_hyphens(names: tuple[str, ...]) -> tuple[str, ...]:
    """The environment has no `-`, and the names of apps, roles and groups have no `_`."""
    at = next((len(table) for table in _NAMED if names[: len(table)] == table), len(names))
    return (*names[:at], *(name.replace("_", "-") for name in names[at : at + 1]), *names[at + 1 :])


def _value(text: str) -> Any:
    """Text, except lists and tables, which are written as in the file or as JSON."""
    text = text.strip() if text.lstrip()[:1] in ("[", "{") else text
    if text[:1] in ("[", "{"):
        for read in (_as_json, _as_toml):
            with suppress(ValueError, RecursionError):
                return read(text)
    return EnvironmentText(text)


def _as_json(text: str) -> Any:
    return json.loads(text)


def _as_toml(text: str) -> Any:
    """The value of a key; nothing may follow it."""
    tree = parsed(f"value = {text}")
    if tree.keys() != {"value"}:
        raise ValueError("has more than one value")
    return tree["value"]
