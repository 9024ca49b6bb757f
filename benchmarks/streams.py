"""Bulk data through the host and through its peer, asyncssh, by OpenSSH's clients, in one run.

    python benchmarks/streams.py                     # 256 MiB a row, three times, the best
    python benchmarks/streams.py --megabytes 1024 --only "command output"

A rate is of the whole way, the client's half included; CPU is the server's alone.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bench import HERE, serve, table, use_of

SERVERS = {
    "tuihost": [str(HERE / "servers/tuihost_streams.py")],
    "asyncssh": [str(HERE / "servers/asyncssh_streams.py")],
}
BLOCK = bytes(1 << 18)
OPTIONS = [
    "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
    "-o", "LogLevel=ERROR",
]  # fmt: skip
Row = Callable[[int, int], None]


class Targets:
    """Where forwards lead: one port that sends so much, and one that takes everything."""

    def __init__(self) -> None:
        self.source = self._listen(self._send)
        self.sink = self._listen(self._take)
        self.size = 0

    def _listen(self, serve: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))

        def run() -> None:
            while True:
                sock, _ = listener.accept()
                threading.Thread(target=serve, args=(sock,), daemon=True).start()

        threading.Thread(target=run, daemon=True).start()
        return int(listener.getsockname()[1])

    def _send(self, sock: socket.socket) -> None:
        with sock:
            for _ in range(self.size // len(BLOCK)):
                sock.sendall(BLOCK)

    def _take(self, sock: socket.socket) -> None:
        with sock:
            count = 0
            while data := sock.recv(1 << 18):
                count += len(data)
            sock.sendall(str(count).encode())


class Client:
    """OpenSSH, against one server."""

    def __init__(self, port: int, cipher: str, folder: Path, targets: Targets) -> None:
        self.options = [*OPTIONS, "-c", cipher]
        self.port = port
        self.folder = folder
        self.targets = targets

    def rows(self) -> dict[str, Row]:
        return {
            "command output": self.output,
            "command upload": self.upload,
            "sftp put": self.put,
            "sftp get": self.get,
            "forward, down": self.down,
            "forward, up": self.up,
        }

    def _ssh(self, *words: str) -> list[str]:
        return ["ssh", *self.options, "-p", str(self.port), *words]

    def output(self, pid: int, size: int) -> None:
        words = self._ssh("a@127.0.0.1", f"bulk out {size >> 20}")
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            count = 0
            while data := process.stdout.read1(1 << 18):
                count += len(data)
        assert count == size, count

    def upload(self, pid: int, size: int) -> None:
        words = self._ssh("a@127.0.0.1", "bulk take")
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for _ in range(size // len(BLOCK)):
                process.stdin.write(BLOCK)
            process.stdin.close()
            assert int(process.stdout.read()) == size

    def put(self, pid: int, size: int) -> None:
        self._sftp(f"put {self.folder}/bulk bulk")

    def get(self, pid: int, size: int) -> None:
        self._sftp(f"get bulk {self.folder}/back")
        assert (self.folder / "back").stat().st_size == size

    def _sftp(self, line: str) -> None:
        words = ["sftp", *self.options, "-q", "-P", str(self.port), "-b", "-", "a@127.0.0.1"]
        subprocess.run(words, input=line.encode(), check=True, stdout=subprocess.DEVNULL)

    def down(self, pid: int, size: int) -> None:
        self.targets.size = size
        with self._forwarded(self.targets.source) as sock:
            count = 0
            while data := sock.recv(1 << 18):
                count += len(data)
        assert count == size, count

    def up(self, pid: int, size: int) -> None:
        with self._forwarded(self.targets.sink) as sock:
            for _ in range(size // len(BLOCK)):
                sock.sendall(BLOCK)
            sock.shutdown(socket.SHUT_WR)
            assert int(sock.recv(100)) == size

    def _forwarded(self, target: int) -> socket.socket:
        """A stream to `target` over a client that is there already."""
        if target not in self._tunnels:
            self._tunnels[target] = self._tunnel(target)
        return socket.create_connection(("127.0.0.1", self._tunnels[target]))

    def _tunnel(self, target: int) -> int:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        words = self._ssh("-N", "-L", f"{port}:127.0.0.1:{target}", "a@127.0.0.1")
        self._running.append(subprocess.Popen(words))
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return port
            except OSError:
                time.sleep(0.05)
        raise SystemExit("the forward does not open")

    def __enter__(self) -> Client:
        self._tunnels: dict[int, int] = {}
        self._running: list[subprocess.Popen[bytes]] = []
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._running:
            process.terminate()
            process.wait()


def measured(pid: int, size: int, row: Row, times: int) -> tuple[str, str]:
    """The best of so many: MB/s, and the server's CPU in ms a MB."""
    best: tuple[float, float] | None = None
    for _ in range(times):
        before, begun = use_of(pid).cpu, time.perf_counter()
        row(pid, size)
        seconds, cpu = time.perf_counter() - begun, use_of(pid).cpu - before
        found = (size / 1e6 / seconds, 1000 * cpu / (size / 1e6))
        best = found if best is None or found[0] > best[0] else best
    assert best is not None
    return f"{best[0]:.0f}", f"{best[1]:.2f}"


def figures_of(pid: int, port: int, options: argparse.Namespace, folder: Path) -> dict[str, str]:
    """Every row of one server, and what its memory grew by meanwhile."""
    size = options.megabytes << 20
    figures: dict[str, str] = {}
    before = use_of(pid).memory
    with Client(port, options.cipher, folder, Targets()) as client:
        for name, row in client.rows().items():
            if options.only and options.only not in name:
                continue
            rate, cpu = measured(pid, size, row, options.times)
            figures[f"{name}, MB/s"] = rate
            figures[f"{name}, CPU ms a MB"] = cpu
            print(f"  {name}: {rate} MB/s, {cpu} ms/MB", file=sys.stderr)
    figures["memory that it grew by, MiB"] = f"{(use_of(pid).memory - before) / 1024:.1f}"
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=256)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--cipher", default="aes128-gcm@openssh.com")
    parser.add_argument("--only", help="the rows whose name holds this")
    options = parser.parse_args()
    columns: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory(prefix="tuihost-bench-") as folder:
        (Path(folder) / "bulk").write_bytes(os.urandom(1 << 20) * options.megabytes)
        for name, command in SERVERS.items():
            print(f"measuring {name} …", file=sys.stderr)
            columns[name] = serve(
                command, lambda pid, port: figures_of(pid, port, options, Path(folder))
            )
    print(table(columns))


if __name__ == "__main__":
    main()
