"""What is done when something ends, such as a forward or a display: apps add to it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack


class EndActions:
    """The actions for one end. Threads: any; `end` waits for them."""

    def __init__(self) -> None:
        self.over = False
        self._lock = threading.Lock()
        self._actions: dict[object, Callable[[], None]] = {}

    def add(self, action: Callable[[], None]) -> Callable[[], None]:
        """Calls `action` at the end; now if that has been. What it returns takes it back."""
        token = object()
        with self._lock:
            over = self.over
            if not over:
                self._actions[token] = action
        if over:
            action()
        return lambda: self._take_back(token)

    def _take_back(self, token: object) -> None:
        with self._lock:
            self._actions.pop(token, None)

    def end(self) -> None:
        """It is over: calls each action, once and in their order. One that raises costs the others
        nothing; what the last of them raised is raised then."""
        with self._lock:
            self.over = True
            actions, self._actions = self._actions, {}
        with ExitStack() as ending:
            for action in reversed(actions.values()):
                ending.callback(action)
