"""What a client has open: files, of which several handles may be one, and folders."""

from __future__ import annotations

from typing import Final

import paramiko

from tuihost.core.budget.ledger import FREE, Exceeded, Kind, Lease, Share
from tuihost.files.tree import FileError, FileInfo, FileTree, Names, OpenFile, Reason

LISTED: Final = 64  # names in one answer: 64 of 255 bytes, twice, with their attributes


class Opened:
    """A file that is open, by one handle or several. A file that is being written is one for all
    of its session, which sees in it what it wrote: others see that when it is closed. `lease` is
    given back then."""

    def __init__(self, file: OpenFile, lease: Lease, *, writes: bool) -> None:
        self.file = file
        self.lease = lease
        self.writes = writes
        self.wanted = True
        self.failed: FileError | None = None  # why something that was sent is not in it
        self.handles = 0

    def set_mode(self, mode: int) -> None:
        """Closes the file if that fails, since it has no handle yet."""
        try:
            self.file.change(mode=mode)
        except FileError:
            self.close(keep=False)
            raise

    def close(self, *, keep: bool = True) -> None:
        """With `keep`, what was written gets its name. Raises `FileError`."""
        with self.lease:
            self.file.close(keep=keep)


class Handle(paramiko.SFTPHandle):  # type: ignore[misc]  # paramiko has no types
    """One handle of an open file."""

    def __init__(self, names: Names, opened: Opened) -> None:
        super().__init__()
        self.names = names
        self.opened = opened
        opened.handles += 1

    @property
    def file(self) -> OpenFile:
        return self.opened.file


class Listing(paramiko.SFTPHandle):  # type: ignore[misc]  # paramiko has no types
    """An open folder, and how far it was read. Its names are read when they are first asked for,
    and may be dropped at any time: then they are read again. `share` is what they are taken
    from."""

    def __init__(self, tree: FileTree, names: Names, share: Share) -> None:
        super().__init__()
        self.names = names
        self._tree = tree
        self._share = share
        self._lease: Lease = FREE
        self._left: list[FileInfo] | None = None  # the last ones first
        self._told = ""  # the last name that was given

    def some(self) -> list[FileInfo]:
        """The next ones, few enough for one answer, in the order of their names. Raises
        `FileError`."""
        if self._left is None:
            self._left = self._read()
        some = self._left[: -LISTED - 1 : -1]
        del self._left[-LISTED:]
        if some:
            self._told = some[-1].name
        if not self._left:
            self._lease.give_back()
        return some

    def _read(self) -> list[FileInfo]:
        infos = sorted(self._tree.list(self.names), key=_name, reverse=True)
        left = [info for info in infos if info.name > self._told]
        lease = self._share.take(Kind.ENTRIES, len(left))
        if isinstance(lease, Exceeded):
            raise FileError(Reason.FAILED, lease.sentence)
        self._lease = lease
        return left

    def drop(self) -> None:
        """Holds no names any more."""
        self._left = None
        self._lease.give_back()


def _name(info: FileInfo) -> str:
    return info.name
