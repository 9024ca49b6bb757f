"""A real SFTP client for tests: paramiko's, at a whole host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import paramiko

from tests.waiting import DEADLINE
from tuihost.testing import Hosted
from tuihost.testing.hosted import hang_up


@contextmanager
def sftp_of(host: Hosted, user: str) -> Iterator[paramiko.SFTPClient]:
    """The SFTP client of `user`, whose answers come by the deadline. It hangs up at the end."""
    transport = host.connect(user)
    try:
        client = paramiko.SFTPClient.from_transport(transport)
        assert client is not None
        channel = client.get_channel()
        assert channel is not None
        channel.settimeout(DEADLINE)
        yield client
    finally:
        hang_up(transport)
