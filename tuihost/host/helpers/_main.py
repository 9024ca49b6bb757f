"""What a helper process does: one job after the other, until its input ends.

A job and its answer are MessagePack. Before a job is its length; before an answer are its length
and the seconds of processor time that the process has taken so far. The process is nice, and writes
no file. CPU time and memory are limited for each job; one that goes over its time is ended by
SIGPROF or SIGALRM, which nobody catches, so that it also ends where Python cannot be interrupted.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from typing import Any, BinaryIO

import msgspec

from tuihost.host.helpers import landlock
from tuihost.phrases import size_of

NICE = 10
READABLE = ("/etc/localtime", "/dev/urandom")


class Job(msgspec.Struct, frozen=True):
    """One call of the function `name` in `module`.

    `file` and `folder` say where the top module of `module` is, in case no import finds it: its
    file, and its folder if it is a package. `seconds` is CPU time, `clock` seconds by the clock;
    `memory` and `output` are bytes, `output` for the answer.
    """

    module: str
    name: str
    file: str
    folder: str
    args: list[Any]
    seconds: float
    clock: float
    memory: int
    output: int


class Answer(msgspec.Struct, frozen=True):
    """What came of a job: `value`, or the name of an exception and what it says."""

    value: Any = None
    error: str = ""
    text: str = ""


TOO_MUCH = "TookTooMuch"
HEAD = struct.Struct(">Id")


def too_much_memory(allowed: int) -> str:
    """What is said of work that needs more than those bytes."""
    return f"that needs too much memory here: no more than {size_of(allowed)} are allowed"


def main(readable: Sequence[str]) -> None:
    """The process, which may read the folders and files `readable`. Its standard input and output
    are the pipes to the host."""
    jobs, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(null, number)
    os.close(null)
    own_size = os.open("/proc/self/statm", os.O_RDONLY)
    _settle(readable)
    decode = msgspec.msgpack.Decoder(Job).decode
    try:
        while True:
            (size,) = struct.unpack(">I", _read_exactly(jobs, 4))
            data = _worked(decode(_read_exactly(jobs, size)), own_size)
            answers.write(HEAD.pack(len(data), _processor_time()) + data)
            answers.flush()
    except (EOFError, BrokenPipeError):
        os._exit(0)  # the host is gone, and nothing here is worth keeping


def _read_exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _processor_time() -> float:
    """Seconds that this process has worked, with the processes that it started."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    others = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def _settle(readable: Sequence[str]) -> None:
    """Gives up what a helper does not need."""
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if landlock.version():
        own = (sys.prefix, sys.base_prefix, *sys.path)
        landlock.confine(readable=(*own, *readable, *READABLE))


def _worked(job: Job, own_size: int) -> bytes:
    """The answer to a job, encoded."""
    try:
        function = _function_of(job)
        _limit(job, own_size)
        try:
            data = msgspec.msgpack.encode(Answer(function(*job.args)))
        finally:
            _lift_limits()
        if len(data) > job.output:
            return _failed(TOO_MUCH, "the result is too large")
        return data
    except MemoryError:
        return _failed(TOO_MUCH, too_much_memory(job.memory))
    except RecursionError:
        return _failed(TOO_MUCH, "that is nested too deeply")
    except Exception as error:  # noqa: BLE001 - the boundary of the process: the host is told
        return _failed(type(error).__name__, str(error)[:2000])


def _failed(error: str, text: str) -> bytes:
    return msgspec.msgpack.encode(Answer(error=error, text=text.encode(errors="replace").decode()))


def _function_of(job: Job) -> Callable[..., Any]:
    """The function of a job; its module is imported if that has not been done yet."""
    top = job.module.partition(".")[0]
    if top not in sys.modules and importlib.util.find_spec(top) is None:
        _import_top(top, job.file, job.folder)
    function: Callable[..., Any] = getattr(importlib.import_module(job.module), job.name)
    return function


def _import_top(name: str, file: str, folder: str) -> None:
    spec: ModuleSpec | None
    if file:
        inside = [folder] if folder else None
        spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=inside)
    else:
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [folder]
    assert spec is not None, "the host has loaded it"
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    if spec.loader is None:
        return
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


def _limit(job: Job, own_size: int) -> None:
    """From here on the job's time and memory are limited."""
    pages = int(os.pread(own_size, 100, 0).split()[0])
    limit = pages * resource.getpagesize() + job.memory
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    signal.setitimer(signal.ITIMER_PROF, job.seconds)
    signal.setitimer(signal.ITIMER_REAL, job.clock)


def _lift_limits() -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
