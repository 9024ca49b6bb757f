"""The old protocol of scp, in which a client runs `scp -t` or `scp -f` on the host (`scp -O`).

Names that a client sends are names and no paths, and go nowhere but below the target. Thread: the
program's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

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
    names_of,
)
from tuihost.text import clean

CHUNK = 262_144
MAX_LINE = 4096
_HEAD = re.compile(r"([CD])([0-7]{4}) (\d{1,19}) (.+)")
_TIMES = re.compile(r"T(\d{1,12}) \d{1,9} \d{1,12} \d{1,9}")

Noted = Callable[[str, Names, int], None]


class _Ends(Exception):
    """The client said something that the protocol has no room for, or went away."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`scp` and its words: `sink` receives (-t), otherwise it sends (-f)."""

    sink: bool
    recursive: bool
    times: bool
    folder: bool
    paths: tuple[str, ...]


def asked_of(words: Sequence[str]) -> Asked | None:
    """What a client's `scp` line asks for; None where it is no such line."""
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
    return Asked("t" in flags, "r" in flags, "p" in flags, "d" in flags, tuple(paths))


class Scp:
    """One copy. `read` gives at most so many bytes, b"" at the end; `write` sends."""

    def __init__(
        self,
        tree: FileTree,
        asked: Asked,
        read: Callable[[int], bytes],
        write: Callable[[bytes], None],
        noted: Noted,
    ) -> None:
        self._tree = tree
        self._asked = asked
        self._more = read
        self._write = write
        self._noted = noted
        self._buffer = bytearray()
        self._failed = False

    def run(self) -> int:
        """The exit status."""
        try:
            if self._asked.sink:
                self._sink()
            else:
                self._source()
        except _Ends as end:
            self._complain(str(end))
        return int(self._failed)

    # ---------------------------------------------------------------- the line

    def _take(self, count: int) -> bytes:
        while not self._buffer:
            data = self._more(CHUNK)
            if not data:
                raise _Ends("the client went away")
            self._buffer += data
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _line(self) -> str | None:
        """The next line without its end; None where there are no more."""
        line = bytearray()
        while True:
            if not self._buffer:
                data = self._more(CHUNK)
                if not data:
                    return None
                self._buffer += data
            at = self._buffer.find(b"\n")
            part = self._buffer[: at + 1] if at >= 0 else self._buffer[:]
            del self._buffer[: len(part)]
            line += part
            if len(line) > MAX_LINE:
                raise _Ends("a line is too long")
            if at >= 0:
                return line[:-1].decode("utf-8", "surrogateescape")

    def _well(self) -> None:
        self._write(b"\0")

    def _complain(self, text: str) -> None:
        self._failed = True
        self._write(b"\1scp: " + clean(text, limit=300).encode() + b"\n")

    def _answered(self) -> None:
        """The other side's answer. A warning is theirs to show; an error ends the copy."""
        match self._take(1):
            case b"\0":
                return
            case b"\1":
                self._line()
                self._failed = True
            case _:
                self._line()
                raise _Ends("the client gave up")

    # ---------------------------------------------------------------- receiving

    def _sink(self) -> None:
        target = names_of(self._asked.paths[0], self._tree.home)
        is_folder = self._is_folder(target)
        if (self._asked.folder or len(self._asked.paths) > 1) and not is_folder:
            raise _Ends(f"{self._asked.paths[0]}: that is no folder")
        self._well()
        self._receive(target, into=is_folder, top=True)

    def _is_folder(self, names: Names) -> bool:
        try:
            return self._tree.info(names).folder
        except FileError:
            return False

    def _receive(self, place: Names, *, into: bool, top: bool = False) -> None:
        """What comes until the end of this folder: `place` is where, or what it is to be called."""
        modified: float | None = None
        while (line := self._line()) is not None:
            if line == "E" and not top:
                self._well()
                return
            if times := _TIMES.fullmatch(line):
                modified = float(times[1])
                self._well()
                continue
            head = _HEAD.fullmatch(line)
            if head is None:
                raise _Ends("that is no line of this protocol")
            kind, mode, size, name = head[1], int(head[2], 8), int(head[3]), head[4]
            try:
                names = (*place, checked(name)) if into else place
            except FileError as error:
                raise _Ends(f"{clean(name, limit=80)}: {error}") from None
            if kind == "D":
                self._receive_folder(names)
            else:
                self._receive_file(names, mode, size, modified if self._asked.times else None)
            modified = None
        if not top:
            raise _Ends("the client went away")

    def _receive_folder(self, names: Names) -> None:
        if not self._asked.recursive:
            raise _Ends("a folder came that was not announced")
        try:
            if not self._is_folder(names):
                self._tree.make_folder(names)
        except FileError as error:
            raise _Ends(f"{names[-1]}: {error}") from None
        self._well()
        self._receive(names, into=True)

    def _receive_file(self, names: Names, mode: int, size: int, modified: float | None) -> None:
        try:
            file = self._tree.open(names, REPLACE)
        except FileError as error:
            self._complain(f"{_last(names)}: {error}")
            return  # the client skips it
        problem: FileError | None = None
        whole = False
        try:
            self._well()
            done = 0
            while done < size:
                data = self._take(min(CHUNK, size - done))
                if problem is None:
                    try:
                        file.write(done, data)
                    except FileError as error:  # the rest is read all the same
                        problem = error
                done += len(data)
            self._answered()
            whole = problem is None
        finally:
            problem = self._close(file, mode, modified, keep=whole) or problem
        if problem is None:
            self._noted("written", names, size)
            self._well()
        else:
            self._complain(f"{_last(names)}: {problem}")

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

    def _source(self) -> None:
        self._answered()
        for path in self._asked.paths:
            found = list(self._found(path))
            if not found:
                self._complain(f"{path}: {Reason.NO_SUCH.value}")
            for names in found:
                try:
                    self._send(names, self._tree.info(names))
                except FileError as error:
                    self._complain(f"{_last(names)}: {error}")

    def _found(self, path: str) -> Iterator[Names]:
        """What a path with wildcards in any of its parts leads to."""
        places: list[Names] = [()]
        for pattern in names_of(path, self._tree.home):
            if not set(pattern) & set("*?["):
                places = [(*place, pattern) for place in places]
                continue
            places = [
                (*place, info.name)
                for place in places
                if self._is_folder(place)
                for info in self._tree.list(place)
                if fnmatchcase(info.name, pattern)
                and (pattern.startswith(".") or not info.name.startswith("."))
            ]
        for place in places:
            try:
                self._tree.info(place)
            except FileError:
                continue
            yield place

    def _send(self, names: Names, info: FileInfo) -> None:
        if info.folder and not self._asked.recursive:
            self._complain(f"{_last(names)}: that is a folder")
            return
        if self._asked.times:
            self._write(f"T{int(info.modified)} 0 {int(info.modified)} 0\n".encode())
            self._answered()
        if info.folder:
            self._send_folder(names, info)
        else:
            self._send_file(names, info)

    def _send_folder(self, names: Names, info: FileInfo) -> None:
        self._write(_head("D", info.mode, 0, _last(names)))
        self._answered()
        for inner in self._tree.list(names):
            self._send((*names, inner.name), inner)
        self._write(b"E\n")
        self._answered()

    def _send_file(self, names: Names, info: FileInfo) -> None:
        file = self._tree.open(names, READ)
        try:
            self._write(_head("C", info.mode, info.size, _last(names)))
            self._answered()
            done = 0
            while done < info.size:
                data = file.read(done, min(CHUNK, info.size - done))
                if not data:  # it became shorter meanwhile: what was promised is sent
                    data = bytes(min(CHUNK, info.size - done))
                    self._failed = True
                self._write(data)
                done += len(data)
            self._well()
            self._answered()
        finally:
            file.close()


def _head(kind: str, mode: int, size: int, name: str) -> bytes:
    shown = name.replace("\n", "?").encode("utf-8", "surrogateescape")
    return f"{kind}{mode & 0o777:04o} {size} ".encode() + shown + b"\n"


def _last(names: Names) -> str:
    return names[-1] if names else "/"
