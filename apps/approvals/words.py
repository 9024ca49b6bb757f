"""What is said about people who are waiting, and the answer itself."""

from __future__ import annotations

from typing import Any

from tuihost import ApprovalRequest, ApprovalsView, NotPossible, Session, clean, iso_time

ALLOW, REFUSE = "allow", "refuse"
"""The commands that answer."""
EMPTY = "Nobody is waiting to be let in."
NOT_YOURS = "Only people with the role admin or approver can let others in."
OWN = "This login is in your own name: somebody else has to answer."
NO_SUCH_NUMBER = "Nobody with that number is waiting."
OUT_OF_REACH = "The accounts cannot be reached at the moment."


def numbered(approvals: ApprovalsView, number: int) -> ApprovalRequest | None:
    """The request with that number, while it waits."""
    return next((each for each in approvals.waiting() if each.number == number), None)


def app_of(session: Session, request: ApprovalRequest) -> str:
    """The title of the app that was asked for."""
    name = request.app or session.host.default_app
    titles = {card.name: card.title for card in session.host.apps(session.account)}
    return titles.get(name, name.capitalize())


def described(request: ApprovalRequest) -> str:
    """Whom the answer is about: `bob from 192.0.2.7`."""
    return f"{clean(request.user, limit=40)} from {clean(request.peer.address, limit=60)}"


def check_may_answer(session: Session, *, granted: bool) -> None:
    """Raises NotPossible for somebody who may not run the command of that answer."""
    command = ALLOW if granted else REFUSE
    if not session.may_run(command):
        raise NotPossible(f"You may not run approvals {command}.")


def answer(
    session: Session, approvals: ApprovalsView, request: ApprovalRequest, *, granted: bool
) -> str:
    """Answers, and leaves a line in the log; what was done, in a sentence. Raises NotPossible, also
    for somebody who may not run the command that does it."""
    check_may_answer(session, granted=granted)
    approvals.answer(request.number, granted)
    text = "let in" if granted else "refused"
    session.log.note(text, who=request.user, address=request.peer.address)
    return f"{described(request)} has been {text}."


def data_of(request: ApprovalRequest, now: float) -> dict[str, Any]:
    """A request for programs."""
    return {
        "number": request.number,
        "user": request.user,
        "address": request.peer.address,
        "app": request.app,
        "since": iso_time(request.since),
        "seconds_left": max(0, round(request.until - now)),
        "own": request.own,
    }
