"""The real rsync, both ways, and what it cannot be made to do."""

from __future__ import annotations

import filecmp
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.e2e_demo import Served, clean_env
from tests.waiting import DEADLINE
from tuihost.core.rsync_args import RsyncArgs
from tuihost.files.disk import DiskTree
from tuihost.files.quota import Quota
from tuihost.files.tree import REPLACE, Folders
from tuihost.host.helpers import landlock
from tuihost.host.transfers.rsync import CLOCK_TICK, RsyncRun

SETTINGS = """\
[server]
port = 0
state_dir = "state"
per_address = 200
[app.files]
guest_quota = 3
entries = 50
shared = [{ name = "handouts", guests = true }]
"""

pytestmark = pytest.mark.skipif(not landlock.version(), reason="the kernel has no Landlock")
Rsync = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("host")
    (folder / "tuihost.toml").write_text(SETTINGS)
    words = ["serve", "--config", str(folder / "tuihost.toml")]
    served = Served(folder, words, ready=lambda host: bool(host.events("host.start")))
    yield served
    assert not served.events("host.error"), served.log
    served.close()


@pytest.fixture
def ssh(host: Served, tmp_path: Path, program: Callable[[str], str]) -> str:
    options = "StrictHostKeyChecking=no UserKnownHostsFile=/dev/null LogLevel=ERROR"
    given = " ".join(f"-o {option}" for option in options.split())
    return f"{program('ssh')} -F /dev/null {given} -p {host.port}"


@pytest.fixture
def rsync(ssh: str, tmp_path: Path, program: Callable[[str], str]) -> Rsync:
    def run(*words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [program("rsync"), "-e", ssh, *words],
            cwd=tmp_path, env=clean_env(tmp_path), capture_output=True, timeout=DEADLINE,
        )  # fmt: skip

    return run


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    (folder / "sub").mkdir(parents=True)
    (folder / "a").write_text("one\n")
    (folder / "sub" / "b c").write_text("two\n")
    (folder / "big").write_bytes(os.urandom(700_000))
    return folder


def said(ssh: str, user: str, line: str) -> str:
    words = [*ssh.split(), f"{user}@127.0.0.1", line]
    done = subprocess.run(words, capture_output=True, timeout=DEADLINE, check=False)
    return (done.stdout + done.stderr).decode()


@pytest.mark.parametrize("flags", ["-a", "-avz", "-rt"])
def test_a_folder_goes_there_and_back(rsync: Rsync, mine: Path, tmp_path: Path, flags: str) -> None:
    at = f"rs{flags}@127.0.0.1"
    assert rsync(flags, f"{mine}/", f"{at}:copy").returncode == 0
    again = rsync(flags, "--stats", "--delete", f"{mine}/", f"{at}:copy")
    assert b"Number of regular files transferred: 0" in again.stdout, again
    back = tmp_path / "back"
    assert rsync(flags, f"{at}:copy/", str(back)).returncode == 0
    compared = filecmp.dircmp(mine, back)
    assert (compared.left_only, compared.right_only, compared.diff_files) == ([], [], [])
    assert (back / "sub" / "b c").read_text() == "two\n"
    (mine / "a").unlink()
    assert rsync(flags, "--delete", f"{mine}/", f"{at}:copy").returncode == 0
    assert rsync(f"{at}:copy/").stdout.count(b"\n") == 3, "what was deleted is gone"


@pytest.mark.parametrize(
    ("number", "path"),
    [
        *enumerate(
            ["/etc/passwd", "../../../../etc/passwd", "/", "/notes/1.md", "nothing", "copy/../../x"]
        )
    ],
)
def test_nothing_else_is_read(rsync: Rsync, tmp_path: Path, number: int, path: str) -> None:
    done = rsync("-a", f"rt{number}@127.0.0.1:{path}", f"{tmp_path}/out/")
    assert done.returncode != 0
    assert b"root:" not in done.stdout
    assert not any((tmp_path / "out").glob("*"))


def test_links_stay_behind(rsync: Rsync, mine: Path, ssh: str) -> None:
    (mine / "link").symlink_to("/etc/passwd")
    done = rsync("-a", f"{mine}/", "rl@127.0.0.1:")
    assert (done.returncode, b'symlink "/files/mine/link"' in done.stderr) == (23, True), done
    assert said(ssh, "rl", "files cat link") == "link: there is no such file.\n"
    assert "link" not in said(ssh, "rl", "files ls")


def test_the_room_holds(rsync: Rsync, tmp_path: Path, ssh: str) -> None:
    (tmp_path / "huge").write_bytes(os.urandom(8_000_000))
    assert rsync("huge", "rq@127.0.0.1:").returncode != 0
    assert said(ssh, "rq", "files ls") == ""
    many = tmp_path / "many"
    many.mkdir()
    for number in range(12):
        (many / f"{number}").write_bytes(os.urandom(700_000))
    done = rsync("-r", "many", "rq@127.0.0.1:")
    assert done.returncode != 0
    assert b"there is no room left" in done.stderr
    used = json.loads(said(ssh, "rq", "files quota --json"))
    assert 2_000_000 < used["used"] <= used["size"]
    few = tmp_path / "few"
    few.mkdir()
    for number in range(200):
        (few / f"{number}").write_text("x")
    assert rsync("-r", "few", "re@127.0.0.1:").returncode != 0
    assert " 50 of 50 files" in said(ssh, "re", "files quota")
    for number in range(120):
        (tmp_path / "pairs" / f"{number}" / "inner").mkdir(parents=True)
    assert rsync("-r", "pairs", "rp@127.0.0.1:").returncode != 0
    assert " 50 of 50 files" in said(ssh, "rp", "files quota")


def test_what_comes_in_another_way_meanwhile_stays(tmp_path: Path) -> None:
    tree = DiskTree(Quota(tmp_path / "mine", size=100, entries=20))
    put(tree, "before", 10)
    put(tree, "renamed", 1)
    args = RsyncArgs(sender=False, options=(), paths=("mine/",))
    run = RsyncRun(Folders({"mine": tree}), args, lambda _: b"", lambda _: None)
    started = time.time() - CLOCK_TICK
    with tree.quota.watching() as others:
        (tmp_path / "mine" / "sub").mkdir()
        (tmp_path / "mine" / "sub" / "rsync's").write_bytes(bytes(60))
        put(tree, "uploaded", 30)
        tree.make_folder(("made",))
        tree.rename(("renamed",), ("new name",))
        put(tree, "gone", 1)
        number = (tmp_path / "mine" / "gone").stat().st_ino
        tree.remove(("gone",))
        assert number not in {inode for _, inode in others}, "it may be another file's by now"
        (tmp_path / "mine" / "rsync's").write_bytes(bytes(60))
        tree.quota.recount()
        run._keep_what_fits(started, others)
    assert run.full
    kept = {str(path.relative_to(tmp_path / "mine")) for path in (tmp_path / "mine").rglob("*")}
    assert {"before", "uploaded", "made", "new name"} <= kept
    assert tree.quota.used <= 100


def put(tree: DiskTree, name: str, size: int) -> None:
    file = tree.open((name,), REPLACE)
    file.write(0, bytes(size))
    file.close()


@pytest.mark.parametrize("target", ["~", "~/", "~/sub/..", "", ".", "/files/mine/", "/mine"])
def test_home_and_patterns_are_as_with_a_shell(
    rsync: Rsync, mine: Path, tmp_path: Path, ssh: str, target: str
) -> None:
    user = f"rh{len(target)}{target.count('~')}"
    assert rsync("-r", f"{mine}/", f"{user}@127.0.0.1:{target}").returncode == 0
    found = sorted(said(ssh, user, "files find '*'").splitlines())
    assert found == [f"/files/mine/{name}" for name in ("a", "big", "sub", "sub/b c")]
    for pattern in ("~/[ab]*", "?*g", "~/sub/../b?g", "~/big", "/files/mine/big", "/mine/b?g"):
        assert rsync("-r", f"{user}@127.0.0.1:{pattern}", "back/").returncode == 0
        assert (tmp_path / "back" / "big").stat().st_size == 700_000
        (tmp_path / "back" / "big").unlink()


def test_modes_are_what_they_may_be_otherwise(rsync: Rsync, mine: Path) -> None:
    (mine / "a").chmod(0o6755)
    (mine / "big").chmod(0o070)
    (mine / "sub").chmod(0o3300)
    assert rsync("-rp", f"{mine}/", "rm@127.0.0.1:").returncode == 0
    listed = [line.split() for line in rsync("-r", "rm@127.0.0.1:").stdout.decode().splitlines()]
    assert {words[4]: words[0] for words in listed} == {
        ".": "drwxr-xr-x", "a": "-rwxr-xr-x", "big": "-rw-rwx---", "sub": "drwx------",
        "sub/b": "-rw-r--r--",
    }  # fmt: skip


def test_the_room_holds_for_what_is_copied_within_the_host(
    rsync: Rsync, tmp_path: Path, ssh: str
) -> None:
    """A file is made longer out of its own blocks, for which the client sends next to nothing."""
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for number in range(20):
        (seeds / f"{number}").write_bytes(bytes(20_000))
    assert rsync("-r", f"{seeds}/", "rg@127.0.0.1:").returncode == 0
    for number in range(20):
        (seeds / f"{number}").write_bytes(bytes(1_000_000))
    done = rsync("-r", "--no-W", f"{seeds}/", "rg@127.0.0.1:")
    assert done.returncode in (12, 20, 23), done  # by what it notices first
    assert b"there is no room left" in done.stderr
    used = json.loads(said(ssh, "rg", "files quota --json"))
    assert used["used"] <= used["size"]


def test_folders_are_not_nested_too_deeply(rsync: Rsync, tmp_path: Path, ssh: str) -> None:
    deep = tmp_path / "deep"
    deep.joinpath(*"x" * 35).mkdir(parents=True)
    deep.joinpath(*"x" * 35, "file").write_text("x")
    (deep / "a").write_text("x")
    done = rsync("-r", f"{deep}/", "rd@127.0.0.1:")
    assert b"folders that are nested too deeply were not kept" in done.stderr
    assert done.returncode == 23
    assert json.loads(said(ssh, "rd", "files quota --json"))["files"] == 1 + 30


def test_what_others_share_is_not_written(rsync: Rsync, mine: Path) -> None:
    done = rsync("-r", f"{mine}/", "rw@127.0.0.1:/files/handouts/")
    assert done.returncode != 0
    assert b"nothing can be changed there" in done.stderr


def test_it_is_for_copying(ssh: str) -> None:
    assert said(ssh, "rv", "rsync --version") == (
        "tuihost: rsync is for copying files: rsync -a FOLDER HOST:\n"
    )
    refused = said(ssh, "rv", "rsync --server -logDtpr --log-file=/tmp/x . x")
    assert refused == "tuihost: the option --log-file=/tmp/x is not supported here\n"


# ------------------------------------------------------------------------- the kernel's hold


@pytest.mark.parametrize(
    ("line", "well"),
    [
        ("cat inside", True), ("cp inside copy", True), ("mv inside moved", True),
        ("cat ../secret", False), ("cat /etc/passwd", False), ("cp inside ../out", False),
        ("ln -s /etc link", False), ("ln ../secret hard", False), ("mkfifo pipe", False),
        ("ls /", False), ("ls /proc/self/", False), ("ls /dev", False), ("touch /tmp/out", False),
        ("dd if=/dev/zero of=large bs=1000 count=101", False),
    ],
)  # fmt: skip
def test_a_confined_program_reaches_its_folder_alone(
    tmp_path: Path, program: Callable[[str], str], line: str, well: bool
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "inside").write_text("inside")
    (tmp_path / "secret").write_text("secret")
    words = line.split()
    command = [sys.executable, "-I", landlock.__file__, str(folder), "rw", "100000"]
    done = subprocess.run(
        [*command, program(words[0]), *words[1:]], capture_output=True, timeout=DEADLINE
    )
    assert (done.returncode == 0) is well, done
    assert b"secret" not in done.stdout
    assert b"root:" not in done.stdout


def test_a_confined_reader_writes_nothing(tmp_path: Path, program: Callable[[str], str]) -> None:
    command = [sys.executable, "-I", landlock.__file__, str(tmp_path), "ro", "100"]
    done = subprocess.run([*command, program("touch"), "x"], capture_output=True, timeout=DEADLINE)
    assert done.returncode != 0
    assert not any(tmp_path.iterdir())
