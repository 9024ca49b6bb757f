"""Approvals, as one person sees and gives them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.log import SILENT
from tests.waiting import DEADLINE
from tuihost.accounts import AccountRecord, StoreError
from tuihost.host.login.approval_desk import ApprovalDesk, may_answer
from tuihost.host.login.services import LoginServices
from tuihost.host.login.visitor import Visitor
from tuihost.session.own_account import NotPossible
from tuihost.settings.loading import load
from tuihost.wire import Peer

APPROVER = frozenset({"approver"})


@pytest.fixture
def services(tmp_path: Path) -> Iterator[LoginServices]:
    given = {"server.state_dir": str(tmp_path), "login.chains": ["password"]}
    services = LoginServices(load(None, {}, given), {}, SILENT, now=lambda: 5_000_000.0)
    services.store.create(AccountRecord("ada", roles=APPROVER))
    services.store.create(AccountRecord("bob", roles=APPROVER))
    yield services
    services.close()


@pytest.fixture
def bob(services: LoginServices) -> Iterator[list[bool | None]]:
    """Bob waits for an answer; the list has it once there is one."""
    approvals, answers, begun = services.approvals, list[bool | None](), threading.Event()

    def wait() -> None:
        approval = approvals.wait("bob", Peer("192.0.2.1", 1), DEADLINE, target="notes")
        answers.append(approval.granted if approval else None)

    stop = approvals.subscribe(begun.set)
    thread = threading.Thread(target=wait)
    thread.start()
    assert begun.wait(DEADLINE)
    stop()
    yield answers
    for login in approvals.waiting():
        approvals.answer(login.number, by="the test", granted=False)
    thread.join(DEADLINE)


def desk(services: LoginServices, name: str) -> ApprovalDesk:
    return ApprovalDesk(services, Visitor(name, False, APPROVER), SILENT)


@pytest.mark.parametrize(
    ("guest", "roles", "may"),
    [
        (False, {"approver"}, True),
        (False, {"admin", "staff"}, True),
        (False, {"staff"}, False),
        (False, set(), False),
        (True, {"approver"}, False),
    ],
)
def test_who_may_answer(guest: bool, roles: set[str], may: bool) -> None:
    assert may_answer(Visitor("ada", guest, frozenset(roles))) is may


def test_a_request_says_who_waits_in_unix_time(
    services: LoginServices, bob: list[bool | None]
) -> None:
    (request,) = desk(services, "ada").waiting()
    assert (request.user, request.peer.address, request.app) == ("bob", "192.0.2.1", "notes")
    assert abs(request.since - 5_000_000.0) < DEADLINE
    assert request.until - request.since == pytest.approx(DEADLINE)
    assert not request.own
    (request,) = desk(services, "bob").waiting()
    assert request.own


def test_nobody_answers_in_their_own_name(services: LoginServices, bob: list[bool | None]) -> None:
    (request,) = desk(services, "bob").waiting()
    with pytest.raises(NotPossible, match="your own name"):
        desk(services, "bob").answer(request.number, True)
    assert len(services.approvals.waiting()) == 1


def test_a_number_that_nobody_waits_under_is_told(services: LoginServices) -> None:
    with pytest.raises(NotPossible, match="with that number"):
        desk(services, "ada").answer(7, True)


@pytest.mark.parametrize("change", ["role", "closed", "deleted"])
def test_a_right_that_was_taken_away_since_the_login_is_gone(
    services: LoginServices, bob: list[bool | None], change: str
) -> None:
    ada = desk(services, "ada")
    (request,) = ada.waiting()
    match change:
        case "role":
            services.store.update("ada", roles=frozenset())
        case "closed":
            services.store.update("ada", disabled=True)
        case _:
            services.store.delete("ada")
    with pytest.raises(NotPossible, match="not allowed"):
        ada.answer(request.number, True)
    assert len(services.approvals.waiting()) == 1


def test_a_store_that_does_not_work_answers_nothing(
    services: LoginServices, bob: list[bool | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str) -> None:
        raise StoreError("the disk is gone")

    ada = desk(services, "ada")
    (request,) = ada.waiting()
    monkeypatch.setattr(services.store, "get", broken)
    with pytest.raises(StoreError):
        ada.answer(request.number, True)
    assert len(services.approvals.waiting()) == 1
