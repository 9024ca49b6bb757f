"""Waiting in the middle of a coroutine that cannot say `await`.

`session.read` and `session.print` are plain calls, so that an author's helper serves commands and
talks alike. In a talk they are called from within the event loop of their own thread, and have to
wait there: the loop turns below them until what they wait for has come, so keys, timers and other
tasks go on.
"""

from __future__ import annotations

import asyncio
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Coroutine
from typing import Any, TypeVar, cast

_T = TypeVar("_T")


def wait_here(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Runs `coroutine` to its end and returns what it returns. Called on the thread of a running
    loop; one that never waits costs no turn of it.

    Raises `CancelledError` if the task that waits here is cancelled, or the loop is stopped.
    """
    try:
        future = coroutine.send(None)
        while True:
            if _turned_until(future):
                future = coroutine.send(None)
            else:
                future = coroutine.throw(asyncio.CancelledError())
    except StopIteration as end:
        return cast(_T, end.value)
    finally:
        coroutine.close()


def _turned_until(future: asyncio.Future[Any] | None) -> bool:
    """Turns the loop until `future` is done (once, where a coroutine only made way for others);
    False if it is to be given up."""
    loop: Any = asyncio.get_running_loop()
    if future is None:
        future = loop.create_future()
        loop.call_soon(future.set_result, None)
    assert future is not None
    future._asyncio_future_blocking = False  # nobody but us waits for it
    task = asyncio.current_task(loop)
    if task is None:
        return _turn(loop, future, None)
    _leave_task(loop, task)
    try:
        return _turn(loop, future, task)
    finally:
        _enter_task(loop, task)


def _turn(loop: Any, future: asyncio.Future[Any], task: asyncio.Task[Any] | None) -> bool:
    cancelled = task.cancelling() if task is not None else 0
    while not future.done():
        if loop._stopping or (task is not None and task.cancelling() > cancelled):
            return False
        loop._run_once()
    return True
