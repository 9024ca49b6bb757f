"""Keys in a person's agent, added to their account once the agent has proved that it has them."""

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
    """Adds the key with that fingerprint or comment, and returns it. Raises
    `NotPossible`, `NotOpened`."""
    has = agent.keys()
    found = [key for key in has if which in (key.fingerprint, key.comment)]
    if len(found) != 1:
        several = "Several keys in your agent are" if found else "No key in your agent is"
        raise NotPossible(f"{several} called {clean(which, limit=100)}; see: account agent")
    (key,) = found
    if not agent.proves(key):
        raise NotPossible("Your agent did not prove that it has this key.")
    kept = own.add_key(f"{key.kind} {base64.b64encode(key.blob).decode()}", key.comment)
    return f"{kept.fingerprint} {clean(kept.name)}"
