"""No database is used on a connection's own thread once its client is logged in: everything else
on that connection would wait for the disk."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tuihost.database import before_use
from tuihost.ssh.transport import HostTransport


@contextmanager
def transport_threads_watched() -> Iterator[None]:
    """Raises AssertionError if it happens, and again at the end, since a connection makes a
    refusal of whatever is raised on its thread."""
    found: list[AssertionError] = []

    def look() -> None:
        thread = threading.current_thread()
        if isinstance(thread, HostTransport) and thread.authenticated and thread.active:
            found.append(AssertionError(f"a database is used on the thread {thread.name!r}"))
            raise found[-1]

    before_use.append(look)
    try:
        yield
    finally:
        before_use.remove(look)
    if found:
        raise found[0]
