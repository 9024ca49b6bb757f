"""What a filter reads: the files that it is given, or standard input."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from tuihost import FileError, Session

from .pipes import FileInput

STANDARD_INPUT = "-"
CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Source:
    """One file, or standard input. `label` is its path, or empty if it is the only one. `read`
    gives b"" at the end."""

    label: str
    read: Callable[[], bytes]


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
