"""The keys of a connection, and all that is sent under them: RFC 4253 §7 to §9.

paramiko's Transport does the arithmetic of a key exchange. What is ours is what a server must add
to it: only the algorithms of `algorithms.py`, Dropbear's guess, an end to an exchange that a client
does not finish, and a place for what must be said while one is under way.
"""

from __future__ import annotations

import functools
import socket
import threading
from typing import Any

import paramiko

from tuihost.core.limits import TransportLimits
from tuihost.errors import PeerError
from tuihost.ssh.keys.host_keys import HostKeys
from tuihost.ssh.keys.login_keys import ALGORITHMS
from tuihost.ssh.packets import algorithms as kex
from tuihost.ssh.packets.stream import ChaCha, PacketStream
from tuihost.wire import Cancellable, Timer

KEXINIT, NEWKEYS = 20, 21

_CIPHER_FIELDS = ("class", "block-size", "iv-size", "key-size", "is_aead")  # paramiko's

MAX_HELD = 2_000  # replies that wait for a key exchange to end


class KeyExchangeTransport(paramiko.Transport):  # type: ignore[misc]  # paramiko has no types
    """paramiko's Transport as a server, with our packets and our rules for its keys.

    `reply` is for the transport's thread; `_send_user_message`, `try_send` and `line_full` for any.
    """

    _active_check_timeout = None
    _kex_info = kex.KEX_INFO
    _cipher_info = paramiko.Transport._cipher_info | {
        kex.CHACHA: {
            "class": ChaCha,
            "block-size": 8,
            "iv-size": 0,
            "key-size": 64,
            "is_aead": True,
        }
    }
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
        keys: HostKeys,
        limits: TransportLimits,
        timer: Timer,
        algorithms: kex.Selection,
    ) -> None:
        super().__init__(
            sock,
            default_window_size=limits.window,
            default_max_packet_size=limits.packet,
            packetizer_class=functools.partial(PacketStream, rekey_bytes=limits.rekey_bytes),
        )
        self.limits = limits
        self._selection = algorithms
        self.timer = timer
        self._rekeying = True  # the first key exchange counts as one
        self._held: list[paramiko.Message] = []
        self._skip_guess = False
        self._deadlines: dict[str, Cancellable] = {}
        self._handler_table = {}  # paramiko's own: nothing may reach it
        self.active = True
        self.server_mode = True
        self.server_key_dict = keys.by_algorithm

    @property
    def packets_received(self) -> int:
        """Grows with every packet of the client: a sign of life."""
        return self.packetizer.received_packets

    def line_full(self) -> bool:
        """What was sent last has not left this machine yet. Any thread."""
        return self.packetizer.line_full()

    # -------------------------------------------------------------------------------- the keys

    def _exchange_keys(self, number: int, body: bytes) -> None:
        expected = self._expected_packet
        if expected and number not in expected:
            raise PeerError(f"message {number} came in the middle of a key exchange")
        if not expected and number != KEXINIT:
            raise PeerError(f"message {number} came without a key exchange")
        if number == KEXINIT and self.initial_kex_done and not self.authenticated:
            raise PeerError("the client wanted new keys before its login")
        self._expected_packet = ()
        message = paramiko.Message(body)
        if number == KEXINIT:
            self._negotiate_keys(message)
        elif number == NEWKEYS:
            self._parse_newkeys(message)
        else:
            try:
                self.kex_engine.parse_next(number, message)
            except ValueError:  # what cryptography says to bytes that are not a public key
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
        message.add_bytes(kex.kexinit(self.server_key_dict, self._selection))
        self.local_kex_init = message.asbytes()
        self._send_message(message)

    def _parse_kex_init(self, message: paramiko.Message) -> None:
        body = message.asbytes()
        offer = kex.Offer.parse(body)
        agreed = kex.agree(offer, tuple(self.server_key_dict), self._selection)
        if not self.initial_kex_done:
            # Both count in the first KEXINIT only (OpenSSH PROTOCOL 1.10, RFC 8308 §2.1).
            self.agreed_on_strict_kex = agreed.strict
            if agreed.strict and self.packetizer.last_read != 0:
                raise PeerError("strict key exchange: the KEXINIT was not the first packet")
        self._remote_ext_info = (
            kex.EXT_INFO_CLIENT if agreed.ext_info and not self.initial_kex_done else None
        )
        self._skip_guess = agreed.wrong_guess
        self.kex_engine = self._kex_info[agreed.kex](self)
        self.host_key_type = agreed.host_key
        self.remote_cipher, self.local_cipher = agreed.cipher_in, agreed.cipher_out
        # paramiko looks up a MAC in any case, and does not use it where the cipher needs none.
        self.remote_mac = agreed.mac_in or kex.MACS[0]
        self.local_mac = agreed.mac_out or kex.MACS[0]
        self.remote_compression = self.local_compression = "none"
        self.remote_kex_init = bytes([KEXINIT]) + body

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
        super()._parse_newkeys(message)

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
            self.close(f"the connection broke: {error.strerror or error}")

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
            return self.packetizer.try_send(message)
        except OSError:
            return False
        finally:
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
