"""Values from the environment, which has nothing but text."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

_TRUTH = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


class EnvironmentText(str):
    """A value from the environment: it may stand for a number, and for true or false. Text in the
    file may not."""

    __slots__ = ()


def options_of(known: object, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an app, `given` as the settings have them. Text from the environment becomes
    what an option of that type is, if `known` says the types and it can be read so."""
    kinds = known if isinstance(known, Mapping) else {}
    return {name: _as(kinds.get(name), value) for name, value in given.items()}


def _as(kind: object, value: Any) -> Any:
    if not isinstance(value, EnvironmentText):
        return value
    text = str(value)
    if kind is bool:
        return _TRUTH.get(text.strip().lower(), text)
    if kind is list:
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind is int or kind is float:
        with suppress(ValueError):
            return int(text) if kind is int else float(text)
    return text
