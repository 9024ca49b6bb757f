"""Files that nobody else may read."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tuihost.files.secret_files import (
    NotPrivate,
    check_tree_trusted,
    check_trusted,
    draft_of,
    make_private,
    read_private,
    read_trusted,
)


def test_a_file_is_made_private_with_its_folder_and_only_once(tmp_path: Path) -> None:
    path = tmp_path / "state" / "key"
    make_private(path, b"first")
    make_private(path, b"second")
    assert read_private(path, 100) == b"first"
    assert read_private(path, 2) == b"fi"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["key"]


def test_nobody_meets_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with pytest.raises(ZeroDivisionError):
        _half(path)
    assert os.listdir(tmp_path) == []
    with draft_of(path) as draft:
        draft.write_bytes(b"whole")
        assert not path.exists()
        assert stat.S_IMODE(draft.stat().st_mode) == 0o600
    assert read_private(path, 100) == b"whole"


def _half(path: Path) -> None:
    with draft_of(path) as draft:
        draft.write_bytes(b"half")
        raise ZeroDivisionError


def test_of_two_that_make_it_at_once_the_first_ones_stays(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with draft_of(path) as slow:
        make_private(path, b"quick")
        slow.write_bytes(b"slow")
    assert read_private(path, 100) == b"quick"
    assert os.listdir(tmp_path) == ["key"]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda path: path.chmod(0o644), "others can read it (mode 644); run chmod 600"),
        (lambda path: (path.unlink(), os.mkfifo(path, 0o600)), "is not a regular file"),
        (lambda path: (path.unlink(), path.mkdir(0o700)), "is not a regular file"),
    ],
)
def test_a_file_that_is_not_private_is_not_read(
    tmp_path: Path, spoil: Callable[[Path], object], sentence: str
) -> None:
    path = tmp_path / "key"
    make_private(path, b"secret")
    spoil(path)
    with pytest.raises(NotPrivate) as caught:
        read_private(path, 100)
    assert str(caught.value) == sentence


def test_somebody_elses_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"
    make_private(path, b"secret")
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    if path.stat().st_uid == 0:  # root's files may be read by everybody whom they are given to
        os.chown(path, 77, 77)
    with pytest.raises(NotPrivate, match="belongs to another user"):
        read_private(path, 100)


@pytest.mark.parametrize("mode", [0o602, 0o666, 0o620])
def test_what_others_can_write_to_is_not_trusted(tmp_path: Path, mode: int) -> None:
    app = tmp_path / "app"
    app.mkdir(mode=0o700)
    inside = app / "inside.py"
    inside.touch()
    (app / "gone").symlink_to("nowhere")
    check_tree_trusted(app)
    inside.chmod(mode)
    if os.geteuid() == 0:
        os.chown(inside, -1, 65534)
    elif mode == 0o620:
        pytest.skip("only root can give files to another group")
    with pytest.raises(NotPrivate, match="others can write to it; run chmod go-w on it"):
        check_trusted(inside)
    with pytest.raises(NotPrivate, match=r"^inside\.py: others can write"):
        check_tree_trusted(app)


def test_what_anybody_can_replace_is_not_trusted_either(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    path, link = shared / "settings", tmp_path / "link"
    path.touch(0o600)
    link.symlink_to(path)
    for mode, trusted in ((0o755, True), (0o777, False), (0o1777, True)):
        shared.chmod(mode)
        for name in (path, link):
            if trusted:
                check_trusted(name)
                continue
            with pytest.raises(NotPrivate, match="anybody can put something else in its place"):
                check_trusted(name)


def test_on_a_disk_that_nobody_can_write_to_nobody_replaces_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings"
    path.touch(0o600)
    tmp_path.chmod(0o777)
    here = os.statvfs(tmp_path)
    read_only = os.statvfs_result((*here[:8], here.f_flag | os.ST_RDONLY, here.f_namemax))
    monkeypatch.setattr(os, "statvfs", lambda folder: read_only)
    check_trusted(path)


def test_a_group_of_the_user_alone_is_as_good_as_the_user(tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    path.touch()
    path.chmod(0o664)
    user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(os.getegid())
    if group.gr_name != user.pw_name or group.gr_mem:
        pytest.skip("this user has no group of their own")
    check_trusted(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_somebody_else_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    path.touch()
    os.chown(path, 65534, -1)
    with pytest.raises(NotPrivate, match="belongs to another user"):
        check_trusted(path)


def test_a_group_that_nobody_knows_is_not_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "app.py"
    path.touch()
    path.chmod(0o664)

    def unknown(gid: int) -> grp.struct_group:
        raise KeyError(gid)

    monkeypatch.setattr(grp, "getgrgid", unknown)
    with pytest.raises(NotPrivate, match="others can write to it"):
        check_trusted(path)


@pytest.mark.parametrize(("mode", "is_read"), [(0o644, True), (0o620, False), (0o602, False)])
def test_a_file_that_others_may_only_read_can_be_trusted(
    tmp_path: Path, mode: int, is_read: bool
) -> None:
    path = tmp_path / "keys"
    path.write_bytes(b"12345")
    path.chmod(mode)
    if is_read:
        assert read_trusted(path, 3) == b"123"
        return
    with pytest.raises(NotPrivate, match="others can write to it; run chmod go-w on it"):
        read_trusted(path, 3)
