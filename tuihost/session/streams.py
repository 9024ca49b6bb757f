"""What an app holds when people forward: streams of bytes, forwards both ways, displays, agents.

`Forward` is a stream that somebody opened to an app (`ssh -L 8080:status:80 host`), `Listening` an
address that an app keeps open for somebody (`ssh -R 80:localhost:3000 host`), `X11Display` a
person's own screen (`ssh -X`), and `Agent` the keys in their agent (`ssh -A`).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tuihost.core.budget.ledger import Lease
from tuihost.errors import TuihostError
from tuihost.session.host_view import Account, HostView
from tuihost.wire import Peer, TcpAddress, UnixAddress

if TYPE_CHECKING:
    from tuihost.logs import EventLog


class NotOpened(TuihostError):
    """The client did not open the channel that was asked of it; the text says why."""


class ByteStream(Protocol):
    """Bytes both ways, over one channel. One thread may read while another writes; `close` is
    anybody's. Everything raises `Disconnected` once the client is gone."""

    @property
    def closed(self) -> bool:
        """Nothing can be written any more."""

    def read(self, limit: int = 65536) -> bytes:
        """What has come, at least one byte; b"" at the end. Waits."""

    def write(self, data: bytes | memoryview) -> None:
        """Writes all of it. Waits while the other side does not read."""

    def send_eof(self) -> None:
        """Nothing more will be written; reading goes on."""

    def close(self) -> None:
        """Ends both ways."""


@dataclass(frozen=True, slots=True)
class Forward:
    """One stream to an app, RFC 4254 §7.2. `target` is as the client named it: a rule of
    `Accepts.forwards` matched it. `origin` is empty for a Unix socket, where no client says it."""

    account: Account
    target: TcpAddress | UnixAddress
    origin: Peer
    stream: ByteStream = field(repr=False)
    view: HostView = field(repr=False)
    log: EventLog = field(repr=False)
    data: Path = field(repr=False)


class Listening(Protocol):
    """A remote forward that an app holds, RFC 4254 §7.1: what comes to the address that somebody
    asked for goes to their own machine. Every method from any thread."""

    @property
    def account(self) -> Account: ...

    @property
    def peer(self) -> Peer:
        """Where their connection comes from."""

    @property
    def address(self) -> TcpAddress | UnixAddress:
        """As the client asked for it: `localhost` where it named no host (OpenSSH)."""

    @property
    def since(self) -> float:
        """Unix time."""

    @property
    def ended(self) -> bool:
        """Cancelled, or the person is gone."""

    def is_anothers_name(self, name: str) -> bool:
        """Whether an address with this name would be in the name of somebody else's account, or in
        one that looks like it. The host asks that about `address` itself. May wait."""

    def on_end(self, action: Callable[[], None]) -> None:
        """Calls `action` once when it ends, at once where it has; it must only schedule."""

    def connect(self, origin: Peer, timeout: float = 10.0) -> ByteStream:
        """A new stream to the person's machine. Raises `NotOpened` if the client refuses or
        does not answer in so many seconds, `Disconnected` if it is gone. Waits."""

    def reached_at(self, where: str) -> None:
        """Where people reach it, such as a URL: the host calls it that when it asks the person
        before they leave and close it. By default it is called what the client asked for; with an
        empty text nobody reaches it any more, and nobody is asked."""

    def tell(self, text: str) -> None:
        """A sentence for the person, which their client shows or logs."""


class X11Display(Protocol):
    """The screen of somebody who connected with `ssh -X` or `-Y`, RFC 4254 §6.3. Any thread."""

    @property
    def single_connection(self) -> bool:
        """The client takes one connection and no more."""

    @property
    def screen(self) -> int: ...

    @property
    def closed(self) -> bool:
        """The session is over."""

    def on_close(self, action: Callable[[], None]) -> Callable[[], None]:
        """Calls `action` once when the session is over, at once where it is; it must only
        schedule. Call what it returns to take the action back."""

    def connect(self, timeout: float = 10.0) -> ByteStream:
        """One connection to the X server, before its first byte. Send `cookie`
        first. Raises `NotOpened`, `Disconnected`. Waits."""

    def connect_socket(self, timeout: float = 10.0) -> socket.socket:
        """The same as a real socket, for libraries that need one."""

    def take_place(self) -> Lease:
        """The place of one more program on the screen, or of a window that the app draws itself,
        until the end of the `with` or `give_back`. Raises `TookTooMuch` if the person, or all who
        come from their address, have as many as they may; its text is for them."""

    @property
    def cookie(self) -> bytes:
        """What the X server's client is to show as MIT-MAGIC-COOKIE-1."""

    def environment(self) -> Mapping[str, str]:
        """DISPLAY and XAUTHORITY for a program on this machine: a socket of this session's own,
        which opens when this is first called and is gone with the session."""


@dataclass(frozen=True, slots=True)
class AgentKey:
    """One key in somebody's agent: its kind, its public half, and what they call it."""

    kind: str
    blob: bytes
    comment: str
    fingerprint: str


class Agent(Protocol):
    """The agent of somebody who connected with `ssh -A`. Its thread is the app's; every method
    waits, for the person too, whose agent may ask them. Raises `NotOpened`, `Disconnected`."""

    def keys(self) -> Sequence[AgentKey]:
        """The keys that it has."""

    def sign(self, key: AgentKey, data: bytes) -> bytes:
        """The signature of `data`, as RFC 4253 §6.6 has it. Raises `NotOpened` if the agent or
        the person says no."""

    def proves(self, key: AgentKey) -> bool:
        """Whether the agent really has the key: it signs something new, and that is verified.
        Raises `NotOpened` as `sign` does."""
