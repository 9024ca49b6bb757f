"""What people may use by their roles: apps, commands, files and forwards, as patterns of names.

People may do whatever one of their roles allows. Guests have the role `guest` and no other;
everybody with an account has `user` in addition to their own. If the settings do not describe these
two, they give every app, every command and all files, and no forward. Any other role that the
settings do not describe gives nothing.

A role that says nothing of files gives all of them with every command, and none with fewer: nobody
who may not run `notes add` adds a note by sftp.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import Protocol

from tuihost.core.login._target_patterns import might_name, names
from tuihost.core.login._target_patterns import target_problem as target_problem
from tuihost.core.sources import Address
from tuihost.wire import SocketAddress, TcpAddress, UnixAddress

GUEST, USER = "guest", "user"
EVERYTHING = ("*",)


class FileRight(Enum):
    """What somebody may do with files."""

    NONE = "nothing"
    READ = "read them"
    WRITE = "read and change them"


class Grants(Protocol):
    """What one role gives."""

    @property
    def apps(self) -> tuple[str, ...]: ...

    @property
    def commands(self) -> tuple[str, ...]: ...

    @property
    def read_files(self) -> tuple[str, ...] | None: ...

    @property
    def write_files(self) -> tuple[str, ...] | None: ...

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
    read_files: tuple[str, ...] = EVERYTHING
    write_files: tuple[str, ...] = EVERYTHING

    def app(self, name: str) -> bool:
        """May they open the app of that name?"""
        return _listed(name, self.apps)

    def command(self, app: str, command: str) -> bool:
        """May they run this command of the app? Only where they may open it, too."""
        return self.app(app) and _listed(f"{app} {command}", self.commands)

    def files(self, app: str) -> FileRight:
        """What may they do with the files of that app? Writing includes reading."""
        if not self.app(app):
            return FileRight.NONE
        if _listed(app, self.write_files):
            return FileRight.WRITE
        return FileRight.READ if _listed(app, self.read_files) else FileRight.NONE

    def forward(self, target: SocketAddress) -> bool:
        """Might they forward to this target? Asked before its name is resolved."""
        return might_name(self.forwards, target)

    def forward_to(self, target: TcpAddress, address: Address) -> bool:
        """May they forward to this target, which has come to that address?"""
        return names(self.forwards, target, address)

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
        apps=_joined(grant.apps for grant in grants),
        commands=_joined(grant.commands for grant in grants),
        forwards=_joined(grant.forwards for grant in grants),
        listens=_joined(grant.listens for grant in grants),
        read_files=_joined(_files(grant, grant.read_files) for grant in grants),
        write_files=_joined(_files(grant, grant.write_files) for grant in grants),
        x11=any(grant.x11 for grant in grants),
        agent=any(grant.agent for grant in grants),
    )


def _files(grant: Grants, patterns: tuple[str, ...] | None) -> tuple[str, ...]:
    if patterns is not None:
        return patterns
    return EVERYTHING if "*" in grant.commands else ()


class Group(Protocol):
    """What one group gives its accounts."""

    @property
    def roles(self) -> tuple[str, ...]: ...


def roles_with_groups(
    roles: frozenset[str], groups: Iterable[str], table: Mapping[str, Group]
) -> frozenset[str]:
    """An account's own roles, and those of its groups. A group that the settings do not describe
    gives none, and none makes a guest of somebody with an account."""
    given = (role for group in groups if group in table for role in table[group].roles)
    return roles | (frozenset(given) - {GUEST})


def _joined(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(pattern for group in groups for pattern in group))


def _as_typed(address: SocketAddress) -> str:
    if isinstance(address, UnixAddress):
        return address.path
    return f"{address.host}:{address.port}"


def _listed(name: str, patterns: tuple[str, ...]) -> bool:
    return "*" in patterns or any(fnmatchcase(name, pattern) for pattern in patterns)
