"""Memory goes back to the system when those who needed it have left."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Callable

import pytest

from tests.house import ROOT
from tests.waiting import DEADLINE
from tuihost.host.server import _memory
from tuihost.host.server._memory import (
    BUSY,
    GROWN,
    LEFT,
    PAUSE,
    RARELY,
    RARELY_IF_BUSY,
    MemoryWatch,
)
from tuihost.wire import Cancellable


class Clock:
    """A timer that is told when time passes."""

    def __init__(self) -> None:
        self.actions: list[Callable[[], None]] = []
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def call_later(self, seconds: float, action: Callable[[], None]) -> Cancellable:
        self.actions.append(action)
        return self

    def cancel(self) -> None:
        self.actions.clear()

    def passes(self) -> None:
        actions, self.actions = self.actions, []
        for action in actions:
            action()


class Circle:
    def __init__(self) -> None:
        self.me = self


def circle() -> weakref.ref[Circle]:
    return weakref.ref(Circle())


def test_what_is_left_is_collected_when_somebody_has_gone_and_the_process_is_larger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_memory, "thread_time", lambda: 0.0)  # it takes no time
    clock, size, ended = Clock(), [100 << 20], [0]
    watch = MemoryWatch(clock, lambda: size[0], lambda: ended[0])
    gc.disable()
    try:
        watch.start()
        left = circle()
        ended[0] += 1
        clock.passes()
        assert left() is not None, "it is as large as it was"
        size[0] += LEFT + 1
        clock.passes()
        assert left() is None
        left = circle()
        clock.time = PAUSE - 0.1
        ended[0] += 1
        clock.passes()
        assert left() is not None, "that was a moment ago"
        clock.time = PAUSE
        clock.passes()
        assert left() is None
        left = circle()
        clock.time = 1000.0
        clock.passes()
        assert left() is not None, "that was long ago"
        ended[0] += 1
        clock.passes()
        assert left() is None
        left = circle()
        clock.time = 2000.0
        size[0] += GROWN + 1
        clock.passes()
        assert left() is None, "it has grown"
        watch.stop()
        assert not clock.actions
    finally:
        gc.enable()


def test_a_busy_process_is_seldom_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, size, used, collected = Clock(), [100 << 20], [0.0], [0]

    def release() -> None:
        collected[0] += 1

    seconds = iter(range(100))
    monkeypatch.setattr(_memory, "release_memory", release)
    monkeypatch.setattr(_memory, "thread_time", lambda: float(next(seconds)))  # a second for each
    watch = MemoryWatch(clock, lambda: size[0], lambda: 0, lambda: used[0])

    def passes(until: float, share: float) -> None:
        used[0] += share * (until - clock.time)
        clock.time = until
        size[0] += GROWN + 1
        clock.passes()

    watch.start()
    passes(100.0, BUSY * 2)
    assert collected == [1], "the first time it is not known how long it takes"
    passes(100.0 + RARELY, BUSY * 2)
    assert collected == [1]
    passes(100.0 + RARELY_IF_BUSY, BUSY * 2)
    assert collected == [2]
    passes(100.0 + RARELY_IF_BUSY + RARELY, BUSY / 2)
    assert collected == [3], "nobody is busy"


def test_large_blocks_go_back_as_soon_as_they_are_free() -> None:
    program = (
        "from tuihost.host.host import resident_bytes\n"
        "from tuihost.host.server._memory import settle_memory, release_memory\n"
        "settle_memory()\n"
        "before = resident_bytes()\n"
        "for _ in range(3):\n"
        "    blocks = [bytes(8 << 20) + b'x' for _ in range(8)]\n"
        "    del blocks\n"
        "release_memory()\n"
        "print(resident_bytes() - before)\n"
    )
    words = [sys.executable, "-c", program]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, check=True, timeout=DEADLINE)
    assert int(said.stdout) < 8 << 20
