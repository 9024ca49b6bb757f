"""What people may use by their roles: apps, commands and forwards, as patterns of names.

A person may what any of their roles may. Guests have the role `guest` and no other; everybody
with an account has `user` beside their own. Where the operator says nothing about these two they
may use every app and every command, and no forward. A role that nobody described gives nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from tuihost.wire import SocketAddress, TcpAddress, UnixAddress

GUEST, USER = "guest", "user"


class Grants(Protocol):
    """What one role gives."""

    @property
    def apps(self) -> tuple[str, ...]: ...

    @property
    def commands(self) -> tuple[str, ...]: ...

    @property
    def forwards(self) -> tuple[str, ...]: ...

    @property
    def listens(self) -> tuple[str, ...]: ...

    @property
    def x11(self) -> bool: ...

    @property
    def agent(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Rights:
    """What somebody may use. Patterns are those of fnmatch: `*`, `?`, `[…]`."""

    apps: tuple[str, ...] = ("*",)
    commands: tuple[str, ...] = ("*",)
    forwards: tuple[str, ...] = ()
    listens: tuple[str, ...] = ()
    x11: bool = True
    agent: bool = True

    def app(self, name: str) -> bool:
        """May they open the app of that name?"""
        return _listed(name, self.apps)

    def command(self, app: str, command: str) -> bool:
        """May they run this command of the app? Only where they may open it, too."""
        return self.app(app) and _listed(f"{app} {command}", self.commands)

    def forward(self, target: SocketAddress) -> bool:
        """May they forward to this target?"""
        return _listed(_as_typed(target), self.forwards)

    def listen(self, address: SocketAddress) -> bool:
        """May they have this address listened on?"""
        return _listed(_as_typed(address), self.listens)


def rights_of(table: Mapping[str, Grants], *, guest: bool, roles: Iterable[str]) -> Rights:
    """The rights of a guest, or of an account with `roles`, by the operator's `table`."""
    named = (GUEST,) if guest else (USER, *sorted(set(roles) - {GUEST, USER}))
    grants: list[Grants] = [table[name] for name in named if name in table]
    if named[0] not in table:
        grants.insert(0, Rights())
    return Rights(
        apps=_joined(one.apps for one in grants),
        commands=_joined(one.commands for one in grants),
        forwards=_joined(one.forwards for one in grants),
        listens=_joined(one.listens for one in grants),
        x11=any(one.x11 for one in grants),
        agent=any(one.agent for one in grants),
    )


class Brings(Protocol):
    """What one group brings."""

    @property
    def roles(self) -> tuple[str, ...]: ...


def roles_with_groups(
    roles: frozenset[str], groups: Iterable[str], table: Mapping[str, Brings]
) -> frozenset[str]:
    """An account's own roles, and those of its groups; a group that nobody described brings
    none. Nobody with an account is a guest, whatever a group says."""
    brought = (role for group in groups if group in table for role in table[group].roles)
    return roles | (frozenset(brought) - {GUEST})


def _joined(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(pattern for group in groups for pattern in group))


def _as_typed(address: SocketAddress) -> str:
    match address:
        case TcpAddress(host, port):
            return f"{host}:{port}"
        case UnixAddress(path):
            return path


def _listed(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
