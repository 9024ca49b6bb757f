"""The shell's patterns of file names: which words they stand for, and how many."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.shell import patterns
from apps.shell.language import Word, parse
from apps.shell.patterns import PatternError, Patterns
from tests.waiting import DEADLINE
from tuihost import DiskTree, Folders, Quota
from tuihost.testing import Hosted, Outcome, hosted
from tuihost.testing.hosted import hang_up

NAMES = (
    "a.txt", "b.txt", ".c.txt", "d e.txt", "-r.txt", "~", "[x].md", "é.md", "up/1.log", "up/2.log",
    "up/.3.log", "down/1.log", "-d/a.csv",
)  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path) -> Folders:
    for name in NAMES:
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for name in ("one.md", "two.md"):
        (tmp_path / "team").mkdir(exist_ok=True)
        (tmp_path / "team" / name).touch()

    def disk(name: str) -> DiskTree:
        return DiskTree(Quota(tmp_path / name, size=10, entries=10))

    files = Folders({"mine": disk("mine"), "team": disk("team")}, "mine")
    return Folders({"files": files}, "files")


def expanded(tree: Folders, line: str) -> list[str]:
    """The words of a command line behind its name."""
    [pipeline] = parse(line)
    _, *words = Patterns(lambda: tree).words(pipeline.commands[0])
    return words


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("?.txt", ["a.txt", "b.txt"]),
        ("[ab].txt", ["a.txt", "b.txt"]),
        ("[!ab].*", ["é.md"]),
        ("*.txt", ["./-r.txt", "a.txt", "b.txt", "d e.txt"]),
        (".*", [".c.txt"]),
        ("[.]c*", ["[.]c*"]),
        ("up/*.log", ["up/1.log", "up/2.log"]),
        ("up/.*", ["up/.3.log"]),
        ("*/1.log", ["down/1.log", "up/1.log"]),
        ("*/", ["./-d/", "down/", "up/"]),
        ("u?//[0-9]*", ["up//1.log", "up//2.log"]),
        ("up/../?.txt", ["up/../a.txt", "up/../b.txt"]),
        ("-d/*", ["./-d/a.csv"]),
        ("*", ["./-d", "./-r.txt", "./~", "[x].md", "a.txt", "b.txt", "d e.txt", "down", "up",
               "é.md"]),
        ("~/?.txt", ["~/a.txt", "~/b.txt"]),
        ("/files/team/*", ["/files/team/one.md", "/files/team/two.md"]),
        ("/team/t*", ["/team/two.md"]),
        ("/*", ["/files"]),
        ("'*'.txt *.'t'xt", ["*.txt", "./-r.txt", "a.txt", "b.txt", "d e.txt"]),
        ("'?'.txt \"[ab].txt\" \\*", ["?.txt", "[ab].txt", "*"]),
        ("\\[*.md '[x]'*", ["[x].md", "[x].md"]),
        ("*.nope a*/x up/1.log/* [", ["*.nope", "a*/x", "up/1.log/*", "["]),
        ("../../../*/../etc/*", ["../../../*/../etc/*"]),
        ("b* x a*", ["b.txt", "x", "a.txt"]),
        ("[^ab].* [\\^ab].txt ['!'ab].txt", ["é.md", "a.txt", "b.txt", "a.txt", "b.txt"]),
        ("[a'-'c].txt [b']'].txt [']'b].txt [a\\]].txt", ["a.txt", "b.txt", "b.txt", "a.txt"]),
        ("'['ab].txt [ab']'.txt [ab.txt", ["[ab].txt", "[ab].txt", "[ab.txt"]),
        ("[[:alpha:]].txt [^[:alpha:]].txt", ["a.txt", "b.txt", "[^[:alpha:]].txt"]),
    ],
)  # fmt: skip
def test_a_pattern_stands_for_the_files_that_fit(
    tree: Folders, typed: str, words: list[str]
) -> None:
    assert expanded(tree, f"ls {typed}") == words


def test_no_file_chooses_the_command(tree: Folders) -> None:
    [pipeline] = parse("? a*")
    assert Patterns(lambda: tree).words(pipeline.commands[0]) == ("?", "a.txt")


def test_files_are_looked_at_only_for_a_pattern() -> None:
    def files() -> Folders:
        raise AssertionError("no word is a pattern")

    assert Patterns(files).words((Word("ls"), Word("*"))) == ("ls", "*")


def test_what_is_given_for_patterns_is_bounded(
    tree: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patterns, "MAX_NAMES", 5)
    assert len(expanded(tree, "ls ?.txt *.csv up/*")) == 5
    with pytest.raises(PatternError, match=r"^up/\*: patterns can stand for at most 5 names"):
        expanded(tree, "ls ?.txt *.md up/*")
    monkeypatch.setattr(patterns, "MAX_NAMES", 100)
    monkeypatch.setattr(patterns, "MAX_BYTES", 10)
    assert expanded(tree, "ls ?.txt") == ["a.txt", "b.txt"]
    with pytest.raises(PatternError, match="or 10 B at once"):
        expanded(tree, "ls ?.txt b*")
    monkeypatch.setattr(patterns, "MAX_BYTES", 1000)
    monkeypatch.setattr(patterns, "MAX_SEEN", 20)
    assert expanded(tree, "ls ?.txt")
    with pytest.raises(PatternError, match=r"^\*/\*: there are too many files to look through"):
        expanded(tree, "ls ?.txt */*")
    monkeypatch.setattr(patterns, "MAX_SEEN", 13)
    assert expanded(tree, "ls ?.txt")
    with pytest.raises(PatternError, match="there are too many files to look through"):
        expanded(tree, "ls */1.log")
    with pytest.raises(PatternError, match="a pattern has at most"):
        expanded(tree, f"ls *{'x' * patterns.MAX_PATTERN}")


def test_a_pattern_cannot_hold_anybody_up(tmp_path: Path) -> None:
    (tmp_path / ("a" * 250)).touch()
    tree = DiskTree(Quota(tmp_path, size=10, entries=10))
    typed = "*a" * 30 + "*b"
    begun = time.thread_time()
    assert Patterns(lambda: tree).words((Word("ls"), Word(typed, (0,)))) == ("ls", typed)
    stars = tuple(at for at, char in enumerate(typed) if char == "*")
    assert Patterns(lambda: tree).words((Word("ls"), Word(typed, stars))) == ("ls", typed)
    assert time.thread_time() - begun < 1


# ------------------------------------------------------------------------------- in the shell


@pytest.fixture(scope="module")
def host() -> Iterator[Hosted]:
    roles = {"guest": {"commands": ["*"]}, "user": {"commands": ["shell *"]}}
    with hosted(bundled=["menu", "shell", "files"], settings={"roles": roles}) as host:
        yield host


def lines(host: Hosted, text: str, user: str) -> Outcome:
    return host.run("shell script", stdin=text.encode(), user=user)


def test_commands_get_the_names(host: Hosted) -> None:
    made = "echo one > a.txt; echo two > b.txt; echo x > ./-f.txt; mkdir up; echo l > up/x.log"
    assert lines(host, made, "ann").status == 0
    assert lines(host, "cat [ab].txt", "ann").text == "one\ntwo\n"
    assert lines(host, "wc ?.txt | grep a", "ann").text == "1 a.txt\n2 total\n"
    assert lines(host, "sh -c 'echo *.txt'", "ann").text == "./-f.txt a.txt b.txt\n"
    assert host.run("shell -c 'echo up/*'", user="ann").text == "up/x.log\n"
    assert lines(host, "rm up/*.log; ls up", "ann").text == ""
    assert lines(host, "rm *.nope", "ann").errors == (
        "*.nope: there is no such file. In the shell, a pattern without quotes stands for the "
        "files that fit it.\n"
    )
    assert lines(host, "cat < a*; echo new > b*; cat b.txt", "ann").text == "one\nnew\n"
    several = "*.txt: only one file can stand here, and several fit.\n"
    said = lines(host, "cat < *.txt; cat a.txt > *.txt; cat a.txt", "ann")
    assert (said.text, said.errors) == ("one\n", several * 2)
    assert lines(host, "rm *.txt; echo *", "ann").text == "up\n"


def test_somebody_who_may_read_no_files_gets_no_names() -> None:
    roles = {"guest": {"commands": ["*"], "read_files": [], "write_files": []}}
    with hosted(bundled=["menu", "shell", "files"], settings={"roles": roles}) as host:
        assert lines(host, "echo * /* ~/*", "guy").text == "* /* ~/*\n"


def test_a_path_that_is_not_utf_8_is_shown_as_it_is(host: Hosted) -> None:
    client = host.connect("nat")
    try:
        channel = client.open_session(timeout=DEADLINE)
        channel.settimeout(DEADLINE)
        channel.exec_command(
            b"shell -c 'echo a > \xff.txt; echo b > b.txt; wc *.txt; grep . *.txt'"
        )
        said = channel.makefile("rb").read()
    finally:
        hang_up(client)
    assert said == b"1 b.txt\n1 \xff.txt\n2 total\nb.txt:b\n\xff.txt:a\n"


def test_a_pattern_that_is_typed_is_expanded(host: Hosted) -> None:
    lines(host, "echo found > here.txt; echo x > 'st*r'", "tia")
    with host.open("shell", user="tia") as shell:
        shell.wait_for("Type help").type("cat h*.txt\r").wait_for("\n found")
        shell.type("cat st").press("tab").wait_for("cat st\\*r").press("enter").wait_for("\n x")
        host.run("files put ./-z", user="tia", stdin=b"dash\n")
        shell.type("cat \t\t").wait_for("❯ cat ./-z").press("enter").wait_for("\n dash")
        shell.type("cat < *\r").wait_for("only one file can stand here").wait_for("status 1")
