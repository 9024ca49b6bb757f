"""The shell: its language, its pipes, its filters, and what it shows."""

from __future__ import annotations

import contextlib
import importlib
import json
import random
import re
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from rich.console import Console

from tests.waiting import DEADLINE, allowed, until
from tuihost import Account, App, CommandInfo, Folders, Session, command
from tuihost.accounts import AccountRecord
from tuihost.core.budget.ledger import Kind
from tuihost.core.familiar_words import Answer, familiar_words, instead_of
from tuihost.host.helpers import pool
from tuihost.session.host_view import ssh_target_of
from tuihost.testing import Hosted, Outcome, hosted
from tuihost.testing.hosted import hang_up
from tuihost.tui.terminal._vt100_parser import PASTE_LIMIT

PASSWORD = "correct-horse-9"


class Tap(App):
    """Writes, reads, fails and hangs."""

    name = "tap"

    def start(self) -> None:
        self.begun = threading.Event()
        self.written = 0

    @command
    def flow(self, session: Session, *, size: int = 0) -> None:
        """Write SIZE bytes; without an end for none."""
        block = b"0123456789abcde\n" * 4096
        while not size or self.written < size:
            session.write(block)
            self.written += len(block)
            self.begun.set()

    @command
    def drip(self, session: Session) -> None:
        """Write a little, and then wait without end."""
        session.write(b"a little")
        self.begun.set()
        while True:
            sum(range(1000))

    @command
    def eat(self, session: Session) -> None:
        """Read everything, and say how much that was."""
        count = 0
        while data := session.read():
            count += len(data)
        session.print(f"{count} bytes")

    @command
    def deaf(self, session: Session) -> None:
        """Work without end, and without reading or writing."""
        self.begun.set()
        while True:
            sum(range(1000))

    @command
    async def sure(self, session: Session, what: str = "it", *, secret: bool = False) -> int:
        """Ask before WHAT is done."""
        session.print("about to ask")
        answer = await session.ask(f"Do {what}? ", hidden=secret, default="no")
        session.print(f"answered {answer}")
        self.begun.set()
        return 0 if answer == "yes" else 1

    @command
    def boom(self, session: Session) -> None:
        """Make a mistake."""
        session.print("before")
        raise ValueError("a mistake")

    @command
    def width(self, session: Session) -> int:
        """Say what the output is drawn for."""
        facts = session.terminal
        session.print(f"{facts.pty} {facts.size.columns}")
        return 3


@contextlib.contextmanager
def running(tap: Tap) -> Iterator[Hosted]:
    settings = {
        "server.default_app": "menu",
        "app.files.guest_quota": 5,
        "roles": {"user": {"commands": ["shell *", "notes list"]}},
    }
    bundled = ["menu", "shell", "files", "notes", "status"]
    with hosted(tap, bundled=bundled, settings=settings) as host:
        yield host


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Hosted, Tap]]:
    tap = Tap()
    # Each test waits until the threads that it began have ended.
    with pytest.MonkeyPatch.context() as patch, running(tap) as host:
        patch.setattr(pool, "REST", 0.2)
        yield host, tap


@pytest.fixture
def host(shared: tuple[Hosted, Tap]) -> Hosted:
    return shared[0]


@pytest.fixture
def tap(shared: tuple[Hosted, Tap]) -> Tap:
    shared[1].start()
    return shared[1]


def part(host: Hosted, name: str) -> Any:
    """A module of the app, as the host has loaded it."""
    module = type(host.host.catalog.apps["shell"].app).__module__
    return importlib.import_module(f"{module}.{name}")


def line(host: Hosted, text: str, stdin: bytes = b"", user: str = "ada") -> tuple[int, str, str]:
    quoted = "'" + text.replace("'", "'\\''") + "'"
    said = host.run(f"shell -c {quoted}", stdin=stdin, user=user)
    return said.status, said.text, said.errors


# ------------------------------------------------------------------------------- the language


def test_lines_are_read(host: Hosted) -> None:
    language = part(host, "language")
    parse, Pipeline, When, Word = (
        language.parse, language.Pipeline, language.When, language.Word
    )  # fmt: skip

    def words(*texts: str) -> tuple[Any, ...]:
        return tuple(Word(text) for text in texts)

    assert parse("") == parse("   # nothing") == []
    assert parse("a 'b c' \"d\\\"e\" f\\ g''") == [Pipeline((words("a", "b c", 'd"e', "f g"),))]
    assert parse("a|b  'x|y' | c > out") == [
        Pipeline((words("a"), words("b", "x|y"), words("c")), output_file=Word("out"))
    ]
    assert parse("<in a >> 'my out'") == [
        Pipeline((words("a"),), Word("in"), Word("my out"), append=True)
    ]
    assert parse("a; b && c || d;") == [
        Pipeline((words("a"),)), Pipeline((words("b"),)),
        Pipeline((words("c"),), when=When.SUCCEEDED), Pipeline((words("d"),), when=When.FAILED),
    ]  # fmt: skip
    assert parse("ll -x | ll", {"ll": "notes list 'a b'"}) == [
        Pipeline((words("notes", "list", "a b", "-x"), words("notes", "list", "a b")))
    ]
    assert parse("''") == [Pipeline((words(""),))]
    assert parse("ls '*'*.[a\"?\"] < \\** >x?", {"ls": "files ls b*"}) == [
        Pipeline(
            ((*words("files", "ls"), Word("b*", (1,)), Word("**.[a?]", (1, 3), (0, 5))),),
            Word("**", (1,), (0,)), Word("x?", (1,)),
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "'a", 'a "b', "| a", "a |", "a | | b", "a >", "a > > b", "a < | b", "&& a", "a &&",
        "a ; ; b", "> x", "a > ''", "x" + "|x" * 16,
    ],
)  # fmt: skip
def test_what_is_unclear_is_said(host: Hosted, text: str) -> None:
    language = part(host, "language")
    with pytest.raises(language.ParseError) as caught:
        language.parse(text)
    assert 0 <= caught.value.at <= len(text)
    assert line(host, text)[0] == 2


def test_a_line_of_a_script_is_no_longer_than_a_command_line(host: Hosted) -> None:
    said = host.run("shell script", stdin=b"a;" * 4097 + b"\necho next\n")
    assert said.stderr == b"A line has at most 8,192 characters.\n"
    assert said.stdout == b"next\n"
    assert len(part(host, "language").parse("a;" * 4096)) == 4096


def test_no_part_of_a_line_of_a_script_is_a_line(host: Hosted) -> None:
    long = b"# a note" + b" " * 1_100_000 + b"echo part\n"
    said = host.run("shell script", stdin=long + b"echo next\n" + long + b"echo last")
    assert said.errors == "A line has at most 8,192 characters.\n" * 2
    assert said.text == "next\nlast\n"


@given(text=st.text(alphabet="ab '\"\\|<>;&#*[\n\té", max_size=40))
def test_no_line_breaks_the_reading(shared: tuple[Hosted, Tap], text: str) -> None:
    language = part(shared[0], "language")
    found = list(language.tokens(text))
    assert [one.start for one in found] == sorted(one.start for one in found)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    with contextlib.suppress(language.ParseError):
        language.parse(text)


# ------------------------------------------------------------------------------ pipes and files


def test_commands_run_side_by_side_in_bounded_memory(host: Hosted, tap: Tap) -> None:
    assert line(host, "tap flow --size 8000000 | grep -v x | tap eat") == (
        0, "8060928 bytes\n", "",
    )  # fmt: skip


def test_who_has_enough_ends_those_before(host: Hosted, tap: Tap) -> None:
    assert line(host, "tap flow | head -n 2 | count") == (0, "2\n", "")
    assert tap.written < 50_000_000


def test_files_are_written_added_to_and_read(host: Hosted) -> None:
    assert line(host, "echo one > f1; echo two >> f1; sort -r < f1") == (0, "two\none\n", "")
    assert line(host, "echo again > f1; files cat f1") == (0, "again\n", "")
    assert line(host, "grep x < nothing") == (1, "", "nothing: there is no such file.\n")
    assert line(host, "echo x > ../../etc/x")[0] == 1
    assert line(host, "echo mine > f1", user="bob") == (0, "", "")
    assert line(host, "files cat f1")[1] == "again\n"


def test_what_is_cut_short_is_not_kept(host: Hosted, tap: Tap) -> None:
    said = line(host, "tap flow > full.bin", user="guy")
    assert said == (1, "", "full.bin: there is no room left.\n")
    assert line(host, "files ls", user="guy")[1] == ""
    tap.start()
    client = host.connect()
    channel = client.open_session(timeout=DEADLINE)
    channel.exec_command("shell -c 'tap drip > cut.bin'")
    assert tap.begun.wait(DEADLINE)
    hang_up(client)
    host_files = line(host, "files ls --json")[1]
    assert "cut.bin" not in {one["name"] for one in json.loads(host_files)}


def test_the_status_is_the_last_ones(host: Hosted, tap: Tap) -> None:
    assert line(host, "tap width")[0] == 3
    assert line(host, "tap width | count") == (0, "1\n", "")
    assert line(host, "tap width && echo well || echo badly")[:2] == (0, "False 80\nbadly\n")
    assert line(host, "notes list --nonsense")[0] == 2
    status, out, errors = line(host, "tap boom | count")
    assert (status, out) == (0, "1\n")
    assert "stopped because of an error" in errors
    status, _, errors = line(host, "noted list")
    assert (status, "did you mean notes?" in errors) == (127, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("foo | bar", (127, "", 1)), ("ls | foo | bar", (127, "", 1)),
        ("foo | true | bar | count", (0, "0\n", 1)), ("foo | cd", (2, "", 2)),
        ("foo | sort", (0, "", 1)), ("foo; bar", (127, "", 2)), ("ls | false", (1, "", 0)),
    ],
)  # fmt: skip
def test_one_sentence_is_enough_for_the_unknown_words_of_a_pipe(
    host: Hosted, words: str, said: tuple[int, str, int]
) -> None:
    status, text, errors = line(host, words, user="uwe")
    assert (status, text, errors.count("\n")) == said, errors
    assert not errors or "tuihost: no app is called foo; there are " in errors


def test_standard_input_goes_to_the_first_command(host: Hosted, tap: Tap) -> None:
    assert line(host, "tap eat | count", b"x" * 100_000) == (0, "1\n", "")
    assert line(host, "tap eat", b"x" * 100_000) == (0, "100000 bytes\n", "")


@pytest.mark.parametrize("word", ["shell", "sh", "bash -s", "sh -x", "zsh -l"])
def test_a_shell_that_is_named_alone_reads_lines(host: Hosted, word: str) -> None:
    said = host.run(word, stdin=b"echo a\nexit 9\n")
    assert (said.status, said.text, said.errors) == (9, "a\n", "")


def test_a_script_runs_line_by_line(host: Hosted) -> None:
    script = b"echo a\n\n# no\ntap width\n'unclear\necho b | count\nexit 9\necho c\n"
    said = host.run("shell script", stdin=script)
    assert (said.status, said.text) == (9, "a\nFalse 80\n1\n")
    assert said.errors == "A quote is not closed.\n"
    assert host.run("shell script", stdin=b"tap width").status == 3


@pytest.mark.parametrize(("number", "status"), [("9", 9), ("256", 0), ("1" * 4301, 3)])
def test_a_script_ends_with_the_status_that_exit_gives(
    host: Hosted, number: str, status: int
) -> None:
    said = host.run("shell script", stdin=f"tap width\nexit {number}\n".encode())
    assert (said.status, said.errors) == (status, "")


def test_somebody_who_says_nothing_is_greeted(
    host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with `ssh -T host` at a terminal, where nothing tells the host that one is there."""
    package = part(host, "language").__name__.rpartition(".")[0]
    monkeypatch.setattr(importlib.import_module(package), "SILENCE", 0.01)
    with host.lines() as pilot:
        pilot.wait_for("type a command; help lists them, and exit leaves.")
        pilot.wait_until(lambda: pilot.received.endswith(b"leaves.\n> "), "a prompt")
        pilot.type("echo a\n").wait_until(lambda: pilot.received.endswith(b"> a\n> "), "another")
        assert pilot.type("exit 3\n").wait_end() == 3


def test_a_pipe_is_not_greeted(host: Hosted) -> None:
    assert host.run("shell script", stdin=b"echo a\n").errors == ""
    assert host.run("shell script").errors == ""


@pytest.mark.parametrize(
    ("word", "same"),
    [
        ("ls -la", "files ls"),
        ("pwd", "files pwd"),
        ("df -h", "files quota"),
        ("who", "status people"),
        ("man notes list", "shell help notes list"),
        ("? echo", "shell help echo"),
        ("help", "shell help"),
    ],
)
def test_words_from_elsewhere_do_the_same_everywhere(host: Hosted, word: str, same: str) -> None:
    meant = host.run(same)
    assert (meant.status, meant.errors) == (0, "")
    assert host.run(word) == meant
    assert line(host, word) == (0, meant.text, "")
    assert host.run("shell script", stdin=word.encode()).text == meant.text


def test_a_word_from_elsewhere_leads_to_a_command_that_there_is() -> None:
    apps = ("about", "account", "files", "shell", "status")
    with hosted(bundled=["menu", *apps]) as host:
        commands = {app: host.host.catalog.apps[app].app.command_methods() for app in apps}
        for word, meant in familiar_words(apps):
            app, *command = meant.split()[:2] or ("shell",)
            assert not command or command[0] in commands[app], word
            match instead_of((word,), apps):
                case Answer(sentence=sentence):
                    for named in re.findall(r"`([^`]+)`", sentence):
                        app, *command = named.split()
                        assert app in ("sftp", "help") or command[0] in commands[app], sentence
        assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC\n", host.run("date").text)
        assert host.run("date +%F").status == 2
        assert host.run("hostname").text.startswith(f"Name: {host.host.name}\n")
        assert host.run("which ls").text == host.run("files ls --help").text
        assert host.run("sed s/a/b/ x | head") == host.run("sed")
        assert host.run("sed").errors.startswith(f"{host.host.name}: That filter is not here.")
        assert "&& works in the shell" in host.run("true && ls").errors


def test_leaving_is_well(host: Hosted) -> None:
    for word in ("exit", "logout", "quit", "true"):
        assert host.run(word) == Outcome(0, b"", b"")
        assert line(host, word) == (0, "", "")
    assert host.run("exit 4").status == line(host, "exit 4")[0] == 4
    for said in (host.run("cd src").errors, line(host, "cd src")[2]):
        assert "each command takes the whole path" in said


def test_a_word_from_elsewhere_takes_the_right_to_what_it_leads_to() -> None:
    settings = {"roles": {"guest": {"commands": ["status people", "shell -c"]}}}
    with hosted(bundled=["menu", "shell", "status", "files"], settings=settings) as host:
        assert host.run("who").status == 0
        assert "you may not run status now" in host.run("ps").errors
        assert "you may not run status now" in host.run("top").errors
        assert "you may not run files ls" in host.run("ls").errors
        assert "you may not run files ls" in line(host, "ls")[2]
    with hosted(bundled=["menu", "shell"], settings={}) as host:
        assert host.run("ls").status == line(host, "ls")[0] == 127


# ------------------------------------------------------------------------------------- filters


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ("grep an", "banana\nbandana\n"), ("grep -i AN | count", "2\n"),
        ("grep -v an", "10 fig\n9\n"), ("grep -n fig", "2:10 fig\n"), ("grep -c an", "2\n"),
        ("grep -F .", ""), ("grep '^ban.na$'", "banana\n"), ("head -n 1", "banana\n"),
        ("head -n 0", ""), ("tail -n 2", "bandana\n9\n"), ("tail -n 0", ""),
        ("sort", "10 fig\n9\nbanana\nbandana\n"), ("sort -n | tail -n 2", "9\n10 fig\n"),
        ("sort -r | head -n 1", "bandana\n"), ("count", "4\n"), ("page | count", "4\n"),
    ],
)  # fmt: skip
def test_filters(host: Hosted, filter_: str, expected: str) -> None:
    assert line(host, filter_, b"banana\n10 fig\nbandana\n9\n")[1] == expected


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("wc two.txt", (0, "2\n", "")), ("wc -l two.txt", (0, "2\n", "")),
        ("count two.txt one.txt", (0, "2 two.txt\n1 one.txt\n3 total\n", "")),
        ("head -1 two.txt", (0, "b\n", "")), ("tail -n 1 two.txt -", (0,
         "==> two.txt <==\nc\n==> - <==\nlast\n", "")),
        ("head -n 1 two.txt one.txt", (0, "==> two.txt <==\nb\n==> one.txt <==\na\n", "")),
        ("sort two.txt one.txt", (0, "a\nb\nc\n", "")), ("page one.txt", (0, "a", "")),
        ("grep -n c two.txt", (0, "2:c\n", "")), ("grep c one.txt", (1, "", "")),
        ("grep -c . two.txt one.txt", (0, "two.txt:2\none.txt:1\n", "")),
        ("grep a one.txt gone", (1, "one.txt:a\n", "gone: there is no such file.\n")),
        ("json x.json", (0, "[\n  1\n]\n", "")), ("json .[0] x.json", (0, "1\n", "")),
        ("wc gone", (1, "", "gone: there is no such file.\n")),
        ("wc -l sub", (1, "", "sub: that is a folder.\n")),
        ("json gone", (1, "", "gone: there is no such file.\n")),
        ("head '*.txt'", (1, "", "*.txt: there is no such file. In the shell, a pattern "
         "without quotes stands for the files that fit it.\n")),
    ],
)  # fmt: skip
def test_filters_read_the_files_that_they_are_given(
    host: Hosted, words: str, said: tuple[int, str, str]
) -> None:
    for name, data in (("two.txt", b"b\nc\n"), ("one.txt", b"a"), ("x.json", b"[1]")):
        host.run(f"files put -f {name}", stdin=data, user="fil")
    host.run("files mkdir -p sub", user="fil")
    outcome = host.run(words, stdin=b"first\nlast\n", user="fil")
    assert (outcome.status, outcome.text, outcome.errors) == said
    assert line(host, words, b"first\nlast\n", user="fil") == said


def test_a_filter_reads_no_file_that_the_person_may_not_read() -> None:
    settings = {"roles": {"guest": {"commands": ["shell *", "files put"]}}}
    with hosted(bundled=["menu", "shell", "files"], settings=settings) as host:
        host.run("files put own.txt", stdin=b"secret")
        for words in ("grep . own.txt", "sort own.txt", "wc own.txt", "json own.txt"):
            said = host.run(words)
            assert (said.status, b"secret" in said.stdout) == (1, False), words
            assert said.errors == "own.txt: there is no such file.\n"
    with hosted(bundled=["menu", "shell", "files"], settings={}) as host:
        host.run("files put own.txt", stdin=b"secret")
        assert host.run("grep . /files/mine/own.txt", user="other").status == 1


def test_each_line_once(host: Hosted) -> None:
    assert line(host, "sort -u", b"b\na\nb\n")[1] == "a\nb\n"


def test_json_in_good_order(host: Hosted) -> None:
    data = b'{"a": [{"b": "x"}, 2], "c": {"d": null}}'
    assert line(host, "json", b"[1]")[1] == "[\n  1\n]\n"
    assert line(host, "json .a[0].b", data)[1] == "x\n"
    assert line(host, "json a[-1]", data)[1] == "2\n"
    assert line(host, "json .c.e", data) == (1, "", "There is nothing at e.\n")
    far = host.run(f"shell json '[{'1' * 4301}]'", stdin=b"[1]")
    assert far.errors.startswith("There is nothing at 111")
    assert line(host, "json", b"{")[0] == 1
    assert line(host, "json", b"[" * 100_000)[0] == 1


def test_json_is_bounded_in_depth_and_length(host: Hosted) -> None:
    bomb = b"[" * 400 + b",".join([b"0"] * 100_000) + b"]" * 400
    deep = "That is nested too deeply: 100 levels at most.\n"
    assert line(host, "json", bomb) == (1, "", deep)
    assert line(host, "json", b"[" * 101 + b"]" * 101) == (1, "", deep)
    assert line(host, "json", b"[" * 100 + b"]" * 100)[0] == 0
    wide = b"[" * 90 + b",".join([b"0"] * 400_000) + b"]" * 90
    said = line(host, "json", wide)
    assert said == (1, "", "That is too much to show: pick a part of it by a path.\n")
    assert line(host, "json", b"[" * 500_000)[:2] == (1, "")


@pytest.mark.parametrize("blanks", [0, 50_000], ids=["here", "in a helper"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"9" * 5000, "A number in it has too many digits.\n"),
        (b'"\x9b"', "That is not JSON: it is not text in UTF-8.\n"),
    ],
)
def test_what_is_wrong_with_json_is_a_sentence(
    host: Hosted, given: bytes, said: str, blanks: int
) -> None:
    assert line(host, "json", b" " * blanks + given) == (1, "", said)


@pytest.mark.parametrize("blanks", [0, 50_000], ids=["here", "in a helper"])
def test_half_a_character_in_json_stays_half_a_character(host: Hosted, blanks: int) -> None:
    half = b" " * blanks + rb'["\ud800", "\ud83d\ude00"]'
    assert line(host, "json", half) == (0, '[\n  "\\ud800",\n  "😀"\n]\n', "")
    assert line(host, "json [0]", half) == (0, "�\n", "")


def test_much_to_sort_or_to_lay_out_keeps_nobody_waiting(host: Hosted) -> None:
    lines = [b"%d %d" % (at * 7919 % 200_003, at) for at in range(200_000)]
    status, out, errors = line(host, "sort -n", b"\n".join(lines))
    assert (status, errors) == (0, "")
    assert out.split("\n")[:-1] == [row.decode() for row in sorted(lines, key=number)]
    assert line(host, "sort -r -u", b"a\r\nb\na\n" * 10_000)[1] == "b\na\n"
    wide = json.dumps({"rows": [{"at": at} for at in range(20_000)]}).encode()
    assert line(host, "json .rows[19999].at", wide)[1] == "19999\n"
    assert line(host, "json", wide)[1].count("\n") == 60_004
    assert line(host, "json .rows[1]x", wide) == (1, "", "There is nothing at x.\n")
    assert line(host, "json", wide[:-1])[2].startswith("That is not JSON: ")


def number(row: bytes) -> tuple[float, bytes]:
    return float(row.split()[0]), row


@pytest.mark.parametrize("command", ["tail -n 2000", "sort", "json"])
def test_nobody_holds_more_than_one_person_may(command: str) -> None:
    small = {"limits.share": 0.1}  # 4.8 MiB, and windows are of it
    much = (b"x" * 10_000 + b"\n") * 500
    with hosted(bundled=["shell"], settings=small) as host:
        if command.startswith("tail"):
            assert line(host, "tail -n 2", much + b"a\nb\n") == (0, "a\nb\n", "")
        status, out, errors = line(host, command, much)
        assert (status, out) == (1, "")
        assert "no more than 5,033,165 bytes of memory" in errors


def test_bytes_are_counted_and_not_characters() -> None:
    short = ("\U0001f600" * 10 + "\n").encode() * 100_000
    with hosted(bundled=["shell"], settings={"limits.share": 0.1}) as host:
        status, out, errors = line(host, "tail -n 100000", short)
        assert (status, len(out)) == (1, 0)
        assert "no more than 5,033,165 bytes of memory" in errors


def test_a_pattern_cannot_hold_anybody_up(host: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = b"a" * 200_000 + b"!\n"
    assert line(host, "grep '^(a|a|aa)+$'", evil) == (1, "", "")
    assert line(host, "grep '(a+)+b'", evil) == (1, "", "")
    assert line(host, "grep '(?i)(?:AB){1,2}'", b"xab\n")[:2] == (0, "xab\n")
    assert line(host, "grep -F '(a'", b"x(a\n")[:2] == (0, "x(a\n")
    text = "".join(random.Random(1).choices("ab", k=30_000))
    monkeypatch.setattr(part(host, "filters"), "MAX_SECONDS", 0.005)
    status, _, errors = line(host, "grep '[ab]*a[ab]{900}c'", text.encode())
    assert (status, errors) == (2, "That pattern takes too long.\n")


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("((a{1000}){1000}){1000}", "invalid repetition size"),
        (r"(\pL{1000}){1}", "too large"),
        ("[ab]*a" + "(?:[ab]{100}){10}" * 10, "it repeats too much"),
        ("(", "missing"), ("a(?=b)", "(?="), (r"(a)\1", r"\1"), ("(?R)", "(?R"),
        ("a" * 600, "it is too long"),
    ],
)  # fmt: skip
def test_a_pattern_that_cannot_be_used_is_refused_at_once(
    host: Hosted, pattern: str, reason: str
) -> None:
    begun = time.process_time()
    status, out, errors = line(host, f"grep '{pattern}'", b"x")
    assert time.process_time() - begun < allowed(1.0)
    assert (status, out) == (2, "")
    assert errors.startswith("That is not a pattern that can be used: ")
    assert reason in errors


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\nnext\n"])
def test_a_line_is_one_line_however_long_it_is(host: Hosted, end: bytes) -> None:
    """Or it is refused where a line has to be held as a whole."""
    text = b"first\n" + b"x" * 1_500_000 + end
    lines = len(text.split()) if end else 2
    assert line(host, "count", text) == (0, f"{lines}\n", "")
    assert host.run("head -n 2", stdin=text).stdout == text.removesuffix(b"next\n")
    assert host.run("head -n 1", stdin=text).stdout == b"first\n"
    assert host.run("sort -r", stdin=text).text.split()[0] == "x" * 1_500_000
    for words in ("grep -n x", "tail -n 1"):
        status, out, errors = line(host, words, text)
        assert (status, out) == (1, "")
        assert errors == "Error: a line of more than 1.0 MB is too long\n"


@pytest.mark.parametrize("chunk", [1, 2, 7, 65_536])
def test_what_is_shown_of_a_long_line_is_its_beginning(host: Hosted, chunk: int) -> None:
    text = b"\xef\xbb\xbf" + b"x" * 100 + b"\ny\n\n" + b"z" * 100
    given = iter([text[at : at + chunk] for at in range(0, len(text), chunk)])
    source = part(host, "sources").Source("", lambda: next(given, b""))
    shown = [line[:10] for lines in source.beginnings(10) for line in lines]
    assert shown == [b"x" * 10, b"y", b"", b"z" * 10]


def test_what_goes_into_a_pipe_stays_as_it_is(host: Hosted) -> None:
    """It is made harmless where a person sees it."""
    text = b"\xffa\xe2\x80\x8eb\x1b[2J\r\nlast"
    for words in ("head", "tail -n 2", "grep .", "sort -r", "page", "head | tail -n 2 | grep ."):
        out = host.run(f"shell -c '{words}'", stdin=text).stdout
        assert out.replace(b"\r", b"").removesuffix(b"\n") == text.replace(b"\r", b""), words
    assert host.run("head", stdin=text).stdout == text
    assert host.run("echo a\u200eb").text == "a\u200eb\n"
    assert host.run("json .[0]", stdin='["a\u200eb"]'.encode()).text == "a\u200eb\n"


def test_a_byte_order_mark_is_gone_from_the_front_of_every_file(host: Hosted) -> None:
    for name, text in (("one", "\ufeffb\n"), ("two", "\ufeffa\ufeff\nc")):
        host.run(f"files put -f {name}", stdin=text.encode())
    assert host.run("sort one two").text == "a\ufeff\nb\nc\n"
    assert host.run("head -n 1 two").text == "a\ufeff\n"
    assert host.run("grep -c ^a two").text == "1\n"
    assert host.run("tail -n 2 two").text == "a\ufeff\nc\n"


# -------------------------------------------------------------------------------- own commands


def test_help_names_everything(host: Hosted) -> None:
    status, out, _ = line(host, "help")
    assert status == 0
    assert all(word in out for word in ("notes add", "grep", "files ls"))
    assert "-c" not in out.split()
    assert line(host, "help notes add")[1].startswith("Usage: notes add")
    assert line(host, "help grep")[1].startswith("Usage: shell grep")
    assert line(host, "help clear")[1] == "clear: Clear the shell's screen\n"
    assert "notes" in line(host, "apps")[1]
    assert line(host, "echo a 'b  c'")[1] == "a b  c\n"


def test_help_loses_no_letter_in_a_narrow_terminal(host: Hosted) -> None:
    table = sys.modules[type(host.host.catalog.apps["shell"].app).__module__]._commands
    said = "Show JSON indented, or a PART of it such as `.people[0].name`"
    for columns in (38, 59, 60):
        output = StringIO()
        Console(width=columns, file=output).print(table("", [CommandInfo("json", said)], columns))
        assert output.getvalue().split() == ["json", *said.split()]


def test_what_the_help_lists_runs_as_it_stands(host: Hosted) -> None:
    """Also by `ssh HOST help`, in front of whose lines there is nothing but `ssh HOST`."""
    listed = host.run("help").text.partition("\nTry ")[0]
    commands = [line.split("  ")[0] for line in listed.splitlines()]
    assert len(commands) > 20
    for words in commands:
        outcome = host.run(f"{words} --help")
        assert outcome.status == 0, outcome
        assert outcome.text.startswith("Usage: "), outcome


def test_errors_are_broken_between_words(host: Hosted) -> None:
    with host.open("shell", user="nat", size=(40, 12)) as shell:
        shell.wait_for("Type help").type("echo hello > /notes/a/b/c/d").press("enter")
        shell.wait_for("status 1")
        shell.type("nothing-of-that-name").press("enter").wait_for("status 127")
        rows = [row.strip() for row in shell.text.splitlines()]
    said = " ".join(rows).partition("tuihost: ")[2]
    assert said.startswith("no app is called nothing-of-that-name; ")


def test_aliases_are_remembered(host: Hosted) -> None:
    assert line(host, "alias hey echo 'a  b'; hey c", user="cyd")[0] == 127, "known from now on"
    assert line(host, "hey c", user="cyd") == (0, "a  b c\n", "")
    assert line(host, "alias", user="cyd")[1] == "hey  echo 'a  b'\n"
    assert line(host, "alias hey", user="cyd")[1] == "echo 'a  b'\n"
    assert line(host, "hey", user="dan")[0] == 127
    assert line(host, "unalias hey && unalias hey", user="cyd")[0] == 1
    assert line(host, "alias x " + "y" * 600, user="cyd")[0] == 1


def test_aliases_that_do_not_fit_are_refused_and_the_others_stay(host: Hosted) -> None:
    for number in range(8):
        assert line(host, f"alias long{number} {'y' * 490}", user="eve")[0] == 0
    _, _, error = line(host, f"alias long8 {'y' * 490}; alias short ls", user="eve")
    assert "There is no room for this alias." in error
    kept = line(host, "alias", user="eve")[1].splitlines()
    assert [row.split()[0] for row in kept] == [f"long{number}" for number in range(8)] + ["short"]


def test_a_person_has_a_hundred_aliases(host: Hosted) -> None:
    aliases = {f"a{number}": "ls" for number in range(100)}
    problem_with = part(host, "remembered").problem_with_alias
    assert problem_with("b", "ls", aliases).startswith("You have 100 aliases")
    assert problem_with("a7", "ll", aliases) == ""


@pytest.mark.parametrize("guest", [True, False])
def test_what_a_guest_typed_is_kept_nowhere(host: Hosted, tmp_path: Path, guest: bool) -> None:
    account = Account("ada", guest=guest)
    session = SimpleNamespace(account=account, data=tmp_path, memory={})
    remembered = part(host, "remembered")
    history = remembered.history_of(session)
    history.append_string("echo hello")
    history.append_string(" echo secret")
    assert "echo hello" in remembered.typed_lines(session)
    files = list(tmp_path.iterdir())
    assert len(files) == (0 if guest else 1)
    for file in files:
        assert (file.stat().st_mode & 0o777, "secret" in file.read_text()) == (0o600, False)


def test_what_is_remembered_of_a_guest_is_bounded(host: Hosted, tmp_path: Path) -> None:
    session = SimpleNamespace(account=Account("eve", guest=True), data=tmp_path, memory={})
    remembered = part(host, "remembered")
    for number in range(100):
        remembered.history_of(session).append_string(f"echo {number} " + "\U0001f600" * 1000)
    kept = remembered.typed_lines(session)
    assert 10 < len(kept) < 17
    assert kept[-1].startswith("echo 99 ")
    history = remembered.history_of(session)
    assert sum(map(sys.getsizeof, history.get_strings())) <= remembered.MAX_GUEST


def test_what_is_remembered_of_an_account_is_bounded_while_it_types(
    host: Hosted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = SimpleNamespace(account=Account("ada", guest=False), data=tmp_path, memory={})
    remembered = part(host, "remembered")
    monkeypatch.setattr(remembered, "MAX_HISTORY", 10_000)
    history = remembered.history_of(session)
    for number in range(100):
        history.append_string(f"echo {number} " + "x" * 1000)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_size <= 10_000
    assert history.get_strings()[-1].startswith("echo 99 ")
    assert len(history.get_strings()) <= 10


def test_lines_may_begin_with_a_byte_order_mark(host: Hosted) -> None:
    assert host.run("shell script", stdin=b"\xef\xbb\xbfecho hi\r\n").text == "hi\n"


def test_rights_hold_behind_the_shell_too() -> None:
    with running(Tap()) as host:
        login_services = host.server.login_services
        assert login_services is not None
        hashed = login_services.passwords.hash(PASSWORD)
        login_services.store.create(AccountRecord("eve", password_hash=hashed))

        def run(text: str) -> Outcome:
            return host.run(text, user="eve", password=PASSWORD)

        assert run("shell -c 'notes list'").status == 0
        said = run("shell -c 'echo x | notes add -'")
        assert (said.status, "you may not run notes add" in said.errors) == (2, True)
        assert run("shell -c 'help'").status == 0


@pytest.mark.parametrize(
    "line",
    [
        "shell -c 'notes list'",
        "shell -- -c 'notes list'",
        "shell -c -- '-x; notes list'",
        "shell -c -- -x",
    ],
)
def test_what_is_judged_is_what_runs(line: str) -> None:
    roles = {"guest": {"commands": ["notes add", "notes list", "shell sort"]}}
    with hosted(bundled=["menu", "notes", "shell"], settings={"roles": roles}) as host:
        outcome = host.run(line)
        assert (outcome.stdout, outcome.errors) == (b"", "tuihost: you may not run shell -c\n")
        assert outcome.status == 2


# ----------------------------------------------------------------------------------- the screen


def test_a_paste_into_the_search_is_one_line(host: Hosted) -> None:
    with host.open("shell", user="sue") as shell:
        shell.wait_for("Type help").type("echo one two\r").wait_for("\n one two")
        shell.press("c-l").wait_gone("one two")
        shell.press("c-r").paste("echo\none\n").wait_for("❯ echo one two")


INDENT = "   "


def test_nothing_is_taken_of_a_paste_that_is_too_long(host: Hosted) -> None:
    with host.open("shell", user="una") as shell:
        shell.wait_for("Type help").type("echo ")
        shell.paste("one\nfiles rm --folder " + "x" * 100_000).wait_for("characters too long.")
        shell.paste("x" * (PASTE_LIMIT + 1)).wait_for("Paste at most 1,000,000 characters at once")
        shell.type("whole\r").wait_for("\n whole")


def test_a_pasted_text_is_shown_before_its_lines_run(host: Hosted) -> None:
    with host.open("shell", user="pat") as shell:
        shell.wait_for("Type help")
        shell.paste("# a note first\necho one\r\necho two\necho three\n")
        shell.wait_for(f"❯ # a note first\n{INDENT}echo one\n{INDENT}echo two\n{INDENT}echo three")
        shell.wait_for("Enter runs 4 lines")
        assert "\n one" not in shell.text
        shell.press("backspace").press("enter")
        shell.wait_for("\n one").wait_for("\n two").wait_for("\n thre")
        shell.press("up").wait_for("Enter runs 4 lines").press("c-c").wait_gone("Enter runs")
        shell.paste("echo alone\n").wait_for("❯ echo alone")
        assert "\n alone" not in shell.text
        shell.press("enter").wait_for("\n alone")
        shell.type("".join(f"echo line{number}\r" for number in range(30)))
        shell.wait_for("\n line28").wait_for("\n line29")


@pytest.mark.parametrize("lines", ["exit\ntap drip", "exit; tap drip"])
def test_nothing_runs_after_a_line_that_leaves(host: Hosted, tap: Tap, lines: str) -> None:
    with host.open("shell", user="pam") as shell:
        shell.wait_for("Type help").paste(lines).press("enter")
        assert shell.wait_end() == 0
    assert not tap.begun.is_set()


def test_more_lines_than_can_wait_stay_where_they_are(host: Hosted) -> None:
    with host.open("shell", user="pia") as shell:
        shell.wait_for("Type help").paste("#\n" * 1001).press("enter")
        shell.wait_for("At most 1,000 lines can wait").wait_for("Enter runs 1,001 lines")
        shell.press("c-c").paste("#\n" * 1000 + "echo done").wait_for("Enter runs")


@pytest.mark.parametrize("key", ["c-c", "c-g"])
def test_the_search_is_left_without_a_trace(host: Hosted, key: str) -> None:
    with host.open("shell", user=f"sim-{key}") as shell:
        shell.wait_for("Type help").type("echo one two\r").wait_for("\n one two")
        shell.type("begun").press("c-r").type("on").wait_for("I-search")
        shell.press(key).wait_gone("I-search").wait_for("❯ begun")
        shell.press("c-c").wait_gone("begun")


def test_lines_are_run_and_shown(host: Hosted) -> None:
    with host.open("shell", user="fay") as shell:
        shell.wait_for("Type help")
        shell.type("echo hello | grep -c h").press("enter").wait_for("\n 1")
        shell.type("nothing").press("enter").wait_for("no app is called nothing")
        shell.wait_for("status 127")
        shell.type("echo 'x").press("enter").wait_for("A quote is not closed.")
        shell.press("up").press("up").press("up").press("enter").wait_for("\n 1")
        shell.type("tap width").press("enter").wait_for("True 78")
        shell.press("c-d")
        assert shell.wait_end() == 0


def test_tab_completes(host: Hosted) -> None:
    with host.open("shell", user="gil") as shell:
        shell.wait_for("Type help")
        shell.type("not").press("tab").wait_for("❯ notes")
        shell.type(" li").press("tab").wait_for("❯ notes list")
        shell.type(" | gr").press("tab").wait_for("| grep")
        shell.type(" --ign").press("tab").wait_for("--ignore-case")
        host.run("files put a-letter", user="gil", stdin=b"")
        shell.press("c-c").type("mkd").press("tab").wait_for("❯ mkdir")
        for command in ("cat", "rm", "ls", "mv x", "files put", "less", "cat x"):
            shell.press("c-c").type(f"{command} a-").press("tab").wait_for(f"❯ {command} a-letter")
        shell.press("c-c").type("cat ~").press("tab").type("a").press("tab")
        shell.wait_for("❯ cat ~/a-letter")
        shell.press("c-c").type("json a-").press("tab").wait_for("❯ json a-").press("c-c")


def test_a_word_that_is_whole_gets_a_space(host: Hosted) -> None:
    host.run("files mkdir sub", user="joy")
    with host.open("shell", user="joy") as shell:
        shell.wait_for("Type help").type("ech\tone\t two\r").wait_for("\n one two")
        shell.type("ech\t  three\r").wait_for("❯ echo  three")
        shell.type("no\t\t").wait_for("add ").wait_for("list ").press("escape")
        shell.press("c-c").type("notes\t\t").wait_for("add ").press("escape")
        shell.press("c-c").type("files ls su\tx").wait_for("❯ files ls sub/x")


def test_tab_completes_before_the_keys_that_were_typed_ahead(host: Hosted) -> None:
    with host.open("shell", user="geo") as shell:
        shell.wait_for("Type help").type("ech\t typed\t\r").wait_for("\n typed")
        shell.type(f"ech\t many{' keys' * 20}\r").wait_for("\n many keys keys")
        shell.type("h\tx").wait_for("❯ hx").press("c-c")
        shell.type("notes l\t --js\t\r").wait_for("❯ notes list --json").wait_for("\n []")
        shell.type("he\t\t").wait_for("❯ head").press("escape", "c-c")


def test_a_pipe_offers_the_filters_that_the_person_may_run(host: Hosted) -> None:
    completion = part(host, "completion")
    apps = {"shell": (CommandInfo("head"), CommandInfo("-c")), "notes": (CommandInfo("list"),)}
    known = completion.KnownCommands(apps, {"head", "grep"}, "shell", dict, lambda: Folders({}), {})
    completer = completion.ShellCompleter(known)

    def offered(text: str) -> list[str]:
        found = completer.get_completions(Document(text), CompleteEvent())
        return [completion.text for completion in found]

    assert offered("notes list | ") == ["head", "clear", "exit", "notes", "open", "shell"]
    assert offered("notes ") == ["list"]
    assert offered("help ") == ["shell", "notes", "head"]
    assert offered("help notes l") == ["list"]
    assert offered("notes list > ") == offered("# notes ") == []


def test_what_runs_can_be_stopped(host: Hosted, tap: Tap) -> None:
    with host.open("shell", user="hal") as shell:
        shell.wait_for("Type help").type("tap flow | grep -v nothing; echo after").press("enter")
        shell.wait_for("running")
        shell.wait_for("0123456789abcde")
        shell.press("c-c").wait_for("status 130")
        assert "after" not in shell.text.split("❯")[-1]
        shell.type("echo on").press("enter").wait_for("\n on")


def test_a_thousand_lines_may_wait_for_what_runs(host: Hosted, tap: Tap) -> None:
    with host.open("shell", user="ole") as shell:
        shell.wait_for("Type help").type("tap deaf").press("enter")
        assert tap.begun.wait(DEADLINE)
        shell.paste("echo a\n" * 1000).press("enter").wait_gone("Enter runs").type("echo a\r")
        shell.wait_for("At most 1,000 lines can wait; this does not run.")


def test_what_is_deaf_is_made_to_stop(host: Hosted, tap: Tap) -> None:
    with host.open("shell", user="ian") as shell:
        shell.wait_for("Type help").type("tap deaf").press("enter")
        assert tap.begun.wait(DEADLINE)
        shell.press("c-c").wait_for("status 130")
        shell.type("echo on").press("enter").wait_for("\n on")


def test_who_leaves_leaves_nothing_behind(host: Hosted, tap: Tap) -> None:
    with host.open("shell", user="jan") as shell:
        shell.wait_for("Type help").type("tap flow | tap eat").press("enter")
        assert tap.begun.wait(DEADLINE)
    # `nothing_left` sees that no thread is.


def test_a_page_is_shown_and_left(host: Hosted) -> None:
    with host.open("shell", user="kim") as shell:
        shell.wait_for("Type help").type("help | page").press("enter")
        shell.wait_for("/ search")
        shell.press("escape").wait_for("❯ help | page")
        shell.type("help | page").press("enter").wait_for("/ search")
        shell.press("c-c").wait_gone("/ search")


def test_what_a_page_holds_counts_as_its_persons_until_it_is_left() -> None:
    size = 14 * 30_000
    with hosted(bundled=["shell", "files"], settings={"limits.share": 0.1}) as host:  # 4.8 MiB
        held = partial(host.host.budget.held, Kind.MEMORY)
        host.run("files put long", stdin=b"more and more\n" * 30_000)
        with host.open("shell") as shell:
            shell.wait_for("Type help")
            before = held()
            shell.type("page long").press("enter").wait_for("/ search").wait_for("more and more")
            assert held() >= before + size
            shell.press("escape").wait_for("❯ page long")
            assert held() < before + size
            shell.type("cat long long | page").press("enter").wait_for("/ search")
            shell.press("escape").wait_for("The rest is not shown").wait_for("5,033,165")
            assert held() < before + size


def test_a_page_that_is_cut_says_so(host: Hosted) -> None:
    host.run("files put long", user="pat", stdin=b"more and more\n" * 70_000)
    with host.open("shell", user="pat") as shell:
        shell.wait_for("Type help").type("cat long long | page").press("enter")
        shell.wait_for("/ search").wait_for("more and more").press("q")
        shell.wait_for("A page holds 1.0 MB; the rest is not shown.")
        assert "status" not in shell.text, "as with less"
        shell.type("cat long long | page && echo done\r").wait_for("/ search").press("q")
        shell.wait_for("\n done")
        shell.type("tap drip | page\r").wait_for("running").press("c-c").wait_for("status 130")


def test_a_page_has_no_colours(host: Hosted) -> None:
    plain = part(host, "transcript").plain
    assert plain("\x1b[31mred\x1b[0m \x1b[2Jand\tmore\n") == "red and\tmore\n"


@pytest.mark.parametrize("words", ["cat", "count", "sort | count", "files put made"])
def test_a_command_that_reads_on_the_screen_says_that_nothing_is_typed_there(
    host: Hosted, words: str
) -> None:
    with host.open("shell", user=f"una{len(words)}") as shell:
        shell.wait_for("Type help").type(words).press("enter")
        shell.wait_for("Nothing is typed into a command here: name a file, or use < or |.")
        shell.type("echo done").press("enter").wait_for("\n done")
        assert shell.text.count("Nothing is typed") == 1


def test_a_known_word_needs_no_app_to_start_in() -> None:
    with hosted(bundled=["shell", "files"]) as host, host.open("shell") as shell:
        shell.wait_for("Type help").type("cat gone").press("enter")
        shell.wait_for("gone: there is no such file.")


def test_an_app_opens_and_leads_back_to_what_was_shown(host: Hosted) -> None:
    with host.open("shell", user="lou") as shell:
        shell.wait_for("Type help").type("echo marker").press("enter").wait_for("\n marker")
        shell.type("notes").press("enter").wait_for("Notes")
        shell.press("c-c").wait_for("\n marker")
        for word in ("clear", "cls"):
            shell.type("echo marker").press("enter").wait_for("\n marker")
            shell.type(word).press("enter").wait_gone("marker")
        shell.type("exit").press("enter")
        assert shell.wait_end() == 0


@given(data=st.binary(max_size=200))
def test_no_output_can_draw(shared: tuple[Hosted, Tap], data: bytes) -> None:
    transcript = part(shared[0], "transcript").Transcript()
    transcript.write(data)
    for index in range(transcript.row_count()):
        text = "".join(fragment[1] for fragment in transcript.row(index, 80))
        assert all(char.isprintable() or char == " " or ord(char) > 127 for char in text), text


def rows(transcript: Any) -> list[str]:
    return [
        "".join(fragment[1] for fragment in transcript.row(index, 80))
        for index in range(transcript.row_count())
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one two three", ["one two ", "three"]),
        ("one  two   three", ["one  two  ", "three"]),
        ("    indented", ["    indent", "ed"]),
        ("aword-longer than", ["aword-long", "er than"]),
        ("1234567890 next", ["1234567890", "next"]),
        ("日本 語日本語", ["日本 ", "語日本語"]),
        (" " * 25 + "x", [" " * 10, "x"]),
        ("", [""]),
    ],
)
def test_rows_end_between_words(host: Hosted, text: str, shown: list[str]) -> None:
    wrapped = part(host, "transcript").wrapped
    assert ["".join(part for _, part in row) for row in wrapped([("", text)], 10)] == shown
    styled = wrapped([(f"class:{number}", char) for number, char in enumerate(text)], 10)
    assert ["".join(part for _, part in row) for row in styled] == shown


def test_output_becomes_rows(host: Hosted) -> None:
    transcript = part(host, "transcript").Transcript()
    transcript.width = 10
    transcript.write(b"one\r\ntwo\nthr")
    transcript.write(b"ee\n" + "é".encode()[:1])
    transcript.write("é".encode()[1:] + b"\n\x1b[31mred\x1b[0m\x1b[2J\x1b]0;title\x07\n")
    transcript.write(b"10 %\r20 %\r30 %")
    transcript.write(b"\r99 %\n" + b"x" * 25 + b"\n")
    assert rows(transcript) == [
        " one", " two", " three", " é", " red", " 99 %", " " + "x" * 10, " " + "x" * 10, " xxxxx",
    ]  # fmt: skip


def test_lines_are_wrapped_anew_for_another_width(
    host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = part(host, "transcript")
    transcript = module.Transcript()
    transcript.write(b"one two three four\n\x1b[31mred\x1b[0m and more of it\nunfinished, and")
    assert rows(transcript) == [" one two three four", " red and more of it", " unfinished, and"]
    keys = {transcript.row_key(index) for index in range(3)}
    assert transcript.wrap(10, 1) == 2
    narrow = [" one two ", " three four", " red and ", " more of it", " unfinished", " , and"]
    assert rows(transcript) == narrow
    assert keys.isdisjoint(transcript.row_key(index) for index in range(6))
    assert transcript.row(2, 80)[1] == ("ansired", "red")
    transcript.write(b" then more")
    assert rows(transcript) == [*narrow[:5], " , and then", " more"]
    assert transcript.wrap(80, 3) == 1
    assert rows(transcript)[2:] == [" unfinished, and then more"]
    monkeypatch.setattr(module, "KEPT", 4)
    assert transcript.wrap(10, 0) == 0
    assert rows(transcript) == [" more of it", " unfinished", " , and then", " more"]
    assert transcript.wrap(80, 4) == 2


def test_a_narrower_window_cuts_no_line(host: Hosted) -> None:
    words = " ".join(f"word{number:02}" for number in range(10))
    with host.open("shell", user="nan") as shell:
        shell.wait_for("Type help").type(f"echo {words}\r").wait_for(f"\n {words}")
        shell.type("".join(f"echo line{number:02}\r" for number in range(40)))
        shell.wait_for("\n line39")
        shell.resize(40, 24).wait_for("\n line39")
        for _ in range(5):
            shell.press("pageup")
        shell.wait_for("\n word00 word01 word02 word03 word04\n word05 word06")
        shell.resize(80, 24).wait_for(f"\n {words}\n")


def test_somebody_who_comes_back_sees_what_came_last(host: Hosted) -> None:
    with host.open("shell", user="ben") as shell:
        shell.wait_for("Type help").type("".join(f"echo line{number}\r" for number in range(40)))
        shell.wait_for("\n line39").type("notes\r").wait_for("Notes")
        shell.press("c-c").wait_for("\n line39")


def test_commands_side_by_side_are_bounded(host: Hosted, tap: Tap) -> None:
    """One client's, over all its sessions; another has its own."""
    client = host.connect("mel")
    try:
        sessions = []
        for number in range(1, 5):
            sessions.append(client.open_session(timeout=DEADLINE))
            sessions[-1].settimeout(DEADLINE)
            sessions[-1].exec_command("shell -c '" + " | ".join(["tap eat"] * 14) + "'")
            if number < 4:
                until(
                    lambda held=14 * number: host.host.budget.held(Kind.THREADS) == held,
                    "the commands to begin",
                    shown=lambda: f"{host.host.budget.held(Kind.THREADS)} threads are held",
                )
        errors = sessions[-1].makefile_stderr("rb")
        told = b"tuihost: There are no more than 48 sessions, commands and streams"
        assert errors.readline().startswith(told)
        assert line(host, "echo on | count", user="ned")[:2] == (0, "1\n")
    finally:
        hang_up(client)


def test_scripts_that_run_scripts_end_soon(host: Hosted) -> None:
    me = b"shell script < nest; shell script < nest\n"
    assert host.run("files put nest", stdin=me, user="nester").status == 0
    status, _, errors = line(host, "shell script < nest", user="nester")
    assert status == 1
    assert errors.count("8 levels deep at most") == 2**8
    assert not [error for error in host.log.named("app.error") if error["user"] == "nester"]


# ---------------------------------------------------------------------------------- questions


@contextlib.contextmanager
def shell_screen(tap: Tap) -> Iterator[Any]:
    with hosted(tap, bundled=["shell"]) as host, host.open("shell") as pilot:
        pilot.wait_for("Type help")
        yield pilot
        assert host.log.named("app.error") == []


def test_a_command_asks_over_the_shell() -> None:
    with shell_screen(Tap()) as pilot:
        pilot.type("tap sure\r").wait_for("about to ask").wait_for("Do it?")
        pilot.press("backspace", "backspace").type("yes\r").wait_for("answered yes")
        pilot.type("tap sure --secret\r").wait_for("Do it?").wait_for("••")
        pilot.press("end", "enter").wait_for("answered no")


def test_the_last_command_of_a_pipeline_can_ask_and_no_other() -> None:
    with shell_screen(Tap()) as pilot:
        pilot.type("echo that | tap sure this\r").wait_for("Do this?")
        pilot.press("end", "enter").wait_for("answered no")
        pilot.type("tap sure | count\r").wait_for("cannot ask 'Do it?' without a terminal")


@pytest.mark.parametrize("key", ["escape", "c-c"])
def test_a_question_that_is_closed_ends_its_command(key: str) -> None:
    tap = Tap()
    with shell_screen(tap) as pilot:
        pilot.type("tap sure; echo then\r").wait_for("Do it?").press(key).wait_gone("Do it?")
        pilot.wait_for("status 130").type("echo next\r").wait_for("next")
        assert "answered" not in pilot.text
        assert not tap.begun.is_set()


def test_who_leaves_the_shell_leaves_its_questions() -> None:
    tap = Tap()
    with hosted(tap, bundled=["shell"]) as host:
        with host.open("shell") as pilot:
            pilot.wait_for("Type help").type("tap sure\r").wait_for("Do it?").drop()
        host.log.wait_for("session.end")
        assert host.host.stuck_threads == 0
        assert host.log.named("app.error") == []


def test_a_line_given_with_the_command_asks_on_its_terminal() -> None:
    with hosted(Tap(), bundled=["shell"]) as host:
        with host.open("shell -c 'tap sure'") as pilot:
            pilot.wait_for("Do it?").type("yes\r").wait_for("answered yes")
            assert pilot.wait_end() == 0
        with host.open("shell -c 'echo a | tap sure'") as pilot:
            pilot.wait_for("cannot ask 'Do it?' without a terminal")
            assert pilot.wait_end() == 2
        assert host.run("shell -c 'tap sure'").status == 2


def test_options_that_fingers_know(host: Hosted) -> None:
    assert host.run("echo -n a b").stdout == b"a b"
    assert line(host, "echo -n a > n1; echo b >> n1; files cat n1") == (0, "ab\n", "")
    said = host.run("grep -rn x .")
    assert (said.status, said.errors.count("\n")) == (2, 1), said
    assert "does not search folders" in said.errors


def test_a_line_for_a_shell_that_fails_leads_to_the_shell(host: Hosted) -> None:
    target = ssh_target_of(host.host.ssh_target, "ada")
    for words in ("ls | less", "nothing|head", "cat nothing; ls", "files find X | head -n 1"):
        said = host.run(words)
        assert said.status in (1, 2, 127)
        last = said.errors.splitlines()[-1]
        assert last.endswith(f" works in the shell: ssh {target} shell -c \"'{words}'\""), said
    for words in ("ls | less", "ls | foo", "nothing|head", "cat nothing; ls", "grep x < gone",
                  "foo | bar", "foo && bar"):  # fmt: skip
        assert host.run(words).errors.count("\n") == 1, "one sentence"
    assert "If it is one of your aliases: | works" in host.run("foo | bar").errors
    assert "gone: there is" in host.run("cat gone | less").errors, "that is wrong in the shell, too"
    assert host.run("cat 'a|b'").errors == "a|b: there is no such file.\n"
    assert host.run("cat 'a' | x").errors.endswith(" shell -c \"'…'\"\n")
    done = host.run("echo a | b")
    assert (done.status, done.text) == (0, "a | b\n"), "it did what it does"
    assert done.errors.endswith(f" | works in the shell: ssh {target} shell -c \"'echo a | b'\"\n")
    assert host.run("echo 'a | b'").errors == host.run("echo a|b").errors == ""
    settings = {"roles": {"guest": {"commands": ["shell grep"]}}}
    with hosted(bundled=["menu", "shell"], settings=settings) as other:
        assert "shell -c" not in other.run("grep x gone | b").errors
