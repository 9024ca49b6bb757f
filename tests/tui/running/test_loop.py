"""The loop without descriptors, and the threads that all loops share."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from tests.process_state import descriptors
from tests.waiting import DEADLINE, until
from tuihost.tui.running.loop import (
    LightLoop,
    SharedExecutor,
    close_loop,
    new_loop,
    run,
    shared_executor,
)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = new_loop("light")
    yield loop
    close_loop(loop)


def within(future: Any) -> Any:
    return asyncio.wait_for(future, DEADLINE)


def test_it_runs_tasks_timers_and_groups(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> list[str]:
        said: list[str] = []
        asyncio.get_running_loop().call_later(0.002, said.append, "later")
        asyncio.get_running_loop().call_soon(said.append, "soon")
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0.005))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.001)
        return said

    assert loop.run_until_complete(main()) == ["soon", "later"]


def test_it_holds_no_descriptor() -> None:
    before = descriptors()
    loops = [new_loop("light") for _ in range(20)]
    assert not descriptors() - before
    for loop in loops:
        loop.close()


def test_another_thread_wakes_it_however_often(loop: asyncio.AbstractEventLoop) -> None:
    heard: list[int] = []
    done = asyncio.Event()

    def hear(number: int) -> None:
        heard.append(number)
        if len(heard) == 2000:
            done.set()

    def call() -> None:
        for number in range(1000):
            loop.call_soon_threadsafe(hear, number)

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    loop.run_until_complete(within(done.wait()))
    for thread in threads:
        thread.join(DEADLINE)
    assert sorted(heard) == sorted([*range(1000), *range(1000)])


def test_a_wake_before_it_sleeps_is_not_lost(loop: asyncio.AbstractEventLoop) -> None:
    light = loop
    assert isinstance(light, LightLoop)
    light._selector.wake()
    light._selector.wake()
    assert light._selector.select(None) == []
    assert light._selector.select(0) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda loop: loop.add_reader(0, print),
        lambda loop: loop.remove_writer(0),
        lambda loop: loop.add_signal_handler(2, print),
        lambda loop: loop.run_until_complete(asyncio.open_connection("127.0.0.1", 9)),
        lambda loop: loop.run_until_complete(asyncio.create_subprocess_exec("true")),
        lambda loop: loop.run_until_complete(asyncio.start_server(print, "127.0.0.1", 0)),
    ],
)
def test_what_needs_a_descriptor_says_what_to_do(
    loop: asyncio.AbstractEventLoop, call: Any
) -> None:
    with pytest.raises(NotImplementedError, match='loop = "selector"'):
        call(loop)


def test_the_other_kind_has_descriptors() -> None:
    loop = new_loop("selector")
    try:
        ours, theirs = os.pipe()
        got = loop.create_future()
        loop.add_reader(ours, lambda: got.set_result(os.read(ours, 9)))
        os.write(theirs, b"x")
        assert loop.run_until_complete(within(got)) == b"x"
        loop.remove_reader(ours)
        os.close(ours)
        os.close(theirs)
    finally:
        close_loop(loop)


def test_debug_mode_of_the_server_is_not_a_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    for kind in ("light", "selector"):
        loop = new_loop(kind)  # type: ignore[arg-type]
        assert not loop.get_debug()
        loop.close()


def test_blocking_work_runs_on_the_shared_threads_and_survives_a_loop() -> None:
    async def main() -> tuple[str, str]:
        loop = asyncio.get_running_loop()
        name = await asyncio.to_thread(lambda: threading.current_thread().name)
        await loop.shutdown_default_executor()
        return name, str(await loop.run_in_executor(shared_executor(), lambda: "still there"))

    assert run(main()) == ("tuihost-shared", "still there")
    assert run(main())[1] == "still there"


def test_run_does_not_wait_for_a_blocked_thread() -> None:
    free = threading.Event()

    async def main() -> str:
        asyncio.get_running_loop().run_in_executor(None, free.wait, DEADLINE)
        return "left"

    try:
        assert run(main()) == "left"
    finally:
        free.set()


def test_run_cancels_what_is_left_and_gives_up_on_what_stays() -> None:
    ended: list[str] = []

    async def good() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("good")

    async def main() -> asyncio.Task[None]:
        task = asyncio.create_task(good())
        await asyncio.sleep(0)
        return task

    assert run(main()).cancelled()
    assert ended == ["good"]

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if len(ended) > 1:
                    raise
                ended.append("stubborn")

    loop = new_loop()
    task = loop.create_task(stubborn())
    loop.run_until_complete(asyncio.sleep(0))
    assert not close_loop(loop, 0.01)
    assert loop.is_closed()
    assert close_loop(loop)
    assert not task.done()


# ------------------------------------------------------------------------------- the executor


@pytest.mark.parametrize("turns", range(8))
def test_an_end_that_is_cut_off_leaves_nothing_that_python_warns_of(turns: int) -> None:
    """An exception raised in the thread, as in one that nothing else has stopped, may come at any
    turn of the loop."""
    loop = new_loop("light")

    def end(left: int) -> None:
        if left:
            loop.call_soon(end, left - 1)
        else:
            raise SystemExit

    async def leaves() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            end(turns + 1)

    async def main() -> asyncio.Task[None]:
        task = asyncio.create_task(leaves())
        await asyncio.sleep(0)
        return task

    task = loop.run_until_complete(main())
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with contextlib.suppress(SystemExit):  # the last turns come after the end
            close_loop(loop)
        gc.collect()
    assert task.cancelled()
    assert not said, [str(warning.message) for warning in said]
    assert loop.is_closed()


def test_threads_are_bounded_daemons_and_end_when_idle() -> None:
    executor = SharedExecutor(threads=2, idle=0.01)
    gate, names = threading.Event(), threading.Barrier(2)

    def work() -> bool:
        names.wait(DEADLINE)
        gate.wait(DEADLINE)
        return threading.current_thread().daemon

    jobs = [executor.submit(work) for _ in range(2)]
    later = executor.submit(lambda: "later")
    assert executor.threads == 2
    gate.set()
    assert [job.result(DEADLINE) for job in jobs] == [True, True]
    assert later.result(DEADLINE) == "later"
    until(lambda: executor.threads == 0, "the idle threads to end")
    assert executor.submit(lambda: 1).result(DEADLINE) == 1


def test_too_much_work_is_refused_and_mistakes_go_to_who_asked() -> None:
    executor = SharedExecutor(threads=1, waiting=1, idle=0.01)
    gate = threading.Event()
    first: Future[bool] = executor.submit(gate.wait, DEADLINE)
    second = executor.submit(divmod, 1, 0)
    with pytest.raises(RuntimeError, match="too much work"):
        executor.submit(print)
    gate.set()
    assert first.result(DEADLINE)
    with pytest.raises(ZeroDivisionError):
        second.result(DEADLINE)


def test_cancelled_work_is_not_done() -> None:
    executor = SharedExecutor(threads=1, idle=0.01)
    gate, done = threading.Event(), []
    first = executor.submit(gate.wait, DEADLINE)
    second = executor.submit(done.append, 1)
    assert second.cancel()
    gate.set()
    first.result(DEADLINE)
    assert executor.submit(lambda: done).result(DEADLINE) == []


def test_a_stuck_job_does_not_keep_the_process() -> None:
    import subprocess

    code = (
        "import threading\n"
        "from tuihost.tui.running.loop import shared_executor\n"
        "started = threading.Event()\n"
        "shared_executor().submit(lambda: (started.set(), threading.Event().wait()))\n"
        "assert started.wait(60)\n"
    )
    subprocess.run([sys.executable, "-c", code], timeout=DEADLINE, check=True)
