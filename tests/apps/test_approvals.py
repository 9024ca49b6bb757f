"""Somebody inside answers, somebody outside waits; live, by lines and by commands."""

from __future__ import annotations

import asyncio
import importlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import paramiko
import pytest

from tests.cancelling import ends_although_it_changes
from tests.waiting import DEADLINE
from tuihost import Account, NotPossible
from tuihost.accounts import AccountRecord, StoreError
from tuihost.host.login.visitor import Visitor
from tuihost.login.approvals import APPROVERS
from tuihost.testing import Hosted, Outcome, Pilot, hosted
from tuihost.testing.hosted import hang_up

PASSWORD = "correct-horse-9"
ROLES = {"ada": "approver", "grace": "admin", "bob": "", "eve": "approver", "tom": ""}
APPROVED = (("password", "approve"),)


@pytest.fixture
def host() -> Iterator[Hosted]:
    """Bob, and Eve who is an approver herself, need somebody's yes; Ada, Grace and Tom do not."""
    with hosted(bundled=["menu", "approvals"], settings={"login.chains": ["password"]}) as host:
        login_services, now = host.server.login_services, time.time()
        hashed = login_services.passwords.hash(PASSWORD)
        for name, role in ROLES.items():
            login_services.store.create(
                AccountRecord(
                    name,
                    created=now,
                    password_hash=hashed,
                    roles=frozenset(role.split()),
                    chains=APPROVED if name in ("bob", "eve") else (),
                )
            )
        yield host


def enter(host: Hosted, user: str, size: tuple[int, int] = (80, 24), **more: Any) -> Pilot:
    """Somebody who needs no approval, in the app."""
    given = {"app": "approvals", **more}
    return host.open(user=user, password=PASSWORD, size=size, **given)


def run(host: Hosted, command: str, user: str = "ada") -> Outcome:
    return host.run(command, user=user, password=PASSWORD)


class Outside:
    """Somebody who logs in and has to wait, on a thread of their own."""

    def __init__(self, host: Hosted, user: str) -> None:
        self.transport = host.dial()
        self.refused: Exception | None = None
        self._host = host
        self._user = user
        self._thread = threading.Thread(target=self._log_in)
        arrived = threading.Event()
        stop = host.server.login_services.approvals.subscribe(arrived.set)
        self._thread.start()
        try:
            assert arrived.wait(DEADLINE), "nobody is waiting"
        finally:
            stop()

    def _log_in(self) -> None:
        name = self._user
        try:
            left = self.transport.auth_password(name, PASSWORD, fallback=False)
            assert left == ["keyboard-interactive"], left
            self.transport.auth_interactive(name, lambda *_: [])
        except paramiko.SSHException as error:
            self.refused = error

    def over(self) -> bool:
        """Whether they got in, once that is decided."""
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive(), "still waiting"
        return self.refused is None and self.transport.is_authenticated()

    def close(self) -> None:
        approvals = self._host.server.login_services.approvals
        for login in approvals.waiting():
            approvals.answer(login.number, by="the test", granted=False)
        self._thread.join(DEADLINE)
        hang_up(self.transport)


@contextmanager
def outside(host: Hosted, user: str = "bob") -> Iterator[Outside]:
    person = Outside(host, user)
    try:
        yield person
    finally:
        person.close()


# ------------------------------------------------------------------------------- the screen


def test_whoever_hangs_up_is_listed_no_longer(host: Hosted) -> None:
    with enter(host, "ada") as pilot, outside(host) as bob:
        pilot.wait_for("▌ bob")
        (login,) = host.server.login_services.approvals.waiting()
        bob.transport.close()
        pilot.wait_for("Nobody is waiting to be let in.")
        assert time.monotonic() < login.until, "they were listed until the time was over"


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
def test_one_inside_lets_one_outside_in(host: Hosted, size: tuple[int, int]) -> None:
    with enter(host, "ada", size) as pilot:
        pilot.wait_for("Nobody is waiting to be let in.")
        with outside(host, "bob+approvals") as bob:
            pilot.wait_for("▌ bob").wait_for("127.0.0.1")
            assert all(len(line) <= size[0] for line in pilot.screen.lines)
            if size[0] > 60:
                assert "Approvals" in next(line for line in pilot.screen.lines if "bob" in line)
            pilot.press("y").wait_for("Let bob in?").wait_for("They come from 127.0.0.1.")
            pilot.press("escape").wait_gone("Let bob in?").press("enter").wait_for("Let bob in?")
            pilot.press("l").wait_for("has been let in").wait_for("Nobody is waiting to be let in.")
            assert bob.over()
        pilot.press("q")
        assert pilot.wait_end() == 0
    noted = host.log.wait_for("app.log")
    assert (noted["user"], noted["text"], noted["who"]) == ("ada", "let in", "bob")
    assert not host.log.named("app.error")


def test_one_inside_refuses(host: Hosted) -> None:
    with outside(host) as bob, enter(host, "grace") as pilot:
        pilot.wait_for("1 waiting").press("n").wait_for("bob from 127.0.0.1 has been refused.")
        pilot.wait_for("Nobody is waiting")
        assert not bob.over()


def test_a_key_that_is_held_down_refuses_one(host: Hosted) -> None:
    approvals = host.server.login_services.approvals
    with outside(host) as bob, outside(host, "eve"), enter(host, "grace") as pilot:
        pilot.wait_for("2 waiting").press("n").wait_for("has been refused.").wait_for("1 waiting")
        pilot.press("n", "n", "?").wait_for("Everywhere")
        assert len(approvals.waiting()) == 1
        pilot.press("escape").wait_gone("Everywhere").press("n").wait_for("Nobody is waiting")
        assert not bob.over()


def test_no_answer_in_time_is_a_no(host: Hosted) -> None:
    step: Any = host.server.login_services.steps["approve"]
    step.seconds = 0.5
    with enter(host, "ada") as pilot:
        pilot.wait_for("Nobody is waiting")
        with outside(host) as bob:
            assert not bob.over()
        pilot.wait_for("Nobody is waiting")


def test_who_is_gone_before_the_answer_is_not_let_in(host: Hosted) -> None:
    approvals = host.server.login_services.approvals
    with outside(host) as bob, enter(host, "ada") as pilot:
        pilot.wait_for("▌ bob").press("y").wait_for("Let bob in?")
        (waiting,) = approvals.waiting()
        assert approvals.answer(waiting.number, by="grace", granted=False)
        pilot.press("l").wait_for("Nobody with that number is waiting any more.")
        assert not bob.over()


def test_two_inside_see_the_same_people(host: Hosted) -> None:
    with enter(host, "ada") as ada, enter(host, "grace") as grace:
        ada.wait_for("Nobody is waiting")
        grace.wait_for("Nobody is waiting")
        with outside(host) as bob:
            ada.wait_for("▌ bob")
            grace.wait_for("▌ bob").press("n")
            ada.wait_for("Nobody is waiting")
            assert not bob.over()
        assert (ada.press("q").wait_end(), grace.press("q").wait_end()) == (0, 0)
    assert host.server.login_services.approvals._listeners == [], "nobody is told any more"


def test_nobody_lets_themselves_in(host: Hosted) -> None:
    with outside(host, "eve") as first, enter(host, "ada") as pilot:
        pilot.wait_for("▌ eve").press("y").wait_for("Let eve in?").press("l").wait_for(
            "has been let in"
        )
        assert first.over()
        channel = first.transport.open_session(timeout=DEADLINE)
        channel.get_pty("xterm-256color", 80, 24)
        channel.exec_command("approvals")
        with Pilot(channel, lambda: hang_up(first.transport), 80, 24) as eve:
            eve.wait_for("Nobody is waiting")
            with outside(host, "eve") as second:
                for key in ("y", "n"):
                    eve.wait_for("▌ eve (you)").press(key).wait_for("in your own name")
                assert "Let eve in?" not in eve.text
                pilot.wait_for("▌ eve").press("n")
                assert not second.over()


def test_the_screen_is_left_also_while_somebody_comes_or_goes(host: Hosted) -> None:
    module = type(host.host.catalog.apps["approvals"].app).__module__
    live = importlib.import_module(f"{module}.screen").ApprovalsScreen._live

    def task(changed: asyncio.Event) -> Any:
        return live(
            SimpleNamespace(
                approvals=SimpleNamespace(
                    subscribe=lambda told: lambda: None, waiting=lambda: ["bob"]
                ),
                table=SimpleNamespace(items=()),
                _application=SimpleNamespace(invalidate=lambda: None),
                _changed=changed,
            )
        )

    assert ends_although_it_changes(task)


# ------------------------------------------------------------------------------- whose it is


def test_without_the_role_there_is_no_such_app(host: Hosted) -> None:
    with enter(host, "tom", app="menu") as pilot:
        pilot.wait_for("tom")
        assert "Approvals" not in pilot.text
    assert run(host, "approvals list", "tom").status != 0
    with enter(host, "ada", app="menu") as pilot:
        pilot.wait_for("Approvals")


def test_the_host_itself_looks_at_the_role(host: Hosted) -> None:
    def approvals(**about: Any) -> Any:
        return host.host.approvals(Visitor("ada", **{"guest": False, **about}))

    assert host.host.catalog.apps["approvals"].app.accepts.roles == APPROVERS
    assert approvals(roles=frozenset({"editor"})) is None
    assert approvals(guest=True, roles=APPROVERS) is None
    assert host.host.approvals(Account("ada", guest=False, roles=APPROVERS)) is None, "made up"
    view = approvals(roles=APPROVERS)
    assert view.waiting() == ()
    with pytest.raises(NotPossible, match="Nobody with that number is waiting"):
        view.answer(1, True)
    host.server.login_services.store.update("ada", roles=frozenset())
    with pytest.raises(NotPossible, match="any more"), outside(host):
        view.answer(view.waiting()[0].number, True)


# ------------------------------------------------------------------------------- lines, commands


def test_line_by_line(host: Hosted) -> None:
    with enter(host, "ada", (120, 24), term="dumb") as pilot:
        pilot.wait_for("Nobody is waiting to be let in.").wait_for("approvals>")
        with outside(host) as bob:
            number = host.server.login_services.approvals.waiting()[0].number
            pilot.type("list\r").wait_for(f"{number}: bob from 127.0.0.1, wants Menu")
            pilot.type("open\r").wait_for("Please type one of these")
            pilot.type("refuse 99\r").wait_for("Nobody with that number is waiting.")
            pilot.type(f"allow {number}\r").wait_for("Let bob from 127.0.0.1 in?")
            pilot.type("no\r").wait_for("You have not answered yet.")
            pilot.type(f"allow {number}\r").type("yes\r")
            pilot.wait_for("bob from 127.0.0.1 has been let in.")
            assert bob.over()
        pilot.type("exit\r")
        assert pilot.wait_end() == 0


def test_a_number_of_thousands_of_digits_is_nobodys(host: Hosted) -> None:
    module = type(host.host.catalog.apps["approvals"].app).__module__
    typed, said = iter([f"allow {'9' * 4400}", ""]), list[str]()

    async def ask(_: str) -> str:
        return next(typed)

    async def say(text: str) -> None:
        said.append(text)

    talk = SimpleNamespace(ask=ask, say=say, host=host.host)
    nobody = SimpleNamespace(waiting=lambda: ())
    lines = importlib.import_module(f"{module}.lines")
    assert asyncio.run(lines.converse(talk, nobody)) == 0
    assert said[-1] == "Nobody with that number is waiting."


def test_a_store_that_fails_lets_nobody_in(host: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise StoreError("the disk is gone")

    with outside(host) as bob, enter(host, "ada") as pilot:
        pilot.wait_for("▌ bob")
        with monkeypatch.context() as patch:
            patch.setattr(host.server.login_services.store, "get", broken)
            pilot.press("y").wait_for("Let bob in?").press("l").wait_for("cannot be reached")
        assert host.log.wait_for("store.error")["reason"] == "the disk is gone"
        pilot.press("n").wait_for("has been refused")
        assert not bob.over()


def test_commands(host: Hosted) -> None:
    assert run(host, "approvals list").text == "Nobody is waiting to be let in.\n"
    assert json.loads(run(host, "approvals list --json").text) == []
    with outside(host, "bob+approvals") as bob:
        (one,) = json.loads(run(host, "approvals list --json").text)
        assert (one["user"], one["address"], one["app"]) == ("bob", "127.0.0.1", "approvals")
        assert 0 < one["seconds_left"] <= 20
        since = datetime.fromisoformat(one["since"])
        assert abs(since.timestamp() - time.time()) < 30
        assert "bob" in run(host, "approvals list").text
        done = run(host, f"approvals allow {one['number']}")
        assert (done.status, done.text) == (0, "bob from 127.0.0.1 has been let in.\n")
        assert bob.over()
    with outside(host) as bob:
        number = host.server.login_services.approvals.waiting()[0].number
        assert (
            run(host, f"approvals refuse {number}").text == "bob from 127.0.0.1 has been refused.\n"
        )
        assert not bob.over()
    gone = run(host, f"approvals allow {number}")
    assert (gone.status, gone.errors) == (1, "Nobody with that number is waiting.\n")
    assert run(host, "approvals allow x").status == 2


def test_an_answer_needs_the_right_of_its_command() -> None:
    given = {
        "login.chains": ["password"],
        "roles": {"user": {"commands": []}, "approver": {"commands": ["approvals list"]}},
    }
    with hosted(bundled=["menu", "approvals"], settings=given) as host:
        login_services = host.server.login_services
        hashed = login_services.passwords.hash(PASSWORD)
        for name, chains in (("ada", ()), ("bob", APPROVED)):
            roles = frozenset({"approver"} if name == "ada" else ())
            login_services.store.create(
                AccountRecord(name, password_hash=hashed, roles=roles, chains=chains)
            )
        with outside(host), enter(host, "ada") as pilot:
            pilot.wait_for("▌ bob")
            assert "let in" not in pilot.text
            pilot.press("y", "n", "enter")
            (login,) = login_services.approvals.waiting()
            with enter(host, "ada", term="dumb") as lines:
                for word in ("refuse", "allow"):
                    lines.wait_for("approvals>").type(f"{word} {login.number}\r")
                    lines.wait_for(f"You may not run approvals {word}.")
            assert login_services.approvals.waiting() == (login,)
