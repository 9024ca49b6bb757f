"""The folders of guests, who share what room there is: the one that has not been used for the
longest gives way."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tuihost import FileError, Quota, SharedRoom

IN_USE = 3600.0
"""Seconds after somebody came to a folder, in which nobody else gets its room."""
LEAST = 16_000
"""Bytes that a folder takes at least, however little is in it: guests choose their names."""


@dataclass(frozen=True, slots=True)
class _Folder:
    place: Path
    last: float
    size: int
    empty: bool


class GuestRoom:
    """Shares `room` among the folders in `place`, each of which may have `each` bytes. `quota_at`
    gives the quota of one, which takes of that room. Threads: one at a time."""

    def __init__(
        self,
        place: Path,
        room: SharedRoom,
        each: int,
        quota_at: Callable[[Path], Quota],
        remove: Callable[[Path], None],
    ) -> None:
        self._place = place
        self._room = room
        self._each = each
        self._quota_at = quota_at
        self._remove = remove
        self._clock = time.time
        self._came: dict[Path, float] = {}

    def enter(self, folder: Path) -> Quota:
        """Somebody comes to that folder: its quota. Others give way until there is room for all
        that it may have, if any of them is not in use."""
        now = self._clock()
        with suppress(FileNotFoundError):  # it is made with its first file
            os.utime(folder, (now, now))
        others = self._others(folder)
        on_disk = {other.place for other in others}
        self._came = {place: at for place, at in self._came.items() if place in on_disk}
        self._came[folder] = now
        taken = sum(other.size for other in others)
        for other in sorted(others, key=lambda other: other.last):
            full = taken + self._each > self._room.size
            if now - other.last >= IN_USE and (full or other.empty):
                self._remove(other.place)
                del self._came[other.place]
                shutil.rmtree(other.place, ignore_errors=True)
                taken -= other.size
        return self._quota_at(folder)

    def _others(self, folder: Path) -> list[_Folder]:
        """Each as large as it is."""
        found = []
        for place in self._place.iterdir() if self._place.exists() else ():
            if place != folder:
                last = self._came.setdefault(place, place.stat().st_mtime)
                used, count = self._held(place)
                found.append(_Folder(place, last, max(used, LEAST), count == 0))
        return found

    def _held(self, place: Path) -> tuple[int, int]:
        """How many bytes, and how many files and folders, are in it. As many as it may have if they
        cannot be counted."""
        quota = self._quota_at(place)
        try:
            return quota.used, quota.count
        except FileError:
            return self._each, 1
