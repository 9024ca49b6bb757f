"""How the settings are read: a file, the environment, and options of the command line.

A file (TOML) gives way to the environment (`TUIHOST_SERVER__PORT=8022`), and both give way to
options of the command line. Every mistake is reported at once, with its place in the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tuihost.errors import SettingsError
from tuihost.phrases import size_of
from tuihost.settings.models import Settings
from tuihost.settings.toml import KeyLines, TomlError, parsed

MAX_FILE = 1_000_000  # bytes; a settings file has a few thousand
ENV_PREFIX = "TUIHOST_"
ENV_DEPTH = 16  # names between `__`; the settings need three


def load(
    path: Path | None,
    env: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """The settings in `path` (none: all defaults), changed by `env` and then by `overrides`.

    `overrides` has dotted names, such as `server.port`; a value of None was not given.
    Raises `SettingsError` with every mistake.
    """
    text = _read(path) if path is not None else ""
    merged = _Merged(_parse(path, text) if path is not None else {})
    for names, value, origin in _from_environment(env or {}, merged):
        merged.put(names, value, origin)
    for name, value in (overrides or {}).items():
        if value is not None:
            option = "--" + name.rpartition(".")[2].replace("_", "-")
            merged.put(tuple(name.split(".")), value, option)
    base = path.absolute().parent if path is not None else Path.cwd()
    try:
        settings = Settings.model_validate(merged.tree, context={"base": base})
    except ValidationError as error:
        # What explains mistakes costs an import that a host without mistakes can do without.
        from tuihost.settings._mistakes import Origins, describe

        problems = describe(error, Settings, Origins(path, KeyLines(text), merged.origins))
        raise SettingsError((*merged.problems, *problems)) from None
    if merged.problems:
        raise SettingsError(tuple(merged.problems))
    return settings


@dataclass(slots=True)
class _Merged:
    """The values from every place, and where those that are not from the file came from."""

    tree: dict[str, Any]
    origins: dict[tuple[str, ...], str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def put(self, names: tuple[str, ...], value: Any, origin: str) -> None:
        table = self.tree
        for name in names[:-1]:
            inner = table.get(name)
            if not isinstance(inner, dict):
                inner = table[name] = {}
            table = inner
        table[names[-1]] = value
        self.origins[names] = origin


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
    env: Mapping[str, str], merged: _Merged
) -> Iterator[tuple[tuple[str, ...], Any, str]]:
    """The settings in the environment, and the variables that were probably meant as some."""
    for variable in sorted(env):
        if not variable.startswith(ENV_PREFIX):
            continue
        rest = variable.removeprefix(ENV_PREFIX).lower()
        names = tuple(rest.split("__"))
        if 1 < len(names) <= ENV_DEPTH and all(names):
            if names[0] == "app":  # the environment has no `-`, and names of apps no `_`
                names = ("app", names[1].replace("_", "-"), *names[2:])
            yield names, _value(env[variable]), variable
            continue
        section, _, key = rest.partition("_")
        if section in Settings.model_fields and key.strip("_"):
            meant = f"{ENV_PREFIX}{section}__{key.strip('_')}".upper()
            merged.problems.append(f"{variable}: no such setting; did you mean {meant!r}?")


def _value(text: str) -> Any:
    """Text as it is, except lists and tables, which are written as JSON."""
    if text[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text
