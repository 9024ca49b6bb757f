"""Folders that report each change in them, whatever way it comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tuihost.errors import MisuseError
from tuihost.files.tree import READ, FileInfo, FileTree, Folders, Names, OpenFile, OpenMode

Noted = Callable[[str, Names, int], None]
"""Told of each change: what was done, to what, and how many bytes it has now."""


class WrongTree(MisuseError):
    """The tree of `app` gives something that no tree may."""

    def __init__(self, app: str, text: str) -> None:
        super().__init__(text)
        self.app = app


class NotedFolders(Folders):
    """`Folders`, one for each app, whose changes `noted` hears about, each when it is done."""

    def __init__(self, trees: Mapping[str, FileTree], first: str | None, noted: Noted) -> None:
        super().__init__(trees, first)
        self._noted = noted

    def changed(self, what: str, names: Names, size: int = 0) -> None:
        self._noted(what, names, size)

    def list(self, names: Names) -> Sequence[FileInfo]:
        """Raises `WrongTree` where an app lists anything but `FileInfo`."""
        infos = super().list(names)
        if isinstance(infos, Sequence):
            for info in infos:
                if not isinstance(info, FileInfo):
                    kind = type(info).__name__
                    raise WrongTree(names[0], f"`list` should give FileInfo, and gave {kind}")
        return infos

    def open(self, names: Names, mode: OpenMode = READ) -> OpenFile:
        file = super().open(names, mode)
        return _NotedFile(file, self, names) if mode.write else file

    def change(
        self,
        names: Names,
        *,
        size: int | None = None,
        mode: int | None = None,
        modified: float | None = None,
    ) -> None:
        super().change(names, size=size, mode=mode, modified=modified)
        if size is not None:  # times and permissions alone are not worth a line
            self.changed("written", names, size)

    def remove(self, names: Names) -> None:
        super().remove(names)
        self.changed("removed", names)

    def rename(self, old: Names, new: Names, *, replace: bool = False) -> None:
        super().rename(old, new, replace=replace)
        self.changed("renamed", new)

    def make_folder(self, names: Names) -> None:
        super().make_folder(names)
        self.changed("made", names)

    def remove_folder(self, names: Names) -> None:
        super().remove_folder(names)
        self.changed("removed", names)


class _NotedFile:
    """Implements `OpenFile` for one that is being written."""

    def __init__(self, file: OpenFile, folders: NotedFolders, names: Names) -> None:
        self._file = file
        self._folders = folders
        self._names = names
        self._open = True
        # Used for every piece of a copy: nothing in between.
        self.read = file.read
        self.write = file.write
        self.info: Callable[[], FileInfo] = file.info
        self.change = file.change

    def close(self, *, keep: bool = True) -> None:
        if not self._open:
            return
        self._open = False
        size = 0
        try:
            if keep:
                size = self._file.info().size
        finally:
            self._file.close(keep=keep)
        if keep:
            self._folders.changed("written", self._names, size)
