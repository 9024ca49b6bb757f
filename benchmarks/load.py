"""Many people at once: asyncssh clients in a process of their own, so that they cost the server
they measure nothing but the other core."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import asyncssh

SETTLE = 0.3
"""Quiet seconds that end a first frame."""


@dataclass
class Person:
    """One session: what arrived last, and when."""

    process: Any
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    at: float = 0.0
    size: int = 0
    listener: asyncio.Task[None] | None = None

    async def listen(self) -> None:
        while data := await self.process.stdout.read(65536):
            self.at = time.perf_counter()
            self.size += len(data)
            if b"\x1b[6n" in data:  # a terminal answers a question for the cursor's place
                self.process.stdin.write(b"\x1b[1;1R")
            self.arrived.set()


async def connect(port: int) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        "127.0.0.1", port, username="bench", known_hosts=None, client_keys=None, config=None
    )


async def arrive(port: int, size: tuple[int, int]) -> tuple[Any, Person, float]:
    """Connects and waits for the first whole frame; seconds it took."""
    begun = time.perf_counter()
    connection = await connect(port)
    process = await connection.create_process(
        term_type="xterm-256color", term_size=size, encoding=None
    )
    person = Person(process)
    person.listener = asyncio.create_task(person.listen())
    await asyncio.wait_for(person.arrived.wait(), 30)
    while time.perf_counter() - person.at < SETTLE:
        await asyncio.sleep(SETTLE / 3)
    return connection, person, person.at - begun


async def type_keys(
    person: Person, rate: float, seconds: float, delay: float
) -> tuple[list[float], int]:
    """Presses down and up in turn; seconds from each key to the first byte of its frame."""
    await asyncio.sleep(delay)
    waits: list[float] = []
    end = time.perf_counter() + seconds
    before = person.size
    while (begun := time.perf_counter()) < end:
        person.arrived.clear()
        person.process.stdin.write((b"\x1b[B", b"\x1b[A")[len(waits) % 2])
        await asyncio.wait_for(person.arrived.wait(), 30)
        waits.append(person.at - begun)
        await asyncio.sleep(max(0.0, 1 / rate - (time.perf_counter() - begun)))
    return waits, person.size - before


async def log_in(port: int, times: int) -> None:
    """Handshakes with logins, two at a time."""

    async def some(count: int) -> None:
        for _ in range(count):
            (await connect(port)).close()

    await asyncio.gather(some(times // 2), some(times - times // 2))


async def run_bulk(port: int, megabytes: int) -> tuple[int, float]:
    """Runs `bulk out`; bytes and seconds. Read by OpenSSH's own client, since it is the faster."""
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        "ssh", "-p", str(port), "-T", "-o", "StrictHostKeyChecking=no",
        "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-F", "/dev/null",
        "bench@127.0.0.1", f"bulk out {megabytes}",
        stdout=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL, limit=1 << 22,
    )  # fmt: skip
    assert process.stdout is not None
    count = 0
    while data := await process.stdout.read(1 << 20):
        count += len(data)
    if await process.wait():
        raise RuntimeError("ssh failed")
    return count, time.perf_counter() - begun
