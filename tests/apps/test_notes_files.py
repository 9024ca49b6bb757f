"""Notes as files, by a real SFTP client."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator

import paramiko
import pytest

from tests.sftp import sftp_of
from tuihost.testing import Hosted, hosted


@pytest.fixture
def host() -> Iterator[Hosted]:
    with hosted(bundled=["menu", "notes", "files"]) as host:
        yield host


@pytest.fixture
def sftp(host: Hosted) -> Iterator[paramiko.SFTPClient]:
    with sftp_of(host, "ada") as client:
        yield client


def read(sftp: paramiko.SFTPClient, path: str) -> str:
    with sftp.open(path) as file:
        return file.read().decode()


def test_notes_are_read_written_and_removed(host: Hosted, sftp: paramiko.SFTPClient) -> None:
    host.run("notes add '# Soup, with carrots'")
    assert sftp.listdir("/notes") == ["1-soup-with-carrots.md"]
    assert read(sftp, "/notes/1-soup-with-carrots.md") == "# Soup, with carrots"
    with sftp.open("/notes/1-soup-with-carrots.md", "w") as file:
        file.write("Stew\r\nwith leek")
    assert host.run("notes show 1").text.startswith("Stew\nwith leek")
    assert sftp.listdir("/notes") == ["1-stew.md"]
    assert sftp.stat("/notes/1-stew.md").st_size == len("Stew\nwith leek")
    assert read(sftp, "/notes/1.md") == read(sftp, "/notes/1-any-name.md")
    sftp.remove("/notes/1-stew.md")
    assert sftp.listdir("/notes") == []


def test_a_new_file_is_a_new_note(host: Hosted, sftp: paramiko.SFTPClient) -> None:
    sftp.putfo(io.BytesIO(b"From afar"), "/notes/letter.txt")
    assert sftp.listdir("/notes") == ["1-from-afar.md"]
    assert read(sftp, "/notes/letter.txt") == "From afar", "as long as the session lasts"
    sftp.utime("/notes/letter.txt", (1, 1))
    sftp.putfo(io.BytesIO(b"From afar again"), "/notes/letter.txt")
    assert sftp.listdir("/notes") == ["1-from-afar-again.md"]
    with sftp.open("/notes/letter.txt", "r+") as file:
        file.seek(5)
        file.write(b"near")
    assert host.run("notes show 1").text.startswith("From near again")


@pytest.mark.parametrize(
    ("name", "data"),
    [("x.md", b"\xff\xfe\0binary"), ("y.md", b"   "), ("z.md", b"x" * 600_000)],
)
def test_what_is_no_note_is_refused(sftp: paramiko.SFTPClient, name: str, data: bytes) -> None:
    with contextlib.suppress(OSError):  # paramiko's client does not tell what a close came to
        sftp.putfo(io.BytesIO(data), f"/notes/{name}", confirm=False)
    assert sftp.listdir("/notes") == []


def test_there_is_nothing_but_notes(host: Hosted, sftp: paramiko.SFTPClient) -> None:
    host.run("notes add one")
    for act in (
        lambda: sftp.mkdir("/notes/sub"),
        lambda: sftp.rename("/notes/1-one.md", "/notes/2.md"),
        lambda: sftp.truncate("/notes/1-one.md", 0),
        lambda: sftp.open("/notes/2.md"),
        lambda: sftp.open("/notes/0000000000000000000000001.md"),
        lambda: sftp.open("/notes/1-one.md/x"),
        lambda: sftp.listdir("/notes/1-one.md"),
        lambda: sftp.symlink("/etc/passwd", "/notes/3.md"),
    ):
        with pytest.raises(OSError, match=r".+"):
            act()
    assert sftp.listdir("/notes") == ["1-one.md"]


def test_notes_are_their_owners(host: Hosted, sftp: paramiko.SFTPClient) -> None:
    host.run("notes add mine", user="bob")
    assert sftp.listdir("/notes") == []
    with pytest.raises(OSError, match=r".+"):
        sftp.open("/notes/1.md")
