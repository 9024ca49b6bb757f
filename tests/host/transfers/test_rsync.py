"""rsync's half on the host, where the client does not do its own."""

from __future__ import annotations

from collections.abc import Callable

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
