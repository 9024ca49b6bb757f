"""Who came in, and what they may use: the account of somebody who logged in on this host."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from tuihost.core.login.rights import Rights, Ways, rights_of
from tuihost.session.host_view import Account
from tuihost.settings.models import Settings
from tuihost.wire import ExecRequest, Identity, Program, Restrictions, SubsystemRequest


@dataclass(frozen=True, slots=True)
class Visitor(Account):
    """An account as it came in. `confined` names the one app that a forced command leads to;
    `connection` is the number of the connection that this is, and `key_line` that of the plain key
    that it proved: None where that came with a certificate or with restrictions."""

    rights: Rights = field(default_factory=Rights, compare=False)
    ways: Ways | None = field(default=None, compare=False)
    factors: tuple[str, ...] = ()
    target: str | None = None
    confined: str | None = None
    fingerprint: str | None = None
    connection: int = 0
    key_line: str | None = field(default=None, compare=False)

    @classmethod
    def of(
        cls, identity: Identity, settings: Settings, ways: Ways | None, connection: int = 0
    ) -> Visitor:
        """Whoever `identity` is, with what the operator's roles give them."""
        guest, roles = identity.guest, identity.roles
        return cls(
            name=identity.user,
            guest=guest,
            roles=roles,
            rights=rights_of(settings.roles, guest=guest, roles=roles),
            ways=ways,
            factors=identity.factors,
            target=identity.target,
            confined=_confined(identity.restrictions),
            fingerprint=identity.fingerprint,
            connection=connection,
            key_line=identity.key if identity.restrictions in (None, Restrictions()) else None,
        )

    def may_open(self, app: str) -> bool:
        """Whether roles, factors and a forced command let them open the app of that name."""
        if self.confined is not None and app != self.confined:
            return False
        if self.ways is not None and not self.ways.open(
            app, factors=self.factors, target=self.target, guest=self.guest
        ):
            return False
        return self.rights.app(app)

    def may_run(self, app: str, command: str) -> bool:
        """Whether they may run that command of the app."""
        return self.may_open(app) and self.rights.command(app, command)


def original_command(program: Program) -> dict[str, str]:
    """What a client asked to run, for the command that a key runs instead: sshd(8) calls the
    variable so."""
    match program:
        case ExecRequest(command=line):
            return {"SSH_ORIGINAL_COMMAND": line}
        case SubsystemRequest(name=name):
            return {"SSH_ORIGINAL_COMMAND": name}
        case _:
            return {}


def _confined(restrictions: Restrictions | None) -> str | None:
    """The app that a key's command runs, which is then the only one; none has an empty name."""
    if restrictions is None or restrictions.command is None:
        return None
    try:
        words = shlex.split(restrictions.command)
    except ValueError:
        return ""
    return words[0] if words else ""
