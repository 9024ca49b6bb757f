"""The attributes of files, and the ways to open one, as clients send and read them (§5, §6.3)."""

from __future__ import annotations

import stat

from paramiko.sftp import (
    SFTP_FLAG_APPEND,
    SFTP_FLAG_CREATE,
    SFTP_FLAG_EXCL,
    SFTP_FLAG_READ,
    SFTP_FLAG_TRUNC,
    SFTP_FLAG_WRITE,
)
from paramiko.sftp_attr import SFTPAttributes

from tuihost.errors import PeerError
from tuihost.files.tree import FileInfo, OpenMode
from tuihost.ssh.packets.fields import Fields
from tuihost.text import clean

_SIZE, _OWNER, _MODE, _TIMES, _MORE = 1, 2, 4, 8, 0x8000_0000


def open_mode(flags: int) -> OpenMode:
    """The flags of OPEN, §6.3."""
    return OpenMode(
        read=bool(flags & SFTP_FLAG_READ),
        write=bool(flags & (SFTP_FLAG_WRITE | SFTP_FLAG_APPEND)),
        create=bool(flags & SFTP_FLAG_CREATE),
        new=bool(flags & SFTP_FLAG_CREATE and flags & SFTP_FLAG_EXCL),
        empty=bool(flags & SFTP_FLAG_TRUNC),
        append=bool(flags & SFTP_FLAG_APPEND),
    )


def read_attributes(fields: Fields) -> dict[str, int]:
    """What of ATTRS (§5) a client can change: `size`, `mode`, `modified`. Raises PeerError."""
    flags = fields.integer()
    found: dict[str, int] = {}
    if flags & _SIZE:
        found["size"] = uint64(fields)
    if flags & _OWNER:  # everything is the host's
        fields.skip(8)
    if flags & _MODE:
        found["mode"] = fields.integer() & 0o777
    if flags & _TIMES:
        fields.skip(4)
        found["modified"] = fields.integer()
    if flags & _MORE:
        raise PeerError("attributes that nobody asked for")
    return found


def attributes_of(info: FileInfo) -> SFTPAttributes:
    kind = stat.S_IFDIR if info.folder else stat.S_IFREG
    attributes = SFTPAttributes()
    attributes.filename = clean(info.name)
    attributes.st_size = info.size
    attributes.st_mode = kind | info.mode
    attributes.st_uid = attributes.st_gid = 0
    attributes.st_atime = attributes.st_mtime = max(0, min(int(info.modified), 2**32 - 1))
    attributes._flags = (
        attributes.FLAG_SIZE
        | attributes.FLAG_PERMISSIONS
        | attributes.FLAG_AMTIME
        | attributes.FLAG_UIDGID
    )
    return attributes


def uint64(fields: Fields) -> int:
    return fields.integer() << 32 | fields.integer()
