"""All files that somebody sees, those of every app, and the way through them."""

from __future__ import annotations

from collections.abc import Iterator

from tuihost import FileError, FileInfo, Folders, OpenFile, Reason, Session

from .folders import NOT_YOURS

CHUNK = 262_144  # bytes that are read at a time


def all_files(session: Session) -> Folders:
    """The files of all apps, as sftp shows them: so that a path is the same everywhere."""
    assert session.other_apps is not None, "the host gives every app the others"
    return session.other_apps.files()


def some_files(session: Session) -> Folders:
    """The same. Raises `FileError` if their roles allow none of them."""
    tree = all_files(session)
    if not tree.list(()):
        raise FileError(Reason.DENIED, NOT_YOURS[:1].lower() + NOT_YOURS[1:-1])
    return tree


def is_folder(tree: Folders, names: tuple[str, ...]) -> bool:
    try:
        return tree.info(names).folder
    except FileError:
        return False


def walk(tree: Folders, start: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], FileInfo]]:
    """Everything below a folder, without the folder itself."""
    waiting = [start]
    while waiting:
        here = waiting.pop()
        for info in tree.list(here):
            names = (*here, info.name)
            yield names, info
            if info.folder:
                waiting.append(names)


def pieces_of(file: OpenFile) -> Iterator[bytes]:
    """What is in a file, a piece at a time."""
    at = 0
    while data := file.read(at, CHUNK):
        yield data
        at += len(data)
