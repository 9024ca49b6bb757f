"""Which environment variables of a client are kept, and which of them an app sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from tuihost.core.accepts import Accepts

# What a terminal needs to be drawn rightly; every session may send these.
TERMINAL_ENV = (
    "LANG", "LC_*", "COLORTERM", "NO_COLOR", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "TZ",
    "COLUMNS", "LINES", "FORCE_COLOR", "CLICOLOR_FORCE", "ACCESSIBLE",
)  # fmt: skip


def env_allowed(name: str, patterns: Iterable[str]) -> bool:
    """Whether a variable of this name may be kept."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def env_for(env: Mapping[str, str], accepts: Accepts) -> dict[str, str]:
    """The part of what a client sent that an app with `accepts` may see."""
    patterns = TERMINAL_ENV + accepts.env
    return {name: value for name, value in env.items() if env_allowed(name, patterns)}
