"""The connection protocol's messages (RFC 4254), between bytes and the values of `tuihost.wire`.

What comes from a client is read strictly: a field that is missing or cut short is a `PeerError`,
never zeros. What is well formed but too long to be meant becomes a `Refuse`. Nothing here keeps
state or knows a connection.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import paramiko

from tuihost.ssh.packets.fields import Fields
from tuihost.text import clean
from tuihost.wire import (
    AgentRequest,
    BreakSent,
    CancelRemoteForward,
    EndOfWrite,
    EnvRequest,
    ExecRequest,
    Exit,
    ExitSignal,
    ExitStatus,
    GlobalRequest,
    HostOpen,
    OpenAgent,
    OpenDirect,
    OpenFailure,
    OpenForwarded,
    OpenRequest,
    OpenSession,
    OpenUnknown,
    OpenX11,
    OtherGlobal,
    Peer,
    PtyRequest,
    Refuse,
    RemoteForward,
    SessionEvent,
    SessionRequest,
    ShellRequest,
    SignalSent,
    SocketAddress,
    SubsystemRequest,
    TcpAddress,
    UnixAddress,
    WindowChange,
    WindowSize,
    X11Request,
)

# Message numbers, RFC 4250 §4.1.2.
DEBUG: Final = 4
GLOBAL_REQUEST: Final = 80
REQUEST_SUCCESS: Final = 81
REQUEST_FAILURE: Final = 82
CHANNEL_OPEN: Final = 90
CHANNEL_OPEN_CONFIRMATION: Final = 91
CHANNEL_OPEN_FAILURE: Final = 92
CHANNEL_WINDOW_ADJUST: Final = 93
CHANNEL_DATA: Final = 94
CHANNEL_EXTENDED_DATA: Final = 95
CHANNEL_EOF: Final = 96
CHANNEL_CLOSE: Final = 97
CHANNEL_REQUEST: Final = 98
CHANNEL_SUCCESS: Final = 99
CHANNEL_FAILURE: Final = 100

EXTENDED_DATA_STDERR: Final = 1  # RFC 4254 §5.2

MAX_NAME = 256  # of a request, a kind of channel, a signal
MAX_TEXT = 1024  # of a terminal, a host, a path, a cookie
MAX_VALUE = 32_768  # of a command, a variable
MAX_HOST_KEYS = 16  # that a client may ask proof of at once

_UINT32 = struct.Struct(">I")
_DATA = struct.Struct(">BII")
_EXTENDED_DATA = struct.Struct(">BIII")


def _name(fields: Fields) -> str:
    """A name by which something is looked up; one that nothing has, where it is absurd."""
    name = fields.string()
    return name.decode("utf-8", "replace") if len(name) <= MAX_NAME else "(too long)"


# ------------------------------------------------------------------------------------ opening


@dataclass(frozen=True, slots=True)
class Opening:
    """CHANNEL_OPEN, RFC 4254 §5.1. `request` is a `Refuse` where it cannot be meant."""

    kind: str
    peer_number: int
    window: int
    packet: int
    request: OpenRequest | Refuse


def read_open(fields: Fields) -> Opening:
    """What a client wants opened."""
    kind = _name(fields)
    number, window, packet = fields.integer(), fields.integer(), fields.integer()
    return Opening(kind, number, window, packet, _open_request(kind, fields))


def _open_request(kind: str, fields: Fields) -> OpenRequest | Refuse:
    match kind:
        case "session":
            return OpenSession()
        case "direct-tcpip":
            target = _tcp_address(fields)
            origin, origin_port = fields.text(), fields.integer()
            if target is None or len(origin) > MAX_TEXT:
                return Refuse("that is not an address")
            return OpenDirect(target, Peer(clean(origin, limit=64), origin_port))
        case "direct-streamlocal@openssh.com":
            path = _unix_address(fields)
            return _NOT_A_PATH if path is None else OpenDirect(path, Peer("", 0))
        case _:
            return OpenUnknown(kind)


_NOT_A_PATH = Refuse("that is not a path")


def _tcp_address(fields: Fields) -> TcpAddress | None:
    """None if it cannot be one."""
    host, port = fields.text(), fields.integer()
    return TcpAddress(host, port) if len(host) <= MAX_TEXT and port <= 65_535 else None


def _unix_address(fields: Fields) -> UnixAddress | None:
    """None if it cannot be one."""
    path = fields.text(errors="surrogateescape")
    return UnixAddress(path) if len(path) <= MAX_TEXT else None


def channel_open(number: int, window: int, packet: int, request: HostOpen) -> paramiko.Message:
    """CHANNEL_OPEN from this side, RFC 4254 §5.1, §6.3.2, §7.2."""
    message = _message(CHANNEL_OPEN)
    kind, strings_and_numbers = _host_open(request)
    message.add_string(kind)
    for count in (number, window, packet):
        message.add_int(count)
    for part in strings_and_numbers:
        if isinstance(part, int):
            message.add_int(part)
        else:
            message.add_string(part.encode("utf-8", "surrogateescape"))
    return message


def _host_open(request: HostOpen) -> tuple[str, tuple[str | int, ...]]:
    match request:
        case OpenForwarded(address, origin):
            return _forwarded(address, origin)
        case OpenX11(origin):
            return "x11", (origin.address, origin.port)
        case OpenAgent():
            return "auth-agent@openssh.com", ()


def _forwarded(address: SocketAddress, origin: Peer) -> tuple[str, tuple[str | int, ...]]:
    match address:
        case TcpAddress(host, port):
            return "forwarded-tcpip", (host, port, origin.address, origin.port)
        case UnixAddress(path):
            return "forwarded-streamlocal@openssh.com", (path, "")


@dataclass(frozen=True, slots=True)
class Confirmation:
    """CHANNEL_OPEN_CONFIRMATION, RFC 4254 §5.1: the client's side of a channel that we opened."""

    number: int
    peer_number: int
    window: int
    packet: int


def read_confirmation(fields: Fields) -> Confirmation:
    return Confirmation(*(fields.integer() for _ in range(4)))


def read_open_failure(fields: Fields) -> tuple[int, Refuse]:
    """CHANNEL_OPEN_FAILURE, RFC 4254 §5.1: the number of ours, and why."""
    number, code = fields.integer(), fields.integer()
    text = clean(fields.text(4096), limit=120) or "the client refused it"
    known = code in OpenFailure.__members__.values()
    return number, Refuse(text, OpenFailure(code) if known else OpenFailure.PROHIBITED)


def open_confirmation(peer_number: int, number: int, window: int, packet: int) -> paramiko.Message:
    return _message(CHANNEL_OPEN_CONFIRMATION, peer_number, number, window, packet)


def open_failure(peer_number: int, refuse: Refuse) -> paramiko.Message:
    message = _message(CHANNEL_OPEN_FAILURE, peer_number, int(refuse.code))
    message.add_string(clean(refuse.reason, limit=200))
    message.add_string("en")
    return message


# --------------------------------------------------------------------------- channel requests


@dataclass(frozen=True, slots=True)
class ChannelRequest:
    """CHANNEL_REQUEST, RFC 4254 §5.4. `what` is a `Refuse` where nobody needs to be asked."""

    name: str
    want_reply: bool
    what: SessionRequest | SessionEvent | Refuse


def read_channel_request(fields: Fields) -> ChannelRequest:
    """What a client asks of a session, or tells it."""
    name = _name(fields)
    return ChannelRequest(name, fields.boolean(), _session_request(name, fields))


def _session_request(name: str, fields: Fields) -> SessionRequest | SessionEvent | Refuse:
    match name:
        case "pty-req":
            return _pty(fields)
        case "env":
            return _env(fields)
        case "shell":
            return ShellRequest()
        case "exec":
            command = fields.text(errors="surrogateescape")
            return ExecRequest(command) if len(command) <= MAX_VALUE else _too_long("command")
        case "subsystem":
            return SubsystemRequest(_name(fields))
        case "x11-req":
            return _x11(fields)
        case "auth-agent-req@openssh.com":
            return AgentRequest()
        case _:
            return _session_event(name, fields)


def _session_event(name: str, fields: Fields) -> SessionEvent | Refuse:
    match name:
        case "window-change":
            return WindowChange(fields.integer(), fields.integer())
        case "signal":
            return SignalSent(_name(fields))
        case "break":
            return BreakSent(fields.integer())
        case "eow@openssh.com":
            return EndOfWrite()
        case _:
            return Refuse("no such request")


def _pty(fields: Fields) -> PtyRequest | Refuse:
    term = fields.text()
    columns, rows = fields.integer(), fields.integer()
    fields.integer()  # width and height in pixels: informational
    fields.integer()
    modes = fields.string()
    if len(term) > MAX_TEXT:
        return _too_long("terminal's name")
    return PtyRequest(term, WindowSize.clamped(columns, rows), read_modes(modes))


def _env(fields: Fields) -> EnvRequest | Refuse:
    name, value = fields.text(), fields.text(errors="surrogateescape")
    if len(name) > MAX_NAME or len(value) > MAX_VALUE:
        return _too_long("variable")
    return EnvRequest(name, value)


def _x11(fields: Fields) -> X11Request | Refuse:
    single, protocol, cookie = fields.boolean(), fields.text(), fields.text()
    screen = fields.integer()
    if len(protocol) > MAX_TEXT or len(cookie) > MAX_TEXT:
        return _too_long("cookie")
    return X11Request(single, protocol, cookie, screen)


def _too_long(what: str) -> Refuse:
    return Refuse(f"the {what} is too long")


def read_modes(data: bytes) -> dict[int, int]:
    """The terminal modes of RFC 4254 §8, up to the first byte that is not one."""
    modes: dict[int, int] = {}
    for at in range(0, len(data) - 4, 5):
        opcode = data[at]
        if not 1 <= opcode <= 159:  # 0 ends the list; 160 and up have no known length
            break
        modes[opcode] = int.from_bytes(data[at + 1 : at + 5])
    return modes


def request_reply(peer_number: int, granted: bool) -> paramiko.Message:
    return _message(CHANNEL_SUCCESS if granted else CHANNEL_FAILURE, peer_number)


# ---------------------------------------------------------------------------- global requests

HOST_KEYS = "hostkeys-00@openssh.com"
HOST_KEYS_PROVE = "hostkeys-prove-00@openssh.com"
NO_MORE_SESSIONS = "no-more-sessions@openssh.com"
KEEPALIVE = "keepalive@openssh.com"


@dataclass(frozen=True, slots=True)
class GlobalAsked:
    """GLOBAL_REQUEST, RFC 4254 §4."""

    name: str
    want_reply: bool
    request: GlobalRequest | Refuse


def read_global_request(fields: Fields) -> GlobalAsked:
    """What a client asks of the connection. What is left in `fields` belongs to the name."""
    name, want_reply = _name(fields), fields.boolean()
    return GlobalAsked(name, want_reply, _forward_request(name, fields))


def _forward_request(name: str, fields: Fields) -> GlobalRequest | Refuse:
    match name:
        case "tcpip-forward" | "cancel-tcpip-forward":
            address = _tcp_address(fields)
            if address is None:
                return Refuse("that is not an address")
            return (CancelRemoteForward if name.startswith("cancel-") else RemoteForward)(address)
        case "streamlocal-forward@openssh.com" | "cancel-streamlocal-forward@openssh.com":
            path = _unix_address(fields)
            if path is None:
                return _NOT_A_PATH
            return (CancelRemoteForward if name.startswith("cancel-") else RemoteForward)(path)
        case _:
            return OtherGlobal(name)


def read_host_keys(fields: Fields) -> tuple[bytes, ...] | None:
    """The keys that a client wants proved; None if it is something else, or too many."""
    blobs: list[bytes] = []
    while fields.rest and len(blobs) <= MAX_HOST_KEYS:
        blobs.append(fields.string())
    return tuple(blobs) if 0 < len(blobs) <= MAX_HOST_KEYS else None


def request_success(*strings: bytes, port: int | None = None) -> paramiko.Message:
    message = _message(REQUEST_SUCCESS)
    if port is not None:
        message.add_int(port)
    for string in strings:
        message.add_string(string)
    return message


def request_failure() -> paramiko.Message:
    return _message(REQUEST_FAILURE)


def global_request(name: str, want_reply: bool, strings: Iterable[bytes] = ()) -> paramiko.Message:
    message = _message(GLOBAL_REQUEST)
    message.add_string(name)
    message.add_boolean(want_reply)
    for string in strings:
        message.add_string(string)
    return message


def debug(text: str) -> paramiko.Message:
    """DEBUG that is meant to be shown, RFC 4253 §11.3."""
    message = _message(DEBUG)
    message.add_boolean(True)
    message.add_string(clean(text, limit=MAX_TEXT))
    message.add_string("en")
    return message


# --------------------------------------------------------------------- what a channel carries


def data(peer_number: int, chunk: memoryview) -> paramiko.Message:
    """CHANNEL_DATA, RFC 4254 §5.2."""
    # Straight from the caller's buffer into the message: output is the one thing there is a
    # lot of.
    message = paramiko.Message()
    message.add_bytes(_DATA.pack(CHANNEL_DATA, peer_number, len(chunk)))
    message.add_bytes(chunk)
    return message


def extended_data(peer_number: int, chunk: memoryview) -> paramiko.Message:
    message = paramiko.Message()
    message.add_bytes(
        _EXTENDED_DATA.pack(CHANNEL_EXTENDED_DATA, peer_number, EXTENDED_DATA_STDERR, len(chunk))
    )
    message.add_bytes(chunk)
    return message


def window_adjust(peer_number: int, count: int) -> paramiko.Message:
    return _message(CHANNEL_WINDOW_ADJUST, peer_number, count)


def eof(peer_number: int) -> paramiko.Message:
    return _message(CHANNEL_EOF, peer_number)


def close(peer_number: int) -> paramiko.Message:
    return _message(CHANNEL_CLOSE, peer_number)


def exit_request(peer_number: int, end: Exit) -> paramiko.Message:
    """How a program ended, RFC 4254 §6.10."""
    message = _message(CHANNEL_REQUEST, peer_number)
    match end:
        case ExitStatus(code):
            message.add_string("exit-status")
            message.add_boolean(False)
            message.add_int(code & 0xFFFF_FFFF)
        case ExitSignal(name, text, core_dumped):
            message.add_string("exit-signal")
            message.add_boolean(False)
            message.add_string(name)
            message.add_boolean(core_dumped)
            message.add_string(clean(text, lines=True, limit=MAX_TEXT))
            message.add_string("en")
    return message


def _message(number: int, *fields: int) -> paramiko.Message:
    message = paramiko.Message()
    message.add_bytes(bytes((number,)) + b"".join(_UINT32.pack(field) for field in fields))
    return message
