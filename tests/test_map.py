"""docs/map.md: its drawing is that of the imports, and its five ways are those of a real run."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pytest
from prompt_toolkit.application import Application

from tests.house import MAP, ROOT, House, with_drawing
from tests.trace import Trace, traced
from tests.waiting import DEADLINE
from tuihost import App, DiskTree, FileTree, Quota, Session, command
from tuihost.accounts import AccountRecord
from tuihost.testing import Hosted, hosted
from tuihost.testing.hosted import hang_up
from tuihost.widgets import ListView, Screen

PASSWORD = "correct horse 9"


def settle(client: paramiko.Transport) -> None:
    """Everything that was sent has been answered."""
    client.global_request("keepalive@openssh.com", wait=True)


def _key(host: Hosted, trace: Trace) -> None:
    with host.open("box", user="guest") as pilot:
        pilot.wait_for("row 3")
        with trace.record():
            pilot.press("down").wait_for("▌ row 1")


def _password(host: Hosted, trace: Trace) -> None:
    client = host.dial()
    with trace.record():
        assert client.auth_password("ada", PASSWORD) == []
        settle(client)
    hang_up(client)


def _exec(host: Hosted, trace: Trace) -> None:
    client = host.connect("guest")
    settle(client)
    with trace.record():
        channel = client.open_session(timeout=DEADLINE)
        channel.settimeout(DEADLINE)
        channel.exec_command("box hello")
        assert channel.makefile("rb").read() == b"Hello.\n"
        assert channel.recv_exit_status() == 0
        host.log.wait_for("session.end")
    hang_up(client)


def _sftp_write(host: Hosted, trace: Trace) -> None:
    client = host.connect("guest")
    sftp = paramiko.SFTPClient.from_transport(client)
    assert sftp is not None
    sftp.chdir("/box")
    with trace.record(), sftp.open("notes.txt", "w") as file:
        file.write(b"milk")
    sftp.close()
    hang_up(client)


def _remote_forward(host: Hosted, trace: Trace) -> None:
    client = host.connect("guest")
    settle(client)
    with trace.record():
        port = client.request_port_forward("127.0.0.1", 0)
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as browser:
            channel = client.accept(DEADLINE)
            assert channel is not None
            channel.settimeout(DEADLINE)
            browser.sendall(b"ring")
            assert channel.recv(4) == b"ring"
            channel.sendall(b"here")
            assert browser.recv(4) == b"here"
    hang_up(client)


class Box(App):
    """A screen, a command and files."""

    name = "box"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def build(self, session: Session) -> Application[None]:
        rows = [f"row {number}" for number in range(9)]
        return Screen(session, "Box", ListView(session, rows, label=str)).application()

    @command
    def hello(self, session: Session) -> None:
        """Say hello."""
        session.print("Hello.")

    def files(self, session: Session) -> FileTree:
        return DiskTree(Quota(self.folder, size=1_000_000, entries=100))


@contextmanager
def running(folder: Path) -> Iterator[tuple[Hosted, Trace]]:
    (folder / "box").mkdir()
    settings = {
        "roles": {"guest": {"listens": ["*"]}},
        "forwarding.listen": ["127.0.0.1:20000-29999"],
    }
    box = Box(folder / "box")
    with traced() as trace, hosted(box, settings=settings, state_dir=folder) as host:
        login = host.server.login_services
        login.store.create(AccountRecord("ada", password_hash=login.passwords.hash(PASSWORD)))
        yield host, trace


WAYS: dict[str, Callable[[Hosted, Trace], None]] = {
    "A key and its frame": _key,
    "A password": _password,
    "An exec": _exec,
    "An sftp write": _sftp_write,
    "A remote forward": _remote_forward,
}


def section(title: str) -> str:
    """What the page says under a heading."""
    page = MAP.read_text("utf-8")
    found = re.search(rf"^### {title}\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"docs/map.md has no section {title!r}"
    return found[1]


def steps(text: str) -> list[str]:
    """The files of the numbered lines, one each."""
    return re.findall(r"^\d+\. `(tuihost/[\w/]+\.py)`", text, re.MULTILINE)


def room(path: str) -> str:
    """The folder of a file; the file itself at the top of the package."""
    folder = path.rpartition("/")[0]
    return path if folder == "tuihost" else folder


def named_rooms(text: str) -> set[str]:
    named = re.findall(r"`(tuihost/[\w/]+(?:\.py|/))`", text)
    return {path.rstrip("/") if path.endswith("/") else room(path) for path in named}


def is_subsequence(part: list[str], whole: list[str]) -> bool:
    left = iter(whole)
    return all(name in left for name in part)


@pytest.mark.parametrize("title", WAYS)
def test_a_way_through_the_house_is_as_the_page_says(title: str, tmp_path: Path) -> None:
    with running(tmp_path) as (host, trace):
        WAYS[title](host, trace)
    text, entered = section(title), trace.files()
    shown = "\n".join(dict.fromkeys(entered))
    listed = steps(text)
    assert len(listed) >= 5, "a way is told file by file"
    assert set(listed) <= set(entered), f"it does not touch {set(listed) - set(entered)}\n{shown}"
    assert is_subsequence(listed, entered), f"the order is another one\n{shown}"
    unnamed = {room(path) for path in entered} - named_rooms(text)
    assert not unnamed, f"it touches these too: {sorted(unnamed)}\n{shown}"


def test_every_file_that_the_page_names_is_there() -> None:
    named = re.findall(r"`((?:tuihost|tests|apps|docs)/[\w/.]*)`", MAP.read_text("utf-8"))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_drawing_is_that_of_the_imports() -> None:
    page = MAP.read_text("utf-8")
    assert with_drawing(page, House(ROOT)) == page, "`make docs` draws it again"


def test_an_order_is_told_apart_from_another() -> None:
    assert is_subsequence(["a", "c"], ["a", "b", "c"])
    assert not is_subsequence(["c", "a"], ["a", "b", "c"])
