"""Each change of a file is reported once it is done, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tuihost.files.disk import DiskTree
from tuihost.files.noted import NotedFolders
from tuihost.files.quota import Quota
from tuihost.files.tree import REPLACE, FileError, Names, OpenMode

A, B, FOLDER = ("shelf", "a"), ("shelf", "b"), ("shelf", "folder")
THERE = b"what was there"


@pytest.fixture
def noted() -> list[tuple[str, Names, int]]:
    return []


@pytest.fixture
def folders(tmp_path: Path, noted: list[tuple[str, Names, int]]) -> NotedFolders:
    (tmp_path / "a").write_bytes(THERE)
    (tmp_path / "folder").mkdir()
    tree = DiskTree(Quota(tmp_path, size=1000, entries=10))
    return NotedFolders({"shelf": tree}, None, lambda *change: noted.append(change))


def write(folders: NotedFolders, names: Names, *, keep: bool = True) -> None:
    file = folders.open(names, REPLACE)
    file.write(0, b"12345")
    file.close(keep=keep)
    file.close()


def read(folders: NotedFolders) -> None:
    file = folders.open(A)
    assert file.read(0, 100) == THERE
    file.close()


CHANGES: dict[str, tuple[Callable[[NotedFolders], object], tuple[str, Names, int] | None]] = {
    "write": (lambda it: write(it, B), ("written", B, 5)),
    "write over": (lambda it: write(it, A), ("written", A, 5)),
    "set the size": (lambda it: it.change(A, size=4), ("written", A, 4)),
    "remove": (lambda it: it.remove(A), ("removed", A, 0)),
    "rename": (lambda it: it.rename(A, B), ("renamed", B, 0)),
    "make a folder": (lambda it: it.make_folder(B), ("made", B, 0)),
    "remove a folder": (lambda it: it.remove_folder(FOLDER), ("removed", FOLDER, 0)),
    "past the tree": (lambda it: it.changed("restored", A, 3), ("restored", A, 3)),
    "write and drop": (lambda it: write(it, B, keep=False), None),
    "read": (read, None),
    "list": (lambda it: it.list(("shelf",)), None),
    "set the mode": (lambda it: it.change(A, mode=0o600), None),
}


@pytest.mark.parametrize("how", CHANGES)
def test_a_change_is_reported_once(
    folders: NotedFolders, noted: list[tuple[str, Names, int]], how: str
) -> None:
    change, expected = CHANGES[how]
    change(folders)
    assert noted == ([] if expected is None else [expected])


REFUSED: tuple[Callable[[NotedFolders], object], ...] = (
    lambda it: it.remove(B),
    lambda it: it.rename(A, FOLDER),
    lambda it: it.make_folder(FOLDER),
    lambda it: it.remove_folder(A),
    lambda it: it.change(B, size=1),
    lambda it: it.open(A, OpenMode(write=True, create=True, new=True)),
    lambda it: it.remove(("shelf",)),
)


@pytest.mark.parametrize("change", REFUSED)
def test_what_is_refused_is_not_reported(
    folders: NotedFolders,
    noted: list[tuple[str, Names, int]],
    change: Callable[[NotedFolders], object],
) -> None:
    with pytest.raises(FileError):
        change(folders)
    assert not noted


def test_a_file_that_cannot_be_kept_is_not_reported(
    folders: NotedFolders, noted: list[tuple[str, Names, int]]
) -> None:
    file = folders.open(B, REPLACE)
    folders.make_folder(B)
    del noted[:]
    with pytest.raises(FileError):
        file.close()
    assert not noted
