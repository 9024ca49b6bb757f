"""Where the paths lead that people type: a path means the same in every command, to sftp, scp and
rsync, and on a screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import translate

from tuihost.files.tree import FileError, FileTree, Names, Reason, is_folder, names_of

HOME = "~"
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


def matching(tree: FileTree, path: str) -> Iterator[Names]:
    """Everything that a path leads to, which may have the patterns `* ? [ ]` in any of its names,
    as a shell reads them: one that matches nothing stands for itself. Raises `FileError`."""
    places: list[Names] = [()]
    for pattern in names_in(tree, path):
        if not set(pattern) & set("*?["):
            places = [(*place, pattern) for place in places]
            continue
        wanted = _compiled(pattern)
        matches = [
            (*place, info.name)
            for place in places
            if is_folder(tree, place)
            for info in tree.list(place)
            if wanted.match(info.name)
            and (pattern.startswith(".") or not info.name.startswith("."))
        ]
        places = matches or [(*place, literal(pattern)) for place in places]
    yield from (place for place in places if exists(tree, place))


_CLASSES = {
    "[:alpha:]": "a-zA-Z",
    "[:digit:]": "0-9",
    "[:alnum:]": "a-zA-Z0-9",
    "[:lower:]": "a-z",
    "[:upper:]": "A-Z",
    "[:xdigit:]": "0-9a-fA-F",
    "[:blank:]": " \t",
    "[:space:]": " \t\n\r\f\v",
}
"""Classes of characters inside brackets (POSIX.1-2017, XBD 9.3.5), in ASCII."""


def _compiled(pattern: str) -> re.Pattern[str]:
    for name, characters in _CLASSES.items():
        pattern = pattern.replace(name, characters)
    # Not by fnmatch itself, which keeps thousands of patterns.
    return re.compile(translate(pattern.replace("[^", "[!")))


def literal(pattern: str) -> str:
    """The name that a pattern stands for if its signs stand for themselves: `a*` for `a[*]`."""
    return re.sub(r"\[([*?[])\]", r"\1", pattern)


def exists(tree: FileTree, names: Names) -> bool:
    try:
        tree.info(names)
    except FileError:
        return False
    return True
