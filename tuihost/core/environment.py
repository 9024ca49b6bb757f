"""Which environment variables of a client are kept, how many, and which of them an app sees."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from tuihost.core.accepts import Accepts
from tuihost.wire import EnvRequest

MAX_ENV = 32
MAX_ENV_BYTES = 4096
"""Of one value."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# What a terminal needs to be drawn rightly; every session may send these.
TERMINAL_ENV = (
    "LANG", "LC_*", "COLORTERM", "NO_COLOR", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "TZ",
    "COLUMNS", "LINES", "FORCE_COLOR", "CLICOLOR_FORCE", "ACCESSIBLE",
)  # fmt: skip


def why_not_kept(
    request: EnvRequest, kept: Mapping[str, str], patterns: Iterable[str]
) -> str | None:
    """What speaks against keeping one more variable beside those that are `kept`; None if nothing
    does. `patterns` are the names that may be kept (RFC 4254 §6.4)."""
    if len(kept) >= MAX_ENV and request.name not in kept:
        return "too many variables"
    if len(request.value) > MAX_ENV_BYTES or "\0" in request.value:
        return "the value is too long or holds a NUL"
    if not _NAME.fullmatch(request.name):
        return "that is not the name of a variable"
    if not env_allowed(request.name, patterns):
        return "no app asks for that variable"
    return None


def env_allowed(name: str, patterns: Iterable[str]) -> bool:
    """Whether a variable of this name may be kept."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def env_for(env: Mapping[str, str], accepts: Accepts) -> dict[str, str]:
    """The part of what a client sent that an app with `accepts` may see."""
    patterns = TERMINAL_ENV + accepts.env
    return {name: value for name, value in env.items() if env_allowed(name, patterns)}
