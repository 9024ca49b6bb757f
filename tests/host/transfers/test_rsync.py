"""rsync's half on the host, where the client does not do its own."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from tests.waiting import DEADLINE
from tuihost.host.helpers import landlock
from tuihost.host.transfers import rsync
from tuihost.testing import hosted
from tuihost.testing.hosted import hang_up

pytestmark = pytest.mark.skipif(not landlock.version(), reason="the kernel has no Landlock")


def test_one_in_which_nothing_moves_is_ended(
    monkeypatch: pytest.MonkeyPatch, program: Callable[[str], str]
) -> None:
    program("rsync")
    assert rsync.IDLE == 600.0, "ten minutes"
    monkeypatch.setattr(rsync, "IDLE", 0.3)
    with hosted(bundled=["menu", "files"], settings={"app.files.guest_quota": 1}) as host:
        client = host.connect()
        channel = client.open_session(timeout=DEADLINE)
        channel.settimeout(DEADLINE)
        channel.exec_command("rsync --server -logDtpre.iLsfxCIvu . kept")
        errors = channel.makefile_stderr("rb").read()
        assert b"nothing was copied for" in errors
        assert channel.recv_exit_status() != 0
        hang_up(client)


def test_only_one_that_writes_changes_files(
    monkeypatch: pytest.MonkeyPatch, program: Callable[[str], str]
) -> None:
    program("rsync")
    monkeypatch.setattr(rsync, "IDLE", 0.1)  # the clients here say nothing
    with hosted(bundled=["menu", "files"], settings={"app.files.guest_quota": 1}) as host:
        for user, option in (("reads", "--sender "), ("writes", "")):
            client = host.connect(user)
            channel = client.open_session(timeout=DEADLINE)
            channel.settimeout(DEADLINE)
            channel.exec_command(f"rsync --server {option}-logDtpre.iLsfxCIvu . a/")
            assert channel.recv_exit_status() != 0
            hang_up(client)
        host.log.wait_for("session.end", times=2)
        (changed,) = host.log.named("file.changed")
        assert (changed["user"], changed["path"]) == ("writes", "/files/mine/a")


def test_one_that_reads_no_more_is_no_fault_of_the_host() -> None:
    """What it did not take is given up; closing its input must not try again to hand it over."""
    reader, writer = os.pipe()
    os.close(reader)
    # Only the thread that feeds rsync, with no more of a run than it looks at.
    run = object.__new__(rsync.RsyncRun)
    run._tree = SimpleNamespace(quota=SimpleNamespace(most=1, used=0))  # type: ignore[assignment]
    run._args = SimpleNamespace(sender=True, compressed=False)  # type: ignore[assignment]
    run._read = lambda size: b"more"
    run.full, run.received = False, 0
    stdin = os.fdopen(writer, "wb")
    run._feed(SimpleNamespace(stdin=stdin))  # type: ignore[arg-type]
    assert stdin.closed


def test_one_that_cannot_be_started_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, program: Callable[[str], str]
) -> None:
    """As where the system has no place for another process."""
    program("rsync")

    def full(*words: object, **options: object) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(subprocess, "Popen", full)
    with hosted(bundled=["menu", "files"], settings={"app.files.guest_quota": 1}) as host:
        client = host.connect()
        channel = client.open_session(timeout=DEADLINE)
        channel.settimeout(DEADLINE)
        channel.exec_command("rsync --server -logDtpre.iLsfxCIvu . kept")
        assert b"rsync cannot be started" in channel.makefile_stderr("rb").read()
        assert channel.recv_exit_status() == 1
        hang_up(client)
        assert host.log.named("app.error") == []
