"""What an app accepts, as data: the core judges it, no code of the app runs for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class ForwardRule:
    """One target that an app answers itself: `ssh -L 8080:guestbook:80 host`."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Accepts:
    """What an app accepts beyond a shell and its commands. All that is not named is refused.

    `env` are patterns of variable names (`LC_*`), `roles` those that may use the app at all
    (empty: everyone), `guests` whether people without an account may.
    """

    env: tuple[str, ...] = ()
    forwards: tuple[ForwardRule, ...] = ()
    subsystems: tuple[str, ...] = ()
    x11: bool = False
    guests: bool = True
    roles: frozenset[str] = frozenset()

    def may_use(self, *, guest: bool, roles: Iterable[str]) -> bool:
        """Whether somebody with these roles may open the app."""
        if guest and not self.guests:
            return False
        return not self.roles or not self.roles.isdisjoint(roles)


# What a terminal needs to be drawn rightly; every session may send these.
TERMINAL_ENV = (
    "LANG", "LC_*", "COLORTERM", "NO_COLOR", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "TZ",
    "COLUMNS", "LINES",
)  # fmt: skip


def env_allowed(name: str, patterns: Iterable[str]) -> bool:
    """Whether a variable of this name may be kept."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def env_for(env: Mapping[str, str], accepts: Accepts) -> dict[str, str]:
    """The part of what a client sent that an app with `accepts` may see."""
    patterns = TERMINAL_ENV + accepts.env
    return {name: value for name, value in env.items() if env_allowed(name, patterns)}
