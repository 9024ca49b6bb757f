"""A task of a screen that is cancelled in the moment in which what it waits for comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

A_FEW = 5  # turns of the loop, in which all that is due happens


def ends_although_it_changes(task_of: Callable[[asyncio.Event], Coroutine[Any, Any, Any]]) -> bool:
    """Whether the task of `task_of(changed)` ends if it is cancelled just as `changed` is set.
    asyncio.wait_for of Python 3.11 loses a cancellation that comes together with the result."""

    async def ended() -> bool:
        changed = asyncio.Event()
        task = asyncio.create_task(task_of(changed))
        for _ in range(A_FEW):
            await asyncio.sleep(0)
        changed.set()
        task.cancel()
        for _ in range(A_FEW):
            await asyncio.sleep(0)
        return task.cancelled()

    return asyncio.run(ended())
