"""How tests wait: long enough for a machine that is busy with other things as well."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

DEADLINE = 60.0
"""Seconds that any wait lasts at most; only a fault comes near."""
LOOK_EVERY = 0.02

Value = TypeVar("Value")


def until(
    look: Callable[[], Value],
    what: str,
    *,
    seconds: float = DEADLINE,
    shown: Callable[[], str] = str,
) -> Value:
    """What `look` gives as soon as that is true; past the deadline an error with what is shown."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s for {what}\n{shown()}")
        pause.wait(LOOK_EVERY)
    return found


def allowed(seconds: float) -> float:
    """What may take `seconds` on a machine with nothing else to do: longer on a busy one, by how
    many wait there for a processor."""
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * max(1.0, 3 * busy)
