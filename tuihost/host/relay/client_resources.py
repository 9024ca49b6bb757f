"""What a client lends to its session: its display and its agent."""

from __future__ import annotations

from dataclasses import dataclass

from tuihost.host.relay.client_agent import ClientAgent
from tuihost.host.relay.x11_display import ClientDisplay


@dataclass(frozen=True, slots=True)
class ClientResources:
    """Either is None if the client did not offer it, or was not allowed to."""

    display: ClientDisplay | None = None
    agent: ClientAgent | None = None

    def close(self) -> None:
        """The session is over. Any thread."""
        if self.display is not None:
            self.display.close()
        if self.agent is not None:
            self.agent.close()
