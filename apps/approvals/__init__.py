"""Logins that wait for approval, and the answers to them.

The login step `approve` asks somebody who is already inside. They answer here, if they have the
role `admin` or `approver`.
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
from .words import (
    EMPTY,
    NO_SUCH_NUMBER,
    NOT_YOURS,
    OUT_OF_REACH,
    answer,
    app_of,
    data_of,
    numbered,
)


class ApprovalsApp(App):
    """Let people in who are waiting to log in."""

    name = "approvals"
    title = "Approvals"
    group = "Host"
    icon = "◫"
    order = 75
    accepts = Accepts(guests=False, roles=frozenset({"admin", "approver"}))
    known_options = ()
    default_command = "list"

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
        """List the people who are waiting, longest first."""
        approvals = session.host.approvals(session.account)
        if approvals is None:
            session.error(NOT_YOURS)
            return 1
        now, requests = session.host.now(), approvals.waiting()
        if json:
            session.print(dumps([data_of(request, now) for request in requests], indent=2))
            return 0
        if not requests:
            session.print(EMPTY)
            return 0
        table = Table(box=None, pad_edge=False, header_style="table.header")
        for title in ("Number", "Who", "From", "Wants", "Waiting", "Left"):
            table.add_column(title)
        for request in requests:
            table.add_row(
                str(request.number),
                clean(request.user, limit=40),
                clean(request.peer.address),
                clean(app_of(session, request), limit=40),
                duration(now - request.since, units=2, short=True),
                duration(request.until - now, units=2, short=True),
            )
        session.print(table)
        return 0

    @command
    def allow(self, session: Session, number: int) -> int:
        """Let in the person with that NUMBER."""
        return _answer(session, number, granted=True)

    @command
    def refuse(self, session: Session, number: int) -> int:
        """Refuse the person with that NUMBER."""
        return _answer(session, number, granted=False)


def _answer(session: Session, number: int, *, granted: bool) -> int:
    """Says yes or no; the exit status."""
    approvals = session.host.approvals(session.account)
    if approvals is None:
        session.error(NOT_YOURS)
        return 1
    request = numbered(approvals, number)
    try:
        if request is None:
            raise NotPossible(NO_SUCH_NUMBER)
        session.print(answer(session, approvals, request, granted=granted))
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
