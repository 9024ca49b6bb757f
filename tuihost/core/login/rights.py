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

    def forward(self, host: str, port: int) -> bool:
        """May they forward to this target?"""
        return _listed(f"{host}:{port}", self.forwards)

    def listen(self, host: str, port: int) -> bool:
        """May they have this address listened on?"""
        return _listed(f"{host}:{port}", self.listens)


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


@dataclass(frozen=True, slots=True)
class Ways:
    """The operator's ways in: the host's, and those of apps that ask for others."""

    host: tuple[tuple[str, ...], ...]
    apps: Mapping[str, tuple[tuple[str, ...], ...]]

    def to(self, target: str | None) -> tuple[tuple[str, ...], ...]:
        """The ways in for somebody who asks for the app `target`."""
        return self.apps.get(target or "", self.host)

    def open(self, app: str, *, factors: tuple[str, ...], target: str | None, guest: bool) -> bool:
        """Whether a login with `factors`, made for `target`, leads to `app`. An app with ways of
        its own asks for one of them, however somebody came in; and who came in by such ways gets
        no further by them than to that app, unless they are the host's too."""
        if app in self.apps:
            return proved(factors, self.apps[app])
        return guest or target not in self.apps or proved(factors, self.host)


def proved(factors: tuple[str, ...], chains: Iterable[tuple[str, ...]]) -> bool:
    """Whether a login that settled `factors` proves what one of `chains` asks for, in its order;
    what was proved beyond that does no harm."""
    return any(_within(chain, factors) for chain in chains)


def chains_of(lines: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """The chains that settings write as `publickey, totp`, each once, in their order."""
    chains = (tuple(f.strip() for f in line.split(",") if f.strip()) for line in lines)
    return tuple(dict.fromkeys(chain for chain in chains if chain))


def with_second(
    chains: tuple[tuple[str, ...], ...], second: str = "totp"
) -> tuple[tuple[str, ...], ...]:
    """What is left of `chains` for somebody who has set up the factor `second`: of two chains
    that differ in nothing but that one, the longer. A second factor that an account has is asked
    for wherever it could be, and `password` alone lets in only those without one."""
    return tuple(chain for chain in chains if (*chain, second) not in chains)


def _within(chain: tuple[str, ...], factors: tuple[str, ...]) -> bool:
    rest = iter(factors)
    return all(factor in rest for factor in chain)


def _joined(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(pattern for group in groups for pattern in group))


def _listed(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
