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


@dataclass(frozen=True, slots=True)
class _Folder:
    place: Path
    last: float
    size: int


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
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._place = place
        self._room = room
        self._each = each
        self._quota_at = quota_at
        self._remove = remove
        self._clock = clock
        self._came: dict[Path, float] = {}

    def enter(self, folder: Path) -> Quota:
        """Somebody comes to that folder: its quota. Others give way until there is room for all
        that it may have, if any of them is not in use."""
        now = self._clock()
        self._came[folder] = now
        with suppress(FileNotFoundError):  # it is made with its first file
            os.utime(folder, (now, now))
        others = self._others(folder, now)
        taken = sum(other.size for other in others)
        for other in sorted(others, key=lambda other: other.last):
            if taken + self._each <= self._room.size or now - other.last < IN_USE:
                break
            self._remove(other.place)
            self._came.pop(other.place, None)
            shutil.rmtree(other.place, ignore_errors=True)
            taken -= other.size
        return self._quota_at(folder)

    def _others(self, folder: Path, now: float) -> list[_Folder]:
        """Each as large as it is."""
        found = []
        for place in self._place.iterdir() if self._place.exists() else ():
            if place != folder:
                last = self._came.get(place, place.stat().st_mtime)
                found.append(_Folder(place, last, self._used(place)))
        return found

    def _used(self, place: Path) -> int:
        try:
            return self._quota_at(place).used
        except FileError:
            return self._each
