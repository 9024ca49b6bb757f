"""The Terminal: bytes in and out, slow lines, other channels, taps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.waiting import DEADLINE
from tuihost.terminal_facts import TerminalFacts
from tuihost.tui.terminal.terminal import PENDING_LIMIT, Terminal
from tuihost.wire import Exit, Stream, WindowSize


class Line:
    """A channel whose window the test opens and shuts."""

    number = 0

    def __init__(self, window: int = 1 << 20) -> None:
        self.window = window
        self.sent = b""
        self.typed = b""
        self.at_end = False
        self.closed = False
        self.wake: Callable[[], None] | None = None

    @property
    def congested(self) -> bool:
        return self.window == 0

    def set_wake(self, wake: Callable[[], None] | None) -> None:
        self.wake = wake

    def fire(self) -> None:
        if self.wake is not None:
            self.wake()

    def read(self, limit: int = 65536) -> bytes | None:
        data, self.typed = self.typed[:limit], self.typed[limit:]
        return data or (b"" if self.at_end else None)

    def write(self, data: bytes | memoryview, stream: Stream = Stream.OUT) -> int:
        taken = bytes(data[: self.window])
        self.sent += taken
        self.window -= len(taken)
        return len(taken)

    def wait(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        return ready()

    def nudge(self) -> None:
        self.fire()

    def finish(self, end: Exit) -> None:
        self.close()

    def close(self) -> None:
        self.closed = True
        self.fire()


def play(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs a scene that must not last."""
    asyncio.run(asyncio.wait_for(scene(), DEADLINE))


def bound(line: Line | None, **more: Any) -> Terminal:
    terminal = Terminal(line, TerminalFacts())
    terminal.bind(asyncio.get_running_loop(), **more)
    return terminal


async def turn() -> None:
    """Lets everything that is due happen."""
    for _ in range(3):
        await asyncio.sleep(0)


def test_what_is_typed_wakes_the_reader_and_the_end_is_seen() -> None:
    async def scene() -> None:
        line = Line()
        terminal, read = bound(line), []
        terminal.set_reader(lambda: read.append(terminal.read()))
        await turn()
        line.typed = b"hi"
        line.fire()
        await turn()
        line.at_end = True
        line.fire()
        await turn()
        assert [data for data in read if data is not None] == [b"hi", b""]
        assert terminal.closed

    play(scene)


def test_what_a_shut_window_does_not_take_waits_and_a_frame_is_told_when_it_has_left() -> None:
    async def scene() -> None:
        line = Line(window=3)
        terminal, drained = bound(line), []
        terminal.write(b"abcdef")
        assert line.sent == b"abc"
        assert terminal.congested
        terminal.on_drain(lambda: drained.append(line.sent))
        line.window = 2
        line.fire()
        await turn()
        assert (line.sent, drained) == (b"abcde", [])
        line.window = 10
        line.fire()
        await turn()
        assert drained == [b"abcdef"]
        assert not terminal.congested

    play(scene)


def test_a_program_that_writes_past_the_renderer_cannot_fill_the_memory() -> None:
    async def scene() -> None:
        line = Line(window=0)
        terminal = bound(line)
        for _ in range(PENDING_LIMIT // 1000 + 10):
            terminal.write(b"x" * 1000)
        assert line.closed

    play(scene)


def test_resizes_are_a_slot_and_only_the_newest_counts() -> None:
    async def scene() -> None:
        sizes: list[WindowSize] = []
        terminal = bound(Line(), resized=lambda: sizes.append(terminal.facts.size))
        await turn()
        for columns in range(20, 120):
            terminal.resize(WindowSize(columns, 30))
        await turn()
        assert sizes == [WindowSize(119, 30)]

    play(scene)


def test_a_program_runs_on_unseen_and_goes_on_at_another_channel() -> None:
    async def scene() -> None:
        first, second = Line(), Line()
        terminal, repaints = bound(first), []
        terminal.attached_anew = lambda: repaints.append(terminal.facts.term)
        await turn()
        assert terminal.detach() is first
        first.at_end = True
        first.fire()
        terminal.write(b"unseen")
        assert terminal.congested, "nothing is drawn while nobody looks"
        assert terminal.read() is None
        assert not terminal.closed
        terminal.attach(second, TerminalFacts(term="xterm-kitty"))
        await turn()
        assert repaints == ["xterm-kitty"]
        terminal.write(b"seen")
        second.typed = b"k"
        assert terminal.read() == b"k"
        assert (first.sent, second.sent) == (b"", b"seen")

    play(scene)


def test_frames_that_wait_while_detached_are_drawn_on_the_new_channel() -> None:
    async def scene() -> None:
        terminal, drained = bound(Line()), []
        terminal.detach()
        terminal.on_drain(lambda: drained.append(True))
        await turn()
        assert not drained
        terminal.attach(Line(), TerminalFacts())
        await turn()
        assert drained

    play(scene)


def test_taps_see_all_that_passes_until_they_are_taken_away() -> None:
    class Recorder:
        def __init__(self) -> None:
            self.seen: list[Any] = []

        output = input = resized = lambda self, what: self.seen.append(what)

    async def scene() -> None:
        line, recorder = Line(), Recorder()
        terminal = bound(line)
        remove = terminal.add_tap(recorder)
        await turn()
        terminal.write(b"out")
        line.typed = b"in"
        terminal.read()
        terminal.resize(WindowSize(90, 20))
        await turn()
        remove()
        terminal.write(b"unseen")
        assert recorder.seen == [b"out", b"in", WindowSize(90, 20)]

    play(scene)


def test_a_channel_that_closes_is_told_once() -> None:
    async def scene() -> None:
        line, ended = Line(), []
        bound(line, ended=lambda: ended.append(True))
        await turn()
        line.close()
        line.fire()
        await turn()
        assert ended == [True]

    play(scene)


def test_wakes_for_a_program_that_has_ended_cost_nothing() -> None:
    line = Line()
    terminal = Terminal(line, TerminalFacts())

    async def scene() -> None:
        terminal.bind(asyncio.get_running_loop())

    asyncio.run(scene())
    line.fire()  # its loop is closed

    async def again() -> None:
        terminal.bind(asyncio.get_running_loop())
        line.typed = b"later"
        read: list[bytes | None] = []
        terminal.set_reader(lambda: read.append(terminal.read()))
        await turn()
        assert b"later" in read

    play(again)


@pytest.mark.parametrize(
    ("asked", "before", "given"),
    [
        ((0, 0), None, (80, 24)),
        ((0, 0), (100, 30), (100, 30)),
        ((4_294_967_295, 4_294_967_295), None, (500, 100)),
        ((1, 1), None, (1, 1)),
        ((500, 24), None, (500, 24)),
        ((0, 50), (100, 30), (100, 50)),
    ],
)
def test_every_size_is_one_that_can_be_drawn(
    asked: tuple[int, int], before: tuple[int, int] | None, given: tuple[int, int]
) -> None:
    previous = WindowSize(*before) if before else None
    assert WindowSize.clamped(*asked, previous) == WindowSize(*given)
