"""Files: commands, screen, lines; who sees what."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import DEADLINE
from tuihost.accounts import AccountRecord
from tuihost.testing import Hosted, hosted
from tuihost.testing.hosted import hang_up

PASSWORD = "correct-horse-9"
SHARED = [
    {"name": "handouts", "guests": True},
    {"name": "board", "roles": ["staff"], "write": ["staff"]},
]


@pytest.fixture
def host() -> Iterator[Hosted]:
    with hosted(
        bundled=["menu", "files"],
        settings={"app.files.shared": SHARED, "app.files.guest_quota": 1},
    ) as host:
        yield host


def test_files_are_kept_listed_and_written_out(host: Hosted) -> None:
    data = bytes(range(256)) * 1000
    assert host.run("files put a.bin", stdin=data).status == 0
    assert host.run("files cat a.bin").stdout == data
    assert host.run("files put a.bin", stdin=b"x").errors == "a.bin: that name is taken already.\n"
    assert host.run("files put a.bin --force", stdin=b"x").status == 0
    assert host.run("files mkdir sub").status == 0
    assert host.run("files mv a.bin sub").status == 0
    listed = json.loads(host.run("files ls sub --json").stdout)
    assert [(one["name"], one["size"]) for one in listed] == [("a.bin", 1)]
    assert host.run("files find '*.BIN'").text == "/files/mine/sub/a.bin\n"
    assert host.run("files rm sub/a.bin").status == 0
    assert host.run("files rm --folder sub").status == 0
    assert host.run("files ls").text == ""
    assert host.run("files cat nothing").errors == "nothing: there is no such file.\n"
    assert host.run("files rm").status == 2


def test_cat_reads_standard_input(host: Hosted) -> None:
    host.run("files put a", stdin=b"file ")
    data = bytes(range(256)) * 2000
    for words in ("cat", "less", "more", "files cat -"):
        assert host.run(words, stdin=data).stdout == data
    assert host.run("cat a - a", stdin=b"input ").text == "file input file "


EVERY = (
    *("ls", "ls a", "cat a", "cat /files/mine/a", "put a", "put -f a", "put ''", "put .", "put ~"),
    *("rm a", "rm -f a", "rm -r sub", "rm -r ''", "bin", "bin restore a", "bin empty", "mv a b"),
    *("cp a b", "cp -r sub b", "mv gone a sub", "touch a", "touch b"),
    *("mkdir b", "mkdir -p b/c", "find a", "find a sub"),
)
CHANGES = tuple(
    each
    for each in EVERY
    if each.split()[0] in ("put", "rm", "mv", "cp", "touch", "mkdir") or "empty" in each
)


def test_whoever_may_not_is_told_so_by_every_command(tmp_path: Path) -> None:
    with hosted(bundled=["menu", "files"], state_dir=tmp_path) as host:
        host.run("files put a", stdin=b"x")
        host.run("files put gone", stdin=b"x")
        host.run("files rm gone")
        host.run("files mkdir sub")
    rights = {"commands": ["files *"]}
    with _with_rights(tmp_path, rights) as host:
        for words in EVERY:
            outcome = host.run(f"files {words}", stdin=b"y")
            assert outcome.status == 1, words
            assert outcome.errors.endswith(
                "our roles allow no files here. The host's operator can change that.\n"
            ), words
        assert host.run("files cat", stdin=b"y").text == "y"
    with _with_rights(tmp_path, {**rights, "read_files": ["*"]}) as host:
        for words in CHANGES:
            outcome = host.run(f"files {words}", stdin=b"y")
            assert outcome.status == 1, words
            assert outcome.errors.endswith("othing can be changed here.\n"), words
        assert host.run("files cat a").text == "x"
        assert "1 deleted file or folder in the bin\n" in host.run("files quota").text


def _with_rights(state_dir: Path, rights: dict[str, list[str]]) -> AbstractContextManager[Hosted]:
    settings = {"roles": {"guest": rights}}
    return hosted(bundled=["menu", "files"], settings=settings, state_dir=state_dir)


def test_errors_name_the_path(host: Hosted) -> None:
    host.run("files mkdir sub")
    host.run("files put a", stdin=b"1")
    said = {
        "cat sub": "sub: that is a folder.",
        "cat /files": "/files: that is a folder.",
        "rm b": "b: there is no such file.",
        "rm sub": "sub: that is a folder; `files rm -r sub` deletes it.",
        "mv b c": "b: there is no such file.",
        "mv a c/d": "c/d: there is no such file.",
        "mkdir sub": "sub: that name is taken already.",
        "ls b": "b: there is no such file.",
        "ls a sub b": "b: there is no such file.",
        "ls 'a*'": "a*: there is no such file. In the shell, a pattern without quotes stands for "
        "the files that fit it.",
        "find a b": "b: there is no such file.",
    }
    for words, sentence in said.items():
        outcome = host.run(words)
        assert (outcome.status, outcome.errors) == (1, f"{sentence}\n"), words


def _everything(host: Hosted) -> dict[str, str]:
    """Every file of the person, and what is in it."""
    paths = host.run("files find '*'").text.splitlines()
    found = {path: host.run(f"files cat {path}") for path in paths}
    return {path: cat.text for path, cat in found.items() if cat.status == 0}


@pytest.mark.parametrize("command", ["mv", "cp"])
def test_several_files_go_into_a_folder(host: Hosted, command: str) -> None:
    """As with mv(1) and cp(1); whatever cannot go is named, stays, and keeps nobody back."""
    host.run("files mkdir -p sub/in")
    for path in ("a", "b", "c", "sub/b", "sub/in/c"):
        host.run(f"files put {path}", stdin=path.encode())
    here = {f"/files/mine/{path}": path for path in ("a", "b", "c", "sub/b", "sub/in/c")}
    outcome = host.run(f"{command} a nowhere b sub/in/c c sub")
    assert (outcome.status, outcome.text) == (1, "")
    assert outcome.errors == (
        "nowhere: there is no such file.\n"
        "sub/b: that name is taken already.\n"
        "sub/c: one of the others has got that name.\n"
    )
    gone = {"/files/mine/a", "/files/mine/sub/in/c"} if command == "mv" else set()
    moved = {"/files/mine/sub/a": "a", "/files/mine/sub/c": "sub/in/c"}
    here = {path: text for path, text in (here | moved).items() if path not in gone}
    assert _everything(host) == here

    for last in ("b", "nothing"):
        outcome = host.run(f"{command} c sub/a {last}")
        assert (outcome.status, outcome.errors) == (
            1,
            f"{last}: that is not a folder, and several files can only go into a folder.\n",
        )
    assert _everything(host) == here
    assert host.run(f"{command} -f b c sub").status == 0
    assert _everything(host)["/files/mine/sub/c"] == "c"
    for words in (command, f"{command} a"):
        assert host.run(words).status == 2


def test_a_folder_is_copied_with_all_that_is_in_it(host: Hosted) -> None:
    host.run("files mkdir -p sub/deep")
    host.run("files put sub/deep/a", stdin=b"1")
    said = {
        "cp sub copy": "copy: a folder is copied with -r.",
        "cp -r sub sub": "sub/sub: a folder cannot be copied into itself.",
        "cp -r sub sub/deep/new": "sub/deep/new: a folder cannot be copied into itself.",
        "cp -f sub/deep/a sub/deep": "sub/deep/a: that is the same file.",
        "cp sub/deep/a new/": "new/: there is no such folder.",
        "mv sub/deep/a new/": "new/: there is no such folder.",
        "mv sub/deep/a sub/deep/a/b": "sub/deep/a/b: there is no such file.",
        "mv sub sub": "sub/sub: a folder cannot be moved into itself.",
    }
    for words, sentence in said.items():
        outcome = host.run(words)
        assert (outcome.status, outcome.errors) == (1, f"{sentence}\n"), words
    assert host.run("cp -r sub copy").status == 0
    assert host.run("cp -r sub copy").status == 0
    assert _everything(host) == {
        f"/files/mine/{path}/deep/a": "1" for path in ("sub", "copy", "copy/sub")
    }
    assert host.run("cp -r sub copy").errors == "copy/sub: that name is taken already.\n"


def test_a_copy_for_which_there_is_no_room_leaves_no_file_behind(host: Hosted) -> None:
    host.run("files mkdir big")
    host.run("files put big/file", stdin=bytes(600_000))
    assert host.run("cp big/file copy").errors == "copy: there is no room left.\n"
    assert host.run("cp -r big copy").errors == "copy: file: there is no room left.\n"
    assert (
        host.run("files find '*'").text
        == "/files/mine/big\n/files/mine/big/file\n/files/mine/copy\n"
    )


def test_touch_makes_empty_files_and_changes_no_others(host: Hosted) -> None:
    host.run("files put a", stdin=b"1")
    host.run("files mkdir sub")
    assert host.run("touch a b sub").status == 0
    assert _everything(host) == {"/files/mine/a": "1", "/files/mine/b": ""}
    assert host.run("touch new/ c").errors == "new/: there is no such folder.\n"
    assert "/files/mine/c" in _everything(host)
    assert host.run("touch").status == 2


def test_options_that_ask_for_something_else_are_refused(host: Hosted) -> None:
    assert host.run("ls -la").status == 0
    for words in ("ls -R", "ls -la -t", "ls -lat"):
        outcome = host.run(words)
        assert (outcome.status, "No such option" in outcome.errors) == (2, True), words


def test_several_folders_are_listed(host: Hosted) -> None:
    host.run("files mkdir one")
    host.run("files put a", stdin=b"1")
    host.run("files put one/b", stdin=b"1")
    lines = [row.split()[-1] for row in host.run("ls a one").text.splitlines()]
    assert lines == ["a", "one:", "b"]
    names = [info["name"] for info in json.loads(host.run("ls a one --json").text)]
    assert names == ["a", "b"]


def test_files_by_themselves_are_listed_in_columns(host: Hosted) -> None:
    host.run("files put a", stdin=b"1")
    host.run("files put c", stdin=b"1" * 123)
    first, second = host.run("ls c a").text.splitlines()
    assert (first[:7], second[:7]) == ("123 B  ", "  1 B  ")


def test_what_is_found_is_in_order_and_can_be_read_by_programs(host: Hosted) -> None:
    for name in ("b", "a"):
        host.run(f"files mkdir {name}")
        host.run(f"files put {name}/x", stdin=b"123")
    host.run("files put ax", stdin=b"")
    paths = [f"/files/mine/{name}" for name in ("a/x", "ax", "b/x")]
    for words in ("files find '*x'", "find . -name '*X'"):
        assert host.run(words).text.split() == paths
    found = json.loads(host.run("find '*x' --json").text)
    assert [(info["name"], info["size"]) for info in found] == [*zip(paths, (3, 0, 3), strict=True)]
    assert json.loads(host.run("find 'none' --json").text) == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("a/b", "There is no folder a here."),
        ("one/b", "There is no folder one here."),
        ("other", "That name is taken already."),
        ("..", "That is not a valid file name."),
        ("a/.", "That is not a valid file name."),
        ("x" * 256, "That name is too long; 255 bytes are the most."),
    ],
)
def test_a_name_that_cannot_be_given_is_told_where_it_was_typed(
    host: Hosted, typed: str, said: str
) -> None:
    host.run("files put one", stdin=b"1")
    host.run("files put other", stdin=b"2")
    with host.open("files") as pilot:
        pilot.wait_for("▌ one").press("c-r").wait_for("New name").press("c-u")
        pilot.paste(typed).press("enter").wait_for(said)
        assert "New name" in pilot.text
        pilot.press("c-u").type("better").press("enter").wait_gone("New name").wait_for("▌ better")
    assert host.run("files cat better").text == "1"


def test_what_is_edited_keeps_its_line_ends_and_its_characters(host: Hosted) -> None:
    data = "\ufeffone\r\na\u200eb\u200bc\r\n"
    host.run("files put dos.txt", stdin=data.encode())
    with host.open("files") as pilot:
        pilot.wait_for("dos.txt").press("c-e").wait_for("a·b·c")
        assert "one·" not in pilot.text
        pilot.type("zero ").press("c-s").wait_for("Saved")
    assert host.run("files cat dos.txt").stdout.decode() == data.replace("one", "zero one")


def test_the_room_is_told_and_holds(host: Hosted) -> None:
    said = host.run("files put big", stdin=bytes(2_000_000))
    assert (said.status, said.errors) == (1, "big: there is no room left.\n")
    assert host.run("files ls").text == ""
    assert host.run("files quota").text.startswith("0 B of 1.0 MB used, 0 of")
    room = json.loads(host.run("files quota --json").stdout)
    assert (room["used"], room["size"]) == (0, 1_000_000), "what the settings call a MB"


def test_everybody_has_their_own(host: Hosted) -> None:
    host.run("files put mine.txt", stdin=b"ada's")
    assert host.run("files ls", user="bob").text == ""
    assert host.run("files cat /mine/mine.txt", user="bob").status == 1
    for odd in ("../../etc/passwd", "/../../etc/passwd", "/etc/passwd", "%2e%2e/x"):
        assert host.run(f"files cat {odd}").status == 1


def shared(host: Hosted, user: str, *roles: str) -> Any:
    login_services = host.server.login_services
    record = AccountRecord(
        user, roles=frozenset(roles), password_hash=login_services.passwords.hash(PASSWORD)
    )
    login_services.store.create(record)
    return host.connect(user, password=PASSWORD)


def test_shared_folders_open_by_roles(host: Hosted) -> None:
    assert json.loads(host.run("files ls /files --json").stdout)[0]["name"] == "handouts"
    assert host.run("files put /files/handouts/x", stdin=b"x").status == 1
    for user, roles, sees in (("tom", ("staff",), True), ("eve", (), False)):
        transport = shared(host, user, *roles)
        sftp = transport.open_sftp_client()
        try:
            assert ("board" in sftp.listdir("/files")) is sees
            if sees:
                with sftp.open("/files/board/news", "w") as file:
                    file.write(b"hello")
            else:
                with pytest.raises(OSError, match="no such"):
                    sftp.listdir("/files/board")
            with pytest.raises(OSError, match=r"denied|changed"):
                sftp.open("/files/handouts/x", "w")
        finally:
            sftp.close()
            hang_up(transport)


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
def test_a_person_walks_reads_writes_and_deletes(host: Hosted, size: tuple[int, int]) -> None:
    host.run("files mkdir letters")
    host.run("files put letters/one.py", stdin=b"print('hello')\n")
    with host.open("files", size=size) as pilot:
        pilot.wait_for("letters/").press("enter").wait_for("one.py").press("enter")
        pilot.wait_for("print('hello')").press("escape").wait_for("▌ one.py")
        pilot.press("c-n").wait_for("Name of the new file").type("../../two.txt").press("enter")
        pilot.wait_for("Nothing can be").press("c-u").type("two.txt")
        pilot.press("enter")
        pilot.wait_for("▌ two.txt").press("c-e").wait_for("saved").type("some words")
        pilot.press("c-s").wait_for("Saved").press("escape").wait_gone("save")
        pilot.press("delete").wait_for("Delete two.txt?").press("left", "enter").wait_gone(
            "two.txt"
        )
        pilot.press("left").wait_for("letters/").press("c-c")
        assert pilot.wait_end() == 0
    assert host.run("files find '*'").text == "/files/mine/letters\n/files/mine/letters/one.py\n"


def test_an_empty_file_says_so_and_can_be_written(host: Hosted) -> None:
    host.run("files put /mine/later.py", stdin=b"")
    with host.open("files") as pilot:
        pilot.wait_for("▌ later.py").press("enter").wait_for("This file is empty.")
        pilot.press("e").wait_for("saved").type("x = 1").wait_for("unsaved")
        pilot.press("escape").wait_for("This is not saved").press("end", "enter")
        pilot.wait_gone("This is not saved").wait_for("unsaved").press("escape")
        pilot.wait_for("This is not saved").press("down", "enter").wait_for("▌ later.py")


def test_a_key_that_is_held_down_goes_one_folder_on_or_back(host: Hosted) -> None:
    host.run("files mkdir sub")
    host.run("files put sub/inside.txt", stdin=b"1")
    with host.open("files") as pilot:
        assert "^E edit" not in pilot.wait_for("▌ sub/").text, "a folder has no text"
        pilot.press(*["enter"] * 20, "?").wait_for("Keys")
        assert "/files/mine/sub " in pilot.text, "the file in it is not opened"
        pilot.press("?").wait_gone("Keys").press(*["c-c"] * 20, "?").wait_for("Keys")
        assert "/files/mine " in pilot.text, "Files is not left"
        pilot.press("?").wait_gone("Keys").press(*["backspace"] * 20, "?").wait_for("Keys")
        assert "/files " in pilot.text, "not the folder above"


def test_blanks_are_no_name(host: Hosted) -> None:
    with host.open("files") as pilot:
        pilot.wait_for("No files yet").press("c-n").wait_for("Name of the new file")
        pilot.press("space", "enter").wait_gone("Name of the new file").wait_for("No files yet")


def test_typing_finds_names_and_not_sizes_or_days(host: Hosted) -> None:
    for name in ("a.txt", "b2.txt"):
        host.run(f"files put {name}", stdin=b"1234")  # 4 B, in the year 2…
    with host.open("files") as pilot:
        pilot.wait_for("a.txt").type("b2").wait_for("1 of 2").wait_for("▌ b2.txt")
        pilot.press("backspace").wait_for("› b ").wait_for("1 of 2")


def test_what_is_no_text_is_not_shown(host: Hosted) -> None:
    host.run("files put a.bin", stdin=bytes(100))
    with host.open("files") as pilot:
        pilot.wait_for("a.bin").press("enter").wait_for("This file is not text")


def test_the_first_command_of_somebody_may_be_quota(host: Hosted) -> None:
    said = host.run("files quota", user="newcomer")
    assert (said.status, said.text) == (0, "0 B of 1.0 MB used, 0 of 10,000 files and folders\n")


def test_without_a_terminal_it_is_told(host: Hosted) -> None:
    host.run("files put a.txt", stdin=b"12345")
    host.run("files mkdir sub")
    with host.lines(user="ada+files") as pilot:
        pilot.wait_for("You have 1 file and 1 folder here.").wait_for("a.txt, 5 B")
        pilot.wait_for("sub, folder")


@pytest.mark.parametrize(
    "options",
    [
        {"quota": "much"},
        {"shared": [{"name": "Not a name"}]},
        {"shared": [{"name": "mine"}]},
        {"shared": [{"name": "a"}, {"name": "a"}]},
        {"shared": [{"name": "a", "rolls": ["x"]}]},
        {"shared": [{"name": "a", "roles": "staff"}]},
        {"shared": [{"name": "a", "write": ["staff", 1]}]},
        {"shared": [{"name": "a", "guests": "no"}]},
        {"shared": [{"name": "a", "path": 5}]},
        {"shared": [{"name": "a", "path": "relative/to/what"}]},
        {"shared": [{"name": "a", "path": "~nobody-of-that-name/a"}]},
    ],
)
def test_options_that_make_no_sense_break_the_app_alone(options: dict[str, Any]) -> None:
    given = {f"app.files.{name}": value for name, value in options.items()}
    with hosted(bundled=["menu", "files"], settings=given) as host:
        assert "files" not in host.host.catalog.apps
        assert host.log.named("app.broken")[0]["app"] == "files"


def test_progress_is_told_beside_the_data(host: Hosted) -> None:
    said = host.run("files put p.bin --progress", stdin=bytes(700_000))
    assert (said.status, said.text) == (0, "")
    assert said.errors.splitlines()[-1].startswith("Bytes kept: 700000, ")


def test_a_list_stands_in_columns(host: Hosted) -> None:
    for name, size in (("one", 1), ("two", 12_345)):
        host.run(f"files put {name}", stdin=bytes(size))
    host.run("files mkdir three")
    listed = host.run("files ls").text.splitlines()
    assert [line[:6] for line in listed] == ["   1 B", "folder", " 12 kB"]
    assert [line[6:10] for line in listed] == ["  20"] * 3
    assert [line[24:] for line in listed] == ["  one", "  three/", "  two"]


def test_a_file_of_too_many_lines_is_not_shown(host: Hosted) -> None:
    host.run("files put lines", stdin=b"\n" * 10_001)
    with host.open("files") as pilot:
        pilot.wait_for("lines").press("enter").wait_for("too long to show here")


def test_a_file_has_its_colours_or_is_shown_without_them(host: Hosted) -> None:
    code = "def double(value):\n\treturn 2 * value  # twice\n"
    host.run("files put a.py", stdin=code.encode())
    host.run("files put x.adl", stdin=b"Text\n" + b" " * 19_000 + b"x")
    with host.open("files") as pilot:
        pilot.wait_for("a.py").press("enter").wait_for("    return 2 * value")

        def coloured() -> bool:
            lines = pilot.screen.lines
            row = next(number for number, line in enumerate(lines) if "def double" in line)
            styles, at = pilot.screen.styles(row), lines[row].index("def double")
            return styles[at][1:] != styles[at + 4][1:]

        pilot.wait_until(coloured, "the colours of the file")
        pilot.press("escape").wait_for("x.adl").press("down", "enter").wait_for("Text")
        host.log.wait_for("helper.limit")
        pilot.wait_for("Text")


EVIL = b"\x1b]52;c;ZXZpbA==\x07\x1b[2Jtext\n\xe2\x82\xac 1\r\nhalf \xe2\x82"


def at_a_terminal(host: Hosted, command: str) -> bytes:
    """What `ssh -t host COMMAND` writes."""
    client = host.connect()
    channel = client.open_session(timeout=DEADLINE)
    channel.settimeout(DEADLINE)
    channel.get_pty("xterm-256color", 80, 24)
    channel.exec_command(command)
    written = b""
    while data := channel.recv(4096):
        written += data
    hang_up(client)
    return written


@pytest.mark.parametrize(
    "command",
    [
        "files cat evil",
        "shell -c 'files cat evil | page'",
        "shell head evil",
        "shell tail evil",
        "shell grep '' evil",
    ],
)
def test_no_file_steers_a_terminal(command: str) -> None:
    with hosted(bundled=["menu", "files", "shell"]) as host:
        assert host.run("files put evil", stdin=EVIL).status == 0
        written = at_a_terminal(host, command)
        shown = written.replace(b"\x1b[0m", b"")
        assert b"\x1b" not in shown.replace(b"\x1b[?2004", b"")
        assert b"\x07" not in shown
        assert "·]52;c;ZXZpbA==··[2Jtext\r\n".encode() in shown
        assert "€ 1\r\nhalf ".encode() in shown
        assert host.run(command).stdout.startswith(b"\x1b]52;"), "a program gets what it is"


def test_a_file_is_shown_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    with hosted(bundled=["menu", "files"]) as host:
        files = type(host.host.catalog.apps["files"].app).__module__
        monkeypatch.setattr(importlib.import_module(f"{files}.trees"), "CHUNK", 1)
        text = "one €€€€\r\ntwo\n\n" + "x" * 23 + "\nend"
        assert host.run("files put long", stdin=text.encode()).status == 0
        written = at_a_terminal(host, "files cat long").decode()
        assert written == text.replace("\r", "").replace("\n", "\r\n")
