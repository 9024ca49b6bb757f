"""What is said about who waits, and the answer itself."""

from __future__ import annotations

from typing import Any

from tuihost import ApprovalsView, Caller, Session, clean

EMPTY = "Nobody is waiting to be let in."
NOT_YOURS = "Letting people in is for those who have the role admin or approver."
OWN = "It is your own name: somebody else has to answer."
OUT_OF_REACH = "The accounts cannot be reached at the moment."


def app_of(session: Session, caller: Caller) -> str:
    """The title of the app that they asked for."""
    name = caller.app or session.host.default_app
    titles = {card.name: card.title for card in session.host.apps(session.account)}
    return titles.get(name, name.capitalize())


def who(caller: Caller) -> str:
    """Whom the answer is about: `bob from 192.0.2.7`."""
    return f"{clean(caller.user, limit=40)} from {clean(caller.peer.address, limit=60)}"


def say(session: Session, approvals: ApprovalsView, caller: Caller, *, granted: bool) -> str:
    """Answers, and leaves a line in the log; what was done, in a sentence. Raises NotPossible."""
    approvals.answer(caller.number, granted)
    text = "let in" if granted else "refused"
    session.log.note(text, who=caller.user, address=caller.peer.address)
    return f"{who(caller)} is {text}."


def data_of(caller: Caller, now: float) -> dict[str, Any]:
    """The same for programs."""
    return {
        "number": caller.number,
        "user": caller.user,
        "address": caller.peer.address,
        "app": caller.app,
        "since": round(caller.since),
        "seconds_left": max(0, round(caller.until - now)),
        "own": caller.own,
    }
