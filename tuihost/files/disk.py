"""A tree of files on the disk of the host. No path leads out of it.

Every path is walked name by name from the root's descriptor, and no link is ever followed, so
nothing that somebody swaps in meanwhile can lead elsewhere. Only files and folders are shown. A
file is written under another name and gets its own when it is closed: a connection that drops
leaves nothing half-written behind. `Quota` says whether something still fits.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tuihost.files._walk import FOLDER, Entered, height, key_of, walk
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

_REASONS = {
    errno.ENOENT: Reason.NO_SUCH,
    errno.ENOTDIR: Reason.NO_SUCH,
    errno.ELOOP: Reason.NO_SUCH,
    errno.ENXIO: Reason.NO_SUCH,
    errno.EEXIST: Reason.EXISTS,
    errno.EISDIR: Reason.EXISTS,
    errno.ENOTEMPTY: Reason.NOT_EMPTY,
    errno.EACCES: Reason.DENIED,
    errno.EPERM: Reason.DENIED,
    errno.EROFS: Reason.DENIED,
    errno.ENOSPC: Reason.NO_SPACE,
    errno.EDQUOT: Reason.NO_SPACE,
    errno.EFBIG: Reason.NO_SPACE,
    errno.ENAMETOOLONG: Reason.BAD_NAME,
    errno.EINVAL: Reason.BAD_NAME,
}


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, Reason.FAILED)
        raise FileError(reason) from error
    except ValueError:
        raise FileError(Reason.BAD_NAME) from None
    except OverflowError:
        raise FileError(Reason.FAILED, "no file can be that long") from None


def without_changes(tree: FileTree) -> FileTree:
    """The same files, none of which can be changed. One on the disk stays one, so that rsync can
    read it."""
    if isinstance(tree, Folders):
        return tree.mapped(without_changes)
    if type(tree) is DiskTree:
        return DiskTree(tree.quota, writable=False, root=tree.root)
    return UnchangingTree(tree)


class DiskTree:
    """Implements `FileTree` below the folder `root`, which is made if it does not exist: that of
    the quota, or one of those beside it. Without `writable` nothing can be changed."""

    home: Names = ()

    def __init__(self, quota: Quota, *, writable: bool = True, root: Path | None = None) -> None:
        self._quota = quota
        self._writable = writable
        self._root = root if root is not None else quota.root
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def quota(self) -> Quota:
        """How large it may become."""
        return self._quota

    @property
    def root(self) -> Path:
        """The folder on the disk of the host."""
        return self._root

    @property
    def writable(self) -> bool:
        return self._writable

    # ---------------------------------------------------------------- looking

    def info(self, names: Names) -> FileInfo:
        if not names:
            return FileInfo("", folder=True, mode=0o755)
        with self._at(names) as (folder, name):
            return _info(name, _status(name, folder))

    def list(self, names: Names) -> Sequence[FileInfo]:
        with _translated(), self._folder(names) as folder:
            found = []
            for name in sorted(os.listdir(folder)):
                if not name.startswith(UNFINISHED):
                    with suppress(FileError, OSError):  # neither a file nor a folder, or gone
                        found.append(_info(name, _status(name, folder)))
            return found

    def open(self, names: Names, mode: OpenMode = READ) -> DiskFile:
        if mode.write and not self._writable:
            raise read_only()
        if not names:
            raise FileError(Reason.EXISTS, "that is a folder")
        with self._at(names) as (folder, name):
            if not mode.write:
                return DiskFile.reading(name, folder, self._quota)
            return DiskFile.writing(name, folder, mode, self._quota)

    def room(self, names: Names) -> Room:
        quota = self._quota
        with _translated(), quota.held():
            return Room(quota.size, quota.used, quota.entries, quota.count, self._writable)

    def changed_since(self, when: float) -> Sequence[Names]:
        """The files and folders that are new or changed since then (Unix time), the latest last:
        also those too deep for a path from a client. Raises `FileError`."""
        found: list[tuple[int, Names]] = []
        path: Names = ()
        with _translated(), self._folder(()) as root:
            for step in walk(".", root):
                if isinstance(step, Entered):
                    path = (*path[: step.depth - 1], step.name) if step.depth else ()
                    found += [
                        (status.st_ctime_ns, (*path, name))
                        for name, status in step.found
                        if status.st_ctime >= when and not name.startswith(UNFINISHED)
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
            status = _status(name, folder)
            flags = FOLDER if stat.S_ISDIR(status.st_mode) else os.O_RDONLY | FILE
            file_number = os.open(name, flags, dir_fd=folder)
            try:
                _apply(file_number, mode, modified)
            finally:
                os.close(file_number)

    def remove(self, names: Names) -> None:
        with self._changing(names) as (folder, name):
            status = _status(name, folder)
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
        if to is self and new[: len(old)] == old and new != old:
            raise FileError(Reason.BAD_NAME, "a folder cannot be moved into itself")
        with (
            self._changing(old) as (from_folder, from_name),
            to._changing(new) as (to_folder, to_name),
        ):
            status = _status(from_name, from_folder)
            there = _status_or_none(to_name, to_folder)
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
            if there is not None:
                self._quota.name_gone(there)

    def make_folder(self, names: Names) -> None:
        with self._changing(names) as (folder, name):
            self._quota.check_room(0, 1)
            os.mkdir(name, 0o755, dir_fd=folder)
            self._quota.add(0, 1)

    def remove_folder(self, names: Names) -> None:
        with self._changing(names) as (folder, name):
            status = _status(name, folder)
            if not stat.S_ISDIR(status.st_mode):
                raise FileError(Reason.NO_SUCH, "that is not a folder")
            os.rmdir(name, dir_fd=folder)
            self._quota.name_gone(status)

    def remove_all(self, names: Names) -> None:
        """Removes a file, or a folder with everything in it."""
        with self._changing(names) as (folder, name):
            status = _status(name, folder)
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

    @contextmanager
    def _changing(self, names: Names) -> Iterator[tuple[int, str]]:
        """The same as `_at` for a change: nobody else changes or counts anything meanwhile."""
        self._check_writable(names)
        with self._quota.held(), self._at(names) as found:
            yield found

    @contextmanager
    def _at(self, names: Names) -> Iterator[tuple[int, str]]:
        """The folder that holds the last of `names`, and that name."""
        if names[-1].startswith(UNFINISHED):
            raise FileError(Reason.BAD_NAME)
        with _translated(), self._folder(names[:-1]) as folder:
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


class DiskFile:
    """Implements `OpenFile`."""

    def __init__(self, name: str, file: int, quota: Quota) -> None:
        self._name = name
        self._file = file
        self._quota = quota
        self._folder = -1  # where it will get its name; only if it is being written
        self._temporary = ""
        self._exclusive = self._append = False
        self._mode: int | None = None
        self._modified: float | None = None
        quota.opened(file)

    @classmethod
    def reading(cls, name: str, folder: int, quota: Quota) -> DiskFile:
        """The file, open for reading. Raises OSError, FileError."""
        with quota.held():
            file = os.open(name, os.O_RDONLY | FILE, dir_fd=folder)
            if not stat.S_ISREG(os.fstat(file).st_mode):
                os.close(file)
                raise FileError(Reason.NO_SUCH)
            return cls(name, file, quota)

    @classmethod
    def writing(cls, name: str, folder: int, mode: OpenMode, quota: Quota) -> DiskFile:
        """A new file next to `name`, with a copy of its content unless `mode.empty`."""
        with quota.held():
            there = _status_or_none(name, folder)
            if there is None and not mode.create:
                raise FileError(Reason.NO_SUCH)
            if there is not None and (mode.new or not stat.S_ISREG(there.st_mode)):
                raise FileError(Reason.EXISTS)
            quota.check_room(0, 1)  # there are two until it is closed
            temporary = f"{UNFINISHED}{secrets.token_hex(8)}"
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | FILE
            made = cls(name, os.open(temporary, flags, 0o600, dir_fd=folder), quota)
            quota.add(0, 1)
            made._folder, made._temporary = os.dup(folder), temporary
            made._exclusive, made._append = mode.new, mode.append
            fcntl.flock(made._file, fcntl.LOCK_EX)  # so that it is not taken for a leftover
        try:
            if there is not None:
                made._mode = stat.S_IMODE(there.st_mode)
                if not mode.empty:
                    made._copy(folder)
        except BaseException:
            made.close(keep=False)
            raise
        return made

    def _copy(self, folder: int) -> None:
        source = os.open(self._name, os.O_RDONLY | FILE, dir_fd=folder)
        try:
            at = 0
            while data := os.read(source, 1 << 20):
                self._write(at, data)
                at += len(data)
        finally:
            os.close(source)

    def read(self, offset: int, size: int) -> bytes:
        with _translated():
            return os.pread(self._file, size, offset)

    def write(self, offset: int, data: bytes) -> None:
        with _translated():
            self._write(offset, data)

    def _write(self, offset: int, data: bytes) -> None:
        with self._resizing() as size:
            if self._append:
                offset = size
            self._quota.check_room(offset + len(data) - size)
            rest = memoryview(data)
            while rest:
                count = os.pwrite(self._file, rest, offset)
                rest, offset = rest[count:], offset + count

    @contextmanager
    def _resizing(self) -> Iterator[int]:
        """Its size now. Counts what it has become in the end, whether or not that went well."""
        if self._folder < 0:
            raise FileError(Reason.DENIED, "the file is open for reading")
        with self._quota.held():
            size = os.fstat(self._file).st_size
            try:
                yield size
            finally:
                self._quota.add(os.fstat(self._file).st_size - size)

    def info(self) -> FileInfo:
        with _translated():
            return _info(self._name, os.fstat(self._file))

    def change(
        self, *, size: int | None = None, mode: int | None = None, modified: float | None = None
    ) -> None:
        if self._folder < 0:
            raise FileError(Reason.DENIED, "the file is open for reading")
        if size is not None:
            with _translated(), self._resizing() as before:
                self._quota.check_room(size - before)
                os.ftruncate(self._file, size)
        self._mode = self._mode if mode is None else mode
        self._modified = self._modified if modified is None else modified

    def close(self, *, keep: bool = True) -> None:
        file, self._file = self._file, -1
        if file < 0:
            return
        folder, self._folder = self._folder, -1
        try:
            if folder >= 0:
                with _translated(), self._quota.held():
                    self._finish(file, folder, keep=keep)
        finally:
            self._quota.close(file)
            if folder >= 0:
                os.close(folder)

    def _finish(self, file: int, folder: int, *, keep: bool) -> None:
        """Gives the file its name, or removes it."""
        where = {"src_dir_fd": folder, "dst_dir_fd": folder}
        renamed = False
        try:
            if keep:
                _apply(file, self._mode if self._mode is not None else 0o644, self._modified)
                if self._exclusive:  # never over a file that appeared meanwhile
                    os.link(self._temporary, self._name, follow_symlinks=False, **where)
                    self._quota.add(0, 1)
                else:
                    replaced = _status_or_none(self._name, folder)
                    os.rename(self._temporary, self._name, **where)
                    renamed = True
                    if replaced is not None:
                        self._quota.name_gone(replaced)
        finally:
            if not renamed:
                self._remove_temporary(file, folder)

    def _remove_temporary(self, file: int, folder: int) -> None:
        try:
            os.unlink(self._temporary, dir_fd=folder)
        except OSError:  # somebody else has removed it
            self._quota.forget()
        else:
            self._quota.add(0, -1)  # its bytes go with its last name, once it is closed


def _status(name: str, folder: int) -> os.stat_result:
    """The status of a file or folder. Anything else does not exist for a tree."""
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise FileError(Reason.NO_SUCH)
    return status


def _status_or_none(name: str, folder: int) -> os.stat_result | None:
    """None if there is nothing at all. Something of another kind is in the way."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _apply(file: int, mode: int | None, modified: float | None) -> None:
    if mode is not None:
        status = os.fstat(file)
        own = 0o700 if stat.S_ISDIR(status.st_mode) else 0o600
        os.fchmod(file, (mode & 0o777) | own)
    if modified is not None:
        os.utime(file, (modified, modified))


def _info(name: str, status: os.stat_result) -> FileInfo:
    folder = stat.S_ISDIR(status.st_mode)
    size = 0 if folder else status.st_size
    return FileInfo(name, folder, size, status.st_mtime, stat.S_IMODE(status.st_mode) & 0o777)
