"""Waiting in the middle of a coroutine: the loop turns on, and gives up when it is to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tuihost.tui.running._waiting import wait_here
from tuihost.tui.running.loop import LightLoop

LOOPS: tuple[Callable[[], asyncio.AbstractEventLoop], ...] = (LightLoop, asyncio.SelectorEventLoop)


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
    made: asyncio.AbstractEventLoop = request.param()
    yield made
    made.close()


async def nap(seconds: float = 0.01) -> str:
    await asyncio.sleep(seconds)
    return "rested"


def test_others_go_on_while_one_waits(loop: asyncio.AbstractEventLoop) -> None:
    told: list[str] = []

    async def other() -> None:
        for number in range(3):
            await asyncio.sleep(0)
            told.append(f"other {number}")

    async def main() -> asyncio.Task[object] | None:
        task = asyncio.create_task(other())
        told.append(wait_here(nap()))
        await task
        return asyncio.current_task()

    task = loop.create_task(main())
    assert loop.run_until_complete(task) is task
    assert told == ["other 0", "other 1", "other 2", "rested"]


def test_what_need_not_wait_takes_no_turn(loop: asyncio.AbstractEventLoop) -> None:
    told: list[str] = []

    async def at_once() -> int:
        return 7

    async def main() -> int:
        asyncio.get_running_loop().call_soon(told.append, "a turn")
        found = wait_here(at_once())
        assert told == []
        return found

    assert loop.run_until_complete(main()) == 7


def test_what_is_raised_comes_out(loop: asyncio.AbstractEventLoop) -> None:
    async def fails() -> None:
        await asyncio.sleep(0)
        raise LookupError("nothing there")

    async def main() -> None:
        with pytest.raises(LookupError, match="nothing there"):
            wait_here(fails())

    loop.run_until_complete(main())


def test_one_waits_inside_another(loop: asyncio.AbstractEventLoop) -> None:
    async def inner() -> str:
        return wait_here(nap(0.001)) + " twice"

    async def main() -> str:
        return wait_here(inner())

    assert loop.run_until_complete(main()) == "rested twice"


def test_a_callback_of_the_loop_can_wait(loop: asyncio.AbstractEventLoop) -> None:
    told: list[str] = []

    async def main() -> None:
        asyncio.get_running_loop().call_soon(lambda: told.append(wait_here(nap())))
        await asyncio.sleep(0.1)

    loop.run_until_complete(main())
    assert told == ["rested"]


def test_a_task_that_is_cancelled_waits_no_more(loop: asyncio.AbstractEventLoop) -> None:
    told: list[str] = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            told.append("tidied up")

    async def main() -> None:
        wait_here(forever())
        told.append("never said")

    async def cancelled() -> None:
        task = asyncio.create_task(main())
        asyncio.get_running_loop().call_later(0.01, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    loop.run_until_complete(cancelled())
    assert told == ["tidied up"]


def test_a_timeout_ends_it(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> None:
        async with asyncio.timeout(0.01):
            wait_here(nap(60))

    with pytest.raises(TimeoutError):
        loop.run_until_complete(main())


def test_a_loop_that_is_stopped_waits_no_more(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_later(0.01, loop.stop)
        with pytest.raises(asyncio.CancelledError):
            wait_here(nap(60))

    loop.run_until_complete(main())
