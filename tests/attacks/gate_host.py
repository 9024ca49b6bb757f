"""A host on a real port of this machine, and people who come to it from several addresses."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import paramiko
import pytest

from tests.log import kept_log
from tests.verifiers import OpenGuests
from tests.waiting import DEADLINE, until
from tuihost.core.limits import TransportLimits
from tuihost.host.login.services import LoginServices
from tuihost.host.login.verifier import AccountVerifier
from tuihost.host.plugins.app_catalog import Catalog
from tuihost.host.server import server as server_module
from tuihost.host.server.server import Server
from tuihost.logs import EventLog
from tuihost.settings.loading import load
from tuihost.ssh.keys.host_keys import HostKeys
from tuihost.testing.hosted import Records, hang_up
from tuihost.wire import Peer

KEYS = HostKeys.fresh()
STRANGERS: dict[str, Any] = {"sources.exempt": ["::1/128"]}
"""Settings by which the addresses of this machine are as strange as any."""


@dataclass(frozen=True)
class Listening:
    server: Server
    log: Records
    accepting: threading.Thread

    @property
    def port(self) -> int:
        return self.server.address.port

    def call(self, source: str = "127.0.0.1") -> socket.socket:
        """A connection from one of this machine's addresses."""
        address = ("127.0.0.1", self.port)
        return socket.create_connection(address, DEADLINE, source_address=(source, 0))

    def enter(self, source: str, user: str = "ada") -> float:
        """Somebody logs in as a guest and leaves again; the seconds that the login took."""
        return log_in(lambda: self.call(source), user)

    def wait_unfinished(self, count: int) -> None:
        """Waits until so many logins are under way."""
        gate = self.server.gate
        until(lambda: gate.unfinished == count, f"{count} unfinished logins")


def log_in(call: Callable[[], socket.socket], user: str = "ada") -> float:
    start = time.monotonic()
    transport = paramiko.Transport(call())
    try:
        transport.start_client(timeout=DEADLINE)
        transport.auth_none(user)
        return time.monotonic() - start
    finally:
        hang_up(transport)


def last_words(sock: socket.socket) -> bytes:
    """What comes until the other side hangs up."""
    sock.settimeout(DEADLINE)
    said = b""
    try:
        while data := sock.recv(4096):
            said += data
    except ConnectionResetError:
        pass
    except TimeoutError:
        pytest.fail(f"nobody hung up within {DEADLINE:g} s; there came {said!r}")
    return said


@contextmanager
def listening(
    settings: dict[str, Any] | None = None,
    *,
    verifier: OpenGuests | None = None,
    limits: TransportLimits | None = None,
) -> Iterator[Listening]:
    """A host that serves in a thread of this process; `verifier` stands in for its own."""
    log, records = kept_log()

    def verifier_of(
        services: LoginServices, peer: Peer, log: EventLog, gone: Callable[[], bool]
    ) -> Any:
        return verifier or AccountVerifier(services, peer, log, gone)

    with (
        tempfile.TemporaryDirectory(prefix="tuihost-") as folder,
        mock.patch.object(server_module, "settle_memory"),  # it is not this process's to settle
        mock.patch.object(server_module, "AccountVerifier", verifier_of),
    ):
        given = {"server.port": 0, "server.state_dir": folder, "apps.enabled": ["menu"]}
        loaded = load(None, {}, {**given, **(settings or {})})
        catalog = Catalog.load(loaded, log=log)
        server = Server(loaded, catalog, log, keys=KEYS, limits=limits)
        server.start()
        thread = threading.Thread(target=server.serve_forever, name="accept")
        thread.start()
        try:
            yield Listening(server, records, thread)
        finally:
            server.request_stop()
            thread.join(DEADLINE)
            server.stop()
