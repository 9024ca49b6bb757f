"""Work for helpers: functions at the top of a module."""

from __future__ import annotations

import os
import re
import sys
import time
from contextlib import suppress
from pathlib import Path


def double(value: int) -> int:
    return value * 2


def home() -> str:
    return str(Path.home())


def echo(*values: object) -> list[object]:
    return list(values)


def catastrophe(length: int) -> bool:
    return re.match(r"(a+)+b", "a" * length) is not None


def busy() -> None:
    while True:
        pass


def hold(size: int) -> int:
    return len(b"x" * size)


def answer(size: int) -> bytes:
    return b"x" * size


def repeat(size: int) -> list[bytes]:
    """Small in the helper, and large on the way."""
    return [b"x" * 1000] * (size // 100)


def read(path: str) -> str:
    with open(path) as file:
        return file.read()


def nested(depth: int) -> int:
    return nested(depth + 1)


def fail(text: str) -> None:
    raise ValueError(text)


def time_out() -> None:
    raise TimeoutError("of its own")


class Own(Exception):
    """Not one of Python's."""


def fail_in_its_own_way() -> None:
    raise Own("no")


def end() -> None:
    os._exit(3)


def pid() -> int:
    return os.getpid()


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def shout() -> str:
    sys.stdout.write("this must not reach the pipe\n")
    sys.stdout.flush()
    return "done"


def write(path: str) -> None:
    with open(path, "w") as file:
        file.write("x")


def descriptors() -> list[str]:
    """What each is of."""
    found = []
    for number in range(1000):  # a helper may not look into the folder
        with suppress(OSError):
            found.append(os.readlink(f"/proc/self/fd/{number}"))
    return found
