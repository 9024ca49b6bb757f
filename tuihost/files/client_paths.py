"""Where the paths lead that people type: a path means the same in every command, to sftp, scp and
rsync, and on a screen."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tuihost.files.name_patterns import name_pattern
from tuihost.files.tree import (
    FileError,
    FileInfo,
    FileTree,
    Names,
    Reason,
    is_folder,
    names_of,
    path_of,
)
from tuihost.phrases import size_of

HOME = "~"
MAX_NAMES = 10_000  # that the patterns of one command line stand for
MAX_BYTES = 500_000  # of these, as paths
MAX_SEEN = 50_000  # files and folders that are looked at for them
FOLDER, NO_FOLDER = "that is a folder", "there is no such folder"


def names_in(
    tree: FileTree,
    path: str,
    *,
    start: Names | None = None,
    new: bool = False,
    new_file: bool = False,
) -> Names:
    """The names that a path leads to, as somebody typed it. Raises `FileError`.

    Without a `/` in front it begins at `start`, by default at the tree's home; `~` and `~/…` lead
    home. If nothing at the root has its first name, what is beside home is meant: `/mine/a` is
    `/files/mine/a`. With `new` the last name may be that of something that is made now, so
    that a `~` there is a name like any other. With `new_file` it is that of a file, so that a path
    that ends in `/` is refused.
    """
    if new_file and path.endswith("/"):
        folder = is_folder(tree, names_in(tree, path, start=start))
        raise FileError(Reason.EXISTS, FOLDER) if folder else FileError(Reason.NO_SUCH, NO_FOLDER)
    first, _, rest = path.partition("/")
    if first == HOME:
        names = names_of(f"./{rest}", tree.home)
    else:
        names = names_of(path, tree.home if start is None else start)
    if (new or new_file) and names[-1:] == (HOME,):
        return (*_meant(tree, names[:-1]), HOME)
    return _meant(tree, names)


def _meant(tree: FileTree, names: Names) -> Names:
    """The same names, but home in place of a `~` that is not there: some clients, such as sftp, put
    the folder that they are in before every path."""
    if HOME in names:
        at = names.index(HOME)
        if not exists(tree, names[: at + 1]):
            return (*tree.home, *names[at + 1 :])
    above = tree.home[:-1]
    if above and names and not exists(tree, names[:1]) and exists(tree, (*above, names[0])):
        return (*above, *names)
    return names


class Matching:
    """What the paths of one command line lead to, which may have the patterns `* ? [ ]` in any of
    their names, as a shell reads them. What patterns may stand for is bounded, for all paths
    together."""

    def __init__(self, tree: FileTree) -> None:
        self._tree = tree
        self._names, self._bytes, self._seen = MAX_NAMES, MAX_BYTES, MAX_SEEN

    def names(self, path: str) -> list[Names]:
        """Everything that a path leads to: a pattern that matches nothing stands for itself. Raises
        `FileError`."""
        places: list[Names] = [()]
        for pattern in names_in(self._tree, path):
            if not set(pattern) & set("*?["):
                places = [(*place, pattern) for place in places]
                continue
            wanted = name_pattern(pattern)
            matches = [
                (*place, info.name)
                for place in places
                if is_folder(self._tree, place)
                for info in self._inside(place)
                if wanted.match(info.name)
                and (pattern.startswith(".") or not info.name.startswith("."))
            ]
            places = matches or [(*place, literal(pattern)) for place in places]
        found = [place for place in places if exists(self._tree, place)]
        if len(found) > 1:  # of a pattern
            self._names -= len(found)
            self._bytes -= sum(len(path_of(place).encode(errors="replace")) for place in found)
        if min(self._names, self._bytes) < 0:
            most = f"{MAX_NAMES:,} names or {size_of(MAX_BYTES)}"
            raise FileError(Reason.FAILED, f"patterns can stand for at most {most} at once")
        return found

    def _inside(self, folder: Names) -> Sequence[FileInfo]:
        found = self._tree.list(folder)
        self._seen -= len(found) + 1
        if self._seen < 0:
            raise FileError(Reason.FAILED, "there are too many files to look through")
        return found


def literal(pattern: str) -> str:
    """The name that a pattern stands for if its signs stand for themselves: `a*` for `a[*]`."""
    return re.sub(r"\[([*?[])\]", r"\1", pattern)


def exists(tree: FileTree, names: Names) -> bool:
    try:
        tree.info(names)
    except FileError:
        return False
    return True
