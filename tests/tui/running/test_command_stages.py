"""A command at a terminal that reads keys: its questions take no key beyond their line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tuihost.errors import Disconnected, NoTerminal
from tuihost.terminal_facts import TerminalFacts
from tuihost.theme.theme import load_theme
from tuihost.tui.running.command_stages import CommandStage, Signalled
from tuihost.tui.terminal.line_discipline import MAX_TYPED, TOO_LONG
from tuihost.wire import Exit, Stream

THEME = load_theme(Path(__file__).parents[3] / "themes" / "harbor-night.toml")


class Wire:
    """A channel of bytes that have come, and of those that were sent."""

    number = 0
    congested = False

    def __init__(self, typed: bytes, *, at_end: bool = False) -> None:
        self.typed = bytearray(typed)
        self.at_end = at_end
        self.closed = False
        self.sent = bytearray()
        self.wake: Callable[[], None] | None = None

    def set_wake(self, wake: Callable[[], None] | None) -> None:
        self.wake = wake

    def nudge(self) -> None:
        if self.wake is not None:
            self.wake()

    def read(self, limit: int = 65536) -> bytes | None:
        data = bytes(self.typed[:limit])
        del self.typed[:limit]
        return data or (b"" if self.at_end or self.closed else None)

    def write(self, data: bytes | memoryview, stream: Stream = Stream.OUT) -> int:
        self.sent += data
        return len(data)

    def wait(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        assert ready(), "a test waits for nothing"
        return True

    def send_eof(self) -> None: ...

    def finish(self, end: Exit) -> None: ...

    def close(self) -> None:
        self.closed = True
        self.nudge()


RAW = TerminalFacts(cooked=False)


def stage(wire: Wire, facts: TerminalFacts = RAW) -> CommandStage:
    return CommandStage(wire, facts, THEME)


def test_a_question_takes_a_line_and_leaves_the_keys_behind_it() -> None:
    wire = Wire(b"Ada\rxyz")
    raw = stage(wire)
    assert asyncio.run(raw.ask("Name? ", hidden=False, default="")) == "Ada"
    with ThreadPoolExecutor(1) as pool:  # one that reads gives up its turn to others, for good
        assert pool.submit(raw.read, 10).result() == b"xyz"
    assert wire.sent == b"Name? Ada\r\n"


def test_a_secret_is_not_shown() -> None:
    wire = Wire(b"abc\x7fd\r")
    assert asyncio.run(stage(wire).ask("Word? ", hidden=True, default="")) == "abd"
    assert wire.sent == b"Word? \r\n"


def test_what_is_shown_again_after_a_secret() -> None:
    """Nor is one that was typed before the question."""
    wire = Wire(b"abc\r")
    cooked = stage(wire, TerminalFacts())

    async def both() -> tuple[str, str]:
        first = await cooked.ask("Word? ", hidden=True, default="")
        wire.typed += b"def\r"
        return first, await cooked.ask("Name? ", hidden=False, default="")

    assert asyncio.run(both()) == ("abc", "def")
    assert b"abc" not in wire.sent
    assert b"def\r\n" in wire.sent


@pytest.mark.parametrize("facts", [RAW, TerminalFacts()])
def test_a_question_waits_and_others_go_on(facts: TerminalFacts) -> None:
    wire = Wire(b"")
    here = stage(wire, facts)

    async def types() -> None:
        for key in b"yes\r":
            await asyncio.sleep(0)
            wire.typed.append(key)
            wire.nudge()

    async def both() -> str:
        answer, _ = await asyncio.gather(here.ask("? ", hidden=False, default=""), types())
        return answer

    assert asyncio.run(both()) == "yes"
    assert wire.wake is None, "nobody is woken any more"


@pytest.mark.parametrize("facts", [RAW, TerminalFacts()])
def test_how_a_question_can_end_otherwise(facts: TerminalFacts) -> None:
    def ask(wire: Wire, *, gone: bool = False) -> str:
        here = stage(wire, facts)

        async def asks() -> str:
            if gone:
                asyncio.get_running_loop().call_soon(wire.close)
            return await here.ask("? ", hidden=False, default="none")

        return asyncio.run(asks())

    assert ask(Wire(b"\r")) == "none"
    with pytest.raises(Disconnected, match="end of input"):
        ask(Wire(b"\x04"))
    with pytest.raises(Disconnected, match="end of input"):
        ask(Wire(b"", at_end=True))
    with pytest.raises(Disconnected, match="the client is gone"):
        ask(Wire(b""), gone=True)
    with pytest.raises(Signalled):
        ask(Wire(b"ab\x03"))


def test_without_a_terminal_there_is_one_sentence() -> None:
    with pytest.raises(NoTerminal) as caught:
        asyncio.run(
            stage(Wire(b"yes\n"), TerminalFacts(pty=False)).ask("Sure? ", hidden=False, default="")
        )
    assert str(caught.value) == "cannot ask 'Sure?' without a terminal; ssh -t gives one"


def test_a_line_that_is_too_long_is_refused_with_a_sentence_as_the_input_ends() -> None:
    wire = Wire(b"x" * (MAX_TYPED + 1), at_end=True)
    stage = CommandStage(wire, TerminalFacts(pty=True, cooked=True), THEME)
    assert stage.read(10) == b""
    assert wire.sent.endswith(f"\r\n{TOO_LONG}\r\n".encode())
