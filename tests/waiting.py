"""How tests wait: long enough for a machine that is busy with other things as well."""

from __future__ import annotations

import functools
import os
import threading
import time
import timeit
from collections.abc import Callable
from pathlib import Path
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
    many others want a processor there, now or in the last minute, and on a slow one."""
    average, _, _, running, *_ = Path("/proc/loadavg").read_text().split()
    others = max(float(average), int(running.partition("/")[0]) - 1)
    return seconds * max(1.0, 3 * others / (os.cpu_count() or 1)) * _slowness()


@functools.cache
def _slowness() -> float:
    """How many times as long this machine takes for the same work as an ordinary one of 2020."""
    return max(1.0, min(timeit.repeat(lambda: sum(range(100_000)), number=1, repeat=9)) / 0.003)
