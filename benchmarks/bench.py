"""Measures the host beside its peer, on this machine, in one run.

    python benchmarks/bench.py                    # 40 people, one key a second each
    python benchmarks/bench.py --sessions 100 --rate 2 --seconds 15

Latency and CPU drift with the machine; the ratios between the columns do not.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import load

HERE = Path(__file__).parent
TICKS = os.sysconf("SC_CLK_TCK")

SERVERS = {
    "tuihost menu": [str(HERE / "servers/tuihost_rows.py"), "menu"],
    "tuihost, 50 rows": [str(HERE / "servers/tuihost_rows.py"), "rows"],
    "asyncssh + prompt_toolkit, 50 rows": [str(HERE / "servers/asyncssh_rows.py")],
}


@dataclass(frozen=True)
class Use:
    """What a process has used and holds: seconds, KiB, counts."""

    cpu: float
    memory: int
    threads: int
    descriptors: int


def use_of(pid: int) -> Use:
    """From /proc, so of Linux only."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().split("Pss:")[1].split()[0]
    descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    return Use((int(stat[11]) + int(stat[12])) / TICKS, int(rollup), int(stat[17]), descriptors)


def quantile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


async def measure(pid: int, port: int, options: argparse.Namespace) -> dict[str, str]:
    """All figures of one server."""
    figures: dict[str, str] = {}
    size = tuple(int(part) for part in options.size.split("x"))
    warm = await load.arrive(port, size)
    warm[0].close()
    await load.log_in(port, 10)
    await asyncio.sleep(1)

    before = use_of(pid)
    await load.log_in(port, options.logins)
    await asyncio.sleep(1)
    spent = use_of(pid).cpu - before.cpu
    figures["CPU a handshake with login, ms"] = f"{1000 * spent / options.logins:.2f}"

    before = use_of(pid)
    people = []
    for _ in range(options.sessions):
        people.append(await load.arrive(port, size))
    await asyncio.sleep(1)
    after = use_of(pid)
    first = [seconds * 1000 for _, _, seconds in people]
    count = options.sessions
    figures["first frame p50, ms"] = f"{quantile(first, 0.5):.1f}"
    figures["CPU from connect to first frame, ms"] = (
        f"{1000 * (after.cpu - before.cpu) / count:.1f}"
    )
    figures["memory a session, KiB"] = f"{(after.memory - before.memory) / count:.0f}"
    figures["threads a session"] = f"{(after.threads - before.threads) / count:.2f}"
    figures["descriptors a session"] = f"{(after.descriptors - before.descriptors) / count:.2f}"

    before = use_of(pid)
    await asyncio.sleep(5)
    idle = (use_of(pid).cpu - before.cpu) / 5
    figures[f"idle, % of a core for {count} sessions"] = f"{100 * idle:.2f}"

    before = use_of(pid)
    typed = await asyncio.gather(
        *(
            load.type_keys(person, options.rate, options.seconds, index / count / options.rate)
            for index, (_, person, _) in enumerate(people)
        )
    )
    spent = use_of(pid).cpu - before.cpu
    waits = [1000 * wait for person_waits, _ in typed for wait in person_waits]
    figures["key to frame p50, ms"] = f"{quantile(waits, 0.5):.1f}"
    figures["key to frame p95, ms"] = f"{quantile(waits, 0.95):.1f}"
    figures["key to frame p99, ms"] = f"{quantile(waits, 0.99):.1f}"
    figures["CPU a key, ms"] = f"{1000 * spent / len(waits):.2f}"
    figures["bytes a frame"] = f"{sum(size for _, size in typed) / len(waits):.0f}"
    for connection, _, _ in people:
        connection.close()
    return figures


async def measure_bulk(pid: int, port: int, megabytes: int) -> dict[str, str]:
    before = use_of(pid)
    count, seconds = await load.run_bulk(port, megabytes)
    spent = use_of(pid).cpu - before.cpu
    return {
        "bulk output, MB/s": f"{count / 1e6 / seconds:.0f}",
        "bulk output, CPU ms a MB": f"{1000 * spent / (count / 1e6):.2f}",
    }


@contextlib.contextmanager
def serving(command: list[str]) -> Iterator[tuple[int, int]]:
    """Runs one server meanwhile: its process and its port."""
    # The peer prints a trace for everybody who leaves.
    errors = None if "tuihost_" in command[0] else subprocess.DEVNULL
    process = subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.pid, int(process.stdout.readline())
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=40)
    parser.add_argument("--rate", type=float, default=1.0, help="keys a second a session")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--logins", type=int, default=100)
    parser.add_argument("--size", default="80x24")
    parser.add_argument("--megabytes", type=int, default=256)
    parser.add_argument("--only", help="the servers whose name holds this")
    options = parser.parse_args()
    columns: dict[str, dict[str, str]] = {}
    for name, command in SERVERS.items():
        if options.only and options.only not in name:
            continue
        print(f"measuring {name} …", file=sys.stderr)
        with serving(command) as (pid, port):
            columns[name] = asyncio.run(measure(pid, port, options))
        if name == "tuihost menu" and shutil.which("ssh"):
            with serving(command) as (pid, port):
                columns[name] |= asyncio.run(measure_bulk(pid, port, options.megabytes))
    print(table(columns))


def table(columns: dict[str, dict[str, str]]) -> str:
    """The figures as Markdown."""
    rows = list(dict.fromkeys(row for figures in columns.values() for row in figures))
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for row in rows:
        lines.append(
            "| " + " | ".join([row, *(one.get(row, "–") for one in columns.values())]) + " |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
