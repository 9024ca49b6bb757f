"""The standard input and output of `ssh HOST shell -c …`, for the lines that it runs."""

from __future__ import annotations

import threading

from tuihost import NoTerminal, Session, Stream, TerminalFacts


class CommandOutput:
    """Both outputs of the command, for a whole line. Any thread, one at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._thread = threading.get_ident()
        self._lock = threading.Lock()

    @property
    def facts(self) -> TerminalFacts:
        return self._session.terminal

    def read(self, limit: int) -> bytes:
        """Nothing, where it is the standard input of a command too."""
        return b""

    def write(self, data: bytes, stream: Stream) -> None:
        with self._lock:
            if stream is Stream.OUT:
                self._session.write(data)
            else:
                self._session.write_error(data)

    async def ask(self, question: str, *, hidden: bool, default: str) -> str:
        """Only for the first command of a line, which has the session's own thread."""
        if threading.get_ident() != self._thread:
            raise NoTerminal(question)
        return await self._session.ask(question, hidden=hidden, default=default)

    def close(self) -> None:
        """Nothing: it belongs to the session, which goes on."""


class CommandInput:
    """The standard input of the command, for the first command of a line."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, limit: int) -> bytes:
        return self._session.read(limit)

    def close(self) -> None:
        """Nothing: it belongs to the session, which goes on."""
