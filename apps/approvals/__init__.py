"""Who waits at the door, for those who let people in.

The login step `approve` asks somebody inside. This is where they answer: people with the role
`admin` or `approver`.
"""

from __future__ import annotations

from json import dumps
from typing import Any

from prompt_toolkit.application import Application
from rich.table import Table

from tuihost import Accepts, App, NotPossible, Session, TuihostError, clean, command, duration
from tuihost.widgets import RichView, Screen

from .lines import converse
from .screen import ApprovalsScreen
from .words import EMPTY, NOT_YOURS, OUT_OF_REACH, app_of, data_of, say


class ApprovalsApp(App):
    """Let in who waits."""

    name = "approvals"
    title = "Approvals"
    group = "Host"
    icon = "◫"
    order = 75
    accepts = Accepts(guests=False, roles=frozenset({"admin", "approver"}))

    def build(self, session: Session) -> Application[Any]:
        approvals = session.host.approvals(session.account)
        if approvals is None:
            view = RichView(session, NOT_YOURS)
            return Screen(session, "Approvals", view).application(focus=view.window)
        return ApprovalsScreen(session, approvals).application()

    async def talk(self, session: Session) -> int:
        approvals = session.host.approvals(session.account)
        if approvals is not None:
            return await converse(session, approvals)
        await session.say(NOT_YOURS)
        return 1

    # ------------------------------------------------------------------ from a shell

    @command
    def list(self, session: Session, *, json: bool = False) -> int:
        """Who waits, longest first."""
        approvals = session.host.approvals(session.account)
        if approvals is None:
            session.error(NOT_YOURS)
            return 1
        now, callers = session.host.now(), approvals.waiting()
        if json:
            session.print(dumps([data_of(one, now) for one in callers], indent=2))
            return 0
        if not callers:
            session.print(EMPTY)
            return 0
        table = Table(box=None, pad_edge=False, header_style="table.header")
        for title in ("Number", "Who", "From", "Wants", "Waits", "Left"):
            table.add_column(title)
        for one in callers:
            table.add_row(
                str(one.number),
                clean(one.user, limit=40),
                clean(one.peer.address),
                clean(app_of(session, one), limit=40),
                duration(now - one.since, units=2, short=True),
                duration(one.until - now, units=2, short=True),
            )
        session.print(table)
        return 0

    @command
    def allow(self, session: Session, number: int) -> int:
        """Lets in who waits under NUMBER."""
        return _answer(session, number, granted=True)

    @command
    def refuse(self, session: Session, number: int) -> int:
        """Refuses who waits under NUMBER."""
        return _answer(session, number, granted=False)


def _answer(session: Session, number: int, *, granted: bool) -> int:
    """Says yes or no; the exit status."""
    approvals = session.host.approvals(session.account)
    if approvals is None:
        session.error(NOT_YOURS)
        return 1
    caller = next((one for one in approvals.waiting() if one.number == number), None)
    try:
        if caller is None:
            raise NotPossible("Nobody waits under this number.")
        session.print(say(session, approvals, caller, granted=granted))
    except NotPossible as error:
        session.error(str(error))
        return 1
    except TuihostError:
        if session.ended:
            raise
        session.error(OUT_OF_REACH)
        return 1
    return 0


app = ApprovalsApp()
