"""Every line that operators are told to type, as it stands in `docs/`: one page after the other, in
a folder where `tuihost init` has been."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.e2e_demo import CHECKOUT, clean_env
from tests.e2e.e2e_house import keygen
from tests.e2e.e2e_lines import ENDED, blocks, typed

PAGES = ("logging-in.md", "themes.md", "writing-apps.md")
OPERATOR = re.compile(r"^(?:[A-Z_]+=\S+ )?(tuihost|ssh-keygen) ")
MET = re.compile(rb"(?:(?<=assword)|(?<=again)): |Stop  +|" + ENDED.pattern)
"""A question for a password, the page of a host that runs, or the end."""
PASSWORD = "correct horse 9"
SCHEME = "scheme: Deep Sea\nauthor: Ada\n" + "".join(
    f'base0{digit:X}: "{0x101820 + digit * 0xE0E0E:06x}"\n' for digit in range(16)
)


def lines_of(page: str) -> tuple[str, ...]:
    found = blocks(CHECKOUT / "docs" / page, "console", "$ ")
    return tuple(line for block in found for line in block if OPERATOR.search(line))


def test_no_page_is_left_out() -> None:
    pages = {path.name for path in (CHECKOUT / "docs").glob("*.md") if lines_of(path.name)}
    assert pages == set(PAGES)


@pytest.fixture
def place(tmp_path: Path, program: Callable[[str], str]) -> Path:
    """The folder, with a `tuihost` that the shell finds and the files that pages name."""
    program("ssh-keygen")
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "tuihost"
    script.write_text(
        f'#!/bin/sh\nPYTHONPATH="{CHECKOUT}" exec {sys.executable} -u -m tuihost "$@"\n'
    )
    script.chmod(0o755)
    (tmp_path / ".ssh").mkdir()
    keygen(tmp_path / ".ssh" / "id_ed25519")
    work = tmp_path / "work"
    done = subprocess.run([script, "init", work], env=environment(tmp_path), check=False)
    assert done.returncode == 0
    keygen(work / "ca")
    keygen(work / "id_ed25519")
    (work / "themes").mkdir(exist_ok=True)
    slate = (CHECKOUT / "docs" / "themes.md").read_text("utf-8").partition("```toml\n")[2]
    (work / "themes" / "slate.toml").write_text(slate.partition("```")[0])
    (work / "dracula.yaml").write_text(SCHEME)
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    """`8022` may be somebody else's here: any port is as good."""
    path = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "TUIHOST_SERVER__PORT": "0"}
    return clean_env(folder, TERM="xterm-256color") | path


@pytest.mark.parametrize("page", PAGES)
def test_what_operators_are_told_to_type_works_as_it_stands(place: Path, page: str) -> None:
    for line in lines_of(page):
        shell = typed(line, place / "work", environment(place))
        try:
            while (met := shell.wait_for(MET))[0] == b": ":
                shell.answer(PASSWORD)
            if met[1] is None:  # a host that runs, until Ctrl-C
                os.write(shell.terminal, b"\x03")
                shell.wait_for(re.compile(b"Goodbye"))
            else:
                assert met[1] == b"0", f"{line}\n{shell.text}"
        finally:
            shell.close()
