"""What a filter reads: the files that it is given, or standard input."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from tuihost import FileError, Session, TookTooMuch, size_of

from .pipes import FileInput

STANDARD_INPUT = "-"
CHUNK = 65_536
MAX_LINE = 1_000_000  # bytes of a line that is looked at as a whole
UNCOUNTED, LINE_COST = 65_536, 3  # bytes of it that cost nothing; what each costs beyond


@dataclass(frozen=True, slots=True)
class Source:
    """One file, or standard input. `label` is its path, or empty if it is the only one. `read`
    gives b"" at the end."""

    label: str
    read: Callable[[], bytes]

    def pieces(self) -> Iterator[bytes]:
        """What is in it, without a byte order mark in front."""
        start = b""
        while chunk := self.read():
            start += chunk
            if len(start) >= len(BOM_UTF8):
                break
        yield start.removeprefix(BOM_UTF8)
        yield from iter(self.read, b"")

    def lines(self, session: Session) -> Iterator[list[bytes]]:
        """Its lines without their ends, as many at a time as have come. Raises `TookTooMuch` at a
        line of more than `MAX_LINE`."""
        rest = b""
        with session.hold() as held:
            for piece in self.pieces():
                *whole, rest = (rest + piece).split(b"\n")
                yield whole
                if len(rest) > MAX_LINE:
                    about = f"{self.label}: " if self.label else ""
                    raise TookTooMuch(f"{about}a line of more than {size_of(MAX_LINE)} is too long")
                held.set(LINE_COST * len(rest) if len(rest) > UNCOUNTED else 0)
            if rest:
                yield [rest]

    def beginnings(self, most: int) -> Iterator[list[bytes]]:
        """The same with no more than about `most` bytes of each line, however long it is."""
        rest = b""
        for piece in self.pieces():
            *whole, rest = (rest + piece).split(b"\n")
            rest = rest[:most]
            yield whole
        if rest:
            yield [rest]


class Sources:
    """The files at `paths` as the person sees them in `sftp`, one after the other; standard input
    for `-`, and if there are none. A sentence says what could not be read; then `status` is 1."""

    def __init__(self, session: Session, paths: Sequence[str]) -> None:
        self.status = 0
        self._session = session
        self._paths = paths or (STANDARD_INPUT,)

    def __iter__(self) -> Iterator[Source]:
        for path in self._paths:
            label = path if len(self._paths) > 1 else ""
            if path == STANDARD_INPUT:
                yield Source(label, self._session.read)
                continue
            try:
                file = self._opened(path)
            except FileError as error:
                self._failed(path, error)
                continue
            with closing(file):
                yield Source(label, self._reader(path, file))

    def _opened(self, path: str) -> FileInput:
        other_apps = self._session.other_apps
        assert other_apps is not None, "the host gives every app the others"
        return FileInput(other_apps.files(), path)

    def _reader(self, path: str, file: FileInput) -> Callable[[], bytes]:
        def read() -> bytes:
            try:
                return file.read(CHUNK)
            except FileError as error:
                self._failed(path, error)
                return b""

        return read

    def _failed(self, path: str, error: FileError) -> None:
        self.status = 1
        self._session.error(error.about(path))
