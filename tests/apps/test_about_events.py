"""What a client sends beside what is typed, as the app `about` tells it."""

from __future__ import annotations

import asyncio
import json

import asyncssh
import paramiko
import pytest

from tests.waiting import DEADLINE
from tuihost.testing import hosted
from tuihost.testing.hosted import hang_up


def test_signals_breaks_sizes_and_the_end_are_told() -> None:
    """asyncssh sends what OpenSSH's client cannot."""
    with hosted(bundled=["menu", "about"]) as host:
        sock = host.plug_in()

        async def story() -> str:
            link = await asyncssh.connect(
                "x", sock=sock, known_hosts=None, username="ada", client_keys=None, config=None
            )
            async with link:
                process = await link.create_process(
                    "about events", term_type="xterm", term_size=(80, 24)
                )
                await process.stdout.readuntil("ends it.")
                process.send_signal("USR1")
                process.send_signal("INT")
                process.send_break(250)
                process.change_terminal_size(90, 30)
                text = ""
                while "window 90x30" not in text:
                    text += await process.stdout.read(1000)
                process.stdin.write("\x04")
                text += await process.stdout.read()
                assert process.exit_status == 0, process.exit_signal
                return text

        text = asyncio.run(asyncio.wait_for(story(), DEADLINE))
    lines = [line for line in text.splitlines() if line]
    assert lines == [
        "signal USR1", "signal INT", "break of 250 ms", "window 90x30", "end of input",
    ]  # fmt: skip


def test_the_end_of_input_ends_it() -> None:
    with hosted(bundled=["menu", "about"]) as host:
        said = host.run("about events")
        assert (said.status, said.text.splitlines()[1:]) == (0, ["end of input"])


@pytest.mark.parametrize("name", ["LC_ALL", "TZ"])
def test_variables_are_told(name: str) -> None:
    with hosted(bundled=["menu", "about"]) as host:
        client: paramiko.Transport = host.connect()
        channel = client.open_session(timeout=DEADLINE)
        channel.set_environment_variable(name, "C.UTF-8")
        channel.set_environment_variable("LD_PRELOAD", "x")
        channel.exec_command("about env --json")
        assert json.loads(channel.makefile("rb").read()) == {name: "C.UTF-8"}
        hang_up(client)
