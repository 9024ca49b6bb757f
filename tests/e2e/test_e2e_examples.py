"""Every line that people are told to type: in the README, on the pages of `docs/`, in the handbook,
on screens, and on the demo's own page. Each is typed as it stands there, with the real address and
port in it, into a shell that is on a terminal."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.e2e_demo import CHECKOUT, Demo, clean_env
from tests.e2e.e2e_lines import ENDED, blocks, typed
from tests.waiting import DEADLINE

HANDBOOK = CHECKOUT / "apps" / "reader" / "pages"
ELSEWHERE = ("writing-apps.md",)
"""Pages whose lines another test runs: they need the apps that the page is about."""

ALIVE = re.compile(
    rb"\x1b\[\?1049h|type a command; help lists|q to leave:|sftp> |[Pp]assword:|[Ii]nvitation"
    rb"|account> |\^D ends it"
)
"""A line that does not end is right if it shows a screen, or asks for something."""

REFUSED: Mapping[str, str] = {
    "approvals": "no app is called approvals",  # only people who may let others in see it
    "account agent": "You brought no agent",
    "windows run xclock": "There is no screen to show it on",
}
"""What is said to a guest who has neither an agent nor a display; lines that hold the words."""

CLIENT = re.compile(r"\b(ssh|scp|sftp|sshfs|rsync) ")
FOR_A_BROWSER = re.compile(r"-L (\d+):status:80")


@dataclass(frozen=True, slots=True)
class Example:
    """Lines that stand together, and where that is."""

    source: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.source}: {self.lines[0]}"


def examples() -> Iterator[Example]:
    for path in (CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))):
        if path.name not in ELSEWHERE:
            yield from _typed(path, "console", "$ ")
    for path in sorted(HANDBOOK.rglob("*.md")):
        yield from _typed(path, "sh", "")


def _typed(path: Path, kind: str, prompt: str) -> Iterator[Example]:
    """The blocks of one kind, with what people type at a client."""
    for block in blocks(path, kind, prompt):
        lines = tuple(line for line in block if CLIENT.search(line))
        if lines:
            yield Example(path.name, lines)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("examples"))
    yield demo
    demo.close()


@pytest.fixture
def folder(own: Demo, tmp_path: Path, program: Callable[[str], str]) -> Path:
    """A folder to type in, with the files that examples name, and programs that know the host by
    the names that examples give it."""
    port = own.port
    (tmp_path / "known").write_text(f"[127.0.0.1]:{port} {own.key}\n")
    (tmp_path / "config").write_text(
        f"Host *\n HostName 127.0.0.1\n HostKeyAlias [127.0.0.1]:{port}\n Port {port}\n"
        f" UserKnownHostsFile {tmp_path}/known\n StrictHostKeyChecking yes\n"
        f" User {tmp_path.name[-24:].strip('_')}\n IdentityFile none\n IdentityAgent none\n"
        " LogLevel ERROR\n SendEnv LANG LC_*\n"
    )
    (tmp_path / "bin").mkdir()
    for name in ("ssh", "scp", "sftp"):
        script = tmp_path / "bin" / name
        script.write_text(f'#!/bin/sh\nexec {program(name)} -F "{tmp_path}/config" "$@"\n')
        script.chmod(0o755)
    work = tmp_path / "work"
    (work / "photos").mkdir(parents=True)
    (work / "somewhere").mkdir()
    for name in ("report.pdf", "big.iso", "photos/one.jpg"):
        (work / name).write_text("a little of it\n")
    (work / "lines.txt").write_text("echo one\nexit\n")
    (work / "menu.txt").write_text("soup of the day\n")
    given = subprocess.run(
        [tmp_path / "bin/scp", "-q", "-r", "photos", "localhost:"],
        cwd=work,
        env=environment(tmp_path),
        timeout=DEADLINE,
    )
    assert given.returncode == 0
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    path = f"{folder}/bin:{os.environ['PATH']}"
    # A pager that ends by itself where everything fits.
    return clean_env(folder, TERM="xterm-256color", LESS="-FX") | {"PATH": path}


def filled_in(line: str, port: int, web: int) -> str:
    """The line with the real address and port."""
    line = re.sub(r"\b8022\b", str(port), line)
    line = re.sub(r"(\S*@)?\bHOST\b", rf"-p {port} \1localhost", line)
    return FOR_A_BROWSER.sub(f"-L {web}:status:80", line)


@pytest.mark.parametrize("example", [*dict.fromkeys(examples())], ids=str)
def test_what_people_are_told_to_type_works_as_it_stands(
    own: Demo, folder: Path, example: Example, program: Callable[[str], str]
) -> None:
    for line in example.lines:
        for name in re.findall(r"(?:^|\| )([a-z]+) ", line.partition("  #")[0]):
            program(name)
        if "sshfs" not in line:
            run(line, own.port, folder)
        elif os.access("/dev/fuse", os.W_OK):
            leave = [program("fusermount3"), "-u", str(folder / "work" / "somewhere")]
            run(line, own.port, folder, lambda leave=leave: subprocess.run(leave, check=True))  # type: ignore[misc]


def run(line: str, port: int, folder: Path, then: Callable[[], object] = lambda: None) -> None:
    """Types a line, and sees it do what it is there for; calls `then` before the terminal is
    closed."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        web = free.getsockname()[1]
    shell = typed(filled_in(line, port, web), folder / "work", environment(folder))
    try:
        if "-N" in line.split():
            shell.until(lambda: answers(web))
            return
        if line.endswith(" notes add"):  # it keeps what is typed, to the end of input
            shell.answer("a note\n\x04")
        shell.until(lambda: ENDED.search(shell.seen) or ALIVE.search(shell.seen))
        ended = ENDED.search(shell.seen)
        if ended is None:
            return
        then()
    finally:
        shell.close()
    said = [words for part, words in REFUSED.items() if part in line]
    if said:
        assert said[0] in shell.text, f"{line}\n{shell.text}"
    else:
        assert ended[1] == b"0", f"{line}\n{shell.text}"


def answers(port: int) -> bool:
    """Whether the page for browsers is there."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as browser:
            browser.settimeout(DEADLINE)
            browser.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return browser.recv(4096).startswith(b"HTTP/1.1 200")
    except ConnectionRefusedError:
        return False


def test_what_the_demo_says_to_type_works_as_it_stands(own: Demo, folder: Path) -> None:
    """The ways in, and the commands for the next code and its picture."""
    lines = [line.strip() for line in own.page.splitlines()]
    ways = [re.split(r"\s{3}", line)[0] for line in lines if line.startswith("ssh ")]
    assert len(ways) == 5
    for way in ways:
        run(way, own.port, folder)
