"""Where the paths lead that people type: `~` and patterns mean the same to sftp, scp and rsync."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import translate

from tuihost.files.tree import FileError, FileTree, Names, names_of

HOME = "~"


def typed(tree: FileTree, path: str) -> Names:
    """The names in a path from a client. `~` and `~/…` lead home. Raises `FileError`."""
    first, _, rest = path.partition("/")
    if first != HOME:
        return names_of(path, tree.home)
    return names_of(f"./{rest}", tree.home)


def found(tree: FileTree, names: Names) -> Names:
    """The same names, but home in place of a `~` that is not there: some clients, such as sftp, put
    the folder that they are in before every path."""
    if HOME in names:
        at = names.index(HOME)
        if not exists(tree, names[: at + 1]):
            return (*tree.home, *names[at + 1 :])
    return names


def matching(tree: FileTree, path: str) -> Iterator[Names]:
    """Everything that a path leads to, which may have the patterns `* ? [ ]` in any of its names,
    as a shell reads them. Raises `FileError`."""
    places: list[Names] = [()]
    for pattern in typed(tree, path):
        if not set(pattern) & set("*?["):
            places = [(*place, pattern) for place in places]
            continue
        # Not by fnmatch itself, which keeps thousands of patterns.
        wanted = re.compile(translate(pattern))
        places = [
            (*place, info.name)
            for place in places
            if is_folder(tree, place)
            for info in tree.list(place)
            if wanted.match(info.name)
            and (pattern.startswith(".") or not info.name.startswith("."))
        ]
    yield from (place for place in places if exists(tree, place))


def exists(tree: FileTree, names: Names) -> bool:
    try:
        tree.info(names)
    except FileError:
        return False
    return True


def is_folder(tree: FileTree, names: Names) -> bool:
    try:
        return tree.info(names).folder
    except FileError:
        return False
