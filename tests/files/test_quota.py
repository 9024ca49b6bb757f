"""What a quota counts is what is on the disk, whoever does what to it in which order."""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.waiting import DEADLINE
from tuihost import DiskTree, FileError, OpenMode, Quota, Reason, SharedRoom
from tuihost.files.tree import REPLACE, Names

KEEP = OpenMode(write=True, create=True)
NOBODY = 65_534


@pytest.fixture
def quota(tmp_path: Path) -> Quota:
    return Quota(tmp_path / "root", size=1000, entries=10)


@pytest.fixture
def tree(quota: Quota) -> DiskTree:
    return DiskTree(quota)


def put(tree: DiskTree, names: Names, size: int, mode: OpenMode = REPLACE) -> None:
    file, whole = tree.open(names, mode), False
    try:
        file.write(0, bytes(size))
        whole = True
    finally:
        file.close(keep=whole)


def truth(*roots: Path) -> tuple[int, int]:
    """The bytes and the number of what is on the disk, found by other means."""
    found = [path for root in roots for path in root.rglob("*")]
    files = {(path.lstat().st_dev, path.lstat().st_ino): path for path in found if path.is_file()}
    return sum(path.lstat().st_size for path in files.values()), len(found)


# ------------------------------------------------------------------------- one after another


def test_a_file_renamed_onto_itself_frees_nothing(tree: DiskTree, quota: Quota) -> None:
    put(tree, ("a",), 900)
    for _ in range(3):
        tree.rename(("a",), ("a",), replace=True)
    assert (quota.used, quota.count) == (900, 1)
    with pytest.raises(FileError) as error:
        put(tree, ("b",), 200)
    assert error.value.reason is Reason.NO_SPACE


def test_several_names_of_a_file_count_its_bytes_once(tree: DiskTree, quota: Quota) -> None:
    put(tree, ("a",), 900)
    os.link(quota.root / "a", quota.root / "b")
    quota.recount()
    assert (quota.used, quota.count) == (900, 2)
    tree.rename(("a",), ("b",), replace=True)
    assert (quota.used, quota.count) == truth(quota.root) == (900, 2)
    tree.remove(("a",))
    assert (quota.used, quota.count) == (900, 1)
    tree.remove(("b",))
    assert (quota.used, quota.count) == (0, 0)


@pytest.mark.parametrize("reader", [True, False])
def test_a_file_without_a_name_takes_room_until_it_is_closed(
    tree: DiskTree, quota: Quota, reader: bool
) -> None:
    put(tree, ("a",), 600)
    if reader:
        held = tree.open(("a",))
        tree.remove(("a",))
    else:
        tree.remove(("a",))
        held = tree.open(("a",), KEEP)
        held.write(0, bytes(600))
        os.unlink(next(quota.root.iterdir()))
    for _ in range(2):
        assert quota.used == 600
        with pytest.raises(FileError):
            put(tree, ("b",), 500)
        quota.recount()
    with suppress(FileError):
        held.close()
    assert (quota.used, quota.count) == (0, 0)
    put(tree, ("b",), 500)


def test_nothing_is_used_before_there_is_a_folder(quota: Quota) -> None:
    assert (quota.used, quota.count) == (0, 0)


def test_folders_beside_it_count_too(tmp_path: Path) -> None:
    quota = Quota(tmp_path / "root", size=1000, entries=10, beside=[tmp_path / "bin"])
    tree, bin_ = DiskTree(quota), DiskTree(quota, root=tmp_path / "bin")
    tree.make_folder(("sub",))
    put(tree, ("sub", "a"), 600)
    tree.move(("sub",), bin_, ("1",))
    assert (quota.used, quota.count) == truth(tmp_path / "root", tmp_path / "bin") == (600, 2)
    quota.recount()
    assert (quota.used, quota.count) == (600, 2)
    bin_.remove_all(("1",))
    assert (quota.used, quota.count) == (0, 0)


# ------------------------------------------------------------------------------- deep folders


def test_a_rename_does_not_nest_too_deeply(tmp_path: Path) -> None:
    quota = Quota(tmp_path / "root", size=1000, entries=100)
    tree = DiskTree(quota)
    deep = tuple("abcdefghijklmno")
    for length in range(1, len(deep) + 1):
        tree.make_folder(deep[:length])
    for length in range(1, 17):
        tree.make_folder(("x",) * length)
    with pytest.raises(FileError) as error:
        tree.rename(("x",), (*deep, "x"))
    assert error.value.reason is Reason.BAD_NAME
    tree.rename(("x", "x"), (*deep, "x"))
    assert quota.count == truth(quota.root)[1] == 31


@pytest.fixture
def pit(tree: DiskTree, quota: Quota) -> Iterator[None]:
    """Folders that were nested far too deeply by other means."""
    here = os.open(tree.root, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    with open(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here), "wb") as file:
        file.write(bytes(77))
    os.close(here)
    yield
    # By a program that does not recurse, whatever the test made of it: pytest's own clean-up would.
    subprocess.run(["rm", "-rf", str(quota.root / "d"), str(quota.root / "e")], check=True)


@pytest.mark.usefixtures("pit")
def test_what_is_too_deep_is_counted_and_removed_all_the_same(tree: DiskTree, quota: Quota) -> None:
    assert (quota.used, quota.count) == (77, 1501)
    tree.rename(("d",), ("e",))
    tree.rename(("e",), ("d",))
    tree.remove_all(("d",))
    assert os.listdir(quota.root) == []
    assert (quota.used, quota.count) == (0, 0)
    tree.make_folder(("d",))


# ------------------------------------------------------------- folders that cannot be read


@pytest.mark.parametrize("mode", [0o300, 0o400, 0o000])
def test_a_folder_hides_nothing_from_the_count_of_its_owner(mode: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        sub = Path(name) / "root" / "sub"
        sub.mkdir(parents=True)
        (sub / "a").write_bytes(bytes(500))
        sub.chmod(mode)
        counted: list[tuple[int, int]] = []

        def count() -> None:
            if os.getuid() == 0:  # root reads everything, so this thread is somebody else
                for path in (sub / "a", sub, sub.parent, sub.parent.parent):
                    os.chown(path, NOBODY, NOBODY)
                ctypes.CDLL(None).setfsuid(NOBODY)
                with pytest.raises(PermissionError):
                    os.listdir(sub) and os.stat(sub / "a")
            quota = Quota(sub.parent, size=1000, entries=10)
            counted.append((quota.used, quota.count))

        thread = threading.Thread(target=count)
        thread.start()
        thread.join(DEADLINE)
        assert counted == [(500, 2)]


# ------------------------------------------------------------------------------ all at once

NAMES = st.sampled_from([("a",), ("b",), ("f",), ("f", "a"), ("f", "g"), ("f", "g", "a")])
SIZES = st.integers(0, 700)
Act = Callable[[DiskTree], None]


def putting(names: Names, size: int) -> Act:
    return lambda tree: put(tree, names, size)


def adding(names: Names, size: int) -> Act:
    return lambda tree: put(tree, names, size, OpenMode(write=True, create=True, append=True))


def inventing(names: Names, size: int) -> Act:
    return lambda tree: put(tree, names, size, OpenMode(write=True, create=True, new=True))


def aborting(names: Names, size: int) -> Act:
    def act(tree: DiskTree) -> None:
        file = tree.open(names, KEEP)
        try:
            file.write(size, b"x")
        finally:
            file.close(keep=False)

    return act


def truncating(names: Names, size: int) -> Act:
    return lambda tree: tree.change(names, size=size)


def renaming(old: Names, new: Names, replace: bool) -> Act:
    return lambda tree: tree.rename(old, new, replace=replace)


def copying(old: Names, new: Names) -> Act:
    def act(tree: DiskTree) -> None:
        source = tree.open(old)
        try:
            put(tree, new, len(source.read(0, 1000)))
        finally:
            source.close()

    return act


def reading_what_is_removed(names: Names) -> Act:
    def act(tree: DiskTree) -> None:
        source = tree.open(names)
        try:
            tree.remove(names)
        finally:
            source.close()

    return act


def writing_beside_it(names: Names, size: int) -> Act:
    """As a program such as rsync does: past the tree, which counts again in the end."""

    def act(tree: DiskTree) -> None:
        with suppress(OSError):
            tree.root.joinpath(*names).write_bytes(bytes(size))
        tree.quota.recount()

    return act


ACTS = st.one_of(
    st.builds(putting, NAMES, SIZES),
    st.builds(adding, NAMES, SIZES),
    st.builds(inventing, NAMES, SIZES),
    st.builds(aborting, NAMES, SIZES),
    st.builds(truncating, NAMES, SIZES),
    st.builds(renaming, NAMES, NAMES, st.booleans()),
    st.builds(copying, NAMES, NAMES),
    st.builds(reading_what_is_removed, NAMES),
    st.builds(writing_beside_it, NAMES, SIZES),
    st.builds(lambda names: lambda tree: tree.make_folder(names), NAMES),
    st.builds(lambda names: lambda tree: tree.remove_folder(names), NAMES),
    st.builds(lambda names: lambda tree: tree.remove_all(names), NAMES),
    st.builds(lambda names: lambda tree: tree.remove(names), NAMES),
)


@given(st.lists(st.lists(ACTS, max_size=25), min_size=1, max_size=4))
@settings(max_examples=150)
def test_any_acts_of_several_end_with_the_truth(sessions: list[list[Act]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        quota = Quota(Path(name) / "root", size=2000, entries=12)

        def session(acts: list[Act]) -> None:
            tree = DiskTree(quota)
            for act in acts:
                with suppress(FileError):
                    act(tree)

        threads = [threading.Thread(target=session, args=(acts,)) for acts in sessions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE)
        counted = (quota.used, quota.count)
        assert counted == truth(quota.root) if quota.root.exists() else counted == (0, 0)


def test_several_share_one_room(tmp_path: Path) -> None:
    room = SharedRoom(1000)
    one, other = (
        DiskTree(Quota(tmp_path / name, size=800, entries=10, room=room)) for name in ("a", "b")
    )

    put(one, ("x",), 700)
    assert (one.quota.most, other.quota.most) == (800, 300)
    with pytest.raises(FileError) as full:
        put(other, ("x",), 301)
    assert full.value.reason is Reason.NO_SPACE
    put(other, ("x",), 300)
    assert not one.quota.exceeded()
    one.remove(("x",))
    assert other.quota.most == 800
    (tmp_path / "a" / "by-hand").write_bytes(bytes(900))
    one.quota.recount()
    assert other.quota.exceeded()


def test_one_that_cannot_be_counted_may_be_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = SharedRoom(1000)
    one, other = (Quota(tmp_path / name, size=800, entries=10, room=room) for name in ("a", "b"))

    def moving(quota: Quota) -> tuple[int, int]:
        raise FileError(Reason.FAILED)

    assert other.most == 800
    monkeypatch.setattr(Quota, "_look", moving)
    one.forget()
    assert room.left_for(other) == 200
