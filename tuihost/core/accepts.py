"""What an app accepts, as data: the core judges it, no code of the app runs for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tuihost.wire import SocketAddress, TcpAddress, UnixAddress


@dataclass(frozen=True, slots=True)
class ForwardRule:
    """One target that an app answers itself: `ssh -L 8080:guestbook:80 host`. `host` is a pattern
    of names (`*.guestbook`)."""

    host: str
    port: int

    @property
    def exact(self) -> bool:
        """It names one target and is not a pattern."""
        return _is_exact(self.host)

    def matches(self, address: SocketAddress) -> bool:
        """Whether that target is meant. Names are not told apart by their capitals."""
        match address:
            case TcpAddress(host, port):
                return port == self.port and fnmatchcase(host.lower(), self.host.lower())
            case UnixAddress():
                return False


@dataclass(frozen=True, slots=True)
class ListenRule(ForwardRule):
    """One address at which an app takes what others send, for the person who asked for it:
    `ssh -R 80:localhost:3000 host`. OpenSSH says `localhost` where no host is named."""


@dataclass(frozen=True, slots=True)
class SocketRule:
    """A Unix socket that an app answers for, both as a target (`ssh -L 8080:/notes.sock host`) and
    as an address (`ssh -R /notes.sock:localhost:80 host`). `path` is a pattern of paths."""

    path: str

    @property
    def exact(self) -> bool:
        """It names one socket and is not a pattern."""
        return _is_exact(self.path)

    def matches(self, address: SocketAddress) -> bool:
        """Whether that socket is meant."""
        match address:
            case UnixAddress(path):
                return fnmatchcase(path, self.path)
            case TcpAddress():
                return False


def _is_exact(pattern: str) -> bool:
    return not set(pattern) & set("*?[")


@dataclass(frozen=True, slots=True)
class Accepts:
    """What an app accepts beyond a shell and its commands. All that is not named is refused.

    `env` are patterns of variable names (`LC_*`). `forwards` and `listens` are the targets and
    addresses that the app answers for. `x11` and `agent` say whether it uses a display or an agent
    that somebody brings. `roles` are those that may use the app at all (empty: everyone), `guests`
    whether people without an account may.
    """

    env: tuple[str, ...] = ()
    forwards: tuple[ForwardRule | SocketRule, ...] = ()
    listens: tuple[ListenRule | SocketRule, ...] = ()
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
