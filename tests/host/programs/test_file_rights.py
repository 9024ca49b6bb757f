"""What people may do with files, in every way to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.sftp import sftp_of
from tests.waiting import DEADLINE
from tuihost import Accepts, App, Session
from tuihost.core.exit_statuses import NOT_FOUND
from tuihost.testing import Hosted, hosted
from tuihost.testing.hosted import hang_up

COMMANDS = ["files *", "shell *", "notes list"]
NO_FILES = "Your roles allow no files here. The host's operator can change that."
TOLD = "your roles allow no files here; the host's operator can change that."
REFUSED = "nothing can be changed here"


@contextmanager
def host_where(state_dir: Path | None = None, /, **role: Any) -> Iterator[Hosted]:
    given = {"roles": {"guest": {"commands": COMMANDS, **role}}}
    with hosted(
        bundled=["menu", "files", "notes", "shell"], settings=given, state_dir=state_dir
    ) as host:
        yield host


def test_who_may_only_read_changes_nothing_by_sftp() -> None:
    with host_where(read_files=["*"]) as host, sftp_of(host, "eve") as sftp:
        assert set(sftp.listdir("/")) == {"files", "notes"}
        for change in (
            lambda: sftp.open("/files/mine/a", "w"),
            lambda: sftp.open("/notes/a.md", "w"),
            lambda: sftp.mkdir("/files/mine/folder"),
            lambda: sftp.rename("/files/mine/a", "/files/mine/b"),
            lambda: sftp.remove("/notes/a.md"),
        ):
            with pytest.raises(OSError, match=REFUSED):
                change()
        assert sftp.listdir("/files/mine") == []


@pytest.mark.parametrize(
    "command",
    [
        "scp -t /files/mine/a",
        "rsync --server -logDtpre.iLsfxCIvu . /files/mine/",
        "files put a",
        "files mkdir a",
        "shell -c 'echo hello > a'",
    ],
)
@pytest.mark.parametrize("role", [{"read_files": ["*"]}, {}])
def test_nobody_writes_without_the_right_to(
    tmp_path: Path, command: str, role: Mapping[str, Any]
) -> None:
    with host_where(tmp_path, **role) as host:
        outcome = host.run(command, stdin=b"C0644 3 a\nabc\0", user="eve")
        assert outcome.status != 0, outcome
        assert list(tmp_path.rglob("people/*/*")) == []


def test_who_may_write_one_apps_files_writes_no_others() -> None:
    with host_where(write_files=["files"]) as host, sftp_of(host, "eve") as sftp:
        assert sftp.listdir("/") == ["files"]
        with sftp.open("/files/mine/a", "w") as file:
            file.write(b"hello")
        assert sftp.stat("/files/mine/a").st_size == 5
        assert host.run("shell -c 'echo hello > b'", user="eve").status == 0
        assert sorted(sftp.listdir("/files/mine")) == ["a", "b"]


class Vault(App):
    """Serves `sftp` itself."""

    name = "vault"
    accepts = Accepts(subsystems=("sftp",))

    def subsystem(self, session: Session, name: str) -> int:
        session.write(b"open")
        return 0


@pytest.mark.parametrize(("apps", "told"), [(["vault"], "open"), (["menu"], "")])
def test_a_subsystem_that_is_called_as_a_program_needs_the_same_right(
    apps: list[str], told: str
) -> None:
    settings = {"roles": {"guest": {"apps": apps}}}
    with hosted(Vault(), bundled=["menu"], settings=settings) as host:
        done = host.run("/usr/lib/openssh/sftp-server")
        assert done.text == told
        if not told:
            assert done.status == NOT_FOUND
            assert done.errors == "tuihost: no app here serves the subsystem sftp for you\n"


def by_every_transfer(host: Hosted, user: str) -> list[tuple[int, str]]:
    """How sftp, scp and rsync end for that person, and what they say beside it."""
    transport, ends = host.connect(user), []
    try:
        for line in (None, "scp -f a", "rsync --server --sender -logDtpre.iLsfxCIvu . a"):
            channel = transport.open_session(timeout=DEADLINE)
            channel.settimeout(DEADLINE)
            if line is None:
                channel.invoke_subsystem("sftp")
            else:
                channel.exec_command(line)
            said = channel.makefile_stderr("rb").read().decode()
            ends.append((channel.recv_exit_status(), said))
    finally:
        hang_up(transport)
    return ends


def test_without_a_word_about_files_fewer_commands_give_none() -> None:
    with host_where() as host:
        assert by_every_transfer(host, "eve") == [(1, f"{host.host.name}: {TOLD}\n")] * 3
        for command in ("files ls", "files find x"):
            said = host.run(command, user="eve")
            assert (said.status, said.errors) == (1, f"{NO_FILES}\n"), command
        with host.lines(user="eve+files") as pilot:
            pilot.wait_for(NO_FILES)
        with host.open("files", user="eve") as pilot:
            pilot.wait_for("Your roles allow no files here.")
    with host_where(commands=["*"]) as host, sftp_of(host, "eve") as sftp:
        assert set(sftp.listdir("/")) == {"files", "notes"}
