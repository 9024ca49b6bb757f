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
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tuihost.files.tree import READ, FileError, FileInfo, Names, OpenMode, Reason, read_only

UNFINISHED = ".tuihost-unfinished-"  # files that are being written; nobody may use such names
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

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
    errno.ENAMETOOLONG: Reason.BAD_NAME,
    errno.EINVAL: Reason.BAD_NAME,
}


class Quota:
    """How large a tree may become: bytes, and files and folders together. Threads: any.

    What is used is counted on the disk once and kept up to date after that. A file counts with the
    size that it shows, holes included.
    """

    def __init__(self, root: Path, *, size: int, entries: int) -> None:
        self.root = root
        self.size = size
        self.entries = entries
        self._used = self._count = 0
        self._lock = threading.Lock()
        self._scanned = False

    @property
    def used(self) -> int:
        """Bytes, including files that are being written."""
        self._scan()
        return self._used

    @property
    def count(self) -> int:
        self._scan()
        return self._count

    def take(self, size: int, entries: int = 0) -> None:
        """Takes so much more. Raises `FileError` if there is no room for it."""
        self._scan()
        with self._lock:
            if size > 0 and self._used + size > self.size:
                raise FileError(Reason.NO_SPACE)
            if entries > 0 and self._count + entries > self.entries:
                raise FileError(Reason.NO_SPACE, "there is no room left for more files and folders")
            self._used += size
            self._count += entries

    def give_back(self, size: int, entries: int = 0) -> None:
        with self._lock:
            self._used = max(0, self._used - size)
            self._count = max(0, self._count - entries)

    def recount(self) -> None:
        """Counts on the disk again, after something else than a `DiskTree` wrote there."""
        with self._lock:
            self._scanned = False
        self._scan()

    def _scan(self) -> None:
        with self._lock:
            if self._scanned:
                return
            self._scanned = True
            self._used = self._count = 0
            for folder, folders, files, here in os.fwalk(self.root, follow_symlinks=False):
                self._count += len(folders)
                for name in files:
                    if name.startswith(UNFINISHED) and _remove_leftover(name, here):
                        continue
                    with suppress(OSError):  # gone meanwhile
                        self._used += os.stat(name, dir_fd=here, follow_symlinks=False).st_size
                    self._count += 1
                del folder


def _remove_leftover(name: str, folder: int) -> bool:
    """Removes an unfinished file whose process is gone, which nobody holds a lock on. False if
    somebody does."""
    with suppress(OSError):
        file = os.open(name, os.O_RDWR | _FILE, dir_fd=folder)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(name, dir_fd=folder)
            return True
        finally:
            os.close(file)
    return False


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, Reason.FAILED)
        raise FileError(reason) from error
    except ValueError:
        raise FileError(Reason.BAD_NAME) from None


class DiskTree:
    """Implements `FileTree` below the folder `quota.root`, which is made if it does not exist.
    Without `writable` nothing can be changed."""

    home: Names = ()

    def __init__(self, quota: Quota, *, writable: bool = True) -> None:
        self._quota = quota
        self._writable = writable
        quota.root.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def quota(self) -> Quota:
        """How large it may become."""
        return self._quota

    @property
    def root(self) -> Path:
        """The folder on the disk of the host."""
        return self._quota.root

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
                return DiskFile.reading(name, folder)
            return DiskFile.writing(name, folder, mode, self._quota)

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
            flags = _FOLDER if stat.S_ISDIR(status.st_mode) else os.O_RDONLY | _FILE
            file_number = os.open(name, flags, dir_fd=folder)
            try:
                _apply(file_number, mode, modified)
            finally:
                os.close(file_number)

    def remove(self, names: Names) -> None:
        self._check_writable(names)
        with self._at(names) as (folder, name):
            status = _status(name, folder)
            if stat.S_ISDIR(status.st_mode):
                raise FileError(Reason.DENIED, "that is a folder")
            os.unlink(name, dir_fd=folder)
            self._quota.give_back(status.st_size, 1)

    def rename(self, old: Names, new: Names, *, replace: bool = False) -> None:
        self._check_writable(old)
        self._check_writable(new)
        if new[: len(old)] == old and new != old:
            raise FileError(Reason.BAD_NAME, "a folder cannot be moved into itself")
        with self._at(old) as (from_folder, from_name), self._at(new) as (to_folder, to_name):
            status = _status(from_name, from_folder)
            there = _status_or_none(to_name, to_folder)
            if there is not None and (not replace or stat.S_ISDIR(there.st_mode)):
                raise FileError(Reason.EXISTS)
            if replace or stat.S_ISDIR(status.st_mode):
                os.rename(from_name, to_name, src_dir_fd=from_folder, dst_dir_fd=to_folder)
            else:  # a second name first, which fails if somebody else was quicker
                where = {"src_dir_fd": from_folder, "dst_dir_fd": to_folder}
                os.link(from_name, to_name, follow_symlinks=False, **where)
                os.unlink(from_name, dir_fd=from_folder)
            if there is not None:
                self._quota.give_back(there.st_size, 1)

    def make_folder(self, names: Names) -> None:
        self._check_writable(names)
        with self._at(names) as (folder, name):
            self._quota.take(0, 1)
            try:
                os.mkdir(name, 0o755, dir_fd=folder)
            except OSError:
                self._quota.give_back(0, 1)
                raise

    def remove_folder(self, names: Names) -> None:
        self._check_writable(names)
        with self._at(names) as (folder, name):
            if not stat.S_ISDIR(_status(name, folder).st_mode):
                raise FileError(Reason.NO_SUCH, "that is not a folder")
            os.rmdir(name, dir_fd=folder)
            self._quota.give_back(0, 1)

    # ---------------------------------------------------------------- the way there

    def _check_writable(self, names: Names) -> None:
        if not self._writable or not names:
            raise read_only()

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
        here = os.open(self._quota.root, _FOLDER)
        try:
            for name in names:
                inner = os.open(name, _FOLDER, dir_fd=here)
                os.close(here)
                here = inner
            yield here
        finally:
            os.close(here)


class DiskFile:
    """Implements `OpenFile`."""

    def __init__(self, name: str, file: int) -> None:
        self._name = name
        self._file = file
        self._folder = -1  # where it will get its name; only while it is being written
        self._temporary = ""
        self._quota: Quota | None = None
        self._size = 0
        self._exclusive = self._append = False
        self._mode: int | None = None
        self._modified: float | None = None

    @classmethod
    def reading(cls, name: str, folder: int) -> DiskFile:
        """The file, open for reading. Raises OSError, FileError."""
        file = os.open(name, os.O_RDONLY | _FILE, dir_fd=folder)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise FileError(Reason.NO_SUCH)
        return cls(name, file)

    @classmethod
    def writing(cls, name: str, folder: int, mode: OpenMode, quota: Quota) -> DiskFile:
        """A new file next to `name`, with a copy of its content unless `mode.empty`."""
        there = _status_or_none(name, folder)
        if there is None and not mode.create:
            raise FileError(Reason.NO_SUCH)
        if there is not None and (mode.new or not stat.S_ISREG(there.st_mode)):
            raise FileError(Reason.EXISTS)
        quota.take(0, 1)  # there are two until it is closed
        temporary = f"{UNFINISHED}{secrets.token_hex(8)}"
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _FILE
            made = cls(name, os.open(temporary, flags, 0o600, dir_fd=folder))
        except OSError:
            quota.give_back(0, 1)
            raise
        made._folder, made._temporary, made._quota = os.dup(folder), temporary, quota
        made._exclusive, made._append = mode.new, mode.append
        try:
            fcntl.flock(made._file, fcntl.LOCK_EX)  # so that it is not taken for a leftover
            if there is not None:
                made._mode = stat.S_IMODE(there.st_mode)
                if not mode.empty:
                    made._copy(folder)
        except BaseException:
            made.close(keep=False)
            raise
        return made

    def _copy(self, folder: int) -> None:
        source = os.open(self._name, os.O_RDONLY | _FILE, dir_fd=folder)
        try:
            while data := os.read(source, 1 << 20):
                self._write(self._size, data)
        finally:
            os.close(source)

    def read(self, offset: int, size: int) -> bytes:
        with _translated():
            return os.pread(self._file, size, offset)

    def write(self, offset: int, data: bytes) -> None:
        with _translated():
            self._write(self._size if self._append else offset, data)

    def _write(self, offset: int, data: bytes) -> None:
        if self._quota is None:
            raise FileError(Reason.DENIED, "the file is open for reading")
        grown = offset + len(data) - self._size
        if grown > 0:
            self._quota.take(grown)
            self._size += grown
        rest = memoryview(data)
        while rest:
            count = os.pwrite(self._file, rest, offset)
            rest, offset = rest[count:], offset + count

    def info(self) -> FileInfo:
        with _translated():
            return _info(self._name, os.fstat(self._file))

    def change(
        self, *, size: int | None = None, mode: int | None = None, modified: float | None = None
    ) -> None:
        if self._quota is None:
            raise FileError(Reason.DENIED, "the file is open for reading")
        with _translated():
            if size is not None:
                grown = size - self._size
                if grown > 0:
                    self._quota.take(grown)
                os.ftruncate(self._file, size)
                if grown < 0:
                    self._quota.give_back(-grown)
                self._size = size
        self._mode = self._mode if mode is None else mode
        self._modified = self._modified if modified is None else modified

    def close(self, *, keep: bool = True) -> None:
        file, self._file = self._file, -1
        if file < 0:
            return
        quota, self._quota = self._quota, None
        try:
            if quota is not None:
                self._finish(file, quota, keep=keep)
        finally:
            os.close(file)
            if self._folder >= 0:
                os.close(self._folder)

    def _finish(self, file: int, quota: Quota, *, keep: bool) -> None:
        """Gives the file its name, or removes it."""
        where = {"src_dir_fd": self._folder, "dst_dir_fd": self._folder}
        named, replaced = False, None
        try:
            if keep:
                with _translated():
                    _apply(file, self._mode if self._mode is not None else 0o644, self._modified)
                    if self._exclusive:  # never over a file that appeared meanwhile
                        os.link(self._temporary, self._name, follow_symlinks=False, **where)
                    else:
                        replaced = _status_or_none(self._name, self._folder)
                        os.rename(self._temporary, self._name, **where)
                    named = True
        finally:
            if self._exclusive or not named:
                with suppress(OSError):
                    os.unlink(self._temporary, dir_fd=self._folder)
            if not named:
                quota.give_back(self._size, 1)
            elif replaced is not None:
                quota.give_back(replaced.st_size, 1)


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
