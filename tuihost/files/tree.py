"""Files that an app serves: what people see in `sftp` and `scp`, and the errors that they get.

An app's method `files` returns a `FileTree`, and the host shows it in a folder with the app's
name. A path is a tuple of `Names` from the root of the tree. They are checked already: never empty,
`.` or `..`, and never with a `/` or a NUL. `DiskTree` (tuihost.files.disk) is a tree on the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol, runtime_checkable

from tuihost.errors import TuihostError
from tuihost.text import clean

Names = tuple[str, ...]

MAX_NAME = 255  # bytes of one name, as on most file systems
MAX_DEPTH = 32
_PATTERN = frozenset("*?[")


class Reason(Enum):
    """Why something could not be done with a file, in words for the person."""

    NO_SUCH = "there is no such file"
    DENIED = "that is not allowed"
    EXISTS = "that name is taken already"
    NOT_EMPTY = "the folder is not empty"
    NO_SPACE = "there is no room left"
    BAD_NAME = "that is not a valid file name"
    NOT_SUPPORTED = "that is not possible here"
    FAILED = "the host could not do that"


class FileError(TuihostError):
    """Something could not be done with a file. The text is for the person."""

    def __init__(self, reason: Reason, text: str = "") -> None:
        super().__init__(text or reason.value)
        self.reason = reason

    def about(self, path: str) -> str:
        """The same as a sentence about a path, as somebody typed it; it may be empty."""
        if not path:
            return f"{str(self)[:1].upper()}{str(self)[1:]}."
        hint = ""
        if self.reason is Reason.NO_SUCH and not _PATTERN.isdisjoint(path):
            hint = " In the shell, a pattern without quotes stands for the files that fit it."
        return f"{clean(path, limit=200)}: {self}.{hint}"


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file or a folder. `size` in bytes, `modified` in Unix time, `mode` nine permission bits."""

    name: str
    folder: bool = False
    size: int = 0
    modified: float = 0.0
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class OpenMode:
    """How a file is opened. `new`: it must not exist yet. `empty`: its content is thrown away."""

    read: bool = True
    write: bool = False
    create: bool = False
    new: bool = False
    empty: bool = False
    append: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """How much a tree may hold, and what it holds: bytes, and files and folders together."""

    size: int
    used: int
    entries: int
    count: int
    writable: bool = True


READ = OpenMode()
REPLACE = OpenMode(read=False, write=True, create=True, empty=True)


class OpenFile(Protocol):
    """An open file. Used by one thread. Every method may raise `FileError`."""

    def read(self, offset: int, size: int) -> bytes:
        """At most `size` bytes from `offset` on; b"" at the end and beyond."""

    def write(self, offset: int, data: bytes) -> None:
        """Writes all of `data` at `offset`."""

    def info(self) -> FileInfo: ...

    def change(
        self, *, size: int | None = None, mode: int | None = None, modified: float | None = None
    ) -> None: ...

    def close(self, *, keep: bool = True) -> None:
        """Closes it; a second call does nothing. What was written appears under its name now, or
        never without `keep`."""


class FileTree(Protocol):
    """Files and folders. Threads: one at a time. Every method may raise `FileError`."""

    @property
    def home(self) -> Names:
        """The folder that somebody starts in."""

    def info(self, names: Names) -> FileInfo: ...

    def list(self, names: Names) -> Sequence[FileInfo]: ...

    def open(self, names: Names, mode: OpenMode = READ) -> OpenFile: ...

    def change(
        self,
        names: Names,
        *,
        size: int | None = None,
        mode: int | None = None,
        modified: float | None = None,
    ) -> None: ...

    def remove(self, names: Names) -> None: ...

    def rename(self, old: Names, new: Names, *, replace: bool = False) -> None: ...

    def make_folder(self, names: Names) -> None: ...

    def remove_folder(self, names: Names) -> None: ...


@runtime_checkable
class Measured(Protocol):
    """A `FileTree` that knows its bounds, which programs such as `df` show."""

    def room(self, names: Names) -> Room:
        """Of everything around these names. Raises `FileError`."""


def names_of(path: str, start: Names = ()) -> Names:
    """The names in a path as people write it. It starts at `start` unless it begins with a `/`, and
    `..` at the root stays there. Raises `FileError` if it cannot be a path."""
    names = [] if path.startswith("/") else list(start)
    for name in path.split("/"):
        if name == "..":
            del names[-1:]
        elif name not in ("", "."):
            names.append(checked(name))
    if len(names) > MAX_DEPTH:
        raise FileError(Reason.BAD_NAME, "the path is too deep")
    return tuple(names)


def checked(name: str) -> str:
    """The name itself. Raises `FileError` if no file can be called so."""
    try:
        size = len(name.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        raise FileError(Reason.BAD_NAME) from None
    if size > MAX_NAME:
        raise FileError(Reason.BAD_NAME, f"that name is too long; {MAX_NAME} bytes are the most")
    if not size or "/" in name or "\0" in name or name in (".", ".."):
        raise FileError(Reason.BAD_NAME)
    return name


def path_of(names: Names) -> str:
    """The path of these names from the root."""
    return "/" + "/".join(names)


def read_only() -> FileError:
    """The error of a tree that nobody may change."""
    return FileError(Reason.DENIED, "nothing can be changed here")


class ReadOnlyTree:
    """A tree that refuses every change. A subclass has to write `info`, `list` and `open`."""

    home: Names = ()
    writable = False

    def change(
        self,
        names: Names,
        *,
        size: int | None = None,
        mode: int | None = None,
        modified: float | None = None,
    ) -> None:
        raise read_only()

    def remove(self, names: Names) -> None:
        raise read_only()

    def rename(self, old: Names, new: Names, *, replace: bool = False) -> None:
        raise read_only()

    def make_folder(self, names: Names) -> None:
        raise read_only()

    def remove_folder(self, names: Names) -> None:
        raise read_only()


class UnchangingTree(ReadOnlyTree):
    """Another tree, of which nothing can be changed."""

    def __init__(self, tree: FileTree) -> None:
        self._tree = tree
        self.home = tree.home

    def info(self, names: Names) -> FileInfo:
        return self._tree.info(names)

    def list(self, names: Names) -> Sequence[FileInfo]:
        return self._tree.list(names)

    def open(self, names: Names, mode: OpenMode = READ) -> OpenFile:
        if mode != READ:
            raise read_only()
        return self._tree.open(names)

    def room(self, names: Names) -> Room:
        """As the tree says, if it does."""
        if not isinstance(self._tree, Measured):
            raise FileError(Reason.NOT_SUPPORTED)
        return replace(self._tree.room(names), writable=False)


def is_folder(tree: FileTree, names: Names) -> bool:
    """Whether there is a folder; False also if it may not be seen."""
    try:
        return tree.info(names).folder
    except FileError:
        return False


class Folders:
    """A `FileTree` made of others, each in a folder with its name. People start at the home of the
    tree called `first`. The folders themselves cannot be changed."""

    def __init__(self, trees: Mapping[str, FileTree], first: str | None = None) -> None:
        self._trees = trees
        self.home: Names = (first, *trees[first].home) if first in trees and first else ()

    def innermost(self, names: Names) -> tuple[FileTree, Names]:
        """The tree that holds these names, and the names within it. Raises `FileError`."""
        tree, inner = self._within(names)
        return tree.innermost(inner) if isinstance(tree, Folders) else (tree, inner)

    def mapped(self, change: Callable[[FileTree], FileTree]) -> Folders:
        """The same folders, each with what `change` makes of its tree."""
        folders = Folders({name: change(tree) for name, tree in self._trees.items()})
        folders.home = self.home
        return folders

    def changed(self, what: str, names: Names, size: int = 0) -> None:
        """Reports a change that an app makes past these folders, such as to a bin: `what` was done,
        to what, and how many bytes it has now. They report every other change themselves, if they
        are those of `OtherApps.files`; others report to nobody."""

    def _within(self, names: Names) -> tuple[FileTree, Names]:
        if not names:
            raise read_only()
        tree = self._trees.get(names[0])
        if tree is None:
            raise FileError(Reason.NO_SUCH)
        return tree, names[1:]

    def _inside(self, names: Names) -> tuple[FileTree, Names]:
        """The same for a change: the folder of the tree itself cannot be changed."""
        tree, inner = self._within(names)
        if not inner:
            raise read_only()
        return tree, inner

    def _inside_new(self, names: Names) -> tuple[FileTree, Names]:
        """The same for something that is not there yet."""
        if len(names) == 1 and names[0] not in self._trees:
            raise read_only()
        return self._inside(names)

    def info(self, names: Names) -> FileInfo:
        if not names:
            return FileInfo("", folder=True, mode=0o755)
        tree, inner = self._within(names)
        return tree.info(inner) if inner else FileInfo(names[0], folder=True, mode=0o755)

    def room(self, names: Names) -> Room:
        """Of the tree that holds these names; above all trees, of the one that people start in."""
        tree, _ = self._within(names or self.home)
        if not isinstance(tree, Measured):
            raise FileError(Reason.NOT_SUPPORTED)
        return tree.room(names[1:])

    def list(self, names: Names) -> Sequence[FileInfo]:
        if not names:
            return [FileInfo(name, folder=True, mode=0o755) for name in sorted(self._trees)]
        tree, inner = self._within(names)
        return tree.list(inner)

    def open(self, names: Names, mode: OpenMode = READ) -> OpenFile:
        if not names or (len(names) == 1 and names[0] in self._trees):
            if mode.write and names and not getattr(self._trees[names[0]], "writable", True):
                raise read_only()  # as anywhere within
            raise FileError(Reason.EXISTS, "that is a folder")
        tree, inner = self._inside_new(names) if mode.create else self._within(names)
        try:
            return tree.open(inner, mode)
        except FileError as error:
            if error.reason is Reason.NO_SUCH and is_folder(tree, inner):
                raise FileError(Reason.EXISTS, "that is a folder") from None
            raise

    def change(
        self,
        names: Names,
        *,
        size: int | None = None,
        mode: int | None = None,
        modified: float | None = None,
    ) -> None:
        tree, inner = self._inside(names)
        tree.change(inner, size=size, mode=mode, modified=modified)

    def remove(self, names: Names) -> None:
        tree, inner = self._inside(names)
        tree.remove(inner)

    def rename(self, old: Names, new: Names, *, replace: bool = False) -> None:
        tree, inner = self._inside(old)
        other, target = self._inside_new(new)
        if tree is not other:
            raise FileError(
                Reason.NOT_SUPPORTED, "files cannot be moved between these two folders: copy them"
            )
        tree.rename(inner, target, replace=replace)

    def make_folder(self, names: Names) -> None:
        tree, inner = self._inside_new(names)
        tree.make_folder(inner)

    def remove_folder(self, names: Names) -> None:
        tree, inner = self._inside(names)
        tree.remove_folder(inner)
