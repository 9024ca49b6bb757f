"""Mistakes in the settings, said so that they can be mended: where, what, and what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tuihost.phrases import nearest
from tuihost.settings.models import Settings
from tuihost.settings.toml import KeyLines

KeyPath = tuple[str | int, ...]

_PLACE = re.compile(r".*?:(\d+): ")
_SECTIONS = frozenset(Settings.model_fields)

_SENTENCES = {
    "model_type": "should be a table",
    "model_attributes_type": "should be a table",
    "dict_type": "should be a table",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "float_parsing": "should be a number",
    "finite_number": "should be a finite number",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "string_type": "should be text",
    "tuple_type": "should be a list",
    "path_type": "should be a path",
    "literal_error": "should be {expected}",
    "greater_than": "should be more than {gt}",
    "greater_than_equal": "should be {ge} or more",
    "less_than_equal": "should be {le} or less",
    "string_too_short": "should not be empty",
    "too_short": "should not be empty",
    "string_too_long": "should have {max_length} characters or fewer",
}
_PATTERNS = {
    "^[a-z]": "should be an app's name: lower-case letters, digits and '-', a letter first",
    r"^\d+:": "should be three whole numbers with ':' between, such as 10:30:100",
    "^[^": "should be one line without control characters",
}


_NAMED = {"roles": "role", "groups": "group"}
"""Tables whose parts have names with the pattern of an app's."""


@dataclass(frozen=True, slots=True)
class Origins:
    """Where the settings came from. `elsewhere` has what the file did not give."""

    path: Path | None
    lines: KeyLines
    elsewhere: Mapping[tuple[str, ...], str]

    def of(self, path: KeyPath) -> str:
        """`tuihost.toml:7`, `TUIHOST_SERVER__PORT`, `--port`, or nothing if it is not known."""
        names = tuple(str(part) for part in path)
        for length in range(len(names), 0, -1):
            if origin := self.elsewhere.get(names[:length]):
                return origin
        if not self.lines.has(path):  # a table of which a variable has made the first part
            for inner, origin in self.elsewhere.items():
                if inner[: len(names)] == names:
                    return origin
        if self.path is None:
            return ""
        line = self.lines.of(path)
        return f"{self.path}:{line}" if line else str(self.path)

    def sentence(self, path: KeyPath, what: str) -> str:
        """`file:line: path: what is wrong`."""
        names = ".".join(str(part) for part in path)
        return ": ".join(part for part in (self.of(path), names, what) if part)

    def placed(self, problem: str) -> str:
        """A sentence that begins with the name of a setting, `login.chains: …`, with its place."""
        name, _, what = problem.partition(": ")
        path = tuple(name.split("."))
        known = len(path) > 1 and path[0] in _SECTIONS
        return self.sentence(path, what) if known else problem


def describe(error: ValidationError, model: type[BaseModel], origins: Origins) -> tuple[str, ...]:
    """One line a mistake, in the order of the file: `file:line: path: what is wrong`."""
    found: list[str] = []
    for detail in error.errors(include_url=False):
        if detail["type"] == "default_factory_not_called":
            continue  # it only says that there are other mistakes
        path = tuple(part for part in detail["loc"] if part != "[key]")
        found.append(origins.sentence(path, _what(detail, path, model)))
    return in_order(found)


def in_order(problems: Iterable[str]) -> tuple[str, ...]:
    """Each sentence once, in the order of the file; those without a line first."""
    return tuple(dict.fromkeys(sorted(problems, key=_line_of)))


def _line_of(problem: str) -> int:
    found = _PLACE.match(problem)
    return int(found[1]) if found else 0


def _what(detail: ErrorDetails, path: KeyPath, model: type[BaseModel]) -> str:
    kind, context, given = detail["type"], detail.get("ctx") or {}, detail["input"]
    if kind == "extra_forbidden":
        return _unknown(path, given, model)
    if kind == "value_error":
        return str(context.get("error") or detail["msg"])
    if kind == "string_pattern_mismatch":
        pattern = str(context.get("pattern", ""))
        sentence = next(
            (text for start, text in _PATTERNS.items() if pattern.startswith(start)), "is not valid"
        )
        if path[0] in _NAMED:
            sentence = sentence.replace("an app's name", f"a {_NAMED[str(path[0])]}'s name")
    else:
        bounds = {
            name: int(bound) if isinstance(bound, float) and bound.is_integer() else bound
            for name, bound in context.items()
        }
        sentence = _SENTENCES.get(kind, detail["msg"].lower()).format(**bounds)
    return sentence if sentence.endswith("empty") else f"{sentence}, not {shown(given)}"


def _unknown(path: KeyPath, given: Any, model: type[BaseModel]) -> str:
    *parents, last = (str(part) for part in path)
    if parents == ["apps"] and isinstance(given, dict):
        return f"no such setting; the options of one app are in [app.{last}]"
    known = _names_at(model, parents)
    elsewhere = [
        f"[{section}]" for section in model.model_fields if last in _names_at(model, [section])
    ]
    if elsewhere and not parents:
        return f"no such setting here; it is in {' and in '.join(elsewhere)}"
    if near := nearest(last.lower().replace("-", "_"), known):
        return f"no such setting; did you mean {near!r}?"
    return f"no such setting; there are {', '.join(known)}" if known else "no such setting"


def _names_at(model: type[BaseModel], parents: list[str]) -> list[str]:
    names = iter(parents)
    for name in names:
        field = model.model_fields.get(name)
        inner = field.annotation if field is not None else None
        if get_origin(inner) is dict:  # of tables by name, such as the roles
            inner = get_args(inner)[1] if next(names, None) is not None else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)


def shown(value: Any) -> str:
    """A wrong value as a sentence names it."""
    if isinstance(value, bool):
        return str(value).lower()
    text = "a table" if isinstance(value, dict) else repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
