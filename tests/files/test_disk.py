"""Files that apps serve: paths, trees of trees, and one on the disk out of which nothing leads."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.waiting import DEADLINE
from tuihost import DiskTree, FileError, Folders, OpenMode, Quota, Reason, names_of, path_of
from tuihost.errors import MisuseError
from tuihost.files.quota import UNFINISHED
from tuihost.files.tree import READ, REPLACE, Names

KEEP = OpenMode(write=True, create=True)


@pytest.fixture
def quota(tmp_path: Path) -> Quota:
    return Quota(tmp_path / "root", size=1000, entries=10)


@pytest.fixture
def tree(quota: Quota) -> DiskTree:
    return DiskTree(quota)


def put(tree: DiskTree, data: bytes, *names: str, mode: OpenMode = REPLACE) -> None:
    file, whole = tree.open(names, mode), False
    try:
        file.write(0, data)
        whole = True
    finally:
        file.close(keep=whole)


def get(tree: DiskTree, *names: str) -> bytes:
    file = tree.open(names)
    try:
        return file.read(0, 10_000)
    finally:
        file.close()


def names(tree: DiskTree, *where: str) -> list[str]:
    return [one.name for one in tree.list(where)]


# ------------------------------------------------------------------------------------ paths


def test_a_path_for_a_quota_does_not_open_the_whole_machine(tmp_path: Path) -> None:
    """The `root` of a path is `/`."""
    given: Any = tmp_path
    with pytest.raises(MisuseError, match="a DiskTree takes a Quota, not a PosixPath"):
        DiskTree(given)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", ("home",)),
        (".", ("home",)),
        ("a", ("home", "a")),
        ("/a//b/./c/", ("a", "b", "c")),
        ("../x", ("x",)),
        ("../../../x", ("x",)),
        ("/..", ()),
        ("a/../../b", ("b",)),
    ],
)
def test_a_path_is_names(path: str, found: Names) -> None:
    assert names_of(path, ("home",)) == found


@pytest.mark.parametrize("path", ["a\0b", "x" * 256, "é" * 128, "/".join("x" * 40), "\ud800"])
def test_what_can_be_no_path(path: str) -> None:
    with pytest.raises(FileError) as error:
        names_of(path)
    assert error.value.reason is Reason.BAD_NAME


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_no_path_has_a_name_that_leads_elsewhere(path: str) -> None:
    try:
        found = names_of(path, ("a", "b"))
    except FileError:
        return
    assert not {"", ".", ".."} & set(found)
    assert not any("/" in one or "\0" in one for one in found)
    assert names_of(path_of(found)) == found


# ------------------------------------------------------------------------ reading and writing


def test_a_file_is_written_read_and_listed(tree: DiskTree) -> None:
    put(tree, b"hello", "a.txt")
    tree.make_folder(("sub",))
    put(tree, b"inner", "sub", "b.txt")
    assert get(tree, "a.txt") == b"hello"
    assert get(tree, "sub", "b.txt") == b"inner"
    assert [(one.name, one.folder, one.size) for one in tree.list(())] == [
        ("a.txt", False, 5),
        ("sub", True, 0),
    ]


def test_what_is_being_written_has_no_name_yet(tree: DiskTree, quota: Quota) -> None:
    put(tree, b"old", "a")
    file = tree.open(("a",), REPLACE)
    file.write(0, b"new and longer")
    assert get(tree, "a") == b"old"
    assert names(tree) == ["a"]
    file.close(keep=False)
    assert get(tree, "a") == b"old"
    fresh = tree.open(("b",), REPLACE)
    fresh.write(0, b"half")
    fresh.close(keep=False)
    assert names(tree) == ["a"]
    assert os.listdir(quota.root) == ["a"]


def test_a_file_is_changed_in_its_middle(tree: DiskTree) -> None:
    put(tree, b"0123456789", "a")
    file = tree.open(("a",), OpenMode(write=True))
    file.write(3, b"xyz")
    assert file.read(0, 100) == b"012xyz6789"
    file.change(size=8)
    file.write(10, b"!")
    file.close()
    assert get(tree, "a") == b"012xyz67\0\0!"


def test_what_is_added_goes_to_the_end(tree: DiskTree) -> None:
    put(tree, b"one", "a")
    file = tree.open(("a",), OpenMode(write=True, append=True))
    file.write(0, b" two")
    file.close()
    assert get(tree, "a") == b"one two"


def test_new_is_never_over_something(tree: DiskTree, quota: Quota) -> None:
    new = OpenMode(write=True, create=True, new=True)
    first, second = tree.open(("a",), new), tree.open(("a",), new)
    first.close()
    with pytest.raises(FileError) as error:
        second.close()
    assert error.value.reason is Reason.EXISTS
    with pytest.raises(FileError):
        tree.open(("a",), new)
    assert os.listdir(quota.root) == ["a"]


def test_modes_and_times_are_kept_within_bounds(tree: DiskTree) -> None:
    put(tree, b"x", "a")
    tree.change(("a",), mode=0o4777, modified=1000.0)
    info = tree.info(("a",))
    assert (info.mode, info.modified) == (0o777, 1000.0)
    tree.change(("a",), mode=0)
    assert tree.info(("a",)).mode == 0o600, "its owner reads it still"
    put(tree, b"y", "a")
    assert tree.info(("a",)).mode == 0o600, "what is there already keeps its mode"


def test_files_and_folders_move(tree: DiskTree) -> None:
    tree.make_folder(("one",))
    put(tree, b"x", "one", "a")
    put(tree, b"y", "b")
    tree.rename(("one",), ("two",))
    tree.rename(("two", "a"), ("c",))
    with pytest.raises(FileError) as error:
        tree.rename(("b",), ("c",))
    assert error.value.reason is Reason.EXISTS
    tree.rename(("b",), ("c",), replace=True)
    assert (names(tree), get(tree, "c")) == (["c", "two"], b"y")
    for old, new in ((("two",), ("two", "in")), (("c",), ("two",)), (("none",), ("d",))):
        with pytest.raises(FileError):
            tree.rename(old, new, replace=True)
    tree.remove_folder(("two",))
    tree.remove(("c",))
    assert names(tree) == []


@pytest.mark.parametrize("act", ["remove", "remove_folder", "list", "open", "info"])
def test_what_is_not_there(tree: DiskTree, act: str) -> None:
    with pytest.raises(FileError) as error:
        getattr(tree, act)(("none",))
    assert error.value.reason is Reason.NO_SUCH


def test_a_tree_may_be_for_reading_alone(quota: Quota) -> None:
    put(DiskTree(quota), b"x", "a")
    tree = DiskTree(quota, writable=False)
    assert get(tree, "a") == b"x"
    for act in (
        lambda: tree.open(("a",), REPLACE),
        lambda: tree.remove(("a",)),
        lambda: tree.make_folder(("b",)),
        lambda: tree.rename(("a",), ("b",)),
        lambda: tree.change(("a",), mode=0o644),
    ):
        with pytest.raises(FileError) as error:
            act()
        assert error.value.reason is Reason.DENIED


# --------------------------------------------------------------------------- the way out of it


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text("precious")
    return folder


def test_the_folder_is_made_when_it_is_needed(tree: DiskTree, quota: Quota) -> None:
    assert not quota.root.exists()
    put(tree, b"one", "a")
    assert names(tree) == ["a"]
    shutil.rmtree(quota.root)
    quota.forget()
    assert names(tree) == []
    put(tree, b"two", "a")
    assert names(tree) == ["a"], "it may go while somebody is in it"


def test_links_are_not_there(tree: DiskTree, quota: Quota, outside: Path) -> None:
    root = tree.root
    (root / "file").symlink_to(outside / "secret")
    (root / "folder").symlink_to(outside)
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "pipe")
    assert names(tree) == []
    for path in (("file",), ("folder", "secret"), ("folder",), ("loop",), ("pipe",)):
        for act in (tree.info, tree.open, tree.remove):
            with pytest.raises(FileError):
                act(path)
        with pytest.raises(FileError):
            tree.open(path, KEEP)
    with pytest.raises(FileError):
        tree.make_folder(("folder", "new"))
    with pytest.raises(FileError):
        tree.change(("file",), mode=0o777)
    assert (outside / "secret").read_text() == "precious"
    assert os.listdir(outside) == ["secret"]


def test_a_folder_that_becomes_a_link_meanwhile_leads_nowhere(
    tree: DiskTree, quota: Quota, outside: Path
) -> None:
    root, stop = quota.root, threading.Event()
    tree.make_folder(("sub",))
    (root / "sub" / "secret").write_text("mine")

    def swap() -> None:
        while not stop.is_set():
            (root / "sub").rename(root / "aside")
            (root / "sub").symlink_to(outside)
            (root / "sub").unlink()
            (root / "aside").rename(root / "sub")

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(2000):
            with contextlib.suppress(FileError):
                assert get(tree, "sub", "secret") == b"mine"
            with contextlib.suppress(FileError):
                put(tree, b"x", "sub", "new")
    finally:
        stop.set()
        thread.join(DEADLINE)
    assert os.listdir(outside) == ["secret"]


def test_names_of_what_is_unfinished_are_nobodys(tree: DiskTree) -> None:
    name = f"{UNFINISHED}x"
    for act in (tree.info, tree.remove, tree.make_folder):
        with pytest.raises(FileError):
            act((name,))
    with pytest.raises(FileError):
        tree.open((name,), KEEP)


# --------------------------------------------------------------------------------- the room


def test_the_room_is_counted_and_given_back(tree: DiskTree, quota: Quota) -> None:
    put(tree, bytes(600), "a")
    assert (quota.used, quota.count) == (600, 1)
    with pytest.raises(FileError) as error:
        put(tree, bytes(500), "b")
    assert error.value.reason is Reason.NO_SPACE
    put(tree, bytes(100), "a")
    assert (quota.used, quota.count) == (100, 1)
    put(tree, bytes(500), "b")
    tree.rename(("a",), ("b",), replace=True)
    assert (quota.used, quota.count) == (100, 1)
    tree.remove(("b",))
    assert (quota.used, quota.count) == (0, 0)


def test_holes_count_as_they_are_shown(tree: DiskTree, quota: Quota) -> None:
    file = tree.open(("a",), KEEP)
    with pytest.raises(FileError):
        file.write(10**12, b"x")
    with pytest.raises(FileError):
        file.change(size=10**12)
    file.close(keep=False)
    assert (quota.used, quota.count) == (0, 0)


def test_only_so_many_files(tree: DiskTree) -> None:
    for number in range(10):
        put(tree, b"", f"{number}")
    with pytest.raises(FileError):
        put(tree, b"", "one more")
    with pytest.raises(FileError):
        tree.make_folder(("one more",))


def test_many_that_write_at_once_have_one_bound(quota: Quota) -> None:
    def fill(number: int) -> None:
        file = DiskTree(quota).open((f"{number}",), KEEP)
        try:
            for at in range(500):
                file.write(at, b"x")
        except FileError:
            pass
        file.close()

    threads = [threading.Thread(target=fill, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    sizes = sum(one.size for one in DiskTree(quota).list(()))
    assert sizes == quota.used <= 1000


def test_what_is_there_already_counts(tree: DiskTree, tmp_path: Path) -> None:
    tree.make_folder(("sub",))
    put(tree, bytes(300), "sub", "a")
    again = Quota(tmp_path / "root", size=1000, entries=10)
    assert (again.used, again.count) == (300, 2)


def test_what_nobody_writes_any_more_is_swept_up(tree: DiskTree, tmp_path: Path) -> None:
    root = tree.root
    (root / f"{UNFINISHED}left").write_bytes(bytes(100))
    living = tree.open(("a",), KEEP)
    living.write(0, b"abc")
    again = Quota(root, size=1000, entries=10)
    assert (again.used, again.count) == (3, 1), "what is being written takes room, too"
    living.write(3, b"def")
    again.recount()
    assert again.used == 6
    living.close()
    assert os.listdir(root) == ["a"]


# ----------------------------------------------------------------------------- trees of trees


@pytest.fixture
def both(tmp_path: Path) -> Folders:
    trees = {
        name: DiskTree(Quota(tmp_path / name, size=1000, entries=10)) for name in ("mine", "ours")
    }
    return Folders(trees, "mine")


def test_trees_stand_side_by_side(both: Folders) -> None:
    assert both.home == ("mine",)
    assert [one.name for one in both.list(())] == ["mine", "ours"]
    both.open(("mine", "a"), KEEP).close()
    both.rename(("mine", "a"), ("mine", "b"))
    assert [one.name for one in both.list(("mine",))] == ["b"]
    assert stat.S_IMODE(both.info(("mine", "b")).mode) == 0o644
    for act in (
        lambda: both.rename(("mine", "b"), ("ours", "b")),
        lambda: both.remove_folder(("mine",)),
        lambda: both.make_folder(("new",)),
        lambda: both.rename(("mine",), ("other",)),
        lambda: both.open(("mine",), READ),
        lambda: both.open(("new",), KEEP),
        lambda: both.list(("none",)),
    ):
        with pytest.raises(FileError):
            act()


def test_beside_the_trees_nothing_is_made_and_that_is_said(both: Folders) -> None:
    both.open(("mine", "b"), KEEP).close()
    for make in (
        lambda: both.make_folder(("new",)),
        lambda: both.rename(("mine", "b"), ("new",)),
        lambda: both.open(("new",), KEEP),
    ):
        with pytest.raises(FileError) as refused:
            make()
        assert refused.value.reason is Reason.DENIED
    with pytest.raises(FileError) as missing:
        both.open(("new",), READ)
    assert missing.value.reason is Reason.NO_SUCH
