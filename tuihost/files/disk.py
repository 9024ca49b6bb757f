"""A tree of files on the disk of the host. No path leads out of it.

Every path is walked name by name from the root's descriptor, and no link is ever followed, so
nothing that somebody swaps in meanwhile can lead elsewhere. Only files and folders are shown.
`Quota` says whether something still fits.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tuihost.errors import MisuseError
from tuihost.files._disk_file import (
    DiskFile,
    apply,
    info_of,
    status_of,
    status_or_none,
    translated,
)
from tuihost.files._walk import FOLDER, Entered, Key, height, key_of, walk
from tuihost.files.quota import FILE, UNFINISHED, Quota
from tuihost.files.tree import (
    MAX_DEPTH,
    READ,
    FileError,
    FileInfo,
    FileTree,
    Folders,
    Names,
    OpenMode,
    Reason,
    Room,
    UnchangingTree,
    read_only,
)

DEEPEST = MAX_DEPTH - 2  # names below a tree that a path can have behind an app's and a folder's


def without_changes(tree: FileTree) -> FileTree:
    """The same files, none of which can be changed. One on the disk stays one, so that rsync can
    read it."""
    if isinstance(tree, Folders):
        return tree.mapped(without_changes)
    if type(tree) is DiskTree:
        return DiskTree(tree.quota, writable=False, root=tree._root)
    return UnchangingTree(tree)


class DiskTree:
    """Implements `FileTree` below the folder `root`, which is made with what is first put into it:
    that of the quota, or one of those beside it. Without `writable` nothing can be changed."""

    home: Names = ()

    def __init__(self, quota: Quota, *, writable: bool = True, root: Path | None = None) -> None:
        """Raises `MisuseError` for anything but a `Quota`."""
        if not isinstance(quota, Quota):  # a path has a `root`, too: that of the whole machine
            raise MisuseError(f"a DiskTree takes a Quota, not a {type(quota).__name__}")
        self._quota = quota
        self._writable = writable
        self._root = root if root is not None else quota.root

    @property
    def quota(self) -> Quota:
        """How large it may become."""
        return self._quota

    @property
    def root(self) -> Path:
        """The folder on the disk of the host, which exists now. Raises `FileError`."""
        self._make_root()
        return self._root

    @property
    def writable(self) -> bool:
        return self._writable

    # ---------------------------------------------------------------- looking

    def info(self, names: Names) -> FileInfo:
        if not names:
            return FileInfo("", folder=True, mode=0o755)
        with self._at(names) as (folder, name):
            return info_of(name, status_of(name, folder))

    def list(self, names: Names) -> Sequence[FileInfo]:
        if not names and not self._root.exists():
            return []
        with translated(), self._folder(names) as folder:
            found = []
            for name in sorted(os.listdir(folder)):
                if not name.startswith(UNFINISHED):
                    with suppress(FileError, OSError):  # neither a file nor a folder, or gone
                        found.append(info_of(name, status_of(name, folder)))
            return found

    def open(self, names: Names, mode: OpenMode = READ) -> DiskFile:
        if mode.write and not self._writable:
            raise read_only()
        if not names:
            raise FileError(Reason.EXISTS, "that is a folder")
        if mode.write:
            self._make_root()
        with self._at(names) as (folder, name):
            if not mode.write:
                return DiskFile.reading(name, folder, self._quota)
            return DiskFile.writing(name, folder, mode, self._quota)

    def room(self, names: Names) -> Room:
        quota = self._quota
        with translated(), quota.held():
            size, entries = quota.spare()
            used, count = quota.used - size, quota.count - entries
            return Room(quota.most, used, quota.entries, count, self._writable)

    def measured(self) -> tuple[int, int]:
        """The bytes, and the files and folders, in this tree alone. Raises `FileError`."""
        used = count = 0
        if not self._root.exists():
            return used, count
        with translated(), self._folder(()) as root:
            for step in walk(".", root):
                if isinstance(step, Entered):
                    count += len(step.found)
                    used += sum(s.st_size for _, s in step.found if not stat.S_ISDIR(s.st_mode))
        return used, count

    def changed_since(self, when: float, but: Collection[Key] = ()) -> Sequence[Names]:
        """The files and folders that are new or changed since then (Unix time), the latest last:
        also those too deep for a path from a client. `but` are left out. Raises `FileError`."""
        found: list[tuple[int, Names]] = []
        path: Names = ()
        if not self._root.exists():
            return ()
        with translated(), self._folder(()) as root:
            for step in walk(".", root):
                if isinstance(step, Entered):
                    path = (*path[: step.depth - 1], step.name) if step.depth else ()
                    found += [
                        (status.st_ctime_ns, (*path, name))
                        for name, status in step.found
                        if status.st_ctime >= when
                        and not name.startswith(UNFINISHED)
                        and key_of(status) not in but
                    ]
        return [names for _, names in sorted(found)]

    # ---------------------------------------------------------------- changing

    def change(
        self,
        names: Names,
        *,
        size: int | None = None,
        mode: int | None = None,
        modified: float | None = None,
    ) -> None:
        self._check_writable(names)
        if size is not None:
            file = self.open(names, OpenMode(write=True))
            try:
                file.change(size=size, mode=mode, modified=modified)
            except BaseException:
                file.close(keep=False)
                raise
            file.close()
            return
        with self._at(names) as (folder, name):
            status = status_of(name, folder)
            flags = FOLDER if stat.S_ISDIR(status.st_mode) else os.O_RDONLY | FILE
            file_number = os.open(name, flags, dir_fd=folder)
            try:
                with self._quota.held():
                    apply(file_number, mode, modified)
                    self._quota.written(os.fstat(file_number))
            finally:
                os.close(file_number)

    def remove(self, names: Names) -> None:
        with self._changing(names) as (folder, name):
            status = status_of(name, folder)
            if stat.S_ISDIR(status.st_mode):
                raise FileError(Reason.DENIED, "that is a folder")
            os.unlink(name, dir_fd=folder)
            self._quota.name_gone(status)

    def rename(self, old: Names, new: Names, *, replace: bool = False) -> None:
        self.move(old, self, new, replace=replace)

    def move(self, old: Names, to: DiskTree, new: Names, *, replace: bool = False) -> None:
        """Renames into another tree, which has to have the same quota."""
        if to.quota is not self._quota:
            raise FileError(Reason.NOT_SUPPORTED, "files cannot be moved there")
        inside = to is self and new[: len(old)] == old and new != old
        if inside and self.info(old).folder:
            raise FileError(Reason.BAD_NAME, "a folder cannot be moved into itself")
        with (
            self._changing(old) as (from_folder, from_name),
            to._changing(new) as (to_folder, to_name),
        ):
            status = status_of(from_name, from_folder)
            there = status_or_none(to_name, to_folder)
            is_folder = stat.S_ISDIR(status.st_mode)
            if there is not None:
                if not replace:
                    raise FileError(Reason.EXISTS)
                if key_of(there) == key_of(status):
                    return  # two names of one file, which a rename leaves as they are
                if stat.S_ISDIR(there.st_mode):
                    raise FileError(Reason.EXISTS)
            deeper = is_folder and len(new) > len(old)
            if deeper and len(new) + height(from_name, from_folder) > DEEPEST:
                raise FileError(Reason.BAD_NAME, "folders would be nested too deeply")
            if replace or is_folder:
                os.rename(from_name, to_name, src_dir_fd=from_folder, dst_dir_fd=to_folder)
            else:  # a second name first, which fails if somebody else was quicker
                where = {"src_dir_fd": from_folder, "dst_dir_fd": to_folder}
                os.link(from_name, to_name, follow_symlinks=False, **where)
                os.unlink(from_name, dir_fd=from_folder)
            self._quota.written(status)
            if there is not None:
                self._quota.name_gone(there)

    def make_folder(self, names: Names) -> None:
        with self._changing(names) as (folder, name):
            self._quota.check_room(0, 1)
            os.mkdir(name, 0o755, dir_fd=folder)
            self._quota.add(0, 1)
            self._quota.written(status_of(name, folder))

    def remove_folder(self, names: Names) -> None:
        with self._changing(names) as (folder, name):
            status = status_of(name, folder)
            if not stat.S_ISDIR(status.st_mode):
                raise FileError(Reason.NO_SUCH, "that is not a folder")
            os.rmdir(name, dir_fd=folder)
            self._quota.name_gone(status)

    def remove_all(self, names: Names) -> None:
        """Removes a file, or a folder with everything in it."""
        with self._changing(names) as (folder, name):
            status = status_of(name, folder)
            if not stat.S_ISDIR(status.st_mode):
                os.unlink(name, dir_fd=folder)
                self._quota.name_gone(status)
                return
            for step in walk(name, folder):
                if isinstance(step, Entered):
                    self._remove_files(step)
                else:
                    self._remove_empty(step.name, step.descriptor)
            self._remove_empty(name, folder)

    def _remove_files(self, folder: Entered) -> None:
        for name, status in folder.found:
            if not stat.S_ISDIR(status.st_mode):
                os.unlink(name, dir_fd=folder.descriptor)
                self._quota.name_gone(status)

    def _remove_empty(self, name: str, folder: int) -> None:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        os.rmdir(name, dir_fd=folder)
        self._quota.name_gone(status)

    # ---------------------------------------------------------------- the way there

    def _check_writable(self, names: Names) -> None:
        if not self._writable or not names:
            raise read_only()

    def _make_root(self) -> None:
        with translated():
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def _changing(self, names: Names) -> Iterator[tuple[int, str]]:
        """The same as `_at` for a change: nobody else changes or counts anything meanwhile."""
        self._check_writable(names)
        self._make_root()
        with self._quota.held(), self._at(names) as found:
            yield found

    @contextmanager
    def _at(self, names: Names) -> Iterator[tuple[int, str]]:
        """The folder that holds the last of `names`, and that name."""
        if names[-1].startswith(UNFINISHED):
            raise FileError(Reason.BAD_NAME)
        with translated(), self._folder(names[:-1]) as folder:
            yield folder, names[-1]

    @contextmanager
    def _folder(self, names: Names) -> Iterator[int]:
        """A descriptor of that folder, reached name by name without following a link."""
        here = os.open(self._root, FOLDER)
        try:
            for name in names:
                inner = os.open(name, FOLDER, dir_fd=here)
                os.close(here)
                here = inner
            yield here
        finally:
            os.close(here)
