"""Keys in the agent that somebody brought, taken in once they have proved themselves."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tuihost import Agent, AgentKey, NotPossible, OwnAccount, clean


@dataclass(frozen=True, slots=True)
class Offered:
    """A key of the agent, and whether the account has it already."""

    key: AgentKey
    mine: bool

    def line(self) -> str:
        mine = " (in your account)" if self.mine else ""
        return f"{self.key.fingerprint}  {clean(self.key.kind)}  {clean(self.key.comment)}{mine}"

    def data(self) -> dict[str, Any]:
        return {
            "fingerprint": self.key.fingerprint,
            "kind": self.key.kind,
            "comment": self.key.comment,
            "in_account": self.mine,
        }


def offered(agent: Agent, own: OwnAccount) -> Sequence[Offered]:
    """What the agent has. Raises `NotOpened`."""
    kept, has = own.keys(), agent.keys()
    mine = {key.fingerprint for key in kept}
    return [Offered(key, key.fingerprint in mine) for key in has]


def take_from(agent: Agent, own: OwnAccount, which: str) -> str:
    """Takes in the key of that fingerprint or comment, and says which that was. Raises
    `NotPossible`, `NotOpened`."""
    has = agent.keys()
    found = [key for key in has if which in (key.fingerprint, key.comment)]
    if len(found) != 1:
        several = "Several keys are" if found else "No key is"
        raise NotPossible(f"{several} called {clean(which, limit=100)}; see: account agent")
    (key,) = found
    if not agent.proves(key):
        raise NotPossible("Your agent did not prove that it has that key.")
    kept = own.add_key(f"{key.kind} {base64.b64encode(key.blob).decode()}", key.comment)
    return f"{kept.fingerprint} {clean(kept.name)}"
