"""Work in helper processes: it comes back, or it ends within its limits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.host.helpers import work
from tests.house import ROOT
from tests.log import SILENT, kept_log
from tests.waiting import DEADLINE, until
from tuihost.core.budget.ledger import BOUNDS, FREE, Bounds, Free, Holder, Kind, Share
from tuihost.errors import HelperFailed, TookTooLong, TookTooMuch
from tuihost.host.budget.budget import Budget
from tuihost.host.helpers import landlock
from tuihost.host.helpers import pool as pool_module
from tuihost.host.helpers.pool import ADVANCE, WAITING_EACH, HelperPool
from tuihost.logs import Event

MIB = 1 << 20


class Pool(HelperPool):
    """One that waits for each answer."""

    log = SILENT

    def begin(
        self,
        function: Callable[..., Any],
        *args: Any,
        seconds: float = 5.0,
        memory: int = 64 * MIB,
        person: str = "ada",
        share: Share = FREE,
    ) -> Future[Any]:
        limits = {"seconds": seconds, "memory": memory}
        return self.submit(person, function, args, log=self.log, share=share, **limits)

    def run(self, function: Callable[..., Any], *args: Any, **limits: Any) -> Any:
        return self.begin(function, *args, **limits).result(DEADLINE)


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(2)
    yield pool
    pool.close()


def test_plain_values_go_and_come(pool: Pool) -> None:
    assert pool.run(work.double, 21) == 42
    values = [None, True, 7, 0.5, "ä", b"\x00\xff", [1, [2]], {"a": {"b": 1}}]
    assert pool.run(work.echo, *values) == values


def test_a_helper_is_used_again(pool: Pool) -> None:
    assert pool.run(work.pid) == pool.run(work.pid) != os.getpid()


def test_a_pattern_that_never_ends_is_ended(pool: Pool) -> None:
    begun = time.process_time()
    with pytest.raises(TookTooLong):
        pool.run(work.catastrophe, 40, seconds=0.3)
    assert time.process_time() - begun < 0.25, "it ran in this process"
    assert pool.run(work.double, 1) == 2, "the next one gets a fresh helper"


@pytest.mark.parametrize("function", [work.busy, work.catastrophe])
def test_what_takes_too_long_leaves_no_process(pool: Pool, function: object) -> None:
    args = (40,) if function is work.catastrophe else ()
    with pytest.raises(TookTooLong, match=r"more than 0\.2 s of work"):
        pool.run(function, *args, seconds=0.2)  # type: ignore[arg-type]
    pool.close()
    assert pool.helpers == 0
    assert not helper_processes()


def test_what_needs_too_much_memory_is_refused_and_the_helper_stays(pool: Pool) -> None:
    helper = pool.run(work.pid)
    with pytest.raises(TookTooMuch, match="no more than 67 MB are allowed"):
        pool.run(work.hold, 512 * MIB, memory=64 * MIB)
    assert pool.run(work.hold, 16 * MIB, memory=64 * MIB) == 16 * MIB
    assert pool.run(work.pid) == helper


def test_an_answer_that_is_too_large_is_refused(pool: Pool) -> None:
    assert len(pool.run(work.answer, 6 * MIB, memory=16 * MIB)) == 6 * MIB
    with pytest.raises(TookTooMuch, match="result is too large"):
        pool.run(work.repeat, 300_000, memory=MIB)


def test_what_nests_without_end_is_refused(pool: Pool) -> None:
    with pytest.raises(TookTooMuch, match="nested too deeply"):
        pool.run(work.nested, 0)


def test_errors_of_python_come_back_as_they_are(pool: Pool) -> None:
    with pytest.raises(ValueError, match="that is not a number"):
        pool.run(work.fail, "that is not a number")
    with pytest.raises(HelperFailed, match="Own: no"):
        pool.run(work.fail_in_its_own_way)


def test_a_helper_that_dies_costs_its_job_only(pool: Pool) -> None:
    with pytest.raises(HelperFailed, match="ended with 3"):
        pool.run(work.end)
    assert pool.run(work.double, 2) == 4


def test_one_that_waits_instead_of_working_is_ended_by_the_clock(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.run(work.pid)
    monkeypatch.setattr("tuihost.host.helpers.pool.PATIENCE", -0.5)
    with pytest.raises(TookTooLong):
        pool.run(work.sleep, 60.0, seconds=1.0)


def test_an_answer_that_comes_too_late_is_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool(1)
    try:
        with monkeypatch.context() as patched:
            patched.setattr("tuihost.host.helpers._helper.START_PATIENCE", -0.9)
            patched.setattr("tuihost.host.helpers.pool.PATIENCE", 0.0)
            with pytest.raises(TookTooLong):
                pool.run(work.sleep, 1.0)
        assert pool.run(work.echo, "what is bob's", person="bob") == ["what is bob's"]
    finally:
        pool.close()


def test_what_the_work_prints_goes_nowhere(pool: Pool) -> None:
    assert pool.run(work.shout) == "done"


def test_a_helper_writes_no_files(pool: Pool, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"."):
        pool.run(work.write, str(tmp_path / "file"))
    assert not (tmp_path / "file").exists() or not (tmp_path / "file").read_bytes()


def test_a_helper_has_no_descriptors_of_the_host(pool: Pool) -> None:
    with open(__file__, "rb") as file:
        os.set_inheritable(file.fileno(), True)
        held: list[str] = pool.run(work.descriptors)
        assert __file__ not in held
        # Its three, the two pipes, and its own size. A libffi from 3.5 on has itself open.
        assert len([of for of in held if "/libffi" not in of]) == 6, held


def test_only_functions_at_the_top_of_a_module_can_go(pool: Pool) -> None:
    for function in (lambda: None, Path("x").exists, threading.Lock().acquire):
        with pytest.raises(TypeError):
            pool.run(function)
    with pytest.raises(TypeError):
        pool.run(work.echo, object())


def test_calls_beyond_the_helpers_wait_for_their_turn(pool: Pool) -> None:
    calls = [pool.begin(work.pid) for _ in range(8)]
    assert len({call.result(DEADLINE) for call in calls}) <= 2


def share_of(budget: Budget, person: str, connection: int = 1) -> Share:
    return budget.share(Holder(connection, person, "192.0.2.1"), Pool.log)


def test_one_person_has_some_of_the_helpers_and_not_all() -> None:
    pool, budget = Pool(3), Budget()
    ada = [share_of(budget, "ada", number) for number in range(5)]
    slow = [pool.begin(work.sleep, 60.0, seconds=60.0, share=share) for share in ada]
    assert pool.run(work.double, 4, person="bob", share=share_of(budget, "bob")) == 8
    assert not any(call.done() for call in slow)
    assert budget.held(Kind.HELPERS) == BOUNDS[Kind.HELPERS].person
    pool.close()
    assert all(isinstance(call.exception(DEADLINE), HelperFailed) for call in slow)
    assert budget.held(Kind.HELPERS) == 0


def test_seconds_of_work_are_spent_and_come_back_by_the_minute(pool: Pool) -> None:
    now = [0.0]
    bounds = {**BOUNDS, Kind.HELPER_SECONDS: Bounds(60, 60, 90, 240, at_once=2.0)}
    share = share_of(Budget(bounds, now=lambda: now[0]), "ada")
    with pytest.raises(TookTooLong):
        pool.run(work.busy, seconds=2.0, share=share)
    with pytest.raises(TookTooMuch, match="no more than 60 seconds of processor time"):
        pool.run(work.double, 1, share=share)
    now[0] = 60.0
    for _ in range(20):
        assert pool.run(work.double, 1, share=share) == 2, "what is short costs little"
        now[0] += 1.0  # a busy machine makes what is short long


def test_work_costs_the_processor_time_that_it_takes_and_not_the_time_that_passes(
    pool: Pool,
) -> None:
    charged: list[float] = []

    class Counted(Free):
        def charge(self, kind: Kind, amount: float) -> None:
            charged.append(amount + ADVANCE)

    share = Counted()
    pool.run(work.double, 1, share=share)
    assert 0.01 < charged.pop() < 1.0, "its start"
    pool.run(work.sleep, 0.5, share=share)
    assert charged.pop() < 0.1
    with pytest.raises(TookTooLong):
        pool.run(work.busy, seconds=0.5, share=share)
    assert 0.4 < charged.pop() < 1.0
    call = pool.begin(work.busy, seconds=60.0, share=share)
    until(lambda: any(busy.helper for busy in pool._busy), "it to begin")
    call.cancel()
    until(lambda: bool(charged), "its end")
    assert charged.pop() < 10.0, "not all that it might have taken"


def test_more_calls_than_can_wait_are_refused(pool: Pool) -> None:
    slow = [pool.begin(work.sleep, 60.0, seconds=60.0) for _ in range(2)]
    until(lambda: not pool._waiting, "both to begin")
    slow += [pool.begin(work.sleep, 60.0, seconds=60.0) for _ in range(WAITING_EACH)]
    with pytest.raises(TookTooMuch, match="at one time"):
        pool.begin(work.pid)
    assert not any(call.done() for call in slow)


def test_a_call_that_nobody_wants_any_more_makes_room(pool: Pool) -> None:
    slow = [pool.begin(work.sleep, 60.0, seconds=60.0) for _ in range(3)]
    until(
        lambda: len(pool._waiting) == 1 and all(call.helper for call in pool._busy), "two to begin"
    )
    assert all(call.cancel() for call in slow)
    assert pool.run(work.double, 3) == 6
    assert not pool._waiting


def test_a_helper_that_rests_ends(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "REST", 0.05)
    pool.run(work.pid)
    until(lambda: pool.helpers == 0 and not helper_processes(), "its end")
    assert pool.run(work.double, 3) == 6, "and another one starts when it is needed"


def test_work_beyond_its_limits_is_in_the_log(pool: Pool) -> None:
    pool.log, records = kept_log()
    with pytest.raises(TookTooMuch):
        pool.run(work.hold, 512 * MIB)
    (told,) = records.named(Event.HELPER_LIMIT)
    assert told["function"] == "hold"
    assert "memory" in told["reason"]


@pytest.mark.skipif(not landlock.version(), reason="the kernel has no Landlock")
def test_a_helper_reads_python_s_folders_and_nothing_else(pool: Pool, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    assert "def double" in pool.run(work.read, work.__file__)
    for path in (str(secret), "/etc/passwd", "/proc/1/status"):
        with pytest.raises(OSError, match="Permission denied"):
            pool.run(work.read, path)


def test_a_helper_knows_where_home_is(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules ask for it when they are imported, and the list of users is not for helpers."""
    monkeypatch.setenv("HOME", "/a/home")
    assert pool.run(work.home) == "/a/home"


def test_a_helper_ends_with_a_host_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import logging, os, sys, signal\n"
        "from tests.host.helpers import work\n"
        "from tuihost.host.helpers.pool import HelperPool\n"
        "from tuihost.logs import EventLog\n"
        "pool, log = HelperPool(), EventLog(logging.getLogger('tuihost.test'))\n"
        "def begin(function, *args):\n"
        "    return pool.submit('ada', function, args, seconds=0.5, memory=1 << 26, log=log)\n"
        "first = begin(work.pid).result(60)\n"
        "begin(work.busy)\n"
        "while not (pool._busy and pool._busy[0].helper):\n"
        "    pass\n"
        "print(pool._busy[0].helper._process.pid, first, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE
    )
    assert said.returncode == -signal.SIGKILL, said.stderr
    helpers = {int(line) for line in said.stdout.split()}
    assert helpers
    until(lambda: not any(runs(pid) for pid in helpers), "their end")


def test_closing_ends_what_runs(pool: Pool) -> None:
    call = pool.begin(work.sleep, 60.0, seconds=60.0)
    until(lambda: pool._busy, "the work to begin")
    pool.close()
    assert isinstance(call.exception(DEADLINE), HelperFailed)
    with pytest.raises(HelperFailed, match="closing"):
        pool.run(work.pid)
    assert pool.helpers == 0


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # one whose parent has not looked


def helper_processes() -> list[int]:
    """The children of this process that are helpers."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"helpers._main" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found
