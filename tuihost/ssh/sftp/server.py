"""SFTP (draft-ietf-secsh-filexfer-02, version 3) over a file tree, on paramiko's SFTP server.

paramiko packs the answers and keeps the tables of handles. What a client sends is read here,
strictly and within bounds: paramiko believes every length, and a field that is missing is zero to
it. A request that cannot be read, or one too long, ends the session; one that cannot be done is an
answer like any other.

Thread: one, the app's, which also reads and writes the bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

import paramiko
from paramiko.sftp import (
    CMD_CLOSE,
    CMD_EXTENDED,
    CMD_EXTENDED_REPLY,
    CMD_FSETSTAT,
    CMD_FSTAT,
    CMD_LSTAT,
    CMD_MKDIR,
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
    CMD_WRITE,
    SFTP_BAD_MESSAGE,
    SFTP_FAILURE,
    SFTP_NO_SUCH_FILE,
    SFTP_OK,
    SFTP_OP_UNSUPPORTED,
    SFTP_PERMISSION_DENIED,
)

from tuihost.core.budget.ledger import FREE, Share
from tuihost.files.tree import FileError, FileTree, Reason
from tuihost.ssh.packets.fields import Fields
from tuihost.ssh.sftp._handle_requests import MAX_HANDLES, MAX_READ, HandleRequests
from tuihost.ssh.sftp._packets import MAX_REQUEST
from tuihost.text import clean

_CODES = {
    Reason.NO_SUCH: SFTP_NO_SUCH_FILE,
    Reason.DENIED: SFTP_PERMISSION_DENIED,
    Reason.NOT_SUPPORTED: SFTP_OP_UNSUPPORTED,
}


MAX_TOLD: Final = 100  # refusals of a session that are explained
TOLD_AGAIN: Final = 1.0  # seconds until the same one is explained again

Tell = Callable[[str], None]
"""Tells the person why something was refused."""


def _nobody_told(text: str) -> None:
    """There is nobody to tell."""


class TreeServer(HandleRequests):
    """Serves one client from INIT to the end of its input. Whatever ends it, what was being written
    and not closed is thrown away. `tell` says to the person why something was refused."""

    def __init__(
        self,
        tree: FileTree,
        read: Callable[[int], bytes],
        write: Callable[[bytes], None],
        share: Share = FREE,
        tell: Tell = _nobody_told,
    ) -> None:
        super().__init__(tree, read, write, share)
        self._tell = tell
        self._told = 0
        self._last_told = ("", float("-inf"))
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
            text = clean(str(error), limit=200)
            if code == SFTP_FAILURE or text != error.reason.value:
                self._say(text)
            self._send_status(request, code, text)

    def _say(self, text: str) -> None:
        """Says to the person what the code of a status alone does not: many clients, OpenSSH's
        too, show no more of a status. Not too often, as one cause can fail many requests."""
        now = time.monotonic()
        last, at = self._last_told
        if self._told < MAX_TOLD and (text != last or now - at >= TOLD_AGAIN):
            self._told += 1
            self._last_told = (text, now)
            self._tell(text)

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
