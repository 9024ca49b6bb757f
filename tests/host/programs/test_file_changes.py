"""A change of a file is in the log, whatever way it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.sftp import sftp_of
from tuihost.testing import Hosted, hosted

MINE = "/files/mine"
THERE = b"12345"


@pytest.fixture
def host() -> Iterator[Hosted]:
    """One where guests have a file, `a`, and an empty folder, `sub`."""
    with hosted(bundled=["menu", "files", "notes", "shell"]) as host:
        run("files put a", stdin=THERE)(host)
        run("files mkdir sub")(host)
        host.log.events.clear()
        yield host


def run(*lines: str, stdin: bytes = b"") -> Callable[[Hosted], None]:
    def way(host: Hosted) -> None:
        for line in lines:
            outcome = host.run(line, stdin=stdin)
            assert (outcome.status, outcome.errors) == (0, ""), outcome

    return way


def by_sftp(host: Hosted) -> None:
    with sftp_of(host, "ada") as sftp:
        with sftp.open("b", "w") as file:
            file.write(b"123")
        sftp.rename("b", "c")
        sftp.remove("c")
        sftp.mkdir("d")
        sftp.rmdir("d")
        with sftp.open("a") as file:
            assert file.read() == THERE


def in_the_editor(host: Hosted) -> None:
    with host.open("files") as pilot:
        pilot.wait_for("sub/").press("c-n").wait_for("Name of the new file").type("b")
        pilot.press("enter").wait_for("▌ b").press("c-e").wait_for("saved").type("words")
        pilot.press("c-s").wait_for("Saved").press("escape").wait_for("▌ b")
        pilot.press("delete").wait_for("Delete b?").press("left", "enter").wait_gone("Delete b?")
        pilot.press("c-c")
        assert pilot.wait_end() == 0


Changes = list[tuple[str, str, int]]
WAYS: dict[str, tuple[Callable[[Hosted], None], Changes]] = {
    "put": (run("files put b", stdin=b"123"), [("written", f"{MINE}/b", 3)]),
    "rm": (run("files rm a"), [("removed", f"{MINE}/a", 0)]),
    "rm -r": (run("rm -r sub"), [("removed", f"{MINE}/sub", 0)]),
    "mv": (run("mv a sub"), [("renamed", f"{MINE}/sub/a", 0)]),
    "cp": (run("cp a b"), [("written", f"{MINE}/b", 5)]),
    "touch": (run("touch a b"), [("written", f"{MINE}/b", 0)]),
    "mkdir -p": (
        run("mkdir -p sub/x/y"),
        [("made", f"{MINE}/sub/x", 0), ("made", f"{MINE}/sub/x/y", 0)],
    ),
    "restore": (
        run("files rm a", "files bin restore a"),
        [("removed", f"{MINE}/a", 0), ("restored", f"{MINE}/a", 5)],
    ),
    "empty": (
        run("files rm a", "files bin empty", "files bin empty"),
        [("removed", f"{MINE}/a", 0), ("bin emptied", MINE, 0)],
    ),
    ">": (run("shell -c 'echo 12 > b'"), [("written", f"{MINE}/b", 3)]),
    ">>": (run("shell -c 'echo 12 >> a'"), [("written", f"{MINE}/a", 8)]),
    "scp": (
        run("scp -t b", stdin=b"C0644 3 b\n123\0"),
        [("written", f"{MINE}/b", 3)],
    ),
    "sftp": (
        by_sftp,
        [
            ("written", f"{MINE}/b", 3),
            ("renamed", f"{MINE}/c", 0),
            ("removed", f"{MINE}/c", 0),
            ("made", f"{MINE}/d", 0),
            ("removed", f"{MINE}/d", 0),
        ],
    ),
    "the app Files": (
        in_the_editor,
        [
            ("written", f"{MINE}/b", 0),
            ("written", f"{MINE}/b", 5),
            ("removed", f"{MINE}/b", 0),
        ],
    ),
    "reading": (
        run("cat a", "files find a", "shell -c 'count < a'", "scp -f a", stdin=b"\0\0\0"),
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS)
def test_a_change_is_in_the_log_once(host: Hosted, name: str) -> None:
    way, changes = WAYS[name]
    way(host)
    logged = host.log.named("file.changed")
    assert [(one["what"], one["path"], one["size"]) for one in logged] == changes
    assert all("user" in one and "conn" in one for one in logged)


def test_another_apps_files_are_in_it_too(host: Hosted) -> None:
    run("notes add soup")(host)
    with sftp_of(host, "ada") as sftp:
        (name,) = sftp.listdir("/notes")
        sftp.remove(f"/notes/{name}")
    (change,) = host.log.named("file.changed")
    assert (change["what"], change["path"]) == ("removed", f"/notes/{name}")
