"""One file on the disk that somebody has open, and what its folder says about it.

A file is written under another name and gets its own when it is closed: a connection that drops
leaves nothing half-written behind.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from tuihost.files.quota import FILE, UNFINISHED, Quota
from tuihost.files.tree import FileError, FileInfo, OpenMode, Reason

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
def translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, Reason.FAILED)
        raise FileError(reason) from error
    except ValueError:
        raise FileError(Reason.BAD_NAME) from None
    except OverflowError:
        raise FileError(Reason.FAILED, "no file can be that long") from None


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
            there = status_or_none(name, folder)
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
        with translated():
            return os.pread(self._file, size, offset)

    def write(self, offset: int, data: bytes) -> None:
        with translated():
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
        with translated():
            return info_of(self._name, os.fstat(self._file))

    def change(
        self, *, size: int | None = None, mode: int | None = None, modified: float | None = None
    ) -> None:
        if self._folder < 0:
            raise FileError(Reason.DENIED, "the file is open for reading")
        if size is not None:
            with translated(), self._resizing() as before:
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
                with translated(), self._quota.held():
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
                apply(file, self._mode if self._mode is not None else 0o644, self._modified)
                if self._exclusive:  # never over a file that appeared meanwhile
                    os.link(self._temporary, self._name, follow_symlinks=False, **where)
                    self._quota.add(0, 1)
                else:
                    replaced = status_or_none(self._name, folder)
                    os.rename(self._temporary, self._name, **where)
                    renamed = True
                    if replaced is not None:
                        self._quota.name_gone(replaced)
                self._quota.written(os.fstat(file))
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


def status_of(name: str, folder: int) -> os.stat_result:
    """The status of a file or folder. Anything else does not exist for a tree."""
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise FileError(Reason.NO_SUCH)
    return status


def status_or_none(name: str, folder: int) -> os.stat_result | None:
    """None if there is nothing at all. Something of another kind is in the way."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def apply(file: int, mode: int | None, modified: float | None) -> None:
    if mode is not None:
        status = os.fstat(file)
        own = 0o700 if stat.S_ISDIR(status.st_mode) else 0o600
        os.fchmod(file, (mode & 0o777) | own)
    if modified is not None:
        os.utime(file, (modified, modified))


def info_of(name: str, status: os.stat_result) -> FileInfo:
    folder = stat.S_ISDIR(status.st_mode)
    size = 0 if folder else status.st_size
    return FileInfo(name, folder, size, status.st_mtime, stat.S_IMODE(status.st_mode) & 0o777)
