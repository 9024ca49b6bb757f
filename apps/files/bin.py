"""What somebody has deleted, until it is too old: within the quota of their own folder."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tuihost import DiskTree, FileError, FileInfo, Reason

Names = tuple[str, ...]
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Deleted:
    """A file or folder in the bin. `names` is where it was, `when` it was deleted in Unix time."""

    key: str
    names: Names
    when: float
    info: FileInfo


class Bin:
    """The bin of one tree, in the folder `place`: what was deleted is in `items`, a label of its
    own says where it was. What is older than `days` is removed, and the oldest goes when there is
    no room left for something else. If the tree cannot be changed, nor can its bin. Threads:
    any."""

    def __init__(
        self, tree: DiskTree, place: Path, days: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._tree = tree
        self._items = DiskTree(tree.quota, root=items_of(place), writable=tree.writable)
        self._labels = place / "labels"
        self._days = days
        self._clock = clock

    @property
    def writable(self) -> bool:
        return self._items.writable

    def put(self, names: Names) -> None:
        """Deletes a file or folder. Raises `FileError`."""
        with self._tree.quota.held():
            key = secrets.token_hex(4)
            label = self._labels / key
            self._labels.mkdir(parents=True, exist_ok=True, mode=0o700)
            label.write_text(json.dumps({"path": names, "deleted": self._clock()}))
            try:
                self._tree.move(names, self._items, (key,))
            except BaseException:  # whatever it is passes on; no label stays without its item
                label.unlink()
                raise

    def contents(self) -> list[Deleted]:
        """What is in it, the latest first. Raises `FileError`."""
        with self._tree.quota.held():
            if self._tree.writable:
                self.sweep()
            return sorted(self._all(), key=lambda deleted: -deleted.when)

    def restore(self, deleted: Deleted) -> None:
        """Puts it where it was, in folders that are made if they are gone. Raises `FileError`."""
        with self._tree.quota.held():
            with self._tree.quota.keeping_all():  # what goes could be this
                for length in range(1, len(deleted.names)):
                    try:
                        self._tree.make_folder(deleted.names[:length])
                    except FileError as error:
                        if error.reason is not Reason.EXISTS:
                            raise
                self._items.move((deleted.key,), self._tree, deleted.names)
            self._forget(deleted.key)

    def size(self) -> tuple[int, int]:
        """How many bytes, and how many files and folders, are in it. Raises `FileError`."""
        return self._items.measured()

    def drop(self) -> bool:
        """Removes what was deleted first; False if there is nothing. Raises `FileError`."""
        with self._tree.quota.held():
            found = self._all()
            if found:
                self._remove(min(found, key=lambda deleted: deleted.when))
            return bool(found)

    def empty(self) -> int:
        """Removes everything in it. How many things these were. Raises `FileError`."""
        with self._tree.quota.held():
            found = self._all()
            for deleted in found:
                self._remove(deleted)
            return len(found)

    def sweep(self) -> None:
        """Removes what is too old. Raises `FileError`."""
        with self._tree.quota.held():
            oldest = self._clock() - self._days * DAY
            kept = set()
            for deleted in self._all():
                if deleted.when < oldest:
                    self._remove(deleted)
                else:
                    kept.add(deleted.key)
            for label in self._labels.iterdir() if self._labels.exists() else ():
                if label.name not in kept:  # of something that never came, or has gone
                    self._forget(label.name)

    def _all(self) -> list[Deleted]:
        return [self._deleted(info) for info in self._items.list(())]

    def _deleted(self, info: FileInfo) -> Deleted:
        try:
            label = json.loads((self._labels / info.name).read_text())
            return Deleted(info.name, tuple(label["path"]), float(label["deleted"]), info)
        except (OSError, ValueError):  # an operator's own, or a label that was lost
            return Deleted(info.name, (info.name,), info.modified, info)

    def _remove(self, deleted: Deleted) -> None:
        self._items.remove_all((deleted.key,))
        self._forget(deleted.key)

    def _forget(self, key: str) -> None:
        with suppress(FileNotFoundError):
            (self._labels / key).unlink()


def items_of(place: Path) -> Path:
    """Where the files of a bin are, which count with its tree's."""
    return place / "items"
