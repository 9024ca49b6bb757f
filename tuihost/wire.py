"""What crosses between the SSH side, the core and the screen side: frozen values and protocols.

Requests are what a client asks (RFC 4254), `Grant` and `Refuse` are the answers, and a
`ByteChannel` is the only thing through which the screen side and the SSH side touch. Nothing
here has an effect: no I/O, no clock, no threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Protocol

# ---------------------------------------------------------------------------------- sizes

MAX_COLUMNS = 500
MAX_ROWS = 200
MAX_CELLS = 50_000  # a frame costs time and memory by the cell; a 4K screen has about 40,000


@dataclass(frozen=True, slots=True)
class WindowSize:
    """Columns and rows of a person's window, always drawable."""

    columns: int = 80
    rows: int = 24

    @classmethod
    def clamped(cls, columns: int, rows: int, previous: WindowSize | None = None) -> WindowSize:
        """The nearest size that can be drawn. Zero means "not said" and keeps `previous`
        (RFC 4254 §6.2), 80×24 where there is none."""
        before = previous or cls()
        columns = min(columns, MAX_COLUMNS) if columns > 0 else before.columns
        rows = min(rows, MAX_ROWS) if rows > 0 else before.rows
        return cls(columns, min(rows, max(1, MAX_CELLS // columns)))


# ------------------------------------------------------------------------------- addresses


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A host, by its name or its number, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """The path of a Unix socket."""

    path: str

    def __str__(self) -> str:
        return self.path


SocketAddress = TcpAddress | UnixAddress


# ------------------------------------------------------------------- who is at the other end


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a connection came from, remembered at accept."""

    address: str
    port: int

    def __str__(self) -> str:
        return str(TcpAddress(self.address, self.port))


@dataclass(frozen=True, slots=True)
class Restrictions:
    """What the key that somebody came in with takes away, sshd(8) "AUTHORIZED_KEYS FILE FORMAT".

    `command` replaces whatever the client asks to run; `permit_open` and `permit_listen` are
    `host:port` patterns, None if the key says nothing. `limited`: its line has an option that takes
    something away, also if another gives it back, or that lets it in from some places, for some
    time or after a check of the person only. It must not be kept without that.
    """

    command: str | None = None
    environment: tuple[tuple[str, str], ...] = ()
    pty: bool = True
    port_forwarding: bool = True
    x11_forwarding: bool = True
    agent_forwarding: bool = True
    permit_open: tuple[str, ...] | None = None
    permit_listen: tuple[str, ...] | None = None
    limited: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a client proved to be, settled once, at the end of the login.

    `user` is the name without an app (`ada` of `ada+notes`), `target` that app or None.
    `factors` names what was settled, in order, such as ("publickey", "totp") or ("none",).
    `roles` are the account's, `restrictions` those of the key that settled a factor. `key` is that
    key as a line of authorized_keys, without options; None if it came with a certificate.
    `at` is the Unix time of the login, and `certified` says that one of its keys came with a
    certificate.
    """

    user: str
    target: str | None = None
    guest: bool = True
    factors: tuple[str, ...] = ()
    fingerprint: str | None = None
    roles: frozenset[str] = frozenset()
    restrictions: Restrictions | None = None
    key: str | None = None
    at: float = 0.0
    certified: bool = False


# ------------------------------------------------------------- what a session channel asks for


@dataclass(frozen=True, slots=True)
class PtyRequest:
    """RFC 4254 §6.2. `modes` maps opcodes of §8 to values."""

    term: str
    size: WindowSize
    modes: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EnvRequest:
    """RFC 4254 §6.4."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ShellRequest:
    """RFC 4254 §6.5."""


@dataclass(frozen=True, slots=True)
class ExecRequest:
    """RFC 4254 §6.5; `command` is the client's line as it came, decoded."""

    command: str


@dataclass(frozen=True, slots=True)
class SubsystemRequest:
    """RFC 4254 §6.5."""

    name: str


@dataclass(frozen=True, slots=True)
class X11Request:
    """RFC 4254 §6.3.1."""

    single_connection: bool
    protocol: str
    cookie: str
    screen: int


@dataclass(frozen=True, slots=True)
class AgentRequest:
    """auth-agent-req@openssh.com."""


@dataclass(frozen=True, slots=True)
class WindowChange:
    """RFC 4254 §6.7, as it came; `WindowSize.clamped` makes a size of it that can be drawn."""

    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class SignalSent:
    """RFC 4254 §6.9; `name` without SIG, such as INT."""

    name: str


@dataclass(frozen=True, slots=True)
class BreakSent:
    """RFC 4335."""

    milliseconds: int


@dataclass(frozen=True, slots=True)
class EndOfWrite:
    """eow@openssh.com: the client reads no more of our output."""


@dataclass(frozen=True, slots=True)
class EndOfInput:
    """The client sent EOF (RFC 4254 §5.3): it writes no more, but may still read."""


ProgramRequest = ShellRequest | ExecRequest | SubsystemRequest
SessionRequest = PtyRequest | EnvRequest | ProgramRequest | X11Request | AgentRequest
SessionEvent = WindowChange | SignalSent | BreakSent | EndOfWrite | EndOfInput


# --------------------------------------------------------------------- what a connection asks


@dataclass(frozen=True, slots=True)
class OpenSession:
    """RFC 4254 §6.1."""


@dataclass(frozen=True, slots=True)
class OpenDirect:
    """direct-tcpip, RFC 4254 §7.2, and direct-streamlocal@openssh.com, which names no origin."""

    target: SocketAddress
    origin: Peer


@dataclass(frozen=True, slots=True)
class OpenUnknown:
    """Any other kind of channel."""

    kind: str


OpenRequest = OpenSession | OpenDirect | OpenUnknown


@dataclass(frozen=True, slots=True)
class RemoteForward:
    """tcpip-forward, RFC 4254 §7.1, and streamlocal-forward@openssh.com: an address of this side
    that leads to the client. With port 0 the host chooses a port."""

    address: SocketAddress


@dataclass(frozen=True, slots=True)
class CancelRemoteForward:
    """cancel-tcpip-forward, RFC 4254 §7.1, and cancel-streamlocal-forward@openssh.com."""

    address: SocketAddress


@dataclass(frozen=True, slots=True)
class OtherGlobal:
    """Any other global request, by name."""

    name: str


GlobalRequest = RemoteForward | CancelRemoteForward | OtherGlobal


# ------------------------------------------------------------------ what the host opens itself


@dataclass(frozen=True, slots=True)
class OpenForwarded:
    """forwarded-tcpip, RFC 4254 §7.2, and forwarded-streamlocal@openssh.com: somebody connected to
    `address`, which is as the client asked for it."""

    address: SocketAddress
    origin: Peer


@dataclass(frozen=True, slots=True)
class OpenX11:
    """RFC 4254 §6.3.2: a program wants a window on the client's display."""

    origin: Peer


@dataclass(frozen=True, slots=True)
class OpenAgent:
    """auth-agent@openssh.com: a way to the agent that the client keeps its keys in."""


HostOpen = OpenForwarded | OpenX11 | OpenAgent


# --------------------------------------------------------------------------------- the answers


class OpenFailure(IntEnum):
    """Why a channel is not opened, RFC 4254 §5.1."""

    PROHIBITED = 1
    CONNECT_FAILED = 2
    UNKNOWN_KIND = 3
    RESOURCE_SHORTAGE = 4


@dataclass(frozen=True, slots=True)
class Grant:
    """Yes. `port` is the port that was bound for a `RemoteForward` with port 0."""

    port: int | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """No, and why, in a few words for the log and for the client where the protocol has room."""

    reason: str
    code: OpenFailure = OpenFailure.PROHIBITED


Answer = Grant | Refuse


class Undecided(Protocol):
    """A channel that a client waits for. Any thread; the first answer stands."""

    def grant(self) -> ByteChannel | None:
        """Opens it. None if the client is gone by now."""

    def refuse(self, refuse: Refuse) -> None:
        """Tells the client why not."""


@dataclass(frozen=True, slots=True)
class Later:
    """The answer to an opening takes time: `begin` is called at once, on the transport's thread,
    with what will have to be answered, and must only see to it that some other thread does."""

    begin: Callable[[Undecided], None]


class AwaitedReply(Protocol):
    """The reply to a global request that a client waits for. Any thread."""

    def answer(self, answer: Answer) -> bool:
        """Tells the client. False if it was told before, or is gone: the first answer stands."""


@dataclass(frozen=True, slots=True)
class LaterReply:
    """The answer to a global request takes time: `begin` is called as that of `Later` is. Until
    then the replies to the client's later requests wait, too (RFC 4254 §4), so it must come soon
    in any case."""

    begin: Callable[[AwaitedReply], None]


class Disconnect(IntEnum):
    """Why a connection ends, RFC 4253 §11.1 (the ones that this host says)."""

    PROTOCOL_ERROR = 2
    KEY_EXCHANGE_FAILED = 3
    SERVICE_NOT_AVAILABLE = 7
    BY_APPLICATION = 11
    NO_MORE_AUTH_METHODS = 14


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """RFC 4254 §6.10."""

    code: int = 0


@dataclass(frozen=True, slots=True)
class ExitSignal:
    """RFC 4254 §6.10; `name` without SIG."""

    name: str
    message: str = ""
    core_dumped: bool = False


Exit = ExitStatus | ExitSignal


class Stream(Enum):
    """Which of a session's two outputs."""

    OUT = "out"
    ERR = "err"


# ---------------------------------------------------------------------------------- protocols


class ByteChannel(Protocol):
    """One stream of bytes to and from one person. Read and written by one thread, its app's.

    Only `set_wake`'s callback comes from other threads, and only `close` may be called from any.
    """

    @property
    def number(self) -> int:
        """The channel's number on its connection, for the log."""

    @property
    def closed(self) -> bool:
        """Gone: nothing more can be sent, and what was buffered may still be read."""

    @property
    def congested(self) -> bool:
        """What was sent last has not left: the client's window is shut, or its line is full."""

    def set_wake(self, wake: Callable[[], None] | None) -> None:
        """Calls `wake` whenever there may be something new: bytes, end of input, room to write,
        closed. From any thread, at any time, also spuriously; it must only schedule."""

    def read(self, limit: int = 65536) -> bytes | None:
        """What has arrived, at most `limit` bytes. None: nothing yet. b"": no more will come."""

    def write(self, data: bytes | memoryview, stream: Stream = Stream.OUT) -> int:
        """Sends as much as the client's window takes and says how many bytes that was (0 when
        shut). Never raises for a client that is gone: it then takes all and drops it."""

    def wait(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        """Blocks until `ready()` is true, looking again after each wake; False after `timeout`
        seconds. `ready` may read and write: no lock is held around it. For code that may block,
        such as commands."""

    def nudge(self) -> None:
        """Makes `wait` look again. Any thread."""

    def send_eof(self) -> None:
        """Sends end of file (RFC 4254 §5.3): nothing is written after it, and what the other side
        sends still comes. Any thread."""

    def finish(self, end: Exit) -> None:
        """Sends the exit status or signal, end of file and close, in that order, once."""

    def close(self) -> None:
        """Closes without an exit status. Any thread."""


class Cancellable(Protocol):
    """Something scheduled that can be called off."""

    def cancel(self) -> None:
        """Calls it off; does nothing if it ran already."""


class Timer(Protocol):
    """Deadlines, kept by one watchdog thread for the whole process."""

    def now(self) -> float:
        """Monotonic seconds."""

    def call_later(self, seconds: float, action: Callable[[], None]) -> Cancellable:
        """Runs `action` on the watchdog thread after so many seconds. It must not block."""


class Link(Protocol):
    """A connection as the host sees it: what the SSH side offers. Every method from any thread."""

    @property
    def peer(self) -> Peer:
        """Where it came from."""

    def open(self, request: HostOpen, settled: Callable[[ByteChannel | Refuse], None]) -> None:
        """Asks the client for a channel. `settled` is called once, on the transport's thread or at
        once on the caller's, also where the connection ends; it must only schedule."""

    def tell(self, text: str) -> None:
        """A sentence for the person (DEBUG with always_display, RFC 4253 §11.3), which some
        clients show and others only log."""

    def close(self, reason: str, code: Disconnect = Disconnect.BY_APPLICATION) -> None:
        """Ends the connection; a waiting or stalled transport thread ends at once."""


class Answerer(Protocol):
    """Whom the SSH side asks: each request has exactly one answerer.

    Every method runs on the connection's transport thread and must neither block nor raise.
    """

    def logged_in(self, identity: Identity) -> None:
        """The login is finished. Comes once."""

    def open(self, request: OpenRequest) -> Answer | Later:
        """May this channel be opened?"""

    def opened(self, request: OpenRequest, channel: ByteChannel) -> None:
        """It was granted at once and is open; the client has been told."""

    def request(self, channel: ByteChannel, request: SessionRequest) -> Answer:
        """May this session have that? The reply goes out after the return."""

    def replied(self, channel: ByteChannel, request: SessionRequest) -> None:
        """The reply to a granted `ProgramRequest` has been sent: now it may start."""

    def event(self, channel: ByteChannel, event: SessionEvent) -> None:
        """Something happened in a session. No reply depends on it."""

    def channel_closed(self, channel: ByteChannel) -> None:
        """Both sides have closed it, or the connection is gone."""

    def global_request(self, request: GlobalRequest) -> Answer | LaterReply:
        """A request that belongs to no channel."""
