"""A port of this machine for a test."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.waiting import DEADLINE
from tuihost.wire import Peer

ASKED_FOR = range(10_000, 20_000)
"""Ports that no system gives away by itself, and no test lets a host choose."""


def free_port() -> int:
    """A port that nobody listens on: for programs that must be told one.

    Nobody else is given it meanwhile, but another test by the same luck.
    """
    # Not from what each test seeds: processes side by side would choose the same.
    for port in random.SystemRandom().sample(ASKED_FOR, 100):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise AssertionError("a hundred ports are taken")


def is_open(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), DEADLINE).close()
    except ConnectionRefusedError:
        return False
    except ConnectionResetError:
        return True  # it was in the queue of a listener that has just closed
    return True


@contextmanager
def accepting(take: Callable[[socket.socket, Peer], object]) -> Iterator[int]:
    """A port of 127.0.0.1; `take` is given each connection, on the thread that accepts."""

    def accept() -> None:
        while True:
            try:
                sock, address = listener.accept()
            except OSError:
                return
            take(sock, Peer(*address[:2]))

    listener = socket.create_server(("127.0.0.1", 0), backlog=16)
    thread = threading.Thread(target=accept, name="test accept")
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(DEADLINE)
