"""asyncio: a task can stand aside while its loop turns on below it."""

from __future__ import annotations

import asyncio
from asyncio.tasks import _enter_task, _leave_task
from typing import Any

import pytest


def test_a_task_that_stands_aside_lets_others_run_and_comes_back() -> None:
    told: list[str] = []

    async def other() -> None:
        told.append("other")

    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        waiting = loop.create_task(other())
        _leave_task(loop, task)
        try:
            assert asyncio.current_task() is None
            loop._run_once()
        finally:
            _enter_task(loop, task)
        assert asyncio.current_task() is task
        assert waiting.done()
        told.append("main")

    asyncio.run(main())
    assert told == ["other", "main"]


def test_a_loop_says_that_it_is_to_stop() -> None:
    async def main() -> tuple[bool, bool]:
        loop: Any = asyncio.get_running_loop()
        before = loop._stopping
        loop.stop()
        return before, loop._stopping

    loop = asyncio.new_event_loop()
    try:
        assert loop.run_until_complete(main()) == (False, True)
    finally:
        loop.close()


def test_a_coroutine_can_be_driven_by_hand() -> None:
    """It gives the future that it waits for, and takes what that came to by itself."""

    async def main() -> str:
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def waits() -> str:
            return await future

        coroutine = waits()
        given = coroutine.send(None)
        assert given is future
        given._asyncio_future_blocking = False
        future.set_result("it came")
        with pytest.raises(StopIteration) as end:
            coroutine.send(None)
        return str(end.value.value)

    assert asyncio.run(main()) == "it came"
