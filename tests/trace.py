"""Which files of the package run for something, in the order in which they are entered.

As a plugin of pytest (`-p tests.trace`) it writes a line for each test to the file that
`TUIHOST_TRACE` names: the test, and the files that it enters, with tabs between them.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = f"{ROOT / 'tuihost'}/"
TEST_KIT = f"{PACKAGE}testing/"


class Trace:
    """The files that are entered while it is `on`, by any thread that began under it."""

    def __init__(self, *, test_kit: bool = False) -> None:
        self._test_kit = test_kit
        self.on = False
        self.entered: list[str] = []

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if self.on and event == "call":
            code = frame.f_code
            name = code.co_filename
            if (
                name.startswith(PACKAGE)
                and (self._test_kit or not name.startswith(TEST_KIT))
                and code.co_name != "<module>"
                and threading.current_thread().name != "watchdog"  # looks after all, now and then
            ):
                self.entered.append(name)

    @contextmanager
    def record(self) -> Iterator[None]:
        self.on = True
        try:
            yield
        finally:
            self.on = False

    def files(self) -> list[str]:
        """What was entered, without repeats in a row, as paths from the top of the checkout."""
        found: list[str] = []
        for name in tuple(self.entered):
            path = str(Path(name).relative_to(ROOT))
            if not found or found[-1] != path:
                found.append(path)
        return found


@contextmanager
def traced(*, test_kit: bool = False) -> Iterator[Trace]:
    """Everything that begins inside runs under the trace, the test kit if it is asked for."""
    trace = Trace(test_kit=test_kit)
    before = sys.getprofile()
    threading.setprofile(trace)
    sys.setprofile(trace)
    try:
        yield trace
    finally:
        sys.setprofile(before)
        threading.setprofile(None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    if "TUIHOST_TRACE" not in os.environ:
        return (yield)
    with traced(test_kit=True) as trace, trace.record():
        result = yield
    with Path(os.environ["TUIHOST_TRACE"]).open("a") as told:
        told.write("\t".join([item.nodeid, *sorted(set(trace.files()))]) + "\n")
    return result
