"""A host that the system gives nothing more: it refuses people, and is itself all the while."""

from __future__ import annotations

import resource
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.e2e_demo import Served
from tests.waiting import DEADLINE, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it takes Linux's prlimit")

SETTINGS = """\
[server]
port = 0
state_dir = "state"
per_address = 200
[sources]
startups = "200:30:200"
[apps]
enabled = ["menu", "status"]
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Served]:
    config = tmp_path / "tuihost.toml"
    config.write_text(SETTINGS)
    words = ["serve", "--config", str(config)]
    served = Served(tmp_path, words, ready=lambda host: bool(host.events("host.start")))
    yield served
    served.close()


def used(pid: int) -> int:
    """Bytes of its address space."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[0]
    return int(pages) * resource.getpagesize()


def answers(sock: socket.socket) -> bool:
    """Whether the host begins to talk to somebody who connects."""
    sock.settimeout(DEADLINE)
    try:
        return sock.recv(8) == b"SSH-2.0-"
    except ConnectionResetError:
        return False


def test_without_memory_for_threads_nobody_gets_in_and_the_host_can_be_stopped(
    host: Served,
) -> None:
    pid = host._process.pid
    address = ("127.0.0.1", host.port)
    before = resource.prlimit(pid, resource.RLIMIT_AS)
    room = used(pid) + (40 << 20)
    resource.prlimit(pid, resource.RLIMIT_AS, (room, before[1]))
    with ExitStack() as stack:
        seen = []
        for _ in range(60):
            sock = stack.enter_context(socket.create_connection(address, DEADLINE))
            seen.append(answers(sock))
            if not all(seen[-3:]):
                break
        assert True in seen, "some got in"
        assert False in seen, "there was room for sixty stacks"
        host.wait_event("conn.refused", having="can't start new thread")
    resource.prlimit(pid, resource.RLIMIT_AS, before)

    def again() -> bool:
        with socket.create_connection(address, DEADLINE) as sock:
            return answers(sock)

    until(again, "the host to take people in again")
    resource.prlimit(pid, resource.RLIMIT_AS, (used(pid), before[1]))
    host._process.send_signal(signal.SIGTERM)
    assert host.wait_end() == 0
