"""What an app accepts, as data: the core judges it, no code of the app runs for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class ForwardRule:
    """One target that an app answers itself: `ssh -L 8080:guestbook:80 host`. `host` is a pattern
    of names (`*.guestbook`), or the path of a Unix socket, with port 0."""

    host: str
    port: int

    @property
    def exact(self) -> bool:
        """It names one target, and is no pattern."""
        return not set(self.host) & set("*?[")

    def matches(self, host: str, port: int) -> bool:
        """Whether that target is meant. Names are not told apart by their capitals."""
        return port == self.port and fnmatchcase(host.lower(), self.host.lower())


@dataclass(frozen=True, slots=True)
class ListenRule(ForwardRule):
    """One address at which an app takes what others send, for the person who asked for it:
    `ssh -R 80:localhost:3000 host`. OpenSSH says `localhost` where no host is named."""


@dataclass(frozen=True, slots=True)
class Accepts:
    """What an app accepts beyond a shell and its commands. All that is not named is refused.

    `env` are patterns of variable names (`LC_*`). `forwards` and `listens` are the targets and
    addresses that the app answers for. `x11` and `agent` say whether it uses a display or an agent
    that somebody brings. `roles` are those that may use the app at all (empty: everyone), `guests`
    whether people without an account may.
    """

    env: tuple[str, ...] = ()
    forwards: tuple[ForwardRule, ...] = ()
    listens: tuple[ListenRule, ...] = ()
    subsystems: tuple[str, ...] = ()
    x11: bool = False
    agent: bool = False
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
    "COLUMNS", "LINES", "FORCE_COLOR", "CLICOLOR_FORCE",
)  # fmt: skip


def env_allowed(name: str, patterns: Iterable[str]) -> bool:
    """Whether a variable of this name may be kept."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def env_for(env: Mapping[str, str], accepts: Accepts) -> dict[str, str]:
    """The part of what a client sent that an app with `accepts` may see."""
    patterns = TERMINAL_ENV + accepts.env
    return {name: value for name, value in env.items() if env_allowed(name, patterns)}
