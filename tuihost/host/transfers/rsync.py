"""rsync, if it is installed: the real program, held in one folder by the kernel.

`core.rsync_args` decides which options it gets, and `helpers.landlock` which files it can reach:
whatever a client makes it believe, that is one folder of its person. It writes a file under another
name and then renames it, as sftp does here, so a copy that is cut short leaves no half-written
file.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress

from tuihost.core.budget.ledger import FREE, Exceeded, Kind, Share
from tuihost.core.rsync_args import RSYNC, SERVER, Refused, RsyncArgs
from tuihost.errors import Disconnected
from tuihost.files.client_paths import Matching, literal, names_in
from tuihost.files.disk import DEEPEST, DiskTree
from tuihost.files.quota import Key
from tuihost.files.tree import FileError, Folders, Names, path_of
from tuihost.host.budget.budget import take_together
from tuihost.host.helpers import landlock
from tuihost.session.turns import Waiting
from tuihost.text import clean
from tuihost.tui.running.command_stages import Signalled

CHUNK = 262_144
PIECE = 65_536  # bytes from the client at a time
EXPANSION = 100  # times that compressed data may grow
CHECK_EVERY = 0.25  # seconds between two checks of the quota
ENDED, NOT_ALL = 20, 23  # exit statuses of rsync: ended by a signal, not everything was copied
CLOCK_TICK = 0.05  # seconds by which the clock of a file system may be behind
MAX_ERRORS = 8192  # bytes of rsync's error output
IDLE = 600.0  # seconds in which nothing moves, either way
DESCRIPTORS, THREADS = 3, 2  # of a run: its pipes, and who feeds and hears it
END_AFTER = 2.0  # seconds to end by itself
MODES = "--chmod=u-s,g-s,o-t,u+rw,Du+x"  # what a mode may be by sftp, too
SEARCHED = "/usr/local/bin:/usr/bin:/bin"

Read = Callable[[int], bytes]
Write = Callable[[bytes], None]


class RsyncRun:
    """One run of rsync for one person, taken from their `share`. Thread: the program's."""

    def __init__(
        self, folders: Folders, args: RsyncArgs, read: Read, write: Write, share: Share = FREE
    ) -> None:
        self._args = args
        self._share = share
        self._read = read
        self._write = write
        self._tree, self._place, self._paths = _tree_of(folders, args)
        if not args.sender and not self._tree.writable:
            raise Refused("nothing can be changed there")
        self.full = self.too_deep = self.idle = False
        self.received = 0
        self._moved = time.monotonic()

    def run(self) -> tuple[int, str]:
        """Its exit status and its error output. Raises `Refused` if rsync is not installed or too
        many run already, and whatever `read` and `write` raise."""
        taken = take_together(
            self._share,
            (Kind.TRANSFERS, 1),
            (Kind.DESCRIPTORS, DESCRIPTORS),
            (Kind.THREADS, THREADS),
        )
        if isinstance(taken, Exceeded):
            raise Refused(taken.sentence)
        with taken, self._tree.quota.watching() as others:
            return self._run(others)

    def _run(self, others: Collection[Key]) -> tuple[int, str]:
        started = time.time() - CLOCK_TICK
        process = self._start()
        errors: list[bytes] = []
        listener = threading.Thread(
            target=_read_errors, args=(process, errors), name="rsync-errors", daemon=True
        )
        feeder = threading.Thread(
            target=self._feed, args=(process,), name="rsync-feed", daemon=True
        )
        try:
            _start_both(listener, feeder)
            self._pass_on(process)
        finally:
            stop(process)
            if listener.ident is not None:
                listener.join()
            unfed = process.stdin if feeder.ident is None else None  # else the feeder closes it
            for pipe in filter(None, (process.stdout, process.stderr, unfed)):
                pipe.close()
            self._tree.quota.recount()
            if not self._args.sender:
                self._keep_what_fits(started, others)
        text = b"".join(errors).decode("utf-8", "replace")
        text = text.replace(str(self._tree.root), self._place)  # as everything else calls it
        status = process.returncode if process.returncode >= 0 else ENDED
        return status or (NOT_ALL if self.full or self.too_deep else 0), text

    def _pass_on(self, process: subprocess.Popen[bytes]) -> None:
        """Hands the client what rsync says, up to its end. Ends rsync as soon as it is seen to have
        gone past the limits, whether or not anything comes from the client."""
        assert process.stdout is not None
        out, looked = process.stdout.fileno(), time.monotonic()
        said = select.poll()
        said.register(out, select.POLLIN)
        while True:
            with Waiting():
                ready = said.poll(CHECK_EVERY * 1000)
            if ready:
                data = os.read(out, CHUNK)
                if not data:
                    return
                self._write(data)
                self._moved = time.monotonic()
            if time.monotonic() - self._moved > IDLE:
                self.idle = True
                process.terminate()
                return
            if not self._args.sender and time.monotonic() - looked >= CHECK_EVERY:
                self._tree.quota.recount()
                looked = time.monotonic()
                if self._tree.quota.exceeded():
                    self.full = True
                    process.terminate()
                    return

    def _keep_what_fits(self, started: float, others: Collection[Key]) -> None:
        """Removes what this run has made too deep, or past the limits: the latest first. rsync can
        make a long file out of a few bytes, so it may have gone past them between two checks. What
        came in other ways meanwhile stays: there was room for it."""
        tree = self._tree
        with tree.quota.held():
            made = tree.changed_since(started, others)
            deep = [names for names in made if len(names) > DEEPEST]
            self.too_deep = bool(deep)
            for names in sorted({names[: DEEPEST + 1] for names in deep}):
                tree.remove_all(names)
            # Twice: a folder counts as changed later than what is in it.
            for names in (*reversed(made), *sorted(made, key=len, reverse=True)):
                if not tree.quota.exceeded():
                    return
                self.full = True
                with suppress(FileError):  # a folder that is not empty, or gone by now
                    (tree.remove_folder if tree.info(names).folder else tree.remove)(names)

    def _start(self) -> subprocess.Popen[bytes]:
        program = shutil.which(RSYNC, path=SEARCHED)
        if program is None or not landlock.version():
            raise Refused("rsync is not available on this host; use sftp or scp")
        quota, sender = self._tree.quota, self._args.sender
        with quota.held():
            left = max(0, quota.most - quota.used + quota.spare()[0])
        how = [str(self._tree.root), "ro" if sender else "rw", str(left)]
        words = [program, SERVER, "--sender" if sender else MODES, *self._args.options]
        try:
            return subprocess.Popen(
                [sys.executable, "-I", landlock.__file__, *how, *words, ".", *self._paths],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={"PATH": SEARCHED, "LANG": "C.UTF-8"},
                start_new_session=True,
            )
        except OSError as error:  # too many processes or descriptors, too little memory
            raise Refused(f"rsync cannot be started: {error.strerror}; try again later") from None

    def _feed(self, process: subprocess.Popen[bytes]) -> None:
        """Hands rsync what the client sends, and checks the quota as soon as that could be full. A
        thread of its own, which ends with either of the two."""
        assert process.stdin is not None
        quota, since, looked = self._tree.quota, 0, time.monotonic()
        room = quota.most - quota.used
        try:
            with suppress(BrokenPipeError, Disconnected, Signalled), process.stdin as stdin:
                while data := self._read(PIECE):
                    self.received += len(data)
                    self._moved = time.monotonic()
                    stdin.write(data)
                    stdin.flush()
                    since += len(data) * (EXPANSION if self._args.compressed else 1)
                    now = time.monotonic()
                    if not self._args.sender and (since >= room or now - looked >= CHECK_EVERY):
                        room, since, looked = self._room_left(), 0, now
        finally:
            if self.full:
                process.terminate()

    def _room_left(self) -> int:
        """In bytes. Raises `Disconnected` if the quota is exceeded."""
        quota = self._tree.quota
        quota.recount()
        if quota.exceeded():
            self.full = True
            raise Disconnected("there is no room left")
        return quota.most - quota.used


def _tree_of(folders: Folders, args: RsyncArgs) -> tuple[DiskTree, str, list[str]]:
    """The tree that all the paths are in, the path to it, and the paths within it. Raises
    `Refused`."""
    found: list[tuple[DiskTree, str, Names, str]] = []
    matching = Matching(folders) if args.sender else None
    for path in args.paths:
        shown = clean(literal(path), limit=200)
        try:
            for names in _names_of(folders, path, matching):
                tree, inner = folders.innermost(names)
                if not isinstance(tree, DiskTree):
                    raise Refused(f"rsync cannot copy {shown}; use sftp")
                place = path_of(names[: len(names) - len(inner)])
                found.append((tree, place, inner, "/" if path.endswith("/") and inner else ""))
        except FileError as error:
            raise Refused(f"{shown}: {error}") from None
    first, place, *_ = found[0]
    if any(tree.root != first.root for tree, *_ in found):
        raise Refused("rsync copies from one folder at a time here")
    return first, place, ["./" + "/".join(inner) + slash for _, _, inner, slash in found]


def _names_of(folders: Folders, path: str, matching: Matching | None) -> list[Names]:
    """What a path leads to, of a sender by `matching`. As with a shell, a pattern that nothing
    matches stands for itself."""
    matches = matching.names(path) if matching is not None else []
    return matches or [names_in(folders, literal(path), new=matching is None)]


def _read_errors(process: subprocess.Popen[bytes], errors: list[bytes]) -> None:
    assert process.stderr is not None
    room = MAX_ERRORS
    while data := os.read(process.stderr.fileno(), 4096):
        errors.append(data[:room])
        room = max(0, room - len(data))


def _start_both(listener: threading.Thread, feeder: threading.Thread) -> None:
    """Raises `Refused` if there can be no more threads."""
    try:
        listener.start()
        feeder.start()
    except RuntimeError:
        raise Refused("the host has no threads left; try again in a minute") from None


def stop(process: subprocess.Popen[bytes]) -> None:
    """Waits for it to end, and makes it end if it does not."""
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        if number is not None:
            process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_AFTER)
            break
