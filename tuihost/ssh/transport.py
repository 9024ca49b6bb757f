"""The encrypted pipe to one client, RFC 4253, and the thread that serves them.

`HostTransport` is paramiko's Transport with its own main loop. What paramiko still does is the
arithmetic of a key exchange; which message may come when is decided here. A connection has one
thread, this one, and no deadline of its own: the host's timer shuts the socket down, which ends
every read and write at once.
"""

from __future__ import annotations

import contextlib
import functools
import select
import socket
import threading
from collections.abc import Callable

import paramiko
from paramiko.ssh_exception import SSHException

from tuihost import __version__
from tuihost.core.limits import STREAM_COST, TransportLimits
from tuihost.core.login.authentication import AuthMachine
from tuihost.errors import PeerError
from tuihost.logs import Event, EventLog
from tuihost.ssh._key_exchange import KEXINIT, NEWKEYS, KeyExchangeTransport
from tuihost.ssh._server_interface import RefusingServer
from tuihost.ssh._userauth import UserAuth
from tuihost.ssh.connection.layer import ConnectionLayer
from tuihost.ssh.keys.host_keys import HostKeys
from tuihost.ssh.packets.algorithms import Selection
from tuihost.ssh.packets.fields import Fields
from tuihost.ssh.packets.stream import MOMENT, PACKET
from tuihost.text import clean
from tuihost.wire import Answerer, Disconnect, Peer, Timer

# What the host says that it is (RFC 4253 §4.2). OpenSSH's client says that nobody reads its output
# any more (`eow@openssh.com`) only to software whose name begins like this. 9.9 and not 10: there
# are clients that take `OpenSSH_1*` for the years before 2001.
IDENTIFICATION = f"OpenSSH_9.9 tuihost_{__version__}"
DISCONNECT, IGNORE, UNIMPLEMENTED, DEBUG, SERVICE_REQUEST, EXT_INFO = 1, 2, 3, 4, 5, 7
USERAUTH_REQUEST, INFO_RESPONSE = 50, 61
KEX_METHOD = range(30, 50)
CONNECTION = range(80, 128)
# SERVICE_ACCEPT, USERAUTH_FAILURE, _SUCCESS, _BANNER, _PK_OK or _INFO_REQUEST: a server's alone.
FROM_SERVERS_ONLY = frozenset({6, 51, 52, 53, 60})


_HUNG_UP = getattr(select, "POLLRDHUP", select.POLLHUP)  # on Linux also when it only sends no more


class HostTransport(ConnectionLayer, KeyExchangeTransport):
    """One client, from its accepted socket to the end. Implements `tuihost.wire.Link`.

    `start()` starts the thread, which calls `run` and then parts, whatever happened. `reply` is for
    that thread alone; `_send_user_message`, `try_send`, `line_full` and `close` for any. Raises
    OSError if the socket is dead already.
    """

    _CLIENT_ID = IDENTIFICATION

    def __init__(
        self,
        sock: socket.socket,
        *,
        peer: Peer,
        keys: HostKeys,
        auth: AuthMachine,
        answerer: Answerer,
        limits: TransportLimits,
        timer: Timer,
        log: EventLog,
        run: Callable[[], None],
        ended: Callable[[], None] | None = None,
        banner: str = "",
        algorithms: Selection = Selection.WIDE,
    ) -> None:
        prepare(sock)
        KeyExchangeTransport.__init__(
            self, sock, keys=keys, limits=limits, timer=timer, algorithms=algorithms
        )
        self.name = f"tuihost {peer}"
        self.answerer = answerer
        self.host_keys = keys
        self.log = log
        self._peer = peer
        self._run_connection: Callable[[], None] | None = run
        self._ended = ended
        self._ending: tuple[str, Disconnect] | None = None
        self.shown_out = ""
        """Why the host has asked the person to leave; that is then the reason of the end, even if
        the client closes the connection first. Any thread sets it."""
        self._ending_lock = threading.Lock()
        self._over = threading.Event()
        self._parted = self._faulty = False
        self._handlers: dict[int, Callable[[bytes], None]] = {}
        self._client_gone = False
        self.server_object = RefusingServer()
        self.auth_handler = UserAuth(self, auth, log, banner)
        self._init_connection_layer()

    # ------------------------------------------------------------------------- what others see

    @property
    def peer(self) -> Peer:
        """Where it came from."""
        return self._peer

    @property
    def faulty(self) -> bool:
        """The run ended in a fault of the host, which something that the client sent may have
        brought about. Final once the run has ended."""
        return self._faulty

    # -------------------------------------------------------------------------------- the run

    def run(self) -> None:
        """The thread: what the connection runs, and then parting, also where that broke."""
        assert self._run_connection is not None, "a thread runs once"
        try:
            self._run_connection()
        except PeerError as error:
            self.part(str(error), getattr(error, "code", Disconnect.PROTOCOL_ERROR))
        except SSHException as error:
            self.part(str(error), Disconnect.KEY_EXCHANGE_FAILED)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self.part("the client went away")
        except OSError as error:
            self.part(f"the connection broke: {error.strerror or error}")
        except BaseException as fault:  # noqa: BLE001  (the end of the thread: nobody is above)
            self._faulty = True
            self.log.error(Event.CONN_ERROR, trace=fault)
            self.part("an error in the host")
        finally:
            self.part("the connection's run ended")
            if self._ended is not None:
                self._ended()

    def identify(self) -> None:
        """Both sides say what they are. Raises PeerError, EOFError, OSError."""
        self._deadline("login", self.limits.login_grace, "the login took too long")
        self._deadline("hello", self.limits.hello_grace, "the client did not identify itself")
        self.packetizer.write_all(f"{self.local_version}\r\n".encode("ascii"))
        try:
            self.remote_version = self.packetizer.read_hello()
        except PeerError:
            # What OpenSSH says to whatever speaks something else: a line, since it can read no
            # message.
            with contextlib.suppress(OSError):
                self.packetizer.write_all(b"Invalid SSH identification string.\r\n")
            raise
        self._lift_deadline("hello")

    def shake_hands(self, answered: Callable[[], object] = lambda: None) -> None:
        """The first keys. Raises PeerError, EOFError, OSError. `answered` is called when the client
        has done its half: before its NEWKEYS it may ask a person whether it knows this host."""
        self._expect_packet(KEXINIT)
        self._send_kex_init()
        while NEWKEYS not in self._expected_packet:
            self._take_message()
        answered()
        while self._rekeying:
            self._take_message()

    def log_in(self) -> None:
        """Until some chain is finished. Raises PeerError, EOFError, OSError."""
        self._handlers = {
            SERVICE_REQUEST: lambda body: self.auth_handler.service_request(body),
            USERAUTH_REQUEST: lambda body: self.auth_handler.request(body),
            INFO_RESPONSE: lambda body: self.auth_handler.info_response(body),
        }
        while self.auth_handler.finished is None:
            self._take_message()
        self.authenticated = True
        self._lift_deadline("login")
        self.packetizer.max_packet = PACKET
        self.packetizer.prompt = False
        self._handlers |= self._connection_handlers()
        for number in self._channel_handlers():
            self._handlers[number] = functools.partial(self._dispatch_channel, number)
        self.answerer.logged_in(self.auth_handler.finished)
        self._after_login()

    def serve(self) -> None:
        """The connection layer, until either side parts. Raises PeerError, EOFError, OSError."""
        while self.active:
            self._take_message()

    def part(self, reason: str, code: Disconnect = Disconnect.BY_APPLICATION) -> None:
        """Cleans up, whatever happened, and logs the end once. Never raises. Transport thread."""
        if self._parted:
            return
        self._parted = True
        self.close(reason, code)
        self.clear_to_send.set()  # a key exchange may have shut it again meanwhile
        for name in tuple(self._deadlines):
            self._lift_deadline(name)
        for step in (self.auth_handler.abort, self._connection_ended, self.packetizer.close):
            try:
                step()
            except Exception as fault:  # noqa: BLE001  (the other steps must still be taken)
                self.log.error(Event.CONN_ERROR, trace=fault)
        said, code = self._ending or (reason, code)
        if self._client_gone:
            said = self.shown_out or said
        self.log.info(Event.CONN_CLOSED, reason=clean(said, limit=200), code=int(code))
        # What is left is a circle of references; without it the memory is free at once.
        self._handlers = {}
        self._held = []
        self._run_connection = None
        self.kex_engine = self.auth_handler = self.server_object = None

    # ----------------------------------------------------------------------------- the messages

    def _take_message(self) -> None:
        if not self.active:
            raise EOFError
        if self.packetizer.need_rekey() and not self._rekeying and self.authenticated:
            self._send_kex_init()
        try:
            number, body = self.packetizer.read_message()
        except EOFError:
            self._client_gone = True
            raise
        if not self.authenticated:
            self._check_budget()
        self._dispatch(number, body)

    def _check_budget(self) -> None:
        stream = self.packetizer
        if (
            stream.received_bytes > self.limits.preauth_bytes
            or stream.received_packets > self.limits.preauth_packets
        ):
            raise PeerError("the client sent too much before it was logged in")

    def _dispatch(self, number: int, body: bytes) -> None:
        if number == DISCONNECT:
            self._client_parts(body)
        elif self._skip_guess and number in KEX_METHOD:
            self._skip_guess = False  # RFC 4253 §7: made for another key exchange
        elif number in (IGNORE, DEBUG, UNIMPLEMENTED) and not self._first_strict_kex():
            # asyncssh sends an IGNORE with each piece of data.
            self._charge_idle(STREAM_COST if number == IGNORE else 1.0)
        elif self._expected_packet or number in KEX_METHOD or number in (KEXINIT, NEWKEYS):
            self._exchange_keys(number, body)
        elif number in FROM_SERVERS_ONLY:
            raise PeerError(f"the client sent message {number}, which only a server may send")
        elif number in self._handlers:
            self._handlers[number](body)
        elif number in CONNECTION and not self.authenticated:
            raise PeerError(f"message {number} came before the login")  # RFC 4252 §6: MUST
        elif number != EXT_INFO:  # RFC 8308: nothing that a client says there matters here
            self._charge_idle()
            self._not_implemented()
        else:
            self._charge_idle()

    def _charge_idle(self, cost: float = 1.0) -> None:
        """What means nothing costs the client something too, once it is logged in; until then all
        that it sends is counted."""
        if self.authenticated:
            self._charge(cost)

    def _first_strict_kex(self) -> bool:
        return bool(self.agreed_on_strict_kex) and not self.initial_kex_done

    def _not_implemented(self) -> None:
        answer = paramiko.Message()
        answer.add_byte(bytes([UNIMPLEMENTED]))
        answer.add_int(self.packetizer.last_read)
        self.reply(answer)

    def _client_parts(self, body: bytes) -> None:
        self._client_gone = True
        fields = Fields(body)
        code = fields.integer()
        text = clean(fields.text(4096), limit=120)
        with self._ending_lock:
            if self._ending is None:
                self._ending = (
                    f"the client disconnected ({code}: {text})",
                    Disconnect.BY_APPLICATION,
                )
        raise EOFError

    def pause(self, seconds: float) -> bool:
        """Reads nothing meanwhile; true as soon as the connection has ended. The transport's
        thread."""
        return self._over.wait(seconds)

    def hung_up(self) -> bool:
        """Whether the client has closed the connection, whatever it has sent before that."""
        poll = select.poll()
        poll.register(self.sock, _HUNG_UP)
        return bool(poll.poll(0))

    # ---------------------------------------------------------------------------------- the end

    def close(self, reason: str = "closed", code: Disconnect = Disconnect.BY_APPLICATION) -> None:
        """Ends the connection; the first reason stands. Any thread; never raises and never
        waits for the client."""
        with self._ending_lock:
            if self._ending is None:
                self._ending = (reason, code)
            if not self.active:
                return
            self.active = False
            self._over.set()
            # Still under the lock, so that the transport's thread does not close the socket
            # between the two; neither waits for anything.
            self._say_disconnect(*self._ending)
            with contextlib.suppress(OSError):  # it may be gone already
                self.sock.shutdown(socket.SHUT_RDWR)
        self.clear_to_send.set()  # a thread that waited there looks at `active` next

    def stop_thread(self) -> None:
        """What paramiko calls to end a transport."""
        self.close("stopped")

    def _say_disconnect(self, reason: str, code: Disconnect) -> None:
        """DISCONNECT, RFC 4253 §11.1, where it can be sent whole and under the right keys."""
        here = threading.get_ident() == self.ident
        if self._client_gone or not self.remote_version:
            return
        if self._rekeying and not (here and not self.initial_kex_done):
            return
        message = paramiko.Message()
        message.add_byte(bytes([DISCONNECT]))
        message.add_int(int(code))
        message.add_string(reason)
        message.add_string("")
        if self.line_full():
            return
        if not here and not self.clear_to_send_lock.acquire(timeout=MOMENT):
            return
        try:
            with contextlib.suppress(OSError):
                self.packetizer.try_send(message)
        finally:
            if not here:
                self.clear_to_send_lock.release()


def prepare(sock: socket.socket) -> None:
    """Sets the options that an accepted socket needs."""
    sock.settimeout(None)
    sock.set_inheritable(False)
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    tcp = socket.IPPROTO_TCP
    sock.setsockopt(tcp, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_USER_TIMEOUT", 60_000), ("TCP_NOTSENT_LOWAT", 32 * 1024)):
        if hasattr(socket, name):  # not everywhere; milliseconds and bytes
            sock.setsockopt(tcp, getattr(socket, name), value)
