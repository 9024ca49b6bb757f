"""What this process holds now: its threads and descriptors, each for itself.

A count tells nothing, since what an earlier test began may end at any moment. Take both sets, and
look only at what is new.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection


def threads() -> set[threading.Thread]:
    """Those that run, without those of the process's one executor: they come and go by
    themselves."""
    return {
        thread for thread in threading.enumerate() if not thread.name.startswith("tuihost-shared")
    }


def descriptors(but_for: Collection[str] = ()) -> set[tuple[int, str]]:
    """The number of each open one and what it is of, without those of the files `but_for`."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue  # the one that listed the folder
        if target.removesuffix(" (deleted)") not in but_for:
            found.add((int(name), target))
    return found


def seconds_worked(thread: threading.Thread) -> float:
    """Processor time of that running thread alone: what others do meanwhile does not count."""
    assert thread.ident is not None
    return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
