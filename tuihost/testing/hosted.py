"""The real host for tests: over socket pairs, with real handshakes, without a port."""

from __future__ import annotations

import logging
import socket
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko

from tuihost.accounts import AccountRecord
from tuihost.core.limits import TransportLimits
from tuihost.errors import MisuseError
from tuihost.host.plugins.app_catalog import Catalog, Loaded
from tuihost.host.plugins.app_checks import load_object
from tuihost.host.server.server import Server
from tuihost.logs import EventLog
from tuihost.plugin import App
from tuihost.settings.loading import load
from tuihost.ssh.keys.host_keys import HostKeys
from tuihost.testing.pilot import DEADLINE, Pilot
from tuihost.testing.transport_watch import transport_threads_watched
from tuihost.wire import Peer

_PEER = Peer("127.0.0.1", 50_000)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, and what it printed."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        return self.stdout.decode()

    @property
    def errors(self) -> str:
        return self.stderr.decode()


class Records(logging.Handler):
    """The log of a host under test, as events."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._changed = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        fields = dict(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = record.exc_info[1]
        with self._changed:
            self.events.append((getattr(record, "event", record.getMessage()), fields))
            self._changed.notify_all()

    def named(self, event: str) -> list[dict[str, Any]]:
        """The fields of every event of that name."""
        return [fields for name, fields in tuple(self.events) if name == event]

    def wait_for(self, event: str, *, times: int = 1, seconds: float = DEADLINE) -> dict[str, Any]:
        """Waits for `times` events of that name, and gives the fields of the last of them."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.named(event)) >= times, seconds):
                seen = [name for name, _ in self.events]
                wanted = f"{event!r}" if times == 1 else f"{event!r} number {times}"
                raise AssertionError(f"no event {wanted} in {seconds:g} s; there were {seen}")
            return self.named(event)[times - 1]


class Hosted:
    """A running host that nothing but this test can reach."""

    def __init__(self, server: Server, records: Records) -> None:
        self.server = server
        self.host = server.host
        self.log = records

    def add_account(self, name: str, password: str, *, roles: Iterable[str] = ()) -> None:
        """Makes an account, which `open`, `lines` and `run` use where they are given its name and
        its password. The rules for passwords are for people: here any will do."""
        services = self.server.login_services
        hashed = services.passwords.hash(password)
        services.store.create(AccountRecord(name, password_hash=hashed, roles=frozenset(roles)))

    def connect(self, user: str = "ada", *, password: str = "") -> paramiko.Transport:
        """A client that has shaken hands and logged in as `user`: as a guest, or to an account if
        there is a password. Close it."""
        transport = self.dial()
        try:
            if password:
                transport.auth_password(user, password, fallback=False)
            else:
                transport.auth_none(user)
        except BaseException:
            transport.close()
            raise
        return transport

    def dial(self) -> paramiko.Transport:
        """A client that has shaken hands but not logged in. Close it."""
        transport = paramiko.Transport(self.plug_in())
        transport.start_client(timeout=DEADLINE)
        return transport

    def plug_in(self) -> socket.socket:
        """The client's end of a new connection, before the first byte."""
        near, far = socket.socketpair()
        if self.server.admit(far, _PEER) is None:
            near.close()
            raise ConnectionRefusedError("the host turned the connection away")
        return near

    def open(
        self,
        app: str | None = None,
        *,
        user: str = "ada",
        password: str = "",
        size: tuple[int, int] = (80, 24),
        term: str = "xterm-256color",
        env: Mapping[str, str] | None = None,
        background: str | None = None,
    ) -> Pilot:
        """Opens an app, or the default app if None, as a person at a terminal. A command line such
        as `notes add` runs that command there. `background` is the colour that the terminal gives
        as its own, such as `#ffffff`."""
        transport = self.connect(user, password=password)
        channel = transport.open_session(timeout=DEADLINE)
        for name, value in ({"LANG": "C.UTF-8"} if env is None else env).items():
            channel.set_environment_variable(name, value)
        channel.get_pty(term, *size)
        if app is None:
            channel.invoke_shell()
        else:
            channel.exec_command(app)
        return Pilot(channel, lambda: hang_up(transport), *size, background=background)

    def lines(self, command: str | None = None, *, user: str = "ada", password: str = "") -> Pilot:
        """A session without a terminal: plain lines."""
        transport = self.connect(user, password=password)
        channel = transport.open_session(timeout=DEADLINE)
        channel.set_combine_stderr(True)
        if command is None:
            channel.invoke_shell()
        else:
            channel.exec_command(command)
        return Pilot(channel, lambda: hang_up(transport), 200, 100, plain=True)

    def run(
        self, command: str, *, user: str = "ada", password: str = "", stdin: bytes = b""
    ) -> Outcome:
        """Runs a command to its end: `ssh host COMMAND`."""
        transport = self.connect(user, password=password)
        try:
            channel = transport.open_session(timeout=DEADLINE)
            channel.settimeout(DEADLINE)
            channel.exec_command(command)
            with suppress(OSError):  # a command may end before it has read everything
                if stdin:
                    channel.sendall(stdin)
                channel.shutdown_write()
            out = channel.makefile("rb").read()
            errors = channel.makefile_stderr("rb").read()
            return Outcome(channel.recv_exit_status(), out, errors)
        finally:
            hang_up(transport)


def hang_up(transport: paramiko.Transport) -> None:
    """Closes a paramiko client and waits for its thread."""
    with suppress(OSError):  # the host may have hung up first
        # Else the thread goes on reading until it next looks, up to a tenth of a second later.
        transport.sock.shutdown(socket.SHUT_RDWR)
    transport.close()
    transport.packetizer.complete_handshake()  # else its timer outlives a handshake that failed
    transport.join(DEADLINE)


@contextmanager
def hosted(
    *apps: App,
    bundled: bool | Sequence[str] = False,
    settings: Mapping[str, Any] | None = None,
    state_dir: Path | None = None,
    keys: HostKeys | None = None,
    limits: TransportLimits | None = None,
) -> Iterator[Hosted]:
    """A host with these apps, and with all or some of the bundled ones if you ask for them.

    Without the bundled menu, the first app is the default one. `settings` have dotted names, such
    as `{"server.name": "test"}`. What the host stores is removed after the test, unless
    `state_dir` says where to keep it. Raises `MisuseError` for an app without a `name`: a host
    takes it from the file or the entry point, which a test does not have.
    """
    for app in apps:
        if not app.name:
            raise MisuseError(f"{type(app).__name__} needs a `name` to be opened by in a test")
    with ExitStack() as after:
        if state_dir is None:
            made = tempfile.TemporaryDirectory(prefix="tuihost-")
            state_dir = Path(after.enter_context(made))
        given = {"server.state_dir": str(state_dir), **(settings or {})}
        given.setdefault("apps.enabled", ["*"] if bundled is True else list(bundled or ()))
        if apps and not bundled:
            given.setdefault("server.default_app", apps[0].name)
        logger = logging.Logger("tuihost.test", logging.DEBUG)
        records = Records()
        logger.addHandler(records)
        log = EventLog(logger)
        loaded = load(None, {}, given)
        catalog = Catalog.load(loaded, log=log)
        after.callback(catalog.forget_modules)
        for app in apps:
            catalog.apps[app.name] = Loaded(load_object(app, app.name), "the test")
        server = Server(loaded, catalog, log, keys=keys or _test_keys(), limits=limits)
        server.host.start()
        after.callback(server.stop)
        with transport_threads_watched():
            yield Hosted(server, records)


_keys: HostKeys | None = None


def _test_keys() -> HostKeys:
    """One key for all tests of a process: it takes longer to make keys than to use them."""
    global _keys
    _keys = _keys or HostKeys.fresh()
    return _keys
