"""Commands as clients run them: at a terminal and without one, wide and narrow, cut short."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest
from rich.table import Table
from rich.text import Text

from tests.waiting import DEADLINE
from tuihost import (
    App,
    Disconnected,
    FileInfo,
    FileTree,
    ReadOnlyTree,
    Session,
    TookTooLong,
    command,
)
from tuihost.testing import Hosted, hosted
from tuihost.testing.hosted import hang_up
from tuihost.tui.running import runner
from tuihost.tui.running.loop import LoopKind, new_loop
from tuihost.tui.running.runner import EndedByHost


class Tap(App):
    """Reads and writes."""

    name = "tap"

    loop = "selector"

    def start(self) -> None:
        self.begun = threading.Event()
        self.pids: list[int] = []

    async def talk(self, session: Session) -> None:
        """Wait for another program, as a person who sits there."""
        await self.child(session)

    @command
    def upper(self, session: Session) -> int:
        """Say each line loudly."""
        for line in session.lines():
            session.print(line.upper())
        return 4

    @command
    def flow(self, session: Session) -> None:
        """Write without an end."""
        while True:
            session.write(b"x" * 10_000)
            self.begun.set()

    @command
    async def child(self, session: Session) -> None:
        """Wait for another program."""
        process = await asyncio.create_subprocess_exec("sleep", "600")
        self.pids.append(process.pid)
        self.begun.set()
        await process.wait()

    @command
    async def version(self, session: Session) -> int:
        """Another program to its end."""
        process = await asyncio.create_subprocess_exec("true")
        return 5 + await process.wait()

    @command
    def policies(self, session: Session) -> None:
        """How the scheduler treats this thread, before it reads and after."""
        before = os.sched_getscheduler(0)
        session.read()
        session.print(f"{before} {os.sched_getscheduler(0)}")

    @command
    def show(self, session: Session) -> None:
        """Something that rich draws."""
        table = Table(title="T", expand=True)
        table.add_column("c")
        table.add_row(Text("red", style="red"))
        session.print(table)

    @command
    def count(self, session: Session) -> None:
        """Take a while."""
        with session.progress("Counting", 4) as bar:
            for _ in range(4):
                bar.advance()


@pytest.fixture
def host() -> Iterator[Hosted]:
    with hosted(Tap()) as host:
        yield host


def opened(host: Hosted, words: str, *, pty: bool = False, **env: str) -> paramiko.Channel:
    channel = host.connect().open_session(timeout=DEADLINE)
    channel.settimeout(DEADLINE)
    for name, value in env.items():
        channel.set_environment_variable(name, value)
    if pty:
        channel.get_pty("xterm-256color", 60, 24)
    channel.exec_command(words)
    return channel


def ended(channel: paramiko.Channel) -> tuple[int, bytes]:
    out = channel.makefile("rb").read()
    status = channel.recv_exit_status()
    hang_up(channel.get_transport())
    return status, out


def test_at_a_terminal_lines_are_typed_and_edited(host: Hosted) -> None:
    channel = opened(host, "tap upper", pty=True)
    channel.sendall(b"helpo\x7f\x7flo\r")
    got = b""
    while b"HELLO" not in got:
        got += channel.recv(1000)
    assert got.startswith(b"helpo\b \b\b \blo\r\n")
    channel.sendall(b"\x04")
    assert ended(channel)[0] == 4


@pytest.mark.parametrize("words", ["tap upper", "tap flow"])
def test_ctrl_c_ends_a_command(host: Hosted, words: str) -> None:
    channel = opened(host, words, pty=True)
    channel.sendall(b"abc")
    while b"a" not in channel.recv(1000):
        pass
    channel.sendall(b"\x03")
    while channel.recv(65536):
        pass
    assert channel.recv_exit_status() == -1, "a signal, and no status"
    assert host.log.wait_for("session.end")["exit"] == "INT"
    hang_up(channel.get_transport())


def test_who_reads_no_more_ends_a_command(host: Hosted) -> None:
    channel = opened(host, "tap flow")
    assert channel.recv(10)
    message = paramiko.Message()
    message.add_byte(b"\x62")  # CHANNEL_REQUEST
    message.add_int(channel.remote_chanid)
    message.add_string("eow@openssh.com")
    message.add_boolean(False)
    channel.get_transport()._send_user_message(message)
    assert ended(channel)[0] == 255


def test_output_is_as_wide_as_asked_for(host: Hosted) -> None:
    def width(channel: paramiko.Channel) -> int:
        return max(len(line) for line in ended(channel)[1].decode().splitlines())

    assert width(opened(host, "tap show", COLUMNS="33")) == 33
    assert width(opened(host, "tap show", COLUMNS="nonsense")) < 20, "as wide as it is"
    assert width(opened(host, "tap show", pty=True, NO_COLOR="1")) == 60


@pytest.mark.parametrize(
    ("env", "coloured"),
    [
        ({}, False), ({"FORCE_COLOR": "1"}, True), ({"CLICOLOR_FORCE": "1"}, True),
        ({"FORCE_COLOR": "0"}, False), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)  # fmt: skip
def test_colours_only_where_asked_for(host: Hosted, env: dict[str, str], coloured: bool) -> None:
    assert (b"\x1b[" in ended(opened(host, "tap show", **env))[1]) is coloured


def test_progress_goes_to_standard_error(host: Hosted) -> None:
    said = host.run("tap count")
    assert said.text == ""
    assert said.errors.splitlines() == [
        "Counting   0%", "Counting  25%", "Counting  50%", "Counting  75%", "Counting 100%",
    ]  # fmt: skip
    channel = opened(host, "tap count", pty=True)
    out = ended(channel)[1]
    assert out.startswith(b"\rCounting   0%")
    assert out.endswith(b"\x1b[K\r\n")


def test_a_session_that_nobody_reads_holds_up_no_other(host: Hosted) -> None:
    client = host.connect()
    stalled, other = (client.open_session(timeout=DEADLINE) for _ in range(2))
    stalled.exec_command("tap flow")
    other.settimeout(DEADLINE)
    other.exec_command("tap count")
    assert b"Counting 100%" in other.makefile_stderr("rb").read()
    assert other.recv_exit_status() == 0
    hang_up(client)


def test_who_goes_takes_their_programs_along(host: Hosted) -> None:
    app = host.host.catalog.apps["tap"].app
    assert isinstance(app, Tap)
    client = host.connect()
    channel = client.open_session(timeout=DEADLINE)
    channel.invoke_shell()
    assert app.begun.wait(DEADLINE)
    hang_up(client)
    host.log.wait_for("session.end")
    with pytest.raises(ProcessLookupError):
        os.kill(app.pids[0], 0)


def test_a_command_may_wait_for_another_program(host: Hosted) -> None:
    assert host.run("tap version").status == 5


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="the scheduler has no such policy")
def test_a_command_that_reads_pushes_no_other_thread_aside(host: Hosted) -> None:
    said = host.run("tap policies", stdin=b"data").text
    assert said == f"{os.SCHED_OTHER} {os.SCHED_BATCH}\n"
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


class Own(BaseException):
    """Neither an error nor an end that Python knows."""


RAISED: tuple[tuple[BaseException, int, bool], ...] = (
    (KeyboardInterrupt(), 130, True),
    (GeneratorExit(), 70, True),
    (asyncio.CancelledError(), 70, True),
    (Own(), 70, True),
    (SystemExit(3), 3, False),
    (SystemExit(), 0, False),
    (SystemExit("no such town"), 1, False),
)


class Raises(App):
    """Lets pass what it is told to."""

    name = "raises"

    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def talk(self, session: Session) -> int:
        await asyncio.sleep(0)
        raise self.error

    @command
    def plain(self, session: Session) -> None:
        """Raise it."""
        raise self.error

    @command(name="async")
    async def coroutine(self, session: Session) -> None:
        """Raise it in a coroutine."""
        await asyncio.sleep(0)
        raise self.error


@pytest.mark.parametrize(("error", "status", "crash"), RAISED)
@pytest.mark.parametrize("words", ["raises plain", "raises async"])
def test_whatever_a_command_raises_ends_it_alone(
    words: str, error: BaseException, status: int, crash: bool
) -> None:
    with hosted(Raises(error)) as host:
        done = host.run(words)
        assert done.status == status
        assert len(host.log.named("app.error")) == crash
        assert done.errors.count("because of an error in it") == crash
        assert ("no such town" in done.errors) == ("no such town" in str(error))
        assert host.log.named("app.stuck") == []
        assert host.log.named("host.error") == []
        assert [event["seconds"] >= 0 for event in host.log.named("app.end")] == [True]


@pytest.mark.parametrize(("error", "status", "crash"), [*RAISED[1:], (EOFError(), 70, True)])
@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_whatever_a_talk_raises_ends_it_alone(
    term: str, error: BaseException, status: int, crash: bool
) -> None:
    with hosted(Raises(error)) as host, host.open("raises", term=term) as pilot:
        if crash:
            pilot.wait_for("because of an error in it")
        if term == "xterm" and (crash or str(error) == "no such town"):
            pilot.wait_for("Enter leaves").press("enter")
        assert pilot.wait_end() == status
        assert len(host.log.named("app.error")) == crash
        assert host.log.named("app.stuck") == []
        assert host.log.named("host.error") == []


class Matches(App):
    """Asks, and works on the answer for too long."""

    name = "matches"

    async def talk(self, session: Session) -> int:
        await session.ask("Text? ")
        await session.say("Looking for it.")
        raise TookTooLong("that takes too long here: more than 2 s of work")


def test_a_talk_whose_work_takes_too_long_says_so_below_what_was_said() -> None:
    with hosted(Matches()) as host, host.open("matches") as pilot:
        pilot.wait_for("Text?").type("abc").press("enter").wait_for("Press Enter to go on")
        text = pilot.text
        assert "Text? abc" in text
        assert text.index("Looking for it.") < text.index("That takes too long here")
        assert pilot.press("down", "enter").wait_end() == 1


def test_a_talk_by_lines_whose_work_takes_too_long_ends_with_1() -> None:
    with hosted(Matches()) as host, host.open("matches", term="dumb") as pilot:
        pilot.wait_for("Text?").type("abc\r").wait_for("matches stopped. That takes too long here")
        assert pilot.wait_end() == 1
        assert host.log.named("app.error") == []


class Shelf(ReadOnlyTree):
    """A tree that lets pass what it is told to."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def info(self, names: tuple[str, ...]) -> FileInfo:
        raise self.error

    list = open = info  # type: ignore[assignment]


@pytest.mark.parametrize(("error", "status", "crash"), [*RAISED, (ValueError(), 70, True)])
@pytest.mark.parametrize("in_tree", [True, False])
def test_whatever_the_files_of_an_app_raise_costs_their_person_alone(
    in_tree: bool, error: BaseException, status: int, crash: bool
) -> None:
    class Serves(App):
        name = "serves"

        def files(self, session: Session) -> FileTree:
            if in_tree:
                return Shelf(error)
            raise error

    with hosted(Serves()) as host:
        done = host.run("scp -f serves/file", stdin=b"\0")
        assert len(host.log.named("app.error")) == (crash or not in_tree)
        assert host.log.named("app.stuck") == []
        assert host.log.named("host.error") == []
        if in_tree:
            assert done.status == status
            assert ("no such town" in done.errors) == ("no such town" in str(error))


class Five(ReadOnlyTree):
    """A tree whose lists are wrong."""

    def info(self, names: tuple[str, ...]) -> FileInfo:
        return FileInfo(names[-1], folder=True)

    def list(self, names: tuple[str, ...]) -> Any:
        return [FileInfo("a"), 5]


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        (Path("/"), "Serves.files should return a FileTree, not a PosixPath"),
        (Five(), "`list` should give FileInfo, and gave int"),
    ],
)
def test_a_tree_that_can_be_none_is_the_mistake_of_its_app(tree: Any, said: str) -> None:
    class Serves(App):
        name = "serves"

        def files(self, session: Session) -> Any:
            return tree

    with hosted(Serves()) as host:
        done = host.run("scp -r -f serves/x", stdin=b"\0" * 9)
        (crash,) = host.log.named("app.error")
        assert crash["app"] == "serves"
        assert said in str(crash)
        assert host.log.named("host.error") == []
        assert done.status != 0


def test_a_talk_that_says_its_person_has_left_ends_so() -> None:
    for term in ("xterm", "dumb"):
        with hosted(Raises(Disconnected("gone"))) as host, host.open("raises", term=term) as pilot:
            assert pilot.wait_end() == 255
            assert host.log.named("app.error") == []


def test_a_session_that_is_ended_as_its_loop_is_made_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    class Asks(App):
        name = "asks"

        async def talk(self, session: Session) -> int:
            await session.ask("Well? ")
            return 3

    def ends(kind: LoopKind) -> asyncio.AbstractEventLoop:
        monkeypatch.undo()
        owner = sys._getframe(1).f_locals["self"]
        owner.end(EndedByHost())
        return new_loop(kind)

    monkeypatch.setattr(runner, "new_loop", ends)
    with hosted(Asks()) as host, host.open("asks", term="dumb") as pilot:
        assert pilot.wait_end() == 0
        assert host.log.named("host.error") == []
