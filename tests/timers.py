"""Time in hand: a timer whose deadlines come when a test says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class ManualTimer:
    """Implements `wire.Timer`. `due` are the deadlines that have not come yet."""

    time: float = 1000.0
    due: list[ManualDeadline] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def call_later(self, seconds: float, action: Callable[[], None]) -> ManualDeadline:
        deadline = ManualDeadline(self, self.time + seconds, action)
        self.due.append(deadline)
        return deadline

    def advance(self, seconds: float) -> None:
        """Lets time pass: what comes due is done in its order, each at its own time."""
        end = self.time + seconds
        while ripe := [deadline for deadline in self.due if deadline.at <= end]:
            deadline = min(ripe, key=lambda deadline: deadline.at)
            self.time = max(self.time, deadline.at)
            deadline.cancel()
            deadline.action()
        self.time = end


@dataclass(eq=False)
class ManualDeadline:
    timer: ManualTimer
    at: float
    action: Callable[[], None]

    def cancel(self) -> None:
        if self in self.timer.due:
            self.timer.due.remove(self)
