"""The command line, called as a person calls it: what it prints, and its exit status."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cli.calling import environment, tuihost
from tests.waiting import DEADLINE
from tuihost.cli.main import _COMMANDS, cli, main


@pytest.mark.parametrize("words", [[], *([name] for name in _COMMANDS)], ids=str)
def test_help_imports_nothing_heavy(place: Path, words: list[str]) -> None:
    heavy = ("paramiko", "prompt_toolkit", "rich", "pydantic", "cryptography", "asyncio")
    code = (
        "import sys; from tuihost.cli.main import cli; "
        f"cli.main([*{words}, '--help'], standalone_mode=False); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(place),
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE,
    )
    assert done.stdout.endswith("[]\n")
    if words:
        return
    for name, (_, about) in _COMMANDS.items():
        assert name in done.stdout
        assert about in done.stdout


@pytest.mark.parametrize("name", list(_COMMANDS))
def test_every_command_has_a_help(name: str) -> None:
    done = CliRunner().invoke(cli, [name, "--help"], prog_name="tuihost")
    assert (done.exit_code, done.exception) == (0, None), done.output
    assert f"Usage: tuihost {name}" in done.output


def test_versions_and_mistyped_commands(place: Path) -> None:
    assert tuihost(place, "--version").stdout.startswith("tuihost, version ")
    assert "Did you mean 'demo'?" in tuihost(place, "dmeo", status=2).stderr


@pytest.mark.parametrize("words", [["themes"], ["apps"], ["--help"]])
def test_a_full_disk_is_one_sentence_and_a_closed_output_none(
    place: Path, words: list[str]
) -> None:
    (place / "tuihost.toml").touch()
    for redirection, status, said in (
        (">/dev/full", 1, "Error: nothing more can be written: No space left on device"),
        (">&-", 0, ""),
    ):
        done = subprocess.run(
            ["sh", "-c", f'"$@" {redirection}', "sh", sys.executable, "-m", "tuihost", *words],
            cwd=place,
            env=environment(place, TUIHOST_CONFIG="tuihost.toml", TUIHOST_APPS__ENABLED="menu"),
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
        assert (done.returncode, done.stderr.strip()) == (status, said)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_a_limit_that_leaves_too_few_files_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    def fail(**_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "umask", lambda _: 0)  # those of this process stay as they are
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    monkeypatch.setattr(cli, "main", fail)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    assert capsys.readouterr().err == (
        "Error: the system lets this program open too few files. Raise the limit: `ulimit -n 1024`"
        " in a shell, or `LimitNOFILE=` in a unit of systemd.\n"
    )


def test_no_core_is_dumped(place: Path) -> None:
    """Where no process may dump one in any case, the limits alone would say nothing."""
    code = (
        "import resource, sys; from tuihost.cli.main import main\n"
        "asked, really = [], resource.setrlimit\n"
        "resource.setrlimit = lambda *words: (asked.append(words), really(*words))\n"
        "sys.argv[1:] = ['--version']\n"
        "try: main()\n"
        "finally: print((resource.RLIMIT_CORE, (0, 0)) in asked,"
        " *resource.getrlimit(resource.RLIMIT_CORE))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(place),
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE,
    )
    assert done.stdout.splitlines()[-1] == "True 0 0"
