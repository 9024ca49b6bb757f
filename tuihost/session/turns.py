"""The turn of each thread: it has one while it works for somebody, and none while it waits.

The interpreter runs one thread at a time. Somebody with thirty busy sessions would have thirty
parts of it, and everybody else one each; so only a few threads of one person work at a time, and
the others wait for their turn. `Waiting` is for whatever waits on the thread of an app.
"""

from __future__ import annotations

import threading

from tuihost.core.budget.ledger import FREE, Turn

_own = threading.local()


def own_turn() -> Turn:
    """The turn of this thread. One of the host's own threads never waits for it."""
    turn: Turn = getattr(_own, "turn", FREE)
    return turn


def bind(turn: Turn) -> None:
    """From now on, that is the turn of this thread."""
    _own.turn = turn


class Waiting:
    """A context manager: the thread waits for something, and others may work meanwhile."""

    __slots__ = ("_turn",)

    def __enter__(self) -> None:
        self._turn = own_turn()
        self._turn.pause()

    def __exit__(self, *error: object) -> None:
        self._turn.resume()
