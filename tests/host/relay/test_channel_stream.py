"""A channel as apps hold it that may wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from tuihost.errors import Disconnected
from tuihost.host.relay.channel_stream import ChannelStream
from tuihost.wire import ByteChannel


class ClosesAfter:
    """A channel whose client answers and closes as soon as it has had so many writes."""

    def __init__(self, writes: int) -> None:
        self.left = writes
        self.taken = b""

    @property
    def closed(self) -> bool:
        return not self.left

    def write(self, data: memoryview, *_: Any) -> int:
        assert not self.closed, "nothing is written to what is closed"
        self.left -= 1
        self.taken += bytes(data[:3])
        return len(data[:3])

    def wait(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        while not ready():
            pass
        return True


def test_who_closes_after_the_last_byte_has_had_them_all() -> None:
    channel = ClosesAfter(2)
    stream = ChannelStream(cast(ByteChannel, channel))
    stream.write(b"hello")
    assert (channel.taken, channel.closed, stream.sent) == (b"hello", True, 5)
    with pytest.raises(Disconnected):
        stream.write(b"more")


def test_who_closes_before_has_not() -> None:
    channel = ClosesAfter(1)
    stream = ChannelStream(cast(ByteChannel, channel))
    with pytest.raises(Disconnected):
        stream.write(b"hello")
    assert stream.sent == 0
