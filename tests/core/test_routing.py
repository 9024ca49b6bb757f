"""Which app a session is for."""

from __future__ import annotations

from typing import Any

import pytest

from tuihost.core.familiar_words import Answer, HostCommand
from tuihost.core.routing import (
    COMMAND_LIMIT,
    BadCommand,
    CopyFiles,
    NoSuchApp,
    OpenApp,
    OpenSubsystem,
    Route,
    RunCommand,
    SyncFiles,
    has_shell_word,
    route,
    shell_operator,
    split_user,
    words_for_a_shell,
)
from tuihost.wire import ExecRequest, ProgramRequest, ShellRequest, SubsystemRequest

APPS = ("menu", "notes", "shell")
SHELL = ShellRequest()


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("ada", ("ada", None)),
        ("ada+notes", ("ada", "notes")),
        ("a+b+notes", ("a+b", "notes")),
        ("ada+", ("ada+", None)),
        ("+notes", ("+notes", None)),
        ("+", ("+", None)),
        ("", ("", None)),
    ],
)
def test_the_app_in_a_name(name: str, parts: tuple[str, str | None]) -> None:
    assert split_user(name) == parts


@pytest.mark.parametrize(
    ("program", "target", "pty", "script", "leads_to"),
    [
        # ssh host
        (SHELL, None, True, (), OpenApp("menu")),
        (SHELL, None, False, (), OpenApp("menu")),
        (ExecRequest(""), None, True, (), OpenApp("menu")),
        # ssh user+app@host
        (SHELL, "notes", True, (), OpenApp("notes")),
        (SHELL, "games", True, (), NoSuchApp("games")),
        # ssh host < file
        (SHELL, None, False, ("shell", "-s"), RunCommand("shell", ("-s",))),
        (SHELL, None, True, ("shell", "-s"), OpenApp("menu")),
        (SHELL, "notes", False, ("shell", "-s"), OpenApp("notes")),
        (SHELL, None, False, ("gone",), OpenApp("menu")),
        # ssh -s host subsystem
        (SubsystemRequest("sftp"), None, False, (), OpenSubsystem("sftp")),
        (SubsystemRequest("sftp"), "notes", True, (), OpenSubsystem("sftp")),
        # ssh host app words
        (ExecRequest("whoami"), None, False, (), HostCommand.WHOAMI),
        (ExecRequest("notes"), None, True, (), OpenApp("notes")),
        (ExecRequest("notes"), None, False, (), RunCommand("notes", ())),
        (ExecRequest("notes 'a b'"), None, True, (), RunCommand("notes", ("a b",))),
        (ExecRequest("games list"), None, False, (), NoSuchApp("games")),
        (ExecRequest("notes"), None, False, ("shell",), RunCommand("notes", ())),
        # ssh user+app@host words
        (ExecRequest("add milk"), "notes", False, (), RunCommand("notes", ("add", "milk"))),
        (ExecRequest("notes"), "notes", True, (), RunCommand("notes", ("notes",))),
        (ExecRequest("''"), "notes", True, (), RunCommand("notes", ("",))),
        (ExecRequest(" "), "notes", True, (), OpenApp("notes")),
        (ExecRequest("add"), "games", False, (), NoSuchApp("games")),
        # scp and rsync
        (ExecRequest("scp -t ."), None, False, (), CopyFiles(("-t", "."))),
        (ExecRequest("rsync --server . x"), None, False, (), SyncFiles(("--server", ".", "x"))),
        (ExecRequest(r"scp -f a\*b 'a?' [c]* x\ y"), None, False, (),
         CopyFiles(("-f", "a[*]b", "a[?]", "[c]*", "x y"))),
        (ExecRequest("scp -t ."), "notes", False, (), RunCommand("notes", ("scp", "-t", "."))),
        (ExecRequest("rsync"), "games", False, (), NoSuchApp("games")),
        # the same by their paths, as `rsync --rsync-path` and `sftp -s` have them
        (ExecRequest("/usr/bin/rsync --server ."), None, False, (), SyncFiles(("--server", "."))),
        (ExecRequest("/usr/local/bin/scp -t ."), None, False, (), CopyFiles(("-t", "."))),
        (ExecRequest("/usr/lib/openssh/sftp-server"), None, False, (), OpenSubsystem("sftp")),
        (ExecRequest("/bin/bash"), None, True, (), OpenApp("shell")),
        (ExecRequest("/bin/notes"), None, True, (), NoSuchApp("/bin/notes")),
        (ExecRequest("/x/bin/rsync"), None, True, (), NoSuchApp("/x/bin/rsync")),
        (ExecRequest("''"), None, True, (), BadCommand("the command line is empty")),
        # words that people know from elsewhere
        (ExecRequest("help notes"), None, False, (), RunCommand("shell", ("help", "notes"))),
        (ExecRequest("bash"), None, True, (), OpenApp("shell")),
        (ExecRequest("exit"), None, False, (), Answer("", 0)),
        (ExecRequest("ls"), None, False, (), NoSuchApp("ls")),
        (ExecRequest("exit"), "notes", False, (), RunCommand("notes", ("exit",))),
        (ExecRequest("cat >> .ssh/authorized_keys"), None, False, (),
         Answer("Keys cannot be added in this way here.", 1)),
    ],
)  # fmt: skip
def test_where_a_session_goes(
    program: ProgramRequest, target: str | None, pty: bool, script: tuple[str, ...], leads_to: Route
) -> None:
    found = route(program, target=target, default="menu", apps=APPS, pty=pty, script=script)
    assert found == leads_to


@pytest.mark.parametrize(
    ("apps", "line", "leads_to"),
    [
        (("scp",), "scp -t .", RunCommand("scp", ("-t", "."))),
        (("rsync",), "rsync x", RunCommand("rsync", ("x",))),
        (("ls", "files"), "ls x", RunCommand("ls", ("x",))),
        (("exit",), "exit", RunCommand("exit", ())),
        ((), "menu", NoSuchApp("menu")),
    ],
)
def test_an_app_of_that_name_comes_first(apps: tuple[str, ...], line: str, leads_to: Route) -> None:
    assert route(ExecRequest(line), target=None, default="x", apps=apps, pty=False) == leads_to


def test_a_default_that_is_not_there_is_told() -> None:
    how: dict[str, Any] = {"target": None, "default": "menu", "pty": True}
    assert route(SHELL, apps=("notes",), **how) == NoSuchApp("menu", asked=False)


@pytest.mark.parametrize("target", [None, "notes", "games"])
@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("x" * (COMMAND_LIMIT + 1), "longer than 8,192 characters"),
        ("notes a\0b", "NUL"),
        ("notes 'a", "cannot be split into words: No closing quotation"),
        ("notes \\", "cannot be split into words: No escaped character"),
    ],
)
def test_a_line_that_cannot_be_understood(line: str, why: str, target: str | None) -> None:
    found = route(ExecRequest(line), target=target, default="menu", apps=APPS, pty=False)
    assert isinstance(found, BadCommand)
    assert why in found.reason


def test_a_line_of_blanks_runs_nothing() -> None:
    found = route(ExecRequest("  "), target=None, default="menu", apps=APPS, pty=True)
    assert found == BadCommand("the command line is empty")


@pytest.mark.parametrize(
    ("line", "operator"),
    [
        ("ls | less", "|"), ("ls|less", "|"), ("a && b", "&&"), ("a || b", "||"), ("a; b", ";"),
        ("cat < f", "<"), ("cat f >> g", ">>"), ("cat f 2>&1", ">"), ("'a' \"b\" | c", "|"),
        ("notes add a&b", ""), ("grep 'a|b' f", ""), ('grep "a\\"|b" f', ""), (r"a \| b", ""),
        ("a 'b", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_sign_of_a_shell_is_found_outside_of_quotes(line: str, operator: str) -> None:
    assert shell_operator(line) == operator


@pytest.mark.parametrize(
    ("line", "has"),
    [
        ('notes add "a b" ; notes list', True), ("ls | less", True), ("a > f", True),
        ("a && b", True), ("notes add 'a ; b'", False), ("notes add a; b", False),
        (r"notes add a \; b", False), ("notes add 'a'| b", False), ("notes add a b", False),
        ("umask 077 ; mkdir -p .ssh && cat >> .ssh/authorized_keys || exit 1 ;", False),
    ],
)  # fmt: skip
def test_a_sign_that_is_a_word_of_its_own_is_meant_for_a_shell(line: str, has: bool) -> None:
    assert has_shell_word(line) is has


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ls | less", ("|", "less")), ("nothing|head -n 1", ("nothing|head", "-n", "1")),
        ("cat nothing; ls", ("nothing;", "ls")), ("grep 'a|b' f", ()), ("", ()),
    ],
)  # fmt: skip
def test_the_words_from_there_on_were_for_a_shell(line: str, words: tuple[str, ...]) -> None:
    assert words_for_a_shell(line) == words
