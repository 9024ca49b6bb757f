"""What every test gets: nothing is left behind, and missing programs are named."""

from __future__ import annotations

import functools
import gc
import logging
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import find
from hypothesis import settings as hypothesis_settings
from hypothesis.strategies import just

import tuihost.database
from tests.process_state import descriptors, threads
from tests.waiting import DEADLINE
from tuihost.host.login import passwords
from tuihost.host.plugins import _loading
from tuihost.host.server._memory import YOUNG
from tuihost.theme import theme

# For the processes that tests run in and start; in this one the plugin has read it already.
os.environ.setdefault("TUIHOST_TEST_DEADLINE", f"{DEADLINE:g}")

# Tests start many processes, and each would compile everything again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

MEMORY = Path("/dev/shm")
ROOM = 1 << 30
"""Bytes that have to be free in it; the tests use a small part of that."""


def _files_in_memory() -> None:
    """Keeps what tests write in memory, unless TMPDIR says where: nothing of it has to outlive
    them, and half the time of a small host is that of the disk. A container may have little room
    there, or not let programs be run."""
    try:
        about = os.statvfs(MEMORY)
    except FileNotFoundError:
        return
    room = about.f_bavail * about.f_frsize >= ROOM
    if room and not about.f_flag & os.ST_NOEXEC and os.access(MEMORY, os.W_OK):
        os.environ.setdefault("TMPDIR", str(MEMORY))
        tempfile.tempdir = None  # it is looked up again


_files_in_memory()

# The same examples every time; `make fuzz` takes new ones, and many.
hypothesis_settings.register_profile("same", derandomize=True, deadline=None)
hypothesis_settings.register_profile("fuzz", max_examples=5000, deadline=None)
hypothesis_settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every property test is one for `make fuzz` too."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("fuzz")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """All that is collected stays to the end: the garbage collector never looks at it. At what is
    made afterwards it looks about as often as in a host, where Python looks six times as often."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        # From Python 3.14 on, Hypothesis warns at its first example if nothing that the collector
        # sees holds its random numbers; what is frozen is not seen.
        find(just(True), bool)
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG, 10, 10)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Tests run in any order: what fails in one order only is run again by its seed."""
    seed = config.getoption("randomly_seed", None)
    if seed is not None and terminalreporter.stats.get("failed"):
        terminalreporter.write_line(f"In the same order again: --randomly-seed={seed}")


def _join(thread: threading.Thread, deadline: float) -> None:
    """Waits for its end, also where it is only about to begin."""
    while thread.ident is None and time.monotonic() < deadline:
        threading.Event().wait(0.001)
    if thread.ident is not None:
        thread.join(max(0.0, deadline - time.monotonic()))


REAL_COSTS = passwords.MEMORY_KIB, passwords.PASSES
"""Of the hash of a password."""


@pytest.fixture(autouse=True, scope="session")
def low_costs() -> Iterator[None]:
    """A password is hashed in less than a millisecond."""
    passwords.MEMORY_KIB, passwords.PASSES = 128, 1
    yield
    passwords.MEMORY_KIB, passwords.PASSES = REAL_COSTS


@pytest.fixture(autouse=True, scope="session")
def read_once() -> Iterator[None]:
    """The many hosts of the tests read once what packages announce, and what a theme is made of."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_loading, "entry_points", functools.cache(_loading.entry_points))
        patch.setattr(theme, "parse_theme", functools.cache(theme.parse_theme))
        yield


@pytest.fixture
def real_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes as long as for people, where a test is about that."""
    monkeypatch.setattr(passwords, "MEMORY_KIB", REAL_COSTS[0])
    monkeypatch.setattr(passwords, "PASSES", REAL_COSTS[1])


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """What a command of the test did to the host's log is undone."""
    log = logging.getLogger("tuihost")
    handlers, level, propagate = log.handlers[:], log.level, log.propagate
    yield
    for handler in set(log.handlers) - set(handlers):
        handler.close()
    log.handlers[:], log.propagate = handlers, propagate
    log.setLevel(level)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Threads and descriptors return to where they were.

    A database opens a few connections when they are first needed, and keeps them. Those of one that
    is open before the test belong to whoever made it, such as a host that a module shares.
    """
    shared = {
        f"{database.path.resolve()}{suffix}"
        for database in tuihost.database._databases
        if not database._closed
        for suffix in ("", "-wal", "-shm")
    }
    running, before = threads(), descriptors(shared)
    yield
    deadline = time.monotonic() + DEADLINE
    for thread in threads() - running:
        _join(thread, deadline)
        assert not thread.is_alive(), f"the thread {thread.name} is left behind"
    after = descriptors(shared)
    if len(after) > len(before):
        gc.collect()
        after = descriptors(shared)
    assert len(after) <= len(before), f"descriptors are left behind: {after - before}"


@pytest.fixture
def program() -> Callable[[str], str]:
    """The path of a real program; skips the test by name where it is missing, except in CI,
    where every one must be there."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            if os.environ.get("CI"):
                pytest.fail(f"{name} is not installed, and in CI it must be")
            pytest.skip(f"{name} is not installed")
        return path

    return find
