"""A client that sends what no client should, and a host on a socket pair to send it to.

`RawClient` uses paramiko's packets and key exchange and nothing of its main loop: each message is
sent and read by hand, in the test's own thread. Every wait has a deadline.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import paramiko

from tests.log import kept_log
from tests.ssh.answerers import SESSIONS_ALONE, Recorder
from tests.ssh.messages import Raw, packed
from tests.timers import ManualTimer
from tests.verifiers import OpenGuests, with_chains
from tests.waiting import DEADLINE
from tuihost.core.limits import TransportLimits
from tuihost.core.login.authentication import AuthMachine
from tuihost.core.login.chains import Chains
from tuihost.core.login.verdicts import Verifier
from tuihost.ssh.keys.host_keys import HostKeys
from tuihost.ssh.packets.fields import Fields
from tuihost.ssh.transport import HostTransport
from tuihost.wire import Peer

KEYS = HostKeys.fresh()


def serve_client(transport: HostTransport) -> None:
    """What a connection runs."""
    transport.identify()
    transport.shake_hands()
    transport.log_in()
    transport.serve()


class Host:
    """One `HostTransport` on one end of a socket, started."""

    def __init__(
        self,
        sock: socket.socket,
        *,
        chains: Chains | None = None,
        verifier: Verifier | None = None,
        limits: TransportLimits | None = None,
        keys: HostKeys = KEYS,
        answerer: Recorder | None = None,
        run: Callable[[HostTransport], None] | None = None,
    ) -> None:
        self.timer = ManualTimer()
        self.answerer = answerer or Recorder(SESSIONS_ALONE)
        log, self.log = kept_log()
        verifier = verifier or OpenGuests()
        self.machine = AuthMachine(verifier if chains is None else with_chains(verifier, chains))
        self.transport = HostTransport(
            sock,
            peer=Peer("127.0.0.1", 50122),
            keys=keys,
            auth=self.machine,
            answerer=self.answerer,
            limits=limits or TransportLimits(),
            timer=self.timer,
            log=log,
            run=lambda: (run or serve_client)(self.transport),
        )
        self.transport.start()

    def wait(self) -> str:
        """Until the connection is over; the reason that was logged."""
        self.transport.join(DEADLINE)
        assert not self.transport.is_alive(), "the connection did not end"
        return self.reason

    @property
    def reason(self) -> str:
        closed = [fields["reason"] for fields in self.log.named("conn.closed")]
        assert len(closed) == 1, f"the end was logged {len(closed)} times: {self.log.events}"
        return str(closed[0])

    def close(self) -> None:
        self.transport.close("the test is over")
        self.transport.join(DEADLINE)
        assert not self.transport.is_alive(), "the transport's thread does not end"


@contextmanager
def host_pair(**options: Any) -> Iterator[tuple[Host, RawClient]]:
    """A host, and a raw client that has said nothing yet."""
    ours, theirs = socket.socketpair()
    host = Host(ours, **options)
    client = RawClient(theirs)
    try:
        yield host, client
    finally:
        client.close()
        host.close()


@contextmanager
def plain_pair(server: paramiko.ServerInterface) -> Iterator[tuple[Any, RawClient]]:
    """The same with paramiko's own Transport and nothing of ours."""
    ours, theirs = socket.socketpair()
    transport = paramiko.Transport(ours)
    transport.add_server_key(KEYS.keys[0])
    transport.start_server(event=threading.Event(), server=server)
    client = RawClient(theirs)
    try:
        yield transport, client
    finally:
        client.close()
        transport.packetizer.complete_handshake()  # its timer is a thread
        transport.close()
        transport.join(DEADLINE)


class Gone(Exception):
    """The other side has closed."""


class _DeadlineSocket:
    """What paramiko reads from; waits at most DEADLINE."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        sock.settimeout(DEADLINE)
        self._closed = False

    def settimeout(self, seconds: float | None) -> None:
        pass

    def recv(self, count: int) -> bytes:
        try:
            return self._sock.recv(count)
        except TimeoutError:
            raise AssertionError(f"nothing came within {DEADLINE:g} s") from None
        except OSError:
            return b""

    def send(self, data: bytes) -> int:
        return self._sock.send(data)

    def close(self) -> None:
        self._closed = True
        self._sock.close()


class RawClient:
    """Sends and reads single messages. `transport` is paramiko's, as a client, never started."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.transport = paramiko.Transport(_DeadlineSocket(sock))
        self.transport.active = True
        self.packetizer = self.transport.packetizer

    def close(self) -> None:
        self.sock.close()

    # -------------------------------------------------------------------------------- bytes

    def hello(self, line: str = "SSH-2.0-raw") -> str:
        """Both identifications."""
        self.transport.local_version = line
        self.sock.sendall(f"{line}\r\n".encode("latin-1"))
        self.transport.remote_version = self.packetizer.readline(DEADLINE)
        return str(self.transport.remote_version)

    def send_bytes(self, data: bytes) -> None:
        """Bytes past all packets; a host that has hung up is no error."""
        with suppress(OSError):
            self.sock.sendall(data)

    # ----------------------------------------------------------------------------- messages

    def send(self, number: int, *parts: object) -> None:
        """One message; a host that has hung up is no error."""
        message = paramiko.Message()
        message.add_byte(bytes([number]))
        message.add_bytes(packed(*parts))
        with suppress(EOFError, OSError):
            self.transport._send_message(message)

    def read(self) -> tuple[int, Fields]:
        """The next message. Raises Gone."""
        try:
            number, message = self.packetizer.read_message()
        except (EOFError, OSError):
            raise Gone from None
        return number, Fields(message.asbytes())

    def expect(self, number: int) -> Fields:
        """The next message, which must be `number`."""
        came, fields = self.read()
        assert came == number, f"message {came} came, not {number}: {fields.rest!r}"
        return fields

    def gone(self) -> bool:
        """Whether the host hangs up, whatever it says before."""
        try:
            while True:
                self.read()
        except Gone:
            return True

    # ------------------------------------------------------------------------ key exchange

    def shake_hands(self) -> None:
        """Identifications and the first keys; the host's EXT_INFO is asked for and read."""
        self.hello()
        self.exchange_keys(begin=True)

    def exchange_keys(self, *, begin: bool) -> list[int]:
        """A key exchange, asked for by this side or read as it comes. The numbers of the other
        messages that came meanwhile."""
        other = []
        if begin:
            self.transport._send_kex_init()
        while True:
            number, message = self.packetizer.read_message()
            if number == 20:
                self.transport._negotiate_keys(message)
            elif 30 <= number < 50:
                self.transport.kex_engine.parse_next(number, message)
            elif number == 21:
                self.transport._parse_newkeys(message)
                return other
            else:
                other.append(number)

    # -------------------------------------------------------------------------------- login

    def ask_for_login(self) -> None:
        """SERVICE_REQUEST and its answer; skips the EXT_INFO before it."""
        self.send(5, "ssh-userauth")
        number, fields = self.read()
        if number == 7:
            fields = self.expect(6)
        assert fields.text() == "ssh-userauth"

    def log_in(self, user: str = "ada") -> None:
        """Everything up to a guest's USERAUTH_SUCCESS."""
        self.shake_hands()
        self.ask_for_login()
        self.send(50, user, "ssh-connection", "none")
        self.expect(52)

    def sign_in(
        self, key: paramiko.PKey, algorithm: str, user: str = "ada", signed_as: str | None = None
    ) -> None:
        """A publickey request with a signature; `signed_as` is the user that it is made for."""
        head = (user, "ssh-connection", "publickey", True, algorithm, key.asbytes())
        truth = (signed_as or user, *head[1:])
        data = packed(self.transport.session_id, Raw(b"\x32"), *truth)
        self.send(50, *head, key.sign_ssh_data(data, algorithm).asbytes())

    def open_session(self) -> int:
        """A session channel; the host's number of it."""
        self.send(90, "session", 0, 2**21, 32768)
        while True:
            number, fields = self.read()
            if number == 91:
                fields.integer()
                return fields.integer()
            assert number == 80, f"message {number} came while a channel was opened"
