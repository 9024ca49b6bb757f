"""The tunnels that are open, what went through them, and who asked for what."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field

from tuihost import Account, Listening, TcpAddress, UnixAddress

from .names import NoName, is_unnamed, looks_taken, name_for

KEPT = 200  # requests of one tunnel that are remembered
KEPT_TEXT = 500  # characters of what was asked for
MAX_OF_ONE = 32  # tunnels of one person
MAX_TRIED = 8  # names that are other people's, until somebody has to ask for one
MAX_OPEN = 64  # connections through one tunnel at one time


@dataclass(frozen=True, slots=True)
class Request:
    """One request of HTTP. `at` is a Unix time; `status` 0 where no answer came."""

    at: float
    method: str
    target: str
    status: int
    seconds: float
    received: int
    sent: int
    origin: str


@dataclass(slots=True)
class Tunnel:
    """One name that leads to somebody's machine. Bytes are counted as the person sees them:
    `received` came to their machine. Threads: any; the lock is that of `OpenTunnels`."""

    name: str
    listening: Listening
    opened: float
    connections: int = 0
    total: int = 0
    received: int = 0
    sent: int = 0
    log: deque[Request] = field(default_factory=lambda: deque(maxlen=KEPT))

    @property
    def owner(self) -> str:
        """The key of the account that it belongs to."""
        return self.listening.account.key


class OpenTunnels:
    """Every tunnel by its name. Threads: any."""

    def __init__(self) -> None:
        self._tunnels: dict[str, Tunnel] = {}
        self._lock = threading.Lock()

    def open(self, listening: Listening) -> Tunnel:
        """Gives it a name, for as long as it lasts or until the same person asks for it again from
        another connection: the first may be dead, and nobody has noticed yet. Raises `NoName`."""
        match listening.address:
            case TcpAddress(host):
                asked = host
            case UnixAddress():
                raise NoName("a Unix socket is not a web address")
        anothers: set[str] = set()
        while len(anothers) < MAX_TRIED:
            with self._lock:
                taken, own = self._taken(listening)
                name = name_for(asked, listening.account, {*taken, *anothers}, again=own)
            # Outside of the lock: it may wait for the store. The host has asked about a name that
            # the person gave; what comes of an account's own may be another's, as `lan` of `élan`.
            if is_unnamed(asked) and listening.is_anothers_name(name):
                anothers.add(name)
            elif (tunnel := self._opened(listening, name)) is not None:
                listening.on_end(lambda: self._close(tunnel))
                return tunnel
        raise NoName("no name was found for it; ask for one")

    def _taken(self, listening: Listening) -> tuple[dict[str, Listening], set[str]]:
        """The names in use with what has them, and those of them that the person may take over."""
        taken = {
            name: held.listening for name, held in self._tunnels.items() if not held.listening.ended
        }
        return taken, {name for name, held in taken.items() if _same_person(held, listening)}

    def _opened(self, listening: Listening, name: str) -> Tunnel | None:
        """A tunnel of that name; None if somebody else has it, or one like it, by now. Raises
        `NoName` if the person has as many as they may."""
        with self._lock:
            taken, own = self._taken(listening)
            if name not in own and looks_taken(name, taken):
                return None
            key = listening.account.key
            others = sum(held.account.key == key for held in taken.values()) - (name in taken)
            if others >= MAX_OF_ONE:
                raise NoName(f"you have {MAX_OF_ONE} already; close one of them first")
            if (before := taken.get(name)) is not None:
                before.reached_at("")
            tunnel = self._tunnels[name] = Tunnel(name, listening, time.time())
            return tunnel

    def _close(self, tunnel: Tunnel) -> None:
        """Its forward has ended."""
        with self._lock:
            if self._tunnels.get(tunnel.name) is tunnel:  # else it is another's by now
                del self._tunnels[tunnel.name]

    def find(self, name: str) -> Tunnel | None:
        with self._lock:
            return self._tunnels.get(name)

    def of(self, account: Account) -> list[Tunnel]:
        """Somebody's own, the oldest first."""
        with self._lock:
            return [tunnel for tunnel in self._tunnels.values() if tunnel.owner == account.key]

    def enter(self, tunnel: Tunnel) -> bool:
        """One more connection through it; False if it has enough."""
        with self._lock:
            if tunnel.connections >= MAX_OPEN:
                return False
            tunnel.connections += 1
            return True

    def leave(self, tunnel: Tunnel) -> None:
        with self._lock:
            tunnel.connections -= 1

    def count(self, tunnel: Tunnel, *, received: int = 0, sent: int = 0) -> None:
        with self._lock:
            tunnel.received += received
            tunnel.sent += sent

    def note(self, tunnel: Tunnel, request: Request) -> None:
        with self._lock:
            tunnel.total += 1
            tunnel.log.append(request)

    def log_of(self, tunnel: Tunnel) -> list[Request]:
        """The latest first."""
        with self._lock:
            return list(reversed(tunnel.log))


def _same_person(held: Listening, listening: Listening) -> bool:
    """Whether they are the same person on another connection. Guests prove nothing, so they have to
    come from the same address, too."""
    account = listening.account
    return (
        held.account.key == account.key
        and held.peer != listening.peer
        and (not account.guest or held.peer.address == listening.peer.address)
    )
