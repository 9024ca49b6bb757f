"""Where `mv` and `cp` lead, for one file or several, and how files and folders are copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

from tuihost import FileError, FileInfo, Folders, OpenMode, Reason, Session, names_in

from .trees import is_folder, pieces_of, some_files, walk

MAX_COPIED = 10_000  # files and folders in a folder that is copied

Names = tuple[str, ...]


def each_to_last(
    session: Session,
    paths: Sequence[str],
    act: Callable[[Folders, Names, FileInfo, Names], None],
) -> int:
    """Does the same with each path but the last, which is the new name of a single one, or the
    folder for any number of them: what it was, and the names that it gets. A sentence says which of
    them failed, and why; the status is 1."""
    *sources, last = paths
    try:
        tree = some_files(session)
        into = is_folder(tree, names_in(tree, last, new=True))
        if len(sources) > 1 and not into:
            text = "that is not a folder, and several files can only go into a folder"
            raise FileError(Reason.DENIED, text)
    except FileError as error:
        session.error(error.about(last))
        return 1
    status, targets = 0, set[Names]()
    for path in sources:
        about = path
        try:
            source = names_in(tree, path)
            info = tree.info(source)
            about = f"{last.rstrip('/')}/{source[-1]}" if into and source else last
            anything = into or info.folder
            target = names_in(tree, last, new=anything, new_file=not anything)
            target = (*target, *source[-1:]) if into else target
            if target in targets:
                raise FileError(Reason.EXISTS, "one of the others has got that name")
            act(tree, source, info, target)
            targets.add(target)
        except FileError as error:
            session.error(error.about(about))
            status = 1
    return status


def copy(
    tree: Folders, source: Names, info: FileInfo, target: Names, *, folders: bool, replace: bool
) -> None:
    """Copies a file, or with `folders` a folder with everything in it. Raises `FileError`, with the
    name within the folder; what was copied by then stays."""
    if not info.folder:
        _copy_file(tree, source, target, replace=replace)
        return
    if not folders:
        raise FileError(Reason.DENIED, "a folder is copied with -r")
    if target[: len(source)] == source:
        raise FileError(Reason.BAD_NAME, "a folder cannot be copied into itself")
    found = []
    for names, inside in walk(tree, source):
        found.append((names, inside))
        if len(found) > MAX_COPIED:
            raise FileError(Reason.FAILED, "there are too many files in it to copy")
    tree.make_folder(target)
    for names, inside in found:  # each folder before what it holds
        inner = names[len(source) :]
        try:
            if inside.folder:
                tree.make_folder((*target, *inner))
            else:
                _copy_file(tree, names, (*target, *inner), replace=False)
        except FileError as error:
            raise FileError(error.reason, f"{'/'.join(inner)}: {error}") from None


def _copy_file(tree: Folders, source: Names, target: Names, *, replace: bool) -> None:
    if source == target:
        raise FileError(Reason.EXISTS, "that is the same file")
    mode = OpenMode(read=False, write=True, create=True, new=not replace, empty=True)
    with closing(tree.open(source)) as original:
        file, whole, at = tree.open(target, mode), False, 0
        try:
            for data in pieces_of(original):
                file.write(at, data)
                at += len(data)
            whole = True
        finally:
            file.close(keep=whole)
