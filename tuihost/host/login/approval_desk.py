"""The logins that wait for approval, as one person who may give it sees them."""

from __future__ import annotations

from collections.abc import Callable

from tuihost.accounts import StoreError
from tuihost.host.login.services import LoginServices
from tuihost.host.login.visitor import Visitor
from tuihost.login.approvals import APPROVERS, ApprovalRequest
from tuihost.logs import Event, EventLog
from tuihost.session.own_account import NotPossible
from tuihost.text import clean


def may_answer(visitor: Visitor) -> bool:
    """Whether the roles that somebody logged in with let them decide about others."""
    return not visitor.guest and not APPROVERS.isdisjoint(visitor.roles)


class ApprovalDesk:
    """Implements `approvals.ApprovalsView` for `visitor`. Threads: any."""

    def __init__(self, login_services: LoginServices, visitor: Visitor, log: EventLog) -> None:
        self._login_services = login_services
        self._log = log
        self._approvals = login_services.approvals
        self._name = visitor.name

    def waiting(self) -> tuple[ApprovalRequest, ...]:
        unix = self._login_services.now() - self._approvals.now()
        return tuple(
            ApprovalRequest(
                login.number,
                login.user,
                login.peer,
                login.since + unix,
                login.until + unix,
                login.target,
                login.user == self._name,
            )
            for login in self._approvals.waiting()
        )

    def answer(self, number: int, granted: bool) -> None:
        self._check_right()
        if any(request.number == number and request.own for request in self.waiting()):
            raise NotPossible("This login is in your own name: somebody else has to answer.")
        if not self._approvals.answer(number, by=self._name, granted=granted):
            raise NotPossible("Nobody with that number is waiting any more.")

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        return self._approvals.subscribe(listener)

    def _check_right(self) -> None:
        # `visitor` has the roles of its login; one may have been taken away since then.
        try:
            record = self._login_services.store.get(self._name)
        except StoreError as error:
            self._log.error(Event.STORE_ERROR, reason=clean(str(error), limit=300))
            raise
        roles = frozenset() if record is None else self._login_services.roles(record)
        if record is None or record.disabled or APPROVERS.isdisjoint(roles):
            raise NotPossible("You are not allowed to let people in any more.")
