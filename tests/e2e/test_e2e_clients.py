"""Other people's clients: PuTTY's plink, Dropbear's dbclient, asyncssh."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncssh
import pytest

from tests.e2e.e2e_demo import Demo
from tests.e2e.e2e_tmux import WELL, Open, Terminal
from tests.waiting import DEADLINE, allowed
from tuihost.testing.pilot import key_bytes
from tuihost.testing.screen import Screen


def plink(terminal: Terminal, demo: Demo, user: str, *words: str) -> Terminal:
    asks = " ".join(words)
    key = f"-hostkey {demo.fingerprint}"
    terminal.shell(
        f"plink -ssh -P {demo.port} -l {user} {key} {'-t ' * bool(asks)}127.0.0.1 {asks}"
    )
    # PuTTY marks where its own words end: what a host draws could pass for them.
    return terminal.wait_for("Press Return to begin session").press("Enter")


def dbclient(terminal: Terminal, demo: Demo, user: str, *words: str) -> Terminal:
    asks = " ".join(words)
    return terminal.shell(
        f"dbclient -y -y -p {demo.port} {'-t ' * bool(asks)}{user}@127.0.0.1 {asks}"
    )


Dial = Callable[..., Terminal]


@pytest.fixture(params=[plink, dbclient], ids=lambda dial: dial.__name__)
def dial(request: pytest.FixtureRequest, program: Callable[[str], str]) -> Dial:
    program(request.param.__name__)
    return request.param  # type: ignore[no-any-return]


def test_a_client_walks_the_menu_and_an_app(demo: Demo, open_terminal: Open, dial: Dial) -> None:
    terminal = dial(open_terminal(), demo, f"kit-{dial.__name__}").wait_for("Menu", "Notes")
    terminal.press("Down", "Down", "Up", "End", "Enter").wait_for("size 80x24")
    terminal.resize(132, 43).wait_for("size 132x43").resize(60, 15).wait_for("size 60x15")
    terminal.press("Escape").wait_for("1 key Escape").paste("two\nlines").wait_for("2 paste of 9")
    terminal.press("C-]").wait_for("Menu").press("C-c").wait_shell(0)
    assert terminal.flags() == WELL


def test_a_client_opens_an_app_and_runs_commands(
    demo: Demo, open_terminal: Open, dial: Dial
) -> None:
    user = f"lea-{dial.__name__}"
    terminal = dial(open_terminal(), demo, user, "notes").wait_for("No notes yet")
    terminal.press("C-n").wait_for("New note").type("From afar").wait_for("From afar")
    terminal.press("C-s").wait_for("Saved").press("C-]").wait_for("tuihost · Menu")
    terminal.press("C-c").wait_shell(0)
    if dial is plink:
        line = f"plink -batch -ssh -P {demo.port} -l {user} -hostkey {demo.fingerprint} 127.0.0.1"
    else:
        line = f"dbclient -y -y -p {demo.port} {user}@127.0.0.1"
    terminal.shell("clear").wait_shell().shell(f"{line} notes list").wait_row("1", "From afar")
    terminal.wait_shell(0).shell("clear").wait_shell().shell(f"{line} nots")
    terminal.wait_for("did you mean notes").wait_shell(127)


def test_a_clients_line_may_drop(demo: Demo, open_terminal: Open, dial: Dial) -> None:
    user = f"max-{dial.__name__}"
    terminal = dial(open_terminal(), demo, user).wait_for("Menu")
    terminal.kill_client()
    demo.wait_event("session.end", user=user, seconds=allowed(1.0))
    dial(open_terminal(), demo, user).wait_for("Menu").press("C-c").wait_shell(0)


# ------------------------------------------------------------------------------------- asyncssh


class Person:
    """Somebody at a terminal behind asyncssh."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes], columns: int, rows: int) -> None:
        self.process = process
        self.screen = Screen(columns, rows)
        self.received = bytearray()

    async def wait_for(self, text: str) -> Person:
        try:
            async with asyncio.timeout(DEADLINE):
                while text not in self.screen.text:
                    data = await self.process.stdout.read(65536)
                    assert data, f"the end came before {text!r}\n{self.screen.text}"
                    self._feed(data)
        except TimeoutError:
            raise AssertionError(f"waited for {text!r}\n{self.screen.text}") from None
        return self

    def press(self, *keys: str) -> Person:
        for key in keys:
            self.process.stdin.write(key_bytes(key).encode())
        return self

    def resize(self, columns: int, rows: int) -> Person:
        self.screen.resize(columns, rows)
        self.process.change_terminal_size(columns, rows)
        return self

    async def wait_end(self) -> int | None:
        async with asyncio.timeout(DEADLINE):
            while data := await self.process.stdout.read(65536):
                self._feed(data)
            await self.process.wait_closed()
        return self.process.exit_status

    def _feed(self, data: bytes) -> None:
        self.received += data
        self.screen.feed(data)


def connect(demo: Demo, user: str) -> Any:
    return asyncssh.connect(
        "127.0.0.1", demo.port, username=user, known_hosts=None, client_keys=None, config=None
    )


async def sit_down(
    link: asyncssh.SSHClientConnection,
    asks: str | None = None,
    *,
    term: str = "xterm-256color",
    size: tuple[int, int] = (80, 24),
) -> Person:
    process = await link.create_process(
        asks, term_type=term, term_size=size, encoding=None, env={"LANG": "C.UTF-8"}
    )
    return Person(process, *size)


def test_asyncssh_walks_resizes_and_leaves(demo: Demo) -> None:
    async def story() -> None:
        async with connect(demo, "ned") as link:
            person = await (await sit_down(link)).wait_for("Notes")
            await person.press("down", "up", "end", "enter").wait_for("size 80x24")
            await person.resize(132, 43).wait_for("size 132x43")
            await person.press("c-]").wait_for("Menu")
            assert await person.press("c-c").wait_end() == 0
            assert not person.screen.alternate
            assert "Goodbye, ned" in person.screen.text

    asyncio.run(story())


def test_several_sessions_share_one_connection(demo: Demo) -> None:
    async def story() -> None:
        async with connect(demo, "ola") as link:
            people = [await sit_down(link, "probe", size=(80 + n, 24)) for n in range(3)]
            for number, person in enumerate(people):
                await person.wait_for(f"size {80 + number}x24")
            done = await link.run("notes add 'from beside'", check=True)
            assert done.stdout == "Note 1 added.\n"
            people[0].press("x")
            await people[0].wait_for("because of an error")
            for person in people[1:]:
                await person.press("a").wait_for("1 key a")
                assert await person.press("c-c").wait_end() == 0
            assert await people[0].press("enter").wait_end() == 70

    asyncio.run(story())


def test_asyncssh_drops_and_comes_back(demo: Demo) -> None:
    async def story() -> None:
        async with connect(demo, "pam") as link:
            await (await sit_down(link, "probe")).wait_for("size 80x24")
            link.abort()
        await asyncio.to_thread(demo.wait_event, "session.end", user="pam", seconds=allowed(1.0))
        async with connect(demo, "pam") as link:
            person = await (await sit_down(link, "probe")).wait_for("size 80x24")
            assert await person.press("c-c").wait_end() == 0

    asyncio.run(story())


@pytest.mark.parametrize("term", ["vt100", "vt220", "linux"])
def test_an_old_terminal_gets_nothing_that_it_would_print(demo: Demo, term: str) -> None:
    async def story() -> None:
        async with connect(demo, f"ray-{term}") as link:
            person = await (await sit_down(link, term=term)).wait_for("Notes")
            await person.press("end", "enter").wait_for("size 80x24")
            await person.press("c-]").wait_for("Menu")
            assert await person.press("c-c").wait_end() == 0
        for sequence in (b"\x1b]", b"\x1b[?1049", b"\x1b[?1000", b"\x1b[<", b"\x1b[23;2t", b" q"):
            assert sequence not in person.received.replace(b"^C leave", b""), (term, sequence)

    asyncio.run(story())
