"""The replies to a client's global requests, in the order of the requests (RFC 4254 §4).

A client tells the replies apart by nothing but their order, so one that takes time holds back those
behind it. One thread at a time sends; a reply that becomes ready meanwhile is left for that thread.
So the transport's thread never waits for another one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Message = TypeVar("Message")


def _nowhere(message: object) -> None:
    """Where nothing is sent any more."""


class Expected(Generic[Message]):
    """One reply that is to be sent."""

    __slots__ = ("given", "message")

    def __init__(self) -> None:
        self.given = False
        self.message: Message | None = None


class GlobalReplies(Generic[Message]):
    """What has not been sent yet, oldest first. Any thread; `send` is called without a lock."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._waiting: deque[Expected[Message]] = deque()
        self._sending = False
        self._over = False
        self._lock = threading.Lock()

    def expect(self, *, wanted: bool) -> Expected[Message]:
        """The place of the next reply. It is never sent if it is not `wanted`."""
        expected = Expected[Message]()
        if wanted:
            with self._lock:
                self._waiting.append(expected)
        return expected

    def give(self, expected: Expected[Message], message: Message) -> bool:
        """The reply is `message`; it is sent once those before it are. False if it was given
        before, or the connection is over."""
        with self._lock:
            if self._over or expected.given:
                return False
            expected.given, expected.message = True, message
            if self._sending:
                return True
            self._sending = True
        while (due := self._next()) is not None:
            self._send(due)
        return True

    def drop(self) -> None:
        """The connection is over: nothing is sent any more."""
        with self._lock:
            self._over = True
            self._waiting.clear()
            self._send = _nowhere  # what it was belongs to the connection, which holds this object

    def _next(self) -> Message | None:
        """What is to be sent now; if that is nothing, this thread sends no longer."""
        with self._lock:
            if self._waiting and self._waiting[0].given:
                return self._waiting.popleft().message
            self._sending = False
            return None
