"""The connection layer with the clients that people have."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.ssh.connection.channel_host import Host, live_host
from tests.waiting import DEADLINE, until
from tuihost.ssh.keys.host_keys import HostKeys
from tuihost.ssh.transport import HostTransport
from tuihost.wire import BreakSent, PtyRequest, SignalSent, WindowChange, WindowSize

Find = Callable[[str], str]


def openssh(program: Find, host: Host, known_hosts: Path, *options: str) -> list[str]:
    plain = ["-F", "none", "-T", "-p", str(host.port), "-o", "StrictHostKeyChecking=no"]
    known = ["-o", f"UserKnownHostsFile={known_hosts}", "-o", "LogLevel=ERROR"]
    return [program("ssh"), *plain, *known, *options, "ada@127.0.0.1"]


def run(command: list[str], *, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, input=given, capture_output=True, timeout=DEADLINE, check=False)


@contextlib.asynccontextmanager
async def asyncssh_client(host: Host) -> AsyncIterator[Any]:
    async with asyncio.timeout(DEADLINE):
        async with asyncssh.connect(
            "127.0.0.1", host.port, username="ada", known_hosts=None, config=None
        ) as client:
            yield client


# --------------------------------------------------------------------------------- OpenSSH


def test_openssh_runs_programs(program: Find, tmp_path: Path) -> None:
    with live_host() as host:
        ssh = openssh(program, host, tmp_path / "known")
        both = run([*ssh, "both 3"])
        assert (both.stdout, both.stderr, both.returncode) == (b"out", b"err", 3)
        text = bytes(range(256)) * 4000
        assert run([*ssh, "cat"], given=text).stdout == text
        assert run([*ssh, "count"], given=bytes(3_000_000)).stdout == b"3000000"
        killed = run([*ssh, "killed TERM"])
        assert (killed.stdout, killed.returncode) == (b"bye", 255)
        until(lambda: all(answerer.closed == [0] for answerer in host.answerers), "four closes")


def test_openssh_asks_for_a_terminal(program: Find, tmp_path: Path) -> None:
    with live_host() as host:
        ssh = openssh(program, host, tmp_path / "known", "-tt", "-o", "SetEnv=LANG=C")
        assert run([*ssh, "both 0"]).returncode == 0
        requests = host.answerers[0].requests
        (pty,) = [request for request in requests if isinstance(request, PtyRequest)]
        assert pty.size == WindowSize(80, 24), "there is no terminal at that end"


def test_openssh_learns_the_other_host_keys(program: Find, tmp_path: Path) -> None:
    with live_host() as host:
        first, second = host.keys.keys[0], HostKeys.fresh().keys[0]
        host.keys = HostKeys((first, second))
        known = tmp_path / "known"
        known.write_text(f"[127.0.0.1]:{host.port} ssh-ed25519 {first.get_base64()}\n")
        ssh = openssh(program, host, known, "-o", "UpdateHostKeys=yes")
        assert run([*ssh, "both 0"]).returncode == 0
        assert second.get_base64() in known.read_text()


def test_openssh_shares_one_connection_while_keys_change(
    program: Find, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty sessions at a time with new keys each 64 KiB: nothing is lost, nobody waits."""
    exchanges: list[int] = []
    original = HostTransport._send_kex_init

    def counted(transport: HostTransport) -> None:
        exchanges.append(1)
        original(transport)

    monkeypatch.setattr(HostTransport, "_send_kex_init", counted)
    with live_host(rekey_bytes=64 * 1024, sessions=32) as host:
        socket = tmp_path / "m"
        known = tmp_path / "known"
        share = ["-o", f"ControlPath={socket}"]
        master = subprocess.Popen(
            [*openssh(program, host, known, *share, "-M", "-N")], stderr=subprocess.DEVNULL
        )
        try:
            ssh = openssh(program, host, known, *share)
            until(socket.exists, "the shared connection")
            text = bytes(range(256)) * 2000
            with ThreadPoolExecutor(20) as pool:
                got = list(pool.map(lambda _: run([*ssh, "cat"], given=text), range(20)))
            assert [one.returncode for one in got] == [0] * 20
            assert all(one.stdout == text for one in got)
            assert len(host.transports) == 1
            until(lambda: len(host.answerers[0].closed) == 20, "twenty closes")
            assert len(exchanges) > 5, "that many times the keys were changed"
        finally:
            master.terminate()
            master.wait(DEADLINE)


def test_the_client_changes_keys_in_the_middle_of_a_flood(program: Find, tmp_path: Path) -> None:
    with live_host() as host:
        ssh = openssh(program, host, tmp_path / "known", "-o", "RekeyLimit=256K")
        size = 8_000_000
        assert len(run([*ssh, f"flood {size}"]).stdout) == size
        assert run([*ssh, "count"], given=bytes(2_000_000)).stdout == b"2000000"


def test_a_killed_client_frees_its_sessions(program: Find, tmp_path: Path) -> None:
    with live_host() as host:
        ssh = openssh(program, host, tmp_path / "known")
        client = subprocess.Popen([*ssh, "wait"], stdin=subprocess.PIPE)
        assert client.stdin is not None
        until(lambda: host.threads, "the session")
        client.kill()
        client.wait(DEADLINE)
        client.stdin.close()
        until(lambda: host.answerers[0].closed == [0], "the close")
        assert host.answerers[0].channels[0].closed


# -------------------------------------------------------------------------------- asyncssh


async def _signals(host: Host) -> None:
    async with asyncssh_client(host) as client:
        modes = {asyncssh.PTY_VERASE: 8}
        process = await client.create_process(
            "wait", term_type="xterm", term_size=(90, 30), term_modes=modes
        )
        pty = host.answerers[0].requests[0]
        assert pty == PtyRequest("xterm", WindowSize(90, 30), modes)
        process.send_signal("INT")
        process.send_break(250)
        process.change_terminal_size(70, 20)
        heard = partial(host.answerers[0].of, "event")
        await asyncio.to_thread(until, lambda: len(heard()) == 3, "three events")
        assert heard() == [SignalSent("INT"), BreakSent(250), WindowChange(70, 20)]
        process.close()
        await process.wait_closed()


async def _exit_signal(host: Host) -> None:
    async with asyncssh_client(host) as client:
        result = await client.run("killed KILL")
        assert result.exit_signal == ("KILL", False, "as asked", "en")
        assert result.stdout == "bye"


async def _half_close(host: Host) -> None:
    async with asyncssh_client(host) as client:
        process = await client.create_process("count")
        process.stdin.write("x" * 1000)
        process.stdin.write_eof()
        assert await process.stdout.read() == "1000", "the answer comes after the end of input"
        assert (await process.wait()).exit_status == 0


async def _many_at_once(host: Host) -> None:
    async with asyncssh_client(host) as client:
        results = await asyncio.gather(*(client.run("both 5") for _ in range(16)))
        assert {(r.stdout, r.stderr, r.exit_status) for r in results} == {("out", "err", 5)}
        listener = await client.forward_remote_port("", 0, "127.0.0.1", 9)
        assert listener.get_port() == 4242
        listener.close()


@pytest.mark.parametrize("story", [_signals, _exit_signal, _half_close, _many_at_once])
def test_asyncssh(story: Callable[[Host], Any]) -> None:
    with live_host() as host:
        asyncio.run(story(host))


def test_a_client_that_says_nothing_more_is_given_up() -> None:
    """asyncssh answers the question; a stopped client does not, and is closed."""

    async def story(host: Host) -> None:
        async with asyncssh_client(host) as client:
            await client.create_process("wait")
            transport = host.transports[0]
            asked = transport.packets_received
            await asyncio.to_thread(
                until, lambda: transport.packets_received >= asked + 3, "three answers"
            )
            assert transport.active
            # The client's loop stands still from here on, and so does the client.
            until(lambda: not transport.active, "the end")
            until(lambda: host.answerers[0].closed == [0], "the close")

    with live_host(keepalive_interval=0.05, keepalive_count=20) as host:
        with contextlib.suppress(asyncssh.Error, OSError):  # the client's view of its end
            asyncio.run(story(host))
        assert host.answerers[0].closed == [0]
