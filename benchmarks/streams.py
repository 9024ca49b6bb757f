"""Bulk data through the host and through its peer, asyncssh, by OpenSSH's clients, in turns.

    python benchmarks/streams.py                     # 256 MiB a row, nine times, the median
    python benchmarks/streams.py --megabytes 1024 --only "command output"

A rate is of the whole way, the client's half included, and the best stands in brackets; CPU is the
server's alone.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench import HERE, serving, table, use_of

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
        with sock, contextlib.suppress(ConnectionError):  # it was only tried whether this opens
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

    ROWS = (
        "command output", "command upload", "sftp put", "sftp get", "forward, down", "forward, up",
    )  # fmt: skip

    def rows(self) -> dict[str, Row]:
        ways = (self.output, self.upload, self.put, self.get, self.down, self.up)
        return dict(zip(self.ROWS, ways, strict=True))

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


Found = tuple[float, float]  # MB/s, and the server's CPU in ms a MB


def measured(pid: int, size: int, row: Row) -> Found:
    before, begun = use_of(pid).cpu, time.perf_counter()
    row(pid, size)
    seconds, cpu = time.perf_counter() - begun, use_of(pid).cpu - before
    return size / 1e6 / seconds, 1000 * cpu / (size / 1e6)


def in_turns(
    pids: dict[str, int], clients: dict[str, Client], name: str, options: argparse.Namespace
) -> dict[str, list[Found]]:
    """What one row comes to for each server, one after the other, so many times; what a first time
    costs, files that are new above all, is left out."""
    found: dict[str, list[Found]] = {server: [] for server in pids}
    for _ in range(options.times + 1):
        for server, pid in pids.items():
            found[server].append(
                measured(pid, options.megabytes << 20, clients[server].rows()[name])
            )
    return {server: results[1:] for server, results in found.items()}


def figures(options: argparse.Namespace, folder: Path) -> dict[str, dict[str, str]]:
    """Every row of every server, and what its memory grew by meanwhile."""
    columns: dict[str, dict[str, str]] = {name: {} for name in SERVERS}
    with contextlib.ExitStack() as stack:
        pids, clients = {}, {}
        for server, command in SERVERS.items():
            pids[server], port = stack.enter_context(serving(command))
            client = Client(port, options.cipher, folder, Targets())
            clients[server] = stack.enter_context(client)
        before = {server: use_of(pid).memory for server, pid in pids.items()}
        for name in Client.ROWS:
            if options.only and options.only not in name:
                continue
            print(f"measuring {name} …", file=sys.stderr)
            for server, results in in_turns(pids, clients, name, options).items():
                rates, cpus = zip(*results, strict=True)
                columns[server][f"{name}, MB/s"] = f"{median(rates):.0f} ({max(rates):.0f})"
                columns[server][f"{name}, CPU ms a MB"] = f"{median(cpus):.2f}"
        for server, pid in pids.items():
            grown = (use_of(pid).memory - before[server]) / 1024
            columns[server]["memory that it grew by, MiB"] = f"{grown:.1f}"
    return columns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=256)
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--cipher", default="aes128-gcm@openssh.com")
    parser.add_argument("--only", help="the rows whose name holds this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tuihost-bench-") as folder:
        (Path(folder) / "bulk").write_bytes(os.urandom(1 << 20) * options.megabytes)
        print(table(figures(options, Path(folder))))


if __name__ == "__main__":
    main()
