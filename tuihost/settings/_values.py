"""The kinds of values that settings have: how each is read, and what is wrong with one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from tuihost.core.forward_rules import rule_of
from tuihost.core.login.account_names import name_problem

_APP_NAME = r"[a-z][a-z0-9-]{0,31}"
_NEEDED = {
    "c-m": "Enter", "c-j": "Enter", "c-i": "Tab", "c-h": "Backspace", "c-[": "Esc", "c-c": "^C",
}  # fmt: skip
_SSHD_TOKEN = re.compile("%[hU%]")  # of its AuthorizedKeysFile, besides %u
_ESCAPE = re.compile(r"c-[a-z@\[\]\\^_]|f([1-9]|1[0-9]|2[0-4])")


def _not_empty(value: Any) -> Any:
    if value == "":
        raise ValueError("should not be empty")
    return value


def _none_if_empty(value: Any) -> Any:
    return None if value == "" else value


def _from_file(path: Path, info: ValidationInfo) -> Path:
    """`~` is the host user's home folder; a relative path starts at the settings file's folder."""
    try:
        path = path.expanduser()
    except RuntimeError:
        raise ValueError("names a home folder that does not exist") from None
    if "\0" in str(path):
        raise ValueError("holds a NUL character")
    return Path((info.context or {}).get("base", ".")) / path


def _pattern_from_file(pattern: str, info: ValidationInfo) -> str:
    if found := _SSHD_TOKEN.search(pattern):
        raise ValueError(f"{pattern!r}: {found[0]} means nothing here; %u is the account's name")
    return str(_from_file(Path(pattern), info))


def known_key(text: str) -> str:
    if not _ESCAPE.fullmatch(text):
        raise ValueError("should be a key such as 'c-]' (Ctrl and ]) or 'f12'")
    if text in _NEEDED:
        raise ValueError(f"should be another key: that is {_NEEDED[text]}, which apps need")
    return text


def _listed(value: Any) -> Any:
    # The environment has no lists: `a, b` and `["a", "b"]` both mean two.
    return _split(value, ",", ", ") if isinstance(value, str) else value


def _chains_listed(value: Any) -> Any:
    """Chains as text, `publickey, totp; password`, or as lists of factors."""
    if not isinstance(value, str):
        return [_chain(each) for each in value] if isinstance(value, list) else value
    if "," in value and ";" not in value:
        apart = "; ".join(_split(value, ",", ", "))
        raise ValueError(
            f"should have ';' after each chain, as ',' is between the factors of one: "
            f"{', '.join(_split(value, ',', ', '))!r} could be one chain, which is written with "
            f"';' at its end, or several: {apart!r}"
        )
    return _split(value, ";", "; ")


def _chain(factors: Any) -> Any:
    """A chain that is written as a list of its factors, as a line."""
    if isinstance(factors, list) and all(isinstance(each, str) for each in factors):
        return ", ".join(factors)
    return factors


def _split(text: str, mark: str, joint: str) -> list[str]:
    parts = [part.strip() for part in text.split(mark) if part.strip()]
    if text.startswith("[") and any(part.count("[") != part.count("]") for part in parts):
        raise ValueError(f"should be a list such as ['a', 'b'], or without brackets: a{joint}b")
    return parts


def name_or_none(name: str) -> str:
    problem = name_problem(name) if name else None
    if problem is not None:
        raise ValueError(f"should be a name that an account can have, or empty: {problem}")
    return name


def _forward_rule(rule: str) -> str:
    try:
        rule_of(rule)
    except ValueError as error:
        raise ValueError(f"{rule!r}: {error}") from None
    return rule


@dataclass(frozen=True, slots=True)
class Unit:
    """What the number of a setting counts, for the pages about the settings."""

    name: str


AnyPath = Annotated[Path, BeforeValidator(_not_empty), AfterValidator(_from_file)]
PathOrNone = Annotated[AnyPath | None, BeforeValidator(_none_if_empty)]
KeyFiles = Annotated[
    tuple[Annotated[str, BeforeValidator(_not_empty), AfterValidator(_pattern_from_file)], ...],
    BeforeValidator(_listed),
]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Chains = Annotated[tuple[str, ...], BeforeValidator(_chains_listed)]
Paths = Annotated[tuple[AnyPath, ...], BeforeValidator(_listed)]
ForwardRules = Annotated[
    tuple[Annotated[str, AfterValidator(_forward_rule)], ...], BeforeValidator(_listed)
]
AppName = Annotated[str, Field(pattern=f"^{_APP_NAME}$")]
OneLine = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=200)]
Seconds = Annotated[float, Field(ge=0, le=31_536_000, allow_inf_nan=False), Unit("seconds")]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
