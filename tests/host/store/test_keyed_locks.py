"""Tries that come to several workers: they share one store, and one bound."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from time import time

import pytest

from tests.waiting import DEADLINE
from tuihost.accounts import AccountRecord
from tuihost.core.login.lockout import Lockout, LockoutLimits, Try
from tuihost.host.login.passwords import Passwords
from tuihost.host.login.services import open_accounts
from tuihost.host.store import _keyed_locks
from tuihost.host.store._keyed_locks import KeyedLocks
from tuihost.settings.loading import load

RIGHT = "correct horse battery"

WORKER = """
import logging, sys
from tuihost.host.login.verifier import AccountVerifier
from tuihost.host.login.services import LoginServices
from tuihost.logs import EventLog
from tuihost.settings.loading import load
from tuihost.wire import Peer
SETTINGS = {"server.state_dir": sys.argv[1], "login.chains": ["password"]}
log = EventLog(logging.Logger("worker", logging.CRITICAL))
services = LoginServices(load(None, {}, SETTINGS), {}, log)
print("ready", flush=True)
sys.stdin.readline()
verifier = AccountVerifier(services, Peer("192.0.2.1", 1), log)
verifier.chains("ada", None)
for password in sys.argv[2:]:
    print("in" if verifier.password("ada", password) else "out", flush=True)
verifier.close()
services.close()
"""


def at_once(folder: Path, tries: Sequence[Sequence[str]]) -> list[list[str]]:
    """What becomes of these tries, each list of them by a process of its own, all at once."""
    with ExitStack() as stack:
        workers = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", WORKER, str(folder), *passwords],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for passwords in tries
        ]
        for worker in workers:
            stack.callback(worker.kill)
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("\n")
            worker.stdin.flush()
        said = [worker.communicate(timeout=DEADLINE)[0].split() for worker in workers]
        assert [worker.returncode for worker in workers] == [0] * len(workers)
    return said


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A folder with an account, `ada`."""
    settings = load(None, {}, {"server.state_dir": str(tmp_path)})
    store, passwords = open_accounts(settings), Passwords(1)
    store.create(AccountRecord("ada", password_hash=passwords.hash(RIGHT)))
    passwords.close()
    store.close()
    return tmp_path


def failures(folder: Path, count: int) -> None:
    store = open_accounts(load(None, {}, {"server.state_dir": str(folder)}))
    lockout = Lockout(store, LockoutLimits())
    for _ in range(count):
        lockout.begin(Try("ada", "192.0.2.1", time()))
    store.close()


def test_two_workers_have_one_bound(house: Path) -> None:
    wrong = [f"wrong {number}" for number in range(5)]
    assert at_once(house, [wrong, wrong]) == [["out"] * 5] * 2
    assert at_once(house, [[RIGHT]]) == [["out"]], "ten have failed: it is locked"


def test_right_ones_at_many_workers_lock_nobody_out(house: Path) -> None:
    failures(house, 9)
    assert at_once(house, [[RIGHT]] * 4) == [["in"]] * 4


def test_a_turn_is_had_by_one_at_a_time(tmp_path: Path) -> None:
    ours, theirs = KeyedLocks(tmp_path / "locks"), KeyedLocks(tmp_path / "locks")
    order: list[str] = []
    came = threading.Event()

    def other() -> None:
        came.set()
        with ours.of("ada"):
            order.append("second")

    thread = threading.Thread(target=other)
    with ours.of("ada"):
        thread.start()
        assert came.wait(DEADLINE)
        order.append("first")
    thread.join(DEADLINE)
    assert order == ["first", "second"]
    ours.close()
    theirs.close()


def test_who_waits_too_long_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_keyed_locks, "PATIENCE", 0.05)
    one = KeyedLocks(tmp_path / "locks")
    with one.of("ada"), one.of("ada"):
        pass
    one.close()


def test_without_its_file_a_turn_is_this_process_alone(tmp_path: Path) -> None:
    one = KeyedLocks(tmp_path / "nowhere" / "locks")
    with one.of("ada"):
        assert any(lock.locked() for lock in one._locks)
    one.close()
