"""New keys every megabyte, in the middle of everything that OpenSSH can do over one connection."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.listening import free_port
from tests.log import SILENT
from tests.waiting import DEADLINE, until
from tuihost import Accepts, App, Forward, ForwardRule, Session, command
from tuihost.core.limits import TransportLimits
from tuihost.host.plugins.app_catalog import Catalog, Loaded
from tuihost.host.server.server import Server
from tuihost.settings.loading import load
from tuihost.ssh.transport import HostTransport

MEGABYTE = 1 << 20
SIZE = 2 * MEGABYTE
DATA = bytes(range(251)) * (SIZE // 251)


class Bulk(App):
    """Writes, reads and echoes a lot."""

    name = "bulk"
    accepts = Accepts(forwards=(ForwardRule("echo", 7),))

    @command
    def out(self, session: Session) -> None:
        """Write it."""
        session.write(DATA)

    @command
    def take(self, session: Session) -> None:
        """Read it, and say what it was."""
        digest = hashlib.sha256()
        while data := session.read():
            digest.update(data)
        session.print(digest.hexdigest())

    def forward(self, forward: Forward) -> None:
        while data := forward.stream.read():
            forward.stream.write(data)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[int]:
    given = {
        "server.port": 0,
        "server.state_dir": str(folder),
        "apps.enabled": ["files", "menu"],
        "app.files.guest_quota": 100,
    }
    settings = load(None, {}, given)
    log = SILENT
    catalog = Catalog.load(settings, log=log)
    catalog.apps["bulk"] = Loaded(Bulk(), "the test")
    limits = TransportLimits(rekey_bytes=MEGABYTE)
    server = Server(settings, catalog, log, limits=limits)
    server.start()
    assert server.address is not None
    thread = threading.Thread(target=server.serve_forever, name="server")
    thread.start()
    try:
        yield server.address.port
    finally:
        server.request_stop()
        thread.join(DEADLINE)
        server.stop()


class Person:
    """OpenSSH over one connection."""

    def __init__(self, folder: Path, port: int, program: Callable[[str], str]) -> None:
        self.folder = folder
        self.control = folder / "c"
        options = (
            "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR",
            f"ControlPath={self.control}", f"Port={port}", "RekeyLimit=1M",
        )  # fmt: skip
        self.options = ["-F", "/dev/null", *(word for one in options for word in ("-o", one))]
        self.program = program
        self.tunnel = free_port()
        words = ["-M", "-N", "-L", f"{self.tunnel}:echo:7", "ada@127.0.0.1"]
        self.master = subprocess.Popen([program("ssh"), *self.options, *words])
        until(self.control.exists, "the shared connection")

    def run(self, name: str, *words: str, given: bytes = b"") -> bytes:
        done = subprocess.run(
            [self.program(name), *self.options, *words],
            input=given, capture_output=True, timeout=DEADLINE, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def output(self, number: int) -> None:
        assert self.run("ssh", "ada@127.0.0.1", "bulk out") == DATA

    def upload(self, number: int) -> None:
        said = self.run("ssh", "ada@127.0.0.1", "bulk take", given=DATA)
        assert said.decode().strip() == hashlib.sha256(DATA).hexdigest()

    def files(self, number: int) -> None:
        here, back = self.folder / f"put{number}", self.folder / f"back{number}"
        here.write_bytes(DATA)
        lines = f"put {here} f{number}\nget f{number} {back}\n"
        self.run("sftp", "-q", "-b", "-", "ada@127.0.0.1", given=lines.encode())
        assert back.read_bytes() == DATA

    def stream(self, number: int) -> None:
        with socket.create_connection(("127.0.0.1", self.tunnel), DEADLINE) as sock:
            sender = threading.Thread(target=self._send, args=(sock,), name="sender")
            sender.start()
            got = bytearray()
            while data := sock.recv(65536):
                got += data
            sender.join(DEADLINE)
        assert bytes(got) == DATA

    @staticmethod
    def _send(sock: socket.socket) -> None:
        sock.sendall(DATA)
        sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.master.terminate()
        self.master.wait(DEADLINE)


def test_sixty_of_sixty_while_keys_change(
    tmp_path: Path, program: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    exchanges: list[int] = []
    original = HostTransport._send_kex_init

    def counted(transport: HostTransport) -> None:
        exchanges.append(1)
        original(transport)

    monkeypatch.setattr(HostTransport, "_send_kex_init", counted)
    with serving(tmp_path / "state") as port:
        person = Person(tmp_path, port, program)
        try:
            kinds = (person.output, person.upload, person.files, person.stream)
            with ThreadPoolExecutor(8, thread_name_prefix="person") as pool:
                done = [pool.submit(kinds[n % 4], n) for n in range(60)]
                for one in done:
                    one.result(DEADLINE)
        finally:
            person.close()
    # What went over the line is 15 x (2 + 2 + 4 + 4) MiB; some of it while keys changed.
    assert len(exchanges) > 60, f"new keys came {len(exchanges)} times only"
