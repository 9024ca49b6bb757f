"""`tuihost user roles`, `groups`, `chains`: what an account may do, and how it logs in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from tuihost.cli.accounts import host_accounts, no_such_account
from tuihost.cli.common import config_option
from tuihost.phrases import nearest

if TYPE_CHECKING:
    from tuihost.settings.models import Settings


@dataclass(frozen=True, slots=True)
class Change:
    """How a set of names changes: it becomes `names`, or none, or some are added and removed.
    Raises click's UsageError if it says several of these at once."""

    names: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    none: bool
    metavar: str

    def __post_init__(self) -> None:
        if bool(self.names) + bool(self.added or self.removed) + self.none > 1:
            raise click.UsageError(f"Give one of {self.metavar}, --none, and --add or --remove.")

    @property
    def wanted(self) -> bool:
        return bool(self.names or self.added or self.removed or self.none)

    def of(self, now: frozenset[str]) -> list[str]:
        kept = frozenset(self.names) if self.names or self.none else now - frozenset(self.removed)
        return [*kept, *self.added]


@click.command()
@config_option
@click.argument("name")
@click.argument("roles", nargs=-1)
@click.option("--add", "added", multiple=True, metavar="ROLE", help="Add this role.")
@click.option("--remove", "removed", multiple=True, metavar="ROLE", help="Remove this role.")
@click.option("--none", is_flag=True, help="Remove all roles.")
def roles(
    config: Path | None,
    name: str,
    roles: tuple[str, ...],
    added: tuple[str, ...],
    removed: tuple[str, ...],
    none: bool,
) -> None:
    """Show the roles of the account NAME, or set them to ROLES.

    People who are logged in keep their roles until they log in again.
    """
    now = _changed(config, name, "roles", Change(roles, added, removed, none, "ROLES"), roles_of)
    click.echo(" ".join(sorted(now)) or f"{name} has no roles.")


@click.command()
@config_option
@click.argument("name")
@click.argument("groups", nargs=-1)
@click.option("--add", "added", multiple=True, metavar="GROUP", help="Add NAME to this group.")
@click.option(
    "--remove", "removed", multiple=True, metavar="GROUP", help="Remove NAME from this group."
)
@click.option("--none", is_flag=True, help="Remove NAME from all groups.")
def groups(
    config: Path | None,
    name: str,
    groups: tuple[str, ...],
    added: tuple[str, ...],
    removed: tuple[str, ...],
    none: bool,
) -> None:
    """Show the groups of the account NAME, or set them to GROUPS.

    The settings say which roles a group brings: [groups.GROUP].
    """
    change = Change(groups, added, removed, none, "GROUPS")
    now = _changed(config, name, "groups", change, groups_of)
    click.echo(" ".join(sorted(now)) or f"{name} is in no group.")


@click.command()
@config_option
@click.argument("name")
@click.argument("chains", nargs=-1, metavar="[CHAIN…]")
@click.option("--default", is_flag=True, help="Use the chains of the host's settings.")
def chains(config: Path | None, name: str, chains: tuple[str, ...], default: bool) -> None:
    """Show the chains of the account NAME, or set them to CHAINS.

    A chain is a list of factors that are asked for one after another, such as publickey,totp.
    Passing any one chain is enough to log in.
    """
    if chains and default:
        raise click.UsageError("Give either CHAINS or --default.")
    with host_accounts(config) as accounts:
        now = accounts.account(name).chains
        if chains or default:
            now = chains_of(chains, accounts.settings)
            if not accounts.store.update(name, chains=now):
                raise no_such_account(name, accounts.store)
    for chain in now:
        click.echo(",".join(chain))
    if not now:
        click.echo(f"{name} logs in by the chains of the host's settings.")


def _changed(
    config: Path | None,
    name: str,
    field: Literal["roles", "groups"],
    change: Change,
    checked: Callable[[Iterable[str], Settings], frozenset[str]],
) -> frozenset[str]:
    """That field of the account `name`, after the change if one is wanted."""
    with host_accounts(config) as accounts:
        now: frozenset[str] = getattr(accounts.account(name), field)
        if change.wanted:
            now = checked(change.of(now), accounts.settings)
            changed: dict[str, Any] = {field: now}
            if not accounts.store.update(name, **changed):
                raise no_such_account(name, accounts.store)
        return now


# -------------------------------------------------------------------------------- what is kept


def groups_of(names: Iterable[str], settings: Settings) -> frozenset[str]:
    """Groups as the store keeps them. Warns of groups that the settings do not describe."""
    return _described(names, "group", settings.groups, "it brings no roles")


def roles_of(names: Iterable[str], settings: Settings) -> frozenset[str]:
    """Roles as the store keeps them. Warns of roles that the settings do not describe."""
    roles = _described(names, "role", {*settings.roles, "user", "guest"}, "it gives nothing")
    if "guest" in roles:
        raise click.ClickException("The role 'guest' is for people without an account.")
    return roles


def _described(
    names: Iterable[str], what: str, known: Collection[str], otherwise: str
) -> frozenset[str]:
    """The names as the store keeps them. Warns of those that the settings do not describe."""
    from tuihost.plugin import NAME

    found = frozenset(name.strip() for name in names)
    for name in sorted(found):
        if not NAME.fullmatch(name):
            raise click.ClickException(
                f"{name!r} cannot be a {what}: lower-case letters, digits and '-' only."
            )
        if name not in known:
            click.echo(f"The settings do not describe the {what} {name!r}: {otherwise}.", err=True)
    return found


def chains_of(lines: Sequence[str], settings: Settings) -> tuple[tuple[str, ...], ...]:
    """Chains as the store keeps them. An unknown factor ends the command."""
    from tuihost.core.login.chains import NONE, chains_of, known_factors, unknown_factors
    from tuihost.host.plugins.step_catalog import StepCatalog
    from tuihost.logs import EventLog

    if not all(chains_of([line]) for line in lines):
        raise click.ClickException("A chain needs at least one factor.")
    chains = chains_of(lines)
    if any(NONE in chain for chain in chains):
        raise click.ClickException("The factor 'none' is for people without an account.")
    if chains:
        # `tuihost check` says which steps are broken.
        silent = EventLog(logging.Logger("steps", logging.CRITICAL))
        steps = StepCatalog.of(settings, silent).steps
        for factor in unknown_factors(chains, steps):
            known = sorted(known_factors(steps) - {NONE})
            near = nearest(factor, known, 0.7)
            meant = f"there are {', '.join(known)}." if near is None else f"did you mean {near!r}?"
            raise click.ClickException(f"There is no factor {factor!r}; {meant}")
    return chains
