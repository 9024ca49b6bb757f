"""SFTP over a tree: paramiko's own client for what is well, raw packets for what is not."""

from __future__ import annotations

import gc
import io
import struct
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pytest

from tests.sftp import sftp_of
from tuihost import App, DiskTree, FileInfo, FileTree, Quota, Session
from tuihost.errors import PeerError
from tuihost.files.tree import Names
from tuihost.ssh.packets.fields import Fields
from tuihost.ssh.sftp._handle_requests import MAX_HANDLES, MAX_LISTINGS
from tuihost.ssh.sftp._packets import MAX_REQUEST
from tuihost.ssh.sftp.server import MAX_TOLD, TreeServer
from tuihost.testing import hosted

INIT, VERSION, OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT = 1, 2, 3, 4, 5, 6, 7, 8
SETSTAT, OPENDIR, READDIR, REMOVE, MKDIR, EXTENDED = 9, 11, 12, 13, 14, 200
STATUS, HANDLE, DATA, NAME, ATTRS = 101, 102, 103, 104, 105
OK, EOF, NO_SUCH, DENIED, FAILURE, BAD, UNSUPPORTED = 0, 1, 2, 3, 4, 5, 8
WRITING = 2 | 8 | 16  # write, create, truncate


class Line:
    """Both directions of a session, in memory. What is to be sent is given beforehand."""

    def __init__(self, *packets: bytes) -> None:
        self._in = io.BytesIO(b"".join(packets))
        self.out = bytearray()

    def serve(self, folder: Path, kind: type[TreeServer] = TreeServer) -> list[tuple[int, bytes]]:
        """The answers, each as its kind and what follows the request's number."""
        tree = DiskTree(Quota(folder, size=1_000_000, entries=1000))
        server = kind(tree, self._in.read, self.out.extend)
        try:
            server.serve()
        finally:
            self.server = server
        answers, rest = [], bytes(self.out)
        while rest:
            size = struct.unpack(">I", rest[:4])[0]
            answers.append((rest[4], rest[9 : 4 + size]))
            rest = rest[4 + size :]
        return answers[1:]


def packet(kind: int, *fields: int | str | bytes, number: int | None = 7) -> bytes:
    parts = [bytes([kind])] + ([] if number is None else [struct.pack(">I", number)])
    for one in fields:
        match one:
            case int():
                parts.append(struct.pack(">I", one))
            case str():
                parts.append(struct.pack(">I", len(one.encode())) + one.encode())
            case bytes():
                parts.append(one)
    body = b"".join(parts)
    return struct.pack(">I", len(body)) + body


HELLO = packet(INIT, 3, number=None)


def long(value: int) -> bytes:
    return struct.pack(">Q", value)


def code(answer: tuple[int, bytes]) -> int:
    assert answer[0] == STATUS, answer
    return int(struct.unpack(">I", answer[1][:4])[0])


def talk(folder: Path, *packets: bytes) -> list[tuple[int, bytes]]:
    return Line(HELLO, *packets).serve(folder)


# ------------------------------------------------------------------------------ what is well


class Shelf(App):
    """Serves one folder."""

    name = "shelf"

    def start(self) -> None:
        self.quota = Quota(self.data / "files", size=10_000_000, entries=1000)

    def files(self, session: Session) -> FileTree:
        return DiskTree(self.quota)


@contextmanager
def client() -> Iterator[paramiko.SFTPClient]:
    """paramiko's client at a whole host."""
    with hosted(Shelf()) as host, sftp_of(host, "ada") as sftp:
        sftp.chdir("/shelf")
        yield sftp


def test_a_client_reads_writes_and_looks_around() -> None:
    with client() as sftp:
        with sftp.open("a.txt", "w") as file:
            file.write(b"x" * 300_000)
        with sftp.open("a.txt", "r+") as file:
            file.seek(100)
            file.write(b"in the middle")
        with sftp.open("a.txt") as file:
            file.seek(98)
            assert file.read(20) == b"xxin the middlexxxxx"
        sftp.mkdir("sub")
        sftp.rename("a.txt", "sub/b.txt")
        assert sftp.listdir() == ["sub"]
        assert sftp.stat("sub/b.txt").st_size == 300_000
        sftp.chmod("sub/b.txt", 0o600)
        sftp.utime("sub/b.txt", (5, 7))
        assert sftp.stat("sub/b.txt").st_mtime == 7
        sftp.truncate("sub/b.txt", 10)
        assert sftp.lstat("sub/b.txt").st_size == 10
        assert sftp.normalize("sub/../sub/./b.txt") == "/shelf/sub/b.txt"
        sftp.posix_rename("sub/b.txt", "c.txt")
        sftp.remove("c.txt")
        sftp.rmdir("sub")
        assert sftp.listdir() == []
        assert sftp.listdir("/") == ["shelf"]
        with pytest.raises(OSError, match="not possible"):
            sftp.symlink("/etc/passwd", "link")


def test_a_folder_of_many_is_read_in_parts() -> None:
    with client() as sftp:
        for number in range(300):
            sftp.mkdir(f"{number:03d}")
        assert sorted(sftp.listdir()) == [f"{number:03d}" for number in range(300)]


def test_names_that_are_no_utf8_come_back_as_they_are(tmp_path: Path) -> None:
    raw = b"caf\xe9"
    answers = talk(
        tmp_path,
        packet(OPEN, struct.pack(">I", 4) + raw, WRITING, 0),
        packet(CLOSE, "hx1"),
        packet(OPENDIR, "/"),
        packet(READDIR, "hx2"),
    )
    assert raw in answers[-1][1]


# ---------------------------------------------------------------------------- what is not


@pytest.mark.parametrize("size", [0, MAX_REQUEST + 1, 2**31, 2**32 - 1])
def test_a_length_is_judged_before_anything_is_read(tmp_path: Path, size: int) -> None:
    with pytest.raises(PeerError, match="bytes long"):
        talk(tmp_path, struct.pack(">I", size))


@pytest.mark.parametrize(
    "request_",
    [
        packet(OPEN, "a", WRITING),
        packet(OPEN, struct.pack(">I", 99) + b"short", WRITING, 0),
        packet(SETSTAT, "a", 0x80000000, 0xFFFFFFFF),
        packet(WRITE, "hx1", long(0), struct.pack(">I", 10) + b"x"),
        packet(READ, "hx1"),
        b"\0\0\0\1\3",
    ],
    ids=["no attributes", "short name", "2^32 attributes", "short data", "no offset", "no number"],
)
def test_what_is_cut_short_ends_the_session(tmp_path: Path, request_: bytes) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(PeerError):
        talk(tmp_path, request_)


def test_whoever_does_not_begin_with_the_version_is_not_served(tmp_path: Path) -> None:
    with pytest.raises(PeerError):
        Line(packet(OPENDIR, "/")).serve(tmp_path)


def test_requests_that_nobody_knows_are_answered(tmp_path: Path) -> None:
    answers = talk(
        tmp_path,
        packet(77),
        packet(EXTENDED, "check-file"),
        packet(EXTENDED, "hardlink@openssh.com", "a", "b"),
        packet(19, "a"),
        packet(20, "a", "b"),
    )
    assert [code(one) for one in answers] == [UNSUPPORTED] * 5


def test_handles_that_are_none_are_answered(tmp_path: Path) -> None:
    answers = talk(
        tmp_path,
        packet(READ, "hx9", long(0), 10),
        packet(WRITE, "hx9", long(0), "data"),
        packet(CLOSE, "hx9"),
        packet(FSTAT, ""),
        packet(READDIR, "hx9"),
        packet(10, "hx9", 0),
    )
    assert [code(one) for one in answers] == [BAD] * 6


def test_only_so_many_files_are_open(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    answers = talk(tmp_path, *[packet(OPEN, "a", 1, 0)] * (MAX_HANDLES + 5))
    assert [kind for kind, _ in answers].count(HANDLE) == MAX_HANDLES
    assert [code(one) for one in answers[MAX_HANDLES:]] == [FAILURE] * 5


def test_a_line_that_drops_leaves_nothing_half_written(tmp_path: Path) -> None:
    line = Line(
        HELLO,
        packet(OPEN, "a", WRITING, 0),
        packet(WRITE, "hx1", long(0), "half of it"),
        packet(WRITE, "hx1", long(10), "and mo")[:-3],
    )
    line.serve(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_kept_is_told_at_the_close(tmp_path: Path) -> None:
    answers = talk(
        tmp_path,
        packet(OPEN, "a", 2 | 8 | 32, 0),
        packet(MKDIR, "a", 0),
        packet(CLOSE, "hx1"),
    )
    assert [code(one) for one in answers[1:]] == [OK, FAILURE]


def test_who_writes_a_file_sees_it_before_it_is_closed(tmp_path: Path) -> None:
    """As sshfs does: by its path, and by a second handle."""
    line = Line(
        HELLO,
        packet(OPEN, "a", WRITING, 0),
        packet(WRITE, "hx1", long(0), "hello"),
        packet(LSTAT, "a"),
        packet(OPEN, "a", 1 | 2, 0),
        packet(READ, "hx2", long(1), 3),
        packet(SETSTAT, "a", 1, long(4)),
        packet(CLOSE, "hx1"),
        packet(WRITE, "hx2", long(4), "!"),
        packet(OPEN, "a", 2 | 8 | 32, 0),
        packet(CLOSE, "hx2"),
        packet(LSTAT, "a"),
    )
    answers = line.serve(tmp_path)
    assert [kind for kind, _ in answers] == [
        HANDLE, STATUS, ATTRS, HANDLE, DATA, STATUS, STATUS, STATUS, STATUS, STATUS, ATTRS,
    ]  # fmt: skip
    assert answers[4][1][-3:] == b"ell"
    assert (tmp_path / "a").read_text() == "hell!"


def test_a_file_that_is_removed_while_it_is_written_never_appears(tmp_path: Path) -> None:
    answers = talk(
        tmp_path,
        packet(OPEN, "a", WRITING, 0),
        packet(WRITE, "hx1", long(0), "hello"),
        packet(REMOVE, "a"),
        packet(REMOVE, "a"),
        packet(CLOSE, "hx1"),
    )
    assert [code(one) for one in answers[1:]] == [OK, OK, NO_SUCH, OK]
    assert list(tmp_path.iterdir()) == []


def test_the_room_ends_a_write_and_not_the_session(tmp_path: Path) -> None:
    answers = talk(
        tmp_path,
        packet(OPEN, "a", WRITING, 0),
        packet(WRITE, "hx1", long(2**40), "x"),
        packet(WRITE, "hx1", long(0), "fits"),
        packet(CLOSE, "hx1"),
    )
    assert [code(answer) for answer in answers[1:]] == [FAILURE, OK, FAILURE]
    assert b"no room left" in answers[1][1]
    assert b"the file was not kept: there is no room left" in answers[3][1]


@pytest.mark.parametrize("there", [None, "what was there"])
def test_an_upload_that_does_not_fit_leaves_nothing_behind(
    tmp_path: Path, there: str | None
) -> None:
    """As OpenSSH's sftp does it: it closes the file although a write has failed."""
    if there is not None:
        (tmp_path / "a").write_text(there)
    upload = [packet(WRITE, "hx1", long(at * 190_000), bytes_of(190_000)) for at in range(6)]
    line = Line(HELLO, packet(OPEN, "a", WRITING, 0), *upload, packet(CLOSE, "hx1"))
    answers = line.serve(tmp_path)
    assert [code(answer) for answer in answers[1:]] == [OK] * 5 + [FAILURE, FAILURE]
    assert [path.read_text() for path in tmp_path.iterdir()] == ([there] if there else [])
    assert line.server.tree.quota.used == len(there or "")


def test_why_something_is_refused_is_told_to_the_person(tmp_path: Path) -> None:
    """OpenSSH's sftp shows its own words for the code of a status, "Failure" for most, and never
    the text of the status; but it shows what comes on standard error."""
    told: list[str] = []
    requests = (
        packet(MKDIR, "a", 0),
        packet(MKDIR, "a", 0),  # taken
        packet(MKDIR, "a", 0),  # for the same reason: told already
        packet(LSTAT, "b"),  # "No such file or directory" says it all
        packet(OPENDIR, "c"),
        packet(MKDIR, "x" * 256, 0),
        packet(MKDIR, "a", 0),
    )
    tree = DiskTree(Quota(tmp_path, size=1000, entries=10))
    read = io.BytesIO(HELLO + b"".join(requests)).read
    TreeServer(tree, read, lambda _: None, tell=told.append).serve()
    taken = "that name is taken already"
    long = "that name is too long; 255 bytes are the most"
    assert told == [taken, long, taken]


def test_a_client_that_fails_at_everything_is_not_flooded(tmp_path: Path) -> None:
    told: list[str] = []
    names = ("a", "x" * 256)
    requests = [packet(MKDIR, names[number % 2], 0) for number in range(4 * MAX_TOLD)]
    tree = DiskTree(Quota(tmp_path, size=1000, entries=10))
    read = io.BytesIO(HELLO + b"".join(requests)).read
    TreeServer(tree, read, lambda _: None, tell=told.append).serve()
    assert len(told) == MAX_TOLD


def test_a_client_gets_the_reason_beside_the_answers() -> None:
    with client() as sftp:
        sftp.mkdir("a")
        with pytest.raises(OSError, match="that name is taken already"):
            sftp.mkdir("a")
        channel = sftp.get_channel()
        assert channel is not None
        assert channel.recv_stderr(100) == b"tuihost: that name is taken already\n"


def bytes_of(size: int) -> bytes:
    return struct.pack(">I", size) + bytes(size)


@pytest.mark.parametrize("offset", [2**63 - 1, 2**63, 2**64 - 1])
def test_no_file_is_longer_than_a_file_can_be(tmp_path: Path, offset: int) -> None:
    (tmp_path / "a").write_text("x")
    answers = talk(
        tmp_path,
        packet(OPEN, "a", 1, 0),
        packet(READ, "hx1", long(offset), 3),
        packet(OPEN, "b", 1 | WRITING, 0),
        packet(WRITE, "hx2", long(offset), "xyz"),
        packet(SETSTAT, "a", 1, long(offset)),
        packet(LSTAT, "a"),
    )
    assert [code(answers[number]) for number in (1, 3, 4)] == [FAILURE] * 3
    assert answers[5][0] == ATTRS, "the session goes on"


def test_the_quota_is_told_as_a_file_system_has_it(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").write_bytes(bytes(10_000))
    answers = talk(
        tmp_path,
        packet(EXTENDED, "statvfs@openssh.com", "sub/a"),
        packet(OPENDIR, "sub"),
        packet(EXTENDED, "fstatvfs@openssh.com", "hx1"),
        packet(EXTENDED, "fstatvfs@openssh.com", "none"),
        packet(EXTENDED, "statvfs@openssh.com", "none"),
    )
    numbers = struct.unpack(">11Q", answers[0][1])
    block, unit, blocks, free, available, files, *left = numbers
    assert (block, unit, blocks, free, available) == (1024, 1024, 977, 966, 966)
    assert (files, *left) == (1000, 998, 998, 0, 0, 255)
    assert (answers[0][0], answers[2]) == (201, answers[0])
    assert [code(answer) for answer in answers[3:]] == [BAD, NO_SUCH]


# ------------------------------------------------------------------------------ where ~ leads


@pytest.mark.parametrize("path", ["~/sub/a", "sub/a", "/sub/a", "/~/sub/a", "/sub/~/sub/a"])
def test_home_is_where_the_tilde_leads(tmp_path: Path, path: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").write_text("x")
    made = path.replace("sub/a", "b")
    answers = talk(
        tmp_path,
        packet(LSTAT, path),
        packet(OPEN, made, WRITING, 0),
        packet(CLOSE, "hx1"),
    )
    assert [answers[0][0], code(answers[2])] == [ATTRS, OK]
    assert {made.name for made in tmp_path.rglob("*")} == {"sub", "a", "b"}


def test_a_file_that_is_called_tilde_stays_within_reach(tmp_path: Path) -> None:
    answers = talk(
        tmp_path,
        packet(MKDIR, "/~", 0),
        packet(OPEN, "/~/a", WRITING, 0),
        packet(CLOSE, "hx1"),
        packet(REMOVE, "./~/a"),
        packet(15, "/~"),
        packet(OPEN, "~", WRITING, 0),
    )
    assert [code(answer) for answer in answers[2:]] == [OK, OK, OK, FAILURE]
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------ open folders


class Counting(DiskTree):
    """Counts how many names are read."""

    read = 0

    def list(self, names: Names) -> Sequence[FileInfo]:
        found = super().list(names)
        Counting.read += len(found)
        return found


def serve(folder: Path, *packets: bytes) -> tuple[TreeServer, list[bytes]]:
    """The server when it is done, and the answers."""
    sent: list[bytes] = []
    tree = Counting(Quota(folder, size=10**9, entries=10**6))
    server = TreeServer(tree, io.BytesIO(b"".join([HELLO, *packets])).read, sent.append)
    server.serve()
    return server, sent


def test_an_open_folder_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f"{number}").touch()
    before = Counting.read
    serve(tmp_path, *[packet(OPENDIR, "/")] * MAX_HANDLES)
    assert Counting.read == before


def test_many_open_folders_are_all_read_to_their_end(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f"{number}").touch()
    handles = [f"hx{number}" for number in range(1, 9)]
    opening = [packet(OPENDIR, "/")] * len(handles)
    reading = [packet(READDIR, handle) for handle in handles]
    held: list[int] = []

    class Watched(TreeServer):
        def _read_dir(self, request: int, fields: Fields) -> None:
            super()._read_dir(request, fields)
            held.append(sum(len(folder._left or ()) for folder in self.folder_table.values()))

    line = Line(HELLO, *opening, *(reading * 5))
    answers = line.serve(tmp_path, Watched)
    counts = [struct.unpack(">I", body[:4])[0] for kind, body in answers if kind == NAME]
    assert sum(counts) == 200 * len(handles)
    assert [code(answer) for answer in answers[-8:]] == [EOF] * 8
    assert max(held) <= 200 * MAX_LISTINGS


def test_what_a_session_held_goes_with_it(tmp_path: Path) -> None:
    """At once, not when the garbage is collected."""
    for number in range(200):
        (tmp_path / f"{number}").touch()
    gc.disable()
    try:
        server, _ = serve(tmp_path, packet(OPENDIR, "/"), packet(READDIR, "hx1"))
        gone = weakref.ref(server)
        del server
        assert gone() is None
    finally:
        gc.enable()
