"""An event loop for one session that needs no descriptor, and the threads that all loops share.

A session reads nothing from descriptors: its bytes come through a channel that wakes it. So its
loop waits on a lock instead of in `epoll`. That saves three descriptors a session and
two thirds of the system calls a key, each of which is a chance to lose the interpreter lock.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Literal, NoReturn, ParamSpec, TypeVar
from weakref import WeakValueDictionary

from tuihost.session.turns import Waiting, own_turn

_P = ParamSpec("_P")
_T = TypeVar("_T")

LoopKind = Literal["light", "selector"]


class _LockSelector:
    """Where the loop waits for events. The only event is a wake from another thread."""

    def __init__(self) -> None:
        self._asleep = threading.Lock()
        self._asleep.acquire()

    def select(self, timeout: float | None) -> list[Any]:
        """Waits for a wake, at most `timeout` seconds."""
        woken = self._asleep.acquire(blocking=False)
        if woken or (timeout is not None and timeout <= 0):
            own_turn().pass_on()
        else:
            with Waiting():
                self._asleep.acquire(timeout=-1 if timeout is None else timeout)
        return []

    def wake(self) -> None:
        """Ends the current wait, or the next one. Any thread."""
        with suppress(RuntimeError):  # it is awake already, or has been told
            self._asleep.release()


def _refusal(name: str) -> NotImplementedError:
    return NotImplementedError(
        f'{name} needs an event loop with descriptors: give the app `loop = "selector"`'
    )


class LightLoop(asyncio.BaseEventLoop):
    """An asyncio event loop with timers, tasks, threads and nothing to poll.

    Whatever needs a descriptor (`add_reader`, sockets, subprocesses, signals) raises
    `NotImplementedError` with a sentence that says what to do about it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._selector = _LockSelector()
        self.set_debug(False)  # PYTHONASYNCIODEBUG is for the server, not for a session

    def _process_events(self, event_list: list[Any]) -> None:
        """There never are any."""

    def _write_to_self(self) -> None:
        """Wakes the loop. On its own thread it is awake."""
        if threading.get_ident() != getattr(self, "_thread_id", None):
            self._selector.wake()

    def add_reader(self, *args: Any, **options: Any) -> NoReturn:  # type: ignore[override]  # any call
        raise _refusal("add_reader")

    def remove_reader(self, *args: Any, **options: Any) -> NoReturn:
        raise _refusal("remove_reader")

    def add_writer(self, *args: Any, **options: Any) -> NoReturn:  # type: ignore[override]  # any call
        raise _refusal("add_writer")

    def remove_writer(self, *args: Any, **options: Any) -> NoReturn:
        raise _refusal("remove_writer")

    def add_signal_handler(  # type: ignore[override]  # any call
        self, sig: int, *args: Any, **options: Any
    ) -> None:
        """Signals are the process's, not a session's. prompt_toolkit asks for SIGWINCH on the
        main thread: it is heard and ignored, since a session's terminal tells its size itself."""
        if sig != signal.SIGWINCH:
            raise _refusal("add_signal_handler")

    def remove_signal_handler(self, sig: int) -> bool:
        return False

    async def create_connection(self, *args: Any, **options: Any) -> NoReturn:
        raise _refusal("create_connection")

    async def create_server(self, *args: Any, **options: Any) -> NoReturn:
        raise _refusal("create_server")

    async def create_unix_connection(self, *args: Any, **options: Any) -> NoReturn:
        raise _refusal("create_unix_connection")

    async def create_unix_server(self, *args: Any, **options: Any) -> NoReturn:
        raise _refusal("create_unix_server")

    async def create_datagram_endpoint(self, *args: Any, **options: Any) -> NoReturn:
        raise _refusal("create_datagram_endpoint")

    async def connect_accepted_socket(self, *args: Any, **options: Any) -> NoReturn:
        raise _refusal("connect_accepted_socket")

    async def connect_read_pipe(self, *args: Any, **options: Any) -> NoReturn:
        raise _refusal("connect_read_pipe")

    async def connect_write_pipe(self, *args: Any, **options: Any) -> NoReturn:
        raise _refusal("connect_write_pipe")

    async def subprocess_shell(self, *args: Any, **options: Any) -> NoReturn:
        raise _refusal("subprocess_shell")

    async def subprocess_exec(self, *args: Any, **options: Any) -> NoReturn:
        raise _refusal("subprocess_exec")

    async def sock_recv(self, *args: Any, **options: Any) -> NoReturn:
        raise _refusal("sock_recv")

    async def sock_sendall(self, *args: Any, **options: Any) -> NoReturn:
        raise _refusal("sock_sendall")

    async def sock_connect(self, *args: Any, **options: Any) -> NoReturn:
        raise _refusal("sock_connect")

    async def sock_accept(self, *args: Any, **options: Any) -> NoReturn:
        raise _refusal("sock_accept")


# ---------------------------------------------------------------------------- shared threads

_Job = tuple["Future[Any]", Callable[[], Any]]


class SharedExecutor(ThreadPoolExecutor):
    """Threads for blocking work, shared by every loop of the process and bounded for all of them.

    A loop shuts down its default executor when it closes; here that does nothing, for the others
    still need it. The threads are daemons and end after `idle` seconds without work: neither a
    stuck job nor a resting thread keeps the process from leaving.

    Threads: any.
    """

    def __init__(self, threads: int, *, waiting: int = 1024, idle: float = 10.0) -> None:
        # asyncio accepts nothing but a ThreadPoolExecutor. Its own threads, which the interpreter
        # joins at exit however long they block, are never started.
        super().__init__(max_workers=1)
        self._limit = threads
        self._waiting = waiting
        self._idle_seconds = idle
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._guard = threading.Lock()
        self._running = 0  # threads that exist
        self._pending = 0  # jobs that are queued or being done

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Runs `fn` on a thread. Raises RuntimeError if too much is waiting already."""
        future: Future[_T] = Future()
        with self._guard:
            if self._pending >= self._limit + self._waiting:
                raise RuntimeError("too much work is waiting for the host's threads")
            self._pending += 1
            starts = self._running < min(self._pending, self._limit)
            self._running += starts
            self._jobs.put((future, lambda: fn(*args, **kwargs)))
        if starts:
            try:
                threading.Thread(target=self._work, name="tuihost-shared", daemon=True).start()
            except RuntimeError:  # no more threads: the job waits for one that exists
                with self._guard:
                    self._running -= 1
                    if not self._running:
                        future.cancel()
                        raise
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Does nothing: no loop owns these threads."""

    @property
    def threads(self) -> int:
        """How many threads exist now."""
        return self._running

    def _work(self) -> None:
        while (job := self._next()) is not None:
            future, call = job
            try:
                if future.set_running_or_notify_cancel():
                    self._do(future, call)
            finally:
                with self._guard:
                    self._pending -= 1
                del job, future, call  # a resting thread keeps nothing alive

    def _next(self) -> _Job | None:
        while True:
            try:
                return self._jobs.get(timeout=self._idle_seconds)
            except Empty:
                with self._guard:
                    if self._jobs.empty():
                        self._running -= 1
                        return None

    @staticmethod
    def _do(future: Future[Any], call: Callable[[], Any]) -> None:
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - raised again where the future is awaited
            future.set_exception(error)
        else:
            future.set_result(result)


_shared: SharedExecutor | None = None
_shared_guard = threading.Lock()


def shared_executor() -> SharedExecutor:
    """The process's one executor, made when it is first asked for."""
    global _shared
    with _shared_guard:
        if _shared is None:
            _shared = SharedExecutor(threads=min(64, 16 + 4 * (os.cpu_count() or 1)))
        return _shared


class _TurnSelector(selectors.DefaultSelector):
    """The system's, which gives the thread's turn back while it waits."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            own_turn().pass_on()
            return super().select(timeout)
        with Waiting():
            return super().select(timeout)


class _DescriptorLoop(asyncio.SelectorEventLoop):
    """asyncio's own, which knows the programs that it started: none outlives it."""

    def __init__(self) -> None:
        super().__init__(_TurnSelector())
        self._programs: list[Any] = []

    async def _make_subprocess_transport(self, *arguments: Any, **more: Any) -> Any:
        made = super()._make_subprocess_transport  # type: ignore[misc]  # asyncio has it
        transport = await made(*arguments, **more)
        self._programs = [program for program in self._programs if program.get_returncode() is None]
        self._programs.append(transport)
        return transport

    async def end_programs(self, grace: float) -> None:
        """Kills what still runs, and waits at most so many seconds until it is gone."""
        running = [program for program in self._programs if program.get_returncode() is None]
        for program in running:
            with suppress(ProcessLookupError):
                program.kill()
        if running:
            ends = [asyncio.ensure_future(program._wait()) for program in running]
            await asyncio.wait(ends, timeout=grace)
        for program in self._programs:
            program.close()


# ------------------------------------------------------------------------------- making, ending

_made: WeakValueDictionary[int, asyncio.AbstractEventLoop] = WeakValueDictionary()
"""By the thread that made it and will run it."""


def new_loop(kind: LoopKind = "light") -> asyncio.AbstractEventLoop:
    """A fresh loop for the thread that will run it: `light`, or asyncio's own with descriptors.

    Its default executor is the shared one. Debug mode, and with it the watch for slow callbacks,
    is off. Close it with `close_loop`.
    """
    loop: asyncio.AbstractEventLoop
    match kind:
        case "light":
            loop = LightLoop()
        case "selector":
            loop = _DescriptorLoop()
            loop.set_debug(False)
    loop.set_default_executor(shared_executor())
    _made[threading.get_ident()] = loop
    return loop


def wake(thread: int) -> None:
    """Wakes the loop that was made last on that thread: what was raised there is seen only by a
    loop that is awake. Any thread."""
    loop = _made.get(thread)
    if loop is not None:
        with suppress(RuntimeError):  # it is closed
            loop.call_soon_threadsafe(lambda: None)


def close_loop(loop: asyncio.AbstractEventLoop, grace: float = 1.0) -> bool:
    """Cancels what still runs in `loop`, waits at most `grace` seconds for it, closes the loop.

    False if a task would not end; it never runs again. Thread: the loop's own, once it has
    stopped.
    """
    if loop.is_closed():
        return True
    clearing, cleared = _clear_up(loop, grace), False
    try:
        cleared = loop.run_until_complete(clearing)
    except TimeoutError:
        pass  # as said by the result
    finally:
        clearing.close()  # an exception that was raised in this thread may have come first
        # It asks through the tasks of all loops of the process.
        for task in () if cleared else asyncio.all_tasks(loop):
            # Its coroutine is dropped with the loop; asyncio would print a warning about that.
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio has it
        asyncio.set_event_loop(None)
        loop.close()
    return cleared


async def _clear_up(loop: asyncio.AbstractEventLoop, grace: float) -> bool:
    """Ends what runs in `loop`, but for this. False if a task would not end; raises `TimeoutError`
    if a generator would not."""
    pending = asyncio.all_tasks(loop) - {asyncio.current_task()}
    for task in pending:
        task.cancel()
    if pending:
        _, pending = await asyncio.wait(pending, timeout=grace)
    if isinstance(loop, _DescriptorLoop):
        await loop.end_programs(grace)
    async with asyncio.timeout(grace):
        await loop.shutdown_asyncgens()
    return not pending


def run(main: Coroutine[Any, Any, _T], *, kind: LoopKind = "light", grace: float = 1.0) -> _T:
    """Runs `main` in a fresh loop of its own on this thread, as `asyncio.run` does, but never
    waits for executor threads nor, beyond `grace` seconds, for tasks that will not end."""
    loop = new_loop(kind)
    try:
        return loop.run_until_complete(main)
    finally:
        close_loop(loop, grace)
