"""The status on a screen: gauges, and below them who is here. Measured while it is open."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from prompt_toolkit.application import Application

from tuihost import Session
from tuihost.widgets import HSplit, Keymap, RowWindow, Screen, SideBySide, Table

from .board import Board
from .people import Person, columns, people
from .samples import Sampler

INTERVALS = (1, 2, 5, 10)
"""Seconds between samples that a person can choose from."""
HELP = (
    "The lines show the last five minutes, starting at zero. While nobody looks at this page, the "
    "host is measured every ten seconds."
)


class StatusScreen:
    """One person's view of the host. What they chose is remembered when they come back."""

    def __init__(self, session: Session, sampler: Sampler) -> None:
        self.session = session
        self.sampler = sampler
        self.paused = False
        self.interval: int = session.memory.get("interval", INTERVALS[0])
        self.board = Board(session)
        self.table: Table[Person] = Table(
            session,
            columns(session),
            key=lambda person: person.id,
            sort=session.memory.get("sort"),
            empty="Nobody is on a screen here.",
            place="people",
        )
        board = RowWindow(self.board, height=self.board.row_count, focusable=False)
        self.screen = Screen(
            session,
            "Status",
            HSplit([board, SideBySide(session, self.table)]),
            keys=self._keys(),
            status=self._status,
            help_text=HELP,
            min_size=(30, 9),
        )
        self._changed = asyncio.Event()

    def application(self) -> Application[Any]:
        """A fresh Application that measures while it runs."""
        self.look()
        application = self.screen.application(focus=self.table.window)

        def start() -> None:
            application.create_background_task(self._watch(application))

        application.pre_run_callables.append(start)
        application.after_render += lambda _: self._remember()
        return application

    def _remember(self) -> None:
        """Remembers what was chosen, for when they come back."""
        self.session.memory.update(interval=self.interval, sort=self.table.sort)

    def look(self) -> None:
        """Shows the host as it is now."""
        now = self.sampler.look(self.session)
        self.board.show(now, self.sampler.recent())
        self.table.items = people(self.session)

    async def _watch(self, application: Application[Any]) -> None:
        """Looks again after each interval, unless it is paused."""
        while True:
            await self._wait()
            if not self.paused:
                self.look()
                application.invalidate()

    async def _wait(self) -> None:
        """Waits until the next look is due, or until a key changes the interval."""
        self._changed.clear()
        timeout = None if self.paused else self.interval
        with suppress(TimeoutError):  # `wait_for` of Python 3.11 can lose a cancellation
            async with asyncio.timeout(timeout):
                await self._changed.wait()

    def _status(self) -> str:
        return "paused" if self.paused else f"every {self.interval} s"

    # ------------------------------------------------------------------ keys

    def _keys(self) -> Keymap:
        keys = Keymap(group="Status")

        @keys.add("c-p", label="pause", rank=30, when=lambda: not self.paused)
        @keys.add("c-p", label="continue", rank=30, when=lambda: self.paused)
        def _pause(event: Any) -> None:
            self.paused = not self.paused
            self._changed.set()

        @keys.add("left", label="interval", rank=40)
        def _shorter(event: Any) -> None:
            self._step(-1)

        @keys.add("right", label="interval", rank=40)
        def _longer(event: Any) -> None:
            self._step(1)

        return keys

    def _step(self, step: int) -> None:
        """The next longer interval, or the next shorter one for -1."""
        place = INTERVALS.index(self.interval) + step
        self.interval = INTERVALS[min(max(0, place), len(INTERVALS) - 1)]
        self._changed.set()
