"""A file has one path: what any way to the files shows, every other way takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from shlex import quote

import pytest

from tests.sftp import sftp_of
from tuihost.testing import Hosted, hosted

HERE = "/files/mine/sub folder"
PATH = f"{HERE}/a [1].txt"
NUMBERS = count()
TEXT = b"what is in it\n"


@pytest.fixture(scope="module")
def host() -> Iterator[Hosted]:
    with hosted(bundled=["menu", "files", "notes", "shell"]) as host:
        yield host


@pytest.fixture
def user(host: Hosted) -> str:
    """Somebody with one file, in a folder."""
    name = f"paths{next(NUMBERS)}"
    with sftp_of(host, name) as sftp:
        sftp.mkdir(HERE)
        with sftp.open(PATH, "w") as file:
            file.write(TEXT)
    return name


def run(host: Hosted, line: str, user: str, stdin: bytes = b"") -> str:
    outcome = host.run(line, user=user, stdin=stdin)
    assert (outcome.status, outcome.errors) == (0, ""), outcome
    return outcome.text


# ------------------------------------------------------------------------------ what shows a path


def by_pwd(host: Hosted, user: str) -> str:
    return run(host, "pwd", user).strip() + PATH.removeprefix("/files/mine")


def by_find(host: Hosted, user: str) -> str:
    return run(host, "files find 'a*'", user).strip()


def by_sftp(host: Hosted, user: str) -> str:
    with sftp_of(host, user) as sftp:
        sftp.chdir("sub folder")
        return f"{sftp.getcwd()}/{sftp.listdir()[0]}"


def by_the_bin(host: Hosted, user: str) -> str:
    run(host, f"files rm {quote(PATH)}", user)
    (deleted,) = json.loads(run(host, "files bin --json", user))
    assert run(host, "files bin", user).endswith(f"{deleted['name']}\n")
    run(host, f"files bin restore {quote(deleted['name'])}", user)
    return str(deleted["name"])


def by_the_screen(host: Hosted, user: str) -> str:
    with host.open("files", user=user, size=(120, 24)) as pilot:
        pilot.wait_for("▌ sub folder/").press("enter").wait_for("a [1].txt").press("enter")
        title = pilot.wait_for("what is in it").text.splitlines()[0]
    return title.partition("Files: ")[2].partition("  ")[0].strip()


def by_tab(host: Hosted, user: str) -> str:
    with host.open("shell", user=user) as shell:
        shell.wait_for("Type help").type("cat /f").press("tab").wait_for("cat /files/")
        shell.type("m").press("tab").wait_for("mine/").type("s").press("tab").wait_for("folder/")
        shell.type("a").press("tab").wait_for(".txt")
        shown = next(row for row in shell.text.splitlines() if "❯ cat " in row)
    return shown.partition("cat ")[2].strip().replace("\\", "")


SHOW = {
    show.__name__: show for show in (by_pwd, by_find, by_sftp, by_the_bin, by_the_screen, by_tab)
}

# ------------------------------------------------------------------------------ what takes one


def takes_cat(host: Hosted, user: str, path: str) -> None:
    assert run(host, f"cat {quote(path)}", user).encode() == TEXT


def takes_ls(host: Hosted, user: str, path: str) -> None:
    assert "a [1].txt" in run(host, f"files ls {quote(path)}", user)


def takes_find(host: Hosted, user: str, path: str) -> None:
    folder = path.rpartition("/")[0]
    assert run(host, f"files find '*' {quote(folder)}", user) == f"{PATH}\n"


def takes_put(host: Hosted, user: str, path: str) -> None:
    run(host, f"files put -f {quote(path)}", user, TEXT)


def takes_mv(host: Hosted, user: str, path: str) -> None:
    run(host, f"mv {quote(path)} {quote(path + '2')}", user)
    run(host, f"mv {quote(path + '2')} {quote(path)}", user)


def takes_mkdir(host: Hosted, user: str, path: str) -> None:
    run(host, f"mkdir {quote(path + '-folder')}", user)
    run(host, f"rm -r {quote(path + '-folder')}", user)


def takes_sftp(host: Hosted, user: str, path: str) -> None:
    with sftp_of(host, user) as sftp:
        assert sftp.stat(path).st_size == len(TEXT)
        assert sftp.normalize(path) == PATH


def takes_scp_from(host: Hosted, user: str, path: str) -> None:
    outcome = host.run(f"scp -f {quote(path)}", user=user, stdin=bytes(9))
    assert TEXT in outcome.stdout, outcome


def takes_scp_to(host: Hosted, user: str, path: str) -> None:
    sent = b"C0644 %d x\n%b\0" % (len(TEXT), TEXT)
    assert host.run(f"scp -t {quote(path)}", user=user, stdin=sent).status == 0


def takes_less_than(host: Hosted, user: str, path: str) -> None:
    assert run(host, f"shell -c {quote(f'count < {quote(path)}')}", user) == "1\n"


def takes_greater_than(host: Hosted, user: str, path: str) -> None:
    run(host, f"shell -c {quote(f'echo what is in it > {quote(path)}')}", user)


TAKE = {
    take.__name__: take
    for take in (
        takes_cat, takes_ls, takes_find, takes_put, takes_mv, takes_mkdir, takes_sftp,
        takes_scp_from, takes_scp_to, takes_less_than, takes_greater_than,
    )
}  # fmt: skip


@pytest.mark.parametrize("show", SHOW)
def test_what_one_way_shows_every_other_takes(host: Hosted, user: str, show: str) -> None:
    path = SHOW[show](host, user)
    assert path == PATH
    for take in TAKE.values():
        take(host, user, path)
    assert run(host, f"cat {quote(PATH)}", user).encode() == TEXT


@pytest.mark.parametrize(
    "path",
    ["~/sub folder/a [1].txt", "sub folder/a [1].txt", "/mine/sub folder/a [1].txt",
     "/files/mine/~/sub folder/a [1].txt", "/~/sub folder/a [1].txt"],
)  # fmt: skip
def test_other_forms_of_it_are_taken_everywhere_too(host: Hosted, user: str, path: str) -> None:
    for take in TAKE.values():
        take(host, user, path)
    assert run(host, "files find 'a*'", user) == f"{PATH}\n"


@pytest.mark.parametrize(
    ("path", "reason"), [("~/new/", "there is no such folder"), ("sub folder/", "that is a folder")]
)
def test_no_way_makes_a_file_of_a_path_that_names_a_folder(
    host: Hosted, user: str, path: str, reason: str
) -> None:
    for line in (f"files put -f {quote(path)}", f"shell -c {quote(f'echo a > {quote(path)}')}"):
        outcome = host.run(line, user=user, stdin=b"a")
        assert (outcome.status, reason in outcome.errors) == (1, True), outcome
    with sftp_of(host, user) as sftp, pytest.raises(OSError, match=reason):
        sftp.open(path, "w")
    assert run(host, "files find new*", user) == ""


def test_nor_does_the_old_protocol_of_scp(host: Hosted, user: str) -> None:
    outcome = host.run("scp -t new/", user=user, stdin=b"C0644 1 x\n")
    assert (outcome.status, b"new/: there is no such folder" in outcome.stdout) == (1, True)
    folder = b"D0755 0 x\nC0644 1 y\na\0E\n"
    assert host.run("scp -r -t new/", user=user, stdin=folder).status == 0
    assert run(host, "files find y", user) == "/files/mine/new/y\n"


def test_signs_of_patterns_stand_for_themselves_where_they_are_quoted(
    host: Hosted, user: str
) -> None:
    for name in ("a*b", "aXb"):
        run(host, f"files put {quote(name)}", user, stdin=name.encode())
    for path in (r"a\*b", "'a*b'", "a[*]b"):
        sent = host.run(f"scp -f {path}", user=user, stdin=b"\0" * 8).stdout
        assert b"C0644 3 a*b\na*b" in sent
        assert b"aXb" not in sent, path
    assert b"aXb" in host.run("scp -f a*b", user=user, stdin=b"\0" * 8).stdout
    assert host.run("scp -t 'c[1]*'", user=user, stdin=b"C0644 1 x\n1\0").status == 0
    assert run(host, "cat 'c[1]*'", user) == "1"
    outcome = host.run("scp -f 'no*'", user=user, stdin=b"\0" * 8)
    assert (outcome.status, b"no*: " in outcome.stdout) == (1, True)


def test_files_of_other_apps_are_within_reach_of_each_command(host: Hosted) -> None:
    run(host, "notes add 'buy milk'", "nan")
    (path,) = run(host, "files find '*.md' /", "nan").splitlines()
    assert path.startswith("/notes/")
    assert run(host, f"cat {quote(path)}", "nan") == "buy milk"
    assert run(host, f"shell -c {quote(f'count < {quote(path)}')}", "nan") == "1\n"
