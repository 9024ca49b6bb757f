"""An answerer for tests of the connection protocol."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tuihost.wire import (
    Answer,
    GlobalRequest,
    Grant,
    Identity,
    OpenRequest,
    Refuse,
    SessionEvent,
    SessionRequest,
)

SESSIONS_ALONE = {
    "OpenDirect": Refuse("only sessions"),
    "OpenUnknown": Refuse("only sessions"),
    "global_request": Refuse("none here"),
}
"""Answers by which there are sessions, and in them everything."""


@dataclass
class Recorder:
    """Grants everything, unless `answers` says otherwise, and remembers what it was told.

    `answers` are by the type of a request or by the method that is asked; one that is an exception
    is raised.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    on_replied: Callable[[Any, Any], None] | None = None
    told: list[tuple[str, Any]] = field(default_factory=list)
    identities: list[Identity] = field(default_factory=list)
    channels: list[Any] = field(default_factory=list)
    entered: threading.Event = field(default_factory=threading.Event)

    def _answer(self, method: str, request: object) -> Any:
        answer = self.answers.get(type(request).__name__, self.answers.get(method, Grant()))
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def logged_in(self, identity: Identity) -> None:
        self.told.append(("logged_in", identity))
        self.identities.append(identity)
        self._answer("logged_in", None)
        self.entered.set()

    def open(self, request: OpenRequest) -> Answer:
        self.told.append(("open", request))
        return self._answer("open", request)

    def opened(self, request: OpenRequest, channel: Any) -> None:
        self.told.append(("opened", request))
        self.channels.append(channel)
        self._answer("opened", None)

    def request(self, channel: Any, request: SessionRequest) -> Answer:
        self.told.append(("request", request))
        return self._answer("request", request)

    def replied(self, channel: Any, request: SessionRequest) -> None:
        self.told.append(("replied", request))
        self._answer("replied", None)
        if self.on_replied is not None:
            self.on_replied(channel, request)

    def event(self, channel: Any, event: SessionEvent) -> None:
        self.told.append(("event", event))
        self._answer("event", None)

    def channel_closed(self, channel: Any) -> None:
        self.told.append(("channel_closed", channel.number))
        self._answer("channel_closed", None)

    def global_request(self, request: GlobalRequest) -> Answer:
        self.told.append(("global_request", request))
        return self._answer("global_request", request)
