"""A channel as apps hold it that may wait: `tuihost.session.streams.ByteStream`."""

from __future__ import annotations

import threading
import time

from tuihost.errors import Disconnected
from tuihost.session.streams import NotOpened
from tuihost.wire import ByteChannel, HostOpen, Link, Refuse


class ChannelStream:
    """Blocking reads and writes over a `ByteChannel`. `received` and `sent` count bytes. At
    its `deadline`, in monotonic seconds, what still waits raises TimeoutError."""

    def __init__(self, channel: ByteChannel) -> None:
        self.channel = channel
        self.deadline: float | None = None
        self.received = self.sent = 0

    @property
    def closed(self) -> bool:
        return self.channel.closed

    def read(self, limit: int = 65536) -> bytes:
        data: bytes | None = None

        def arrived() -> bool:
            nonlocal data
            data = self.channel.read(limit)
            return data is not None

        if not self.channel.wait(arrived, self._left()):
            raise TimeoutError
        assert data is not None, "it has arrived"
        self.received += len(data)
        return data

    def write(self, data: bytes | memoryview) -> None:
        rest, gone = memoryview(data), False

        def sent() -> bool:
            nonlocal rest, gone
            gone = self.channel.closed  # closed after the last byte: it has had them all
            if not gone:
                rest = rest[self.channel.write(rest) :]
            return gone or not rest

        if not self.channel.wait(sent, self._left()):
            raise TimeoutError
        if gone:
            raise Disconnected("the client has closed the stream")
        self.sent += len(data)

    def _left(self) -> float | None:
        return None if self.deadline is None else self.deadline - time.monotonic()

    def send_eof(self) -> None:
        self.channel.send_eof()

    def close(self) -> None:
        self.channel.close()


def open_stream(link: Link, request: HostOpen, timeout: float) -> ChannelStream:
    """Asks the client for a channel and waits for its answer. Not on the transport's thread.

    Raises `NotOpened` if it refuses, or says nothing in so many seconds.
    """
    answers: list[ByteChannel | Refuse] = []
    came = threading.Event()
    first = threading.Lock()  # taken by the answer or by the deadline, whichever comes first

    def settled(answer: ByteChannel | Refuse) -> None:
        if first.acquire(blocking=False):
            answers.append(answer)
            came.set()
        elif not isinstance(answer, Refuse):
            answer.close()

    link.open(request, settled)
    if not came.wait(timeout) and first.acquire(blocking=False):
        raise NotOpened(f"the client did not answer in {timeout:g} seconds")
    came.wait()  # it came at the last moment
    match answers[0]:
        case Refuse(reason=reason):
            raise NotOpened(reason)
        case channel:
            return ChannelStream(channel)
