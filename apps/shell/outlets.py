"""Where lines write to that no screen shows: the two outputs of a command."""

from __future__ import annotations

import threading

from tuihost import Session, Stream, TerminalFacts


class CommandOutlet:
    """The outputs of the command that runs a line. Any thread, one at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()

    @property
    def facts(self) -> TerminalFacts:
        return self._session.terminal

    def read(self, limit: int) -> bytes:
        """Nothing, where it stands for a command's ends."""
        return b""

    def write(self, data: bytes, stream: Stream) -> None:
        with self._lock:
            if stream is Stream.OUT:
                self._session.write(data)
            else:
                self._session.write_error(data)

    def close(self) -> None:
        """It is the session's, which goes on."""


class Given:
    """The standard input of the command that runs a line, for the first command of that."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, limit: int) -> bytes:
        return self._session.read(limit)

    def close(self) -> None:
        """It is the session's, which goes on."""
