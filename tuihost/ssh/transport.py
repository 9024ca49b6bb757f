"""The encrypted pipe to one client, RFC 4253, and the thread that tells that client's story.

`HostTransport` is paramiko's Transport with its own main loop. What paramiko still does is the
arithmetic of a key exchange; which message may come when is decided here. A connection has one
thread, this one, and no deadline of its own: the host's timer shuts the socket down, which ends
every read and write at once.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

import paramiko
from paramiko.ssh_exception import SSHException

from tuihost import __version__
from tuihost.core.auth import AuthMachine
from tuihost.core.limits import TransportLimits
from tuihost.errors import PeerError
from tuihost.logs import Event, EventLog
from tuihost.ssh import kex
from tuihost.ssh.adapter import ServerAdapter
from tuihost.ssh.connection_layer import ConnectionLayer
from tuihost.ssh.fields import Fields
from tuihost.ssh.keys import HostKeys
from tuihost.ssh.packets import PACKET, PacketStream
from tuihost.ssh.userauth import UserAuth
from tuihost.ssh.userkeys import ALGORITHMS
from tuihost.text import clean
from tuihost.wire import Answerer, Cancellable, Disconnect, Peer, Timer

DISCONNECT, IGNORE, UNIMPLEMENTED, DEBUG, SERVICE_REQUEST, EXT_INFO = 1, 2, 3, 4, 5, 7
KEXINIT, NEWKEYS = 20, 21
USERAUTH_REQUEST, INFO_RESPONSE = 50, 61
KEX_METHOD = range(30, 50)
CONNECTION = range(80, 128)
# SERVICE_ACCEPT, USERAUTH_FAILURE, _SUCCESS, _BANNER, _PK_OK or _INFO_REQUEST: a server's alone.
FROM_SERVERS_ONLY = frozenset({6, 51, 52, 53, 60})

MAX_HELD = 2_000  # replies that wait for a key exchange to end

Story = Callable[[], None]


class HostTransport(ConnectionLayer, paramiko.Transport):  # type: ignore[misc]
    """One client, from its accepted socket to the end. Implements `tuihost.wire.Link`.

    `start()` starts the thread, which runs `story` (`default_story` where none is given) and then
    parts, whatever happened. `reply` is for that thread alone; `_send_user_message`, `try_send`,
    `line_full` and `close` for any.
    """

    _CLIENT_ID = f"tuihost_{__version__}"
    _active_check_timeout = None
    _kex_info = kex.KEX_INFO
    preferred_kex = kex.KEX
    preferred_ciphers = kex.CIPHERS
    preferred_macs = kex.MACS
    preferred_compression = kex.COMPRESSION
    preferred_pubkeys = ALGORITHMS

    # paramiko's, which it does not describe.
    packetizer: PacketStream
    auth_handler: Any
    kex_engine: Any
    server_object: Any
    _expected_packet: tuple[int, ...]
    _handler_table: dict[int, Any]

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
        story: Story | None = None,
    ) -> None:
        prepare(sock)
        paramiko.Transport.__init__(
            self,
            sock,
            default_window_size=limits.window,
            default_max_packet_size=limits.packet,
            packetizer_class=functools.partial(PacketStream, rekey_bytes=limits.rekey_bytes),
        )
        self.name = f"tuihost {peer}"
        self.answerer = answerer
        self.limits = limits
        self.timer = timer
        self.log = log
        self.host_keys = keys
        self._peer = peer
        self._story = story
        self._algorithms: dict[str, str] = {}
        self._rekeying = True  # the first key exchange counts as one
        self._held: list[paramiko.Message] = []
        self._skip_guess = False
        self._deadlines: dict[str, Cancellable] = {}
        self._ending: tuple[str, Disconnect] | None = None
        self._ending_lock = threading.Lock()
        self._parted = False
        self._handlers: dict[int, Callable[[paramiko.Message], None]] = {}
        self._handler_table = {}  # paramiko's own: nothing may reach it
        self._client_gone = False
        self.active = True
        self.server_mode = True
        self.server_key_dict = keys.by_algorithm
        self.server_object = ServerAdapter(answerer, auth, log)
        self.auth_handler = UserAuth(self, auth, self.reply, log)
        self._init_connection_layer()

    # ------------------------------------------------------------------------- what others see

    @property
    def peer(self) -> Peer:
        """Where it came from."""
        return self._peer

    @property
    def client_version(self) -> str:
        """The client's identification; empty before it came."""
        return clean(self.remote_version, limit=255)

    @property
    def algorithms(self) -> Mapping[str, str]:
        """kex, host_key, cipher, mac (from the client); empty before key exchange."""
        return self._algorithms

    @property
    def packets_received(self) -> int:
        """Grows with every packet of the client: a sign of life."""
        return int(self.packetizer.received_packets)

    @property
    def rekeying(self) -> bool:
        """A key exchange is under way: nothing of the connection layer may be sent."""
        return self._rekeying

    def line_full(self) -> bool:
        """What was sent last has not left this machine yet. Any thread."""
        return bool(self.packetizer.line_full())

    # -------------------------------------------------------------------------------- the story

    def run(self) -> None:
        """The thread: the story, and then parting, also where the story broke."""
        try:
            (self._story or self.default_story)()
        except PeerError as error:
            self.part(str(error), getattr(error, "code", Disconnect.PROTOCOL_ERROR))
        except SSHException as error:
            self.part(str(error), Disconnect.KEY_EXCHANGE_FAILED)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self.part("the client went away")
        except OSError as error:
            self.part(f"the line broke: {error.strerror or error}")
        except BaseException as fault:  # noqa: BLE001  (the end of the thread: nobody is above)
            self.log.error(Event.CONN_ERROR, trace=fault)
            self.part("a fault of the host")
        finally:
            self.part("the story ended")

    def default_story(self) -> None:
        """The story of one client."""
        self.shake_hands()
        self.log_in()
        self.serve()

    def shake_hands(self) -> None:
        """Identifications and the first keys. Raises PeerError, EOFError, OSError."""
        self._deadline("login", self.limits.login_grace, "the login took too long")
        self.packetizer.write_all(f"{self.local_version}\r\n".encode("ascii"))
        self.remote_version = self.packetizer.read_hello()
        self._expect_packet(KEXINIT)
        self._send_kex_init()
        while self._rekeying:
            self._take_message()

    def log_in(self) -> None:
        """Until some chain is finished. Raises PeerError, EOFError, OSError."""
        self._handlers = {
            SERVICE_REQUEST: lambda message: self.auth_handler.service_request(message.asbytes()),
            USERAUTH_REQUEST: lambda message: self.auth_handler.request(message.asbytes()),
            INFO_RESPONSE: lambda message: self.auth_handler.info_response(message.asbytes()),
        }
        while self.auth_handler.finished is None:
            self._take_message()
        self.authenticated = True
        self._lift_deadline("login")
        self.packetizer.max_packet = PACKET
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
        self.log.info(Event.CONN_CLOSED, reason=clean(said, limit=200), code=int(code))
        # What is left is a circle of references; without it the memory is free at once.
        self._handlers = {}
        self._held = []
        self._story = None
        self.kex_engine = self.auth_handler = self.server_object = None

    # ----------------------------------------------------------------------------- the messages

    def _take_message(self) -> None:
        if not self.active:
            raise EOFError
        if self.packetizer.need_rekey() and not self._rekeying and self.authenticated:
            self._send_kex_init()
        try:
            number, message = self.packetizer.read_message()
        except EOFError:
            self._client_gone = True
            raise
        if not self.authenticated:
            self._check_budget()
        self._dispatch(number, message)

    def _check_budget(self) -> None:
        stream = self.packetizer
        if (
            stream.received_bytes > self.limits.preauth_bytes
            or stream.received_packets > self.limits.preauth_packets
        ):
            raise PeerError("the client sent too much before it was logged in")

    def _dispatch(self, number: int, message: paramiko.Message) -> None:
        if number == DISCONNECT:
            self._client_parts(message)
        elif self._skip_guess and number in KEX_METHOD:
            self._skip_guess = False  # RFC 4253 §7: made for another key exchange
        elif number in (IGNORE, DEBUG, UNIMPLEMENTED) and not self._first_strict_kex():
            pass
        elif self._expected_packet or number in KEX_METHOD or number in (KEXINIT, NEWKEYS):
            self._exchange_keys(number, message)
        elif number in FROM_SERVERS_ONLY:
            raise PeerError(f"the client sent message {number}, which is a server's")
        elif number in self._handlers:
            self._handlers[number](message)
        elif number in CONNECTION and not self.authenticated:
            raise PeerError(f"message {number} came before the login")  # RFC 4252 §6: MUST
        elif number != EXT_INFO:  # RFC 8308: nothing that a client says there matters here
            self._not_implemented(message)

    def _first_strict_kex(self) -> bool:
        return bool(self.agreed_on_strict_kex) and not self.initial_kex_done

    def _not_implemented(self, message: paramiko.Message) -> None:
        answer = paramiko.Message()
        answer.add_byte(bytes([UNIMPLEMENTED]))
        answer.add_int(message.seqno)
        self.reply(answer)

    def _client_parts(self, message: paramiko.Message) -> None:
        self._client_gone = True
        fields = Fields(message.asbytes())
        code = fields.integer()
        text = clean(fields.text(4096), limit=120)
        with self._ending_lock:
            if self._ending is None:
                self._ending = f"the client parted ({code}: {text})", Disconnect.BY_APPLICATION
        raise EOFError

    # -------------------------------------------------------------------------------- the keys

    def _exchange_keys(self, number: int, message: paramiko.Message) -> None:
        expected = self._expected_packet
        if expected and number not in expected:
            raise PeerError(f"message {number} came in the middle of a key exchange")
        if not expected and number != KEXINIT:
            raise PeerError(f"message {number} came without a key exchange")
        if number == KEXINIT and self.initial_kex_done and not self.authenticated:
            raise PeerError("the client wanted new keys before its login")
        self._expected_packet = ()
        if number == KEXINIT:
            self._negotiate_keys(message)
        elif number == NEWKEYS:
            self._parse_newkeys(message)
        else:
            try:
                self.kex_engine.parse_next(number, message)
            except ValueError:  # what cryptography says to a public key that is none
                raise PeerError("the client's half of the key exchange is malformed") from None

    def _send_kex_init(self) -> None:
        """KEXINIT, RFC 4253 §7.1; from here until NEWKEYS no thread sends anything else."""
        with self.clear_to_send_lock:
            self.clear_to_send.clear()
            self._rekeying = True
        if self.initial_kex_done:
            late = "the client did not finish a key exchange"
            self._deadline("rekey", self.limits.rekey_timeout, late)
        message = paramiko.Message()
        message.add_bytes(kex.kexinit(self.server_key_dict))
        self.local_kex_init = message.asbytes()
        self._send_message(message)

    def _parse_kex_init(self, message: paramiko.Message) -> None:
        body = message.asbytes()
        agreed = kex.agree(kex.Offer.parse(body), tuple(self.server_key_dict))
        if not self.initial_kex_done:
            # Both count in the first KEXINIT only (OpenSSH PROTOCOL 1.10, RFC 8308 §2.1).
            self.agreed_on_strict_kex = agreed.strict
            if agreed.strict and message.seqno != 0:
                raise PeerError("strict key exchange: the KEXINIT was not the first packet")
        self._remote_ext_info = (
            kex.EXT_INFO_CLIENT if agreed.ext_info and not self.initial_kex_done else None
        )
        self._skip_guess = agreed.wrong_guess
        self.kex_engine = self._kex_info[agreed.kex](self)
        self.host_key_type = agreed.host_key
        self.remote_cipher, self.local_cipher = agreed.cipher_in, agreed.cipher_out
        self.remote_mac, self.local_mac = agreed.mac_in, agreed.mac_out
        self.remote_compression = self.local_compression = "none"
        self.remote_kex_init = bytes([KEXINIT]) + body
        aead = "gcm" in agreed.cipher_in
        self._algorithms = {
            "kex": agreed.kex,
            "host_key": agreed.host_key,
            "cipher": agreed.cipher_in,
            "mac": "" if aead else agreed.mac_in,
        }

    def _compute_key(self, id: str, nbytes: int) -> bytes:
        """Keys from the shared secret, RFC 4253 §7.2."""
        start = paramiko.Message()
        self._add_K(start)
        root = start.asbytes() + self.H
        digest = self.kex_engine.hash_algo
        key: bytes = digest(root + id.encode("ascii") + self.session_id).digest()
        while len(key) < nbytes:
            key += digest(root + key).digest()
        return key[:nbytes]

    def _parse_newkeys(self, message: paramiko.Message) -> None:
        """NEWKEYS: what waited is sent, in its order, before any other thread may send again."""
        self._rekeying = False
        self._lift_deadline("rekey")
        held, self._held = self._held, []
        for waiting in held:
            self._send_message(waiting)
        paramiko.Transport._parse_newkeys(self, message)

    # ---------------------------------------------------------------------------------- sending

    def reply(self, message: paramiko.Message) -> None:
        """Sends from the transport thread: at once, or right after the key exchange that is under
        way. Never waits for one, and never raises for a client that is gone."""
        if not self._rekeying:
            self._send_message(message)
        elif len(self._held) < MAX_HELD:
            self._held.append(message)
        else:
            self.close("the client asked for too much during a key exchange")

    def _send_message(self, message: paramiko.Message) -> None:
        try:
            self.packetizer.send_message(message)
        except (BrokenPipeError, ConnectionResetError):
            self.close("the client went away")
        except OSError as error:
            self.close(f"the line broke: {error.strerror or error}")

    def _send_user_message(self, message: paramiko.Message) -> None:
        """Sends from any thread, waiting for a key exchange that is under way (its deadline bounds
        the wait). Drops the message where the connection is over."""
        if threading.get_ident() == self.ident:
            self.reply(message)
            return
        while self.active:
            self.clear_to_send.wait()
            with self.clear_to_send_lock:
                if self.clear_to_send.is_set():
                    if self.active:
                        self._send_message(message)
                    return

    def try_send(self, message: paramiko.Message) -> bool:
        """Sends a short message from any thread only where that cannot block: not during a key
        exchange, nor while another thread sends, nor where the line is full."""
        if not self.clear_to_send_lock.acquire(blocking=False):
            return False
        try:
            if self._rekeying or not self.active:
                return False
            return bool(self.packetizer.try_send(message))
        except OSError:
            return False
        finally:
            self.clear_to_send_lock.release()

    # ---------------------------------------------------------------------------------- the end

    def close(self, reason: str = "closed", code: Disconnect = Disconnect.BY_APPLICATION) -> None:
        """Ends the connection; the first reason stands. Any thread; never blocks or raises."""
        with self._ending_lock:
            if self._ending is None:
                self._ending = (reason, code)
            if not self.active:
                return
            self.active = False
            # Still under the lock, so that the transport's thread does not close the socket
            # between the two; neither waits for anything.
            self._say_disconnect(*self._ending)
            with contextlib.suppress(OSError):  # it may be gone already
                self.sock.shutdown(socket.SHUT_RDWR)
        self.clear_to_send.set()  # whoever waited there looks at `active` next

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
        if not here and not self.clear_to_send_lock.acquire(blocking=False):
            return
        try:
            with contextlib.suppress(OSError):
                self.packetizer.try_send(message)
        finally:
            if not here:
                self.clear_to_send_lock.release()

    # -------------------------------------------------------------------------------- deadlines

    def _deadline(self, name: str, seconds: float, reason: str) -> None:
        self._lift_deadline(name)
        self._deadlines[name] = self.timer.call_later(seconds, lambda: self.close(reason))

    def _lift_deadline(self, name: str) -> None:
        deadline = self._deadlines.pop(name, None)
        if deadline is not None:
            deadline.cancel()

    def _log(self, level: int, msg: Any, *args: Any) -> None:
        """paramiko's own words, which hold what clients send: not used."""


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
