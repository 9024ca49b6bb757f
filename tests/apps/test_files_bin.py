"""The bin of Files: what is deleted can be brought back, for a while, within the quota."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.files.bin import DAY, Bin, items_of
from tuihost import DiskTree, FileError, OpenMode, Quota
from tuihost.testing import Hosted, hosted
from tuihost.testing.hosted import hang_up


@pytest.fixture
def host() -> Iterator[Hosted]:
    with hosted(
        bundled=["menu", "files"],
        settings={
            "app.files.guest_quota": 1,
        },
    ) as host:
        yield host


class Now:
    """A clock that stands until it is set."""

    time = 1000.0 * DAY

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def tree(tmp_path: Path) -> DiskTree:
    quota = Quota(tmp_path / "mine", size=100, entries=6, beside=[items_of(tmp_path / "bin")])
    return DiskTree(quota)


@pytest.fixture
def bin_(tmp_path: Path, tree: DiskTree, now: Now) -> Bin:
    return Bin(tree, tmp_path / "bin", 7, now)


def put(tree: DiskTree, *names: str, size: int = 10) -> None:
    file = tree.open(names, OpenMode(write=True, create=True))
    try:
        file.write(0, bytes(size))
    except FileError:
        file.close(keep=False)
        raise
    file.close()


def contents(bin_: Bin) -> list[tuple[str, ...]]:
    return [deleted.names for deleted in bin_.contents()]


# ------------------------------------------------------------------------------ what it keeps


def test_a_folder_goes_and_comes_back_with_everything_in_it(tree: DiskTree, bin_: Bin) -> None:
    tree.make_folder(("sub",))
    tree.make_folder(("sub", "deep"))
    put(tree, "sub", "deep", "a")
    bin_.put(("sub", "deep"))
    tree.remove_folder(("sub",))
    assert (tree.quota.used, tree.quota.count) == (10, 2), "the bin is within the quota"
    bin_.restore(bin_.contents()[0])
    assert tree.info(("sub", "deep", "a")).size == 10
    assert (tree.quota.used, tree.quota.count, contents(bin_)) == (10, 3, [])
    tree.quota.recount()
    assert (tree.quota.used, tree.quota.count) == (10, 3)


def test_a_full_tree_can_still_be_tidied(tree: DiskTree, bin_: Bin) -> None:
    for number in range(6):
        put(tree, f"{number}", size=16)
    bin_.put(("0",))
    with pytest.raises(FileError, match="no room left"):
        put(tree, "again")
    assert bin_.empty() == 1
    put(tree, "again")


def test_the_oldest_in_it_gives_way_when_there_is_no_room(
    tree: DiskTree, bin_: Bin, now: Now
) -> None:
    tree.quota.dispensable = bin_
    for name in ("first", "second", "third"):
        put(tree, name, size=30)
        bin_.put((name,))
        now.time += 1
    assert tree.room(()).used == 0, "there is room for all that may come"
    put(tree, "new", size=20)
    assert contents(bin_) == [("third",), ("second",)]
    put(tree, "large", size=75)
    assert contents(bin_) == []
    assert (tree.quota.used, tree.quota.count) == (95, 2)
    tree.quota.recount()
    assert (tree.quota.used, tree.quota.count) == (95, 2)


def test_nothing_goes_for_what_does_not_fit_in_any_case(tree: DiskTree, bin_: Bin) -> None:
    tree.quota.dispensable = bin_
    put(tree, "old", size=30)
    bin_.put(("old",))
    put(tree, "kept", size=60)
    with pytest.raises(FileError, match="no room left"):
        put(tree, "huge", size=41)
    assert contents(bin_) == [("old",)]


def test_it_gives_way_to_more_files_too_but_not_to_what_comes_back(
    tree: DiskTree, bin_: Bin
) -> None:
    tree.quota.dispensable = bin_
    tree.make_folder(("sub",))
    put(tree, "sub", "a", size=1)
    bin_.put(("sub", "a"))
    for number in range(4):
        put(tree, f"{number}", size=1)
    tree.remove_folder(("sub",))
    put(tree, "4", size=1)
    assert (tree.quota.count, contents(bin_)) == (6, [("sub", "a")])
    with pytest.raises(FileError, match="no room left for more files"):
        bin_.restore(bin_.contents()[0])
    assert contents(bin_) == [("sub", "a")]
    tree.make_folder(("new",))
    assert (tree.quota.count, contents(bin_)) == (6, [])


def test_what_is_over_its_limits_takes_the_place_of_the_bin_first(
    tree: DiskTree, bin_: Bin, tmp_path: Path
) -> None:
    tree.quota.dispensable = bin_
    put(tree, "old", size=30)
    bin_.put(("old",))
    (tmp_path / "mine" / "by another program").write_bytes(bytes(80))
    tree.quota.recount()
    assert not tree.quota.exceeded()
    assert contents(bin_) == []
    (tmp_path / "mine" / "and more").write_bytes(bytes(80))
    tree.quota.recount()
    assert tree.quota.exceeded()


def test_nothing_is_written_over(tree: DiskTree, bin_: Bin) -> None:
    put(tree, "a")
    bin_.put(("a",))
    put(tree, "a", size=20)
    with pytest.raises(FileError, match="taken"):
        bin_.restore(bin_.contents()[0])
    assert (tree.info(("a",)).size, contents(bin_)) == (20, [("a",)])


def test_what_cannot_be_deleted_is_not_in_it(tree: DiskTree, bin_: Bin, tmp_path: Path) -> None:
    with pytest.raises(FileError):
        bin_.put(("none",))
    assert list((tmp_path / "bin" / "labels").iterdir()) == []
    assert contents(bin_) == []


def test_a_label_without_its_file_is_removed(tree: DiskTree, bin_: Bin, tmp_path: Path) -> None:
    put(tree, "one")
    bin_.put(("one",))
    bin_.empty()
    (tmp_path / "bin" / "labels" / "1234abcd").write_text('{"path": ["a"], "deleted": 1}')
    assert contents(bin_) == []
    assert list((tmp_path / "bin" / "labels").iterdir()) == []


def test_whoever_may_only_read_sees_what_is_too_old_and_removes_nothing(
    tree: DiskTree, bin_: Bin, now: Now, tmp_path: Path
) -> None:
    put(tree, "old")
    bin_.put(("old",))
    now.time += 8 * DAY
    reading = Bin(DiskTree(tree.quota, writable=False), tmp_path / "bin", 7, now)
    assert contents(reading) == [("old",)]
    assert contents(bin_) == []


def test_what_is_too_old_is_removed(tree: DiskTree, bin_: Bin, now: Now, tmp_path: Path) -> None:
    put(tree, "old")
    bin_.put(("old",))
    now.time += 4 * DAY
    put(tree, "young")
    bin_.put(("young",))
    assert contents(bin_) == [("young",), ("old",)]
    now.time += 3 * DAY + 1
    assert contents(bin_) == [("young",)]
    assert (tree.quota.used, tree.quota.count) == (10, 1)
    assert len(list((tmp_path / "bin" / "labels").iterdir())) == 1


def test_a_label_that_was_lost_loses_no_file(tree: DiskTree, bin_: Bin, tmp_path: Path) -> None:
    put(tree, "a")
    bin_.put(("a",))
    label = next((tmp_path / "bin" / "labels").iterdir())
    label.write_text("{")
    assert contents(bin_) == [(label.name,)]


# --------------------------------------------------------------------------------- in the app


def test_commands_list_restore_and_empty_it(host: Hosted) -> None:
    host.run("files mkdir letters")
    for name in ("letters/a.txt", "b.txt", "c.txt"):
        host.run(f"files put {name}", stdin=b"12345")
    assert host.run("files rm b.txt c.txt").status == 0
    refused = host.run("files rm letters").errors
    assert refused == "letters: that is a folder; `files rm -r letters` deletes it.\n"
    assert host.run(refused.split("`")[1]).status == 0
    found = json.loads(host.run("files bin list --json").stdout)
    assert {row["name"] for row in found} == {
        "/files/mine/b.txt",
        "/files/mine/c.txt",
        "/files/mine/letters",
    }
    assert host.run("files bin").text.count("\n") == 3
    assert "3 deleted files or folders in the bin" in host.run("files quota").text
    id_ = next(row["id"] for row in found if row["name"] == "/files/mine/c.txt")
    assert host.run(f"files bin restore letters /files/mine/b.txt {id_}").status == 0
    assert host.run("files find '*.txt'").text.split() == [
        "/files/mine/b.txt", "/files/mine/c.txt", "/files/mine/letters/a.txt",
    ]  # fmt: skip
    assert host.run("files bin restore d").errors == "The bin does not have d.\n"
    host.run("files rm b.txt")
    assert host.run("files bin empty").text == "1 file or folder removed\n"
    assert host.run("files bin list").text == ""
    assert host.run("files bin list", user="somebody-else").text == ""
    for wrong in ("files bin restore", "files bin empty x", "files bin throw"):
        assert host.run(wrong).status == 2


def test_there_is_room_for_what_takes_the_place_of_something_deleted(host: Hosted) -> None:
    for name in ("a", "b", "c"):
        assert host.run(f"files put {name}", user="mo", stdin=bytes(900_000)).status == 0
        assert host.run(f"files rm {name}", user="mo").status == 0
    assert host.run("files bin list", user="mo").text.split()[-1] == "/files/mine/c"


def test_a_person_deletes_and_brings_back(host: Hosted) -> None:
    host.run("files mkdir letters")
    host.run("files put letters/one.txt", stdin=b"words")
    with host.open("files") as pilot:
        pilot.wait_for("letters/").press("delete").wait_for("It stays in the bin for 7")
        pilot.press("left", "enter").wait_for("No files yet")
        pilot.press("c-t").wait_for("Bring back").wait_for("letters").press("enter")
        pilot.wait_for("It is back where it was").wait_for("letters/")
        pilot.press("c-t").wait_for("The bin is empty")
    assert host.run("files cat letters/one.txt").text == "words"


def test_nobody_changes_the_bin_without_the_right_to_change_files(tmp_path: Path) -> None:
    with hosted(bundled=["menu", "files"], state_dir=tmp_path) as host:
        host.run("files put a", stdin=b"x")
        host.run("files put b", stdin=b"x")
        host.run("files rm a")
    reading = {"roles": {"guest": {"commands": ["files *"], "read_files": ["*"]}}}
    with hosted(bundled=["menu", "files"], settings=reading, state_dir=tmp_path) as host:
        for command in ("files rm b", "files bin restore a", "files bin empty"):
            assert "othing can be changed here.\n" in host.run(command).errors
        assert host.run("files ls").text.endswith(" b\n")
        assert host.run("files bin list").text.endswith("/files/mine/a\n")
        with host.open("files") as pilot:
            pilot.wait_for("b ").press("delete").wait_for("Delete b?").press("left", "enter")
            pilot.wait_for("Nothing can be changed here").press("c-t").wait_for("Bring back")
            pilot.press("enter").wait_for("Nothing can be changed here")
        assert host.run("files cat b").text == "x"
    with hosted(
        bundled=["menu", "files"],
        settings={"roles": {"guest": {"commands": ["files *"]}}},
        state_dir=tmp_path,
    ) as host:
        assert host.run("files bin list").status == 1
        assert host.run("files quota").status == 0


def test_sftp_deletes_for_good(host: Hosted) -> None:
    host.run("files put a", stdin=b"x")
    transport = host.connect()
    try:
        sftp = transport.open_sftp_client()
        assert sftp is not None
        sftp.remove("a")
    finally:
        hang_up(transport)
    assert host.run("files bin list").text == ""
    assert host.run("files quota").text.startswith("0 B of")


def test_without_days_there_is_no_bin() -> None:
    with hosted(bundled=["menu", "files"], settings={"app.files.bin_days": 0}) as host:
        host.run("files put a", stdin=b"x")
        with host.open("files") as pilot:
            pilot.wait_for("a ").press("delete").wait_for("This cannot be undone.").press("escape")
        host.run("files rm a")
        assert host.run("files bin list").text == ""
        assert host.run("files quota").text.startswith("0 B of")
