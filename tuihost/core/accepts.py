"""What an app accepts, as data: the core judges it, no code of the app runs for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tuihost.errors import AppLoadError
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

    Any collection is taken for a tuple or a set, and nothing else: in a text, each letter would be
    a name or a pattern. Raises `AppLoadError`.
    """

    env: tuple[str, ...] = ()
    forwards: tuple[ForwardRule | SocketRule, ...] = ()
    listens: tuple[ListenRule | SocketRule, ...] = ()
    subsystems: tuple[str, ...] = ()
    x11: bool = False
    agent: bool = False
    guests: bool = True
    roles: Collection[str] = frozenset()

    def __post_init__(self) -> None:
        for field, kinds, what in _COLLECTIONS:
            given = getattr(self, field)
            if not isinstance(given, tuple | list | set | frozenset):
                raise AppLoadError(f"Accepts: `{field}` should be a tuple of {what}, not {given!r}")
            for value in given:
                if not isinstance(value, kinds):
                    raise AppLoadError(f"Accepts: {value!r} is not one of the {what} in `{field}`")
            kept = frozenset(given) if field == "roles" else tuple(given)
            object.__setattr__(self, field, kept)
        for field in ("x11", "agent", "guests"):
            if not isinstance(given := getattr(self, field), bool):
                raise AppLoadError(f"Accepts: `{field}` should be True or False, not {given!r}")

    def may_use(self, *, guest: bool, roles: Iterable[str]) -> bool:
        """Whether somebody with these roles may open the app."""
        if guest and not self.guests:
            return False
        return not self.roles or any(role in self.roles for role in roles)


_COLLECTIONS: tuple[tuple[str, tuple[type, ...], str], ...] = (
    ("env", (str,), "patterns"),
    ("forwards", (ForwardRule, SocketRule), "rules"),
    ("listens", (ListenRule, SocketRule), "rules"),
    ("subsystems", (str,), "names"),
    ("roles", (str,), "roles"),
)
