"""How large a tree may become, and how large it is: counted from what is on the disk.

What a tree does to its files happens under the lock of its quota, from the first look to the last
count. A file that has lost its name while somebody has it open still takes room, so it is counted
until it is closed.
"""

from __future__ import annotations

import fcntl
import os
import stat
import threading
import weakref
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from tuihost.files._walk import Entered, Moved, key_of, walk
from tuihost.files._walk import Key as Key
from tuihost.files.tree import FileError, Reason

UNFINISHED = ".tuihost-unfinished-"  # files that are being written; nobody may use such names
FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_TRIES = 5  # counts in which somebody else moves a folder before it is given up


class Dispensable(Protocol):
    """Files within a quota that nobody needs as much as room for others. Called while the quota is
    held. Every method may raise `FileError`."""

    def size(self) -> tuple[int, int]:
        """How many bytes, and how many files and folders, they are."""

    def drop(self) -> bool:
        """Removes the oldest of them; False if there is none."""


class SharedRoom:
    """`size` bytes that several quotas share, whatever each of them allows. Threads: any; of the
    quotas that share one, one is held at a time."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.lock = threading.RLock()
        self._quotas: weakref.WeakSet[Quota] = weakref.WeakSet()

    def join(self, quota: Quota) -> None:
        """From now on it takes of this room."""
        with self.lock:
            self._quotas.add(quota)

    def left_for(self, quota: Quota) -> int:
        """How many bytes one of them may have, now that the others have what they have. One that
        cannot be counted may be full."""
        with self.lock:
            return max(0, self.size - sum(_at_most(each) for each in self._quotas - {quota}))


def _at_most(quota: Quota) -> int:
    try:
        return quota.used
    except FileError:
        return quota.size


class Quota:
    """How large the folder `root` may become: bytes, and files and folders together. The folders
    `beside` it count, too. Threads: any.

    A file counts with the size that it shows, holes included, and once if it has several names.
    `room` is one that it shares with others.
    """

    def __init__(
        self,
        root: Path,
        *,
        size: int,
        entries: int,
        beside: Sequence[Path] = (),
        room: SharedRoom | None = None,
    ) -> None:
        self.root = root
        self.size = size
        self.entries = entries
        self._roots = (root, *beside)
        self._used = self._count = 0
        self._room = room
        self._lock = threading.RLock() if room is None else room.lock
        self._counted = False
        self._open: dict[Key, list[int]] = {}
        self._watching: list[set[Key]] = []
        self.dispensable: Dispensable | None = None
        """What goes, the oldest first, before anything is refused for lack of room."""
        if room is not None:
            room.join(self)

    @property
    def most(self) -> int:
        """How many bytes there may be now: `size`, or less if others have taken the room."""
        return self.size if self._room is None else min(self.size, self._room.left_for(self))

    @property
    def used(self) -> int:
        """Bytes, including files that are being written. Raises `FileError`."""
        with self.held():
            return self._used

    @property
    def count(self) -> int:
        with self.held():
            return self._count

    def recount(self) -> None:
        """Counts on the disk again, after something else than a `DiskTree` wrote there."""
        with self._lock:
            self._counted = False
            self._count_all()

    # ---------------------------------------------------------------- for the trees

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing else changes or counts until the end. Raises `FileError` if the files cannot be
        counted."""
        with self._lock:
            if not self._counted:
                self._count_all()
            yield

    def check_room(self, size: int, entries: int = 0) -> None:
        """Raises `FileError` if so much more does not fit, even without what is dispensable. Only
        while it is `held`."""
        size, entries = max(size, 0), max(entries, 0)
        spare = (0, 0)
        while lacking := self._lacking(size, entries):
            spare = spare if any(spare) else self.spare()
            if self._lacking(size - spare[0], entries - spare[1]) or not self._drop():
                raise FileError(Reason.NO_SPACE, lacking)

    def _lacking(self, size: int, entries: int) -> str:
        if size and self._used + size > self.most:
            return Reason.NO_SPACE.value
        if entries and self._count + entries > self.entries:
            return "there is no room left for more files and folders"
        return ""

    def _drop(self) -> bool:
        """Removes one thing that is dispensable; False if there is none."""
        if self.dispensable is None or not self.dispensable.drop():
            return False
        if not self._counted:
            self._count_all()
        return True

    @contextmanager
    def keeping_all(self) -> Iterator[None]:
        """Nothing that is dispensable goes until the end. Only while it is `held`."""
        kept, self.dispensable = self.dispensable, None
        try:
            yield
        finally:
            self.dispensable = kept

    def spare(self) -> tuple[int, int]:
        """How many bytes, and how many files and folders, what is dispensable takes. Only while it
        is `held`."""
        return self.dispensable.size() if self.dispensable is not None else (0, 0)

    def exceeded(self) -> bool:
        """Whether there is more than there may be, even without what is dispensable. For what
        something else than a `DiskTree` writes there. Raises `FileError`."""
        with self.held():
            while self._used > self.most or self._count > self.entries:
                if not self._drop():
                    return True
            return False

    @contextmanager
    def watching(self) -> Iterator[Collection[Key]]:
        """What `DiskTree`s write and make until the end, to tell it from what others do."""
        with self._lock:
            written: set[Key] = set()
            self._watching.append(written)
        try:
            yield written
        finally:
            with self._lock:
                self._watching = [each for each in self._watching if each is not written]

    def written(self, status: os.stat_result) -> None:
        """A `DiskTree` has made this, or changed what is said about it. Only while it is `held`."""
        for each in self._watching:
            each.add(key_of(status))

    def add(self, size: int, entries: int = 0) -> None:
        """So much has been added. Only while it is `held`."""
        self._used += size
        self._count += entries

    def name_gone(self, status: os.stat_result) -> None:
        """A name of what had this status has been removed. Only while it is `held`, since before
        the status was read."""
        self._count -= 1
        for each in self._watching:  # its number may be another file's from now on
            each.discard(key_of(status))
        if stat.S_ISDIR(status.st_mode):
            return
        if status.st_nlink > 1:  # where its other names are can only be found out by looking
            self._counted = False
        elif key_of(status) not in self._open:
            self._used -= status.st_size

    def forget(self) -> None:
        """Somebody else has changed something: the next one who asks counts again."""
        with self._lock:
            self._counted = False

    def opened(self, file: int) -> None:
        """This descriptor keeps its file on the disk from now on, named or not."""
        with self._lock:
            self._open.setdefault(key_of(os.fstat(file)), []).append(file)

    def close(self, file: int) -> None:
        """Closes a descriptor that has been `opened`."""
        with self._lock:
            status = os.fstat(file)
            key = key_of(status)
            others = self._open[key]
            others.remove(file)
            if not others:
                del self._open[key]
                if not status.st_nlink:
                    self._used -= status.st_size
            os.close(file)

    # ---------------------------------------------------------------- counting

    def _count_all(self) -> None:
        for _ in range(_TRIES):
            with suppress(Moved):
                try:
                    self._used, self._count = self._look()
                except PermissionError as error:
                    raise FileError(Reason.FAILED, "the files cannot be counted") from error
                self._counted = True
                return
        raise FileError(Reason.FAILED, "the files keep changing, so they cannot be counted")

    def _look(self) -> tuple[int, int]:
        used = count = 0
        several: set[Key] = set()
        for root in self._roots:
            for folder, name, status in _below(root):
                if name.startswith(UNFINISHED) and _remove_leftover(name, folder):
                    continue
                count += 1
                if stat.S_ISDIR(status.st_mode):
                    continue
                if status.st_nlink > 1:
                    if key_of(status) in several:
                        continue
                    several.add(key_of(status))
                used += status.st_size
        for files in self._open.values():
            status = os.fstat(files[0])
            if not status.st_nlink:
                used += status.st_size
        return used, count


def _below(root: Path) -> Iterator[tuple[int, str, os.stat_result]]:
    """Nothing if there is no such folder yet."""
    with suppress(FileNotFoundError):
        for step in walk(root):
            if isinstance(step, Entered):
                for name, status in step.found:
                    yield step.descriptor, name, status


def _remove_leftover(name: str, folder: int) -> bool:
    """Removes an unfinished file whose process is gone, which nobody holds a lock on. False if
    somebody does."""
    with suppress(OSError):
        file = os.open(name, os.O_RDWR | FILE, dir_fd=folder)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(name, dir_fd=folder)
            return True
        finally:
            os.close(file)
    return False
