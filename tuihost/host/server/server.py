"""The Server: a Host that listens. It starts, accepts, says goodbye and stops.

Thread: `serve_forever` is the main thread's; it owns the listening sockets and the signals.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from time import monotonic
from types import FrameType

from tuihost.core.gate.penalties import Offence
from tuihost.core.limits import TransportLimits
from tuihost.core.login.authentication import AuthMachine
from tuihost.core.login.chains import PASSWORD
from tuihost.errors import TuihostError
from tuihost.files.secret_files import HOST_LOCK
from tuihost.host.gate.counting_verifier import CountingVerifier
from tuihost.host.gate.gate import Admission, Gate, GateRules, Refusal
from tuihost.host.gate.proxied import ProxiedConnection, ProxiedConnections
from tuihost.host.host import Host, log_start, resident_bytes
from tuihost.host.interpreter_watch import InterpreterWatch
from tuihost.host.login.services import LoginServices
from tuihost.host.login.verifier import AccountVerifier
from tuihost.host.plugins.app_catalog import Catalog
from tuihost.host.plugins.step_catalog import StepCatalog
from tuihost.host.relay.display_files import remove_leftovers
from tuihost.host.server._connection import Connection
from tuihost.host.server._memory import MemoryWatch, settle_memory
from tuihost.logs import Event, EventLog
from tuihost.settings.models import Settings
from tuihost.ssh.keys.host_keys import HostKeys
from tuihost.ssh.packets.algorithms import Selection
from tuihost.wire import Peer, TcpAddress

BACKLOG = 4096
"""Connections that may wait to be accepted, if the system allows so many. A flood is turned away at
microseconds a client, but a client that finds this queue full tries again only after a second."""
ACCEPT_PAUSE = 0.2
"""Seconds without accepting when the process has no descriptors left."""
ECHO = 1.0
"""Seconds after a signal in which another one is the same wish: `timeout`, a service manager and a
shell send theirs to the process and to its group."""
SWITCH_EVERY = 0.001
"""Seconds that a busy thread keeps the interpreter if another wants it. A key is answered by two
threads, and each of them has to wait for so long behind everyone who is busy."""
FAREWELL_TIMEOUT = 5.0
PARTING_TIMEOUT = 0.5
CLOSING_TIMEOUT = 3.0
"""With `host.STOPPING_TIMEOUT` these are the ten seconds in which a host closes."""

_HANGUP = getattr(select, "POLLRDHUP", select.POLLHUP)
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)
_FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class FolderInUse(TuihostError):
    """Another host has the folder of the state."""


class Server:
    """A host that people can reach."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        log: EventLog,
        *,
        keys: HostKeys | None = None,
        limits: TransportLimits | None = None,
    ) -> None:
        self.settings = settings
        self.login_services = LoginServices(settings, StepCatalog.of(settings, log).steps, log)
        self.keys = keys or HostKeys.load_or_create(*settings.server.host_keys)
        self.host = Host(
            settings, catalog, log, keys=self.keys.cards(), login_services=self.login_services
        )
        self._log = log
        self.interpreter_watch = InterpreterWatch(log, catalog.app_in)
        self._limits = limits or limits_of(settings)
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._connections: dict[int, Connection] = {}
        self.gate = Gate(GateRules.of(settings, self._limits), self.host.watchdog, log)
        self._empty = threading.Condition(self._lock)
        self._listeners: list[socket.socket] = []
        self._stopping = threading.Event()
        self._waker, self._wake_end = socket.socketpair()
        self._waker.setblocking(False)
        self._wake_end.setblocking(False)
        self._hang_up: Callable[[], None] | None = None
        self._hung_up = self._handles_signals = False
        self._told_at = 0.0
        self._ended = 0
        self._claim: int | None = None

    # ---------------------------------------------------------------- start

    def start(self) -> None:
        """Opens the port, then everything behind it. Raises OSError if the port is taken, and
        `FolderInUse` if another process has the folder `state_dir`."""
        where = self.settings.server
        try:
            # First: another port does not help a host whose folder another one has.
            self._claim = _claimed(where.state_dir)
            remove_leftovers()
            self._listeners = _listen(where.host, where.port)
            address = self._listeners[0].getsockname()
            self.host.address = TcpAddress(address[0], address[1])
            self.host.start()
        except BaseException:
            self._release()
            raise
        self.interpreter_watch.start()
        log_start(self.host)

    @property
    def address(self) -> TcpAddress:
        """Where it listens; the real port if the settings say 0."""
        assert self.host.address is not None, "the server has not started"
        return self.host.address

    def install_signals(self, hang_up: Callable[[], None] | None = None) -> None:
        """For the rest of the process: SIGINT, SIGTERM and SIGQUIT end `serve_forever`, another
        one later than `ECHO` ends it without goodbyes. SIGHUP calls `hang_up` on this thread;
        without one it ends as SIGTERM does. SIGUSR1 and SIGUSR2 do nothing."""
        self._hang_up = hang_up
        self._handles_signals = True
        for number in _ENDING:
            signal.signal(number, self._signalled)
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_IGN)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP and self._hang_up is not None:
            self._hung_up = True
            self._wake()
        elif not self._stopping.is_set():
            self._told_at = monotonic()
            self.request_stop()
        elif monotonic() - self._told_at > ECHO:
            raise KeyboardInterrupt

    def request_stop(self) -> None:
        """Ends `serve_forever`. Any thread, and signal handlers."""
        self._stopping.set()
        self._wake()

    def _wake(self) -> None:
        with suppress(BlockingIOError, OSError):
            self._wake_end.send(b"\0")

    def _woken(self) -> None:
        self._waker.recv(64)
        if self._hung_up and self._hang_up is not None:
            self._hung_up = False
            try:
                self._hang_up()
            except OSError as error:
                self._log.error(Event.HOST_ERROR, where="log", reason=str(error))

    # ---------------------------------------------------------------- serve

    def serve_forever(self) -> None:
        """Accepts clients until `request_stop`."""
        settle_memory()
        sys.setswitchinterval(SWITCH_EVERY)
        watch = MemoryWatch(self.host.watchdog, resident_bytes, lambda: self._ended)
        watch.start()
        with selectors.DefaultSelector() as selector:
            selector.register(self._waker, selectors.EVENT_READ)
            for listener in self._listeners:
                selector.register(listener, selectors.EVENT_READ, listener)
            proxied = ProxiedConnections(
                selector, self.host.watchdog, self._introduced, self.gate.refused
            )
            while not self._stopping.is_set():
                for ready, _ in selector.select():
                    match ready.data:
                        case socket.socket() as listener:
                            if not self._accept(listener, proxied):
                                self._stopping.wait(ACCEPT_PAUSE)
                        case ProxiedConnection() as connection:
                            proxied.proceed(connection)
                        case None:
                            self._woken()
            proxied.close()
        watch.stop()

    def _accept(self, listener: socket.socket, proxied: ProxiedConnections) -> bool:
        """Takes one client in; False if the process can take no more at the moment."""
        try:
            sock, address = listener.accept()
        except OSError as error:
            if error.errno in _FULL:
                self._log.error(Event.HOST_ERROR, where="accept", reason=str(error))
                return False
            return True  # the client went away before it was accepted
        peer = Peer(address[0], address[1])
        if peer.address in self.gate.rules.proxies:
            proxied.begin(sock, peer)
        else:
            self.admit(sock, peer)
        return True

    def _introduced(self, sock: socket.socket, peer: Peer, exempt: bool | None) -> None:
        """A proxy has said for whom it speaks."""
        self.admit(sock, peer, exempt=exempt)

    def admit(
        self, sock: socket.socket, peer: Peer, *, exempt: bool | None = None
    ) -> Connection | None:
        """Makes a connection of an accepted socket, or turns it away. Any thread. `exempt`: as
        `Gate.admit` has it."""
        closing = self._stopping.is_set()
        admitted = Refusal.CLOSING if closing else self.gate.admit(peer, exempt=exempt)
        if isinstance(admitted, Refusal):
            _turn_away(sock, admitted)
            return None
        try:
            connection = self._connection(sock, peer, admitted)
        except OSError as error:  # the client went away before anything could be said
            self.gate.refused(peer, str(error))
            sock.close()
            admitted.ended()
            return None
        admitted.hang_up = connection.close
        with self._lock:
            self._connections[connection.number] = connection
            self.host.connections = len(self._connections)
        try:
            connection.start()
        except RuntimeError as error:  # no thread to be had
            self.gate.refused(peer, str(error))
            _turn_away(sock, Refusal.FULL)
            self._forget(connection, admitted)
            return None
        return connection

    def _connection(self, sock: socket.socket, peer: Peer, admitted: Admission) -> Connection:
        number = next(self._numbers)
        log = self._log.bound(conn=number)
        verifier = AccountVerifier(self.login_services, peer, log, lambda: _hung_up(sock))

        def ended(connection: Connection) -> None:
            verifier.close()
            self._forget(connection, admitted, Offence.CRASH if connection.link.faulty else None)

        return Connection(
            number,
            sock,
            peer,
            host=self.host,
            keys=self.keys,
            auth=AuthMachine(
                CountingVerifier(verifier, admitted),
                password_step=PASSWORD in self.login_services.steps,
                max_tries=self._limits.max_tries,
            ),
            limits=self._limits,
            banner=self.settings.login.banner,
            algorithms=Selection(self.settings.server.algorithms),
            spoke=admitted.spoke,
            ended=ended,
        )

    def _forget(
        self, connection: Connection, admitted: Admission, offence: Offence | None = None
    ) -> None:
        admitted.ended(offence)
        with self._lock:
            self._connections.pop(connection.number, None)
            self._ended += 1
            self.host.connections = len(self._connections)
            if not self._connections:
                self._empty.notify_all()

    # ---------------------------------------------------------------- stop

    def stop(self, sentence: str = "The host is closing. Goodbye!") -> None:
        """Stops listening, shows everybody out with `sentence`, and closes what is left."""
        self._stopping.set()
        self.gate.close()
        for listener in self._listeners:
            listener.close()
        deadline = monotonic() + FAREWELL_TIMEOUT
        for connection in self._open():
            connection.farewell(sentence)
        for connection in self._open():
            for program in connection.programs():
                program.join(max(0.0, deadline - monotonic()))
        with self._lock:
            # A client that has read the exit status parts by itself; a disconnect right behind it
            # would be read with it, and look like a failure.
            self._empty.wait_for(lambda: not self._connections, PARTING_TIMEOUT)
        for connection in self._open():
            connection.close(sentence)
        with self._lock:
            self._empty.wait_for(lambda: not self._connections, CLOSING_TIMEOUT)
        self.interpreter_watch.stop()
        self.host.stop()
        self._release()
        if self._handles_signals:  # a late one must not change how the process ends
            for number in _ENDING:
                signal.signal(number, signal.SIG_IGN)
        self._log.info(Event.HOST_STOP)

    def _release(self) -> None:
        for sock in (*self._listeners, self._waker, self._wake_end):
            sock.close()
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None

    def _open(self) -> tuple[Connection, ...]:
        with self._lock:
            return tuple(self._connections.values())


def _turn_away(sock: socket.socket, refusal: Refusal) -> None:
    """One line in plain text instead of a version (RFC 4253 §4.2 lets a server send lines)."""
    with suppress(OSError):
        sock.setblocking(False)
        sock.send(f"{refusal}\r\n".encode())
    sock.close()


def _hung_up(sock: socket.socket) -> bool:
    """Whether the other side has closed its end, also if it said something before that."""
    if sock.fileno() < 0:
        return True
    looked = select.poll()
    looked.register(sock, _HANGUP)
    return bool(looked.poll(0))


def limits_of(settings: Settings) -> TransportLimits:
    """The limits of each connection, from the operator's settings."""
    return TransportLimits(
        login_grace=settings.login.grace,
        max_tries=settings.login.max_tries,
        channels=settings.limits.channels,
        sessions=settings.limits.sessions,
        keepalive_interval=settings.limits.keepalive,
        keepalive_count=settings.limits.keepalive_count,
    )


def _listen(host: str, port: int) -> list[socket.socket]:
    """A socket for every address that `host` stands for, all on one port."""
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(infos):
            if sockets:  # port 0: the others take the port that the first one got
                address = (address[0], sockets[0].getsockname()[1], *address[2:])
            # The whole of it: a link-local address is one only with its interface.
            sockets.append(socket.create_server(address, family=family, backlog=BACKLOG))
            sockets[-1].setblocking(False)
    except OSError:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def _claimed(state_dir: Path) -> int:
    """A descriptor that holds the folder for this process until it is closed. Two hosts would
    write over each other's files. Raises `FolderInUse` if another process has it, `OSError`."""
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    claim = os.open(state_dir / HOST_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # Of the process, so that no helper inherits it.
        fcntl.lockf(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(claim)
        raise FolderInUse(
            f"Another host uses the folder {state_dir} already. Stop that one, or set"
            " server.state_dir (TUIHOST_SERVER__STATE_DIR) to a folder of its own."
        ) from None
    return claim
