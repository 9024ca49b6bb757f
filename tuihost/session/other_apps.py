"""What an app reaches of the other apps, as the same person: their commands, and the files.

`session.other_apps` has it. Whatever the person may not do is not there: the host judges it as it
does for `ssh HOST APP COMMAND`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tuihost.wire import Stream

if TYPE_CHECKING:
    from tuihost.files.tree import Folders
    from tuihost.terminal_facts import TerminalFacts


@dataclass(frozen=True, slots=True)
class OptionInfo:
    """An option of a command: `flags` such as `-i` and `--ignore-case`."""

    flags: tuple[str, ...]
    help: str = ""
    takes_value: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ArgumentInfo:
    """An argument of a command. `several`: it takes all the words that are left."""

    name: str
    choices: tuple[str, ...] = ()
    several: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True)
class CommandInfo:
    """What completion and help need to know about a command. `help` is the first line of its
    docstring."""

    name: str
    help: str = ""
    options: tuple[OptionInfo, ...] = ()
    arguments: tuple[ArgumentInfo, ...] = ()


class Stdio(Protocol):
    """Where a command reads from and writes to. Its methods are called on the command's thread and
    may wait. Whatever they raise ends the command; `Interrupted` and `Disconnected` are not logged
    as mistakes."""

    @property
    def facts(self) -> TerminalFacts:
        """What the output is drawn for: width, colours, and whether a person sees it."""

    def read(self, limit: int) -> bytes:
        """Standard input, at least one byte; b"" at its end."""

    def write(self, data: bytes, stream: Stream) -> None:
        """Writes all of `data` to one of the two outputs."""

    def close(self) -> None:
        """Nothing more is read or written; a thread that waits in `read` or `write` wakes. Any
        thread."""


@runtime_checkable
class AskingStdio(Stdio, Protocol):
    """A `Stdio` of a terminal that a command can ask on."""

    async def ask(self, question: str, *, hidden: bool, default: str) -> str:
        """As `Session.ask`."""


class Running(Protocol):
    """A command that runs on a thread of its own. Use it from any thread."""

    def stop(self) -> None:
        """Stops it: it ends at its next read or write, or is made to end."""


class OtherApps(Protocol):
    """The other apps, for the same person. Thread: the app's, unless said otherwise."""

    def apps(self) -> Mapping[str, tuple[CommandInfo, ...]]:
        """The apps that the person may open, each with the commands that they may run."""

    def familiar_words(self) -> Mapping[str, str]:
        """Words that people know from elsewhere, such as `ls`, and the command that `run` takes
        each of them for, such as `files ls`; that is empty for words that the host answers itself,
        such as `true`."""

    def run(self, app: str, words: Sequence[str], stdio: Stdio) -> int:
        """Runs a command on this thread. Its exit status; 127 if there is no such app. Without
        words it runs the app's default command, or shows the help if there is none. Raises whatever
        the methods of `stdio` raise."""

    def start(
        self, app: str, words: Sequence[str], stdio: Stdio, ended: Callable[[int], None]
    ) -> Running:
        """The same on a thread of its own, where `ended` is called with the status; 130 if it was
        stopped. A command that still runs when the session ends is stopped."""

    def files(self) -> Folders:
        """The files that the person sees in `sftp`."""
