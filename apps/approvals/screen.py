"""Approvals on a screen: a live table of the people who are waiting, and two answers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from prompt_toolkit.application import Application

from tuihost import ApprovalRequest, ApprovalsView, NotPossible, Session, TuihostError, duration
from tuihost.widgets import Column, Keymap, Screen, SideBySide, Table, ignore_held_key

from .words import ALLOW, EMPTY, OUT_OF_REACH, OWN, REFUSE, answer, app_of

HELP = (
    "People whose login needs approval wait here until somebody says yes or no. If nobody answers "
    "in time, they are refused. A login in your own name is for somebody else to answer."
)
TICK = 1.0  # seconds between two looks at the clock while somebody waits


class ApprovalsScreen:
    """What one approver sees and does."""

    def __init__(self, session: Session, approvals: ApprovalsView) -> None:
        self.session = session
        self.approvals = approvals
        self.table: Table[ApprovalRequest] = Table(
            session,
            self._columns(),
            key=lambda request: request.number,
            filterable=False,
            empty=EMPTY,
        )
        self.screen = Screen(
            session,
            "Approvals",
            SideBySide(session, self.table),
            keys=self._keys(),
            status=self._status,
            help_text=HELP,
            min_size=(24, 6),
        )
        self._changed = asyncio.Event()

    def application(self) -> Application[Any]:
        """A fresh Application that follows who comes and goes."""
        self._application = application = self.screen.application(focus=self.table.window)

        def begin() -> None:
            application.create_background_task(self._live())

        application.pre_run_callables.append(begin)
        return application

    async def _live(self) -> None:
        """Shows who comes and goes, and the time that is left while somebody waits."""
        stop = self.approvals.subscribe(lambda: self.session.invoke(self._changed.set))
        try:
            while True:
                self._changed.clear()
                self.table.items = self.approvals.waiting()
                self._application.invalidate()
                # `wait_for` of Python 3.11 loses a cancellation that comes with the change.
                with suppress(TimeoutError):
                    async with asyncio.timeout(TICK if self.table.items else None):
                        await self._changed.wait()
        finally:
            stop()

    # ------------------------------------------------------------------ how it looks

    def _columns(self) -> list[Column[ApprovalRequest]]:
        """The most telling first: a narrow window leaves out the last ones."""
        session = self.session
        return [
            Column("Who", flex=1, value=self._name, sortable=False),
            Column("From", flex=1, value=lambda request: request.peer.address, sortable=False),
            Column("Left", 9, align="right", value=self._left, sortable=False),
            Column(
                "Waiting", 9, align="right", style="class:muted", value=self._waited, sortable=False
            ),
            Column(
                "Wants",
                14,
                style="class:muted",
                value=lambda request: app_of(session, request),
                sortable=False,
            ),
        ]

    def _name(self, request: ApprovalRequest) -> str:
        return f"{request.user} (you)" if request.own else request.user

    def _left(self, request: ApprovalRequest) -> str:
        return duration(request.until - self.session.host.now(), units=2, short=True)

    def _waited(self, request: ApprovalRequest) -> str:
        return duration(self.session.host.now() - request.since, units=2, short=True)

    def _status(self) -> str:
        count = len(self.table.items)
        return f"{count} waiting" if count else ""

    # ------------------------------------------------------------------ keys

    def _keys(self) -> Keymap:
        keys = Keymap(group="Approvals")

        def may(command: str) -> bool:
            return self.table.selected is not None and self.session.may_run(command)

        @keys.add("y", "enter", label="let in", rank=20, when=lambda: may(ALLOW))
        async def _allow(event: Any) -> None:
            if (request := self._chosen()) is not None and await self.screen.confirm(
                f"Let {request.user} in?",
                detail=f"They come from {request.peer.address}.",
                yes="Let in",
            ):
                await self._answer(request, granted=True)

        @keys.add("n", label="refuse", rank=21, when=lambda: may(REFUSE))
        async def _refuse(event: Any) -> None:
            if (request := self._chosen()) is not None:
                await self._answer(request, granted=False)

        return keys

    def _chosen(self) -> ApprovalRequest | None:
        """The chosen request, where it is for this person to answer."""
        request = self.table.selected
        if request is not None and request.own:
            self.screen.toast(OWN, kind="warning")
            return None
        return request

    async def _answer(self, request: ApprovalRequest, *, granted: bool) -> None:
        """Gives the answer; the key of it, held down, is not one to the next request."""
        ignore_held_key()
        try:
            told = await asyncio.to_thread(
                answer, self.session, self.approvals, request, granted=granted
            )
        except NotPossible as error:
            self.screen.toast(str(error), kind="warning")
        except TuihostError:
            self.screen.toast(OUT_OF_REACH, kind="error")
        else:
            self.screen.toast(told, kind="success" if granted else "info")
