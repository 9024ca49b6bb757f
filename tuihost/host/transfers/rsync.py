"""rsync, where it is installed: the real program, held in one folder by the kernel.

What it may be asked is judged in `core.sync_args`, where it may go by `confine`: whatever a client
makes it believe, it reaches the folder of its person and nothing else. It writes beside and then
renames, as `sftp` here does: what is cut short leaves nothing under a name that anybody relies on.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from tuihost.core.rsync_args import RSYNC, SERVER, Refused, SyncArgs
from tuihost.errors import Disconnected
from tuihost.files.disk import DiskTree
from tuihost.files.tree import FileError, Folders, Names, names_of
from tuihost.host.transfers import _landlock as confine
from tuihost.text import clean
from tuihost.tui.running.stages import Signalled

CHUNK = 262_144
PIECE = 65_536  # from the client, between two thoughts about the room
DENSE = 100  # times that what is compressed may grow
LOOK_EVERY = 0.25  # seconds between two looks at how much room is left
MAX_ERRORS = 8192  # bytes of what rsync says about its mistakes
MAX_RUNS = 8  # of the whole host at one time
END_AFTER = 2.0  # seconds for it to end by itself
SEARCHED = "/usr/local/bin:/usr/bin:/bin"

_RUNS = threading.BoundedSemaphore(MAX_RUNS)

Read = Callable[[int], bytes]
Write = Callable[[bytes], None]


class Sync:
    """One run of rsync for somebody. Thread: the program's."""

    def __init__(self, shelf: Folders, asked: SyncArgs, read: Read, write: Write) -> None:
        self._asked = asked
        self._read = read
        self._write = write
        self._tree, self._paths = _placed(shelf, asked)
        if not asked.sender and not self._tree.writable:
            raise Refused("nothing can be changed there")
        self.full = False
        self.received = 0

    def run(self) -> tuple[int, str]:
        """Its exit status, and what it said about mistakes. Raises `Refused` where it is not
        there or busy, and what `read` and `write` raise."""
        if not _RUNS.acquire(blocking=False):
            raise Refused("too many copy files by rsync at the moment; try again, or use sftp")
        try:
            return self._run()
        finally:
            _RUNS.release()

    def _run(self) -> tuple[int, str]:
        process = self._start()
        errors: list[bytes] = []
        listener = threading.Thread(
            target=_collect, args=(process, errors), name="rsync-errors", daemon=True
        )
        feeder = threading.Thread(
            target=self._feed, args=(process,), name="rsync-feed", daemon=True
        )
        listener.start()
        feeder.start()
        try:
            assert process.stdout is not None
            while data := os.read(process.stdout.fileno(), CHUNK):
                self._write(data)
        finally:
            _end(process)
            listener.join()
            self._tree.quota.recount()
        text = b"".join(errors).decode("utf-8", "replace").replace(f"{self._tree.root}/", "/")
        return process.returncode if process.returncode >= 0 else 20, text

    def _start(self) -> subprocess.Popen[bytes]:
        program = shutil.which(RSYNC, path=SEARCHED)
        if program is None or not confine.version():
            raise Refused("rsync is not to be had on this host; sftp and scp are")
        quota, sender = self._tree.quota, self._asked.sender
        left = max(0, quota.size - quota.used)
        how = [str(self._tree.root), "ro" if sender else "rw", str(left)]
        words = [program, SERVER, *(["--sender"] if sender else []), *self._asked.options]
        return subprocess.Popen(
            [sys.executable, "-I", confine.__file__, *how, *words, ".", *self._paths],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": SEARCHED, "LANG": "C.UTF-8"},
            start_new_session=True,
        )

    def _feed(self, process: subprocess.Popen[bytes]) -> None:
        """What the client sends, to rsync; and a look at the room, at the latest where it could
        be full by now. A thread of its own, which ends with either of the two."""
        assert process.stdin is not None
        quota, since, looked = self._tree.quota, 0, time.monotonic()
        room = quota.size - quota.used
        try:
            with process.stdin as stdin, suppress(BrokenPipeError, Disconnected, Signalled):
                while data := self._read(PIECE):
                    self.received += len(data)
                    stdin.write(data)
                    stdin.flush()
                    since += len(data) * (DENSE if self._asked.compressed else 1)
                    now = time.monotonic()
                    if not self._asked.sender and (since >= room or now - looked >= LOOK_EVERY):
                        room, since, looked = self._room_left(), 0, now
        finally:
            if self.full:
                process.terminate()

    def _room_left(self) -> int:
        """In bytes. Raises `Disconnected` where too much is there already."""
        quota = self._tree.quota
        quota.recount()
        if quota.used > quota.size or quota.count > quota.entries:
            self.full = True
            raise Disconnected("there is no room left")
        return quota.size - quota.used


def _placed(shelf: Folders, asked: SyncArgs) -> tuple[DiskTree, list[str]]:
    """The one folder that all paths lie in, and the paths from there. Raises `Refused`."""
    found: list[tuple[DiskTree, Names, str]] = []
    for path in asked.paths:
        try:
            tree, inner = shelf.innermost(names_of(path, shelf.home))
        except FileError as error:
            raise Refused(f"{clean(path, limit=200)}: {error}") from None
        if not isinstance(tree, DiskTree):
            raise Refused(f"rsync does not reach {clean(path, limit=200)}; sftp does")
        found.append((tree, inner, "/" if path.endswith("/") and inner else ""))
    first = found[0][0]
    if any(tree.root != first.root for tree, _, _ in found):
        raise Refused("one folder at a time, please")
    return first, ["./" + "/".join(inner) + slash for _, inner, slash in found]


def _collect(process: subprocess.Popen[bytes], errors: list[bytes]) -> None:
    assert process.stderr is not None
    room = MAX_ERRORS
    while data := os.read(process.stderr.fileno(), 4096):
        errors.append(data[:room])
        room = max(0, room - len(data))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Sees to it that it has ended: by itself, or by being told to."""
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        if number is not None:
            process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_AFTER)
            break
    if process.stdout is not None:
        process.stdout.close()
