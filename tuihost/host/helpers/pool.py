"""The helper processes of a host: a few, started when they are first needed, and used again.

Each has a thread of its own here, which hands it one job after the other. Both end after a rest.
"""

from __future__ import annotations

import builtins
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import msgspec

from tuihost.core.budget.ledger import BOUNDS, FREE, Exceeded, Kind, Lease, Share
from tuihost.errors import HelperFailed, TookTooLong, TookTooMuch
from tuihost.host.helpers._helper import Helper
from tuihost.host.helpers._main import TOO_MUCH, Answer, Job
from tuihost.logs import Event, EventLog

WAITING_EACH = 16
"""Calls of one person that wait for a helper; more are refused."""
WAITING = 64
"""Calls of everybody together that wait."""
ADVANCE = 1.0
"""Seconds of processor time that a call costs as soon as it is made; the rest is charged later."""
MAX_JOB = 128 << 20
"""Bytes of the arguments."""
PATIENCE = 4.0
"""A helper that is not let onto a processor may take so many times its seconds by the clock."""
REST = 5.0
"""Seconds without work, after which a helper ends."""

_PRIVATE = "_tuihost_"
"""Modules with such names are apps and other plugins that the host loaded from a folder."""


@dataclass(eq=False, slots=True)
class _Call:
    person: str
    share: Share
    function: Callable[..., Any]
    args: tuple[Any, ...]
    seconds: float
    memory: int
    log: EventLog
    lease: Lease = FREE
    future: Future[Any] = field(default_factory=Future)
    helper: Helper | None = None


class HelperPool:
    """Runs functions in helper processes. Threads: any."""

    def __init__(self, helpers: int = BOUNDS[Kind.HELPERS].host) -> None:
        self._most = helpers
        self._changed = threading.Condition(threading.Lock())
        self._waiting: list[_Call] = []
        self._busy: list[_Call] = []
        self._threads: set[threading.Thread] = set()
        self._resting = 0
        self._closed = False

    def submit(
        self,
        person: str,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        *,
        seconds: float,
        memory: int,
        log: EventLog,
        share: Share = FREE,
    ) -> Future[Any]:
        """`function(*args)` in a helper, on behalf of `person`, who takes it from `share`.
        Cancelling the future ends the work; `log` is told of work that went over its limits.

        The future raises `TookTooLong` after so many `seconds` of CPU time, `TookTooMuch` beyond
        `memory` bytes or for a call too many, what the function itself raises if that is one of
        Python's own exceptions, else `HelperFailed`. Raises TypeError for a function that cannot
        go.
        """
        _check(function)
        call = _Call(person, share, function, args, seconds, memory, log)
        with self._changed:
            self._queue(call)
            self._changed.notify_all()
        call.future.add_done_callback(lambda future: self._done(call))
        return call.future

    def _queue(self, call: _Call) -> None:
        """Lets the call wait for a helper, or raises why it cannot. With the lock."""
        if self._closed:
            raise HelperFailed("the host is closing")
        waiting = sum(other.person == call.person for other in self._waiting)
        if waiting >= WAITING_EACH or len(self._waiting) >= WAITING:
            raise TookTooMuch("that is too much at one time")
        exceeded = call.share.spend(Kind.HELPER_SECONDS, ADVANCE)
        if exceeded is not None:
            raise TookTooMuch(exceeded.sentence)
        self._waiting.append(call)
        try:
            if len(self._waiting) > self._resting and len(self._threads) < self._most:
                self._start_thread()
        except RuntimeError:  # no thread to be had: it waits for one that exists
            if not self._threads:
                self._waiting.remove(call)
                call.share.charge(Kind.HELPER_SECONDS, -ADVANCE)
                raise HelperFailed("no helper can be started") from None

    def close(self) -> None:
        """Ends all helpers. Calls that wait get `HelperFailed`."""
        with self._changed:
            self._closed = True
            waiting, self._waiting = self._waiting, []
            threads = tuple(self._threads)
            for call in self._busy:
                if call.helper is not None:
                    call.helper.stop()
            self._changed.notify_all()
        for call in waiting:
            _settle(call, HelperFailed("the host is closing"))
        for thread in threads:
            thread.join()

    @property
    def helpers(self) -> int:
        """How many helpers there are now, at most."""
        with self._changed:
            return len(self._threads)

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._work, name="helper", daemon=True)
        self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError:
            self._threads.discard(thread)
            raise

    def _done(self, call: _Call) -> None:
        """Somebody cancelled the call, or it has ended by itself."""
        if not call.future.cancelled():
            return
        with self._changed:
            if call in self._waiting:
                self._waiting.remove(call)
                call.share.charge(Kind.HELPER_SECONDS, -ADVANCE)
            elif call.helper is not None:
                call.helper.stop()

    # ---------------------------------------------------------------- the thread of a helper

    def _work(self) -> None:
        helper: Helper | None = None
        try:
            while (call := self._next()) is not None:
                try:
                    helper = self._helper_for(call, helper)
                    outcome = _outcome(call, helper)
                except OSError as error:
                    outcome = HelperFailed(f"no helper can be started: {error}")
                finally:
                    helper = self._end(call, helper)
                if isinstance(outcome, TookTooLong | TookTooMuch):
                    call.log.warning(
                        Event.HELPER_LIMIT, function=call.function.__name__, reason=str(outcome)
                    )
                _settle(call, outcome)
        finally:
            if helper is not None:
                helper.close()
            with self._changed:
                self._threads.discard(threading.current_thread())

    def _next(self) -> _Call | None:
        """The next call of somebody who may have another helper; None after a rest."""
        found: list[_Call] = []

        def look() -> bool:
            found.extend(self._eligible())
            return bool(found) or self._closed

        with self._changed:
            self._resting += 1
            try:
                self._changed.wait_for(look, REST)
                if found:
                    return found[0]
                self._threads.discard(threading.current_thread())
                return None
            finally:
                self._resting -= 1

    def _eligible(self) -> Iterator[_Call]:
        """The first call for which its person may have a helper, with the lease of it."""
        for call in () if self._closed else tuple(self._waiting):
            if call.share.room(Kind.HELPERS) is not None:
                continue  # which is not a refusal: it waits
            lease = call.share.take(Kind.HELPERS)
            if not isinstance(lease, Exceeded):
                call.lease = lease
                self._waiting.remove(call)
                self._busy.append(call)
                yield call
                return

    def _helper_for(self, call: _Call, helper: Helper | None) -> Helper:
        """This thread's helper if it can do the work, else a new one in its place."""
        wanted = _readable(call.function.__module__.partition(".")[0])
        if helper is not None and not (helper.usable and helper.readable >= wanted):
            wanted |= helper.readable
            helper.close()
            helper = None
        helper = helper or Helper(sorted(wanted))
        with self._changed:
            call.helper = helper
            if self._closed or call.future.cancelled():
                helper.stop()
        return helper

    def _end(self, call: _Call, helper: Helper | None) -> Helper | None:
        """Charges what the helper has taken for the call; the helper, if it can be used again."""
        if helper is not None and not helper.usable:
            helper.close()
        taken = helper.taken() if helper is not None else 0.0
        call.share.charge(Kind.HELPER_SECONDS, taken - ADVANCE)
        with self._changed:
            call.helper = None
            call.lease.give_back()
            self._busy.remove(call)
            self._changed.notify_all()
        return helper if helper is not None and helper.usable else None


@dataclass(frozen=True, slots=True)
class PersonHelpers:
    """Implements `session.Helpers`: the pool, for one person and one app."""

    pool: HelperPool
    person: str
    log: EventLog
    share: Share = FREE

    def submit(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        *,
        seconds: float,
        memory: int,
    ) -> Future[Any]:
        return self.pool.submit(
            self.person,
            function,
            args,
            seconds=seconds,
            memory=memory,
            log=self.log,
            share=self.share,
        )


def _outcome(call: _Call, helper: Helper) -> Any:
    """What the function returns or raises, also as a value."""
    clock = call.seconds * PATIENCE + 1.0
    held = call.share.take(Kind.MEMORY, 0)
    assert not isinstance(held, Exceeded), "nothing is taken yet"

    def grow(size: int) -> None:
        exceeded = held.grow(size)
        if exceeded is not None:
            raise TookTooMuch(exceeded.sentence)

    try:
        job = msgspec.msgpack.encode(_job(call, clock))
        if len(job) > MAX_JOB:
            return TookTooMuch("that is too much to work on here")
        grow(len(job))
        helper.give(job, clock=clock)
        grow(-len(job))
        del job
        answer = helper.answer(seconds=call.seconds, memory=call.memory, room=grow)
    except RecursionError:
        return TookTooMuch("that is nested too deeply")
    except Exception as error:  # noqa: BLE001 - raised again where the result is awaited
        return error
    finally:
        held.give_back()
    return _value(answer)


def _settle(call: _Call, outcome: Any) -> None:
    with suppress(InvalidStateError):  # it was cancelled meanwhile
        if isinstance(outcome, Exception):
            call.future.set_exception(outcome)
        else:
            call.future.set_result(outcome)


def _check(function: Callable[..., Any]) -> None:
    """Raises TypeError unless a helper can find the function by its name."""
    module = getattr(function, "__module__", None) or ""
    name = getattr(function, "__qualname__", "")
    if module == "__main__" or getattr(sys.modules.get(module), name, None) is not function:
        raise TypeError(f"{function!r} is not a function at the top of a module")


def _job(call: _Call, clock: float) -> Job:
    module, name = call.function.__module__, call.function.__qualname__
    file, folder = _place(sys.modules[module.partition(".")[0]])
    return Job(
        module, name, file, folder, list(call.args), call.seconds, clock, call.memory, call.memory
    )


def _place(module: ModuleType) -> tuple[str, str]:
    """The file of a module, and its folder if it is a package; empty if it has none."""
    file = getattr(module, "__file__", None) or ""
    folder = next(iter(getattr(module, "__path__", ())), "")
    return file and os.path.abspath(file), folder and os.path.abspath(folder)


def _readable(top: str) -> set[str]:
    """The files and folders of the module `top` and of all apps that the host has loaded."""
    modules = [
        module
        for name, module in list(sys.modules.items())
        if name == top or (name.startswith(_PRIVATE) and "." not in name)
    ]
    return {folder or file for file, folder in map(_place, modules)} - {""}


def _value(answer: Answer) -> Any:
    if not answer.error:
        return answer.value
    if answer.error == TOO_MUCH:
        return TookTooMuch(answer.text)
    kind = getattr(builtins, answer.error, None)
    if isinstance(kind, type) and issubclass(kind, Exception) and kind is not StopIteration:
        with suppress(TypeError):  # one that wants more than a text
            return kind(answer.text)
    return HelperFailed(f"{answer.error}: {answer.text}")
