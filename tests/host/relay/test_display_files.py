"""What displays leave on the disk: nothing for good, and nobody else's is touched."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.attacks.gate_host import listening
from tuihost.host.relay import display_files
from tuihost.host.relay.display_files import OWN_SOCKET, PREFIX, DisplayFiles, remove_leftovers


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files, and one for sockets: the paths of these have to be short."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        monkeypatch.setattr(display_files, "SOCKETS", Path(folder, "sockets"))
        yield Path(folder)


def made() -> DisplayFiles:
    return DisplayFiles(b"c" * 16, 0)


def killed(files: DisplayFiles) -> Path:
    """As its host leaves it when it is killed: all is closed, and nothing taken away."""
    for sock in files.sockets:
        sock.close()
    os.close(files._lock)
    return files._folder


def socket_of(files: DisplayFiles, place: Path) -> Path:
    return place / "sockets" / f"X{files.environment['DISPLAY'][1:].partition('.')[0]}"


def left(place: Path) -> set[str]:
    sockets = place / "sockets"
    names = {path.name for path in place.iterdir() if path != sockets}
    return names | {path.name for path in sockets.iterdir()}


def test_nothing_is_left_by_a_session_that_ends(place: Path) -> None:
    files = made()
    Path(files.environment["XAUTHORITY"] + "-c").touch()  # a lock of X's own
    assert len(left(place)) == 2
    files.remove()
    files.remove()
    assert left(place) == set()


def test_what_a_killed_host_left_goes_and_what_lives_stays(place: Path) -> None:
    alive, dead = made(), made()
    mark = socket_of(dead, place)
    folder = killed(dead)
    remove_leftovers()
    assert not mark.exists()
    assert not folder.exists()
    assert left(place) == {alive._folder.name, socket_of(alive, place).name}
    alive.remove()


def test_a_host_that_starts_takes_them_away(place: Path) -> None:
    mark = socket_of(dead := made(), place)
    folder = killed(dead)
    with listening():
        assert not mark.exists()
        assert not folder.exists()


def test_a_display_that_has_the_number_now_is_not_touched(place: Path) -> None:
    dead = made()
    mark = socket_of(dead, place)
    folder = killed(dead)
    about = mark.stat()
    mark.unlink()
    with closing(socket.socket(socket.AF_UNIX)) as other:
        other.bind(str(mark))
        other.listen()
        now = mark.stat()
        number = mark.name[1:]
        for inode in {about.st_ino, now.st_ino}:  # the number of an inode may come again
            folder.mkdir(mode=0o700, exist_ok=True)
            (folder / OWN_SOCKET).write_text(f"{number} {now.st_dev} {inode}\n")
            remove_leftovers()
            assert mark.exists()
            assert not folder.exists()


def test_a_socket_that_is_not_the_displays_own_is_not_touched(place: Path) -> None:
    dead = made()
    mark = socket_of(dead, place)
    mark.rename(place / "kept")  # so that the inode is in use
    killed(dead)
    with closing(socket.socket(socket.AF_UNIX)) as other:
        other.bind(str(mark))
    remove_leftovers()
    assert left(place) == {"kept", mark.name}


def test_links_are_not_followed(place: Path) -> None:
    dead, elsewhere = killed(made()), place / "elsewhere"
    dead.rename(elsewhere)
    (place / f"{PREFIX}link").symlink_to(elsewhere)
    noted = place / f"{PREFIX}noted"
    noted.mkdir(mode=0o700)
    (noted / OWN_SOCKET).symlink_to(elsewhere / OWN_SOCKET)
    before = left(place)
    remove_leftovers()
    assert left(place) == before
    assert len(list(elsewhere.iterdir())) == 2


def test_a_link_inside_is_removed_and_what_it_leads_to_is_not(place: Path) -> None:
    precious, dead = place / "precious", killed(made())
    precious.mkdir()
    (precious / "letter").touch()
    (dead / "link").symlink_to(precious)
    remove_leftovers()
    assert left(place) == {"precious"}
    assert (precious / "letter").exists()


@pytest.mark.parametrize("note", [None, "", "10 1", "10 1 2 3\n", "../../x 1 2\n", "-1 1 2\n"])
def test_what_does_not_say_which_display_it_is_stays(place: Path, note: str | None) -> None:
    dead = killed(made())
    (dead / OWN_SOCKET).unlink()
    if note is not None:
        (dead / OWN_SOCKET).write_text(note)
    before = left(place)
    remove_leftovers()
    assert left(place) == before


def test_another_users_and_those_that_others_could_change_stay(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = killed(made())
    before = left(place)
    dead.chmod(0o770)
    remove_leftovers()
    assert left(place) == before
    dead.chmod(0o700)
    with monkeypatch.context() as patched:
        patched.setattr(os, "getuid", lambda: dead.stat().st_uid + 1)
        remove_leftovers()
    assert left(place) == before
    remove_leftovers()
    assert left(place) == set()


def test_without_a_descriptor_nothing_is_left(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object, **named: object) -> int:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(display_files.os, "open", full)
        with pytest.raises(OSError, match="Too many"):
            made()
    assert list(place.iterdir()) == []
