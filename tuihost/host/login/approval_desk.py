"""Those at the door, for one person inside who may let them in."""

from __future__ import annotations

from collections.abc import Callable

from tuihost.accounts import StoreError
from tuihost.host.login.services import LoginServices
from tuihost.host.login.visitor import Visitor
from tuihost.login.approvals import APPROVERS, Caller
from tuihost.logs import Event, EventLog
from tuihost.session.own_account import NotPossible
from tuihost.text import clean


def may_answer(visitor: Visitor) -> bool:
    """Whether the roles that somebody came in with let them decide about others."""
    return not visitor.guest and not APPROVERS.isdisjoint(visitor.roles)


class ApprovalDesk:
    """Implements `approvals.DoorView` for `visitor`. Threads: any."""

    def __init__(self, login_services: LoginServices, visitor: Visitor, log: EventLog) -> None:
        self._login_services = login_services
        self._log = log
        self._approvals = login_services.approvals
        self._name = visitor.name

    def waiting(self) -> tuple[Caller, ...]:
        unix = self._login_services.now() - self._approvals.now()
        return tuple(
            Caller(
                one.id,
                one.user,
                one.peer,
                one.since + unix,
                one.until + unix,
                one.target,
                one.user == self._name,
            )
            for one in self._approvals.waiting()
        )

    def answer(self, number: int, granted: bool) -> None:
        self._check_right()
        if any(one.id == number and one.user == self._name for one in self._approvals.waiting()):
            raise NotPossible("It is your own name: somebody else has to answer.")
        if not self._approvals.answer(number, by=self._name, granted=granted):
            raise NotPossible("Nobody waits under this number any more.")

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        return self._approvals.subscribe(listener)

    def _check_right(self) -> None:
        # Roles are those of the login; what was taken away since then is no right any more.
        try:
            record = self._login_services.store.get(self._name)
        except StoreError as error:
            self._log.error(Event.STORE_ERROR, reason=clean(str(error), limit=300))
            raise
        roles = frozenset() if record is None else self._login_services.roles(record)
        if record is None or record.disabled or APPROVERS.isdisjoint(roles):
            raise NotPossible("You may not let people in any more.")
