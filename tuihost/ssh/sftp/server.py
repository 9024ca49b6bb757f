"""SFTP (draft-ietf-secsh-filexfer-02, version 3) over a file tree, on paramiko's SFTP server.

paramiko packs the answers and keeps the tables of handles. What a client sends is read here,
strictly and within bounds: paramiko believes every length, and a field that is missing is zero to
it. A request that cannot be read, or one too long, ends the session; one that cannot be done is an
answer like any other.

Thread: one, the app's, which also reads and writes the bytes.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

import paramiko
from paramiko.sftp import (
    CMD_ATTRS,
    CMD_CLOSE,
    CMD_DATA,
    CMD_EXTENDED,
    CMD_EXTENDED_REPLY,
    CMD_FSETSTAT,
    CMD_FSTAT,
    CMD_INIT,
    CMD_LSTAT,
    CMD_MKDIR,
    CMD_NAME,
    CMD_OPEN,
    CMD_OPENDIR,
    CMD_READ,
    CMD_READDIR,
    CMD_REALPATH,
    CMD_REMOVE,
    CMD_RENAME,
    CMD_RMDIR,
    CMD_SETSTAT,
    CMD_STAT,
    CMD_STATUS,
    CMD_VERSION,
    CMD_WRITE,
    SFTP_BAD_MESSAGE,
    SFTP_EOF,
    SFTP_FAILURE,
    SFTP_NO_SUCH_FILE,
    SFTP_OK,
    SFTP_OP_UNSUPPORTED,
    SFTP_PERMISSION_DENIED,
)
from paramiko.sftp_attr import SFTPAttributes

from tuihost.core.ledger import FREE, Exceeded, Kind, Share
from tuihost.errors import PeerError
from tuihost.files.client_paths import found, typed
from tuihost.files.tree import (
    MAX_NAME,
    FileError,
    FileInfo,
    FileTree,
    Measured,
    Names,
    OpenMode,
    Reason,
    path_of,
)
from tuihost.ssh.packets.fields import Fields
from tuihost.ssh.sftp._attributes import attributes_of, open_mode, read_attributes, uint64
from tuihost.ssh.sftp._handles import Handle, Listing, Opened
from tuihost.text import clean

MAX_REQUEST: Final = 262_144 + 1024  # OpenSSH's own: 256 KiB of data, and what stands around it
MAX_READ: Final = 262_144
MAX_HANDLES: Final = 128  # of one session; what its person may have besides is the share's
MAX_LISTINGS: Final = 4  # folders whose names are held in memory at one time; others are read again
MAX_OFFSET: Final = 2**63 - 1  # of the last byte of a file, as on every file system
BLOCK: Final = 1024  # bytes, in which the room is told
VERSION: Final = 3
EXTENSIONS: Final = (
    ("posix-rename@openssh.com", "1"),
    ("fsync@openssh.com", "1"),
    ("limits@openssh.com", "1"),
    ("statvfs@openssh.com", "2"),
    ("fstatvfs@openssh.com", "2"),
)

_READ_ONLY = 1  # SSH_FXE_STATVFS_ST_RDONLY
_CODES = {
    Reason.NO_SUCH: SFTP_NO_SUCH_FILE,
    Reason.DENIED: SFTP_PERMISSION_DENIED,
    Reason.NOT_SUPPORTED: SFTP_OP_UNSUPPORTED,
}
_DATA_HEAD = struct.Struct(">IBII")

Noted = Callable[[str, Names, int], None]
"""Told of each change: what was done, to what, and how many bytes it has now."""


class Bytes:
    """The two ends of a session that paramiko's server wants of a channel."""

    def __init__(self, read: Callable[[int], bytes], write: Callable[[bytes], None]) -> None:
        self.recv = read
        self._write = write

    def send(self, data: bytes) -> int:
        self._write(data)
        return len(data)

    def get_transport(self) -> Bytes:
        return self

    def get_log_channel(self) -> str:
        return "tuihost"

    def get_hexdump(self) -> bool:
        return False


class TreeServer(paramiko.SFTPServer):  # type: ignore[misc]
    """Serves one client from INIT to the end of its input. Whatever ends it, what was being written
    and not closed is thrown away."""

    file_table: dict[bytes, Handle]
    folder_table: dict[bytes, Listing]

    def __init__(
        self,
        tree: FileTree,
        read: Callable[[int], bytes],
        write: Callable[[bytes], None],
        noted: Noted,
        share: Share = FREE,
    ) -> None:
        ends = Bytes(read, write)
        super().__init__(ends, "sftp", None)
        threading.Thread.__init__(self)  # paramiko's refers to itself, and would stay for a while
        self.sock = ends
        self.tree = tree
        self._noted = noted
        self._share = share
        self._buffer = bytearray()
        self._written: dict[Names, Opened] = {}
        self._listings: list[Listing] = []  # that hold names, the one that was read last at the end
        self._handlers: dict[int, Callable[[int, Fields], None]] = {
            CMD_OPEN: self._open,
            CMD_CLOSE: self._close,
            CMD_READ: self._read,
            CMD_WRITE: self._write,
            CMD_LSTAT: self._stat,
            CMD_STAT: self._stat,
            CMD_FSTAT: self._fstat,
            CMD_SETSTAT: self._setstat,
            CMD_FSETSTAT: self._fsetstat,
            CMD_OPENDIR: self._open_dir,
            CMD_READDIR: self._read_dir,
            CMD_REMOVE: self._remove,
            CMD_MKDIR: self._mkdir,
            CMD_RMDIR: self._rmdir,
            CMD_REALPATH: self._realpath,
            CMD_RENAME: self._rename,
            CMD_EXTENDED: self._extended,
        }

    def serve(self) -> None:
        """Until the client's end of input. Raises PeerError for what cannot be read, and what the
        session raises."""
        try:
            self._send_server_version()
            while True:
                try:
                    number, body = self._read_packet()
                except EOFError:
                    return
                fields = Fields(body)
                self._answer(number, fields.integer(), fields)
        finally:
            still_open = {id(handle.opened): handle.opened for handle in self.file_table.values()}
            with ExitStack() as closing:
                for opened in still_open.values():
                    closing.callback(opened.close, keep=not opened.writes)
            for folder in self._listings:
                folder.drop()
            self.file_table.clear()
            self.folder_table.clear()
            self._written.clear()
            self._listings.clear()
            self._handlers.clear()  # they refer to this server

    def _answer(self, number: int, request: int, fields: Fields) -> None:
        handler = self._handlers.get(number)
        if handler is None:
            self._send_status(request, SFTP_OP_UNSUPPORTED)
            return
        try:
            handler(request, fields)
        except FileError as error:
            code = _CODES.get(error.reason, SFTP_FAILURE)
            self._send_status(request, code, clean(str(error), limit=200))

    # ---------------------------------------------------------------- the packets

    def _log(self, level: int, msg: object, *args: object) -> None:
        """paramiko's own words, with names that a client chose: not used."""

    def _read_packet(self) -> tuple[int, bytes]:
        """Raises PeerError if it is too long, EOFError at the end."""
        size = int.from_bytes(self._read_all(4))
        if not 1 <= size <= MAX_REQUEST:
            raise PeerError(f"a request for files says that it is {size} bytes long")
        body = self._read_all(size)
        return body[0], body[1:]

    def _read_all(self, n: int) -> bytes:
        buffer = self._buffer
        while len(buffer) < n:
            data = self.sock.recv(65_536)
            if not data:
                raise EOFError
            buffer += data
        taken = bytes(memoryview(buffer)[:n])
        del buffer[:n]
        return taken

    def _send_server_version(self) -> None:
        number, _ = self._read_packet()
        if number != CMD_INIT:
            raise PeerError("files are asked for before the version")
        message = paramiko.Message()
        message.add_int(VERSION)
        for name, version in EXTENSIONS:
            message.add_string(name)
            message.add_string(version)
        self._send_packet(CMD_VERSION, message)

    def _send_status(self, request_number: int, code: int, desc: str | None = None) -> None:
        text = desc or _WORDS.get(code, "failure")
        self._response(request_number, CMD_STATUS, code, text, "en")

    # ---------------------------------------------------------------- files

    def _path(self, fields: Fields, *, made: bool = False) -> Names:
        return self._names(fields.text(errors="surrogateescape"), made=made)

    def _names(self, path: str, *, made: bool) -> Names:
        """The names in a path. With `made` the last one is that of something new."""
        names = typed(self.tree, path)
        if made and names:
            return (*found(self.tree, names[:-1]), names[-1])
        return found(self.tree, names)

    def _find_handle(self, fields: Fields) -> Handle | None:
        return self.file_table.get(fields.string())

    def _open(self, request: int, fields: Fields) -> None:
        path = fields.text(errors="surrogateescape")
        flags = fields.integer()
        attributes = read_attributes(fields)
        mode = open_mode(flags)
        names = self._names(path, made=mode.create)
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
        except BaseException:
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
        size = opened.file.info().size
        opened.close(keep=opened.wanted and opened.failed is None)
        if opened.failed is not None:
            raise FileError(opened.failed.reason, f"the file was not kept: {opened.failed}")
        if opened.wanted:
            self._noted("written", names, size)

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
        self._noted("removed", names, 0)
        self._send_status(request, SFTP_OK)

    def _rename(self, request: int, fields: Fields, *, replace: bool = False) -> None:
        old, new = self._path(fields), self._path(fields)
        self.tree.rename(old, new, replace=replace)
        self._noted("renamed", new, 0)
        self._send_status(request, SFTP_OK)

    # ---------------------------------------------------------------- attributes

    def _stat(self, request: int, fields: Fields) -> None:
        names = self._path(fields)
        opened = self._written.get(names)
        info = opened.file.info() if opened is not None else self.tree.info(names)
        self._response(request, CMD_ATTRS, attributes_of(info))

    def _fstat(self, request: int, fields: Fields) -> None:
        handle = self._find_handle(fields)
        if handle is None:
            self._bad_handle(request)
        else:
            self._response(request, CMD_ATTRS, attributes_of(handle.file.info()))

    def _setstat(self, request: int, fields: Fields) -> None:
        names, attributes = self._path(fields), read_attributes(fields)
        opened = self._written.get(names)
        if opened is not None:
            opened.file.change(**attributes)
        else:
            self.tree.change(names, **attributes)
        self._send_status(request, SFTP_OK)

    def _fsetstat(self, request: int, fields: Fields) -> None:
        handle = self._find_handle(fields)
        attributes = read_attributes(fields)
        if handle is None:
            self._bad_handle(request)
            return
        handle.file.change(**attributes)
        self._send_status(request, SFTP_OK)

    # ---------------------------------------------------------------- folders

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

    def _mkdir(self, request: int, fields: Fields) -> None:
        self.tree.make_folder(self._path(fields, made=True))
        self._send_status(request, SFTP_OK)

    def _rmdir(self, request: int, fields: Fields) -> None:
        names = self._path(fields)
        self.tree.remove_folder(names)
        self._noted("removed", names, 0)
        self._send_status(request, SFTP_OK)

    def _realpath(self, request: int, fields: Fields) -> None:
        path = path_of(self._path(fields)).encode("utf-8", "surrogateescape")
        self._response(request, CMD_NAME, 1, path, b"", SFTPAttributes())

    # ---------------------------------------------------------------- extensions of OpenSSH

    def _extended(self, request: int, fields: Fields) -> None:
        match fields.text(64):
            case "posix-rename@openssh.com":
                self._rename(request, fields, replace=True)
            case "fsync@openssh.com":
                known = self._find_handle(fields) is not None
                self._send_status(request, SFTP_OK if known else SFTP_BAD_MESSAGE)
            case "limits@openssh.com":
                message = paramiko.Message()
                message.add_int(request)
                for limit in (MAX_REQUEST, MAX_READ, MAX_READ, MAX_HANDLES):
                    message.add_int64(limit)
                self._send_packet(CMD_EXTENDED_REPLY, message)
            case "statvfs@openssh.com":
                self._send_room(request, self._path(fields))
            case "fstatvfs@openssh.com":
                self._fstatvfs(request, fields.string())
            case _:
                self._send_status(request, SFTP_OP_UNSUPPORTED)

    def _fstatvfs(self, request: int, name: bytes) -> None:
        handle = self.file_table.get(name) or self.folder_table.get(name)
        if handle is None:
            self._bad_handle(request)
        else:
            self._send_room(request, handle.names)

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


def _check_offset(end: int) -> None:
    if end > MAX_OFFSET:
        raise FileError(Reason.FAILED, "no file can be that long")


_WORDS = {
    SFTP_OK: "done",
    SFTP_EOF: "end of file",
    SFTP_OP_UNSUPPORTED: "that is not possible here",
    SFTP_BAD_MESSAGE: "that cannot be understood",
}
