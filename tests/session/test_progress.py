"""How far a command has come: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tuihost.session.progress import Progress, WrittenLine
from tuihost.terminal_facts import TerminalFacts
from tuihost.wire import WindowSize


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


PTY = TerminalFacts(size=WindowSize(40, 24))
PLAIN = replace(PTY, pty=False)


def shown(facts: TerminalFacts, total: float | None, steps: int, seconds: float) -> str:
    clock, out = Clock(), bytearray()
    with Progress(
        "Copying", total, lambda: facts, WrittenLine(lambda: facts, out.extend), clock
    ) as bar:
        for _ in range(steps):
            clock.now += seconds
            bar.advance()
    return out.decode()


def test_elsewhere_ten_lines_at_most() -> None:
    lines = shown(PLAIN, 1000, 1000, 0.001).splitlines()
    assert lines[0] == "Copying   0%"
    assert lines[-1] == "Copying 100%"
    assert len(lines) == 11
    assert len(set(lines)) == 11


def test_elsewhere_what_is_slow_says_so_now_and_then() -> None:
    lines = shown(PLAIN, 10_000, 100, 1.0).splitlines()
    assert len(lines) == 11
    assert lines[-1] == "Copying   1%"
    assert shown(PLAIN, None, 25, 1.0).splitlines()[-1] == "Copying 25, 25 s"


def test_on_a_terminal_one_line_is_drawn_again() -> None:
    out = shown(PTY, 100, 100, 0.0501)
    assert out.count("\n") == 1
    assert out.endswith("\r\n")
    frames = out.rstrip().split("\r")[1:]
    assert 50 <= len(frames) <= 53, "ten a second"
    assert frames[0].startswith("Copying   0% ──")
    assert frames[-1].startswith("Copying 100% ━━")
    assert all(len(frame.removesuffix("\x1b[K")) < 40 for frame in frames)


def test_plain_signs_and_no_room() -> None:
    assert "#" in shown(replace(PTY, unicode=False), 2, 2, 1.0)
    narrow = shown(replace(PTY, size=WindowSize(15, 5)), 2, 2, 1.0)
    assert "━" not in narrow
    assert "Copying 100%" in narrow


@pytest.mark.parametrize("total", [0, -1, None])
def test_a_total_that_nobody_knows(total: float | None) -> None:
    assert "%" not in shown(PLAIN, total, 3, 1.0)


def test_a_mistake_leaves_the_line_where_it_was() -> None:
    out = bytearray()
    bar = Progress("X", 2, lambda: PTY, WrittenLine(lambda: PTY, out.extend))
    with pytest.raises(ValueError, match="no"), bar:
        raise ValueError("no")
    assert out.endswith(b"\r\n")


def test_a_label_cannot_draw() -> None:
    out = bytearray()
    with Progress("\x1b[2J\r\nX", None, lambda: PLAIN, WrittenLine(lambda: PLAIN, out.extend)):
        pass
    assert b"\x1b" not in out
