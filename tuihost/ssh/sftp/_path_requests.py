"""The requests that name a path: what is there, and what is changed, made, moved or removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import paramiko
from paramiko.sftp import CMD_ATTRS, CMD_EXTENDED_REPLY, CMD_NAME, SFTP_OK
from paramiko.sftp_attr import SFTPAttributes

from tuihost.files.client_paths import names_in
from tuihost.files.tree import MAX_NAME, FileError, FileTree, Measured, Names, Reason, path_of
from tuihost.ssh.packets.fields import Fields
from tuihost.ssh.sftp._attributes import attributes_of, read_attributes
from tuihost.ssh.sftp._handles import Opened
from tuihost.ssh.sftp._packets import PacketServer

BLOCK: Final = 1024  # bytes, in which the room is told
_READ_ONLY = 1  # SSH_FXE_STATVFS_ST_RDONLY


class PathRequests(PacketServer):
    """Requests on the paths of one tree. What is being written is seen as it is now."""

    def __init__(
        self,
        tree: FileTree,
        read: Callable[[int], bytes],
        write: Callable[[bytes], None],
    ) -> None:
        super().__init__(read, write)
        self.tree = tree
        self._written: dict[Names, Opened] = {}

    def _path(self, fields: Fields, *, new: bool = False) -> Names:
        return names_in(self.tree, fields.text(errors="surrogateescape"), new=new)

    def _remove(self, request: int, fields: Fields) -> None:
        names = self._path(fields)
        opened = self._written.pop(names, None)
        if opened is not None:
            opened.wanted = False
        try:
            self.tree.remove(names)
        except FileError as error:
            if opened is None or error.reason is not Reason.NO_SUCH:
                raise  # else it had not got its name yet, and never will
        self._send_status(request, SFTP_OK)

    def _rename(self, request: int, fields: Fields, *, replace: bool = False) -> None:
        old, new = self._path(fields), self._path(fields)
        self.tree.rename(old, new, replace=replace)
        self._send_status(request, SFTP_OK)

    def _stat(self, request: int, fields: Fields) -> None:
        names = self._path(fields)
        opened = self._written.get(names)
        info = opened.file.info() if opened is not None else self.tree.info(names)
        self._response(request, CMD_ATTRS, attributes_of(info))

    def _setstat(self, request: int, fields: Fields) -> None:
        names, attributes = self._path(fields), read_attributes(fields)
        opened = self._written.get(names)
        if opened is not None:
            opened.file.change(**attributes)
        else:
            self.tree.change(names, **attributes)
        self._send_status(request, SFTP_OK)

    def _mkdir(self, request: int, fields: Fields) -> None:
        self.tree.make_folder(self._path(fields, new=True))
        self._send_status(request, SFTP_OK)

    def _rmdir(self, request: int, fields: Fields) -> None:
        self.tree.remove_folder(self._path(fields))
        self._send_status(request, SFTP_OK)

    def _realpath(self, request: int, fields: Fields) -> None:
        path = path_of(self._path(fields)).encode("utf-8", "surrogateescape")
        self._response(request, CMD_NAME, 1, path, b"", SFTPAttributes())

    def _send_room(self, request: int, names: Names) -> None:
        """The bounds of a tree as those of a file system (OpenSSH's PROTOCOL, section 4.4)."""
        if names not in self._written:
            self.tree.info(names)
        if not isinstance(self.tree, Measured):
            raise FileError(Reason.NOT_SUPPORTED)
        room = self.tree.room(names)
        free = max(0, room.size - room.used) // BLOCK
        left = max(0, room.entries - room.count)
        message = paramiko.Message()
        message.add_int(request)
        for number in (
            BLOCK, BLOCK, -(-room.size // BLOCK), free, free,
            room.entries, left, left, 0, 0 if room.writable else _READ_ONLY, MAX_NAME,
        ):  # fmt: skip
            message.add_int64(number)
        self._send_packet(CMD_EXTENDED_REPLY, message)
