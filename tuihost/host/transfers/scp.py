"""The old protocol of scp, in which a client runs `scp -t` or `scp -f` on the host (`scp -O`).

The names that a client sends are single names, never paths, and lead nowhere but below the target.
Thread: the program's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tuihost.files.client_paths import NO_FOLDER, Matching, literal, names_in
from tuihost.files.tree import (
    READ,
    REPLACE,
    FileError,
    FileInfo,
    FileTree,
    Names,
    OpenFile,
    Reason,
    checked,
    is_folder,
)
from tuihost.text import clean

CHUNK = 262_144
MAX_LINE = 4096
_HEAD = re.compile(r"([CD])([0-7]{4}) (\d{1,19}) (.+)")
_TIMES = re.compile(r"T(\d{1,12}) \d{1,9} \d{1,12} \d{1,9}")


class _CopyFailed(Exception):
    """The copy cannot go on: the client broke the protocol, or is gone."""


@dataclass(frozen=True, slots=True)
class ScpArgs:
    """The options and paths of `scp`. With `receive` the client sends (-t), else the host (-f)."""

    receive: bool
    recursive: bool
    times: bool
    folder: bool
    paths: tuple[str, ...]


def parse_scp(words: Sequence[str]) -> ScpArgs | None:
    """Reads the words after `scp`. None if this is not how a client runs it."""
    flags: set[str] = set()
    paths: list[str] = []
    for at, word in enumerate(words):
        if word == "--":
            paths += words[at + 1 :]
            break
        if not word.startswith("-") or word == "-":
            paths += words[at:]
            break
        flags |= set(word[1:])
    if not flags <= set("tfrpdvq") or ("t" in flags) == ("f" in flags) or not paths:
        return None
    return ScpArgs("t" in flags, "r" in flags, "p" in flags, "d" in flags, tuple(paths))


class Scp:
    """One copy. `read` gives at most so many bytes, b"" at the end; `write` sends them."""

    def __init__(
        self,
        tree: FileTree,
        args: ScpArgs,
        read: Callable[[int], bytes],
        write: Callable[[bytes], None],
    ) -> None:
        self._tree = tree
        self._args = args
        self._read = read
        self._write = write
        self._buffer = bytearray()
        self._failed = False

    def run(self) -> int:
        """The exit status."""
        try:
            if self._args.receive:
                self._receive_all()
            else:
                self._send_all()
        except _CopyFailed as failure:
            self._warn(str(failure))
        return int(self._failed)

    # ---------------------------------------------------------------- the line

    def _take(self, count: int) -> bytes:
        while not self._buffer:
            data = self._read(CHUNK)
            if not data:
                raise _CopyFailed("the client is gone")
            self._buffer += data
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _line(self) -> str | None:
        """The next line without its end. None if there are no more."""
        line = bytearray()
        while True:
            if not self._buffer:
                data = self._read(CHUNK)
                if not data:
                    return None
                self._buffer += data
            at = self._buffer.find(b"\n")
            part = self._buffer[: at + 1] if at >= 0 else self._buffer[:]
            del self._buffer[: len(part)]
            line += part
            if len(line) > MAX_LINE:
                raise _CopyFailed("a line is too long")
            if at >= 0:
                return line[:-1].decode("utf-8", "surrogateescape")

    def _say_ok(self) -> None:
        self._write(b"\0")

    def _warn(self, text: str) -> None:
        self._failed = True
        self._write(b"\1scp: " + clean(text, limit=300).encode() + b"\n")

    def _expect_ok(self) -> None:
        """Waits for the client's answer. It shows a warning itself; an error ends the copy."""
        match self._take(1):
            case b"\0":
                return
            case b"\1":
                self._line()
                self._failed = True
            case _:
                self._line()
                raise _CopyFailed("the client gave up")

    # ---------------------------------------------------------------- receiving

    @property
    def _target(self) -> str:
        return literal(self._args.paths[0])

    def _receive_all(self) -> None:
        target = names_in(self._tree, self._target, new=True)
        into = is_folder(self._tree, target)
        if (self._args.folder or len(self._args.paths) > 1) and not into:
            raise _CopyFailed(f"{self._target}: that is not a folder")
        self._say_ok()
        self._receive(target, into=into, top=True)

    def _receive(self, place: Names, *, into: bool, top: bool = False) -> None:
        """Receives everything up to the end of this folder, `into` it or under the name `place`."""
        modified: float | None = None
        while (line := self._line()) is not None:
            if line == "E" and not top:
                self._say_ok()
                return
            if times := _TIMES.fullmatch(line):
                modified = float(times[1])
                self._say_ok()
                continue
            head = _HEAD.fullmatch(line)
            if head is None:
                raise _CopyFailed("that line is not part of the scp protocol")
            kind, mode, size, name = head[1], int(head[2], 8), int(head[3]), head[4]
            try:
                names = (*place, checked(name)) if into else place
            except FileError as error:
                raise _CopyFailed(f"{clean(name, limit=80)}: {error}") from None
            if kind == "D":
                self._receive_folder(names)
            elif not into and self._target.endswith("/"):
                self._warn(f"{self._target}: {NO_FOLDER}")
            else:
                self._receive_file(names, mode, size, modified if self._args.times else None)
            modified = None
        if not top:
            raise _CopyFailed("the client is gone")

    def _receive_folder(self, names: Names) -> None:
        if not self._args.recursive:
            raise _CopyFailed("the client sends a folder without -r")
        try:
            if not is_folder(self._tree, names):
                self._tree.make_folder(names)
        except FileError as error:
            raise _CopyFailed(f"{names[-1]}: {error}") from None
        self._say_ok()
        self._receive(names, into=True)

    def _receive_file(self, names: Names, mode: int, size: int, modified: float | None) -> None:
        try:
            file = self._tree.open(names, REPLACE)
        except FileError as error:
            self._warn(f"{_last(names)}: {error}")
            return  # the client skips it
        problem: FileError | None = None
        whole = False
        try:
            self._say_ok()
            done = 0
            while done < size:
                data = self._take(min(CHUNK, size - done))
                if problem is None:
                    try:
                        file.write(done, data)
                    except FileError as error:  # the rest has to be read all the same
                        problem = error
                done += len(data)
            self._expect_ok()
            whole = problem is None
        finally:
            problem = self._close(file, mode, modified, keep=whole) or problem
        if problem is None:
            self._say_ok()
        else:
            self._warn(f"{_last(names)}: {problem}")

    def _close(
        self, file: OpenFile, mode: int, modified: float | None, *, keep: bool
    ) -> FileError | None:
        try:
            if keep:
                file.change(mode=mode & 0o777, modified=modified)
            file.close(keep=keep)
        except FileError as error:
            return error
        return None

    # ---------------------------------------------------------------- sending

    def _send_all(self) -> None:
        self._expect_ok()
        matching = Matching(self._tree)
        for path in self._args.paths:
            try:
                found = matching.names(path)
            except FileError as error:
                self._warn(f"{literal(path)}: {error}")
                continue
            if not found:
                self._warn(f"{literal(path)}: {Reason.NO_SUCH.value}")
            for names in found:
                try:
                    self._send(names, self._tree.info(names))
                except FileError as error:
                    self._warn(f"{_last(names)}: {error}")

    def _send(self, names: Names, info: FileInfo) -> None:
        if info.folder and not self._args.recursive:
            self._warn(f"{_last(names)}: that is a folder")
            return
        if self._args.times:
            self._write(f"T{int(info.modified)} 0 {int(info.modified)} 0\n".encode())
            self._expect_ok()
        if info.folder:
            self._send_folder(names, info)
        else:
            self._send_file(names, info)

    def _send_folder(self, names: Names, info: FileInfo) -> None:
        self._write(_head("D", info.mode, 0, _last(names)))
        self._expect_ok()
        for inner in self._tree.list(names):
            self._send((*names, inner.name), inner)
        self._write(b"E\n")
        self._expect_ok()

    def _send_file(self, names: Names, info: FileInfo) -> None:
        file = self._tree.open(names, READ)
        try:
            self._write(_head("C", info.mode, info.size, _last(names)))
            self._expect_ok()
            done = 0
            while done < info.size:
                data = file.read(done, min(CHUNK, info.size - done))
                if not data:  # it has become shorter: the rest of the announced size is sent
                    data = bytes(min(CHUNK, info.size - done))
                    self._failed = True
                self._write(data)
                done += len(data)
            self._say_ok()
            self._expect_ok()
        finally:
            file.close()


def _head(kind: str, mode: int, size: int, name: str) -> bytes:
    shown = name.replace("\n", "?").encode("utf-8", "surrogateescape")
    return f"{kind}{mode & 0o777:04o} {size} ".encode() + shown + b"\n"


def _last(names: Names) -> str:
    return names[-1] if names else "/"
