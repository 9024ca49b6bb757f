"""Runs what a line says: its pipelines one after the other, the commands of each side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tuihost import Colors, Disconnected, FileError, Interrupted, Stream, TerminalFacts

from .language import Pipeline, When
from .pipes import FileSink, FileSource, Nothing, Outlet, Pipe, Source, StageStdio

if TYPE_CHECKING:
    from tuihost import OtherApps, Running

OWN = "shell"
STOPPED = 130


@dataclass(frozen=True, slots=True)
class Call:
    """A command by its app, as `ssh HOST APP WORDS` has it."""

    app: str
    words: tuple[str, ...]


def call_of(words: Sequence[str], own: Collection[str]) -> Call:
    """Which command `words` mean: one of the shell's own, or an app's."""
    if words[0] in own:
        return Call(OWN, tuple(words))
    return Call(words[0], tuple(words[1:]))


def runs(when: When, status: int) -> bool:
    """Whether what stands behind `;`, `&&` or `||` runs after something that came to `status`."""
    match when:
        case When.ALWAYS:
            return True
        case When.WELL:
            return status == 0
        case When.BADLY:
            return status != 0


class Line:
    """One pipeline that runs. Its commands have threads of their own, but for the first where
    `here` is asked for. Raises `FileError` where a file cannot be had."""

    def __init__(
        self,
        other_apps: OtherApps,
        pipeline: Pipeline,
        own: Collection[str],
        outlet: Outlet,
        source: Source | None = None,
    ) -> None:
        self._other_apps = other_apps
        self._outlet = outlet
        self._calls = [call_of(words, own) for words in pipeline.stages]
        self._statuses = [STOPPED] * len(self._calls)
        self._left = len(self._calls)
        self._running: list[Running] = []
        self._lock = threading.Lock()
        self._stopped = False
        self._over = threading.Event()
        tree = other_apps.files() if pipeline.source or pipeline.target else None
        self._source: Source = source or Nothing()
        self._target: FileSink | None = None
        if tree is not None and pipeline.source is not None:
            self._source = FileSource(tree, pipeline.source)
        if tree is not None and pipeline.target is not None:
            try:
                self._target = FileSink(tree, pipeline.target, append=pipeline.append)
            except BaseException:
                self._source.close()
                raise

    def start(self, ended: Callable[[int], None]) -> None:
        """Starts every command; `ended` is called on a thread of theirs."""
        self._ended = ended
        for number, (call, stdio) in enumerate(self._with_stdio()):
            self._start(number, call, stdio)

    def run(self) -> int:
        """Runs the first command on this thread, and waits for the others; the status."""
        self._ended = lambda _: None
        (first, stdio), *others = self._with_stdio()
        for number, (call, theirs) in enumerate(others, 1):
            self._start(number, call, theirs)
        status = STOPPED
        try:
            status = self._other_apps.run(first.app, first.words, stdio)
        except Interrupted:
            pass  # who stands behind it has had enough
        except BaseException:
            self.stop()
            raise
        finally:
            stdio.close()
            self._note(0, status)
            self._over.wait()
        return self.status

    def stop(self) -> None:
        """Ends every command. Any thread."""
        with self._lock:
            self._stopped = True
            running = tuple(self._running)
        for one in running:
            one.stop()

    @property
    def status(self) -> int:
        """What it came to: the status of its last command."""
        return self._statuses[-1]

    def _with_stdio(self) -> list[tuple[Call, StageStdio]]:
        facts, last = self._outlet.facts, len(self._calls) - 1
        plain = _plain(facts)
        pipes = [Pipe() for _ in range(last)]
        found = []
        for number, call in enumerate(self._calls):
            source = pipes[number - 1] if number else self._source
            sink = pipes[number] if number < last else self._target
            shown = facts if sink is None else plain
            found.append((call, StageStdio(source, sink, self._outlet, shown)))
        return found

    def _start(self, number: int, call: Call, stdio: StageStdio) -> None:
        one = self._other_apps.start(
            call.app, call.words, stdio, lambda status: self._note(number, status)
        )
        with self._lock:
            self._running.append(one)
            late = self._stopped
        if late:
            one.stop()

    def _note(self, number: int, status: int) -> None:
        """A command has ended; with the last one the line has."""
        with self._lock:
            self._statuses[number] = status
            self._left -= 1
            over = not self._left
        if over:
            self._settle()
            self._over.set()
            self._ended(self.status)

    def _settle(self) -> None:
        """Closes the files. A person who is gone cannot be told what went wrong."""
        self._source.close()
        if self._target is not None:
            try:
                self._target.settle(keep=not self._stopped)
            except FileError as error:
                self._statuses[-1] = 1
                with suppress(Disconnected, Interrupted):
                    self._outlet.write(f"{sentence(error)}\n".encode(), Stream.ERR)


def sentence(error: Exception) -> str:
    """What is wrong, for a person."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _plain(facts: TerminalFacts) -> TerminalFacts:
    """For a command whose output no person looks at."""
    return replace(facts, pty=False, colors=Colors.MONO, sized=False)
