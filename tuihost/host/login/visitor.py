"""The account of somebody who is logged in, with all that they may use."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tuihost.core.accepts import Accepts
from tuihost.core.ledger import FREE, Share
from tuihost.core.login.chains import LoginChains
from tuihost.core.login.proof import Proof
from tuihost.core.login.rights import Rights, rights_of
from tuihost.session.host_view import Account
from tuihost.settings.models import Settings
from tuihost.wire import ExecRequest, Identity, ProgramRequest, Restrictions, SubsystemRequest


@dataclass(frozen=True, slots=True)
class Visitor(Account):
    """An account as it came in. `apps` are those that they may open, decided once, at the login.
    `confined` names the one app that a forced command leads to; `connection` is the number of the
    connection that this is, and `key_line` the line of the plain key that it proved: None if that
    came with a certificate or with restrictions. `proof` is what the login proved, and `share` what
    the connection may take of the host."""

    apps: frozenset[str] = field(default=frozenset(), compare=False)
    rights: Rights = field(default_factory=Rights, compare=False)
    login_chains: LoginChains | None = field(default=None, compare=False)
    restrictions: Restrictions = field(default_factory=Restrictions, compare=False)
    factors: tuple[str, ...] = ()
    target: str | None = None
    confined: str | None = None
    fingerprint: str | None = None
    connection: int = 0
    key_line: str | None = field(default=None, compare=False)
    proof: Proof = field(default_factory=Proof, compare=False)
    share: Share = field(default=FREE, compare=False)

    @classmethod
    def of(
        cls,
        identity: Identity,
        settings: Settings,
        login_chains: LoginChains | None,
        apps: Mapping[str, Accepts],
        connection: int = 0,
    ) -> Visitor:
        """The person with that `identity`, and those of `apps` that their roles give them."""
        guest, roles = identity.guest, identity.roles
        restrictions = identity.restrictions or Restrictions()
        proof = Proof.of(identity)
        visitor = cls(
            name=identity.user,
            guest=guest,
            roles=roles,
            rights=rights_of(settings.roles, guest=guest, roles=roles),
            login_chains=login_chains,
            restrictions=restrictions,
            factors=identity.factors,
            target=identity.target,
            confined=_confined(restrictions),
            fingerprint=identity.fingerprint,
            connection=connection,
            key_line=None if proof.limited else identity.key,
            proof=proof,
        )
        opened = frozenset(
            name
            for name, accepts in apps.items()
            if accepts.may_use(guest=guest, roles=roles) and visitor.may_see(name)
        )
        return replace(visitor, apps=opened)

    def may_see(self, app: str) -> bool:
        """Whether roles, factors and a forced command lead them to an app of that name, be it
        there or not."""
        if self.confined is not None and app != self.confined:
            return False
        if self.login_chains is not None and not self.login_chains.open(
            app, factors=self.factors, target=self.target, guest=self.guest
        ):
            return False
        return self.rights.app(app)

    def may_open(self, app: str) -> bool:
        """Whether they may open the app, which is there."""
        return app in self.apps

    def may_run(self, app: str, command: str) -> bool:
        """Whether they may run that command of the app."""
        return self.may_open(app) and self.rights.command(app, command)


def original_command(program: ProgramRequest) -> dict[str, str]:
    """What a client asked to run, for the command that a key runs instead, in the variable of
    sshd(8)."""
    match program:
        case ExecRequest(command=line):
            return {"SSH_ORIGINAL_COMMAND": line}
        case SubsystemRequest(name=name):
            return {"SSH_ORIGINAL_COMMAND": name}
        case _:
            return {}


def _confined(restrictions: Restrictions) -> str | None:
    """The one app that a key's command allows; empty if it names none."""
    if restrictions.command is None:
        return None
    try:
        words = shlex.split(restrictions.command)
    except ValueError:
        return ""
    return words[0] if words else ""
