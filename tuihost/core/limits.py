"""How much one client may have: the numbers by which a connection is kept bounded.

Every length is in bytes, every span in seconds. The defaults suit a host on the open internet;
none of them is felt by a person at a terminal.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_PACKET = 32_704  # what one message carries: RFC 4253 §6.1's 32768 less room for its header
STREAM_COST = 0.1  # requests: of a WINDOW_ADJUST, an IGNORE, or a DATA of less than SMALL_DATA
SMALL_DATA = 256  # bytes
PROGRAM_COST = 5.0  # requests: of a program that starts, besides what asked for it
PAUSE = 0.02  # seconds: the least for which a client that sends too much is not read


@dataclass(frozen=True, slots=True)
class TransportLimits:
    """The bounds of one connection, from accept to close.

    hello_grace: from accept to the client's identification (RFC 4253 §4.2).
    login_grace: from accept to the end of the login.
    max_tries: failed proofs in one connection (RFC 4252 §4).
    preauth_bytes, preauth_packets: what a client may send before it is logged in.
    rekey_bytes: sent or received under one set of keys (RFC 4253 §9).
    rekey_timeout: for the client to finish a key exchange that was begun.
    channels: open at one time, those of forwards too.
    sessions: of these, the ones with a program (RFC 4254 §6).
    window: of each channel, what a client may send before it was read (RFC 4254 §5.2); also
        the bound on what is held of it in memory.
    window_max: what a window grows to while what comes is read as fast as it comes.
    window_room: by how much all windows of a connection together may grow.
    packet: the largest data that one message to us may carry.
    requests, requests_rate: global and channel requests, opens and other small messages: so
        many at once, and so many a second in the long run. A client that sends more is not read
        for a moment, and so has to wait; it is never cut off for that. What a program is sent
        and what it may send, in small pieces, costs a tenth of that (`STREAM_COST`).
    keepalive_interval: of silence before the client is asked whether it is still there;
        zero never asks.
    keepalive_count: questions in a row without any sign of life before the connection ends.
    """

    hello_grace: float = 10.0
    login_grace: float = 30.0
    max_tries: int = 6
    preauth_bytes: int = 512 * 1024
    preauth_packets: int = 300
    rekey_bytes: int = 2**30
    rekey_timeout: float = 30.0
    channels: int = 128
    sessions: int = 16
    window: int = 131_072
    window_max: int = 1_048_576
    window_room: int = 8_388_608
    packet: int = 32_768
    requests: int = 2_000
    requests_rate: float = 500.0
    keepalive_interval: float = 30.0
    keepalive_count: int = 3


@dataclass(slots=True)
class Allowance:
    """A token bucket: `burst` at once, `rate` a second in the long run. The time is given to it."""

    burst: float
    rate: float
    left: float
    at: float

    @classmethod
    def full(cls, burst: float, rate: float, now: float) -> Allowance:
        return cls(burst, rate, burst, now)

    def take(self, now: float, count: float = 1.0) -> bool:
        """Takes `count` where that many are left."""
        self.left = min(self.burst, self.left + max(0.0, now - self.at) * self.rate)
        self.at = now
        if self.left < count:
            return False
        self.left -= count
        return True

    def owe(self, now: float, count: float = 1.0) -> float:
        """Takes `count` in any case. For how many seconds nothing more should be taken: 0.0 as
        long as that is less than `PAUSE`. More than that is never owed at a time."""
        self.take(now, 0.0)
        least = -PAUSE * self.rate
        self.left = max(least, self.left - count)
        return PAUSE if self.left <= least else 0.0

    def earn(self, count: float) -> None:
        """Puts `count` back, up to `burst`."""
        self.left = min(self.burst, self.left + count)
