"""What commands read from and write to: pipes, files, and what a whole line writes to."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from tuihost import FileError, FileTree, Interrupted, OpenMode, Stream, TerminalFacts, names_in

HELD = 256 * 1024  # bytes in a pipe before its writer has to wait


class Input(Protocol):
    """Where a command reads from."""

    def read(self, limit: int) -> bytes: ...

    def close(self) -> None: ...


class LineOutput(Protocol):
    """Where a whole line writes to: a screen, or the two outputs of a command."""

    @property
    def facts(self) -> TerminalFacts: ...

    def write(self, data: bytes, stream: Stream) -> None: ...

    async def ask(self, question: str, *, hidden: bool, default: str) -> str: ...


class Pipe:
    """Bytes from one command to the next; each waits for the other. Either may close it: the reader
    still gets the rest, and the writer is told that nobody reads any more."""

    def __init__(self) -> None:
        self._parts: deque[bytes] = deque()
        self._held = 0
        self._written = self._unread = False
        self._changed = threading.Condition()

    def write(self, data: bytes) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._held < HELD or self._unread or self._written)
            if self._unread or self._written:
                raise Interrupted("nobody reads any more")
            self._parts.append(data)
            self._held += len(data)
            self._changed.notify_all()

    def read(self, limit: int) -> bytes:
        with self._changed:
            self._changed.wait_for(lambda: self._parts or self._written or self._unread)
            if not self._parts or self._unread:
                return b""
            data = self._parts.popleft()
            if len(data) > limit:
                self._parts.appendleft(data[limit:])
                data = data[:limit]
            self._held -= len(data)
            self._changed.notify_all()
            return data

    def end(self) -> None:
        """Nothing more is written."""
        with self._changed:
            self._written = True
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody reads any more."""
        with self._changed:
            self._unread = True
            self._changed.notify_all()


class NoInput:
    """The input of a command that is given none. `asked` is called when it wants to read."""

    def __init__(self, asked: Callable[[], None] = lambda: None) -> None:
        self._asked = asked

    def read(self, limit: int) -> bytes:
        asked, self._asked = self._asked, lambda: None
        asked()
        return b""

    def close(self) -> None:
        """There is nothing to close."""


class FileInput:
    """`< name`, and a file that a filter is given. Raises `FileError`."""

    def __init__(self, tree: FileTree, name: str) -> None:
        self._file = tree.open(names_in(tree, name))
        self._at = 0
        self._closed = False

    def read(self, limit: int) -> bytes:
        data = b"" if self._closed else self._file.read(self._at, limit)
        self._at += len(data)
        return data

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._file.close()


class FileOutput:
    """`> name` and `>> name`. A file that was cut short is not kept. Raises `FileError`."""

    def __init__(self, tree: FileTree, name: str, *, append: bool) -> None:
        mode = OpenMode(read=False, write=True, create=True, empty=not append)
        self._file = tree.open(names_in(tree, name, new_file=True), mode)
        self._at = self._file.info().size if append else 0
        self._closed = False
        self._failed: FileError | None = None

    def write(self, data: bytes) -> None:
        if self._closed:
            raise Interrupted("the file is closed")
        try:
            self._file.write(self._at, data)
        except FileError as error:
            self._failed = error
            raise Interrupted(str(error)) from None
        self._at += len(data)

    def close(self) -> None:
        self.finish(keep=False)

    def finish(self, *, keep: bool) -> None:
        """Closes the file, and keeps what was written or drops it. Raises `FileError`."""
        if not self._closed:
            self._closed = True
            self._file.close(keep=keep and self._failed is None)
            if self._failed is not None:
                raise self._failed


class CommandStdio:
    """Standard input and output of one command of a line: implements `tuihost.AskingStdio`. Its
    errors go where the line writes, also when a pipe takes its output."""

    def __init__(
        self,
        stdin: Input,
        stdout: Pipe | FileOutput | None,
        output: LineOutput,
        facts: TerminalFacts,
    ) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._output = output
        self._question: asyncio.Task[str] | None = None
        self._closed = False
        self.facts = facts

    def read(self, limit: int) -> bytes:
        return self._stdin.read(limit)

    def write(self, data: bytes, stream: Stream) -> None:
        if self._stdout is not None and stream is Stream.OUT:
            self._stdout.write(data)
        else:
            self._output.write(data, stream)

    async def ask(self, question: str, *, hidden: bool, default: str) -> str:
        asking = self._output.ask(question, hidden=hidden, default=default)
        self._question = asyncio.create_task(asking)
        try:
            return await self._question
        except asyncio.CancelledError:
            if self._closed:
                raise Interrupted("the line was stopped") from None
            raise
        finally:
            self._question = None

    def close(self) -> None:
        self._closed = True
        question = self._question
        if question is not None:
            with suppress(RuntimeError):  # its loop has ended
                question.get_loop().call_soon_threadsafe(question.cancel)
        self._stdin.close()
        if isinstance(self._stdout, Pipe):
            self._stdout.end()
