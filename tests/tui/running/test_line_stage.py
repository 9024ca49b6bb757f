"""A talk in lines: what was typed ahead, and to which question it belongs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.waiting import DEADLINE
from tuihost import App, Disconnected, Launch, Session
from tuihost.terminal_facts import TerminalFacts
from tuihost.testing import hosted
from tuihost.testing.hosted import hang_up
from tuihost.tui.running.line_stage import LineStage
from tuihost.tui.terminal.line_discipline import MAX_TYPED
from tuihost.tui.terminal.terminal import Terminal
from tuihost.wire import Stream


class Asks(App):
    """Asks for a name and a word."""

    name = "asks"

    async def talk(self, session: Session) -> int:
        name = await session.ask("Name? ")
        word = await session.ask("Word? ", hidden=True)
        town = await session.ask("Town? ")
        session.print(f"{name}, {len(word)} letters, {town}")
        return 0


class Goes(App):
    """Asks until there is no more, and goes on to the app that asks."""

    name = "goes"

    async def talk(self, session: Session) -> Launch | int:
        if session.memory.get("been"):
            return 0
        session.memory["been"] = True
        words: list[str] = []
        try:
            while True:
                words.append(await session.ask("More? "))
        except Disconnected:
            session.print(words)
        return Launch("asks")


def test_a_secret_that_is_pasted_with_the_rest_is_not_shown() -> None:
    with hosted(Asks()) as host, host.open("asks", term="dumb") as pilot:
        pilot.type("Ada\rs3cret\rRome\r").wait_for("Ada, 6 letters, Rome")
        assert pilot.wait_end() == 0
        assert pilot.received == b"Name? Ada\r\nWord? \r\nTown? Rome\r\nAda, 6 letters, Rome\r\n"


def test_a_line_that_is_too_long_is_said_and_asked_for_again() -> None:
    with hosted(Asks()) as host, host.open("asks", term="dumb") as pilot:
        pilot.wait_for("Name?").type("x" * (MAX_TYPED + 1) + "\r").wait_for("Nothing of that")
        pilot.type("Ada\rx\rRome\r").wait_for("Ada, 1 letters, Rome")
        assert pilot.wait_end() == 0


@pytest.mark.parametrize("end", [b"\nAda\nx\nRome\n", b""])
def test_a_script_ends_with_a_line_that_is_too_long(end: bytes) -> None:
    """Its next line would answer the wrong question."""
    with hosted(Asks()) as host:
        channel = host.connect().open_session()
        channel.invoke_shell()
        channel.sendall(b"x" * (MAX_TYPED + 1) + end)
        channel.shutdown_write()
        said = b"".join(iter(lambda: channel.recv_stderr(4096), b"")).decode()
        assert "Nothing of that line was taken" in said
        assert channel.recv_exit_status() == 1


def test_the_end_of_input_of_one_app_is_not_that_of_the_next() -> None:
    with hosted(Goes(), Asks()) as host, host.open("goes", term="dumb") as pilot:
        pilot.type("one\rtwo\r\x04Ada\rx\rRome\r").wait_for("Ada, 1 letters, Rome")
        assert pilot.wait_end() == 0
        assert "['one', 'two']" in pilot.text


@pytest.mark.parametrize(("term", "shown"), [("dumb", "caf?"), ("vt100", "caf")])
def test_a_terminal_that_shows_ascii_gets_ascii(term: str, shown: str) -> None:
    with hosted(Asks()) as host, host.open("asks", term=term, env={"LANG": "C"}) as pilot:
        pilot.wait_for("Name?").type("café\r").wait_for("Word?")
        assert all(byte < 0x80 for byte in pilot.received)
        assert shown in pilot.text


def test_what_a_slow_line_does_not_take_is_waited_for() -> None:
    class Floods(App):
        name = "floods"

        async def talk(self, session: Session) -> int:
            for number in range(3000):
                session.print(f"{number:6}", "x" * 500)
            session.error("that is all")
            return 0

    with hosted(Floods()) as host:
        client = host.connect("ada+floods")
        channel = client.open_session(timeout=DEADLINE)
        channel.settimeout(DEADLINE)
        channel.set_combine_stderr(True)
        channel.invoke_shell()
        lines = channel.makefile("rb").read().split(b"\n")
        assert channel.recv_exit_status() == 0
        hang_up(client)
    assert lines[2999].startswith(b"  2999 ")
    assert b"that is all" in lines


@pytest.mark.parametrize("term", ["dumb", None])
def test_a_talk_that_waits_costs_nothing(term: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[object] = []
    read = Terminal.read

    def counted(terminal: Terminal, limit: int = 65536) -> bytes | None:
        looks.append(limit)
        if len(looks) > 1000:
            raise AssertionError("it looks again without end")
        return read(terminal, limit)

    monkeypatch.setattr(Terminal, "read", counted)
    with hosted(Asks()) as host:
        here = host.lines(user="ada+asks") if term is None else host.open("asks", term=term)
        with here as pilot:
            pilot.wait_for("Name?")
            with pytest.raises(AssertionError):
                pilot.wait_for("because of an error", seconds=0.3)
            assert len(looks) < 10
            pilot.type("Ada\rx\rRome\r" if term else "Ada\nx\nRome\n").wait_for("Ada, 1 letters")
            assert pilot.wait_end() == 0


def test_a_talk_whose_line_is_full_can_be_ended() -> None:
    class Fills(App):
        name = "fills"

        async def talk(self, session: Session) -> int:
            session.print("x" * (8 << 20))
            await session.ask("And? ")
            return 0

    with hosted(Fills()) as host:
        channel = host.connect("ada+fills").open_session()
        channel.invoke_shell()
        host.log.wait_for("app.start")
        host.server.stop("The host is closing.")
        assert host.log.wait_for("session.end")["exit"] == "0"
        assert host.host.stuck_threads == 0


class ShutChannel:
    """Implements `wire.ByteChannel` for a client that takes nothing and sends nothing."""

    number, closed, congested = 0, False, True

    def __init__(self) -> None:
        self.waits = threading.Event()
        self.nudged = threading.Event()

    def set_wake(self, wake: object) -> None:
        """Nothing ever changes."""

    def read(self, limit: int = 65536) -> bytes | None:
        return None

    def write(self, data: bytes | memoryview, stream: Stream = Stream.OUT) -> int:
        return 0

    def wait(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        while not ready():
            self.waits.set()
            assert self.nudged.wait(DEADLINE), "it waits for good"
        return True

    def nudge(self) -> None:
        self.nudged.set()


def test_what_is_printed_waits_for_nobody_once_the_host_ends_the_program() -> None:
    channel: Any = ShutChannel()
    no_theme: Any = None
    stage = LineStage(Terminal(channel, TerminalFacts()), no_theme)
    done = threading.Event()

    def work() -> None:
        stage.write(b"more than the line takes", Stream.OUT)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    assert channel.waits.wait(DEADLINE)
    stage.hurry()
    thread.join(DEADLINE)
    assert done.is_set()
