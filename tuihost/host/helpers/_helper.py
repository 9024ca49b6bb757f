"""One helper process, as the host sees it."""

from __future__ import annotations

import json
import os
import select
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic

import msgspec

from tuihost.errors import HelperFailed, TookTooLong, TookTooMuch
from tuihost.host.helpers._main import HEAD, Answer, too_much_memory

JOBS_EACH = 200
"""Jobs after which a helper is replaced, so that what leaks in one does not stay."""
START_PATIENCE = 30.0
"""Seconds for what comes before a job's own time: the start, and imports."""
ANSWER_ROOM = 4096

_BOOT = """\
import json, sys
path, readable = json.loads(sys.argv[1])
sys.path[:] = path
from tuihost.host.helpers._main import main
main(readable)
"""


class Helper:
    """Threads: one at a time, which also calls `close`; `stop` is for any."""

    def __init__(self, readable: Sequence[str]) -> None:
        """Starts the process, which may read those folders and files besides Python's own."""
        self.readable = frozenset(readable)
        self._jobs = 0
        self._stopped = False
        self._answered = True
        self._deadline = 0.0
        self._taken = self._told = 0.0
        self._ended = threading.Lock()
        path = [os.path.abspath(entry) for entry in sys.path]
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", _BOOT, json.dumps([path, list(readable)])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={"LANG": "C.UTF-8", "HOME": os.path.expanduser("~")},
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        os.set_blocking(self._in.fileno(), False)

    @property
    def usable(self) -> bool:
        """Whether it can be given another job. Not after one whose answer was not read to its end:
        the next would get that answer."""
        ready = self._answered and not self._stopped and self._jobs < JOBS_EACH
        return ready and not self._has_ended(os.WNOHANG)

    def give(self, job: bytes, *, clock: float) -> None:
        """Hands it a job, which may take so many seconds by the clock. Raises `TookTooLong`."""
        self._jobs += 1
        self._answered = False
        self._deadline = monotonic() + START_PATIENCE + clock
        with suppress(BrokenPipeError):  # why it ended is asked next
            self._write(struct.pack(">I", len(job)), self._deadline)
            self._write(job, self._deadline)

    def answer(self, *, seconds: float, memory: int, room: Callable[[int], None]) -> Answer:
        """The answer to that job, which may take so many `seconds` of processor time and bytes of
        `memory`, and for which `room` makes room. Raises `TookTooLong`, `TookTooMuch` or
        `HelperFailed`, and whatever `room` raises."""
        try:
            size, self._taken = HEAD.unpack(self._read(HEAD.size, self._deadline))
            if size > memory + ANSWER_ROOM:
                raise TookTooMuch("the result is too large")
            room(size)
            answer = self._read(size, self._deadline)
            self._answered = True
            return msgspec.msgpack.decode(answer, type=Answer)
        except EOFError:
            raise self._why_ended(seconds, memory) from None
        except RecursionError:
            raise TookTooMuch("that is nested too deeply") from None
        except msgspec.DecodeError as error:
            raise HelperFailed(f"a helper process answered nonsense: {error}") from None

    def _write(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        while rest:
            _wait(self._in.fileno(), select.POLLOUT, deadline)
            rest = rest[self._in.write(rest) or 0 :]

    def _read(self, size: int, deadline: float) -> bytearray:
        data, done = bytearray(size), 0
        view = memoryview(data)
        while done < size:
            _wait(self._out.fileno(), select.POLLIN, deadline)
            count = os.readv(self._out.fileno(), [view[done : done + (1 << 20)]])
            if not count:
                raise EOFError
            done += count
        return data

    def _why_ended(self, seconds: float, memory: int) -> Exception:
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)  # its pipes are shut
        self._has_ended()
        status = self._process.returncode
        if self._stopped:
            return HelperFailed("the work is no longer wanted")
        match -status:
            case signal.SIGPROF | signal.SIGALRM:
                return _too_long(seconds)
            case signal.SIGKILL | signal.SIGSEGV | signal.SIGABRT | signal.SIGBUS:
                return TookTooMuch(too_much_memory(memory))
            case _:
                return HelperFailed(f"a helper process ended with {status}")

    def taken(self) -> float:
        """Seconds of processor time since this was last asked, its start among them. A helper that
        has not answered knows them once it is closed."""
        before, self._told = self._told, self._taken
        return self._taken - before

    def stop(self) -> None:
        """Ends the process, and with it what `give` and `answer` wait for. Any thread."""
        self._stopped = True
        with self._ended:
            if self._process.returncode is None:
                os.kill(self._process.pid, signal.SIGKILL)

    def _has_ended(self, options: int = 0) -> bool:
        """Whether the process has ended, which is waited for without `WNOHANG`; with its end comes
        what it has taken. `Popen` does not say that, so it is not asked."""
        with self._ended:
            if self._process.returncode is None:
                pid, status, usage = os.wait4(self._process.pid, options)
                if pid:
                    self._process.returncode = os.waitstatus_to_exitcode(status)
                    self._taken = usage.ru_utime + usage.ru_stime
            return self._process.returncode is not None

    def close(self) -> None:
        """Ends the process, and gives its descriptors back."""
        self.stop()
        self._has_ended()
        self._in.close()
        self._out.close()


def _too_long(seconds: float) -> TookTooLong:
    return TookTooLong(f"that takes too long here: more than {seconds:g} s of work")


def _wait(number: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(number, event)
    left = deadline - monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise TookTooLong("that takes too long here")
