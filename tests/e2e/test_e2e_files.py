"""Files by the real sftp and scp, in both protocols of scp."""

from __future__ import annotations

import filecmp
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.e2e_demo import Demo, Run, clean_env
from tests.waiting import DEADLINE

Copy = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder with a little of everything."""
    folder = tmp_path / "mine"
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "big.bin").write_bytes(os.urandom(1_500_000))
    (folder / "with blanks.txt").write_text("hello\n")
    (folder / "sub" / "deep" / "émile.txt").write_text("accents\n")
    (folder / "sub" / "script.sh").write_text("#!/bin/sh\n")
    (folder / "sub" / "script.sh").chmod(0o755)
    return folder


@pytest.fixture
def copy(demo: Demo, tmp_path: Path, program: Callable[[str], str]) -> Copy:
    """`scp` or `sftp` with the demo's port and no settings of this account."""
    options = "StrictHostKeyChecking=no UserKnownHostsFile=/dev/null LogLevel=ERROR"
    given = [word for option in options.split() for word in ("-o", option)]

    def run(name: str, *words: str, input: str = "") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [program(name), "-F", "/dev/null", *given, "-P", str(demo.port), *words],
            input=input.encode(),
            cwd=tmp_path,
            env=clean_env(tmp_path),
            capture_output=True,
            timeout=DEADLINE,
        )

    return run


def same(mine: Path, other: Path) -> bool:
    found = filecmp.dircmp(mine, other)
    return not (found.left_only or found.right_only or found.diff_files) and all(
        same(mine / name, other / name) for name in found.common_dirs
    )


@pytest.mark.parametrize("protocol", ["-s", "-O"])
def test_scp_copies_files_and_folders_both_ways(
    copy: Copy, mine: Path, tmp_path: Path, protocol: str
) -> None:
    at = f"scp{protocol}@127.0.0.1"
    up = copy("scp", protocol, "-rp", "mine", f"{at}:there")
    assert (up.returncode, up.stderr) == (0, b""), up
    down = copy("scp", protocol, "-rp", f"{at}:there", "back")
    assert (down.returncode, down.stderr) == (0, b""), down
    assert same(mine, tmp_path / "back")
    assert (tmp_path / "back/sub/script.sh").stat().st_mode & 0o777 == 0o755
    before = int((mine / "big.bin").stat().st_mtime)
    assert int((tmp_path / "back/big.bin").stat().st_mtime) == before
    (tmp_path / "some").mkdir()
    assert copy("scp", protocol, f"{at}:there/*.txt", "some").returncode == 0
    assert os.listdir(tmp_path / "some") == ["with blanks.txt"]
    gone = copy("scp", protocol, f"{at}:there/nothing", "some")
    assert gone.returncode == 1
    assert b"o such file" in gone.stderr


@pytest.mark.parametrize("protocol", ["-s", "-O"])
def test_nothing_leads_out(copy: Copy, tmp_path: Path, protocol: str) -> None:
    (tmp_path / "x").write_text("x")
    at = f"out{protocol}@127.0.0.1"
    for path in ("../../../../etc/passwd", "/etc/passwd", "/files/../../etc/passwd"):
        assert copy("scp", protocol, f"{at}:{path}", "got").returncode == 1
        assert copy("scp", protocol, "x", f"{at}:{path}").returncode == 1
    assert not (tmp_path / "got").exists()


def test_sftp_does_what_people_do_with_it(copy: Copy, mine: Path, tmp_path: Path, ssh: Run) -> None:
    lines = [
        "pwd",
        "put mine/big.bin",
        "mkdir box",
        "put -r mine/sub box/",
        "rename big.bin box/large.bin",
        "chmod 600 box/large.bin",
        "ls -l box",
        "get box/large.bin",
        "reget box/large.bin",
        "cd box",
        "lpwd",
        "df",
    ]
    done = copy("sftp", "-b", "-", "sue@127.0.0.1", input="\n".join(lines))
    assert done.returncode == 0, done.stderr
    room = [line.split() for line in done.stdout.decode().splitlines() if line.endswith("%")]
    assert [numbers[0] for numbers in room] == ["4883"], "kB of 1024 in the quota of 5 MB"
    assert b"/files/mine" in done.stdout
    assert b"-rw-------" in done.stdout
    assert filecmp.cmp(mine / "big.bin", tmp_path / "large.bin", shallow=False)
    listed = ssh("sue@127.0.0.1", "files", "ls", "box").stdout.decode()
    assert "large.bin" in listed
    assert "sub/" in listed


def test_a_copy_that_is_cut_off_leaves_nothing(
    demo: Demo, copy: Copy, tmp_path: Path, program: Callable[[str], str], ssh: Run
) -> None:
    """The client is killed in the middle: what it sent has no name, and is gone."""
    os.mkfifo(tmp_path / "pipe")
    words = ["-F", "/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR"]
    words += ["-o", "UserKnownHostsFile=/dev/null", "-p", str(demo.port), "cut@127.0.0.1"]
    process = subprocess.Popen(
        [program("ssh"), *words, "files", "put", "half.bin"],
        stdin=subprocess.PIPE,
        env=clean_env(tmp_path),
    )
    assert process.stdin is not None
    process.stdin.write(bytes(300_000))
    process.stdin.flush()
    demo.wait_event("app.start", user="cut", app="files")
    process.kill()
    process.stdin.close()
    process.wait(DEADLINE)
    demo.wait_event("session.end", user="cut")
    assert ssh("cut@127.0.0.1", "files", "ls").stdout == b""
    assert not list((demo.folder / "state").rglob(".tuihost-unfinished-*"))


def test_what_is_no_note_is_told_by_the_client(copy: Copy, mine: Path) -> None:
    lines = f'put "{mine}/with blanks.txt" /notes/hello.md\nls -1 /notes\n'
    done = copy("sftp", "-b", "-", "noter@127.0.0.1", input=lines)
    assert (done.returncode, b"/notes/1-hello.md" in done.stdout) == (0, True), done
    done = copy("sftp", "-b", "-", "noter@127.0.0.1", input=f"put {mine}/big.bin /notes/x.md\n")
    assert done.returncode == 1, done
    (mine / "bytes").write_bytes(b"\xff\xfe\0")
    done = copy("sftp", "-b", "-", "noter@127.0.0.1", input=f"put {mine}/bytes /notes/x.md\n")
    assert done.returncode == 1, done


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("protocol", ["sftp", "-s", "-O"])
def test_a_copy_for_which_there_is_no_room_leaves_nothing(
    copy: Copy, tmp_path: Path, ssh: Run, protocol: str, there: bool
) -> None:
    at = f"full{protocol}-{there}@127.0.0.1"
    if there:
        ssh(at, "files", "put", "huge", input=b"what was there")
    (tmp_path / "huge").write_bytes(bytes(8_000_000))
    if protocol == "sftp":
        assert copy("sftp", "-b", "-", at, input="put huge").returncode == 1
    else:
        assert copy("scp", protocol, "huge", f"{at}:").returncode == 1
    assert ssh(at, "files", "cat", "huge").stdout == (b"what was there" if there else b"")
    used = "14 B of 5.0 MB used, 1" if there else "0 B of 5.0 MB used, 0"
    assert ssh(at, "files", "quota").stdout.decode() == f"{used} of 10,000 files and folders\n"


@pytest.mark.parametrize("protocol", ["-s", "-O"])
@pytest.mark.parametrize("target", ["~", "~/", "~/b", "", "b", "/files/mine/b", "/mine/b"])
def test_scp_finds_home(copy: Copy, tmp_path: Path, ssh: Run, protocol: str, target: str) -> None:
    at = f"home{protocol}{target.translate({126: 't', 47: 's'})}@127.0.0.1"
    (tmp_path / "b").write_text("x")
    up = copy("scp", protocol, "b", f"{at}:{target}")
    assert (up.returncode, up.stderr) == (0, b""), up
    assert ssh(at, "files", "find", "*").stdout == b"/files/mine/b\n"
    for pattern in ("~/b", "~/[ab]", "~/?", "b*", "/files/mine/b", "/mine/?"):
        down = copy("scp", protocol, f"{at}:{pattern}", "back")
        assert (down.returncode, (tmp_path / "back").read_text()) == (0, "x"), down
        (tmp_path / "back").unlink()


def test_sftp_finds_home(copy: Copy, tmp_path: Path, ssh: Run) -> None:
    (tmp_path / "b").write_text("x")
    lines = ["mkdir sub", "cd sub", "put b ~/", "cd ~", "pwd", "get ~/[ab] back", "ls ~/sub"]
    done = copy("sftp", "-b", "-", "hilde@127.0.0.1", input="\n".join(lines))
    assert (done.returncode, done.stderr) == (0, b""), done
    assert (tmp_path / "back").read_text() == "x"
    found = ssh("hilde@127.0.0.1", "files", "find", "*").stdout.decode().splitlines()
    assert sorted(found) == ["/files/mine/b", "/files/mine/sub"]


@pytest.mark.skipif(not os.access("/dev/fuse", os.W_OK), reason="no file systems of users here")
def test_a_folder_of_the_host_is_mounted_and_worked_in(
    demo: Demo, tmp_path: Path, program: Callable[[str], str]
) -> None:
    """sshfs: random access, many small requests, names that are looked up before they are there."""
    mount = tmp_path / "mount"
    mount.mkdir()
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"]
    given = [word for option in options for word in ("-o", option)]
    words = [program("sshfs"), "-p", str(demo.port), *given, "mounter@127.0.0.1:", str(mount)]
    subprocess.run(words, check=True, timeout=DEADLINE, env=clean_env(tmp_path))
    try:
        data = bytes(range(256)) * 2000
        (mount / "sub").mkdir()
        (mount / "sub" / "a").write_bytes(data)
        assert (mount / "sub" / "a").read_bytes() == data
        with (mount / "sub" / "a").open("r+b") as file:
            file.seek(100_000)
            file.write(b"in the middle")
            file.flush()
            file.seek(99_998)
            assert file.read(17) == data[99_998:100_000] + b"in the middle" + data[100_013:100_015]
            file.truncate(200_000)
        with (mount / "sub" / "a").open("ab") as file:
            file.write(b"at the end")
        assert (mount / "sub" / "a").stat().st_size == 200_010
        (mount / "sub" / "a").rename(mount / "b")
        with pytest.raises(OSError, match=r".+"):
            (mount / "link").symlink_to("/etc/passwd")
        assert sorted(path.name for path in mount.iterdir()) == ["b", "sub"]
        room = os.statvfs(mount)
        assert (room.f_blocks * room.f_frsize, room.f_files) == (4883 * 1024, 10_000)
        assert (room.f_blocks - room.f_bfree, room.f_files - room.f_ffree) == (196, 2)
        (mount / "b").unlink()
    finally:
        leave = [program("fusermount3"), "-u", str(mount)]
        subprocess.run(leave, check=True, timeout=DEADLINE)
