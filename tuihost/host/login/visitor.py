"""The account of somebody who is logged in, as `host/access.py` decided what they may use."""

from __future__ import annotations

from dataclasses import dataclass, field

from tuihost.core.budget.ledger import FREE, Share
from tuihost.core.login.proof import Proof
from tuihost.core.login.rights import Rights
from tuihost.session.host_view import Account
from tuihost.wire import Restrictions


@dataclass(frozen=True, slots=True)
class Visitor(Account):
    """An account as it came in. `apps` are those that they may open, decided once, at the login.
    `confined` names the one app that a forced command leads to; `connection` is the number of the
    connection that this is, and `key_line` the line of the plain key that it proved: None if that
    came with a certificate or with restrictions. `proof` is what the login proved, and `share` what
    the connection may take of the host."""

    apps: frozenset[str] = field(default=frozenset(), compare=False)
    rights: Rights = field(default_factory=Rights, compare=False)
    restrictions: Restrictions = field(default_factory=Restrictions, compare=False)
    factors: tuple[str, ...] = ()
    target: str | None = None
    confined: str | None = None
    fingerprint: str | None = None
    connection: int = 0
    key_line: str | None = field(default=None, compare=False)
    proof: Proof = field(default_factory=Proof, compare=False)
    share: Share = field(default=FREE, compare=False)

    def may_open(self, app: str) -> bool:
        """Whether they may open the app, which is there."""
        return app in self.apps

    def may_run(self, app: str, command: str) -> bool:
        """Whether they may run that command of the app."""
        return self.may_open(app) and self.rights.command(app, command)
