"""The requests that open a file or a folder, and those on what is open."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

import paramiko
from paramiko.sftp import (
    CMD_ATTRS,
    CMD_DATA,
    CMD_NAME,
    SFTP_BAD_MESSAGE,
    SFTP_EOF,
    SFTP_OK,
)

from tuihost.core.budget.ledger import Exceeded, Kind, Share
from tuihost.files.client_paths import names_in
from tuihost.files.tree import FileError, FileInfo, FileTree, Names, OpenMode, Reason
from tuihost.ssh.packets.fields import Fields
from tuihost.ssh.sftp._attributes import attributes_of, open_mode, read_attributes, uint64
from tuihost.ssh.sftp._handles import Handle, Listing, Opened
from tuihost.ssh.sftp._packets import MAX_REQUEST
from tuihost.ssh.sftp._path_requests import PathRequests

MAX_READ: Final = 262_144
MAX_HANDLES: Final = 128  # of one session; what its person may have besides is the share's
MAX_LISTINGS: Final = 4  # folders whose names are held in memory at one time; others are read again
MAX_OFFSET: Final = 2**63 - 1  # of the last byte of a file, as on every file system

_DATA_HEAD = struct.Struct(">IBII")


class HandleRequests(PathRequests):
    """Requests on handles. What is opened is taken from `share`."""

    file_table: dict[bytes, Handle]
    folder_table: dict[bytes, Listing]

    def __init__(
        self,
        tree: FileTree,
        read: Callable[[int], bytes],
        write: Callable[[bytes], None],
        share: Share,
    ) -> None:
        super().__init__(tree, read, write)
        self._share = share
        self._listings: list[Listing] = []  # that hold names, the one that was read last at the end

    def _find_handle(self, fields: Fields) -> Handle | None:
        return self.file_table.get(fields.string())

    def _open(self, request: int, fields: Fields) -> None:
        path = fields.text(errors="surrogateescape")
        flags = fields.integer()
        attributes = read_attributes(fields)
        mode = open_mode(flags)
        names = names_in(self.tree, path, new_file=mode.create)
        if len(self.file_table) + len(self.folder_table) >= MAX_HANDLES:
            raise FileError(Reason.FAILED, "too many files are open")
        opened = self._written.get(names)
        if opened is None:
            opened = self._opened(names, mode)
            if mode.write:
                if mode.create and "mode" in attributes:
                    opened.set_mode(attributes["mode"])
                self._written[names] = opened
        elif mode.new:
            raise FileError(Reason.EXISTS)
        elif mode.empty:
            opened.file.change(size=0)
        self._send_handle_response(request, Handle(names, opened))

    def _opened(self, names: Names, mode: OpenMode) -> Opened:
        lease = self._share.take(Kind.DESCRIPTORS)
        if isinstance(lease, Exceeded):
            raise FileError(Reason.FAILED, lease.sentence)
        try:
            return Opened(self.tree.open(names, mode), lease, writes=mode.write)
        except BaseException:  # the end of the thread too: what was taken is given back
            lease.give_back()
            raise

    def _close(self, request: int, fields: Fields) -> None:
        name = fields.string()
        handle = self.file_table.pop(name, None)
        if handle is not None:
            handle.opened.handles -= 1
            if not handle.opened.handles:
                self._close_file(handle.names, handle.opened)
        else:
            folder = self.folder_table.pop(name, None)
            if folder is None:
                self._bad_handle(request)
                return
            if folder in self._listings:
                self._listings.remove(folder)
            folder.drop()
        self._send_status(request, SFTP_OK)

    def _close_file(self, names: Names, opened: Opened) -> None:
        """The last handle of a file is closed: what was written gets its name."""
        if not opened.writes:
            opened.close()
            return
        if self._written.get(names) is opened:
            del self._written[names]
        opened.close(keep=opened.wanted and opened.failed is None)
        if opened.failed is not None:
            raise FileError(opened.failed.reason, f"the file was not kept: {opened.failed}")

    def _read(self, request: int, fields: Fields) -> None:
        handle = self._find_handle(fields)
        offset, size = uint64(fields), fields.integer()
        if handle is None:
            self._bad_handle(request)
            return
        _check_offset(offset + min(size, MAX_READ))
        data = handle.file.read(offset, min(size, MAX_READ))
        if not data:
            self._send_status(request, SFTP_EOF)
            return
        # Straight to the session: of these answers there are many, and they are long.
        self.sock.send(_DATA_HEAD.pack(9 + len(data), CMD_DATA, request, len(data)) + data)

    def _write(self, request: int, fields: Fields) -> None:
        handle = self._find_handle(fields)
        offset, data = uint64(fields), fields.string(MAX_REQUEST)
        if handle is None:
            self._bad_handle(request)
            return
        try:
            _check_offset(offset + len(data))
            handle.file.write(offset, data)
        except FileError as error:
            handle.opened.failed = error
            raise
        self._send_status(request, SFTP_OK)

    def _bad_handle(self, request: int) -> None:
        self._send_status(request, SFTP_BAD_MESSAGE, "no file is open under that handle")

    def _fstat(self, request: int, fields: Fields) -> None:
        handle = self._find_handle(fields)
        if handle is None:
            self._bad_handle(request)
        else:
            self._response(request, CMD_ATTRS, attributes_of(handle.file.info()))

    def _fsetstat(self, request: int, fields: Fields) -> None:
        handle = self._find_handle(fields)
        attributes = read_attributes(fields)
        if handle is None:
            self._bad_handle(request)
            return
        handle.file.change(**attributes)
        self._send_status(request, SFTP_OK)

    def _open_dir(self, request: int, fields: Fields) -> None:
        names = self._path(fields)
        if len(self.file_table) + len(self.folder_table) >= MAX_HANDLES:
            raise FileError(Reason.FAILED, "too many folders are open")
        if not self.tree.info(names).folder:
            raise FileError(Reason.NO_SUCH, "that is not a folder")
        self._send_handle_response(request, Listing(self.tree, names, self._share), True)

    def _read_dir(self, request: int, fields: Fields) -> None:
        folder = self.folder_table.get(fields.string())
        if folder is None:
            self._bad_handle(request)
            return
        some = self._some(folder)
        if not some:
            self._send_status(request, SFTP_EOF)
            return
        message = paramiko.Message()
        message.add_int(request)
        message.add_int(len(some))
        for info in some:
            message.add_string(info.name.encode("utf-8", "surrogateescape"))
            attributes = attributes_of(info)
            message.add_string(str(attributes).encode("utf-8", "replace"))  # as `ls -l` has it
            attributes._pack(message)
        self._send_packet(CMD_NAME, message)

    def _some(self, folder: Listing) -> list[FileInfo]:
        """The next ones. Only a few folders are held in memory for it."""
        if folder in self._listings:
            self._listings.remove(folder)
        elif len(self._listings) >= MAX_LISTINGS:
            self._listings.pop(0).drop()
        try:
            some = folder.some()
        except FileError:
            if not self._listings:
                raise
            while self._listings:  # they are read again if they are asked for
                self._listings.pop().drop()
            some = folder.some()
        if some:
            self._listings.append(folder)
        return some

    def _fstatvfs(self, request: int, name: bytes) -> None:
        handle = self.file_table.get(name) or self.folder_table.get(name)
        if handle is None:
            self._bad_handle(request)
        else:
            self._send_room(request, handle.names)


def _check_offset(end: int) -> None:
    if end > MAX_OFFSET:
        raise FileError(Reason.FAILED, "no file can be that long")
