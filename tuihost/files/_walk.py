"""Walks through everything below a folder, however deep, with one descriptor and no recursion.

No link is followed. The way back up is checked: if somebody moved a folder in the middle of the
walk, the walk ends with `Moved` and can begin again.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PLACE = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READABLE = 0o500  # without these an owner cannot see what is in a folder

Key = tuple[int, int]
"""The device and the inode of a file: the same for all of its names."""


class Moved(OSError):
    """A folder was moved or removed while it was walked through."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A folder, before anything below it. `descriptor` is good until the next step."""

    name: str  # "" for the folder where the walk begins
    descriptor: int
    depth: int
    found: list[tuple[str, os.stat_result]]


@dataclass(frozen=True, slots=True)
class Left:
    """The walk is done with the folder `name`, and back in the one that holds it."""

    descriptor: int
    name: str


def walk(start: str | Path, parent: int | None = None) -> Iterator[Entered | Left]:
    """Everything below `start`, a name in the folder `parent`. A folder that cannot be read is made
    readable if it is ours, else passed by. Raises OSError if `start` cannot be opened, and
    `Moved`."""
    here = _open_readable(start, parent)
    try:
        found = _found(here)
        waiting = [("", key_of(os.fstat(here)), _folders(found))]
        yield Entered("", here, 0, found)
        while waiting:
            done, _, inner = waiting[-1]
            if inner:
                name = inner.pop()
                try:
                    below = _open_readable(name, here)
                except OSError:  # gone, no longer a folder, or somebody else's
                    continue
                os.close(here)
                here = below
                found = _found(here)
                waiting.append((name, key_of(os.fstat(here)), _folders(found)))
                yield Entered(name, here, len(waiting) - 1, found)
            else:
                waiting.pop()
                if waiting:
                    above = _above(here)
                    os.close(here)
                    here = above
                    if key_of(os.fstat(here)) != waiting[-1][1]:
                        raise Moved("a folder was moved meanwhile")
                    yield Left(here, done)
    finally:
        os.close(here)


def height(name: str, parent: int) -> int:
    """How many names deep the longest path below a folder is: 0 if it is empty. Raises OSError."""
    return max(
        step.depth + bool(step.found) for step in walk(name, parent) if isinstance(step, Entered)
    )


def key_of(status: os.stat_result) -> Key:
    return status.st_dev, status.st_ino


def _found(folder: int) -> list[tuple[str, os.stat_result]]:
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # gone meanwhile
                found.append((entry.name, entry.stat(follow_symlinks=False)))
    return found


def _folders(found: list[tuple[str, os.stat_result]]) -> list[str]:
    return [name for name, status in found if stat.S_ISDIR(status.st_mode)]


def _above(folder: int) -> int:
    try:
        return os.open("..", FOLDER, dir_fd=folder)
    except FileNotFoundError:
        raise Moved("a folder was removed meanwhile") from None


def _open_readable(name: str | Path, parent: int | None) -> int:
    place = os.open(name, _PLACE, dir_fd=parent)
    try:
        mode = stat.S_IMODE(os.fstat(place).st_mode)
        if mode & _READABLE != _READABLE:
            with suppress(OSError):
                os.chmod(f"/proc/self/fd/{place}", mode | _READABLE)
        return os.open(".", FOLDER, dir_fd=place)
    finally:
        os.close(place)
