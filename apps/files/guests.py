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

from tuihost import FileError, Quota

IN_USE = 3600.0
"""Seconds after somebody came to a folder, in which nobody else gets its room."""


@dataclass(frozen=True, slots=True)
class _Folder:
    place: Path
    last: float
    size: int


class GuestRoom:
    """Shares `size` bytes among the folders in `place`, each of which may have `each`. `quota_at`
    gives the quota of one. Threads: one at a time."""

    def __init__(
        self,
        place: Path,
        size: int,
        each: int,
        quota_at: Callable[[Path], Quota],
        remove: Callable[[Path], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._place = place
        self._size = size
        self._each = each
        self._quota_at = quota_at
        self._remove = remove
        self._clock = clock
        self._came: dict[Path, float] = {}

    def enter(self, folder: Path) -> Quota:
        """Somebody comes to that folder: its quota, as large as there is room for it now."""
        now = self._clock()
        self._came[folder] = now
        with suppress(FileNotFoundError):  # it is made with its first file
            os.utime(folder, (now, now))
        others = self._others(folder, now)
        taken = sum(other.size for other in others)
        for other in sorted(others, key=lambda other: other.last):
            if taken + self._each <= self._size or now - other.last < IN_USE:
                break
            self._remove(other.place)
            self._came.pop(other.place, None)
            shutil.rmtree(other.place, ignore_errors=True)
            taken -= other.size
        quota = self._quota_at(folder)
        quota.size = max(0, min(self._each, self._size - taken))
        return quota

    def _others(self, folder: Path, now: float) -> list[_Folder]:
        """Each as large as it is, or as it may become while it is in use."""
        found = []
        for place in self._place.iterdir() if self._place.exists() else ():
            if place != folder:
                last = self._came.get(place, place.stat().st_mtime)
                size = self._each if now - last < IN_USE else self._used(place)
                found.append(_Folder(place, last, size))
        return found

    def _used(self, place: Path) -> int:
        try:
            return self._quota_at(place).used
        except FileError:
            return self._each
