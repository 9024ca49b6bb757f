"""Runs what a line says: its pipelines one after the other, the commands of each side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tuihost import Colors, Disconnected, FileError, Interrupted, Stream, TerminalFacts

from .language import Pipeline, When
from .patterns import PatternError, Patterns
from .pipes import CommandStdio, FileInput, FileOutput, Input, LineOutput, NoInput, Pipe

if TYPE_CHECKING:
    from tuihost import FileTree, OtherApps, Running

SHELL = "shell"
STOPPED = 130
NOT_FOUND = 127


@dataclass(frozen=True, slots=True)
class Call:
    """A command of an app, as in `ssh HOST APP WORDS`."""

    app: str
    words: tuple[str, ...]


def call_of(words: Sequence[str], builtins: Collection[str]) -> Call:
    """Which command `words` call: a builtin of the shell, or one of an app."""
    if words[0] in builtins:
        return Call(SHELL, tuple(words))
    return Call(words[0], tuple(words[1:]))


def should_run(when: When, status: int) -> bool:
    """Whether a pipeline runs after `;`, `&&` or `||` and something that ended with `status`."""
    match when:
        case When.ALWAYS:
            return True
        case When.SUCCEEDED:
            return status == 0
        case When.FAILED:
            return status != 0


class CannotRun(Exception):
    """A pipeline cannot run: a file behind `<`, `>` or `>>` cannot be read or written, or a pattern
    stands for too much. The text is a sentence."""


class RunningPipeline:
    """One pipeline that runs. Each of its commands has a thread of its own; with `run` the first
    one has the caller's. Raises `CannotRun`."""

    def __init__(
        self,
        other_apps: OtherApps,
        pipeline: Pipeline,
        builtins: Collection[str],
        output: LineOutput,
        stdin: Input | None = None,
    ) -> None:
        self._other_apps = other_apps
        self._output = output
        patterns = Patterns(other_apps.files)
        try:
            commands = [patterns.words(words) for words in pipeline.commands]
            input_file, output_file = (
                None if word is None else patterns.file(word)
                for word in (pipeline.input_file, pipeline.output_file)
            )
        except PatternError as error:
            raise CannotRun(str(error)) from None
        self._calls = [call_of(words, builtins) for words in commands]
        self._untold = self._unknown()[1:]
        self._statuses = [STOPPED] * len(self._calls)
        self._left = len(self._calls)
        self._running: list[Running] = []
        self._lock = threading.Lock()
        self._stopped = False
        self._over = threading.Event()
        self._stdin: Input = stdin or NoInput()
        self._file: FileOutput | None = None
        self._file_name = output_file or ""
        if input_file is not None:
            self._open_input(patterns.tree, input_file)
        if output_file is not None:
            self._open_output(patterns.tree, output_file, append=pipeline.append)

    def _open_input(self, tree: FileTree, name: str) -> None:
        try:
            self._stdin = FileInput(tree, name)
        except FileError as error:
            raise CannotRun(error.about(name)) from None

    def _open_output(self, tree: FileTree, name: str, *, append: bool) -> None:
        try:
            self._file = FileOutput(tree, name, append=append)
        except FileError as error:
            self._stdin.close()
            raise CannotRun(error.about(name)) from None
        except BaseException:  # it passes on; nobody else would close what is open
            self._stdin.close()
            raise

    def _unknown(self) -> list[int]:
        """The commands of a pipe that begin with a word that nothing is called."""
        if len(self._calls) == 1:
            return []
        known = {*self._other_apps.apps(), *self._other_apps.familiar_words()}
        return [number for number, call in enumerate(self._calls) if call.app not in known]

    def start(self, ended: Callable[[int], None]) -> None:
        """Starts every command. `ended` is called with the status, on any thread."""
        self._ended = ended
        for number, (call, stdio) in enumerate(self._with_stdio()):
            self._start(number, call, stdio)

    def run(self) -> int:
        """Runs the first command on this thread and waits for the others. The status."""
        self._ended = lambda _: None
        (first, stdio), *others = self._with_stdio()
        for number, (call, theirs) in enumerate(others, 1):
            self._start(number, call, theirs)
        status = STOPPED
        try:
            status = self._other_apps.run(first.app, first.words, stdio)
        except Interrupted:
            pass  # the command after it has read enough
        except BaseException:  # it passes on; the other commands must not run without this one
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
        for command in running:
            command.stop()

    @property
    def status(self) -> int:
        """The status of its last command."""
        return self._statuses[-1]

    def _with_stdio(self) -> list[tuple[Call, CommandStdio]]:
        facts, last = self._output.facts, len(self._calls) - 1
        plain = _plain(facts)
        pipes = [Pipe() for _ in range(last)]
        found = []
        for number, call in enumerate(self._calls):
            stdin = pipes[number - 1] if number else self._stdin
            stdout = pipes[number] if number < last else self._file
            drawn_for = facts if stdout is None else plain
            found.append((call, CommandStdio(stdin, stdout, self._output, drawn_for)))
        return found

    def _start(self, number: int, call: Call, stdio: CommandStdio) -> None:
        if number in self._untold:  # the sentence about the first unknown word is enough
            stdio.close()
            self._note(number, NOT_FOUND)
            return
        command = self._other_apps.start(
            call.app, call.words, stdio, lambda status: self._note(number, status)
        )
        with self._lock:
            self._running.append(command)
            stopped = self._stopped
        if stopped:  # meanwhile
            command.stop()

    def _note(self, number: int, status: int) -> None:
        """A command has ended; with the last one the pipeline has."""
        with self._lock:
            self._statuses[number] = status
            self._left -= 1
            over = not self._left
        if over:
            self._close_files()
            self._over.set()
            self._ended(self.status)

    def _close_files(self) -> None:
        """What went wrong with a file is said, unless the person is gone."""
        self._stdin.close()
        if self._file is not None:
            try:
                self._file.finish(keep=not self._stopped)
            except FileError as error:
                self._statuses[-1] = 1
                with suppress(Disconnected, Interrupted):
                    self._output.write(f"{error.about(self._file_name)}\n".encode(), Stream.ERR)


def sentence(error: Exception) -> str:
    """The text of an error as a sentence."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _plain(facts: TerminalFacts) -> TerminalFacts:
    """The facts for a command whose output nobody looks at."""
    return replace(facts, pty=False, colors=Colors.MONO, sized=False)
