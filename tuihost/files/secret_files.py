"""The host's own files, which nobody else may read: made whole, and read with suspicion."""

from __future__ import annotations

import grp
import os
import pwd
import secrets
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HOST_LOCK = "host.lock"
"""In `state_dir`: the file by which a process holds that folder, owned by the host's user."""
WRITABLE = "others can write to it; run chmod go-w on it"


class NotPrivate(Exception):
    """A file is not to be trusted with a secret; the text continues "FILE: …"."""


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """A new private file beside `path`, to be filled. It gets the name `path` where the block ends
    well and nobody else has made that file meanwhile: so nobody meets half of it, and of two
    processes that make it at once the second uses the first one's. Raises `OSError`."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        yield draft
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def make_private(path: Path, data: bytes) -> None:
    """Makes the file, and its folder, unless it is there. Raises `OSError`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with draft_of(path) as draft, draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def check_trusted(path: Path, owners: Collection[int] = ()) -> None:
    """Looks at a file or a folder that decides what the host does. Raises `NotPrivate` if another
    user may change it, or anybody put something else in its place; `OSError`. `owners` may have it
    besides root and the user of this process."""
    about = path.stat()
    if not (stat.S_ISREG(about.st_mode) or stat.S_ISDIR(about.st_mode)):
        return  # a device or a pipe, that the operator has chosen
    shared = about.st_mode & stat.S_IWGRP and not _is_private_group(about.st_gid)
    if about.st_mode & stat.S_IWOTH or shared:
        raise NotPrivate(WRITABLE)
    if about.st_uid not in (0, os.geteuid(), *owners):
        raise NotPrivate("belongs to another user; run chown on it")
    for folder in {path.absolute().parent, path.resolve().parent}:
        # With the sticky bit, as in /tmp, others can neither rename it nor remove it. Settings that
        # a container is given have mode 777, and are on a disk that nobody can write to.
        if (
            folder.stat().st_mode & (stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWOTH
            and not os.statvfs(folder).f_flag & os.ST_RDONLY
        ):
            raise NotPrivate(f"anybody can put something else in its place; chmod o-w {folder}")


def check_tree_trusted(path: Path) -> None:
    """`check_trusted` for a file, or for a folder and all that is in it."""
    check_trusted(path)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            inside = Path(folder, name)
            try:
                check_trusted(inside)
            except FileNotFoundError:
                continue  # a link to nothing
            except NotPrivate as problem:
                raise NotPrivate(f"{inside.relative_to(path)}: {problem}") from None


def _is_private_group(gid: int) -> bool:
    """Whether the group is that of the host's user alone, as Debian makes one for everybody: with
    it, files that the group may write to are as private as others."""
    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
    except KeyError:
        return False
    return user.pw_gid == gid and group.gr_name == user.pw_name and not group.gr_mem


def read_private(path: Path, limit: int) -> bytes:
    """The first `limit` bytes of a file that only the user of the host may read. Raises
    `NotPrivate`, `OSError`."""
    return _read(path, limit, 0o077, "others can read it (mode {mode:o}); run chmod 600")


def read_trusted(path: Path, limit: int) -> bytes:
    """The same of a file that only the user of the host may write to."""
    return _read(path, limit, 0o022, WRITABLE)


def _read(path: Path, limit: int, forbidden: int, reason: str) -> bytes:
    """The beginning of a file that has none of the `forbidden` bits in its mode."""
    # Nonblocking, so that a named pipe in its place cannot hold anybody up.
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise NotPrivate("is not a regular file")
        if about.st_mode & forbidden:
            raise NotPrivate(reason.format(mode=about.st_mode & 0o777))
        if about.st_uid not in (0, os.geteuid()):
            raise NotPrivate("belongs to another user")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(handle)
