"""The host's own files, which nobody else may read: made whole, and read with suspicion."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


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


def read_private(path: Path, limit: int) -> bytes:
    """The first `limit` bytes of a file that only the user of the host may read. Raises
    `NotPrivate`, `OSError`."""
    # Nonblocking, so that a named pipe in its place cannot hold anybody up.
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise NotPrivate("is not a regular file")
        if about.st_mode & 0o077:
            raise NotPrivate(f"others can read it (mode {about.st_mode & 0o777:o}); run chmod 600")
        if about.st_uid not in (0, os.geteuid()):
            raise NotPrivate("belongs to another user")
        return os.read(handle, limit)
    finally:
        os.close(handle)
